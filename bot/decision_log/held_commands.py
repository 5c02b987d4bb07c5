"""Commands that were acknowledged while the database takes nothing: STATE_DIR/held.jsonl.

A line is one command, signed with the log's key as a line of the emergency file is, and on the disk before the acknowledgement leaves.
So a process that is killed before the database is back loses none of them. A disk that refuses the line too leaves it in memory.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from bot.decision_log.emergency_file import Check, Sign
from bot.domain.errors import EntryError
from bot.ports.commands import COMMAND
from bot.ports.records import InboxRow

FILE = "held.jsonl"
_SAYS = b"countersign held command v1\n"  # before what is signed, so that it can never be taken for another line
log = structlog.get_logger(__name__)


class HeldCommands:
    """The lines of one STATE_DIR, whose one process reads them at its start. Methods do not wait for anybody else."""

    def __init__(self, state_dir: Path, sign: Sign, check: Check) -> None:
        self._path, self._sign, self._check = state_dir / FILE, sign, check
        self._texts: dict[str, str] = {}  # by key

    def read(self) -> Sequence[InboxRow]:
        """What an earlier process has left, with ids from -1 down. A line without a good signature counts for nothing."""
        try:
            texts = self._path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            log.error("held.not_read", error=type(error).__name__)
            return ()
        rows = [row for row in map(self._row, texts) if row is not None]
        return [InboxRow(-n, row.key, row.act, row.answer, row.received_at) for n, row in enumerate(rows, 1)]

    def keep(self, row: InboxRow) -> None:
        """Writes a line; on return it is on the disk, or in memory only where the disk refuses. Raises EntryError."""
        self._texts[row.key] = self._text(row)
        try:
            with open(os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a", encoding="utf-8") as file:
                file.write(self._texts[row.key] + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            log.critical("held.not_written", error=error.strerror)

    def forget(self, key: str) -> None:
        """A command is stored or carried out. If the disk refuses, the line stays: carrying it out again changes nothing."""
        if self._texts.pop(key, None) is None:
            return
        draft = self._path.with_suffix(".new")
        try:
            with open(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                file.writelines(text + "\n" for text in self._texts.values())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as error:
            log.error("held.not_forgotten", error=error.strerror)

    def _text(self, row: InboxRow) -> str:
        try:
            body = {
                "key": row.key, "act": COMMAND.dump_python(row.act, mode="json"), "answer": dict(row.answer),
                "at": row.received_at.isoformat(),
            }  # fmt: skip
            said = json.dumps(body, separators=(",", ":"), sort_keys=True)
            return f"{base64.b64encode(self._sign(_SAYS + said.encode())).decode()} {said}"
        except (PydanticSerializationError, UnicodeEncodeError) as error:
            raise EntryError("A text holds half a character (a lone surrogate); type it again.") from error

    def _row(self, text: str) -> InboxRow | None:
        try:
            signature, said = text.split(" ", 1)
            if not self._check(_SAYS + said.encode(), base64.b64decode(signature, validate=True)):
                raise ValueError("its signature is not the log key's")
            body = json.loads(said)
            act = COMMAND.validate_json(json.dumps(body["act"]))
            row = InboxRow(0, body["key"], act, body["answer"], datetime.fromisoformat(body["at"]).astimezone(UTC))
        except (ValueError, KeyError, TypeError, binascii.Error, ValidationError) as error:
            log.error("held.bad_line", error=str(error).partition("\n")[0])
            return None
        self._texts[row.key] = text
        return row
