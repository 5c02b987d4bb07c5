"""The one door for time and for ids. Everything else is given them."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import Protocol

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Clock(Protocol):
    """Time and ids, as the program sees them."""

    def now(self) -> datetime:
        """Aware UTC, whole milliseconds."""

    def monotonic(self) -> float:
        """Seconds that never go back, counted through suspend where the system can; only differences mean anything."""

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

    def request_id(self) -> str:
        return "R-" + "".join(secrets.choice(_CROCKFORD) for _ in range(8))

    def salt(self) -> bytes:
        return secrets.token_bytes(16)


def read_request_id(text: str) -> str | None:
    """Reads an id leniently (case, missing `R` or `R-`, O for 0, I and L for 1, stray dashes); None if it is none."""
    plain = text.strip().upper().replace(" ", "")
    plain = plain.removeprefix("R-").replace("-", "")
    plain = plain[1:] if len(plain) == 9 and plain[0] == "R" else plain
    plain = plain.translate(str.maketrans("OIL", "011"))
    if len(plain) != 8 or any(c not in _CROCKFORD for c in plain):
        return None
    return "R-" + plain
