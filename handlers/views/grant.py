"""The part of cards and receipts after the approval: how it ends, what evidence is due.

It is always the *approval* that ends: whether access is gone only a system can say.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.domain.authority.authorization import named_roles
from bot.domain.case.ask import DIES_WITH_GRANT, Ask
from bot.domain.case.lifecycle import AskState, GrantState
from bot.domain.case.model import Case, Duty
from bot.domain.policy.field_values import key_in_words
from bot.domain.policy.people import Person
from bot.domain.workflow import permit
from bot.domain.workflow.asks import renewal
from bot.domain.workflow.asks.extension import offered
from handlers import ids
from handlers.views import facts
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, Message, actions, button, message, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline
from handlers.views.kit.take_away import revoke


def grant_open(case: Case) -> bool:
    return case.grant is not None and case.grant.state is GrantState.OPEN


def revoke_button(case: Case, reader: Person, scene: ViewContext) -> Block | None:
    """On the cards of everybody who was asked and whom the policy still names, while the grant is open."""
    if not (grant_open(case) and named_roles(scene.policy, scene.domain(case.request.domain), reader)):
        return None
    return actions(ids.BLOCK_GRANT, revoke(ids.question(case.id, case.approval.version)))


def requester_buttons(case: Case, scene: ViewContext) -> Block | None:
    """On the receipt: how the requester ends it or has it longer, and how they hand in what is owed."""
    value = ids.question(case.id, case.approval.version)
    if grant_open(case):
        row = [button(wording.FINISHED, ids.FINISHED, value, "primary"), button(wording.UNUSED, ids.UNUSED, value)]
        policy, now = scene.policy, scene.now
        row += [button(wording.RENEW, ids.RENEW, value)] if renewal.offered(case, policy, now) else []
        row += [button(wording.PERMIT, ids.PERMIT, value)] if permit.is_theirs(case, policy) else []
        row += [button(wording.EXTEND, ids.EXTEND, value)] if offered(case, policy, now) else []
        return actions(ids.BLOCK_GRANT, *row)
    kinds = {duty.kind for duty in case.owed()}
    row = [button(wording.ADD_EVIDENCE, ids.EVIDENCE, value, "primary")] if "evidence" in kinds else []
    row += [button(wording.ATTEST, ids.ATTEST, value)] if "rotation" in kinds else []
    return actions(ids.BLOCK_GRANT, *row) if row else None


def ending(case: Case, scene: ViewContext) -> Message:
    """Shortly before the end, to the requester; how it ended, once it did."""
    grant = case.grant
    if not grant_open(case):
        said = f"{case.id} · {facts.heading(case)}: {facts.ended(case, scene)}"
        return message(said, [section(said)])
    until = scene.at(grant.not_after) if grant else ""
    longer = f" Press *{wording.EXTEND}* if you need longer." if offered(case, scene.policy, scene.now) else ""
    said = f"{who(case.request.requester)} {case.id} · {facts.heading(case)}: the approval ends at {until}.{longer} Stop work then."
    return message(said, [section(said), requester_buttons(case, scene)])


def overtaken(case: Case, reader: Person, what: str, by: Person | None, at_ms: int, scene: ViewContext) -> Message:
    """Why an access that was approved has ended: a no had been said before, while the log could not take it."""
    said = {"denied": "said no", "withdrawn": "took the request back"}.get(what, "ended the access")
    at, author = scene.at(datetime.fromtimestamp(at_ms / 1000, UTC)), who(by) if by else "Somebody on the host"
    head = f"{who(reader)} {case.id} · {facts.heading(case)}: {author} {said} at {at}, while the decision log could not be reached."
    over = "It has ended, although more time was given since." if what == "ended" else facts.opened_and_ended(case, scene)
    return message(f"{head} {over}", [section(f"{head} {over}")])


def expiring(case: Case, reader: Person, scene: ViewContext) -> Message:
    """The date of an exception comes near, or is reached: to the requester with **Renew**, and to the owner."""
    request, grant = case.request, case.grant
    asks = reader == request.requester
    until = scene.at(grant.not_after) if grant else ""
    head = f"{who(reader)} {case.id} · {facts.heading(case)}: the exception of {scene.provider(request.provider)}"
    if not grant_open(case):
        said = f"{head} ended at {until}. The rule applies again."
        return message(said, [section(said)])
    runbook = scene.policy.runbooks.get(request.runbook)
    can = renewal.offered(case, scene.policy, scene.now)
    press = f" Press *{wording.RENEW}* if it is still needed." if asks else ""
    more = f"{press} Renewals left: {renewal.left(case, runbook)}." if can else " It cannot be renewed now."
    said = f"{head} ends at {until}.{more}"
    return message(said, [section(said), requester_buttons(case, scene) if asks else None])


def owed(case: Case, scene: ViewContext) -> Message:
    """What is still owed, to the requester, once a day until it comes."""
    if not case.owed():
        said = f"{case.id} · {facts.heading(case)}: everything due is received. Nothing is left to do."
        return message(said, [section(said)])
    lines = "\n".join(f"• {_duty(duty, scene)}" for duty in case.owed())
    said = f"{who(case.request.requester)} {case.id} · {facts.heading(case)}: {wording.OWED}\n{lines}"
    return message(said, [section(said), requester_buttons(case, scene)])


def owed_lines(case: Case, scene: ViewContext) -> list[str]:
    """What came and what is owed, for the receipt and the review."""
    told = {"verification"} if facts.pending(case) else set[str]()  # beside what a yes waits for
    came = [f"{_came(d)} {scene.at(d.done_at)}" for d in case.duties if d.done_at is not None and d.kind not in told]
    return came + [f"*Still due:* {_duty(duty, scene)}" for duty in case.owed()]


def extension(case: Case, version: int, scene: ViewContext) -> Message:
    """What became of the wish for more time, to the requester. `version`: of its ask; 0 for the newest that was answered."""
    ask, grant = case.question(version) if version else _newest_answered(case), case.grant
    head = f"{who(case.request.requester)} {case.id} · {facts.heading(case)}: "
    if ask is not None and ask.kind == "renewal":
        said = head + _renewal(ask, case, scene)
    elif ask is not None and ask.state is AskState.YES and grant is not None:
        said = f"{head}more time is approved, until {scene.at(grant.not_after)}."
        if not grant_open(case):
            said = f"{head}more time was approved. {facts.ended(case, scene)}"
    else:
        ends = f"Access ends at {scene.at(grant.not_after)}." if grant and grant_open(case) else facts.ended(case, scene)
        said = f"{head}more time was denied. {ends}"
    reason = "\n".join(facts.reason_of(ask, "denial")) if ask is not None else ""
    quoted = f"\n{reason}" if reason else ""
    return message(said + quoted, [section(said + quoted)])


def _newest_answered(case: Case) -> Ask | None:
    asks = [a for a in case.later if a.kind in DIES_WITH_GRANT and a.state in (AskState.YES, AskState.NO)]
    return asks[-1] if asks else None


def _renewal(ask: Ask, case: Case, scene: ViewContext) -> str:
    grant = case.grant
    until = scene.at(grant.not_after) if grant else ""
    if not grant_open(case):
        return f"the renewal was {'approved' if ask.state is AskState.YES else 'denied'}. {facts.ended(case, scene)}"
    if ask.state is AskState.YES:
        return f"the renewal is approved; the exception holds until {until}."
    return f"the renewal was denied. The exception ends at {until}."


def _came(duty: Duty) -> str:
    said = name(duty)
    return f"{said[:1].upper()}{said[1:]} {'verified' if duty.kind == 'verification' else 'received'}"


def _duty(duty: Duty, scene: ViewContext) -> str:
    return f"{name(duty)}, by {scene.at(duty.due_at)}"


def name(duty: Duty) -> str:
    """What a duty is called."""
    return wording.ROTATION if duty.kind == "rotation" else inline(key_in_words(duty.name), 80)
