"""Week rotations and moments of a rota, from the words of policy files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.policy.business_hours import instant
from bot.domain.policy.model import Weeks
from runbooks.parsing.scalars import day, moment
from runbooks.parsing.schema import ShiftShape


def read_weeks(shape: ShiftShape) -> Weeks | None:
    """The weeks of a shift; None: every week."""
    weeks = shape.weeks
    return Weeks(weeks.of, weeks.on, day(weeks.start)) if weeks else None


def real(text: str, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a moment: with an offset exactly, else as wall time of the rota's zone."""
    return at_wall(moment(text), zone)


def at_wall(when: datetime, zone: ZoneInfo) -> datetime:
    """A time with an offset as it is, a naive one as wall time: in a gap its end, in a fold the earlier of the two."""
    if when.tzinfo is not None:
        return when.astimezone(UTC)
    return instant(when.date(), when.hour * 60 + when.minute, zone) + timedelta(seconds=when.second)
