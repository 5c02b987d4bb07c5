"""An extension: the requester asks for more time while the grant is open.

It is a new approval by the runbook's own ladder and quorum. It may only give less than asked, all time together stays within
`max_duration`, and it ends with the grant. A no to it leaves the grant as it is. Design, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.authority.policy_rollout import met_by_all
from bot.domain.authority.quorum import count
from bot.domain.case.ask import Ask, Vote
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import AskState, GrantState, move_ask
from bot.domain.case.model import Case
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import Policy
from bot.domain.workflow import filing_form, notifications, refusals
from bot.domain.workflow.follow_up import Effects


def may_extend(case: Case, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """Why more time cannot be asked for; None if it can. `click.seconds` 0: nothing was chosen yet."""
    grant, runbook = case.grant, policy.runbooks.get(case.request.runbook)
    if not policy.humans.same(click.person, case.request.requester):
        return refusals.no(Refusal.UNAUTHORISED, f"Only the requester can ask for more time. Write to {policy.contact}.")
    if grant is None or grant.state is not GrantState.OPEN or now >= grant.not_after:
        return refusals.no(Refusal.LATE, "The approval has ended, so it cannot be extended. Ask again.")
    if runbook is None or runbook.escalation not in policy.escalation_policies:
        return refusals.no(Refusal.STALE, "The policy has no such runbook any more. Ask again under another one.")
    if filing_form.not_asked_by(policy, runbook, click.person, now.date()):
        return refusals.no(Refusal.UNAUTHORISED, f"Your provider may not ask for this any more. Write to {policy.contact}.")
    if any(a.kind == "extension" and a.state is AskState.OPEN for a in case.later):
        return refusals.no(Refusal.LOST, "More time is already asked for. The people asked have it.")
    if not click.seconds <= room(case):
        return refusals.no(Refusal.STALE, "Together that would be more than the runbook's maximum. Choose less.")
    if room(case) <= 0:
        return refusals.no(Refusal.STALE, "The runbook's maximum is used up. Ask again for new access.")
    return None


def offered(case: Case, policy: Policy, now: datetime) -> bool:
    """Whether **Extend** is shown to the requester: shortly before the end, while a press would count and somebody could be asked."""
    press = Click(case.request.requester, "extend", case.approval.version, {})
    warned = case.grant is not None and case.grant.warned and case.request.right != "autonomous"
    return warned and may_extend(case, policy, press, now) is None


def room(case: Case) -> int:
    """How many seconds of policy time an extension may still add; nothing to what ends on a date, for that is renewed."""
    return 0 if case.grant is None or case.dated else case.request.terms.max_duration - case.grant.seconds


def prolong(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """A yes; at the quorum the grant lasts longer, by the smallest time that any yes gave."""
    tally, grant = count(case, ask, policy), case.grant
    assert grant is not None
    if not (tally.met and met_by_all(older, case, ask)):
        after = case.with_ask(ask)
        return Effects(after, grant_events.extended(after, policy, vote, tally, None))
    more = min(tally.seconds, room(case))
    longer = replace(
        grant, seconds=grant.seconds + more, not_after=grant.not_after + case.request.terms.real(more), warned=False
    )
    after = replace(case, grant=longer).with_ask(replace(ask, state=move_ask(ask.state, "yes")))
    said = notifications.to_requester("extension", after, version=ask.version)
    return Effects(after, grant_events.extended(after, policy, vote, tally, longer), (said,))


def deny(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """A no to an extension or a renewal: the grant ends when it would have."""
    closed = replace(ask, state=move_ask(ask.state, "no")).because("denial", vote.person, vote.at, click.reason)
    after = case.with_ask(closed)
    draft = events.answered(after, policy, f"{ask.kind}.denied", vote, click.reason)
    said = notifications.to_requester("extension", after, version=ask.version, reason=click.reason)
    return Effects(after, (draft,), (said,))
