"""The column format of values: milliseconds, JSON, persons in two columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bot.domain.policy.people import Person

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def ms(at: datetime) -> int:
    """Whole milliseconds since 1970; what is smaller is cut off."""
    return (at - _EPOCH) // _MS


def ms_or_none(at: datetime | None) -> int | None:
    return None if at is None else ms(at)


def moment(milliseconds: int) -> datetime:
    return _EPOCH + _MS * milliseconds


def moment_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else moment(milliseconds)


def whole_ms(at: datetime) -> bool:
    return at.microsecond % 1000 == 0


def to_json(value: object) -> str:
    """ASCII, so that half a character cannot break the column."""
    return _ENCODER.encode(value)


def from_json(text: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(text)
    return found


def person_or_none(team: str | None, user: str | None) -> Person | None:
    return None if team is None or user is None else Person(team, user)


def to_columns(person: Person | None, prefix: str) -> Mapping[str, str | None]:
    """`<prefix>_team` and `<prefix>_user`."""
    return {
        f"{prefix}_team": None if person is None else person.team,
        f"{prefix}_user": None if person is None else person.user,
    }
