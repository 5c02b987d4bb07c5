"""A request that the host's operator files for a provider's engineer who telephones, while Slack does not answer.

Nobody has verified the caller, so nothing opens by it alone: only what is signed may be filed so, every brake counts, and whoever was
asked is paged at once. When Slack is back the engineer and their leads are notified, with **Was not me**: it withdraws what is pending,
revokes what is open, and brings a review where it is over.
Source: signed-decisions.md, "When Slack is down".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.decision_log import events
from bot.domain.policy.model import Policy, Runbook
from bot.domain.timing.escalation import Presence, rings
from bot.domain.workflow import follow_up, grant_end, notifications
from bot.domain.workflow.asks import approval
from bot.domain.workflow.follow_up import DAY, Effects
from bot.domain.workflow.refusals import closed, refuse
from bot.domain.workflow.wake import wake_at


def refusal(policy: Policy, runbook: Runbook) -> str | None:
    """Why the operator may not file this; None where they may."""
    if policy.signing is None or policy.signing.when_slack_is_down != "signed":
        return "The policy lets nobody decide while Slack is down (`when_slack_is_down`), so nothing is filed on the host."
    if runbook.right == "autonomous" or runbook.break_glass is not None:
        return f"{runbook.title} may open without a yes, so it is never filed on the host."
    if runbook.signature == "none":
        return f"{runbook.title} asks for no signature: only what is signed can be decided while Slack is down."
    return None


def said(case: Case, policy: Policy) -> tuple[Notification, ...]:
    """To the requester and the leads of their provider, as soon as Slack takes it."""
    leads = (say.to for say in notifications.lead_copies(case, policy))
    people = dict.fromkeys(person for person in (case.request.requester, *leads) if person is not None)
    return tuple(Notification("filed_by_host", Lane.URGENT, case.id, to=person) for person in people)


def paged(case: Case, policy: Policy, presence: Presence) -> tuple[Case, tuple[Notification, ...]]:
    """Whoever was asked and has an address is paged at once: no card reaches them."""
    ask = case.approval
    rung = [r for r in ask.reached if not r.paged and rings(policy, case.request.domain, r)]
    if presence.brake is not None or not rung:
        return case, ()
    after = case.with_approval(replace(ask, reached=tuple(replace(r, paged=r.paged or r in rung) for r in ask.reached)))
    pages = (notifications.pages(after, replace(r, paged=True), slack_down=True) for r in rung)
    return after, tuple(say for says in pages for say in says)


def was_not_me(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """The engineer, or a lead of their provider, denies that any of them asked for it."""
    if not case.request.by_host or click.person not in {say.to for say in said(case, policy)}:
        text = f"Only the person this was filed for, or their lead, can say so. Write to {policy.contact}."
        return refuse(case, policy, click, Rejected(Refusal.UNAUTHORISED, "plain", {"text": text}))
    if not isinstance(grant_end.open_grant(case, now), Rejected):
        return grant_end.disowned(case, policy, click, now)
    if closed(case, now) is None:
        return approval.withdraw(case, policy, click, now)
    return _looked_into(case, policy, click, now)


def _looked_into(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """It is over already: somebody accountable looks at it now."""
    review = reviewed_now(case, policy, now)
    if review is None:
        no = Rejected(
            Refusal.LOST, "plain", {"text": f"{case.id} is over: nothing is open, or somebody looks into it already."}
        )
        return refuse(case, policy, click, no)
    who = events.actor(policy, click.person)
    drafts = tuple(replace(draft, actor=who, data={**draft.data, "why": "was_not_me"}) for draft in review.drafts)
    answer = notifications.answer(
        case.id, click.person, click.reply, "plain", text=f"Thank you. {case.id} is being looked into now."
    )
    wake = wake_at(review.case, policy, now)
    return Transition(case, review.case, drafts, (*review.says, answer), wake, refresh=True)


def reviewed_now(case: Case, policy: Policy, now: datetime) -> Effects | None:
    """A review of what was done is asked for at once; None where nothing was opened, or one is open already."""
    if case.grant is None or any(ask.kind == "review" and ask.state is AskState.OPEN for ask in case.asks):
        return None
    window = case.request.terms.real(case.request.terms.review_within or DAY)
    return follow_up.opened(case, policy, "review", window, now)
