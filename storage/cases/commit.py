"""How a transition becomes rows.

Two rules. The compare-and-swap comes first: who was judged on another version, or finishes an inbox row that is finished,
is Stale and writes nothing. And only what differs between `before` and `after` is written: parts of an ask are only ever
added or changed in place, and what was filed never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import datetime
from operator import attrgetter
from typing import TypeVar

from bot.domain.authority.endorsement import key_change_id
from bot.domain.case.ask import Ask
from bot.domain.case.model import Case, Request
from bot.domain.case.transition import Absence, Transition
from bot.domain.errors import Frozen, IllegalMove, Reconnected, Stale, TooLate
from bot.domain.failsafe.clock_guard import gives
from bot.domain.workflow import executor
from storage.cases import history, reads, signed_answer
from storage.cases import rows as case_rows
from storage.cases.rows import Columns
from storage.governance import campaigns
from storage.governance.messages import note_messages
from storage.operator import rows as operator_rows
from storage.policy import policies
from storage.queues import homes, inbox, outbox
from storage.session import Session
from storage.transactions import Tx
from storage.values import ms, ms_or_none, to_columns, whole_ms

P = TypeVar("P")
_PARTS = ("steps", "reached", "votes", "notes")  # of an ask, each in a table of its own
_OWN = attrgetter(*(field.name for field in fields(Ask) if field.name not in _PARTS))


def carry_out(tx: Tx, act: Transition) -> Case | None:
    """Carries one act out; returns the case as stored. Raises Stale, TooLate, Frozen, Reconnected, EntryError."""
    write(tx, act)
    return act.before if act.after is None else _stored(tx.session, act.before, act.after)


def write(tx: Tx, act: Transition) -> None:
    """The same for people whom the case no longer concerns."""
    if gives(act) and (tx.clock.jumped() is not None or tx.session.row("clock_is_doubted") is not None):
        raise Frozen("The clock jumped and nobody has confirmed it: nothing is given. See `countersign doctor`.")
    if gives(act) and tx.session.reconnected:
        raise Reconnected("The connection to the database was lost a moment ago: the other replicas are heard first.")
    if act.after is not None:
        after = executor.planned(act.before, act.after, tx.now)
        act = act if after is act.after else replace(act, after=after)
    if act.valid_before is not None and tx.now >= act.valid_before:
        raise TooLate("The deadline passed before this could be written.")
    if act.inbox is not None:
        inbox.finish(tx.session, act.inbox, tx.now)
    if act.wakes is not None:
        history.refuse_woken_enough(tx.session, act.wakes)
    _write_case(tx, act)
    _write_absence(tx, act.absence)
    if act.operated is not None:
        operator_rows.write(tx.session, act.operated, tx.now)
    if act.reviewed is not None:
        campaigns.write(tx.session, act.reviewed)
    if act.visit is not None:
        homes.opened(tx.session, act.visit, tx.now)
    if act.signed is not None:
        signed_answer.write(tx, act.signed)
    if act.endorsed is not None:
        policies.endorse(tx.session, act.endorsed, tx.now)
    tx.log(act.entries)
    for say in act.says:
        outbox.put(tx.session, say, tx.now)
    note_messages(tx.session, act.says, tx.now)
    for more in act.also:
        carry_out(tx, more)
    if act.refresh and (about := _about(act)) is not None:
        outbox.refresh_all(tx.session, about, tx.now)


def _about(act: Transition) -> str | None:
    """Whose messages are redrawn."""
    if act.operated is not None:
        return None if act.operated.after is None else act.operated.after.id
    if act.reviewed is not None:
        return act.reviewed.after.id
    if act.endorsed is not None:
        return key_change_id(act.endorsed.old, act.endorsed.new)
    case = act.after or act.before
    return None if case is None else case.id


def _write_case(tx: Tx, act: Transition) -> None:
    if act.after is None:
        if act.before is not None:
            _check_unchanged(tx, act.before)
        return
    if act.before is None:
        _file(tx.session, act.after.request)
    else:
        _swap(tx, act.before.request, act.after.request)
    _write_asks(tx.session, act.before, act.after)
    _write_grant(tx.session, act.before, act.after)
    _write_finding(tx.session, act.before, act.after)
    _write_duties(tx.session, act.before, act.after)
    _write_calls(tx.session, act.before, act.after)
    _write_deadline(tx.session, act.after.id, act.wake_at)


def _write_absence(tx: Tx, absence: Absence | None) -> None:
    if absence is None:
        return
    who = {"team": absence.person.team, "user": absence.person.user}
    if absence.until is not None:
        tx.session.run("put_absence", **who, since_ms=ms(tx.now), until_ms=ms(absence.until))
    elif tx.session.run("drop_absence", **who, until_ms=ms_or_none(absence.was)) != 1:
        raise Stale("This absence is over already, or was changed meanwhile.")


def _check_unchanged(tx: Tx, before: Case) -> None:
    row = tx.session.row("request_version", id=before.id)
    if row is None or row["version"] != before.request.version:
        raise Stale("The request changed meanwhile; look at it again.")


def _file(session: Session, request: Request) -> None:
    if session.run("insert_request", **case_rows.from_request(request)) != 1:
        raise Stale("A request with this id exists already.")


def _swap(tx: Tx, before: Request, after: Request) -> None:
    if after is before:  # nothing but asks, grant or duties: no index of the requests is touched
        changed = tx.session.run("step_request", id=before.id, version=before.version)
    else:
        frozen = replace(
            after, state=before.state, version=before.version, closed_at=before.closed_at, closed_by=before.closed_by
        )
        if frozen != before:
            raise IllegalMove("What was filed never changes.")
        closed = {"closed_ms": ms_or_none(after.closed_at), **to_columns(after.closed_by, "closed")}
        changed = tx.session.run("swap_request", id=before.id, version=before.version, state=after.state.value, **closed)
    if changed != 1:
        raise Stale("The request changed meanwhile; look at it again.")


def _write_asks(session: Session, before: Case | None, after: Case) -> None:
    old_asks = before.asks if before is not None else ()
    for n, old, ask in _paired(old_asks, after.asks):
        if old is ask:
            continue
        if old is None or _OWN(old) != _OWN(ask):
            session.send("put_ask", case_id=after.id, n=n, **case_rows.from_ask(ask))
        _write_parts(session, after.id, n, old, ask)


def _write_parts(session: Session, case_id: str, n: int, old: Ask | None, ask: Ask) -> None:
    def changed(name: str, was: Sequence[P], now: Sequence[P], columns: Callable[[P], Columns]) -> None:
        if was is now:
            return
        rows = [
            {"case_id": case_id, "ask": n, "n": i} | columns(b) for i, a, b in _paired(was, now) if a is not b and a != b
        ]
        if rows:
            session.many(name, rows)

    changed("put_step", old.steps if old else (), ask.steps, case_rows.from_step)
    changed("put_reached", old.reached if old else (), ask.reached, case_rows.from_reached)
    changed("put_vote", old.votes if old else (), ask.votes, case_rows.from_vote)
    if ask.notes != (old.notes if old else ()):
        changed("put_note", old.notes if old else (), ask.notes, case_rows.from_note)
        session.send("text_came_since", id=case_id)


def _write_grant(session: Session, before: Case | None, after: Case) -> None:
    old = None if before is None else before.grant
    if after.grant is None and old is not None:
        raise IllegalMove("A part of a case is never taken away.")
    if after.grant is not None and after.request.drill is not None:
        raise IllegalMove("A drill never gives access.")
    if after.grant is not None and after.grant != old:
        session.send("put_grant", case_id=after.id, **case_rows.from_grant(after.grant))


def _write_finding(session: Session, before: Case | None, after: Case) -> None:
    old = None if before is None else before.finding
    if after.finding is None and old is not None:
        raise IllegalMove("A part of a case is never taken away.")
    if after.finding is not None and after.finding != old:
        session.send("put_finding", case_id=after.id, **case_rows.from_finding(after.finding))


def _write_duties(session: Session, before: Case | None, after: Case) -> None:
    for n, old, duty in _paired(before.duties if before else (), after.duties):
        if duty != old:
            session.send("put_duty", case_id=after.id, n=n, **case_rows.from_duty(duty))


def _write_calls(session: Session, before: Case | None, after: Case) -> None:
    for n, old, call in _paired(before.calls if before else (), after.calls):
        if call != old:
            session.send("put_call", case_id=after.id, n=n, **case_rows.from_call(call))


def _paired(was: Sequence[P], now: Sequence[P]) -> Iterator[tuple[int, P | None, P]]:
    """Each part of `now` with its position and its previous value."""
    if len(now) < len(was):
        raise IllegalMove("A part of a case is never taken away.")
    for n, part in enumerate(now):
        yield n, was[n] if n < len(was) else None, part


def _write_deadline(session: Session, case_id: str, wake_at: datetime | None) -> None:
    if wake_at is None:
        session.send("drop_deadline", case_id=case_id)
    else:
        session.send("put_deadline", case_id=case_id, due_ms=ms(wake_at))


def _stored(session: Session, before: Case | None, after: Case) -> Case | None:
    """`after` as a reader would find it: with its new version, and its times cut to milliseconds."""
    if not all(whole_ms(at) for at in _times(after)):
        return reads.case(session, after.id)
    version = after.request.version if before is None else before.request.version + 1
    return replace(after, request=replace(after.request, version=version))


def _times(case: Case) -> Iterator[datetime]:
    request = case.request
    yield from (request.filed_at, request.expires_at, request.closed_at or request.filed_at)
    yield request.terms.ends_at or request.filed_at
    for ask in case.asks:
        yield from (ask.opened_at, ask.expires_at, ask.due_at or ask.expires_at, ask.warn_at or ask.expires_at)
        yield ask.opens_at or ask.expires_at
        yield from (step.due_at for step in ask.steps)
        yield from (reached.at for reached in ask.reached)
        yield from (vote.at for vote in ask.votes)
        yield from (note.at for note in ask.notes)
    if case.finding is not None:
        yield case.finding.noticed_at
    if case.grant is not None:
        yield from (case.grant.opened_at, case.grant.not_after, case.grant.remind_at or case.grant.not_after)
        if case.grant.ended_at is not None:
            yield case.grant.ended_at
    for call in case.calls:
        yield from (call.asked_at, call.not_after, call.answered_at or call.asked_at, call.alarmed_at or call.asked_at)
    for duty in case.duties:
        yield from (duty.since, duty.due_at, duty.chase_at or duty.due_at, duty.done_at or duty.due_at)
