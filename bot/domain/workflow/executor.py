"""Calls to the system that opens and closes the access, and the meaning of its answers.

A runbook may name an executor. Then every grant that opens, lasts longer or ends puts a *call* down, in the same act:
judged by what changes and not by who acts, so that no way of ending a grant can forget it.
- An open that waits is dropped when the grant ends, and when a later one takes its place; it is never sent after the end.
- A close waits until the system says `closed`. Where it says `failed`, or nothing for a minute, the domain's channel and
  owner are alarmed, and once an hour again until it succeeds.
- Only the system's word makes us say that access is open or closed. Everything else is the approval. Design, section 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Call, CallKind, Case
from bot.domain.case.transition import Notification, Transition
from bot.domain.decision_log import grant_events
from bot.domain.policy.model import Policy
from bot.domain.workflow import notifications
from bot.domain.workflow.wake import wake_at

PATIENCE, AGAIN = timedelta(minutes=1), timedelta(hours=1)  # real time, as everything of HTTP
Word = Literal["opened", "closed", "failed"]
MAY_SAY: Mapping[CallKind, tuple[Word, Word]] = {"open": ("opened", "failed"), "close": ("closed", "failed")}


@dataclass(frozen=True, slots=True)
class Heard:
    """The system's answer; `detail` is its own text, in one line."""

    word: Word
    detail: str = ""


def planned(before: Case | None, after: Case, now: datetime) -> Case:
    """`after`, with the calls to its executor that this act requires."""
    grant, was = after.grant, before.grant if before is not None else None
    if not after.request.terms.webhook or grant is None or grant == was:
        return after
    if grant.state is GrantState.OPEN:
        told = was is not None and was.state is GrantState.OPEN and was.not_after == grant.not_after
        return after if told else _with_call(after, Call("open", now, grant.not_after))
    if was is None or was.state is GrantState.OPEN:
        return _with_call(after, Call("close", now, grant.not_after))
    return after


def sendable(case: Case, n: int, now: datetime) -> bool:
    """Whether a call may go out now: it waits, and an open one has a grant to open."""
    call, grant = _waiting(case, n), case.grant
    if call is None or grant is None:
        return False
    return call.kind == "close" or (grant.state is GrantState.OPEN and now < grant.not_after)


def unwritten(case: Case) -> Call | None:
    """The close of a grant that ended while nothing could be written: it will be last in `case.calls`."""
    grant = case.grant
    if not case.request.terms.webhook or grant is None or grant.state is GrantState.OPEN:
        return None
    known = any(call.kind == "close" for call in case.calls)
    return None if known else Call("close", grant.ended_at or grant.not_after, grant.not_after)


def answered(case: Case, policy: Policy, n: int, heard: Heard, now: datetime) -> Transition | None:
    """The system answered a call; None where it waits for no answer any more."""
    call = _waiting(case, n)
    if call is None:
        return None
    if call.kind == "close" and heard.word == "failed":
        return _alarmed(case, policy, n, call, heard.detail, now) if _rings(call, now) else None
    after = _put(case, n, replace(call, state=heard.word, answered_at=now))
    says: list[Notification] = []
    if call.kind == "open":
        says.append(notifications.to_requester("executor", after, word=heard.word, detail=heard.detail))
    elif call.alarmed_at is not None:
        says += _to_domain(after, policy, "closed", "")
    draft = grant_events.executor(after, policy, heard.word, call.kind, heard.detail)
    return Transition(case, after, (draft,), tuple(says), wake_at(after, policy, now), refresh=True)


def unanswered(case: Case, policy: Policy, n: int, now: datetime) -> Transition | None:
    """A call was not answered; None while nobody has to be notified."""
    call = _waiting(case, n)
    if call is None or call.kind == "open" or now - call.asked_at < PATIENCE or not _rings(call, now):
        return None
    return _alarmed(case, policy, n, call, "", now)


def last(case: Case, kind: CallKind) -> Call | None:
    """The newest call of a kind that was not dropped."""
    return next((c for c in reversed(case.calls) if c.kind == kind and c.state != "dropped"), None)


def _alarmed(case: Case, policy: Policy, n: int, call: Call, detail: str, now: datetime) -> Transition:
    after = _put(case, n, replace(call, alarmed_at=now))
    draft = grant_events.executor(after, policy, "failed", call.kind, detail)
    says = tuple(_to_domain(after, policy, "failed", detail))
    return Transition(case, after, (draft,), says, wake_at(after, policy, now), refresh=True)


def _to_domain(case: Case, policy: Policy, word: str, detail: str) -> Iterator[Notification]:
    """Notifies the owner of the system's answer; the channel of id, title and state."""
    domain = policy.domains.get(case.request.domain)
    if domain is not None:
        yield Notification("executor_alarm", notifications.lane(case), case.id, channel=domain.channel, data={"word": word})
        yield Notification(
            "executor_alarm", notifications.lane(case), case.id, to=domain.owner, data={"word": word, "detail": detail}
        )


def _rings(call: Call, now: datetime) -> bool:
    return call.alarmed_at is None or now - call.alarmed_at >= AGAIN


def _waiting(case: Case, n: int) -> Call | None:
    call = case.calls[n] if 0 <= n < len(case.calls) else None
    return call if call is not None and call.state == "waiting" else None


def _with_call(case: Case, call: Call) -> Case:
    """One more call; an open that still waits is dropped."""
    kept = (replace(c, state="dropped") if c.kind == "open" and c.state == "waiting" else c for c in case.calls)
    return replace(case, calls=(*kept, call))


def _put(case: Case, n: int, call: Call) -> Case:
    return replace(case, calls=(*case.calls[:n], call, *case.calls[n + 1 :]))
