"""What giving is, and what happens to it while the clock is doubted (rule 12).

No approval is kept, nothing opens, nothing lasts longer: the person who pressed gets a refusal, and nothing changes. Denying, withdrawing,
revoking, and whatever the clock takes away still work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import zip_longest

from bot.domain.case.click import Refusal
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.case.model import Case
from bot.domain.case.transition import OPERATOR, SYSTEM, LogEvent, Transition, Value
from bot.domain.workflow import notifications

_MS = timedelta(milliseconds=1)


def gives(act: Transition) -> bool:
    """Whether an act approves, opens access, extends it, or issues a permit for it. Everything else may go on
    while the clock is doubted. Judged by what changes and not by who acts, so that a new kind of act needs no line here."""
    if act.endorsed is not None or (act.reviewed is not None and act.reviewed.widens):
        return True
    if act.after is None:
        return any(draft.type == "permit.issued" for draft in act.entries)
    return any(_more_yes(act.before, act.after)) or _opens(act.before, act.after) or _lasts_longer(act.before, act.after)


def _more_yes(before: Case | None, after: Case) -> Iterator[bool]:
    for was, ask in zip_longest(before.asks if before else (), after.asks):
        old = {v for v in was.votes if v.answer == "yes"} if was is not None else set()
        yield any(v.answer == "yes" and v not in old for v in ask.votes)


def _opens(before: Case | None, after: Case) -> bool:
    if after.sealed:
        return False  # it is the record of what happened outside
    had = before.request.state if before is not None else None
    open_states = (RequestState.APPROVED, RequestState.OPENED)
    return after.request.state in open_states and after.request.state is not had and not after.request.matter


def _lasts_longer(before: Case | None, after: Case) -> bool:
    if after.grant is None or after.grant.state is not GrantState.OPEN:
        return False
    was = before.grant if before is not None else None
    return was is None or was.state is not GrantState.OPEN or was.not_after < after.grant.not_after


def refuse(act: Transition) -> Transition:
    """What happens to an act that would give while the clock is doubted: nothing changes, its author gets a refusal, and one
    entry says so. An act that says itself how it is refused (`otherwise`) is refused so; the others to their author."""
    if act.otherwise is not None:
        return replace(act.otherwise, inbox=act.inbox)
    case = act.before
    who = next((draft.actor for draft in act.entries if draft.actor.person is not None), None)
    if case is None or who is None or who.person is None:
        return Transition(None, None, inbox=act.inbox)
    data: dict[str, Value] = {"action": "approve", "why": str(Refusal.STALE)}
    draft = LogEvent("decision.refused", who, case.id, data, runbook=act.entries[0].runbook, policy=act.entries[0].policy)
    return Transition(
        None, None, (draft,), (notifications.answer(case.id, who.person, {}, "clock_jumped"),), inbox=act.inbox
    )


def anomaly(jump: timedelta) -> LogEvent:
    """The log's entry about a jump that was noticed. Source: decision-log.md, `clock.anomaly`."""
    return LogEvent("clock.anomaly", SYSTEM, data={"jump_ms": jump // _MS})


def accepted(jump: timedelta) -> LogEvent:
    """… and on the operator who confirmed the current time; right after it the log's time may step back."""
    return LogEvent("clock.anomaly", OPERATOR, data={"jump_ms": jump // _MS, "accepted": True})
