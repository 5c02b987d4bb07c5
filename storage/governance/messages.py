"""When somebody last got a governance message."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.case.transition import Notification
from bot.domain.governance.weekly import counted
from bot.domain.policy.people import Person
from storage.session import Session
from storage.values import moment, ms


def note_messages(session: Session, says: Iterable[Notification], now: datetime) -> None:
    """Remembers who got a governance message."""
    for say in counted(says):
        assert say.to is not None
        session.run("note_governance_message", team=say.to.team, user=say.to.user, at_ms=ms(now))


def last_message(session: Session, person: Person) -> datetime | None:
    """When the person got the last one; None: never."""
    row = session.row("last_governance_message", team=person.team, user=person.user)
    return None if row is None else moment(row["at_ms"])
