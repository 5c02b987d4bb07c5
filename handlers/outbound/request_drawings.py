"""Drawings of a request up to its decision: cards, receipts, reminders, questions, outcomes, and those of a drill."""

from __future__ import annotations

from bot.domain.authority.authorization import may_answer
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.workflow.asks.drill import waiting_for
from bot.ports.records import OutboxRow
from handlers.outbound.message_kinds import NO_LONGER_OPEN, TOLD_BY_EDIT, Job, NewMessage, Outgoing, present
from handlers.views import drill, facts, identity_proof, receipt
from handlers.views.approval_card import card
from handlers.views.channel_button import door_receipt
from handlers.views.discussion import answered, asked_question, lead_copy
from handlers.views.facts import discussed, pending
from handlers.views.findings import cards as finding_cards
from handlers.views.kit.blocks import Message
from handlers.views.kit.context import who

_STATES = frozenset(str(state) for machine in (RequestState, GrantState) for state in machine)


async def card_message(out: Outgoing) -> Message:
    if out.case.finding is not None:
        return finding_cards.card(out.case, out.to, out.scene())
    view = card if out.case.request.drill is None else drill.card
    return view(out.case, out.to, await out.signing_scene(out.case.approval))


async def new_card(out: Outgoing) -> Job:
    case, to = out.case, out.to
    return NewMessage(to.user, await card_message(out)) if pending(case) else NO_LONGER_OPEN


async def receipt_message(out: Outgoing) -> Message:
    if out.case.finding is not None:
        return finding_cards.receipt(out.case, await out.scene_ahead())
    return receipt.receipt(out.case, await out.scene_ahead())


async def new_receipt(out: Outgoing) -> Job:
    return NewMessage(out.to.user, await receipt_message(out))


async def lead_message(out: Outgoing) -> Message:
    if out.case.finding is not None:
        return finding_cards.lead_copy(out.case, out.scene())
    return lead_copy(out.case, out.to, await out.scene_ahead())


async def filed_by_host_message(out: Outgoing) -> Message:
    return receipt.filed_by_host(out.case, out.scene())


async def filed_by_host(out: Outgoing) -> Job:
    return NewMessage(out.to.user, await filed_by_host_message(out))


async def new_lead(out: Outgoing) -> Job:
    return NewMessage(out.to.user, await lead_message(out))


async def channel_receipt_message(out: Outgoing) -> Message:
    return door_receipt(out.case, await out.scene_ahead())


async def new_channel_receipt(out: Outgoing) -> Job:
    return NewMessage(out.channel, await channel_receipt_message(out), out.text("thread"))


async def reminder_message(out: Outgoing) -> Message:
    """What its reader has yet to answer; afterwards that no answer is needed."""
    case, to = out.case, out.to
    if case.request.drill is not None:
        return drill.reminder(case, to, out.scene())
    if case.finding is not None:
        return finding_cards.reminder(case, to, out.scene())
    if _answered_by_now(out):
        return _over_for_reader(out)
    return receipt.reminder(case, who(to), await out.scene_ahead())


async def reminder(out: Outgoing) -> Job:
    case, drilled = out.case, out.case.request.drill is not None
    done = not (pending(case) and waiting_for(case, out.to)) if drilled else _answered_by_now(out)
    return NO_LONGER_OPEN if done else await out.in_thread_of("card", await reminder_message(out))


async def deadline_message(out: Outgoing) -> Message:
    """The same shortly before the deadline."""
    if _answered_by_now(out):
        return _over_for_reader(out)
    return receipt.deadline(out.case, who(out.to), out.scene())


async def deadline(out: Outgoing) -> Job:
    if _answered_by_now(out):
        return NO_LONGER_OPEN
    return await out.in_thread_of("card", await deadline_message(out))


async def verified_message(out: Outgoing) -> Message:
    return identity_proof.verified(out.case, out.to)


async def verified(out: Outgoing) -> Job:
    if _answered_by_now(out):
        return NO_LONGER_OPEN
    return await out.in_thread_of("card", await verified_message(out))


async def taken(out: Outgoing) -> Job:
    """Only for people who have a card: nobody else is waiting for the request."""
    found = await out.in_thread_of("card", receipt.taken(out.case, out.scene()))
    return found if found.thread else NO_LONGER_OPEN


async def outcome_message(out: Outgoing) -> Message:
    case, scene = out.case, out.scene()
    if case.finding is not None:
        return finding_cards.moved(case, scene)
    content = None
    if facts.access_open(case, scene):
        content = await out.context.store.policies.file_by_hash(case.request.runbook_sha256)
    return receipt.outcome(case, content, scene, out.text("reason"), told_later=out.text("state") == "open")


async def outcome(out: Outgoing) -> Job:
    """At top level, so that it is the newest message. If access has ended meanwhile, the message about the end reports it."""
    to = out.to
    if out.text("state") == "open" and not facts.access_open(out.case, out.scene()):
        return NO_LONGER_OPEN
    return NewMessage(to.user, await outcome_message(out))


async def cooling_message(out: Outgoing) -> Message:
    return identity_proof.cooling(out.case, out.scene())


async def cooling(out: Outgoing) -> Job:
    case, _to = out.case, out.to
    if case.approval.opens_at is None:
        return NO_LONGER_OPEN
    return await out.in_thread_of("receipt", await cooling_message(out))


async def runbook_body(out: Outgoing) -> Job:
    """A row of an older version, which sent the body apart: it is part of the outcome now."""
    to = out.to
    if not facts.access_open(out.case, out.scene()):
        return NO_LONGER_OPEN
    return NewMessage(to.user, await outcome_message(out))


async def question_message(out: Outgoing) -> Message:
    return present(asked_question(out.case))


async def question(out: Outgoing) -> Job:
    case, _to = out.case, out.to
    return await out.in_thread_of("receipt", await question_message(out)) if discussed(case) else NO_LONGER_OPEN


async def answer_to_question(out: Outgoing) -> Job:
    said = present(answered(out.case, out.to))
    return await out.in_thread_of("card", said) if discussed(out.case) else NO_LONGER_OPEN


async def announcement_message(out: Outgoing) -> Message:
    return receipt.announcement(out.case, out.scene())


def is_state(row: OutboxRow) -> bool:
    """Whether a channel line shows the request's state, and not a separate event (`review.overdue`)."""
    return row.copy is not None or row.say.data.get("state") in _STATES


async def announcement(out: Outgoing) -> Job:
    """One line for the request's state, which is redrawn when it changes; a separate line for each other event."""
    if not is_state(out.row):
        return NewMessage(out.channel, receipt.announcement(out.case, out.scene(), out.text("state")))
    copies = await out.context.store.outbox.copies(out.case.id)
    if any(copy.purpose == "announce" and copy.channel == out.channel for copy in copies):
        return TOLD_BY_EDIT
    return NewMessage(out.channel, await announcement_message(out))


async def alarm(out: Outgoing) -> Job:
    view = receipt.alarm if out.case.request.drill is None else drill.alarm
    return NewMessage(out.place, view(out.case, out.text("role"), out.text("why")))


async def drill_report(out: Outgoing) -> Job:
    return NewMessage(out.place, drill.report(out.case, out.scene(), whole=out.row.say.to is not None))


async def without_access_message(out: Outgoing) -> Message:
    return finding_cards.without_grant(out.case, out.text("source"), out.text("as_of"), out.scene())


async def without_access(out: Outgoing) -> Job:
    """To the requester of a grant whose access a reconciliation's list does not show."""
    if not facts.access_open(out.case, out.scene()):
        return NO_LONGER_OPEN
    return NewMessage(out.to.user, await without_access_message(out))


def _over_for_reader(out: Outgoing) -> Message:
    """What a reminder says once its reader's answer is not waited for any more."""
    case, vote = out.case, out.case.approval.vote_of(out.to)
    return receipt.no_answer_needed(case, answered=vote is not None, pending=pending(case))


def _answered_by_now(out: Outgoing) -> bool:
    """Whether the case is decided, the recipient has voted, or a change of policy took the answer from them."""
    case, to = out.case, out.to
    if not pending(case) or case.approval.vote_of(to) is not None:
        return True
    return not may_answer(case, case.approval, out.scene().policy, to, takes_away=True)
