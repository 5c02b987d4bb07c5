"""The signed notes of a database's checkpoints, each verified: its format, its signature, and that it is stored under its own size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.decision_log.keys import verify
from bot.domain.decision_log.signed_note import VerifierKey
from bot.domain.decision_log.verify.checkpoints import Kept, audited
from bot.domain.decision_log.verify.log import LogFinding
from storage.session import Row


def note_findings(rows: Iterable[Row], keys: Sequence[VerifierKey], origin: str) -> Iterator[LogFinding]:
    """The findings against rows of `log_checkpoint`. The key of an earlier epoch may be lost: only a holder of it can check."""
    named = {origin, *(key.name for key in keys)}
    kept = (
        Kept(f"The stored checkpoint of size {row['size']}", str(row["note"]), row["size"], row["root"])
        for row in rows
        if str(row["note"]).partition("\n")[0] in named or not _of_the_log(str(row["note"]), origin)
    )
    yield from audited(kept, keys, verify, {})


def _of_the_log(note: str, origin: str) -> bool:
    """Whether a note names an epoch of the log."""
    name = note.partition("\n")[0]
    base = re.compile(r"\.\d+$").sub("", origin)
    return re.fullmatch(re.escape(base) + r"(\.\d+)?", name) is not None
