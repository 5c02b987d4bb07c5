"""The only source of time and ids. Everything else takes them as arguments."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Protocol

from bot.domain.failsafe.clock_jump import Mark, Reading, begin, look

_TOGETHER = 1.0  # seconds
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Clock(Protocol):
    """Time and ids, as the program sees them."""

    def now(self) -> datetime:
        """Aware UTC, whole milliseconds."""

    def monotonic(self) -> float:
        """Seconds that never go back, counted through suspend where the system can; only differences mean anything."""

    def jumped(self) -> timedelta | None:
        """How far the wall clock jumped, until an operator accepts it; None while it can be trusted (rule 12)."""

    def request_id(self) -> str:
        """`R-` and eight characters of Crockford base 32, fresh."""

    def salt(self) -> bytes:
        """16 random bytes."""


class SystemClock:
    """The machine's clock and its source of randomness."""

    def now(self) -> datetime:
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def jumped(self) -> timedelta | None:
        return None  # one clock alone cannot be checked: see SteadyClock

    def request_id(self) -> str:
        return "R-" + "".join(secrets.choice(_CROCKFORD) for _ in range(8))

    def salt(self) -> bytes:
        return secrets.token_bytes(16)


class SteadyClock:
    """The clock of a running bot: the wall clock, compared with the monotonic clock at each reading.

    Its time never goes back, on any thread, except in `accept`. Before `resume` loads the stored mark it knows only its own
    start.
    """

    def __init__(self, inner: Clock, boot: str) -> None:
        self._inner, self._boot = inner, boot
        self._lock = Lock()
        self._mark = begin(self._reading())
        self._lean = timedelta(0)
        self._said = self._mark.high

    @property
    def mark(self) -> Mark:
        """How far time has come, as of the last look."""
        return self._mark

    @property
    def wall(self) -> Clock:
        """The wall clock as it is, for comparison with other machines' clocks."""
        return self._inner

    def now(self) -> datetime:
        with self._lock:
            self._mark = look(self._mark, self._reading())
            self._said = max(self._said, self._mark.high + self._lean)
            return self._said

    def lean(self, ahead: timedelta) -> None:
        """From now on deadlines are judged by the database's clock, which is `ahead` of this machine's."""
        with self._lock:
            self._lean = ahead // timedelta(milliseconds=1) * timedelta(milliseconds=1)

    def jumped(self) -> timedelta | None:
        self.now()
        return self._mark.jump

    def resume(self, mark: Mark) -> None:
        """Continues from the mark that the previous process stored."""
        with self._lock:
            self._mark = look(mark, self._reading())

    def accept(self) -> Mark:
        """Accepts the wall clock as it is, even if it is behind: an operator confirmed it."""
        with self._lock:
            self._mark = begin(self._reading())
            self._said = self._mark.high + self._lean
            return self._mark

    def monotonic(self) -> float:
        return self._inner.monotonic()

    def request_id(self) -> str:
        return self._inner.request_id()

    def salt(self) -> bytes:
        return self._inner.salt()

    def _reading(self) -> Reading:
        """Both clocks, read so close together that neither a suspend nor load separates the readings."""
        while True:
            before = self._inner.monotonic()
            wall = self._inner.now()
            after = self._inner.monotonic()
            if after - before < _TOGETHER:
                return Reading(wall, timedelta(milliseconds=round(after * 1000)), self._boot)


def boot_id() -> str:
    """An id of this boot of the machine; where the system has none, one for each process."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return secrets.token_hex(16)


def read_request_id(text: str) -> str | None:
    """Reads an id leniently (case, missing `R` or `R-`, O for 0, I and L for 1, stray dashes); None if it is none."""
    plain = text.strip().upper().replace(" ", "")
    plain = plain.removeprefix("R-").replace("-", "")
    plain = plain[1:] if len(plain) == 9 and plain[0] == "R" else plain
    plain = plain.translate(str.maketrans("OIL", "011"))
    if len(plain) != 8 or any(c not in _CROCKFORD for c in plain):
        return None
    return "R-" + plain
