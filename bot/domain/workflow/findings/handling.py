"""What people of the domain do with a finding besides acknowledging it: close it, share it, correct when it was noticed.

**Close** records what was done, and comes after the acknowledgement; it is for everybody named for the domain. A finding that a
reconciliation opened is closed with one of OUTCOMES. **Share** shows a finding of the organisation's people to the leads of the runbook's
providers; it is the owner's, or a deputy's. Whoever filed a finding, and the domain's people, correct when it was noticed.
A provider does none of the first two (party rule). Source: governance-contract.md, sections 3 and 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain.authority.authorization import Allowed, Refused, may_close, named_for
from bot.domain.case.ask import Remark
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import FindingState, move_finding
from bot.domain.case.model import Case, FindingOutcome
from bot.domain.case.transition import LogEvent, Notification, Transition
from bot.domain.decision_log import finding_events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Profile
from bot.domain.workflow import notifications
from bot.domain.workflow.refusals import STALE, closed, no, refuse
from bot.domain.workflow.wake import wake_at

OUTCOMES: Mapping[str, FindingOutcome] = {
    "approved_elsewhere": "approved_elsewhere", "removed": "removed", "accepted": "accepted",
}  # fmt: skip


def may_be_closed(case: Case, policy: Policy, click: Click, profile: Profile, now: datetime) -> Rejected | None:
    """Why this person cannot close it now; None if they can."""
    if case.finding is None:
        return STALE
    allowed = may_close(case, policy, click.person, profile)
    if isinstance(allowed, Refused):
        return Rejected(allowed.why, "plain", {"text": allowed.reason})
    if case.request.state is FindingState.OPEN:
        return no(Refusal.STALE, "Nobody has acknowledged it yet. Press Acknowledge first, then close it.")
    return closed(case, now)


def close(case: Case, policy: Policy, click: Click, profile: Profile, now: datetime) -> Transition:
    """It is over, with what was done. Notifies its filer, the channel and everybody asked."""
    refused = may_be_closed(case, policy, click, profile, now)
    if refused is None and case.finding is not None and case.finding.source and click.name not in OUTCOMES:
        refused = no(Refusal.STALE, "Choose how it ended: approved elsewhere, removed, or accepted.")
    if refused is None and not click.reason and click.name not in OUTCOMES:
        refused = no(Refusal.STALE, "Say what was done.")
    if refused is not None or case.finding is None:
        return refuse(case, policy, click, refused or STALE)
    outcome: FindingOutcome = OUTCOMES.get(click.name, "") if case.finding.source else ""
    request = replace(case.request, state=move_finding(case.request.state, "close"), closed_at=now, closed_by=click.person)
    after = replace(case, request=request, finding=replace(case.finding, outcome=outcome))
    if click.reason:
        after = _noted(after, Remark("closed", click.person, now, click.reason))
    says = (*notifications.finding_moved(after), *notifications.channel_line(after, policy, "finding.closed"))
    return _done(case, after, policy, now, finding_events.closed(after, policy, click.person, click.reason), says)


def may_be_shared(case: Case, policy: Policy, click: Click, profile: Profile, now: datetime) -> Rejected | None:
    """Why this person cannot show it to the provider's leads; None if they can."""
    finding, domain = case.finding, policy.domains.get(case.request.domain)
    if finding is None or case.request.provider or finding.shared:
        return STALE
    allowed = may_close(case, policy, click.person, profile)
    if isinstance(allowed, Allowed) and domain is not None and click.person not in (domain.owner, *domain.deputies):
        text = f"Only the owner or a deputy shares it. Write to {policy.contact} if that is wrong."
        allowed = Refused(Refusal.UNAUTHORISED, text)
    return Rejected(allowed.why, "plain", {"text": allowed.reason}) if isinstance(allowed, Refused) else None


def share(case: Case, policy: Policy, click: Click, profile: Profile, now: datetime) -> Transition:
    """The leads of the runbook's providers see it from now on."""
    refused = may_be_shared(case, policy, click, profile, now)
    if refused is not None or case.finding is None:
        return refuse(case, policy, click, refused or STALE)
    after = replace(case, finding=replace(case.finding, shared=True))
    says = notifications.shared_copies(after, policy)
    return _done(case, after, policy, now, finding_events.shared(after, policy, click.person), says)


def may_be_corrected(case: Case, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """Why this person cannot correct when it was noticed; None if they can."""
    domain = policy.domains.get(case.request.domain)
    named = domain is not None and click.person in named_for(policy, domain)
    if case.finding is None:
        return STALE
    if not named and not policy.humans.same(click.person, case.request.requester):
        text = f"Only whoever filed it, or people of the domain, correct it. Write to {policy.contact} if that is wrong."
        return no(Refusal.UNAUTHORISED, text)
    return closed(case, now)


def correct(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """Corrects when it was noticed; whether it is late is judged again."""
    refused = may_be_corrected(case, policy, click, now)
    if refused is None and (click.moment is None or click.moment > case.request.filed_at):
        refused = no(Refusal.STALE, "It was noticed before it was filed. Choose an earlier time.")
    if refused is not None or case.finding is None or click.moment is None:
        return refuse(case, policy, click, refused or STALE)
    after = replace(case, finding=replace(case.finding, noticed_at=click.moment))
    return _done(case, after, policy, now, finding_events.corrected(after, policy, click.person), ())


def _noted(case: Case, note: Remark) -> Case:
    return case.with_approval(replace(case.approval, notes=(*case.approval.notes, note)))


def _done(
    case: Case, after: Case, policy: Policy, now: datetime, draft: LogEvent, says: tuple[Notification, ...]
) -> Transition:
    return Transition(case, after, (draft,), says, wake_at(after, policy, now), refresh=True)
