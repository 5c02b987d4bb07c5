"""What came in, as the domain knows it: a form, a click, a page to show. Pure.

An act is what the inbox keeps, in plain values; what a form left empty or a person mistyped is nothing here.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime

from bot.domain.case.click import Click
from bot.domain.case.transition import Lane, Notification, Transition, Visit
from bot.domain.workflow import filing, filing_form, notifications
from bot.ports.commands import Beside, Command, Decide, FileRequest, Reach, ReplyAddress, SaySentence, ShowPage


def form_of(act: FileRequest) -> filing_form.Form:
    """What a person filed."""
    return filing_form.Form(
        act.id, act.person, act.runbook, act.target, act.reason, act.seconds, act.fields, act.subject, act.door,
        _day(act.until),
    )  # fmt: skip


def click_of(act: Decide | Reach | Beside) -> Click:
    """What a person pressed, whichever door it came through."""
    place = where(act.reply)
    if isinstance(act, Decide):
        return Click(act.person, act.decision, act.version, place, act.reason, act.seconds, until=_day(act.until))
    if isinstance(act, Beside):
        moment = datetime.fromisoformat(act.at) if act.at else None
        until = _day(act.until)
        return Click(act.person, act.deed, act.version, place, act.text, act.seconds, act.name, until, moment)
    return Click(act.person, act.action, act.version, place)


def _day(text: str) -> date | None:
    """A day as a form gives it; None where none was chosen."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def where(reply: ReplyAddress) -> dict[str, object]:
    """Where the answer goes, as what is said carries it."""
    return asdict(reply)


def while_stopped(act: Command) -> Transition:
    """The sentence for what a stopped log does not let through; it leaves no entry."""
    if isinstance(act, FileRequest):
        params: dict[str, object] = {"id": act.id}
        says = filing.told(None, act.person, "stopped", params, act.form)
    else:
        says = (notifications.answer(getattr(act, "case", None), act.person, where(act.reply), "stopped"),)
    return Transition(None, None, says=says)


def page_of(act: ShowPage | SaySentence) -> Transition:
    """Saying a sentence or showing a page; nothing else changes. A look at the Home tab is noted too."""
    if isinstance(act, SaySentence):
        says = (notifications.answer(None, act.person, where(act.reply), act.sentence, argument=act.argument),)
    elif act.page == "home":
        visit = Visit(act.person, int(act.argument) if act.argument.isdecimal() else 1)
        return Transition(None, None, says=(notifications.home(act.person),), visit=visit)
    else:
        data = {"reply": where(act.reply), "page": act.page, "argument": act.argument}
        says = (Notification("page", Lane.CARD, to=act.person, data=data),)
    return Transition(None, None, says=says)
