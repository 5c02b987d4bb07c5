"""The emergency file: what took access away while the log was stopped (rule 4), STATE_DIR/emergency.jsonl.

A line is one act, signed with the log's key, and on the disk before any answer about it is sent. Blank space is kept at the file's end,
so that a full disk does not stop a no; if even that fails the line is held in memory, and the write is retried
until the disk takes it. Lines are entered into the log in their order,
and blanked when it has them. Bot and command line write under the file's lock, always in place, so that neither loses the
other's. A line without a valid signature is ignored and reported: anybody may have written it. A flood of forged lines costs
the judging of a few: from both ends of the file, where our own lines are; who could write between them could erase them too.
"""

from __future__ import annotations

import base64
import binascii
import errno
import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import rfc8785
import structlog

from bot.decision_log.emergency_json import from_plain, to_plain
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.errors import EntryError
from bot.domain.failsafe.revocation import Revocation, apply_to

FILE, ROOM = "emergency.jsonl", 256 * 1024  # bytes of blank room
MOST_FORGED, MOST_SAID = (
    500,
    5,
)  # forged lines that are judged from each end; bad lines of a reading that the process log tells
_SAYS = b"countersign emergency line v1\n"  # before what is signed, so that it can never be taken for a note
Sign = Callable[[bytes], bytes]
Check = Callable[[bytes, bytes], bool]  # message, signature
_FORGED = "its signature is not the log key's"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str
    line: Revocation


class EmergencyFile:
    """The lines of one STATE_DIR. `sign` makes a signature of the log's key, `check` judges one by any of its keys."""

    def __init__(self, state_dir: Path, sign: Sign, check: Check) -> None:
        self._path, self._sign, self._check = state_dir / FILE, sign, check
        self._read_at: tuple[int, ...] | None = None
        self._lines: list[_Kept] = []
        self._unwritten: list[_Kept] = []
        self.bad = 0  # lines without a good signature

    def make_room(self) -> None:
        """Keeps blank room in the file for the day the disk is full. A disk that refuses now changes nothing."""
        try:
            with _opened(self._path) as (handle, text):
                if len(text) < ROOM:
                    _put(handle, len(text), b"\n" * (ROOM - len(text)))
        except OSError as error:
            log.warning("emergency.no_room", error=error.strerror)

    def keep(self, line: Revocation) -> bool:
        """Whether the line is on the disk on return; else it is held in memory. Raises EntryError."""
        kept = _Kept(self.text_of(line), line)
        if self._written(kept):
            return True
        self._unwritten.append(kept)
        log.critical("emergency.not_written", request=line.act.after.id if line.act.after else None)
        return False

    def lines(self) -> Sequence[Revocation]:
        """Every act that the log does not have yet, in order."""
        self._look()
        return [kept.line for kept in (*self._lines, *self._unwritten)]

    def over(self, case: Case) -> Case:
        """The case with the file's lines applied."""
        for line in self.lines():
            case = apply_to(case, line)
        return case

    def refresh(self) -> None:
        """Reads the file again, also lines of other processes, and retries to write lines held only in memory."""
        self._read_at = None
        while self._unwritten and self._written(self._unwritten[0]):
            self._unwritten.pop(0)

    def forget(self, line: Revocation) -> None:
        """The log has the line: it is blanked. Raises OSError, and then the line may remain; entering it again is harmless."""
        self._look()
        self._unwritten = [kept for kept in self._unwritten if kept.line != line]
        with _opened(self._path) as (handle, text):
            for kept in (kept for kept in self._lines if kept.line == line):
                at = text.find(kept.text.encode())
                if at >= 0:
                    _put(handle, at, b" " * len(kept.text.encode()))
        self._read_at = None

    def text_of(self, line: Revocation) -> str:
        """A line as the file holds it, with its signature. Raises EntryError."""
        body = {"act": to_plain(line.act), "version": line.version, "at": to_plain(line.at)}
        signature = self._sign(_SAYS + rfc8785.dumps(body))  # type: ignore[arg-type]  # its own alias of JSON
        return json.dumps(body | {"sig": base64.b64encode(signature).decode()}, separators=(",", ":"))

    def _written(self, kept: _Kept) -> bool:
        try:
            with _opened(self._path) as (handle, text):
                _put(handle, len(text.rstrip()), b"\n" + kept.text.encode() + b"\n")
        except OSError:
            return False
        self._read_at = None
        return True

    def _look(self) -> None:
        """Reads the file where somebody changed it."""
        now = _stamp(self._path)
        if now == self._read_at:
            return
        try:
            texts = [text for text in _read(self._path).decode(errors="replace").split("\n") if text.strip()]
        except OSError as error:
            log.error("emergency.not_read", error=error.strerror)
            return
        judged = self._judged(texts)
        self._lines = [_Kept(text, line) for text, line in zip(texts, judged, strict=True) if isinstance(line, Revocation)]
        self.bad, self._read_at = len(texts) - len(self._lines), now
        for why in [line for line in judged if isinstance(line, str)][:MOST_SAID]:
            log.error("emergency.bad_line", error=why)
        if self.bad > MOST_SAID:
            log.error("emergency.bad_line", error=f"{self.bad - MOST_SAID} more lines are not signed with the log's key")

    def read(self, text: str) -> Revocation | None:
        """The act of a line that another replica handed in; None without a good signature."""
        found = self._judge(text)
        if isinstance(found, Revocation):
            return found
        log.error("emergency.bad_line", error=found)
        return None

    def _judged(self, texts: Sequence[str]) -> list[Revocation | str]:
        """Each line's act, or why it has none."""
        found: list[Revocation | str] = ["it stands between too many forged lines"] * len(texts)
        for numbers in (range(len(texts)), range(len(texts) - 1, -1, -1)):
            forged = 0
            for number in numbers:
                found[number] = self._judge(texts[number])
                forged += found[number] == _FORGED
                if forged == MOST_FORGED:
                    break
            else:
                break
        return found

    def _judge(self, text: str) -> Revocation | str:
        try:
            body = json.loads(text)
            signature = base64.b64decode(body.pop("sig"), validate=True)
            return _taken(body) if self._check(_SAYS + rfc8785.dumps(body), signature) else _FORGED
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error, EntryError) as error:
            return str(error)


def waiting_lines(state_dir: Path) -> int:
    """How many lines wait in the file, by whomever signed."""
    try:
        return sum(1 for text in _read(state_dir / FILE).split(b"\n") if text.strip())
    except OSError:
        return 0


def _taken(body: Mapping[str, object]) -> Revocation:
    act, version, at = from_plain(body["act"]), body["version"], from_plain(body["at"])
    if not (isinstance(act, Transition) and isinstance(version, int) and isinstance(at, datetime)):
        raise EntryError("A line of the emergency file has another form.")
    return Revocation(act, version, at)


def _read(path: Path) -> bytes:
    """The file's bytes without its blank room, which would be a quarter of a million empty lines at each look; none where there is
    no file. Raises OSError; a pipe or a device in its place is never waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "no plain file")
        return file.read().strip(b"\n")


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_mtime_ns, found.st_size)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int, bytes]]:
    """The file under its lock, created if missing, and its contents."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle, os.pread(handle, os.fstat(handle).st_size, 0)
    finally:
        os.close(handle)


def _put(handle: int, at: int, data: bytes) -> None:
    """Writes in place, to the disk: room that the file has already needs none of the disk's."""
    while data:
        written = os.pwrite(handle, data, at)
        at, data = at + written, data[written:]
    os.fsync(handle)
