"""Reads whole cases, and finds the ones that somebody or the clock asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from bot.domain.people import Person
from bot.domain.request import Case
from storage import case_rows
from storage.sqlite import Row, Session
from storage.values import moment, ms

P = TypeVar("P")


def case(session: Session, case_id: str) -> Case | None:
    """The case as stored."""
    row = session.row("request", id=case_id)
    if row is None:
        return None
    steps = _by_ask(session.rows("steps", id=case_id), case_rows.to_step)
    reached = _by_ask(session.rows("reached", id=case_id), case_rows.to_reached)
    votes = _by_ask(session.rows("votes", id=case_id), case_rows.to_vote)
    notes = _by_ask(session.rows("notes", id=case_id), case_rows.to_note)
    asks = tuple(
        case_rows.to_ask(ask, steps[ask["n"]], reached[ask["n"]], votes[ask["n"]], notes[ask["n"]])
        for ask in session.rows("asks", id=case_id)
    )
    grant = session.row("grant", id=case_id)
    if grant is None:
        return Case(case_rows.to_request(row), asks)
    duties = tuple(case_rows.to_duty(duty) for duty in session.rows("duties", id=case_id))
    return Case(case_rows.to_request(row), asks, case_rows.to_grant(grant), duties)


def due(session: Session, now: datetime, limit: int) -> Sequence[str]:
    return [row["case_id"] for row in session.rows("due", now=ms(now), limit=limit)]


def open_cases(session: Session, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
    """Of each domain and provider the first few, merged: the next to expire first."""
    rows = [row for d in set(domains) for row in session.rows("pending_of_domain", domain=d, limit=limit)]
    rows += [row for p in set(providers) for row in session.rows("pending_of_provider", provider=p, limit=limit)]
    return _cases(session, sorted({(row["expires_ms"], row["id"]) for row in rows})[:limit])


def absences(session: Session, now: datetime) -> dict[Person, datetime]:
    rows = session.rows("absences", now=ms(now))
    return {Person(row["team_id"], row["user_id"]): moment(row["until_ms"]) for row in rows}


def cases_of(session: Session, requester: Person, limit: int) -> Sequence[Case]:
    rows = session.rows("cases_of", team=requester.team, user=requester.user, limit=limit)
    return _cases(session, [(0, row["id"]) for row in rows])


def waiting_for(session: Session, person: Person, limit: int) -> Sequence[Case]:
    rows = session.rows("waiting_for", team=person.team, user=person.user, limit=limit)
    return _cases(session, [(0, row["id"]) for row in rows])


def _cases(session: Session, keys: Iterable[tuple[int, str]]) -> Sequence[Case]:
    found = (case(session, case_id) for _, case_id in keys)
    return [c for c in found if c is not None]


def _by_ask(rows: Sequence[Row], make: Callable[[Row], P]) -> defaultdict[int, list[P]]:
    parts: defaultdict[int, list[P]] = defaultdict(list)
    for row in rows:
        parts[row["ask"]].append(make(row))
    return parts
