"""What people do with an open question besides deciding it.

None of it decides anything, and the clock runs on. *Question* and its answer reach everyone asked. *On it*: once per ask,
steps due within `hold` fire at its end, later ones and the expiry keep their time. *Pass* and *Escalate now* fire the next
`notify` step that reaches somebody new, at once; the passer keeps authority, the requester may push once, with a reason.
A lead's advice is shown to the owner and is never a decision. Design, sections 1 and 4.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.authority.authorization import Refused, may_decide
from bot.domain.case.ask import Ask, Remark
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.model import Case
from bot.domain.case.transition import LogEvent, Notification, Transition, epoch_ms
from bot.domain.decision_log import events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Profile
from bot.domain.timing import cooling_off
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import notifications
from bot.domain.workflow.asks import engine
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.refusals import STALE, closed, refuse
from bot.domain.workflow.wake import wake_at


def question(case: Case, policy: Policy, click: Click, profile: Profile, now: datetime) -> Transition:
    """Somebody with authority asks the requester something."""
    no = may_take_part(case, policy, click, profile, now)
    if no is not None:
        return refuse(case, policy, click, no)
    after = _noted(case, Remark("question", click.person, now, click.reason))
    draft = events.noted(after, policy, "request.asked", click.person, ("question", click.reason))
    told = Notification("question", notifications.lane(case), case.id, to=case.request.requester)
    return _kept(case, after, policy, now, draft, (told,))


def answer(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """The requester answers; everyone asked reads it."""
    no = requester_may(case, policy, click, now)
    if no is not None:
        return refuse(case, policy, click, no)
    after = _noted(case, Remark("answer", click.person, now, click.reason))
    draft = events.noted(after, policy, "request.answered", click.person, ("answer", click.reason))
    told = tuple(Notification("answered", notifications.lane(case), case.id, to=person) for person in case.approval.asked)
    return _kept(case, after, policy, now, draft, told)


def hold(case: Case, policy: Policy, click: Click, profile: Profile, now: datetime, scale: float) -> Transition:
    """On it: I am looking. Steps of the next minutes wait for me, once."""
    no = may_take_part(case, policy, click, profile, now)
    if no is not None:
        return refuse(case, policy, click, no)
    if case.approval.noted("hold"):
        first = case.approval.noted("hold")[0]
        params: dict[str, object] = {"by": str(first.person), "at": epoch_ms(first.at)}
        return refuse(case, policy, click, Rejected(Refusal.LOST, "already_held", params))
    until = now + timedelta(seconds=policy.hold / scale)
    steps = tuple(
        replace(s, due_at=until) if s.state == "waiting" and now < s.due_at < until else s for s in case.approval.steps
    )
    after = _noted(case.with_approval(replace(case.approval, steps=steps)), Remark("hold", click.person, now))
    told = notifications.paged(after, after.approval, "acknowledge")
    return _kept(case, after, policy, now, events.noted(after, policy, "request.held", click.person), told)


def defer(case: Case, policy: Policy, click: Click, profile: Profile, presence: Presence, now: datetime) -> Transition:
    """I cannot decide this now: the next step asks at once; I keep my authority."""
    no = may_take_part(case, policy, click, profile, now)
    if no is not None:
        return refuse(case, policy, click, no)
    if cooling_off.waits(case):
        return refuse(case, policy, click, _enough())
    if any(n.person == click.person for n in case.approval.noted("pass")):
        return refuse(case, policy, click, Rejected(Refusal.LOST, "already_passed", {}))
    after = _noted(case, Remark("pass", click.person, now))
    draft = events.noted(after, policy, "request.passed", click.person)
    return _pulled(case, after, policy, presence, draft, now)


def escalate_now(case: Case, policy: Policy, click: Click, presence: Presence, now: datetime) -> Transition:
    """Escalate now: the requester, once, with a reason."""
    no = requester_may(case, policy, click, now)
    if no is not None:
        return refuse(case, policy, click, no)
    after = _noted(case, Remark("push", click.person, now, click.reason))
    draft = events.noted(after, policy, "request.pushed", click.person, ("reason", click.reason))
    return _pulled(case, after, policy, presence, draft, now)


def requester_may(case: Case, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """Why the requester's `answer` or `escalate_now` would not count; None if it would."""
    no = _not_requester(case, policy, click) or closed(case, now)
    if no is None and click.action == "answer" and not case.approval.noted("question"):
        no = Rejected(Refusal.STALE, "stale", {})
    if no is None and click.action == "answer" and _all_answered(case):
        no = _answered_already()
    if no is None and click.action == "push" and case.approval.noted("push"):
        no = Rejected(Refusal.LOST, "already_pushed", {})
    if no is None and click.action == "push" and cooling_off.waits(case):
        no = _enough()
    return no


def _all_answered(case: Case) -> bool:
    return len(case.approval.noted("answer")) >= len(case.approval.noted("question"))


def _answered_already() -> Rejected:
    text = "You have answered already, and everybody asked has read it. Each question is answered once."
    return Rejected(Refusal.LOST, "plain", {"text": text})


def recommend(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """The advice of a lead of the provider; `click.action` is `for` or `against`."""
    provider = policy.providers.get(case.request.provider)
    lead = provider is not None and provider.leads_include(click.person)
    if not lead or policy.humans.same(click.person, case.request.requester):
        text = f"Only a lead of the requester's provider, and not the requester, advises. Write to {policy.contact}."
        return refuse(case, policy, click, Rejected(Refusal.UNAUTHORISED, "plain", {"text": text}))
    no = closed(case, now)
    if no is not None:
        return refuse(case, policy, click, no)
    advice = "for" if click.action == "for" else "against"
    kept = tuple(n for n in case.approval.notes if not (n.kind == "advice" and n.person == click.person))
    ask = replace(case.approval, notes=(*kept, Remark("advice", click.person, now, advice=advice)))  # type: ignore[arg-type]
    after = case.with_approval(ask)
    draft = events.noted(after, policy, "request.recommended", click.person, data={"advice": advice})
    return _kept(case, after, policy, now, draft, ())


def may_take_part(case: Case, policy: Policy, click: Click, profile: Profile, now: datetime) -> Rejected | None:
    """Why somebody cannot ask, hold or pass the request's own question; None if they can: whoever may decide it may."""
    allowed = may_decide(case, case.approval, policy, click.person, profile)
    if isinstance(allowed, Refused):
        return Rejected(allowed.why, "plain", {"text": allowed.reason})
    return closed(case, now) or (None if click.version == case.approval.version else STALE)


def _enough() -> Rejected:
    """The quorum is met and what it opens waits for its time: nobody else need be woken."""
    text = "Everybody needed has said yes, and it opens at its time. Nobody else is asked, and nothing was changed."
    return Rejected(Refusal.STALE, "plain", {"text": text})


def _pulled(case: Case, after: Case, policy: Policy, presence: Presence, draft: LogEvent, now: datetime) -> Transition:
    pulled = engine.step(after, after.approval, policy, presence, now, pulling=True)
    effects = Effects(after, (draft,)).then(pulled)
    wake = wake_at(effects.case, policy, now)
    return Transition(case, effects.case, effects.drafts, effects.says, wake, case.approval.expires_at, refresh=True)


def _kept(
    case: Case, after: Case, policy: Policy, now: datetime, draft: LogEvent, says: tuple[Notification, ...]
) -> Transition:
    return Transition(case, after, (draft,), says, wake_at(after, policy, now), case.approval.expires_at, refresh=True)


def _noted(case: Case, note: Remark) -> Case:
    ask: Ask = replace(case.approval, notes=(*case.approval.notes, note))
    return case.with_approval(ask)


def _not_requester(case: Case, policy: Policy, click: Click) -> Rejected | None:
    if click.person == case.request.requester:
        return None
    text = f"Only the requester does this. Write to {policy.contact} if that is wrong."
    return Rejected(Refusal.UNAUTHORISED, "plain", {"text": text})
