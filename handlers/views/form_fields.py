"""A runbook's own questions as inputs, one row of the table a type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from bot.domain.policy.field_values import TEXT_MAX
from bot.domain.policy.model import FieldSpec, FieldType
from handlers import ids
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, choice_of, input_block, option, select

TYPED: frozenset[FieldType] = frozenset({"text", "multiline", "number", "email", "url"})


def field_block(spec: FieldSpec, runbook: str, entered: Mapping[str, str]) -> Block:
    """One question. Choices carry the runbook's id in their block, typed text does not."""
    action_id = ids.field_action(spec.name, spec.type)
    element = _ELEMENTS[spec.type](spec, entered.get(action_id, "")) | {"action_id": action_id}
    block_id = action_id if spec.type in TYPED else f"{action_id}.{runbook}"
    return input_block(block_id, spec.label, element, optional=not spec.required, hint=spec.hint or "")


def _text(spec: FieldSpec, held: str) -> Block:
    longest = max(1, min(int(spec.maximum or TEXT_MAX), TEXT_MAX))
    element: Block = {"type": "plain_text_input", "max_length": longest, "multiline": spec.type == "multiline"}
    if spec.minimum and 0 < spec.minimum <= longest:
        element["min_length"] = int(spec.minimum)
    fits = len(held) >= element.get("min_length", 0)
    return element | {"initial_value": held[:longest]} if held and fits else element


def _number(spec: FieldSpec, held: str) -> Block:
    element: Block = {"type": "number_input", "is_decimal_allowed": True}
    for key, bound in (("min_value", spec.minimum), ("max_value", spec.maximum)):
        if bound is not None:
            element[key] = f"{bound:.9f}".rstrip("0").rstrip(".")
    return element | {"initial_value": held} if _within(spec, held) else element


def _within(spec: FieldSpec, held: str) -> bool:
    if not re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", held):
        return False
    number = float(held)
    low, high = spec.minimum, spec.maximum
    return (low is None or number >= low) and (high is None or number <= high)


def _select(spec: FieldSpec, held: str) -> Block:
    return select("", {one: one for one in spec.options}, choice_of(held, spec.options), "Choose one")


def _boolean(_spec: FieldSpec, held: str) -> Block:
    options = {"yes": option(wording.YES, "yes"), "no": option(wording.NO, "no")}
    element: Block = {"type": "radio_buttons", "options": list(options.values())}
    return element | {"initial_option": options[held]} if held in options else element


def _picked(kind: str, initial: str, shape: str) -> Callable[[FieldSpec, str], Block]:
    """An input that takes only values of one shape: what has another is not put back."""

    def element(_spec: FieldSpec, held: str) -> Block:
        built: Block = {"type": kind}
        return built | {initial: held} if re.fullmatch(shape, held) else built

    return element


def _moment(_spec: FieldSpec, held: str) -> Block:
    built: Block = {"type": "datetimepicker"}
    return built | {"initial_date_time": int(held)} if re.fullmatch(r"\d{10}", held) else built


_ELEMENTS: Mapping[FieldType, Callable[[FieldSpec, str], Block]] = {
    "text": _text,
    "multiline": _text,
    "number": _number,
    "date": _picked("datepicker", "initial_date", r"\d{4}-\d{2}-\d{2}"),
    "datetime": _moment,
    "select": _select,
    "person": _picked("users_select", "initial_user", r"[UW][A-Z0-9]{2,}"),
    "email": _picked("email_text_input", "initial_value", r"[^@\s]{1,200}@[^@\s]{1,200}\.[^@\s]{1,60}"),
    "url": _picked("url_text_input", "initial_value", r"https?://[^\s<>]{1,2900}"),
    "boolean": _boolean,
}
