"""What taking away is, and what it does to a case while the log cannot write it down (rule 4).

A request that closes without opening anything, and a grant that ends, never wait for the log. They are kept in the emergency
file, and until the log has them they override the stored state: every reader of the case sees it ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.case.lifecycle import AskState, GrantState, RequestState, move_grant
from bot.domain.case.model import NOBODY, Case, Grant
from bot.domain.case.transition import Notification, Transition
from bot.domain.failsafe.clock_guard import gives
from bot.domain.policy.people import Person

_CLOSED = frozenset({RequestState.DENIED, RequestState.WITHDRAWN, RequestState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Revocation:
    """An act that was carried out without the log: `act` without its `before`, whose version was `version`, carried out at `at`."""

    act: Transition
    version: int
    at: datetime

    def saying(self, says: tuple[Notification, ...]) -> Revocation:
        """The same, of whose messages these were not sent yet."""
        return replace(self, act=replace(self.act, says=says))


def goes_on(act: Transition) -> bool:
    """Whether an act runs while the log is stopped: it takes away, or says itself that a stopped log waits for it."""
    return act.while_stopped or takes_away(act)


def takes_away(act: Transition) -> bool:
    """Whether an act closes a pending request without opening it, ends an open grant or shortens it, and gives nothing."""
    if act.before is None or act.after is None or gives(act):
        return False
    if act.before.request.state is RequestState.PENDING and act.after.request.state in _CLOSED:
        return True
    was, grant = act.before.grant, act.after.grant
    if was is None or grant is None or was.state is not GrantState.OPEN:
        return False
    return grant.state is not GrantState.OPEN or grant.not_after < was.not_after


def begins(act: Transition) -> bool:
    """Whether an act that was carried out without the log begins a case: the suspension of a provider."""
    return act.after is not None and act.after.request.matter == "provider" and act.before is None and act.while_stopped


def taken(act: Transition, at: datetime) -> Revocation:
    """What the emergency file keeps of an act."""
    version = act.before.request.version if act.before is not None else 0
    return Revocation(replace(act, before=None, otherwise=None, valid_before=None, signed=None), version, at)


def apply_to(stored: Case, line: Revocation) -> Case:
    """The stored case with what was taken away: as it was judged where the case is still that one, else only what `imposed` keeps."""
    after = line.act.after
    if after is None or stored.id != after.id or begins(line.act):
        return stored
    if stored.request.version == line.version:
        return replace(after, request=replace(after.request, version=line.version + 1))
    return imposed(stored, after, line.at)


def imposed(stored: Case, after: Case, at: datetime) -> Case:
    """A case that has moved on, with the no or the end that was taken at `at` and left `after`.

    A no to a request that was approved meanwhile revokes what the approval gave. Silence takes nothing from a yes that came in
    time: an expiry ends no grant, and a lapse none that has more time now.
    """
    return _ended(_closed(_rejected(stored, after), after), after, at)


def overtaken(stored: Case, after: Case) -> bool:
    """Whether `after` is a person's no to a request whose grant is open meanwhile."""
    open_ = stored.grant is not None and stored.grant.state is GrantState.OPEN
    return open_ and after.grant is None and after.request.state in (RequestState.DENIED, RequestState.WITHDRAWN)


def _rejected(stored: Case, after: Case) -> Case:
    """The asks to which the line says no and which are still open are answered so, with the votes and reasons of both."""
    for ask in stored.asks:
        gone = after.question(ask.version)
        if ask.state is AskState.OPEN and gone is not None and gone.kind == ask.kind and gone.state is AskState.NO:
            votes = (*ask.votes, *(v for v in gone.votes if ask.vote_of(v.person) is None))
            notes = (*ask.notes, *(n for n in gone.notes if n not in ask.notes))
            stored = stored.with_ask(replace(ask, state=AskState.NO, votes=votes, notes=notes, opens_at=None))
    return stored


def _closed(stored: Case, after: Case) -> Case:
    if stored.request.state is not RequestState.PENDING or after.request.state not in _CLOSED:
        return stored
    gone = after.request
    request = replace(stored.request, state=gone.state, closed_at=gone.closed_at, closed_by=gone.closed_by)
    asks = tuple(replace(a, state=AskState.EXPIRED, opens_at=None) if a.state is AskState.OPEN else a for a in stored.asks)
    return replace(stored, request=request, asks=asks)


def _ended(stored: Case, after: Case, at: datetime) -> Case:
    kept, gone = stored.grant, after.grant
    if kept is None or kept.state is not GrantState.OPEN:
        return stored
    if overtaken(stored, after):
        return _revoked(stored, kept, after, at)
    if gone is None or (_in_its_time(gone) and kept.not_after > gone.not_after):
        return stored
    if gone.state is GrantState.OPEN:
        sooner = replace(kept, not_after=gone.not_after, remind_at=gone.remind_at)
        return replace(stored, grant=sooner) if gone.not_after < kept.not_after else stored
    ended_at = max(gone.ended_at or at, kept.opened_at)
    case = replace(stored, grant=replace(kept, state=gone.state, ended_at=ended_at, ended_by=gone.ended_by))
    return _because(case, after, "revocation", gone.ended_by)


def _in_its_time(gone: Grant) -> bool:
    """Whether nothing but its time ended a grant: not a provider who may not ask any more."""
    return gone.state is GrantState.LAPSED and gone.ended_at is not None and gone.ended_at >= gone.not_after


def _revoked(stored: Case, kept: Grant, after: Case, at: datetime) -> Case:
    by = after.request.closed_by
    state, ended_at = move_grant(kept.state, "revoke"), max(at, kept.opened_at)
    case = replace(stored, grant=replace(kept, state=state, ended_at=ended_at, ended_by=by))
    return _because(case, after, "denial", by)


def _because(case: Case, after: Case, kind: str, by: Person | None) -> Case:
    """The case with the reason of the line, if it gave one, as that of the revocation."""
    note = next((n for n in reversed(after.approval.noted(kind)) if n.person == (by or NOBODY)), None)
    if note is None or note in case.approval.notes:
        return case
    return case.with_approval(case.approval.because("revocation", note.person, note.at, note.text))
