"""Buttons, and the choice of a runbook in the form.

A click is written down before it is acknowledged; what it does is the worker's. **Deny** opens its form beside that, and
only for somebody who would be heard: to everybody else the worker's refusal is the answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog

from bot.domain.authority.authorization import Allowed
from bot.domain.errors import LookupFailed
from bot.ports.commands import Decide, Decision, Reach, SaySentence
from handlers import ids
from handlers.asking import about
from handlers.inbound import payloads
from handlers.inbound.after_approval import AFTER_ACTIONS, offer_evidence
from handlers.inbound.discussion import BESIDE_ACTIONS
from handlers.inbound.home import HOME_ACTIONS
from handlers.inbound.listener import NOTHING, Answer, Listener, SlackEdge, nothing
from handlers.inbound.operator import OPERATOR_ACTIONS
from handlers.inbound.payloads import Body
from handlers.inbound.permits import PERMIT_ACTIONS
from handlers.views.dialogs import DialogContext, deny_form
from handlers.views.request_form import form, read_metadata

log = structlog.get_logger(__name__)


def decided(decision: Decision) -> Callable[[SlackEdge, Body], Awaitable[Answer]]:
    """One click is one decision."""

    async def take(edge: SlackEdge, body: Body) -> Answer:
        press = payloads.press(body)
        return await edge.take_in(press.key, about(press, lambda c, v: Decide(press.person, c, v, decision, press.reply)))

    return take


async def reach(edge: SlackEdge, body: Body) -> Answer:
    """Deny was pressed: the worker judges whether this person would be heard, and refuses where not."""
    press = payloads.press(body)
    return await edge.take_in(press.key, about(press, lambda c, v: Reach(press.person, c, v, press.reply)))


async def open_deny(edge: SlackEdge, body: Body) -> None:
    """The form for a no, while the trigger lives; silence where the worker answers."""
    press = payloads.press(body)
    asked = ids.read_question(press.value)
    if asked is None:
        return
    case_id, version = asked
    try:
        allowed = await edge.desk.may_open(Reach(press.person, case_id, version, press.reply))
    except LookupFailed as error:
        log.info("deny.not_opened", error=str(error))
        return
    if isinstance(allowed, Allowed):
        view = deny_form(DialogContext(ids.question(case_id, version), press.reply.channel), case_id)
        await edge.open_view(press.trigger, view, takes_away=True)


async def rebuild_form(edge: SlackEdge, body: Body) -> None:
    """Another runbook was chosen: its questions, and what was typed so far."""
    press = payloads.press(body)
    sheet = press.sheet
    if sheet is None or sheet.callback != ids.FORM_ASK:
        return
    draft = read_metadata(sheet.metadata, sheet.entered, press.value)
    offered = edge.desk.runbooks_for(press.person, draft.kind)
    if offered:
        debt = await edge.glass_debt(press.person, draft.chosen)
        left = await edge.left(press.person, draft.chosen)
        await edge.update_view(sheet.id, sheet.hash, form(draft, offered, edge.scene(), debt, left))


async def unknown(edge: SlackEdge, body: Body) -> Answer:
    """A button that this release does not have is answered; a choice made somewhere is only acknowledged."""
    press = payloads.press(body)
    if press.sheet is not None or not press.value:
        return NOTHING
    return await edge.take_in(press.key, SaySentence(press.person, "unknown_button", "", press.reply))


ACTIONS: Mapping[str, Listener] = {
    ids.APPROVE: Listener(decided("approve")),
    ids.DENY: Listener(reach, open_deny),
    ids.WITHDRAW: Listener(decided("withdraw")),
    ids.FINISHED: Listener(decided("finish"), offer_evidence),
    ids.UNUSED: Listener(decided("unused")),
    ids.REVOKE: Listener(decided("revoke")),
    ids.ACCEPT: Listener(decided("accept")),
    ids.RATIFY: Listener(decided("ratify")),
    ids.RESTORE: Listener(decided("restore")),
    ids.KEEP: Listener(decided("keep")),
    ids.WITHDRAW_RIGHT: Listener(decided("withdraw_right")),
    **AFTER_ACTIONS,
    **PERMIT_ACTIONS,
    ids.RUNBOOK: Listener(nothing, rebuild_form),
    **BESIDE_ACTIONS,
    **OPERATOR_ACTIONS,
    **HOME_ACTIONS,
}
ANY_ACTION = Listener(unknown)
