"""What people do beside a plain yes or no: the buttons, and the forms behind some of them.

**On it**, **Pass**, **Recommend** and **Advise against** act at the click. **Approve for less…**, **Question**, **Answer**
and **Escalate now** open a form, and only for somebody who would be heard. **Ask again** opens the filing form, prefilled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from bot.domain.authority.authorization import Allowed
from bot.domain.case.model import Case
from bot.domain.errors import LookupFailed
from bot.ports.commands import Beside, Decide, Deed, Reach, ReplyAddress, SaySentence, SetAbsence
from handlers import ids
from handlers.asking import about
from handlers.inbound import payloads
from handlers.inbound.commands import OpenAbsenceForm, OpenRequestForm, OpenSealedUseForm, opening, show_form
from handlers.inbound.listener import NOTHING, Answer, Listener, SlackEdge
from handlers.inbound.payloads import Body
from handlers.views.dialogs import DialogContext, read_asked
from handlers.views.discussion import TEXT_FORMS, less_form, text_form
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block
from handlers.views.request_form import FormDraft

TEXT_MAX = 1000


def at_once(deed: Deed) -> Listener:
    """One click, one deed."""

    async def take(edge: SlackEdge, body: Body) -> Answer:
        press = payloads.press(body)
        return await edge.take_in(press.key, about(press, lambda c, v: Beside(press.person, c, v, deed, press.reply)))

    return Listener(take)


def with_form(action: str, view: Callable[[DialogContext, Case], Block]) -> Listener:
    """A click that opens a form for somebody who would be heard; to everybody else the worker answers."""

    async def take(edge: SlackEdge, body: Body) -> Answer:
        press = payloads.press(body)
        return await edge.take_in(press.key, about(press, lambda c, v: Reach(press.person, c, v, press.reply, action)))

    async def then(edge: SlackEdge, body: Body) -> None:
        press = payloads.press(body)
        asked = ids.read_question(press.value)
        case = await edge.desk.store.case(asked[0]) if asked else None
        if asked is None or case is None:
            return
        try:
            allowed = await edge.desk.may_open(Reach(press.person, *asked, press.reply, action))
        except LookupFailed:
            return  # the worker tells them to press again
        if isinstance(allowed, Allowed):
            filled = view(DialogContext(press.value, press.reply.channel), case)
            await edge.open_view(press.trigger, filled, takes_away=action == "reject")

    return Listener(take, then)


def text_sent(deed: Deed) -> Listener:
    """A form with one text."""

    async def take(edge: SlackEdge, body: Body) -> Answer:
        sent = payloads.submission(body)
        text = sent.sheet.entered.get(ids.REASON, "").strip()
        if not text or len(text) > TEXT_MAX:
            return {"response_action": "errors", "errors": {ids.REASON: wording.TEXT_WANTED}}
        asked = read_asked(sent.sheet.metadata)
        reply = ReplyAddress(sent.person, "", asked.channel)
        question = ids.read_question(asked.question)
        if question is None:
            return await edge.take_in(sent.key, SaySentence(sent.person, "unknown_button", "", reply))
        return await edge.take_in(sent.key, Beside(sent.person, *question, deed, reply, text))

    return Listener(take)


async def take_less(edge: SlackEdge, body: Body) -> Answer:
    """A yes for less time than was asked for."""
    sent = payloads.submission(body)
    seconds = sent.sheet.entered.get(ids.DURATION, "")
    asked = read_asked(sent.sheet.metadata)
    reply = ReplyAddress(sent.person, "", asked.channel)
    question = ids.read_question(asked.question)
    if question is None:
        return await edge.take_in(sent.key, SaySentence(sent.person, "unknown_button", "", reply))
    until = sent.sheet.entered.get(ids.UNTIL)
    if until is not None:
        if not is_day(until):
            return {"response_action": "errors", "errors": {ids.UNTIL: wording.DAY_WANTED}}
        return await edge.take_in(sent.key, Decide(sent.person, *question, "approve", reply, until=until))
    if not (seconds.isascii() and seconds.isdigit() and 0 < len(seconds) < 10 and int(seconds) > 0):
        return {"response_action": "errors", "errors": {ids.DURATION: wording.LESS_WANTED}}
    act = Decide(sent.person, *question, "approve", reply, seconds=int(seconds))
    return await edge.take_in(sent.key, act)


def is_day(text: str) -> bool:
    """Whether a form gave a day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


async def take_away(edge: SlackEdge, body: Body) -> Answer:
    """An absence until the start of a day (UTC)."""
    sent = payloads.submission(body)
    try:
        back = datetime.fromisoformat(sent.sheet.entered.get(ids.BACK_ON, "")[:10]).replace(tzinfo=UTC)
    except ValueError:
        back = edge.desk.clock.now()
    if back <= edge.desk.clock.now():
        return {"response_action": "errors", "errors": {ids.BACK_ON: wording.AWAY_LATER}}
    reply = ReplyAddress(sent.person, "", read_asked(sent.sheet.metadata).channel)
    return await edge.take_in(sent.key, SetAbsence(sent.person, reply, until=back.isoformat()))


async def take_again(edge: SlackEdge, body: Body) -> Answer:
    """Nothing is written down for whoever asked it, their form opens; everybody else is refused and hears why."""
    press = payloads.press(body)
    asked = ids.read_question(press.value)
    case = await edge.desk.store.case(asked[0]) if asked else None
    if case is not None and case.request.requester == press.person:
        return NOTHING
    return await edge.take_in(press.key, about(press, lambda c, v: Reach(press.person, c, v, press.reply, "again")))


async def ask_again(edge: SlackEdge, body: Body) -> None:
    """The filing form with what was asked before, for whoever asked it."""
    press = payloads.press(body)
    asked = ids.read_question(press.value)
    case = await edge.desk.store.case(asked[0]) if asked else None
    if case is None or case.request.requester != press.person:
        return
    request = case.request
    entered = {ids.TARGET_TEXT: request.target, ids.TARGET_CHOICE: request.target, ids.REASON: request.reason}
    entered[ids.DURATION] = str(request.seconds)
    runbook = edge.desk.policy.runbooks.get(request.runbook)
    types = {spec.name: spec.type for spec in runbook.fields} if runbook else {}
    entered |= {ids.field_action(f.name, types[f.name]): f.value for f in request.fields if f.name in types}
    opening = OpenRequestForm(press.person, FormDraft(request.kind, request.runbook, entered))
    await show_form(edge, opening, press.trigger, press.reply, press.key)


async def take_door(edge: SlackEdge, body: Body) -> Answer:
    """The channel button: a form for whoever may ask, a sentence for everybody else."""
    press = payloads.press(body)
    planned = opening(edge, None, "", press.reply)
    return (
        NOTHING
        if isinstance(planned, OpenRequestForm | OpenAbsenceForm | OpenSealedUseForm)
        else await edge.take_in(press.key, planned)
    )


async def open_door(edge: SlackEdge, body: Body) -> None:
    press = payloads.press(body)
    planned = opening(edge, None, "", press.reply)
    if isinstance(planned, OpenRequestForm):
        door = f"{press.reply.channel}:{press.message}" if press.message else ""  # pressed in the App Home: no channel
        opened = OpenRequestForm(planned.person, replace(planned.draft, door=door))
        await show_form(edge, opened, press.trigger, press.reply, press.key)


def _text(deed: str) -> Callable[[DialogContext, Case], Block]:
    return lambda asked, case: text_form(deed, asked, case)


BESIDE_ACTIONS: Mapping[str, Listener] = {
    ids.HOLD: at_once("hold"),
    ids.PASS: at_once("pass"),
    ids.RECOMMEND: at_once("for"),
    ids.ADVISE_AGAINST: at_once("against"),
    ids.LESS: with_form("less", less_form),
    ids.QUESTION: with_form("question", _text("question")),
    ids.ANSWER: with_form("answer", _text("answer")),
    ids.PUSH: with_form("push", _text("push")),
    ids.HERE: at_once("here"),
    ids.AGAIN: Listener(take_again, ask_again),
    ids.ASK_HERE: Listener(take_door, open_door),
}
BESIDE_SUBMISSIONS: Mapping[str, Listener] = {
    ids.FORM_LESS: Listener(take_less),
    ids.FORM_AWAY: Listener(take_away),
    **{form.callback: text_sent(form.deed) for form in TEXT_FORMS.values()},
}
