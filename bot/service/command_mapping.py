"""What came in, as the domain knows it: a form, a page to show. Pure.

An act is what the inbox keeps, in plain values; what a form left empty or a person mistyped is nothing here.
"""

from __future__ import annotations

from dataclasses import asdict

from bot.domain.case.transition import Lane, Notification, Transition, Visit
from bot.domain.workflow import filing, filing_form, notifications
from bot.ports.commands import Command, FileRequest, ReplyAddress, SaySentence, ShowPage, read_day


def form_of(act: FileRequest) -> filing_form.Form:
    """What a person filed."""
    return filing_form.Form(
        act.id, act.person, act.runbook, act.target, act.reason, act.seconds, act.fields, act.subject, act.door,
        read_day(act.until),
    )  # fmt: skip


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
