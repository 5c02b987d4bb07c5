"""Reads the calendars of iCal rotas: files of the policy in force, and addresses that are fetched in the background.

The last readable version of a calendar is cached in the database for KEEP, so that a restart, an outage or a broken export
changes nobody's shift. A calendar that cannot be used is logged at once. When its cached version expires, the rota's
`fallback` is on call and the channels of its domains are notified, once; and again when the calendar is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from bot.clock import Clock
from bot.domain.case.transition import Lane, Notification
from bot.domain.policy.model import Policy
from bot.domain.policy.rota import Rota
from bot.ports.policies import Policies
from bot.ports.records import CachedCalendar
from bot.service.current_policy import CurrentPolicy
from runbooks.calendars.fetch import fetch
from runbooks.calendars.ical import prepare, read_feed
from runbooks.calendars.ical_text import BadFeed
from runbooks.parsing.addresses import address_of, is_file

EVERY = 300.0  # seconds between two reads
KEEP, NOTED = timedelta(days=7), timedelta(hours=1)  # how long a cached version counts; how exactly its age is stored
Fetch = Callable[[str], Awaitable[bytes]]
log = structlog.get_logger(__name__)


class CalendarFeeds:
    """One for each process. A rota without a usable calendar is reported to `alarm_channel`, or to the channels
    of the domains that it serves."""

    def __init__(
        self, records: Policies, current: CurrentPolicy, clock: Clock, environment: Mapping[str, str], fetch: Fetch = fetch, *,
        alarm_channel: str | None = None, beat: Callable[[], None] = lambda: None,
        lost: Callable[[int], None] = lambda count: None,
    ) -> None:  # fmt: skip
        self._records, self._current, self._clock, self._environment = records, current, clock, environment
        self._fetch, self._alarm_channel, self._beat, self._lost = fetch, alarm_channel, beat, lost
        self._kept: dict[str, CachedCalendar] = {}
        self._why: dict[str, str] = {}  # why the last fetch failed, by rota
        self._told: dict[str, str] = {}  # the newest logged problem, by rota
        self._blind: frozenset[str] = frozenset()  # rotas whose fallback is on call, as announced
        self._soon = asyncio.Event()

    async def begin(self) -> None:
        """Loads the cached calendars; fetches nothing yet."""
        self._kept = dict(await self._records.calendars())
        self._blind = await self._records.lost_calendars()
        await self.read()

    def soon(self) -> None:
        """Another policy is in force: reads its calendars without waiting."""
        self._soon.set()

    async def run(self) -> None:
        """Never ends by itself."""
        while True:
            self._beat()
            self._soon.clear()
            try:
                await self.look()
            except Exception:
                log.exception("feeds.look_failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), EVERY)

    async def look(self) -> None:
        """Reads what is cached, then fetches the addresses."""
        await self.read()
        policy = self._current.policy
        found = {rota.id: address_of(rota, self._environment) for rota in policy.rotas.values()}
        tried = [self._try(policy.rotas[rota], address, policy) for rota, address in found.items() if address is not None]
        if tried:
            await asyncio.gather(*tried)
            await self.read()

    async def read(self) -> None:
        """Computes the shifts around now, on a thread. A policy that was adopted meanwhile is read at the next call."""
        policy, now = self._current.policy, self._clock.now()
        bodies = usable(policy, self._environment, self._kept, now)
        ready = await asyncio.to_thread(prepare, policy, now, bodies)
        if self._current.policy is not policy:
            return
        await self._current.reread(ready.policy)
        why = {**self._unset(policy), **self._why, **ready.bad}
        fed = [rota for rota in policy.rotas.values() if rota.source == "ical"]
        unseen = {r.id for r in fed if r.id in ready.bad or not (is_file(r) or r.id in bodies)}
        self._log({r.id: sentence(r.id, why[r.id], blind=r.id in unseen) for r in fed if r.id in why}, unseen)
        blind = {rota for rota in unseen if rota in why}
        self._lost(len(blind))
        await self._announce(policy, blind, unseen)

    async def _try(self, rota: Rota, address: str, policy: Policy) -> None:
        now = self._clock.now()
        try:
            body = await self._fetch(address)
            said = await asyncio.to_thread(read_feed, body, rota, policy.people, now)
        except BadFeed as bad:
            self._why[rota.id] = str(bad)
            return
        self._why.pop(rota.id, None)
        before = self._kept.get(key_of(address))
        if before is not None and before.body == body and now - before.read_at < NOTED:
            return
        if before is None or before.body != body:
            for text in said.sentences(rota)[:20]:
                log.warning("feed.stranger", rota=rota.id, text=text)
        self._kept[key_of(address)] = kept = CachedCalendar(body, now)
        await self._records.keep_calendar(key_of(address), kept, now - KEEP)

    def _unset(self, policy: Policy) -> dict[str, str]:
        fed = [rota for rota in policy.rotas.values() if rota.feed is not None and not is_file(rota)]
        return {r.id: "the variable of its address is not set" for r in fed if address_of(r, self._environment) is None}

    def _log(self, told: dict[str, str], blind: set[str]) -> None:
        """Logs new problems, and recoveries."""
        for rota, text in told.items():
            if self._told.get(rota) != text:
                (log.error if rota in blind else log.warning)("feed.trouble", rota=rota, text=text)
        for rota in self._told.keys() - told.keys():
            log.info("feed.well", rota=rota)
        self._told = told

    async def _announce(self, policy: Policy, blind: set[str], unseen: set[str]) -> None:
        """Notifies people when a fallback is on call, and when that is over; each once, also across restarts."""
        over = self._blind - unseen
        announced = frozenset(blind | (self._blind - over))
        if announced == self._blind:
            return
        changed = [rota for rota in sorted(announced ^ self._blind) if rota in policy.rotas]
        says = [say for rota in changed for say in self._say(policy, rota, blind=rota in blind)]
        await self._records.announce_calendars(announced, says)
        self._blind = announced
        self._current.spoke.set()

    def _say(self, policy: Policy, rota: str, *, blind: bool) -> list[Notification]:
        serves = [domain.channel for domain in policy.domains.values() if domain.on_call == rota]
        channels = [self._alarm_channel] if self._alarm_channel else list(dict.fromkeys(serves))
        return [
            Notification("calendar", Lane.CARD, channel=channel, data={"rota": rota, "blind": blind})
            for channel in channels
        ]


def carried(policy: Policy, old: Policy) -> Policy:
    """The new policy with the known shifts of unchanged rotas, until its calendars are read."""
    known = {rota.id: rota for rota in old.rotas.values()}
    rotas = {r.id: replace(r, spells=known[r.id].spells) if known.get(r.id) == r else r for r in policy.rotas.values()}
    return replace(policy, rotas=rotas)


def usable(
    policy: Policy, environment: Mapping[str, str], kept: Mapping[str, CachedCalendar], now: datetime
) -> dict[str, bytes]:
    """The cached calendars of a policy that have not expired, by rota."""
    known = {rota: kept[key] for rota, key in keys(policy, environment).items() if key in kept}
    return {rota: feed.body for rota, feed in known.items() if now - feed.read_at <= KEEP}


def keys(policy: Policy, environment: Mapping[str, str]) -> dict[str, str]:
    """The cache keys of a policy's addresses, by rota."""
    found = {rota.id: address_of(rota, environment) for rota in policy.rotas.values()}
    return {rota: key_of(address) for rota, address in found.items() if address is not None}


def sentence(rota: str, why: str, *, blind: bool) -> str:
    """What is wrong with a calendar, and who is on call as a result."""
    rest = (
        "nobody but its `fallback` is on call"
        if blind
        else f"what it said when it could be read counts for {KEEP.days} days"
    )
    return f"The calendar of rota `{rota}` cannot be used, {why}; {rest}."


def key_of(address: str) -> str:
    """The cache key of an address: its hash, because the address may hold a secret."""
    return sha256(address.encode()).hexdigest()
