"""Buttons, the forms behind some of them, and the choice of a runbook in the form.

A click is written down before it is acknowledged; what it does is the worker's, by its row in `bot.service.actions`. A
button with a form also opens it, but only for a person whose press would count: everybody else gets the worker's
refusal is the answer. A new button is one line of `BUTTONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial

import structlog

from bot.domain.authority.authorization import Allowed
from bot.domain.case.model import Case
from bot.domain.errors import LookupFailed
from bot.ports.commands import Press, ReplyAddress, SaySentence
from bot.service.actions import ACTIONS as TABLE
from handlers import ids
from handlers.inbound import commands, form_inputs, payloads, permits
from handlers.inbound.agreement import MATRIX_ACTIONS
from handlers.inbound.campaigns import REVIEW_ACTIONS
from handlers.inbound.form_inputs import Entered, FieldProblem, Read
from handlers.inbound.home import HOME_ACTIONS
from handlers.inbound.listener import NOTHING, AfterAck, Answer, Listener, SlackEdge, nothing, press_on
from handlers.inbound.operator import OPERATOR_ACTIONS
from handlers.inbound.payloads import Body
from handlers.inbound.roster import ROSTER_ACTIONS
from handlers.views.dialogs import DialogContext, deny_form, read_asked
from handlers.views.discussion import less_form, text_form
from handlers.views.findings import cards as finding_cards
from handlers.views.findings.form import form
from handlers.views.grant import grant_open
from handlers.views.kit.blocks import Block
from handlers.views.receipt import body_of
from handlers.views.request_form import read_metadata
from handlers.views.reviews import forms as review_forms

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Form:
    """A form behind a button: its callback_id, how it looks, how its inputs are read, and which action it sends where that is
    not the button's own. `while_stopped`: it takes something away, so it opens while the log is stopped too. `shows_body`: it
    shows a part of the runbook's body as filed."""

    callback: str
    view: Callable[[DialogContext, Case], Block]
    read: Callable[[Entered, datetime], Read]
    sends: str = ""
    while_stopped: bool = False
    shows_body: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """A button about a case: its action_id, its row in `bot.service.actions`, its form if it has one, and what else runs after
    the acknowledgement."""

    id: str
    action: str
    form: Form | None = None
    beside: AfterAck | None = None

    @property
    def opens_form(self) -> bool:
        """The click itself changes nothing."""
        return self.form is not None or TABLE[self.action].carry_out is None


async def offer_evidence(edge: SlackEdge, body: Body) -> None:
    """**Finished** acts at the click; the form for the evidence that will be due opens as well, for a requester who ends their own
    request. It may be closed: what is not handed in stays owed."""
    press = payloads.press(body)
    asked = ids.read_question(press.value)
    case = await edge.store.cases.case(asked[0]) if asked else None
    if case is None or case.request.requester != press.person or case.grant is None or not case.request.terms.evidence:
        return
    if not grant_open(case) and not any(duty.kind == "evidence" for duty in case.owed()):
        return  # it had already ended with nothing due: the worker replies with that
    if not await edge.covered():
        return  # it stays owed, and a stopped log would not take it now
    await edge.open_view(press, review_forms.evidence_form(DialogContext(press.value, press.reply.channel), case))


BUTTONS = (
    Button(ids.APPROVE, "approve"),
    Button(ids.LESS, "less", Form(ids.FORM_LESS, less_form, form_inputs.less, sends="approve")),
    Button(
        ids.DENY, "deny",
        Form(ids.FORM_DENY, lambda asked, case: deny_form(asked, case.id), form_inputs.deny, while_stopped=True),
    ),
    Button(ids.WITHDRAW, "withdraw"),
    Button(ids.QUESTION, "question", Form(ids.FORM_QUESTION, partial(text_form, "question"), form_inputs.text)),
    Button(ids.ANSWER, "answer", Form(ids.FORM_ANSWER, partial(text_form, "answer"), form_inputs.text)),
    Button(ids.HOLD, "hold"),
    Button(ids.PASS, "pass"),
    Button(ids.PUSH, "push", Form(ids.FORM_PUSH, partial(text_form, "push"), form_inputs.text)),
    Button(ids.RECOMMEND, "for"),
    Button(ids.ADVISE_AGAINST, "against"),
    Button(ids.HERE, "here"),
    Button(ids.ACKNOWLEDGE, "acknowledge"),
    Button(ids.CLOSE, "close", Form(ids.FORM_CLOSE, finding_cards.close_form, form_inputs.closing)),
    Button(ids.SHARE, "share"),
    Button(ids.CORRECT, "correct", Form(ids.FORM_CORRECT, finding_cards.correct_form, form_inputs.noticed)),
    Button(ids.FINISHED, "finish", beside=offer_evidence),
    Button(ids.UNUSED, "unused"),
    Button(ids.REVOKE, "revoke"),
    Button(ids.WAS_NOT_ME, "was_not_me"),
    Button(ids.PERMIT, "permit", beside=permits.show),
    Button(ids.EXTEND, "extend", Form(ids.FORM_EXTEND, review_forms.extend_form, form_inputs.span)),
    Button(ids.RENEW, "renew", Form(ids.FORM_RENEW, review_forms.renew_form, form_inputs.last_day)),
    Button(ids.EVIDENCE, "evidence", Form(ids.FORM_EVIDENCE, review_forms.evidence_form, form_inputs.evidence)),
    Button(ids.ATTEST, "attest"),
    Button(ids.VERIFY, "verify", Form(ids.FORM_VERIFY, review_forms.verify_form, form_inputs.verified, shows_body=True)),
    Button(ids.ACCEPT, "accept"),
    Button(ids.FLAG, "flag", Form(ids.FORM_FLAG, review_forms.flag_form, form_inputs.text)),
    Button(ids.RATIFY, "ratify"),
    Button(ids.REJECT, "reject", Form(ids.FORM_REJECT, review_forms.reject_form, form_inputs.text, while_stopped=True)),
    Button(ids.RESTORE, "restore"),
    Button(ids.LIFT, "lift"),
    Button(ids.CLOSE_EXCEPTION, "close_exception"),
    Button(ids.KEEP, "keep"),
    Button(ids.WITHDRAW_RIGHT, "withdraw_right"),
)  # fmt: skip


def pressed(button: Button) -> Listener:
    """The two functions of one button."""

    async def acknowledge(edge: SlackEdge, body: Body) -> Answer:
        press = payloads.press(body)
        return await edge.take_in(press.key, press_on(press, button.action, opens_form=button.opens_form))

    async def open_form(edge: SlackEdge, body: Body) -> None:
        if button.form is not None:
            await _open(edge, payloads.press(body), button, button.form)

    return Listener(acknowledge, open_form if button.form is not None else button.beside)


async def _open(edge: SlackEdge, press: payloads.ButtonPress, button: Button, wanted: Form) -> None:
    """The form, while the trigger lives; silence where the worker answers."""
    asked = ids.read_question(press.value)
    case = await edge.store.cases.case(asked[0]) if asked else None
    if asked is None or case is None:
        return
    try:
        allowed = await edge.service.actions.may_open(
            Press(press.person, *asked, button.action, press.reply, opens_form=True)
        )
    except LookupFailed as error:
        log.info(f"{button.action}.not_opened", error=str(error))  # the worker asks them to press again
        return
    if isinstance(allowed, Allowed):
        content = await edge.store.policies.file_by_hash(case.request.runbook_sha256) if wanted.shows_body else None
        view = wanted.view(DialogContext(ids.question(*asked), press.reply.channel, body_of(content or b"")), case)
        await edge.open_view(press, view, takes_away=wanted.while_stopped)


def sent(button: Button, form: Form) -> Listener:
    """A button's form was submitted: errors are shown at their field and write no row."""

    async def acknowledge(edge: SlackEdge, body: Body) -> Answer:
        submission = payloads.submission(body)
        inputs = form.read(submission.sheet.entered, edge.clock.now())
        if isinstance(inputs, FieldProblem):
            return {"response_action": "errors", "errors": {inputs.block: inputs.text}}
        asked = read_asked(submission.sheet.metadata)
        question, reply = ids.read_question(asked.question), ReplyAddress(submission.person, "", asked.channel)
        if question is None:
            return await edge.take_in(submission.key, SaySentence(submission.person, "unknown_button", "", reply))
        press = Press(submission.person, *question, form.sends or button.action, reply)
        return await edge.take_in(submission.key, replace(press, **asdict(inputs)))

    return Listener(acknowledge)


async def rebuild_form(edge: SlackEdge, body: Body) -> None:
    """Another runbook was chosen: its questions, and what was typed so far."""
    press = payloads.choice(body)
    sheet = press.sheet
    if sheet is None or sheet.callback != ids.FORM_ASK:
        return
    draft = read_metadata(sheet.metadata, sheet.entered, press.value)
    offered = edge.service.filing.runbooks_for(press.person, draft.kind)
    if offered:
        debt = await edge.glass_debt(press.person, draft.chosen)
        left = await edge.left(press.person, draft.chosen)
        away = await edge.away(draft.chosen)
        await edge.update_view(sheet.id, sheet.hash, form(draft, offered, edge.scene(), debt, left, away))


async def unknown(edge: SlackEdge, body: Body) -> Answer:
    """A button that this release does not have is answered; a choice made somewhere is only acknowledged."""
    press = payloads.choice(body)
    if press.sheet is not None or not press.value:
        return NOTHING
    return await edge.take_in(press.key, SaySentence(press.person, "unknown_button", "", press.reply))


ACTIONS: Mapping[str, Listener] = {
    **{button.id: pressed(button) for button in BUTTONS},
    ids.RUNBOOK: Listener(nothing, rebuild_form),
    ids.SIGN: Listener(nothing),  # a link
    **commands.FORM_BUTTONS,
    **OPERATOR_ACTIONS,
    **HOME_ACTIONS,
    **MATRIX_ACTIONS,
    **REVIEW_ACTIONS,
    **ROSTER_ACTIONS,
}
ANY_ACTION = Listener(unknown)
BUTTON_FORMS: Mapping[str, Listener] = {b.form.callback: sent(b, b.form) for b in BUTTONS if b.form is not None}
