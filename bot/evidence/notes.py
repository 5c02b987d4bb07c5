"""Reads C2SP signed notes and verifier keys, and checks Ed25519 signatures on them.

A checkpoint's text is three lines or more: origin, size, base64 root. Behind an empty line stand signatures, each with the
name of its key and base64 of the key's id (the first four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ key)) and the signature.
One good signature by one of the given keys, under the checkpoint's own origin, is enough; others are passed over.
Source: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.domain.errors import SettingsError

_SIGNATURE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+=*)")
_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)")
Keys: TypeAlias = dict[tuple[str, bytes], Ed25519PublicKey]
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint: `body` is the signed text; signatures are (key name, key id, signature)."""

    origin: str
    size: int
    root: bytes
    body: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


def read_note(text: str) -> Note | None:
    """The checkpoint in a text; None where it is none."""
    head, gap, tail = text.rpartition("\n\n")
    lines, signed = head.split("\n"), tail.removesuffix("\n").split("\n")
    found = [_SIGNATURE.fullmatch(line) for line in signed]
    if not (gap and tail.endswith("\n") and len(lines) >= 3 and lines[0] and _SIZE.fullmatch(lines[1])) or None in found:
        return None
    root = _decoded(lines[2])
    told = [(match[1], _decoded(match[2]) or b"") for match in found if match]
    if root is None or len(root) != 32 or any(len(data) < 5 for _, data in told):
        return None
    return Note(lines[0], int(lines[1]), root, head + "\n", tuple((name, data[:4], data[4:]) for name, data in told))


def read_keys(vkeys: str) -> Keys:
    """Verifier keys by (name, id), one a line. Raises SettingsError for a line that is none."""
    found = [_key(line.strip()) for line in vkeys.split("\n") if line.strip()]
    return {(name, key_id): key for name, key_id, key in found}


def signed_by(note: Note, keys: Keys) -> bool:
    """Whether one of the keys, named after the checkpoint's origin, signed it."""
    for name, key_id, signature in note.signatures:
        key = keys.get((name, key_id))
        if key is None or name != note.origin:
            continue
        try:
            key.verify(signature, note.body.encode())
        except InvalidSignature:
            return False
        return True
    return False


def _key(line: str) -> tuple[str, bytes, Ed25519PublicKey]:
    found = _KEY.fullmatch(line)
    data = _decoded(found[3]) if found else None
    if found is None or data is None or len(data) != 33 or data[0] != 1:
        raise SettingsError(f"{line!r} is no Ed25519 verifier key; it reads name+id+base64.")
    key_id = hashlib.sha256(found[1].encode() + b"\n" + data).digest()[:4]
    if key_id.hex() != found[2]:
        raise SettingsError(f"The verifier key {line!r} does not have the id that it names.")
    return found[1], key_id, Ed25519PublicKey.from_public_bytes(data[1:])


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
