"""Caches the first answer to a request, for repeats of the same request.

A byte-identical body gets the first answer, status and bytes, without a second act: while the first is being answered by
waiting for it, afterwards from here. What is kept is bounded in time (longer than a signature is good for), in number and
in bytes; only what Slack signed ever gets here. It lives in memory alone: across a restart the inbox gives the answer of
whatever acted, and a form's complaints are found again by the same rules (rule 3 of the design).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from bot.clock import Clock

KEPT, MOST, BYTES = 660.0, 2048, 8 * 1024 * 1024  # seconds, answers, bytes of them


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. `again`: nothing was done and the client may retry, so it is never cached."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"
    again: bool = False


class ReplayCache:
    """By the digest of the body."""

    def __init__(self, clock: Clock, most: int = MOST, size: int = BYTES) -> None:
        self._clock, self._most, self._size, self._used = clock, most, size, 0
        self._kept: OrderedDict[bytes, tuple[float, Answer]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: bytes) -> Answer | None:
        """The first answer, while it is kept."""
        self._forget()
        found = self._kept.get(key)
        return None if found is None else found[1]

    def keep(self, key: bytes, answer: Answer) -> None:
        """Remembers an answer, unless there is an earlier one; the oldest make room."""
        if answer.again or key in self._kept or len(answer.body) > self._size:
            return
        self._kept[key] = (self._clock.monotonic(), answer)
        self._used += len(answer.body)
        while len(self._kept) > self._most or self._used > self._size:
            self._drop()

    def _forget(self) -> None:
        limit = self._clock.monotonic() - KEPT
        while self._kept and next(iter(self._kept.values()))[0] < limit:
            self._drop()

    def _drop(self) -> None:
        _, (_, answer) = self._kept.popitem(last=False)
        self._used -= len(answer.body)


def key_of(body: bytes) -> bytes:
    """What makes two deliveries the same: their bytes."""
    return hashlib.sha256(body).digest()
