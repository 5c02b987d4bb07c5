"""What people do beside a plain yes or no: the buttons, and the forms behind some of them.

**On it**, **Pass**, **Recommend** and **Advise against** act at the click. **Approve for less…**, **Question**, **Answer**
and **Escalate now** open a form, and only for somebody who would be heard. **Ask again** opens the filing form, prefilled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from bot.acts import Away, Beside, Decide, Deed, Reach, Reply, Tell
from bot.domain.errors import LookupFailed
from bot.domain.request import Case
from bot.domain.rights import Allowed
from handlers import names, payloads
from handlers.asking import about
from handlers.commands import Absent, Opening, Sealing, opening, show_form
from handlers.edge import NOTHING, Answer, Edge, Listener
from handlers.payloads import Body
from handlers.views import wording
from handlers.views.besides import TEXT_FORMS, less_form, text_form
from handlers.views.blocks import Block
from handlers.views.dialogs import Asked, read_asked
from handlers.views.form import Draft

TEXT_MAX = 1000


def at_once(deed: Deed) -> Listener:
    """One click, one deed."""

    async def take(edge: Edge, body: Body) -> Answer:
        press = payloads.press(body)
        return await edge.take_in(press.key, about(press, lambda c, v: Beside(press.person, c, v, deed, press.reply)))

    return Listener(take)


def with_form(action: str, view: Callable[[Asked, Case], Block]) -> Listener:
    """A click that opens a form for somebody who would be heard; to everybody else the worker answers."""

    async def take(edge: Edge, body: Body) -> Answer:
        press = payloads.press(body)
        return await edge.take_in(press.key, about(press, lambda c, v: Reach(press.person, c, v, press.reply, action)))

    async def then(edge: Edge, body: Body) -> None:
        press = payloads.press(body)
        asked = names.read_question(press.value)
        case = await edge.desk.store.case(asked[0]) if asked else None
        if asked is None or case is None:
            return
        try:
            allowed = await edge.desk.may_open(Reach(press.person, *asked, press.reply, action))
        except LookupFailed:
            return  # the worker tells them to press again
        if isinstance(allowed, Allowed):
            filled = view(Asked(press.value, press.reply.channel), case)
            await edge.open_view(press.trigger, filled, takes_away=action == "reject")

    return Listener(take, then)


def text_sent(deed: Deed) -> Listener:
    """A form with one text."""

    async def take(edge: Edge, body: Body) -> Answer:
        sent = payloads.submission(body)
        text = sent.sheet.entered.get(names.REASON, "").strip()
        if not text or len(text) > TEXT_MAX:
            return {"response_action": "errors", "errors": {names.REASON: wording.TEXT_WANTED}}
        asked = read_asked(sent.sheet.metadata)
        reply = Reply(sent.person, "", asked.channel)
        question = names.read_question(asked.question)
        if question is None:
            return await edge.take_in(sent.key, Tell(sent.person, "unknown_button", "", reply))
        return await edge.take_in(sent.key, Beside(sent.person, *question, deed, reply, text))

    return Listener(take)


async def take_less(edge: Edge, body: Body) -> Answer:
    """A yes for less time than was asked for."""
    sent = payloads.submission(body)
    seconds = sent.sheet.entered.get(names.DURATION, "")
    asked = read_asked(sent.sheet.metadata)
    reply = Reply(sent.person, "", asked.channel)
    question = names.read_question(asked.question)
    if question is None:
        return await edge.take_in(sent.key, Tell(sent.person, "unknown_button", "", reply))
    until = sent.sheet.entered.get(names.UNTIL)
    if until is not None:
        if not is_day(until):
            return {"response_action": "errors", "errors": {names.UNTIL: wording.DAY_WANTED}}
        return await edge.take_in(sent.key, Decide(sent.person, *question, "approve", reply, until=until))
    if not (seconds.isascii() and seconds.isdigit() and 0 < len(seconds) < 10 and int(seconds) > 0):
        return {"response_action": "errors", "errors": {names.DURATION: wording.LESS_WANTED}}
    act = Decide(sent.person, *question, "approve", reply, seconds=int(seconds))
    return await edge.take_in(sent.key, act)


def is_day(text: str) -> bool:
    """Whether a form gave a day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


async def take_away(edge: Edge, body: Body) -> Answer:
    """An absence until the start of a day (UTC)."""
    sent = payloads.submission(body)
    try:
        back = datetime.fromisoformat(sent.sheet.entered.get(names.BACK_ON, "")[:10]).replace(tzinfo=UTC)
    except ValueError:
        back = edge.desk.clock.now()
    if back <= edge.desk.clock.now():
        return {"response_action": "errors", "errors": {names.BACK_ON: wording.AWAY_LATER}}
    reply = Reply(sent.person, "", read_asked(sent.sheet.metadata).channel)
    return await edge.take_in(sent.key, Away(sent.person, reply, until=back.isoformat()))


async def take_again(edge: Edge, body: Body) -> Answer:
    """Nothing is written down for whoever asked it, their form opens; everybody else is refused and hears why."""
    press = payloads.press(body)
    asked = names.read_question(press.value)
    case = await edge.desk.store.case(asked[0]) if asked else None
    if case is not None and case.request.requester == press.person:
        return NOTHING
    return await edge.take_in(press.key, about(press, lambda c, v: Reach(press.person, c, v, press.reply, "again")))


async def ask_again(edge: Edge, body: Body) -> None:
    """The filing form with what was asked before, for whoever asked it."""
    press = payloads.press(body)
    asked = names.read_question(press.value)
    case = await edge.desk.store.case(asked[0]) if asked else None
    if case is None or case.request.requester != press.person:
        return
    request = case.request
    entered = {names.TARGET_TEXT: request.target, names.TARGET_CHOICE: request.target, names.REASON: request.reason}
    entered[names.DURATION] = str(request.seconds)
    runbook = edge.desk.policy.runbooks.get(request.runbook)
    types = {spec.name: spec.type for spec in runbook.fields} if runbook else {}
    entered |= {names.field_action(f.name, types[f.name]): f.value for f in request.fields if f.name in types}
    opening = Opening(press.person, Draft(request.kind, request.runbook, entered))
    await show_form(edge, opening, press.trigger, press.reply, press.key)


async def take_door(edge: Edge, body: Body) -> Answer:
    """The channel button: a form for whoever may ask, a sentence for everybody else."""
    press = payloads.press(body)
    planned = opening(edge, None, "", press.reply)
    return NOTHING if isinstance(planned, Opening | Absent | Sealing) else await edge.take_in(press.key, planned)


async def open_door(edge: Edge, body: Body) -> None:
    press = payloads.press(body)
    planned = opening(edge, None, "", press.reply)
    if isinstance(planned, Opening):
        door = f"{press.reply.channel}:{press.message}" if press.message else ""  # pressed in the App Home: no channel
        opened = Opening(planned.person, replace(planned.draft, door=door))
        await show_form(edge, opened, press.trigger, press.reply, press.key)


def _text(deed: str) -> Callable[[Asked, Case], Block]:
    return lambda asked, case: text_form(deed, asked, case)


BESIDE_ACTIONS: Mapping[str, Listener] = {
    names.HOLD: at_once("hold"),
    names.PASS: at_once("pass"),
    names.RECOMMEND: at_once("for"),
    names.ADVISE_AGAINST: at_once("against"),
    names.LESS: with_form("less", less_form),
    names.QUESTION: with_form("question", _text("question")),
    names.ANSWER: with_form("answer", _text("answer")),
    names.PUSH: with_form("push", _text("push")),
    names.HERE: at_once("here"),
    names.AGAIN: Listener(take_again, ask_again),
    names.ASK_HERE: Listener(take_door, open_door),
}
BESIDE_SUBMISSIONS: Mapping[str, Listener] = {
    names.FORM_LESS: Listener(take_less),
    names.FORM_AWAY: Listener(take_away),
    **{form.callback: text_sent(form.deed) for form in TEXT_FORMS.values()},
}
