"""Drawings of a request up to its decision: cards, receipts, reminders, questions, outcomes, and those of a drill."""

from __future__ import annotations

from bot.domain.workflow.asks.drill import waiting_for
from handlers.outbound.message_kinds import NO_LONGER_OPEN, Job, NewMessage, Outgoing, present
from handlers.views import drill, identity_proof, receipt
from handlers.views.approval_card import card
from handlers.views.channel_button import door_receipt
from handlers.views.discussion import answered, asked_question, lead_copy
from handlers.views.facts import pending
from handlers.views.kit.blocks import Message
from handlers.views.kit.context import who


async def card_message(out: Outgoing) -> Message:
    view = card if out.case.request.drill is None else drill.card
    return view(out.case, out.to, out.scene())


async def new_card(out: Outgoing) -> Job:
    case, to = out.case, out.to
    return NewMessage(to.user, await card_message(out)) if pending(case) else NO_LONGER_OPEN


async def receipt_message(out: Outgoing) -> Message:
    return receipt.receipt(out.case, out.scene(), await out.context.ahead(out.case))


async def new_receipt(out: Outgoing) -> Job:
    return NewMessage(out.to.user, await receipt_message(out))


async def lead_message(out: Outgoing) -> Message:
    return lead_copy(out.case, out.to, out.scene())


async def new_lead(out: Outgoing) -> Job:
    return NewMessage(out.to.user, await lead_message(out))


async def channel_receipt_message(out: Outgoing) -> Message:
    return door_receipt(out.case, out.scene())


async def new_channel_receipt(out: Outgoing) -> Job:
    return NewMessage(out.channel, await channel_receipt_message(out), out.text("thread"))


async def reminder(out: Outgoing) -> Job:
    case, to = out.case, out.to
    if case.request.drill is not None:
        if not pending(case) or not waiting_for(case, to):
            return NO_LONGER_OPEN
        return await out.in_thread_of("card", drill.reminder(case, to, out.scene()))
    if _answered_by_now(out):
        return NO_LONGER_OPEN
    return await out.in_thread_of("card", receipt.reminder(case, who(to), out.scene()))


async def deadline(out: Outgoing) -> Job:
    if _answered_by_now(out):
        return NO_LONGER_OPEN
    return await out.in_thread_of("card", receipt.deadline(out.case, who(out.to), out.scene()))


async def verified(out: Outgoing) -> Job:
    if _answered_by_now(out):
        return NO_LONGER_OPEN
    return await out.in_thread_of("card", identity_proof.verified(out.case, out.to))


async def taken(out: Outgoing) -> Job:
    """Only for whoever has a card: nobody else waits to be relieved of it."""
    found = await out.in_thread_of("card", receipt.taken(out.case, out.scene()))
    return found if found.thread else NO_LONGER_OPEN


async def outcome(out: Outgoing) -> Job:
    said = receipt.outcome(out.case, out.text("state"), out.text("reason"), out.scene())
    return await out.in_thread_of("receipt", said)


async def cooling(out: Outgoing) -> Job:
    case, _to = out.case, out.to
    if case.approval.opens_at is None:
        return NO_LONGER_OPEN
    return await out.in_thread_of("receipt", identity_proof.cooling(case, out.scene()))


async def runbook_body(out: Outgoing) -> Job:
    case, to = out.case, out.to
    content = await out.context.desk.store.policies.file_by_hash(case.request.runbook_sha256)
    return NewMessage(to.user, receipt.body(case, content, out.scene()))


async def question(out: Outgoing) -> Job:
    case, _to = out.case, out.to
    said = present(asked_question(case))
    return await out.in_thread_of("receipt", said) if pending(case) else NO_LONGER_OPEN


async def answer_to_question(out: Outgoing) -> Job:
    said = present(answered(out.case, out.to))
    return await out.in_thread_of("card", said) if pending(out.case) else NO_LONGER_OPEN


async def announcement(out: Outgoing) -> Job:
    return NewMessage(out.channel, receipt.announcement(out.case, out.text("state")))


async def alarm(out: Outgoing) -> Job:
    view = receipt.alarm if out.case.request.drill is None else drill.alarm
    return NewMessage(out.place, view(out.case, out.text("role"), out.text("why")))


async def drill_report(out: Outgoing) -> Job:
    return NewMessage(out.place, drill.report(out.case, out.scene(), whole=out.row.say.to is not None))


def _answered_by_now(out: Outgoing) -> bool:
    """Whether the case is decided, or the recipient has voted."""
    case, to = out.case, out.to
    return not pending(case) or case.approval.vote_of(to) is not None
