"""Proof of identity before a reset: the requester attests each method, and no yes is possible before.

- Each method of the runbook's `subject_verification` is attested once, by the requester alone, with a reference and the
  time at which it was done. It decides nothing: the owner reads it on the card and may still say no.
- The subject is never asked and never decides (`rights`); they are notified of the reset before and after it, without its reason.
Design, sections 2 and 4; NIST SP 800-53 IA-12.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.domain.case.ask import Remark
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.model import Case, Duty
from bot.domain.case.transition import Transition
from bot.domain.decision_log import events
from bot.domain.policy.field_values import key_in_words
from bot.domain.policy.model import Policy, Runbook
from bot.domain.workflow import autonomous_rights, notifications
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.refusals import closed, refuse
from bot.domain.workflow.wake import wake_at

REFERENCE_MAX = 200


def duties(runbook: Runbook, now: datetime, expires_at: datetime) -> tuple[Duty, ...]:
    """What the requester has to attest before an approval. Nobody is reminded: without it the request expires."""
    return tuple(Duty("verification", name, now, expires_at, None) for name in runbook.subject_verification)


def attest(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """`click.name` is the method, `click.reason` the reference, `click.moment` when it was done."""
    no = may_attest(case, policy, click, now)
    duty = next((d for d in case.verifications() if d.name == click.name and d.done_at is None), None)
    if no is None and (duty is None or not click.reason):
        no = Rejected(Refusal.STALE, "stale", {})
    if no is not None or duty is None or click.moment is None or click.moment > now:
        return refuse(case, policy, click, no or Rejected(Refusal.STALE, "stale", {}))
    done = replace(duty, done_at=click.moment, done_by=click.person)
    note = Remark("verified", click.person, now, f"{duty.name}: {click.reason}")
    noted = case.with_approval(replace(case.approval, notes=(*case.approval.notes, note)))
    after = replace(noted, duties=tuple(done if d is duty else d for d in case.duties))
    draft = events.verified(after, policy, click.person, done, click.reason)
    effects = Effects(after, (draft,), () if after.unverified() else notifications.verified(after))
    if case.request.right == "autonomous" and not after.unverified():
        effects = effects.then(autonomous_rights.ready(after, policy, now))
    wake = wake_at(effects.case, policy, now)
    return Transition(case, effects.case, effects.drafts, effects.says, wake, case.approval.expires_at, refresh=True)


def may_attest(case: Case, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """Why this person can attest nothing here; None if they can."""
    if not policy.humans.same(click.person, case.request.requester):
        text = f"Only the requester can attest how the person was verified. Write to {policy.contact}."
        return Rejected(Refusal.UNAUTHORISED, "plain", {"text": text})
    no = closed(case, now)
    if no is None and not case.unverified():
        no = Rejected(Refusal.LOST, "nothing_owed", {})
    gone = autonomous_rights.gone(case, policy, now) if no is None and case.request.right == "autonomous" else None
    return no if gone is None else Rejected(Refusal.STALE, "plain", {"text": gone})


def said(methods: Iterable[str]) -> str:
    """Methods as words: `manager_callback` is *manager callback*."""
    return ", ".join(key_in_words(name) for name in methods)
