"""Numbers that look drawn and are always the same for one seed: SHA-256 of seed and counter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's
_IDS, _ODD = 2**40, 0x9E3779B97F | 1  # an odd factor maps the numbers below 2**40 to each other, one to one


@dataclass(slots=True)
class Draws:
    """A sequence of draws. Not for secrets."""

    seed: str
    drawn: int = 0

    def bytes(self) -> bytes:
        """32 bytes."""
        self.drawn += 1
        return sha256(f"{self.seed} {self.drawn}".encode()).digest()

    def below(self, limit: int) -> int:
        """A whole number from 0 to below `limit`."""
        return int.from_bytes(self.bytes()[:8]) % limit

    def one(self, of: Sequence[T]) -> T:
        return of[self.below(len(of))]

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent


def request_id(number: int) -> str:
    """`R-` and eight letters; another one for each number below 2**40."""
    left, letters = number * _ODD % _IDS, ""
    for _ in range(8):
        left, digit = divmod(left, 32)
        letters += _LETTERS[digit]
    return f"R-{letters}"
