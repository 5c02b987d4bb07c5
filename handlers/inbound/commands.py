"""Slash commands, the global shortcut and the buttons that open the filing form: the input becomes a form to open, a page to show or a message to send.

A command that opens a form writes nothing. Every other is an inbox row, and its answer comes from the outbox.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from bot.clock import read_request_id
from bot.domain.policy.model import Kind
from bot.domain.policy.people import Person
from bot.domain.workflow.filing_form import REASON_MAX
from bot.ports.commands import (
    CARDS,
    Command,
    Page,
    PostButton,
    ReplyAddress,
    SaySentence,
    SetAbsence,
    ShowPage,
    SuspendProvider,
)
from bot.service.sealed_use import domains_of
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.listener import NOTHING, Answer, Gesture, Listener, SlackEdge, nothing, press_on
from handlers.inbound.message_shortcut import SlackMessage, message_of, place_of, reason_of
from handlers.inbound.payloads import Body
from handlers.views.dialogs import away_form
from handlers.views.findings.form import form
from handlers.views.request_form import FormDraft
from handlers.views.sealed_use import sealed_form

_PAGES: Mapping[str, Page] = {
    "help": "help", "log": "log", "queue": "queue", "mine": "mine", "show": "show", "matrix": "matrix", "whoami": "whoami",
    "exceptions": "exceptions", "review": "review", "report": "report",
}  # fmt: skip
_DURATION = re.compile(r"(\d{1,4})([mhdw])")
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True, slots=True)
class OpenRequestForm:
    """A form is to be opened for somebody who may ask for something."""

    person: Person
    draft: FormDraft


@dataclass(frozen=True, slots=True)
class OpenAbsenceForm:
    """The form of an absence is to be opened."""


@dataclass(frozen=True, slots=True)
class OpenSealedUseForm:
    """The form that records a use of the sealed path is to be opened; `domains` are theirs, id to name."""

    domains: Mapping[str, str]


Plan: TypeAlias = OpenRequestForm | OpenAbsenceForm | OpenSealedUseForm | Command


def plan(edge: SlackEdge, name: str, command: payloads.SlashCommand) -> Plan:
    """What a command comes to. `name` is without slash and prefix."""
    if name in ids.FILING_KINDS:
        return opening(edge, ids.FILING_KINDS[name], command.text, command.reply)
    word, _, rest = command.text.strip().partition(" ")
    word, rest = word.lower(), rest.strip()
    if word == "ask":
        return opening(edge, None, rest, command.reply)
    if word == "finding":
        return opening(edge, "finding", rest, command.reply)
    if not word:
        return ShowPage(command.person, "waiting", "", command.reply)
    if word == "whoami":
        return ShowPage(command.person, "whoami", " ".join(command.mentioned), command.reply)
    if word == "post":
        return PostButton(command.person, command.reply.channel, command.reply)
    if word == "away":
        return away(command, rest) if rest else OpenAbsenceForm()
    if word == "provider":
        return suspending(command, rest)
    if word == "sealed-use":
        return sealing(edge, command.reply)
    if word in _PAGES:
        return ShowPage(command.person, _PAGES[word], rest[:100], command.reply)
    if read_request_id(word) is not None:
        return ShowPage(command.person, "show", word, command.reply)
    return ShowPage(command.person, "help", word[:100], command.reply)


def suspending(command: payloads.SlashCommand, rest: str) -> Command:
    """`suspend NAME reason`."""
    parts = rest.split(None, 2)
    if len(parts) < 2 or parts[0].lower() != "suspend":
        return SaySentence(command.person, "provider_how", "", command.reply)
    reason = parts[2] if len(parts) > 2 else ""
    return SuspendProvider(command.person, parts[1], reason[:REASON_MAX], command.reply)


def sealing(edge: SlackEdge, reply: ReplyAddress) -> Plan:
    """The form for people named for a domain; a message for everybody else."""
    domains = domains_of(edge.policy, reply.person)
    return OpenSealedUseForm(domains) if domains else SaySentence(reply.person, "no_sealed_use", "", reply)


def away(command: payloads.SlashCommand, rest: str) -> Command:
    """`2d`, `until 2026-12-01` (the start of that day, UTC) or `off`."""
    lasting = _DURATION.fullmatch(rest)
    if rest == "off":
        return SetAbsence(command.person, command.reply)
    if lasting is not None and int(lasting[1]) > 0:
        return SetAbsence(command.person, command.reply, seconds=int(lasting[1]) * _UNITS[lasting[2]])
    try:
        day = date.fromisoformat(rest.removeprefix("until").strip())
    except ValueError:
        return SaySentence(command.person, "away_how", rest[:60], command.reply)
    return SetAbsence(command.person, command.reply, until=f"{day.isoformat()}T00:00:00+00:00")


def opening(edge: SlackEdge, kind: Kind | None, text: str, reply: ReplyAddress) -> Plan:
    """The form with what was typed in it; a sentence where this person may ask for nothing of that kind."""
    person = reply.person
    offered = edge.service.filing.runbooks_for(person, kind)
    if not offered:
        if kind == "finding":
            return SaySentence(person, "nothing_of_kind", kind, reply)
        sentence = "no_requester" if not edge.service.filing.runbooks_for(person, None) else "nothing_of_kind"
        sentence = "not_yet" if edge.service.filing.waits_to_count(person, kind) else sentence
        return SaySentence(person, sentence, kind or "", reply)
    parts = text.split(None, 1)
    chosen = next((r.id for r in offered if parts and r.id == parts[0].lower()), "")
    reason = (parts[1] if len(parts) > 1 else "") if chosen else text.strip()
    if not chosen and len(offered) == 1:
        chosen = offered[0].id
    entered = {ids.REASON: reason[:REASON_MAX]} if reason else {}
    return OpenRequestForm(person, FormDraft(kind, chosen, entered, len(reason) > REASON_MAX))


def command_listener(name: str) -> Listener:
    """The two functions of one command."""

    async def acknowledge(edge: SlackEdge, body: Body) -> Answer:
        command = payloads.command(body)
        planned = plan(edge, name, command)
        if isinstance(planned, OpenRequestForm | OpenAbsenceForm | OpenSealedUseForm):
            return NOTHING
        return await edge.take_in(command.key, planned)

    async def after_ack(edge: SlackEdge, body: Body) -> None:
        command = payloads.command(body)
        planned = plan(edge, name, command)
        if isinstance(planned, OpenRequestForm):
            await show_form(edge, planned, command)
        if isinstance(planned, OpenAbsenceForm):
            await edge.open_view(command, away_form(command.reply.channel))
        if isinstance(planned, OpenSealedUseForm):
            await edge.open_view(command, sealed_form(planned.domains, command.reply.channel))

    return Listener(acknowledge, after_ack)


def shortcut_listener(kind: Kind | None, entered: Callable[[SlackMessage], Mapping[str, str]] = lambda _: {}) -> Listener:
    """The two functions of a shortcut that opens the form of a kind. `entered`: what a message's shortcut puts into it."""

    async def acknowledge(edge: SlackEdge, body: Body) -> Answer:
        shortcut = payloads.shortcut(body)
        planned = opening(edge, kind, "", shortcut.reply)
        if isinstance(planned, OpenRequestForm | OpenAbsenceForm | OpenSealedUseForm):
            return NOTHING
        return await edge.take_in(shortcut.key, planned)

    async def open_form(edge: SlackEdge, body: Body) -> None:
        shortcut = payloads.shortcut(body)
        planned = opening(edge, kind, "", shortcut.reply)
        if isinstance(planned, OpenRequestForm):
            message = message_of(body)
            more = entered(message) if message else {}
            reason = more.get(ids.REASON, "")
            draft = replace(
                planned.draft,
                entered={**planned.draft.entered, **more, **({ids.REASON: reason[:REASON_MAX]} if reason else {})},
                was_cut=planned.draft.was_cut or len(reason) > REASON_MAX,
            )
            await show_form(edge, replace(planned, draft=draft), shortcut)

    return Listener(acknowledge, open_form)


async def show_form(edge: SlackEdge, wanted: OpenRequestForm, gesture: Gesture) -> None:
    """Opens the filing form."""
    offered = edge.service.filing.runbooks_for(wanted.person, wanted.draft.kind)
    if not offered:
        return
    debt = await edge.glass_debt(wanted.person, wanted.draft.chosen)
    left = await edge.left(wanted.person, wanted.draft.chosen)
    away = await edge.away(wanted.draft.chosen)
    view = form(wanted.draft, offered, edge.scene(), debt, left, away)
    await edge.open_view(gesture, view, otherwise="form_not_shown")


async def take_again(edge: SlackEdge, body: Body) -> Answer:
    """The requester's form opens and nothing is stored; everybody else is refused with the reason."""
    press = payloads.press(body)
    asked = ids.read_question(press.value)
    case = await edge.store.cases.case(asked[0]) if asked else None
    if case is not None and case.request.requester == press.person:
        return NOTHING
    return await edge.take_in(press.key, press_on(press, "again", opens_form=True))


async def ask_again(edge: SlackEdge, body: Body) -> None:
    """The filing form, prefilled with the earlier request, for its requester."""
    press = payloads.press(body)
    asked = ids.read_question(press.value)
    case = await edge.store.cases.case(asked[0]) if asked else None
    if case is None or case.request.requester != press.person:
        return
    request = case.request
    entered = {ids.TARGET_TEXT: request.target, ids.TARGET_CHOICE: request.target, ids.REASON: request.reason}
    entered[ids.DURATION] = str(request.seconds)
    runbook = edge.policy.runbooks.get(request.runbook)
    types = {spec.name: spec.type for spec in runbook.fields} if runbook else {}
    entered |= {ids.field_action(f.name, types[f.name]): f.value for f in request.fields if f.name in types}
    opening = OpenRequestForm(press.person, FormDraft(request.kind, request.runbook, entered))
    await show_form(edge, opening, press)


async def take_door(edge: SlackEdge, body: Body) -> Answer:
    """The channel button: a form for people who may ask, a message for everybody else."""
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
        await show_form(edge, opened, press)


async def take_message(edge: SlackEdge, body: Body) -> Answer:
    """Typed text never decides: a direct message is answered with what waits, and its buttons are on the cards."""
    event = payloads.direct_message(body)
    if event is None:
        return NOTHING
    return await edge.take_in(event.key, ShowPage(event.person, "waiting", CARDS, event.reply))


DIRECT_MESSAGE = Listener(take_message)
COMMANDS: Mapping[str, Listener] = {
    name: command_listener(name) for name in (*ids.FILING_KINDS, ids.COMMAND_MAIN)
}  # fmt: skip
SHORTCUTS: Mapping[str, Listener] = {
    ids.SHORTCUT_ASK: shortcut_listener(None),
    ids.SHORTCUT_FINDING: shortcut_listener("finding"),
}
MESSAGE_SHORTCUTS: Mapping[str, Listener] = {
    ids.SHORTCUT_MESSAGE_ASK: shortcut_listener(None, reason_of),
    ids.SHORTCUT_MESSAGE_FINDING: shortcut_listener("finding", place_of),
}
ANY_MESSAGE_SHORTCUT = Listener(nothing)
FORM_BUTTONS: Mapping[str, Listener] = {
    ids.AGAIN: Listener(take_again, ask_again),
    ids.ASK_HERE: Listener(take_door, open_door),
}
