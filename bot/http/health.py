"""Readiness, from the heartbeats of the running parts.

Ready means: Slack reaches us (it sent hello, or our listener is open), and every part with a heartbeat has sent one in time
and has not ended. A silent part is late, whatever the reason. Times are of `Clock.monotonic`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.clock import Clock

Link = Literal["waiting", "up", "lost"]
LATE: Mapping[str, float] = {  # seconds of silence
    "worker": 10.0, "sweeper": 10.0, "messenger": 30.0, "pager": 30.0, "timekeeper": 10.0,
}  # fmt: skip


@dataclass(slots=True)
class _Component:
    late_after: float
    heard: float
    ended: bool = False


class Health:
    """One for each process. `socket_mode`: the link to Slack is a WebSocket connection, else our own listener."""

    def __init__(self, clock: Clock, *, socket_mode: bool) -> None:
        self._clock, self._socket_mode = clock, socket_mode
        self._parts: dict[str, _Component] = {}
        self._link: Link = "waiting"
        self._others: list[Callable[[], tuple[str, ...]]] = []

    # Reports of the parts.

    def also(self, findings: Callable[[], tuple[str, ...]]) -> None:
        """Adds a source of reasons why the bot is not ready, a sentence each."""
        self._others.append(findings)

    def part(self, name: str, late_after: float | None = None) -> Callable[[], None]:
        """Registers a part that must report at least every `late_after` seconds (LATE by its name). Returns its heartbeat."""
        part = _Component(LATE[name] if late_after is None else late_after, self._clock.monotonic())
        self._parts[name] = part

        def beat() -> None:
            part.heard = self._clock.monotonic()

        return beat

    async def watch(self, name: str, work: Awaitable[None]) -> None:
        """Awaits a part's work and records its end, also by an exception."""
        try:
            await work
        finally:
            self._parts.setdefault(name, _Component(0.0, 0.0)).ended = True

    def stand_by(self) -> None:
        """A replica that does not lead: only the link to Slack must be there."""
        self._parts.clear()
        self._others.clear()

    def up(self) -> None:
        """Slack sent hello, or our listener is open."""
        self._link = "up"

    def lost(self) -> None:
        """The connection to Slack is lost; a new one will report `up`."""
        self._link = "lost"

    # Findings.

    def findings(self) -> tuple[str, ...]:
        """Why the bot is not ready, a sentence each; none if it is, as far as known here."""
        found = (self._link_finding(),) if self._link != "up" else ()
        return (*found, *self.stuck(), *(sentence for findings in self._others for sentence in findings()))

    def stuck(self) -> tuple[str, ...]:
        """Which parts have ended or are silent, a sentence each."""
        silences, found = self.silences(), []
        for name, part in self._parts.items():
            if part.ended:
                found.append(f"The {name} has ended.")
            elif silences[name] > part.late_after:
                found.append(f"The {name} has not been heard for {silences[name]:.0f} s.")
        return tuple(found)

    def silences(self) -> Mapping[str, float]:
        """Seconds since each part's last heartbeat."""
        now = self._clock.monotonic()
        return {name: max(0.0, now - part.heard) for name, part in self._parts.items()}

    def _link_finding(self) -> str:
        if not self._socket_mode:
            return "Nobody listens for Slack's requests yet."
        if self._link == "lost":
            return "The connection to Slack is lost; a new one is being made."
        return "Slack has not said hello yet."
