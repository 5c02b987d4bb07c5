"""What crossed the line, in order: calls of the app, payloads to it, its answers, sockets, faults. Bounded memory."""

import copy
import itertools
import time
from collections import deque
from dataclasses import dataclass, field

from sandbox.workspace import Json


@dataclass
class Line:
    """One thing that happened. `kind` is call, delivery, socket, fault or response_url.

    `at` is Unix seconds, `seconds` how long it took; `sent` and `answer` are what went each way.
    """

    number: int
    at: float
    kind: str
    name: str
    sent: Json = field(default_factory=dict)
    answer: Json = field(default_factory=dict)
    ok: bool = True
    error: str = ""
    seconds: float = 0.0
    via: str = ""


class Timeline:
    """A bounded record; the oldest lines leave first."""

    def __init__(self, length: int) -> None:
        """Keep at most `length` lines."""
        self.lines: deque[Line] = deque(maxlen=length)
        self._numbers = itertools.count(1)

    def add(self, kind: str, name: str, sent: Json | None = None, answer: Json | None = None, **rest: object) -> Line:
        """Record one line; payloads are copied, so that later changes do not rewrite the past."""
        number, now = next(self._numbers), time.time()
        line = Line(number, now, kind, name, copy.deepcopy(sent or {}), copy.deepcopy(answer or {}))
        for key, value in rest.items():
            setattr(line, key, value)
        self.lines.append(line)
        return line

    def of(self, kind: str, name: str = "") -> list[Line]:
        """The lines of one kind, and of one method or payload type if `name` is given, oldest first."""
        return [line for line in self.lines if line.kind == kind and name in ("", line.name)]
