"""Reads an entry's bytes back several times as fast as `bot.domain.decision_log.entry_reader`, with the same verdict.

msgspec decodes the bytes into text, integers that a double holds, booleans, lists and objects with text keys, and nothing else; if
the same value encoded again, with sorted keys, gives the same bytes, and every key is ASCII, they are its RFC 8785 form. Where that
cheap test fails (a float, a null, a long number, a deep nesting, another order, anything invalid) `parsed` is the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Annotated, Any

import msgspec

from bot.domain.decision_log.entry import MAX_BYTES
from bot.domain.decision_log.entry_reader import parsed

DEPTH = 6  # levels of lists and objects that the cheap test knows
SMALL = Annotated[int, msgspec.Meta(gt=-(2**53), lt=2**53)]


def nested(depth: int) -> Any:
    """The type of a value that is nested at most so deep."""
    plain: Any = str | SMALL | bool
    if not depth:
        return plain
    inner = nested(depth - 1)
    return plain | GenericAlias(list, (inner,)) | GenericAlias(dict, (str, inner))


_decode: Callable[[bytes], dict[str, object]] = msgspec.json.Decoder(GenericAlias(dict, (str, nested(DEPTH)))).decode
_encode = msgspec.json.Encoder(order="sorted").encode


def decoded(data: bytes) -> tuple[Mapping[str, object] | None, str]:
    """The same as `parsed`: the entry (None if it is none) and what is wrong with its form ("" if nothing)."""
    try:
        entry = _decode(data)
        if _encode(entry) == data and len(data) <= MAX_BYTES and (data.isascii() or ascii_keys(entry)):
            return entry, ""
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        pass
    return parsed(data)


def entry_of(data: bytes) -> Mapping[str, object] | None:
    """The entry alone, whatever its form; None if the bytes are none. For bytes whose form somebody else judges."""
    try:
        if len(data) <= MAX_BYTES:
            return _decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        pass
    return parsed(data)[0]


def ascii_keys(value: object) -> bool:
    """Whether every key within is ASCII."""
    if isinstance(value, dict):
        return all(key.isascii() and ascii_keys(item) for key, item in value.items())
    return all(map(ascii_keys, value)) if isinstance(value, list) else True
