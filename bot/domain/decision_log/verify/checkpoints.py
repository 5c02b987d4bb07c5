"""Signed checkpoints, each judged: that it is one, that it is of its place, and that a known key signed it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.domain.decision_log.signed_note import (
    Check,
    Checkpoint,
    SignedNote,
    VerifierKey,
    read_checkpoint,
    read_note,
    signed_by,
)
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import NoteError


@dataclass(frozen=True, slots=True)
class Kept:
    """A note where it is kept: `place` is how a person finds it; `size` and `root` are under which it is stored there."""

    place: str
    note: str
    size: int | None = None
    root: bytes | None = None


def audited(
    notes: Iterable[Kept], keys: Sequence[VerifierKey], check: Check, found: dict[int, Checkpoint]
) -> Iterator[LogFinding]:
    """What is wrong with each; fills `found` by size."""
    for kept in notes:
        try:
            signed = read_note(kept.note)
            checkpoint = read_checkpoint(signed.text)
        except NoteError as error:
            yield LogFinding("checkpoint", None, f"{kept.place} is no checkpoint: {error}")
            continue
        if not signed_for(signed, checkpoint, keys, check):
            yield LogFinding("signature", None, f"{kept.place} carries no good signature of the verifier key.")
        if kept.size not in (None, checkpoint.size):
            yield LogFinding("checkpoint", None, f"{kept.place} is a checkpoint of size {checkpoint.size}.")
        if kept.root not in (None, checkpoint.root):
            yield LogFinding("checkpoint", None, f"{kept.place} holds another root beside its note.")
        known = found.setdefault(checkpoint.size, checkpoint)
        if known.root != checkpoint.root:
            yield LogFinding("checkpoint", None, f"Two checkpoints of size {checkpoint.size} have different roots.")


def signed_for(note: SignedNote, checkpoint: Checkpoint, keys: Sequence[VerifierKey], check: Check) -> bool:
    """Whether a key named after the checkpoint's origin signed: a key of another log is ignored."""
    try:
        return bool(signed_by(note, [key for key in keys if key.name == checkpoint.origin], check))
    except NoteError:
        return False
