"""Turns what a shape refuses into sentences: what is wrong, and what to write instead.

One fault, one sentence: alternatives of a union count once, and an empty value is reported by `yaml_positions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runbooks.parsing.findings import did_you_mean, listed
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.scalars import HINTS
from runbooks.parsing.schema import ONE_OWNER, OWNERS_BY_DATE, Shape
from runbooks.parsing.yaml_positions import Document, Path

Context = Mapping[str, Any]
S = TypeVar("S", bound=Shape)


def validated(shape: type[S], sheet: ParsedFile) -> tuple[S | None, tuple[Path, ...]]:
    """The file as a shape, or None and the paths that are wrong; the sentences go to the report."""
    try:
        return shape.model_validate(sheet.document.value), ()
    except ValidationError as error:
        faults = _faults(error, sheet.document)
    for path, detail in faults.items():
        if not path and detail["input"] is None:
            sheet.error(path, "Nothing stands here: write the keys of this file, as the documentation shows.")
        elif detail["input"] is not None:
            sheet.error(path, _sentence(shape, path, detail))
    return None, tuple(faults)


def _faults(error: ValidationError, document: Document) -> dict[Path, ErrorDetails]:
    """Each wrong place once, without the names of alternatives that pydantic appends to a place."""
    found: dict[Path, ErrorDetails] = {}
    for detail in error.errors(include_url=False):
        path: Path = tuple(part for part in detail["loc"] if part not in (ONE_OWNER, OWNERS_BY_DATE))
        missing = detail["type"] == "missing"
        around = path[:-1] if missing else path
        while around and around not in document.lines:
            around = around[:-1]
        found.setdefault((*around, path[-1]) if missing else around, detail)
    return found


def _sentence(shape: type[Shape], path: Path, detail: ErrorDetails) -> str:
    place = _place(path)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        keys = _keys(shape, path[:-1])
        where = f"`{_dotted(path[:-1])}`" if path[:-1] else "this file"
        guess = did_you_mean(str(path[-1]), keys)
        return f"`{path[-1]}` is not a key of {where}: remove it or use one of {listed(keys)}.{guess}"
    if kind == "missing":
        return f"`{path[-1]}` is missing{_inside(path)}: add it."
    if kind == "value_error":
        return f"{place} {context['error']}."
    return f"{place} {_SAID.get(kind, _other)(detail['input'], detail)}."


def _pattern(value: Any, detail: ErrorDetails) -> str:
    return f"is {_shown(value)}: write {HINTS.get(detail['ctx']['pattern'], 'it as the schema says')}"


def _literal(value: Any, detail: ErrorDetails) -> str:
    words = str(detail["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
    return f"is {_shown(value)}: write {listed(words)}"


def _other(value: Any, detail: ErrorDetails) -> str:
    return f"is {_shown(value)}, which cannot stand here ({detail['msg']}): correct it"


_SAID: dict[str, Callable[[Any, ErrorDetails], str]] = {
    "string_pattern_mismatch": _pattern,
    "literal_error": _literal,
    "string_type": lambda value, _: f"is {_shown(value)} and must be text: {_text_advice(value)}",
    "string_too_long": lambda value, d: f"is {len(value)} characters long: shorten it to at most {d['ctx']['max_length']}",
    "string_too_short": lambda value, _: "is empty: write something, or leave the key out",
    "int_type": lambda value, _: f"is {_shown(value)}: write a whole number without quotes",
    "bool_type": lambda value, _: f"is {_shown(value)}: write `true` or `false`",
    "list_type": lambda value, _: f"is {_shown(value)}: write a list, like `[a, b]`",
    "dict_type": lambda value, _: f"is {_shown(value)}: write keys and values below it",
    "model_type": lambda value, _: f"is {_shown(value)}: write keys and values below it",
    "greater_than_equal": lambda value, d: f"is {value}: write a number of at least {d['ctx']['ge']}",
    "less_than_equal": lambda value, d: f"is {value}: write a number of at most {d['ctx']['le']}",
    "too_short": lambda value, d: (
        "is empty: name at least one, or leave the key out"
        if not value
        else f"has {len(value)} of at least {d['ctx']['min_length']}: add what is missing"
    ),
    "too_long": lambda value, d: f"has {d['ctx']['actual_length']} items: keep at most {d['ctx']['max_length']}",
}


def _text_advice(value: Any) -> str:
    if isinstance(value, list | dict):
        return "write one text"
    return "put it in quotes" if isinstance(value, bool) else "put it in quotes (a duration has a unit, like `45m`)"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a block of keys"
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text if len(text) <= 120 else f"{text[:117]}…"


def _place(path: Path) -> str:
    return f"`{_dotted(path)}`" if path else "This file"


def _inside(path: Path) -> str:
    return f" in `{_dotted(path[:-1])}`" if path[:-1] else ""


def _keys(shape: type[BaseModel], path: Path) -> list[str]:
    """The keys that the shape allows at `path`."""
    here: type[BaseModel] | None = shape
    is_id = False
    for part in path:
        if is_id:  # the id of a thing in a section, or a place in a list
            is_id = False
            continue
        fields = _fields(here)
        if part not in fields:
            return []
        is_id = _holds_many(fields[str(part)])
        here = next(_models(fields[str(part)]), None)
    return list(_fields(here))


def _fields(shape: type[BaseModel] | None) -> dict[str, Any]:
    fields = shape.model_fields if shape is not None else {}
    return {field.alias or name: field.annotation for name, field in fields.items()}


def _holds_many(annotation: Any) -> bool:
    return get_origin(annotation) in (dict, list) or any(_holds_many(part) for part in get_args(annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models inside an annotation such as `list[Model] | None` or `dict[Id, Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
