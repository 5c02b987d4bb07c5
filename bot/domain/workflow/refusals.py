"""How a click that does not count is refused: nothing changes, its author gets the reason, and the log one entry."""

from __future__ import annotations

from datetime import datetime

from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import FindingState, RequestState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition, epoch_ms
from bot.domain.decision_log import events
from bot.domain.policy.model import Policy
from bot.domain.workflow import notifications

STALE = Rejected(Refusal.STALE, "stale", {})
DOUBTED = Rejected(Refusal.STALE, "clock_jumped", {})  # the log has no code of its own for it


def refuse(case: Case, policy: Policy, click: Click, no: Rejected) -> Transition:
    """Changes nothing, answers its author, leaves one entry."""
    drafts = (events.decision_refused(case, policy, click.person, click.action, no.why),)
    says = (notifications.answer(case.id, click.person, click.reply, no.sentence, **no.params),)
    return Transition(None, None, drafts, says)


def closed(case: Case, now: datetime) -> Rejected | None:
    """Why nothing can be decided any more, or ever (a drill); None while the question is open."""
    request = case.request
    if request.drill is not None:
        return Rejected(Refusal.STALE, "drill", {})
    if isinstance(request.state, FindingState) and request.state is not FindingState.CLOSED:
        return None
    pending = request.state is RequestState.PENDING
    if request.state is RequestState.EXPIRED or (pending and now >= case.approval.expires_at):
        return Rejected(Refusal.LATE, "late", {"at": epoch_ms(case.approval.expires_at)})
    if pending:
        return None
    params: dict[str, object] = {
        "state": str(request.state), "by": str(request.closed_by or ""), "at": epoch_ms(request.closed_at or now),
    }  # fmt: skip
    return Rejected(Refusal.LOST, "lost", params)


def no(why: Refusal, text: str) -> Rejected:
    """A rejection with a sentence of its own."""
    return Rejected(why, "plain", {"text": text})
