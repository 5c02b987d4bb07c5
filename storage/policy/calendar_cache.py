"""Calendars as they were when they could last be read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.ports.records import CachedCalendar
from storage.session import Session
from storage.values import moment, ms


def kept(session: Session) -> Mapping[str, CachedCalendar]:
    return {row["address"]: CachedCalendar(row["body"], moment(row["read_ms"])) for row in session.rows("feeds")}


def keep(session: Session, address: str, feed: CachedCalendar, since: datetime) -> None:
    """Stores it, and forgets what was read before `since`."""
    session.run("keep_feed", address=address, body=feed.body, read_ms=ms(feed.read_at))
    session.run("drop_feeds", before=ms(since))
