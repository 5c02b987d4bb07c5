"""The organisation's own sealed path, outside the bot: its use is entered afterwards, and a review of it is owed.

Nobody asked for it and nobody approved it: it is recorded and shown as *used without approval*. Whoever is named for a
domain records it; neither they nor the one who used the path reviews it. Where "an emergency path must exist" meets
"silence denies". Design, sections 3 and 6; governance.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.authority.authorization import Allowed, Refused, may_record
from bot.domain.case.lifecycle import RequestState
from bot.domain.case.model import Case, FieldValue, Request, Terms
from bot.domain.case.transition import LogEvent, Transition
from bot.domain.decision_log import events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import follow_up, notifications
from bot.domain.workflow.asks import engine
from bot.domain.workflow.filing_form import FieldError
from bot.domain.workflow.wake import wake_at

TITLE = "Use of the sealed path"
REVIEW_WITHIN, WHAT_MAX, REFERENCE_MAX = 86_400, 1000, 200  # seconds of policy; characters
_AHEAD = timedelta(minutes=5)  # clocks of people and of the bot need not agree to the second


@dataclass(frozen=True, slots=True)
class Use:
    """What is recorded: who used the path of a domain when, what they did, and its reference in another system."""

    id: str
    recorder: Person
    domain: str
    used_at: datetime
    used_by: Person
    what: str
    reference: str


def check(use: Use, now: datetime) -> tuple[FieldError, ...]:
    """Everything wrong with the form: `at`, `what` or `reference`."""
    errors = []
    if use.used_at > now + _AHEAD:
        errors.append(FieldError("at", "That time is in the future. Say when it was used."))
    if not use.what.strip() or len(use.what) > WHAT_MAX:
        errors.append(FieldError("what", f"Say what was done, in at most {WHAT_MAX:,} characters."))
    if not use.reference.strip() or len(use.reference) > REFERENCE_MAX:
        errors.append(
            FieldError("reference", f"Name a ticket, or where it is written down, in at most {REFERENCE_MAX} characters.")
        )
    return tuple(errors)


def record(
    policy: Policy, use: Use, profile: Profile, presence: Presence, now: datetime, scale: float, reply: dict[str, object]
) -> Transition:
    """The use, its review, and the people asked; or a refusal that writes one entry."""
    allowed = may_record(policy, use.domain, use.recorder, profile)
    wrong = check(use, now)
    if isinstance(allowed, Refused) or wrong:
        text = allowed.reason if isinstance(allowed, Refused) else " ".join(error.text for error in wrong)
        why = allowed.why if isinstance(allowed, Refused) else "stale"
        who, data = events.actor(policy, use.recorder), {"action": "sealed_use", "why": str(why)}
        says = (notifications.answer(None, use.recorder, reply, "plain", text=text),)
        return Transition(None, None, (LogEvent("decision.refused", who, data=dict(data)),), says)
    assert isinstance(allowed, Allowed)
    return _recorded(policy, use, presence, now, scale, reply)


def _recorded(
    policy: Policy, use: Use, presence: Presence, now: datetime, scale: float, reply: dict[str, object]
) -> Transition:
    window = Terms(scale=scale).real(REVIEW_WITHIN)
    request = Request(
        id=use.id, kind="emergency_access", right="immediate", runbook="", runbook_sha256="", policy_sha256=policy.digest,
        title=TITLE, domain=use.domain, provider="", requester=use.recorder, target=use.reference.strip(),
        reason=use.what.strip(), fields=(FieldValue("used_at", "Used at", str(int(use.used_at.timestamp()))),), seconds=0,
        filed_at=now, expires_at=now + window, state=RequestState.OPENED, closed_at=now, subject=use.used_by,
        terms=Terms(review_within=REVIEW_WITHIN, scale=scale),
    )  # fmt: skip
    effects = follow_up.opened(Case(request, ()), policy, "review", window, now)
    case, drafts = effects.case, (events.sealed_use(effects.case, policy, use.used_at), *effects.drafts)
    asked = engine.step(case, case.asks[0], policy, presence, now)
    says = (
        notifications.answer(case.id, use.recorder, reply, "sealed_recorded", id=case.id),
        *notifications.channel_line(case, policy, "sealed_use.recorded"),
        *asked.says,
    )
    return Transition(None, asked.case, (*drafts, *asked.drafts), says, wake_at(asked.case, policy, now))
