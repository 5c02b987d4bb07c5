"""A runbook's own form fields, and what Slack can show.

Names are unique and are none of the form's own. `options` belong to a select, `pattern` to a text, `min` and `max` to
a number, a date or the length of a text. Slack limits: a text of at most 3,000 characters, and a form as a whole of
at most 100 blocks and 250 KB, of which options may take the greater part.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.policy.model import FieldSpec
from bot.domain.policy.same_text import folded
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.runbook_schema import FieldShape
from runbooks.parsing.scalars import day
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.safe_regex import fault, matcher

BUILT_IN = ("runbook", "target", "reason", "duration", "subject")
MAX_OPTION_BYTES = 150_000
MAX_TEXT = 3000
_TEXTS = ("text", "multiline")


def read_fields(sheet: ParsedFile, shapes: Sequence[FieldShape]) -> tuple[FieldSpec, ...]:
    """The fields of a form, judged."""
    seen: set[str] = set()
    for index, shape in enumerate(shapes):
        path: Path = ("fields", index)
        if shape.name in seen:
            sheet.error((*path, "name"), f"A field `{shape.name}` stands above already: give each its own name.")
        seen.add(shape.name)
        _names(sheet, shape, path)
        _options(sheet, shape, path)
        _pattern(sheet, shape, path)
        _bounds(sheet, shape, path)
    _size(sheet, shapes)
    return tuple(_spec(shape) for shape in shapes)


def _names(sheet: ParsedFile, shape: FieldShape, path: Path) -> None:
    for key, text in (("name", shape.name), ("label", shape.label)):
        if folded(text) in BUILT_IN:
            sheet.error((*path, key), f"The form has a field {text!r} of its own: choose another {key}.")


def _options(sheet: ParsedFile, shape: FieldShape, path: Path) -> None:
    if shape.type == "select" and not shape.options:
        sheet.error(path, f"Field `{shape.name}` is a select without `options`: add what it offers.")
    if shape.type != "select" and shape.options:
        sheet.error((*path, "options"), f"`options` belong to `type: select`, not {shape.type}: remove them.")
    for index, option in enumerate(shape.options or ()):
        if option in (shape.options or ())[:index]:
            sheet.error((*path, "options", index), f"The option {option!r} stands here a second time: remove one.")


def _pattern(sheet: ParsedFile, shape: FieldShape, path: Path) -> None:
    if shape.pattern is None:
        return
    if shape.type not in _TEXTS:
        sheet.error((*path, "pattern"), f"`pattern` belongs to text and multiline, not {shape.type}: remove it.")
    if wrong := fault(shape.pattern):
        sheet.error((*path, "pattern"), f"The pattern of field `{shape.name}` {wrong}.")


def _bounds(sheet: ParsedFile, shape: FieldShape, path: Path) -> None:
    sound = True
    for key, value in (("min", shape.min), ("max", shape.max)):
        wrong = None if value is None else _bound_fault(shape.type, value)
        if wrong:
            sheet.error((*path, key), f"`{key}` of field `{shape.name}` {wrong}.")
            sound = False
    # Both are numbers or both are days here; days of one form compare as texts.
    if sound and shape.min is not None and shape.max is not None and shape.min > shape.max:  # type: ignore[operator]
        sheet.error((*path, "min"), f"`min` {shape.min} is above `max` {shape.max}: exchange or correct them.")


def _bound_fault(kind: str, value: float | str) -> str | None:
    if kind == "date":
        return None if isinstance(value, str) else "must be a day: write one like `2027-03-31`"
    if kind == "number":
        return None if not isinstance(value, str) else "must be a number: write it without quotes"
    if kind not in _TEXTS:
        return f"belongs to number, date and texts, not {kind}: remove it"
    if isinstance(value, int) and 0 <= value <= MAX_TEXT:
        return None
    return f"is the length of a text: write a whole number from 0 to {MAX_TEXT}"


def _size(sheet: ParsedFile, shapes: Sequence[FieldShape]) -> None:
    total = sum(len(option.encode()) + 80 for shape in shapes for option in shape.options or ())
    if total > MAX_OPTION_BYTES:
        sheet.error(("fields",), "All options together are more than Slack can show in one form: use fewer.")


def _spec(shape: FieldShape) -> FieldSpec:
    return FieldSpec(
        name=shape.name,
        label=shape.label,
        type=shape.type,
        required=shape.required,
        pattern=shape.pattern,
        minimum=None if isinstance(shape.min, str) else shape.min,
        maximum=None if isinstance(shape.max, str) else shape.max,
        options=tuple(shape.options or ()),
        hint=shape.hint,
        earliest=day(shape.min) if isinstance(shape.min, str) else None,
        latest=day(shape.max) if isinstance(shape.max, str) else None,
        matcher=matcher(shape.pattern) if shape.pattern is not None and fault(shape.pattern) is None else None,
    )
