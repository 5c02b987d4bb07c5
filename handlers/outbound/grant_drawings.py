"""Drawings of what follows a yes: the grant and its end, executors, reviews, the person whose access it is, suspensions."""

from __future__ import annotations

from bot.domain.case.lifecycle import AskState
from bot.domain.policy.people import Person
from bot.ports.records import OutboxRow
from handlers.outbound.message_kinds import (
    NO_LONGER_OPEN,
    NOTHING_TO_DRAW,
    Job,
    NewMessage,
    Outgoing,
    present,
)
from handlers.views import executor, grant, identity_proof, suspensions
from handlers.views.kit.blocks import Message
from handlers.views.reviews import cards as review_cards

DIGEST_MAX = 200  # cases in one digest


async def ending_message(out: Outgoing) -> Message:
    return grant.ending(out.case, out.scene())


async def ending(out: Outgoing) -> Job:
    case, _to = out.case, out.to
    if not grant.grant_open(case):
        return NO_LONGER_OPEN
    return await out.in_thread_of("receipt", await ending_message(out))


async def expiring_message(out: Outgoing) -> Message:
    return grant.expiring(out.case, out.to, out.scene())


async def expiring(out: Outgoing) -> Job:
    """The warning before the end; the end itself is shown in the outcome and on the card."""
    case, to = out.case, out.to
    if to == case.request.requester:
        return await out.in_thread_of("receipt", await expiring_message(out))
    return await out.in_thread_of("card", await expiring_message(out))


async def extension_message(out: Outgoing) -> Message:
    return grant.extension(out.case, out.whole("version"), out.scene())


async def extension(out: Outgoing) -> Job:
    _to = out.to
    return await out.in_thread_of("receipt", await extension_message(out))


async def overtaken(out: Outgoing) -> Job:
    """At top level: who was told that it is open must not miss that it has ended."""
    by = out.text("by")
    said = grant.overtaken(
        out.case, out.to, out.text("what"), Person.parse(by) if by else None, out.whole("at"), out.scene()
    )  # fmt: skip
    return NewMessage(out.to.user, said)


async def owed_message(out: Outgoing) -> Message:
    return grant.owed(out.case, out.scene())


async def owed(out: Outgoing) -> Job:
    case, _to = out.case, out.to
    if not case.owed():
        return NO_LONGER_OPEN
    return await out.in_thread_of("receipt", await owed_message(out))


async def executor_answer(out: Outgoing) -> Job:
    said = executor.answered(out.case, _plain(out, "word"), _plain(out, "detail"), out.scene())
    return await out.in_thread_of("receipt", said)


async def alarm_message(out: Outgoing) -> Message:
    return executor.alarm(out.case, _plain(out, "detail"), out.scene())


async def executor_alarm(out: Outgoing) -> Job:
    return NewMessage(out.place, await alarm_message(out))


async def ask_message(out: Outgoing) -> Message:
    ask = present(out.case.question(ask_version(out.row.say.purpose)))
    return review_cards.ask_card(out.case, ask, out.to, await out.signing_scene(ask))


async def new_ask(out: Outgoing) -> Job:
    said = await ask_message(out)
    ask = present(out.case.question(ask_version(out.row.say.purpose)))
    return NewMessage(out.to.user, said) if ask.state is AskState.OPEN else NO_LONGER_OPEN


async def ask_reminder_message(out: Outgoing) -> Message:
    ask = present(out.case.question(out.whole("version") or ask_version(out.row.say.purpose)))
    return review_cards.ask_reminder(out.case, ask, out.to, out.scene())


def kept_reminder(row: OutboxRow) -> str:
    """What a reminder is stored as: a redraw has to know which ask it is about."""
    return f"{row.say.purpose}.{row.say.data.get('version')}"


async def ask_reminder(out: Outgoing) -> Job:
    version, to = out.whole("version"), out.to
    ask = present(out.case.question(version))
    if ask.state is not AskState.OPEN or ask.vote_of(to) is not None:
        return NO_LONGER_OPEN
    return await out.in_thread_of(f"ask.{version}", await ask_reminder_message(out))


async def subject_message(out: Outgoing) -> Message:
    moment = out.row.say.purpose.removeprefix("subject_")
    return identity_proof.to_subject(out.case, moment, out.scene())


async def to_subject(out: Outgoing) -> Job:
    """To the person whose credential it is, before and after."""
    return NewMessage(out.to.user, await subject_message(out))


async def suspension_message(out: Outgoing) -> Message:
    return suspensions.to_suspended(out.case, out.row.say.purpose, out.scene())


async def suspension(out: Outgoing) -> Job:
    return NewMessage(out.to.user, await suspension_message(out))


async def use_message(out: Outgoing) -> Message:
    return suspensions.used(out.case, out.to, out.scene())


async def new_use(out: Outgoing) -> Job:
    return NewMessage(out.to.user, await use_message(out))


async def digest(out: Outgoing) -> Job:
    """One message for every use since the first that asked for it, in the domains that the recipient owns now."""
    to, policy = out.to, out.scene().policy
    domains = [d.id for d in policy.domains.values() if d.owner == to]
    runbooks, found = (
        policy.runbooks,
        await out.context.store.cases.autonomous_since(domains, out.moment("since"), DIGEST_MAX),
    )
    told = [c for c in found if c.request.runbook not in runbooks or runbooks[c.request.runbook].tell == "daily"]
    return NewMessage(to.user, suspensions.digest(told, out.scene())) if told else NOTHING_TO_DRAW


def ask_version(purpose: str) -> int:
    """The version in the purpose of an ask's card or reminder: 3 of `ask.3`; -1, which no ask has, where it names none."""
    _, _, version = purpose.partition(".")
    return int(version) if version.isdecimal() else -1


def _plain(out: Outgoing, key: str) -> str:
    return str(out.row.say.data.get(key, ""))
