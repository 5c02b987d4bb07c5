"""What the provider hands in after the end: evidence, and the statement that a shared credential was rotated.

Both come from the requester, or from a lead of their provider where the requester cannot. They may come late; what was
missing in time stays in the log. The text is free text: the log holds its digest (design, section 4).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.case.ask import Remark
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.model import Case, Duty
from bot.domain.case.transition import Transition
from bot.domain.decision_log import grant_events
from bot.domain.policy.model import Policy
from bot.domain.workflow.refusals import refuse
from bot.domain.workflow.wake import wake_at

TYPES = {"evidence": "evidence.added", "attest": "rotation.attested"}
KIND_OF = {"evidence": "evidence", "attest": "rotation"}


def hand_in(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """`click.action` is `evidence` or `attest`; `click.name` which one is meant, `click.reason` what was written."""
    duty = _meant(case, click)
    no = may_hand_in(case, policy, click, now)
    if no is not None or duty is None:
        return refuse(case, policy, click, no or Rejected(Refusal.LOST, "nothing_owed", {}))
    done = replace(duty, done_at=now, done_by=click.person, chase_at=None)
    duties = tuple(done if d is duty else d for d in case.duties)
    note = Remark("evidence", click.person, now, f"{duty.name}: {click.reason}" if click.reason else duty.name)
    after = replace(case, duties=duties).with_ask(replace(case.approval, notes=(*case.approval.notes, note)))
    draft = grant_events.handed_in(after, policy, click.person, TYPES[click.action], duty.name, click.reason)
    return Transition(case, after, (draft,), (), wake_at(after, policy, now), refresh=True)


def may_hand_in(case: Case, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """Why nothing can be handed in by this person; None if it can."""
    provider = policy.providers.get(case.request.provider)
    theirs = policy.humans.same(click.person, case.request.requester)
    if not theirs and not (provider is not None and provider.leads_include(click.person)):
        text = f"Only the requester, or a lead of their provider, can submit this. Write to {policy.contact}."
        return Rejected(Refusal.UNAUTHORISED, "plain", {"text": text})
    if not any(d.kind == KIND_OF[click.action] for d in case.owed()):
        return Rejected(Refusal.LOST, "nothing_owed", {})
    return None


def _meant(case: Case, click: Click) -> Duty | None:
    fitting = [d for d in case.owed() if d.kind == KIND_OF[click.action]]
    return next((d for d in fitting if d.name == click.name), fitting[0] if fitting and not click.name else None)
