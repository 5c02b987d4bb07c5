"""Checks, independently of the sweeper, that questions close, urgent messages are sent and sweeps happen in time.

It reads the database in a task of its own and so detects a sweeper that is dead, stuck or failing on one case by its overdue
work (rule 7). Findings appear in `/readyz` and in the metrics at once; a finding that persists is an incident, announced once
when it begins and once when it is over. Since that announcement goes through Slack, the heartbeat stops as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import structlog

from bot.background.loop import every
from bot.clock import Clock
from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.errors import CountersignError
from bot.domain.policy.model import Policy
from bot.ports.records import Lateness
from bot.ports.store import Store

LOOK = 5.0  # seconds between two checks
OVERDUE, UNSENT, UNSWEPT = timedelta(seconds=10), timedelta(seconds=60), timedelta(seconds=10)
_STAYS = 2  # consecutive checks that begin or end an incident
log = structlog.get_logger(__name__)


class Watchdog:
    """Incidents are announced in `alarm_channel`, or else in the channels of the domains concerned. `stuck` returns the silent
    parts of this process; `watched` is called after each check."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: Callable[[], Policy],
        *,
        alarm_channel: str | None = None,
        stuck: Callable[[], tuple[str, ...]] = lambda: (),
        watched: Callable[[Lateness | None], None] = lambda lateness: None,
        spoke: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._clock, self._policy = store, clock, policy
        self._alarm_channel, self._stuck, self._watched, self._spoke = alarm_channel, stuck, watched, spoke
        self._found: tuple[str, ...] = ()
        self._quarantine: tuple[str, ...] = ()  # a finding, and no incident: nothing is late
        self._in_a_row = 0
        self._incident: tuple[datetime, tuple[str, ...]] | None = None  # its beginning, the channels notified

    async def run(self, stop: asyncio.Event) -> None:
        await every(LOOK, self.look, stop)

    def findings(self) -> tuple[str, ...]:
        """What was late or could not be read at the last check, a sentence each."""
        return (*self._found, *self._quarantine)

    async def look(self) -> None:
        """Checks once and announces what follows."""
        now = self._clock.now()
        try:
            late = await self._store.overview.lateness(now - OVERDUE)
        except CountersignError as error:
            self._watched(None)
            self._found = (f"What is late cannot be told: {error}",)
            return
        self._watched(late)
        self._found, self._quarantine = tuple(findings(late, self._policy(), now)), late.quarantine()
        await self._tell(late, (*self._found, *self._stuck()), now)

    async def _tell(self, late: Lateness, troubles: tuple[str, ...], now: datetime) -> None:
        """Begins an incident after _STAYS checks with troubles in a row, and ends it after as many without."""
        self._in_a_row = self._in_a_row + 1 if bool(troubles) is (self._incident is None) else 0
        if self._in_a_row < _STAYS:
            return
        if self._incident is None:
            log.error("watchdog.late", findings=troubles)
            channels = self._channels(late)
            if await self._said(channels, now, troubles):
                self._incident, self._in_a_row = (now, channels), 0
        else:
            since, channels = self._incident
            log.warning("watchdog.over", since=since.isoformat())
            if await self._said(channels, since, ()):
                self._incident, self._in_a_row = None, 0

    async def _said(self, channels: tuple[str, ...], since: datetime, troubles: tuple[str, ...]) -> bool:
        """Queues the announcement. Returns whether it was committed."""
        data = {"since": round(since.timestamp() * 1000), "troubles": list(troubles)}
        says = tuple(Notification("watchdog", Lane.URGENT, channel=channel, data=data) for channel in channels)
        try:
            await self._store.commit(Transition(None, None, says=says))
        except CountersignError as error:
            log.error("watchdog.not_said", error=str(error))
            return False
        self._spoke()
        return True

    def _channels(self, late: Lateness) -> tuple[str, ...]:
        if self._alarm_channel is not None:
            return (self._alarm_channel,)
        domains = self._policy().domains
        named = [domains[d].channel for d in late.overdue if d in domains] or [d.channel for d in domains.values()]
        return tuple(dict.fromkeys(named))


def findings(late: Lateness, policy: Policy, now: datetime) -> Iterator[str]:
    """What is late, a sentence each; nothing that names a request or a person."""
    for domain, waiting in late.overdue.items():
        name = policy.domains[domain].name if domain in policy.domains else domain
        many = "1 question is" if waiting.count == 1 else f"{waiting.count} questions are"
        since = f", the oldest by {_age(waiting.oldest, now)}" if waiting.oldest else ""
        yield f"{name}: {many} past the deadline and still open{since}."
    if late.urgent is not None and now - late.urgent > UNSENT:
        yield f"The oldest emergency message has waited {_age(late.urgent, now)} to be sent."
    if late.due is not None and now - late.due > UNSWEPT:
        yield f"The oldest deadline has waited {_age(late.due, now)} for a sweep."


def _age(since: datetime, now: datetime) -> str:
    seconds = round((now - since).total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
