"""What taking away is, and what it does to a case while the log cannot write it down (rule 4).

A request that closes without opening anything, and a grant that ends, never wait for the log. They are kept in the emergency
file, and until the log has them they override the stored state: every reader of the case sees it ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.case.lifecycle import AskState, GrantState, RequestState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.decision_log.entry import stamp
from bot.domain.failsafe.clock_guard import gives

_CLOSED = frozenset({RequestState.DENIED, RequestState.WITHDRAWN, RequestState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Revocation:
    """An act that was carried out without the log: `act` without its `before`, whose version was `version`, carried out at `at`."""

    act: Transition
    version: int
    at: datetime


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
    """The stored case with what was taken away: as it was judged where the case is still that one, else only its end."""
    after = line.act.after
    if after is None or stored.id != after.id or begins(line.act):
        return stored
    if stored.request.version == line.version:
        return replace(after, request=replace(after.request, version=line.version + 1))
    return _ended(_closed(stored, after), after)


def entered(line: Revocation, stored: Case | None) -> Transition | None:
    """The act as the log takes it up, on the case as it is then; None if it has ended already or does not exist.

    Its entries say in `taken_at` when it was really done: their own time is that of the entering.
    """
    entries = tuple(replace(draft, data={**draft.data, "taken_at": stamp(line.at)}) for draft in line.act.entries)
    late = replace(line.act, entries=entries)
    if line.act.after is None:
        return late
    if begins(line.act):
        return late if stored is None else None
    if stored is None:
        return None
    after = apply_to(stored, line)
    late = replace(late, before=stored, after=after, refresh=True)
    return late if goes_on(late) and after != stored else None


def _closed(stored: Case, after: Case) -> Case:
    if stored.request.state is not RequestState.PENDING or after.request.state not in _CLOSED:
        return stored
    gone = after.request
    request = replace(stored.request, state=gone.state, closed_at=gone.closed_at, closed_by=gone.closed_by)
    asks = tuple(replace(a, state=AskState.EXPIRED) if a.state is AskState.OPEN else a for a in stored.asks)
    return replace(stored, request=request, asks=asks)


def _ended(stored: Case, after: Case) -> Case:
    kept, gone = stored.grant, after.grant
    if kept is None or gone is None or kept.state is not GrantState.OPEN:
        return stored
    ends = min(kept.not_after, gone.not_after)
    grant = replace(kept, state=gone.state, ended_at=gone.ended_at, ended_by=gone.ended_by, not_after=ends)
    return replace(stored, grant=grant)
