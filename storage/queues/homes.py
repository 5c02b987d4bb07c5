"""App Homes: who has opened theirs, its contents, and requests to publish it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.domain.case.transition import Lane, Visit
from bot.domain.policy.people import Person
from bot.domain.workflow.notifications import home_key
from bot.ports.records import CaseSummary
from storage.session import Session
from storage.values import ms, person_or_none

REMEMBERED = timedelta(days=30)  # a Home that nobody opened for so long is drawn when it is opened again


def opened(session: Session, visit: Visit, now: datetime) -> None:
    session.run("put_home", team=visit.person.team, user=visit.person.user, page=visit.page, now=ms(now))


def page(session: Session, person: Person) -> int:
    """The page that they looked at last, from 1."""
    row = session.row("home_page", team=person.team, user=person.user)
    return 1 if row is None else int(row["page"])


def redraw(session: Session, people: Iterable[Person] | None, now: datetime) -> None:
    """Asks for their Homes to be drawn again, everybody's with None; who never opened one has none."""
    shared = {"lane": int(Lane.HOME), "now": ms(now), "since": ms(now - REMEMBERED)}
    if people is None:
        found = session.rows("homes_opened", since=shared["since"])
        people = [Person(row["team_id"], row["user_id"]) for row in found]
    for person in people:
        session.run("redraw_home", key=home_key(person), team=person.team, user=person.user, **shared)


def waiting(session: Session, person: Person, limit: int) -> Sequence[CaseSummary]:
    """Cases with an open ask that waits for this person's answer, the next to expire first."""
    rows = session.rows("home_waiting", team=person.team, user=person.user, limit=limit)
    return [
        CaseSummary(
            r["id"], Person(r["requester_team"], r["requester_user"]), r["provider"], r["domain"],
            person_or_none(r["subject_team"], r["subject_user"]), bool(r["said_yes"]),
        )
        for r in rows
    ]  # fmt: skip


def live(session: Session, person: Person, domains: Sequence[str], limit: int) -> Sequence[str]:
    """Ids of the open grants that a person asked for or that are in one of these domains, the next to end first."""
    ids: list[str] = []
    wanted = frozenset(domains)
    for row in session.rows("home_live"):
        mine = (row["requester_team"], row["requester_user"]) == (person.team, person.user)
        if mine or row["domain"] in wanted:
            ids.append(row["id"])
    return ids[:limit]


def owing(session: Session, requester: Person, limit: int) -> Sequence[str]:
    """Ids of the cases for which this person owes evidence or a rotation, the most overdue first."""
    rows = session.rows("home_owing", team=requester.team, user=requester.user, limit=limit)
    return [row["id"] for row in rows]
