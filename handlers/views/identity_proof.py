"""Proof of identity before a reset, and the wait after its yes: what card, receipt and subject read."""

from __future__ import annotations

from bot.domain.case.model import Case, Duty
from bot.domain.policy.people import Person
from bot.domain.timing import cooling_off
from bot.domain.workflow.identity_proof import said as methods
from handlers import ids
from handlers.views import facts
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, Message, actions, button, message, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline


def lines(case: Case, scene: ViewContext, *, to_approver: bool = False) -> list[str]:
    """Of a pending case: what a yes still waits for, until when what it opens waits, and what is attested."""
    done = list[str]()
    missing = case.unverified()
    if missing:
        asker, nobody = who(case.request.requester), "You can't" if to_approver else "Nobody can"
        done.append(
            f"*Not verified yet.* {nobody} approve yet. Waiting for {asker} to confirm: {inline(methods(missing), 600)}."
        )
    opens_at = case.approval.opens_at
    if opens_at is not None:
        done.append(
            f"*Approved, and waiting.* It opens at {scene.at(opens_at)}, unless somebody says no, revokes or withdraws."
        )
    elif case.request.terms.not_before is not None and facts.pending(case):
        earliest = case.request.filed_at + case.request.terms.real(case.request.terms.not_before)
        done.append(f"If approved, access starts at {scene.at(earliest)} at the earliest.")
    return done + [_done(case, d, scene) for d in case.verifications() if d.done_at]


def _done(case: Case, duty: Duty, scene: ViewContext) -> str:
    """What was done, when, and where it is found again."""
    head, when = f"*Verified:* {inline(methods([duty.name]), 80)}", scene.at(duty.done_at) if duty.done_at else ""
    noted = (n.text for n in case.approval.noted("verified") if n.text.startswith(f"{duty.name}: "))
    reference = next(noted, "").partition(": ")[2]
    return f"{head}, at {when}" + (f": {inline(reference, 400)}" if reference else "")


def attest_button(case: Case) -> Block | None:
    """On the receipt, while something is to be attested."""
    if not (facts.pending(case) and case.unverified()):
        return None
    return actions(
        ids.BLOCK_PROOF,
        button(wording.ATTEST, ids.VERIFY, ids.question(case.id, case.approval.version), "primary"),
    )


def verified(case: Case, reader: Person) -> Message:
    """In the thread under the card: a yes is possible now; once it is decided, only that it was verified."""
    done = inline(methods(d.name for d in case.verifications()), 600)
    said = f"{who(reader)} {case.id} · {facts.heading(case)}: verified ({done}).{' You can approve now.' if facts.pending(case) else ''}"
    return message(said, [section(said)])


def cooling(case: Case, scene: ViewContext) -> Message:
    """To the requester, when the quorum is met: nothing is open yet; once it is open or over, its state."""
    if not cooling_off.waits(case):
        stands = facts.ended(case, scene) or facts.outcome(case, scene) or "more approval is needed."
        return message(
            f"{case.id} · {facts.heading(case)}: {stands}", [section(f"{case.id} · {facts.heading(case)}: {stands}")]
        )
    opens_at = case.approval.opens_at
    until = f" It opens at {scene.at(opens_at)}, unless somebody says no until then. Do nothing before." if opens_at else ""
    said = f"{who(case.request.requester)} {case.id} · {facts.heading(case)}: approved.{until}"
    return message(said, [section(said)])


def to_subject(case: Case, moment: str, scene: ViewContext) -> Message:
    """To the person whose credential is reset: that it was asked for, and that it may happen now. Never why."""
    request = case.request
    subject, asker = request.subject or request.requester, who(request.requester)
    provider, contact = scene.provider(request.provider), inline(scene.policy.contact, 200)
    if moment == "before":
        did = f"{asker} of *{provider}* asked at {scene.at(request.filed_at)} for this, about you: *{facts.heading(case)}*."
    else:
        now = "may happen now" if facts.access_open(case, scene) else "is over"
        did = f"This was approved and {now}, about you: *{facts.heading(case)}*, by {asker} of *{provider}*."
    said = f"{who(subject)} {did} You decide nothing here. If you did not want it, write to {contact} at once. ({case.id})"
    return message(said, [section(said)])
