"""Values of the domain as plain JSON and back: what must survive without a database.

A dataclass is an object with its class under `~` and the fields that differ from their defaults; times and enumerations say
what they are as well. Lists come back as tuples. Only classes of the modules below are read: a line of a file can make
nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from types import ModuleType
from typing import Any

from bot.domain.case import lifecycle, model, operator_action, transition
from bot.domain.errors import EntryError
from bot.domain.policy import people

_KIND = "~"
_MODULES: tuple[ModuleType, ...] = (lifecycle, people, model, operator_action, transition)
_CLASSES: Mapping[str, type[Any]] = {
    name: found
    for module in _MODULES
    for name, found in vars(module).items()
    if isinstance(found, type) and found.__module__ == module.__name__ and (is_dataclass(found) or issubclass(found, Enum))
}


def to_plain(value: object) -> object:
    """JSON for a value of the domain. Raises EntryError for one that has none."""
    if isinstance(value, Enum):
        return {_KIND: type(value).__name__, "v": value.value}
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return {_KIND: "at", "v": value.isoformat()}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if is_dataclass(value) and type(value).__name__ in _CLASSES:
        told = ((field, getattr(value, field.name)) for field in fields(value))
        shown = {field.name: to_plain(part) for field, part in told if part != _default(field)}
        return {_KIND: type(value).__name__, **shown}
    raise EntryError(f"The emergency file holds no {type(value).__name__}.")


def from_plain(value: object) -> Any:
    """The value again. Raises EntryError for what no program of ours wrote."""
    if isinstance(value, list):
        return tuple(from_plain(item) for item in value)
    if not isinstance(value, dict):
        return value
    kind = value.get(_KIND)
    told = {key: from_plain(item) for key, item in value.items() if key != _KIND}
    if kind is None:
        return told
    try:
        if kind == "at":
            return datetime.fromisoformat(told["v"])
        known = _CLASSES[kind]
        return known(told["v"]) if issubclass(known, Enum) else known(**told)
    except (KeyError, TypeError, ValueError) as error:
        raise EntryError(f"The emergency file holds something unknown ({kind}): {error}.") from None


def _default(field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default
