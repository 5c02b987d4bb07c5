"""Calendars as they were when they could last be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.ports.records import CachedCalendar
from storage.session import Session
from storage.values import moment, ms


def kept(session: Session) -> Mapping[str, CachedCalendar]:
    return {row["address"]: CachedCalendar(row["body"], moment(row["read_ms"])) for row in session.rows("feeds")}


def lost(session: Session) -> frozenset[str]:
    return frozenset(row["rota"] for row in session.rows("lost_calendars"))


def put_lost(session: Session, rotas: Iterable[str]) -> None:
    session.run("forget_lost_calendars")
    for rota in rotas:
        session.run("put_lost_calendar", rota=rota)


def keep(session: Session, address: str, feed: CachedCalendar, since: datetime) -> None:
    """Stores it, and forgets what was read before `since`."""
    session.run("keep_feed", address=address, body=feed.body, read_ms=ms(feed.read_at))
    session.run("drop_feeds", before=ms(since))
