"""What can go wrong on purpose: slow answers, rate limits, 5xx, lost answers, cut sockets, doubled deliveries.

A fault for a method name counts for that method; one for `*` counts for every method.
"""

import time
from dataclasses import dataclass, field

from sandbox.workspace import Json


@dataclass
class Countdown:
    """A fault that strikes the next `left` calls; `value` is its seconds or status."""

    left: int
    value: float


@dataclass
class Faults:
    """The switched-on faults. Plain attributes: a test or the page's panel sets them directly."""

    slow: dict[str, float] = field(default_factory=dict)
    limited: dict[str, Countdown] = field(default_factory=dict)
    broken: dict[str, Countdown] = field(default_factory=dict)
    lost: dict[str, Countdown] = field(default_factory=dict)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    double_deliveries: bool = False
    extra_connections: int = 0
    sockets_barred_until: float = 0.0
    refuse_sockets: bool = False
    slack_off: bool = False
    pager_off: bool = False
    pager_status: int = 503  # with which the inbox of pages refuses

    def delay(self, method: str) -> float:
        """Seconds to wait before this method answers."""
        return self.slow.get(method, self.slow.get("*", 0.0))

    def take(self, table: dict[str, Countdown], method: str) -> float | None:
        """Use up one strike of a counted fault; its value, or None if none is due."""
        key = method if method in table else "*"
        fault = table.get(key)
        if fault is None:
            return None
        fault.left -= 1
        if fault.left <= 0:
            del table[key]
        return fault.value

    def take_refusal(self, method: str) -> str | None:
        """Use up one strike of an error code that a test wants to see, for example `fatal_error`."""
        if method not in self.refused:
            return None
        left, word = self.refused[method]
        if left <= 1:
            del self.refused[method]
        else:
            self.refused[method] = (left - 1, word)
        return word

    def sockets_barred(self) -> bool:
        """Whether Socket Mode refuses connections at this moment."""
        return self.refuse_sockets or self.slack_off or time.monotonic() < self.sockets_barred_until

    def bar_sockets(self, seconds: float) -> None:
        """Refuse Socket Mode connections for this many seconds."""
        self.sockets_barred_until = time.monotonic() + seconds

    def rate_limit(self, method: str, calls: int = 1, retry_after: int = 1) -> None:
        """Answer the next `calls` of this method with HTTP 429 and `Retry-After: retry_after`."""
        self.limited[method] = Countdown(calls, retry_after)

    def fail(self, method: str, calls: int = 1, status: int = 503) -> None:
        """Answer the next `calls` of this method with a 5xx and no JSON; nothing is performed."""
        self.broken[method] = Countdown(calls, status)

    def lose_answer(self, method: str, calls: int = 1) -> None:
        """Perform the next `calls` of this method, then drop the connection without an answer."""
        self.lost[method] = Countdown(calls, 0)

    def refuse(self, method: str, word: str, calls: int = 1) -> None:
        """Answer the next `calls` of this method with `ok: false` and this error word."""
        self.refused[method] = (calls, word)

    def clear(self) -> None:
        """Everything works again."""
        fresh = Faults()
        self.__dict__.update(fresh.__dict__)

    def summary(self) -> Json:
        """What is switched on, for the page's panel."""
        return {
            "slow": dict(self.slow),
            "limited": {k: {"left": v.left, "retry_after": v.value} for k, v in self.limited.items()},
            "broken": {k: {"left": v.left, "status": v.value} for k, v in self.broken.items()},
            "lost": {k: v.left for k, v in self.lost.items()},
            "refused": {k: {"left": left, "error": word} for k, (left, word) in self.refused.items()},
            "double_deliveries": self.double_deliveries,
            "extra_connections": self.extra_connections,
            "sockets_barred": self.sockets_barred(),
            "slack_off": self.slack_off,
            "pager_off": self.pager_off,
        }
