"""Signed notes and checkpoints, as text and bytes; the cryptography is given (`bot.decision_log.keys`).

A note is a text that ends with a newline, an empty line, and a line for each signature: an em dash, the key's name, and
base64 of key id ‖ signature. What is signed is the text alone. A key's id is the first four bytes of
SHA-256(name ‖ newline ‖ type ‖ public key), the type of Ed25519 is 1. A signature by an unknown key is ignored; one
by a known key that does not hold spoils the note.
A checkpoint is a note whose text is origin, size and base64 root, a line each; a verifier ignores further lines.
Sources: C2SP signed-note and tlog-checkpoint.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain.errors import NoteError
from bot.domain.policy.handed_in import trimmed

ED25519 = b"\x01"
Sign = Callable[[bytes], bytes]  # message to 64 bytes of signature
Check = Callable[[bytes, bytes, bytes], bool]  # public key, message, signature
_NAME = re.compile(r"[^\s+]+")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE = re.compile(r"0|[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """`public` is the raw Ed25519 key of 32 bytes; `str` is the C2SP form `name+id+base64`."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(ED25519 + self.public)}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note: who claims to have signed, and with which key."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"— {self.name} {_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """`text` ends with a newline; `str` is the whole note."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`root` over the first `size` entries of the log named `origin`; `text` is what is signed."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


def read_vkey(line: str) -> VerifierKey:
    """A verifier key from its C2SP form. Raises NoteError."""
    parts = line.strip().split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise NoteError("A verifier key reads name+id+base64.")
    name, key_id, encoded = parts
    try:
        material = _bytes(encoded)
    except NoteError:
        raise NoteError(
            "A verifier key reads name+id+base64, without quotation marks or anything else beside it."
        ) from None
    if material[:1] != ED25519 or len(material) != 33:
        raise NoteError("Only Ed25519 verifier keys (type 1) are known.")
    key = VerifierKey(name, material[1:])
    if key.id.hex() != key_id:
        raise NoteError(f"The verifier key's id is {key.id.hex()}, not {key_id}: a part of it was changed.")
    return key


def read_vkeys(text: str) -> tuple[VerifierKey, ...]:
    """Verifier keys as somebody saved them, one a line, without the unseen signs of a copy. Raises NoteError, also where there is none."""
    found = tuple(read_vkey(line) for line in map(trimmed, text.splitlines()) if line)
    if not found:
        raise NoteError("There is no verifier key in it: put the line of `countersign log vkey` there.")
    return found


def sign(text: str, signers: Sequence[tuple[VerifierKey, Sign]]) -> SignedNote:
    """The text signed by each signer, in order. Raises NoteError for a text that is none."""
    if not text.endswith("\n") or any(ord(char) < 0x20 and char != "\n" for char in text):
        raise NoteError("A note's text ends with a newline and holds no other control characters.")
    return SignedNote(text, tuple(Signature(key.name, key.id, made(text.encode())) for key, made in signers))


def read_note(whole: str) -> SignedNote:
    """Takes a note apart without judging its signatures. Raises NoteError."""
    text, gap, tail = whole.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise NoteError("A note ends with an empty line and its signatures.")
    return SignedNote(text + "\n", tuple(_signature(line) for line in tail.removesuffix("\n").split("\n")))


def signed_by(note: SignedNote, known: Sequence[VerifierKey], check: Check) -> tuple[VerifierKey, ...]:
    """Which of the known keys signed, each once. Raises NoteError where none did, or one's signature does not hold."""
    found: list[VerifierKey] = []
    for signature in note.signatures:
        key = next((k for k in known if (k.name, k.id) == (signature.name, signature.key_id)), None)
        if key is None or key in found:
            continue
        if not check(key.public, note.text.encode(), signature.value):
            raise NoteError(f"The signature of {key.name} ({key.id.hex()}) does not hold.")
        found.append(key)
    if not found:
        raise NoteError("No known key signed this note.")
    return tuple(found)


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text. Raises NoteError."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise NoteError("A checkpoint has three lines: origin, size and root.")
    root = _bytes(lines[2])
    if len(root) != 32:
        raise NoteError("A checkpoint's root has 32 bytes.")
    return Checkpoint(lines[0], int(lines[1]), root)


def open_checkpoint(whole: str, known: Sequence[VerifierKey], check: Check) -> Checkpoint:
    """A checkpoint whose note a known key *of its origin's name* signed. Raises NoteError."""
    note = read_note(whole)
    checkpoint = read_checkpoint(note.text)
    signed_by(note, [key for key in known if key.name == checkpoint.origin], check)
    return checkpoint


def _signature(line: str) -> Signature:
    match = _SIGNATURE.fullmatch(line)
    if match is None:
        raise NoteError("A signature line reads: em dash, name, base64.")
    value = _bytes(match[2])
    if len(value) < 5:
        raise NoteError("A signature begins with the four bytes of its key's id.")
    return Signature(match[1], value[:4], value[4:])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("A note holds something that is not base64.") from None
    if _base64(data) != text:
        raise NoteError("A note holds base64 that is not in its one true form.")
    return data
