"""Reads many entries at once, for a check of all of them: each with the keys that the check judges, and only if it is in its one form.

As in `entry_decoder`, what msgspec decodes and writes again as the same bytes is in its RFC 8785 form. Here the shape of an entry is known, so its
keys need no sorting, and a block of entries is read and written in one call each: the bytes of entries in that form have no line feed, so
that equal lines are equal entries. A block in which anything is unusual is read entry by entry, where `entry_decoder` is the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import GenericAlias
from typing import Any

import msgspec

from bot.decision_log.entry_decoder import DEPTH, SMALL, ascii_keys, decoded, nested
from bot.domain.decision_log.entry import MAX_BYTES
from bot.domain.decision_log.verify.segment import Head

_Text = str | None
_DATA: Any = GenericAlias(dict, (str, nested(DEPTH - 1))) | None
_SHAPE: dict[str, Any] = {"forbid_unknown_fields": True, "omit_defaults": True, "gc": False}
_Actor = msgspec.defstruct("_Actor", [("kind", str), ("party", _Text, None), ("ref", _Text, None)], **_SHAPE)
_Named = msgspec.defstruct("_Named", [("id", str), ("sha256", str)], **_SHAPE)
_FIELDS: list[Any] = [  # in the order of the keys
    ("sd", list[str] | None, None), ("sd_alg", _Text, None), ("actor", _Actor | None, None), ("case", _Text, None),
    ("case_prev", _Text, None), ("case_seq", SMALL | None, None), ("data", _DATA, None), ("i", SMALL), ("log", str),
    ("on_behalf_of", _Text, None), ("policy", _Named | None, None), ("runbook", _Named | None, None), ("ts", str), ("type", str),
    ("v", str),
]  # fmt: skip
_RENAMED = {"sd": "_sd", "sd_alg": "_sd_alg"}
_JUDGED = (*_RENAMED.values(), "case", "case_prev", "case_seq", "i", "log", "ts", "type", "v")
_Head: Any = msgspec.defstruct("_Head", _FIELDS, kw_only=True, rename=_RENAMED, **_SHAPE)
_read: Callable[[bytes], list[Head]] = msgspec.json.Decoder(_Head).decode_lines
_write: Callable[[Iterable[Head]], bytes] = msgspec.json.Encoder(order="deterministic").encode_lines


def heads(block: list[bytes]) -> list[Head] | None:
    """The entries whose bytes these are; None where the bytes of one are no entry in its RFC 8785 form, or the check cannot judge it."""
    lines = b"\n".join(block) + b"\n"
    try:
        found = _read(lines)
        if (
            len(found) == len(block)
            and _write(found) == lines
            and max(map(len, block)) <= MAX_BYTES
            and (lines.isascii() or all(ascii_keys(head.data) for head in found))
        ):
            return found
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        pass
    return _singly(block)


def _singly(block: Iterable[bytes]) -> list[Head] | None:
    found: list[Head] = []
    for entry, fault in map(decoded, block):
        data = entry.get("data") if entry is not None else None
        if entry is None or fault or not isinstance(data, dict | None):
            return None
        try:
            found.append(msgspec.convert({key: entry[key] for key in _JUDGED if key in entry}, _Head))
        except msgspec.ValidationError:
            return None
        found[-1].data = data  # of any depth
    return found
