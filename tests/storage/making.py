"""Cases and acts for tests of the storage, made by hand: they need no policy and no judgement."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.case.ask import Ask, Reached, Remark, Step, Vote
from bot.domain.case.lifecycle import AskState, GrantState, RequestState
from bot.domain.case.model import Case, FieldValue, Grant, Request
from bot.domain.case.transition import CLOCK, Actor, Lane, LogEvent, Notification, Private, Transition
from bot.domain.policy.people import Person
from bot.ports.database import Location
from tests.database import opened, without_triggers
from tests.postgres import RawPostgres, session

T0 = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
MS, SECOND, MINUTE, HOUR = (timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1))
PE1, OWNER, DEPUTY = Person("T0PROV", "U0PE1"), Person("T0HOME", "U0OWNER"), Person("T0HOME", "U0DEP1")


@dataclass
class HandClock:
    """Stands still until it is moved. Ids and salts count up from `drawn`."""

    at: datetime = T0
    drawn: int = 0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def jumped(self) -> timedelta | None:
        return None

    def request_id(self) -> str:
        return f"R-{self._draw():08d}"

    def salt(self) -> bytes:
        return self._draw().to_bytes(16, "big")

    def _draw(self) -> int:
        self.drawn += 1
        return self.drawn


def new_case(case_id: str, **how: Any) -> Case:
    """A pending request with an ask that has reached the owner."""
    told = {
        "kind": "emergency_access", "right": "approval", "runbook": "admin", "runbook_sha256": "ab" * 32,
        "policy_sha256": "cd" * 32, "title": "Emergency admin", "domain": "directory", "provider": "northgate",
        "requester": PE1, "target": "dc1", "reason": "disk: full", "seconds": 3600, "filed_at": T0,
        "fields": (FieldValue("ticket", "Incident ticket", "INC1"),), "expires_at": T0 + 45 * MINUTE,
    } | how  # fmt: skip
    request = Request(id=case_id, **told)
    steps = (
        Step(0, "notify", "owner", request.filed_at, also=("risk_owner",), state="fired"),
        Step(1, "notify", "on_call", request.filed_at + 10 * MINUTE, page=True),
    )
    ask = Ask(
        "approval", 1, 2, ("risk_owner",), request.filed_at, request.expires_at, steps=steps,
        reached=(Reached(OWNER, "owner", 0, request.filed_at),),
    )  # fmt: skip
    return Case(request, (ask,))


def filing(case: Case, **how: Any) -> Transition:
    request = case.request
    private = (Private("target", request.target, request.requester), Private("reason", request.reason, request.requester))
    who = Actor("person", request.requester, request.provider)
    entries = (
        LogEvent("request.filed", who, case.id, {"kind": request.kind}, private=private),
        LogEvent("step.fired", CLOCK, case.id, {"step": 0, "role": "owner", "to": (OWNER,)}),
    )  # fmt: skip
    says = (
        Notification("card", Lane.CARD, case.id, to=OWNER),
        Notification("receipt", Lane.CARD, case.id, to=request.requester),
    )
    told: dict[str, Any] = {"entries": entries, "says": says, "wake_at": T0 + 10 * MINUTE} | how
    return Transition(None, case, **told)


def denial(case: Case, who: Person = OWNER, at: datetime = T0 + MINUTE, **how: Any) -> Transition:
    vote = Vote(who, "no", "owner", at, 0, on_behalf_of=None if who == OWNER else OWNER)
    after = case.with_approval(replace(case.approval, state=AskState.NO, votes=(*case.approval.votes, vote)))
    after = replace(after, request=replace(case.request, state=RequestState.DENIED, closed_at=at, closed_by=who))
    entry = LogEvent("request.denied", Actor("person", who), case.id, {"role": "owner"}, on_behalf_of=vote.on_behalf_of)
    told: dict[str, Any] = {"says": (Notification("outcome", Lane.CARD, case.id, to=PE1),), "refresh": True} | how
    return Transition(case, after, (entry,), **told)


def expiry(case: Case, at: datetime = T0 + 45 * MINUTE) -> Transition:
    after = case.with_approval(replace(case.approval, state=AskState.EXPIRED))
    after = replace(after, request=replace(case.request, state=RequestState.EXPIRED, closed_at=at))
    return Transition(case, after, (LogEvent("request.expired", CLOCK, case.id, {"delivered": 1}),), refresh=True)


def approval(case: Case, at: datetime = T0 + MINUTE, **how: Any) -> Transition:
    vote = Vote(OWNER, "yes", "owner", at, 1800)
    note = Remark("question", OWNER, at, "why now?")
    ask = replace(case.approval, state=AskState.YES, votes=(vote,), notes=(note,))
    ask = replace(ask, reached=(*ask.reached, Reached(DEPUTY, "deputies", 1, at, for_owner=True, failed="gone")))
    request = replace(case.request, state=RequestState.APPROVED, closed_at=at, closed_by=OWNER)
    after = replace(case.with_approval(ask), request=request, grant=Grant(1800, at, at + 30 * MINUTE))
    entries = (
        LogEvent(
            "request.approved", Actor("person", OWNER), case.id, {"have": 2, "need": 2, "seconds": 1800, "role": "owner"}
        ),
        LogEvent("grant.opened", Actor("person", OWNER), case.id, {"seconds": 1800}),
    )
    return Transition(case, after, entries, **how)


def lapse(case: Case, at: datetime) -> Transition:
    assert case.grant is not None
    after = replace(case, grant=replace(case.grant, state=GrantState.LAPSED, ended_at=at))
    return Transition(case, after, (LogEvent("grant.lapsed", CLOCK, case.id, {"closed_by": "clock"}),))


@contextmanager
def attacker(place: Location) -> Iterator[Any]:
    """Somebody who can write the database and has taken the triggers and constraints out of the way."""
    with closing(opened(place, begins=True)) as raw:
        without_triggers(raw)
        yield raw
        raw.commit()


@contextmanager
def beside(place: Location) -> Iterator[sqlite3.Connection | RawPostgres]:
    """A connection past the store, which commits at its end."""
    if not isinstance(place, Path):
        with session(place) as raw:
            yield raw
        return
    with closing(sqlite3.connect(place)) as raw:
        yield raw
        raw.commit()


def count(place: Location, table: str) -> int:
    with beside(place) as raw:
        row = raw.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row is not None
        return int(row[0])
