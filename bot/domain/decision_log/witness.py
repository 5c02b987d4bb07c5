"""The request to a C2SP witness, and how its cosignature is checked; the cryptography is given (`bot.decision_log.keys`).

A witness remembers the last checkpoint of a log that it saw, and signs only one that extends it: so it cannot be shown a
rewritten log. Its signature line holds a time and an Ed25519 signature over that time and the checkpoint; its key's type is 4.
Sources: C2SP tlog-witness (add-checkpoint) and tlog-cosignature (cosignature/v1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.decision_log.signed_note import Check, Signature, SignedNote, read_note
from bot.domain.errors import NoteError

COSIGNATURE = b"\x04"


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """`public` is the raw Ed25519 key of 32 bytes; `str` is the C2SP form `name+id+base64`."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes."""
        return hashlib.sha256(self.name.encode() + b"\n" + COSIGNATURE + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(COSIGNATURE + self.public).decode()}"


def read_witness_key(line: str) -> WitnessKey:
    """A witness's verifier key from its C2SP form. Raises NoteError."""
    parts = line.strip().split("+", 2)
    try:
        name, key_id, material = parts[0], parts[1], base64.b64decode(parts[2], validate=True)
    except (IndexError, binascii.Error, ValueError):
        raise NoteError("A witness's verifier key reads name+id+base64.") from None
    if not name or material[:1] != COSIGNATURE or len(material) != 33:
        raise NoteError("A witness's verifier key is of Ed25519 cosignatures (type 4).")
    key = WitnessKey(name, material[1:])
    if key.id.hex() != key_id:
        raise NoteError(f"The verifier key's id is {key.id.hex()}, not {key_id}: a part of it was changed.")
    return key


def submission(old: int, path: Sequence[bytes], note: str) -> str:
    """The body of `add-checkpoint`: the size that the witness saw last, the proof that `note` extends it, the note."""
    hashes = "".join(base64.b64encode(node).decode() + "\n" for node in path)
    return f"old {old}\n{hashes}\n{note}"


def signed_message(text: str, seconds: int) -> bytes:
    """What a witness signs: `text` is the checkpoint's without signatures, `seconds` are since 1970."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def cosigned(answer: str, note: str, key: WitnessKey, check: Check) -> tuple[str, int]:
    """The whole note with the witness's line, and its time in seconds since 1970. Raises NoteError where it has none."""
    ours = read_note(note)
    lines = read_note(f"{ours.text}\n{answer}").signatures
    for line in lines:
        if (line.name, line.key_id) == (key.name, key.id):
            seconds = int.from_bytes(line.value[:8], "big")
            if len(line.value) != 72 or not check(key.public, signed_message(ours.text, seconds), line.value[8:]):
                raise NoteError(f"The cosignature of {key.name} does not hold.")
            return str(SignedNote(ours.text, (*ours.signatures, line))), seconds
    raise NoteError(f"The answer holds no cosignature of {key.name}.")


def cosignature(text: str, key: WitnessKey, seconds: int, signature: bytes) -> Signature:
    """A witness's line; `signature` is over `signed_message`."""
    return Signature(key.name, key.id, seconds.to_bytes(8, "big") + signature)
