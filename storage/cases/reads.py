"""Reads whole cases, and finds the ones that somebody or the clock asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.domain.case.ask import Ask, Reached, Remark, Step, Vote
from bot.domain.case.lifecycle import CASE_STATES, AskState
from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from bot.domain.policy.same_text import folded
from bot.domain.workflow.absence import Absent
from bot.ports.records import Deadline, DecidedFor, Due
from storage.cases import rows as case_rows
from storage.log import private_text
from storage.log.private_text import Texts
from storage.session import Row, Session
from storage.values import moment, ms

P = TypeVar("P")
_FINDINGS = 10_000  # of one domain that are not closed
_MANY = 200  # lines of a summary, of which the message shows as many as fit
_ONE = ("asks", "steps", "reached", "votes", "notes", "grant", "duties", "calls", "finding")
_DUE = (
    "due_asks",
    "due_steps",
    "due_reached",
    "due_votes",
    "due_notes",
    "due_grant",
    "due_duties",
    "due_calls",
    "due_finding",
)


def case(session: Session, case_id: str) -> Case | None:
    """The case as stored."""
    row = session.row("request", id=case_id)
    if row is None:
        return None
    return _whole(row, _parts(session, _ONE, {"id": case_id}, private_text.texts(session, (row,))))


def due_cases(session: Session, now: datetime, limit: int, after: Deadline | None) -> Sequence[Due]:
    """Those of `due` whole, each table asked once for all of them."""
    which = _behind(now, limit, after)
    rows = {row["id"]: row for row in session.rows("due_requests", **which)}
    if not rows:
        return []
    parts = _parts(session, _DUE, which, private_text.texts(session, tuple(rows.values())))
    cards = {row["case_id"]: row["cards"] for row in session.rows("due_cards", **which)}
    ids = [row["case_id"] for row in session.rows("due", **which)]
    return [Due(_whole(rows[case_id], parts), cards.get(case_id, 0)) for case_id in ids]


@dataclass(frozen=True, slots=True)
class _Parts:
    """The rows of some cases, each kind by its case, parts of an ask by (case, ask)."""

    asks: dict[str, list[Row]]
    steps: dict[tuple[str, int], list[Step]]
    reached: dict[tuple[str, int], list[Reached]]
    votes: dict[tuple[str, int], list[Vote]]
    notes: dict[tuple[str, int], list[Remark]]
    grants: dict[str, Row]
    duties: defaultdict[str, list[Row]]
    calls: defaultdict[str, list[Row]]
    findings: dict[str, Row]
    texts: Texts


def _parts(session: Session, names: tuple[str, ...], which: Mapping[str, object], texts: Texts) -> _Parts:
    def parts(name: str, make: Callable[[Row], P]) -> defaultdict[tuple[str, int], list[P]]:
        return _by_ask(session.rows(name, **which), make)

    all_asks, steps, reached, votes, notes, grants, owed, calls, findings = names
    return _Parts(
        _by_case(session.rows(all_asks, **which)),
        parts(steps, case_rows.to_step),
        parts(reached, case_rows.to_reached),
        parts(votes, case_rows.to_vote),
        parts(notes, lambda row: case_rows.to_note(row, texts.by_digest)),
        {row["case_id"]: row for row in session.rows(grants, **which)},
        _by_case(session.rows(owed, **which)),
        _by_case(session.rows(calls, **which)),
        {row["case_id"]: row for row in session.rows(findings, **which)},
        texts,
    )


def _whole(row: Row, parts: _Parts) -> Case:
    def ask(one: Row) -> Ask:
        key = (one["case_id"], one["n"])
        return case_rows.to_ask(
            one, parts.steps.get(key, []), parts.reached.get(key, []), parts.votes.get(key, []), parts.notes.get(key, [])
        )

    grant = parts.grants.get(row["id"])
    asks = tuple(ask(one) for one in parts.asks[row["id"]])
    duties = tuple(case_rows.to_duty(duty) for duty in parts.duties[row["id"]])
    calls = tuple(case_rows.to_call(call) for call in parts.calls[row["id"]])
    request = case_rows.to_request(row)
    request = private_text.refilled(request, parts.texts) if row["emptied"] else request
    found = parts.findings.get(row["id"])
    finding = None if found is None else case_rows.to_finding(found)
    return Case(request, asks, None if grant is None else case_rows.to_grant(grant), duties, calls, finding)


def due(session: Session, now: datetime, limit: int, after: Deadline | None) -> Sequence[Deadline]:
    rows = session.rows("due", **_behind(now, limit, after))
    return [Deadline(moment(row["due_ms"]), row["case_id"]) for row in rows]


def _behind(now: datetime, limit: int, after: Deadline | None) -> dict[str, int | str]:
    place = (-1, "") if after is None else (ms(after.at), after.case)
    return {"now": ms(now), "limit": limit, "after_ms": place[0], "after_id": place[1]}


def open_cases(session: Session, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
    """Of each domain and provider the first few, merged: the next to expire first."""
    rows = [row for d in set(domains) for row in session.rows("pending_of_domain", domain=d, limit=limit)]
    rows += [row for p in set(providers) for row in session.rows("pending_of_provider", provider=p, limit=limit)]
    rows += [row for d in set(domains) for row in session.rows("findings_of_domain", domain=d, limit=limit)]
    rows += [row for p in set(providers) for row in session.rows("findings_of_provider", provider=p, limit=limit)]
    keys = sorted({(row["expires_ms"], row["id"]) for row in rows})[:limit]
    return cases(session, (case_id for _, case_id in keys))


def granted_since(session: Session, since: datetime) -> Sequence[Case]:
    return cases(session, [row["case_id"] for row in session.rows("granted_since", since=ms(since))])


def open_findings(session: Session, domain: str) -> Sequence[Case]:
    rows = session.rows("findings_of_domain", domain=domain, limit=_FINDINGS)
    return cases(session, [row["id"] for row in rows])


def open_finding(session: Session, domain: str, where: str) -> Case | None:
    """The oldest that is not closed and is about the same place, as `same_text` compares it; an erased one is about none."""
    wanted = folded(where)
    rows = session.rows("findings_of_domain", domain=domain, limit=_FINDINGS)
    same = (r for r in rows if (told := private_text.target_of(session, r)) is not None and folded(told) == wanted)
    row = next(same, None)
    return None if row is None else case(session, row["id"])


def newest(session: Session, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
    """Of each domain and provider the newest few, merged: the newest first."""
    rows = [row for d in set(domains) for row in session.rows("newest_of_domain", domain=d, limit=limit)]
    rows += [row for p in set(providers) for row in session.rows("newest_of_provider", provider=p, limit=limit)]
    keys = sorted({(row["filed_ms"], row["id"]) for row in rows}, reverse=True)[:limit]
    return cases(session, (case_id for _, case_id in keys))


def absences(session: Session, now: datetime) -> dict[Person, datetime]:
    rows = session.rows("absences", now=ms(now))
    return {Person(row["team_id"], row["user_id"]): moment(row["until_ms"]) for row in rows}


def absence(session: Session, person: Person) -> Absent | None:
    row = session.row("absence", team=person.team, user=person.user)
    return None if row is None else Absent(person, moment(row["since_ms"]), moment(row["until_ms"]))


def absences_over(session: Session, now: datetime) -> Sequence[Person]:
    return [Person(row["team_id"], row["user_id"]) for row in session.rows("absences_over", now=ms(now))]


def decided_for(session: Session, person: Person, since: datetime, until: datetime) -> Sequence[DecidedFor]:
    which = {"team": person.team, "user": person.user, "since_ms": ms(since), "until_ms": ms(until), "limit": _MANY}
    return [
        DecidedFor(
            row["case_id"], row["title"], row["kind"], AskState(row["ask_state"]), CASE_STATES[row["state"]],
            Person(row["team_id"], row["user_id"]), row["answer"],
        )
        for row in session.rows("decided_for", **which)
    ]  # fmt: skip


def with_open_asks(session: Session, domain: str, limit: int) -> Sequence[str]:
    return [row["id"] for row in session.rows("with_open_asks", domain=domain, limit=limit)]


def autonomous_since(session: Session, domains: Sequence[str], since: datetime, limit: int) -> Sequence[Case]:
    rows = [row for d in set(domains) for row in session.rows("autonomous_since", domain=d, since=ms(since), limit=limit)]
    return cases(session, [row["id"] for row in rows][:limit])


def cases_of(session: Session, requester: Person, limit: int) -> Sequence[Case]:
    rows = session.rows("cases_of", team=requester.team, user=requester.user, limit=limit)
    return cases(session, (row["id"] for row in rows))


def owing_of(session: Session, provider: str, limit: int) -> Sequence[Case]:
    return cases(session, [row["id"] for row in session.rows("owing_of_provider", provider=provider, limit=limit)])


def exceptions(session: Session, limit: int, *, ended_too: bool) -> Sequence[Case]:
    rows = session.rows("exceptions" if ended_too else "open_exceptions", limit=limit)
    return cases(session, [row["id"] for row in rows])


def waiting_for(session: Session, person: Person, limit: int) -> Sequence[Case]:
    rows = session.rows("waiting_for", team=person.team, user=person.user, limit=limit)
    return cases(session, (row["id"] for row in rows))


def cases(session: Session, ids: Iterable[str]) -> Sequence[Case]:
    """Those of these ids that there are, in the same order."""
    found = (case(session, case_id) for case_id in ids)
    return [c for c in found if c is not None]


def _by_case(rows: Sequence[Row]) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["case_id"]].append(row)
    return found


def _by_ask(rows: Sequence[Row], make: Callable[[Row], P]) -> defaultdict[tuple[str, int], list[P]]:
    parts: defaultdict[tuple[str, int], list[P]] = defaultdict(list)
    for row in rows:
        parts[row["case_id"], row["ask"]].append(make(row))
    return parts
