"""The statement that a person signs: what exactly they decide, as bytes.

A statement is one JSON object in RFC 8785 form; the SHA-256 of its bytes is the WebAuthn challenge. `type` separates what is
signed, so that a signature for one purpose never counts for another. A statement belongs to one person, is used once (`nonce`)
and lives for five minutes of real time, independent of TIME_SCALE.
Source: signed-decisions.md, "The statement".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import rfc8785

from bot.domain.errors import EntryError

StatementType = Literal["decision", "policy", "session", "enrol", "test", "confirm"]
TYPES: tuple[StatementType, ...] = ("decision", "policy", "session", "enrol", "test", "confirm")
LIFETIME = timedelta(minutes=5)
MAX_BYTES = 8_192
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_OWN_KEYS = frozenset({"v", "type", "log", "rp", "signer", "nonce", "not_after"})


@dataclass(frozen=True, slots=True)
class Statement:
    """What one person signs once.

    `log` is the log's origin, `rp` the relying party's id, `signer` the person's pseudonym (empty where the passkey itself
    names the person: `session`), `nonce` an unpadded base64url value of 128 bits. `about` holds what `type` adds; for a
    decision: case, asked, version, verdict, seconds or until, need, role, seen, shown, policy, runbook.
    """

    type: StatementType
    log: str
    rp: str
    signer: str
    nonce: str
    not_after: datetime
    about: Mapping[str, str | int]

    def to_bytes(self) -> bytes:
        """The exact bytes that are signed. Raises EntryError for a value that has no place in them."""
        own: dict[str, str | int] = {
            "v": "1", "type": self.type, "log": self.log, "rp": self.rp, "signer": self.signer, "nonce": self.nonce,
            "not_after": _stamp(self.not_after),
        }  # fmt: skip
        if taken := _OWN_KEYS & self.about.keys():
            raise EntryError(f"A statement says {', '.join(sorted(taken))} once.")
        try:
            data = rfc8785.dumps({**own, **self.about})
        except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
            raise EntryError(f"The statement has no canonical form: {error}.") from None
        if len(data) > MAX_BYTES:
            raise EntryError(f"A statement has at most {MAX_BYTES} bytes.")
        return data

    @property
    def challenge(self) -> bytes:
        """The 32 bytes that the passkey signs over."""
        return challenge(self.to_bytes())


def challenge(data: bytes) -> bytes:
    """SHA-256 of a statement's bytes."""
    return hashlib.sha256(data).digest()


def read_statement(data: bytes) -> Statement:
    """The statement in these bytes. Raises EntryError unless they are exactly what `to_bytes` writes."""
    if len(data) > MAX_BYTES:
        raise EntryError(f"A statement has at most {MAX_BYTES} bytes.")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise EntryError("The statement is not JSON.") from None
    if not isinstance(found, dict) or not found.keys() >= _OWN_KEYS or found["v"] != "1" or found["type"] not in TYPES:
        raise EntryError("The statement does not have the form of a statement, version 1.")
    if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in found.values()):
        raise EntryError("A statement holds texts and whole numbers only.")
    if not all(isinstance(found[key], str) for key in _OWN_KEYS) or not _STAMP.fullmatch(found["not_after"]):
        raise EntryError("The statement does not have the form of a statement, version 1.")
    about = {key: value for key, value in found.items() if key not in _OWN_KEYS}
    statement = Statement(
        found["type"], found["log"], found["rp"], found["signer"], found["nonce"], _read_stamp(found["not_after"]), about
    )
    if statement.to_bytes() != data:
        raise EntryError("The statement is not in its canonical form (RFC 8785).")
    return statement


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_stamp(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise EntryError(f"{text!r} is not a time.") from None
