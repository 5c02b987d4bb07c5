"""The reset of somebody with authority: it suspends that authority, so it never opens without a yes.

Taking authority away is itself a decision. A reset that would open by itself, under an autonomous right or as a break-glass,
asks first when its subject is named in any domain or is an auditor. Where its runbook has no ladder the domain's
`default_escalation` is asked, else the policy's, else the built-in one.
Source: field-lessons.md, "Authority"; design, section 4.
"""

from __future__ import annotations

from dataclasses import replace

from bot.domain.authority.authorization import named_for
from bot.domain.policy.model import EscalationPolicy, Policy, PolicyStep, Runbook
from bot.domain.policy.people import Person

LADDER = EscalationPolicy(
    "authority-reset", 4 * 3600,
    (
        PolicyStep(0, "notify", "owner"), PolicyStep(900, "notify", "deputies"), PolicyStep(1800, "remind", "owner"),
        PolicyStep(3600, "notify", "risk_owner"),
    ),
)  # fmt: skip


def holds_authority(policy: Policy, person: Person) -> bool:
    """Whether the human is named in any domain, or audits, by any of their accounts."""
    named = (one for domain in policy.domains.values() for one in named_for(policy, domain))
    return any(policy.humans.same(person, one) for one in (*named, *policy.auditors))


def may_open_alone(runbook: Runbook) -> bool:
    """Whether a reset under this runbook would open before any approval."""
    return runbook.kind == "reset" and (runbook.right == "autonomous" or runbook.break_glass is not None)


def asking_first(policy: Policy, runbook_id: str, subject: Person | None) -> Policy:
    """The policy as it counts for this filing: with a yes before the reset of somebody with authority."""
    runbook = policy.runbooks.get(runbook_id)
    if runbook is None or subject is None or not may_open_alone(runbook) or not holds_authority(policy, subject):
        return policy
    ladders, domain = policy.escalation_policies, policy.domains.get(runbook.domain)
    default = (domain.default_escalation if domain else None) or policy.default_escalation
    name = runbook.escalation or default or LADDER.id
    right = "approval" if runbook.right == "autonomous" else runbook.right
    asks = replace(runbook, right=right, break_glass=None, escalation=name)
    return replace(
        policy, runbooks={**policy.runbooks, runbook.id: asks}, escalation_policies={LADDER.id: LADDER, **ladders}
    )
