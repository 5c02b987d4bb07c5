"""Calendars of rotas for commands on the host: the bot's cached versions, and for `doctor` a fetch of each address."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from bot.background.calendar_feeds import Fetch, sentence, usable
from bot.clock import SystemClock
from bot.diagnostics import Diagnosis, error, warning
from bot.domain.errors import CountersignError
from bot.domain.policy.model import Policy
from bot.domain.policy.rota import Rota
from bot.ports.database import Location, may_exist
from bot.ports.records import CachedCalendar
from runbooks.calendars.fetch import fetch
from runbooks.calendars.ical import read_feed
from runbooks.calendars.ical_text import BadFeed
from runbooks.parsing.addresses import address_of
from storage.opening import open_database


async def known(path: Location, policy: Policy, environment: Mapping[str, str], now: datetime) -> dict[str, bytes]:
    """The running bot's cached calendars, by rota; empty if there is no readable database."""
    return usable(policy, environment, await _stored(path), now)


async def examine(
    policy: Policy, environment: Mapping[str, str], kept: Mapping[str, bytes], now: datetime, fetch: Fetch = fetch
) -> tuple[list[Diagnosis], dict[str, bytes]]:
    """Fetches every address once. Returns the findings and each calendar, or the bot's cached version of it."""
    found, bodies = [], dict(kept)
    for rota in policy.rotas.values():
        address = address_of(rota, environment)
        if address is None:
            continue
        try:
            body = await fetch(address)
            said = await asyncio.to_thread(read_feed, body, rota, policy.people, now)
        except BadFeed as bad:
            found.append(_trouble(rota, str(bad), known=rota.id in kept))
            continue
        bodies[rota.id] = body
        found += [warning("feeds", text) for text in said.sentences(rota)[:20]]
    return found, bodies


def _trouble(rota: Rota, why: str, *, known: bool) -> Diagnosis:
    text = sentence(rota.id, why, blind=not known)
    return warning("feeds", text) if known else error("feeds", text)


async def _stored(path: Location) -> Mapping[str, CachedCalendar]:
    if not await asyncio.to_thread(may_exist, path):
        return {}
    try:
        store = await open_database(path, SystemClock(), read_only=True)
    except CountersignError:
        return {}
    try:
        return await store.policies.calendars()
    finally:
        await store.close()
