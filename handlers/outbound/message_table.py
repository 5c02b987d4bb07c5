"""What each row of the outbox says, and where: one row of one table a purpose.

A message is drawn when it is sent, from the case of that moment. What has become pointless by then (a card or a reminder of
a request that is decided) is dropped instead of disturbing somebody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from bot.domain.case.ask import Ask
from bot.domain.case.lifecycle import AskState, RequestState
from bot.domain.case.model import Case
from bot.domain.case.operator_action import is_act
from bot.domain.policy.people import Person
from bot.domain.timing.quiet_hours import kept_by
from bot.domain.workflow.drill import waiting_for
from bot.domain.workflow.timeline import Moment, ahead
from bot.ports.commands import ReplyAddress
from bot.ports.store import MessageCopy, OutboxRow
from bot.service.approvals import ApprovalService
from handlers.outbound.pages import PAGES
from handlers.outbound.rate_lanes import Spot
from handlers.views import checkpoint, executor, grant, identity_proof, operator, review_cards, suspensions
from handlers.views import drill as drills
from handlers.views import receipt as receipts
from handlers.views.alerts import calendar, watchdog
from handlers.views.answers import policy_gain, say
from handlers.views.approval_card import card
from handlers.views.channel_button import door, door_receipt
from handlers.views.dialogs import filed_result, said_page
from handlers.views.discussion import answered, asked_question, lead_copy
from handlers.views.facts import pending
from handlers.views.home import home
from handlers.views.kit.blocks import Block, Message
from handlers.views.kit.context import ViewContext, who
from handlers.views.welcome_back import returned

DIGEST_MAX = 200
FORM_SETTLES = 0.4  # seconds; the acknowledgement draws the form's last page before we do
Method = Literal["chat.postMessage", "chat.update", "views.update", "views.publish", "answer"]


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What drawing may look at."""

    desk: ApprovalService
    prefix: str

    def scene(self) -> ViewContext:
        return ViewContext(self.desk.policy, self.desk.clock.now(), self.desk.scale, self.prefix)

    async def ahead(self, case: Case) -> tuple[Moment, ...]:
        """What is still to come on a pending case if nobody answers, as the engine sees it now."""
        return ahead(case, self.desk.policy, await self.desk.presence_for(case)) if pending(case) else ()


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A new message. `channel` may be a person's id: their direct message."""

    channel: str
    message: Message
    thread: str = ""
    drawn: int = 0  # the version of what it shows, where that is no case


@dataclass(frozen=True, slots=True)
class MessageEdit:
    """A message of ours that is drawn again."""

    channel: str
    ts: str
    message: Message
    drawn: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one person, where they acted."""

    reply: ReplyAddress
    message: Message


@dataclass(frozen=True, slots=True)
class ViewUpdate:
    """A page of a form."""

    view_id: str
    view: Block


@dataclass(frozen=True, slots=True)
class Published:
    """Somebody's App Home."""

    user: str
    view: Block


@dataclass(frozen=True, slots=True)
class Dropped:
    """Nothing is to be said any more."""

    why: str


Job: TypeAlias = NewMessage | MessageEdit | Reply | ViewUpdate | Published | Dropped
Draw: TypeAlias = Callable[[RenderContext, OutboxRow, Case | None], Awaitable[Job]]


@dataclass(frozen=True, slots=True)
class MessageKind:
    """`kept`: the message is remembered and redrawn. `remembered`: it holds what somebody typed and is never redrawn, but it
    can be erased. `logged`: its delivery stands in the log. `looked_up`: the person's
    account is looked at first. `settles`: seconds that it waits after it was written."""

    draw: Draw
    method: Method = "chat.postMessage"
    kept: bool = False
    remembered: bool = False
    logged: bool = False
    looked_up: bool = False
    settles: float = 0.0


async def _ending(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None or not grant.grant_open(case):
        return _NOBODY if case is None or to is None else _DECIDED
    return await _under(stage, "receipt", case, to, grant.ending(case, stage.scene()))


async def _cooling(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None or case.approval.opens_at is None:
        return _NOBODY if case is None or to is None else _DECIDED
    return await _under(stage, "receipt", case, to, identity_proof.cooling(case, stage.scene()))


async def _verified(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None:
        return _NOBODY
    if not pending(case) or case.approval.vote_of(to) is not None:
        return _DECIDED
    return await _under(stage, "card", case, to, identity_proof.verified(case, to))


async def _subject(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    moment = outgoing.say.purpose.removeprefix("subject_")
    return (
        NewMessage(to.user, identity_proof.to_subject(case, moment, stage.scene()))
        if case is not None and to is not None
        else _NOBODY
    )


async def _expiring(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None:
        return _NOBODY
    purpose = "receipt" if to == case.request.requester else "card"
    return await _under(stage, purpose, case, to, grant.expiring(case, to, stage.scene()))


async def _suspended(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None:
        return _NOBODY
    return NewMessage(to.user, suspensions.to_suspended(case, outgoing.say.purpose, stage.scene()))


async def _used(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    return _NOBODY if case is None or to is None else NewMessage(to.user, suspensions.used(case, stage.scene()))


async def _digest(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    """One message for everything since the first use that asked for it, in the domains that are the reader's now."""
    to, since = outgoing.say.to, datetime.fromtimestamp(_whole(outgoing.say.data, "since") / 1000, UTC)
    if to is None:
        return _NOBODY
    runbooks = stage.desk.policy.runbooks
    domains = [d.id for d in stage.desk.policy.domains.values() if d.owner == to]
    found = await stage.desk.store.autonomous_since(domains, since, DIGEST_MAX)
    told = [c for c in found if c.request.runbook not in runbooks or runbooks[c.request.runbook].tell == "daily"]
    return NewMessage(to.user, suspensions.digest(told, stage.scene())) if told else _NOBODY


async def _owed(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None or not case.owed():
        return _NOBODY if case is None or to is None else _DECIDED
    return await _under(stage, "receipt", case, to, grant.owed(case, stage.scene()))


async def _executor(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to, data = outgoing.say.to, outgoing.say.data
    if case is None or to is None:
        return _NOBODY
    said = executor.answered(case, str(data.get("word", "")), str(data.get("detail", "")))
    return await _under(stage, "receipt", case, to, said)


async def _executor_alarm(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    say = outgoing.say
    where = say.channel or (say.to.user if say.to else "")
    if case is None or not where:
        return _NOBODY
    return NewMessage(
        where, executor.alarm(case, str(say.data.get("word", "")), str(say.data.get("detail", "")), stage.scene())
    )


async def _extension(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to, data = outgoing.say.to, outgoing.say.data
    if case is None or to is None:
        return _NOBODY
    said = grant.extension(case, _whole(data, "version"), _word(data, "reason"), stage.scene())
    return await _under(stage, "receipt", case, to, said)


async def _ask(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    ask = _later(case, outgoing.say.purpose)
    if case is None or ask is None or to is None:
        return _NOBODY
    return (
        NewMessage(to.user, review_cards.ask_card(case, ask, to, stage.scene())) if ask.state is AskState.OPEN else _DECIDED
    )


async def _ask_reminder(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to, version = outgoing.say.to, _whole(outgoing.say.data, "version")
    ask = case.question(version) if case is not None else None
    if case is None or ask is None or to is None:
        return _NOBODY
    if ask.state is not AskState.OPEN or ask.vote_of(to) is not None:
        return _DECIDED
    return await _under(stage, f"ask.{version}", case, to, review_cards.ask_reminder(case, ask, to, stage.scene()))


def _later(case: Case | None, purpose: str) -> Ask | None:
    """The ask after the yes that a card belongs to: `ask.3` is the question of version 3."""
    head, _, version = purpose.partition(".")
    return case.question(int(version)) if case is not None and head == "ask" and version.isdecimal() else None


def keeps_hours(outgoing: OutboxRow, case: Case | None) -> bool:
    """Whether this waits for its reader's day: the message of a day, or of an ask that waits and that they did not ask to
    see."""
    if outgoing.say.purpose == "digest":
        return True
    if case is None or outgoing.copy is not None or outgoing.say.data.get("wanted"):
        return False
    about = outgoing.say.purpose == "ask_reminder" or outgoing.say.purpose.startswith("ask.")
    ask = case.question(_whole(outgoing.say.data, "version")) if about else None
    return ask is not None and kept_by(ask)


def spot(outgoing: OutboxRow) -> Spot:
    """What Slack counts this call to."""
    if outgoing.copy is not None:
        return Spot("chat.update", outgoing.copy.channel)
    row = _row(outgoing.say.purpose)
    method = row.method if row else "chat.postMessage"
    view = outgoing.say.data.get("view")
    if method == "views.update":
        return Spot(method, str(view))
    to = outgoing.say.to
    return Spot(method, to.user if to else outgoing.say.channel or "")


def purpose_of(outgoing: OutboxRow) -> MessageKind | None:
    """The row of the table; a redraw has one of its own."""
    return REFRESH if outgoing.copy is not None else _row(outgoing.say.purpose)


def tells_decision(outgoing: OutboxRow, case: Case | None) -> bool:
    """Whether the message tells how a question ended: then it carries the checkpoint that covers it."""
    if case is None or case.request.drill is not None or case.request.state is RequestState.PENDING:
        return False
    return outgoing.copy is not None or outgoing.say.purpose in _DECISIONS


def _row(purpose: str) -> MessageKind | None:
    return PURPOSES.get("ask" if purpose.startswith("ask.") else purpose)


async def _card(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None:
        return _NOBODY
    if case.request.drill is not None:
        return NewMessage(to.user, drills.card(case, to, stage.scene())) if pending(case) else _DECIDED
    return NewMessage(to.user, card(case, to, stage.scene())) if pending(case) else _DECIDED


async def _receipt(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None:
        return _NOBODY
    return NewMessage(to.user, receipts.receipt(case, stage.scene(), await stage.ahead(case)))


async def _reminder(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None:
        return _NOBODY
    if case.request.drill is not None:
        return await _drill_reminder(stage, case, to)
    if not pending(case) or case.approval.vote_of(to) is not None:
        return _DECIDED
    return await _under(stage, "card", case, to, receipts.reminder(case, who(to), stage.scene()))


async def _drill_reminder(stage: RenderContext, case: Case, to: Person) -> Job:
    if not pending(case) or not waiting_for(case, to):
        return _DECIDED
    return await _under(stage, "card", case, to, drills.reminder(case, to, stage.scene()))


async def _drill_report(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    place = to.user if to else outgoing.say.channel
    return NewMessage(place, drills.report(case, stage.scene(), whole=to is not None)) if case and place else _NOBODY


async def _deadline(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None:
        return _NOBODY
    if not pending(case) or case.approval.vote_of(to) is not None:
        return _DECIDED
    return await _under(stage, "card", case, to, receipts.deadline(case, who(to), stage.scene()))


async def _taken(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None:
        return _NOBODY
    told = await _under(stage, "card", case, to, receipts.taken(case, stage.scene()))
    return told if told.thread else _DECIDED  # whoever has no card has nothing to be relieved of


async def _outcome(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to, data = outgoing.say.to, outgoing.say.data
    if case is None or to is None:
        return _NOBODY
    said = receipts.outcome(case, _word(data, "state"), _word(data, "reason"), stage.scene())
    return await _under(stage, "receipt", case, to, said)


async def _body(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    if case is None or to is None:
        return _NOBODY
    content = await stage.desk.store.file_by_hash(case.request.runbook_sha256)
    return NewMessage(to.user, receipts.body(case, content, stage.scene()))


async def _lead(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    return _NOBODY if case is None or to is None else NewMessage(to.user, lead_copy(case, to, stage.scene()))


async def _question(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    said = asked_question(case) if case is not None else None
    if case is None or to is None or said is None:
        return _NOBODY
    return await _under(stage, "receipt", case, to, said) if pending(case) else _DECIDED


async def _answered(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to = outgoing.say.to
    said = answered(case, to) if case is not None and to is not None else None
    if case is None or to is None or said is None:
        return _NOBODY
    return await _under(stage, "card", case, to, said) if pending(case) else _DECIDED


async def _returned(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    to, data = outgoing.say.to, outgoing.say.data
    if to is None:
        return _NOBODY
    since, until = (datetime.fromtimestamp(_whole(data, key) / 1000, UTC) for key in ("since", "until"))
    decided = await stage.desk.read_decided_for(to, since, until)
    return NewMessage(to.user, returned(decided, since, stage.scene())) if decided else _NOBODY


async def _door(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    channel = outgoing.say.channel
    return NewMessage(channel, door(stage.scene())) if channel else _NOBODY


async def _door_receipt(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    channel = outgoing.say.channel
    if case is None or not channel:
        return _NOBODY
    return NewMessage(channel, door_receipt(case, stage.scene()), _word(outgoing.say.data, "thread"))


async def _policy(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    to = outgoing.say.to
    place = to.user if to else outgoing.say.channel
    return NewMessage(place, policy_gain(outgoing.say.data, stage.scene())) if place else _NOBODY


async def _calendar(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    channel = outgoing.say.channel
    return NewMessage(channel, calendar(outgoing.say.data, stage.scene())) if channel else _NOBODY


async def _watchdog(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    channel = outgoing.say.channel
    return NewMessage(channel, watchdog(outgoing.say.data, stage.scene())) if channel else _NOBODY


async def _checkpoint(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    channel, note = outgoing.say.channel, await stage.desk.store.last_checkpoint()
    return NewMessage(channel, checkpoint.posted(note)) if channel and note else _NOBODY


async def _operator(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    """The message that asks to confirm an operator's act, what is told of it, and the redraw of the former."""
    to, act = outgoing.say.to, await stage.desk.store.operator_act(outgoing.say.case or "")
    if act is None or to is None:
        return _NOBODY
    said = (operator.card if outgoing.say.purpose == "operator" else operator.told)(act, stage.scene())
    if outgoing.copy is not None:
        return MessageEdit(outgoing.copy.channel, outgoing.copy.ts, said, act.version)
    return NewMessage(to.user, said, drawn=act.version)


async def _announce(_stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    if case is None or outgoing.say.channel is None:
        return _NOBODY
    return NewMessage(outgoing.say.channel, receipts.announcement(case, _word(outgoing.say.data, "state")))


async def _alarm(_stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    to, data = outgoing.say.to, outgoing.say.data
    place = to.user if to else outgoing.say.channel
    if case is None or not place:
        return _NOBODY
    if case.request.drill is not None:
        return NewMessage(place, drills.alarm(case, _word(data, "role"), _word(data, "why")))
    return NewMessage(place, receipts.alarm(case, _word(data, "role"), _word(data, "why")))


async def _answer(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    reply, data = reply_of(outgoing), outgoing.say.data
    return _NOBODY if reply is None else Reply(reply, say(_word(data, "sentence"), data, stage.scene()))


async def _page(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    reply, data = reply_of(outgoing), outgoing.say.data
    draw = PAGES.get(_word(data, "page"))
    if reply is None or draw is None:
        return _NOBODY
    return Reply(reply, await draw(stage.desk, reply.person, _word(data, "argument"), stage.scene()))


async def _form(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    data, scene = outgoing.say.data, stage.scene()
    view, sentence = _word(data, "view"), _word(data, "sentence")
    if sentence == "filed" and case is not None:
        return ViewUpdate(view, filed_result(case, scene, await stage.ahead(case)))
    return ViewUpdate(view, said_page(say(sentence, data, scene).text))


async def _refresh(stage: RenderContext, outgoing: OutboxRow, case: Case | None) -> Job:
    copy = outgoing.copy
    if copy is not None and is_act(copy.case):
        return await _operator(stage, outgoing, None)
    if case is None or copy is None:
        return _NOBODY
    scene, known = stage.scene(), _row(copy.purpose)
    if known is not None and known.remembered:
        return MessageEdit(copy.channel, copy.ts, operator.erased(case))
    if copy.purpose == "door_receipt":
        return MessageEdit(copy.channel, copy.ts, door_receipt(case, scene))
    if copy.to is None:
        return _NOBODY
    if copy.purpose == "card" and case.request.drill is not None:
        return MessageEdit(copy.channel, copy.ts, drills.card(case, copy.to, scene))
    if copy.purpose == "card":
        return MessageEdit(copy.channel, copy.ts, card(case, copy.to, scene))
    ask = _later(case, copy.purpose)
    if ask is not None:
        return MessageEdit(copy.channel, copy.ts, review_cards.ask_card(case, ask, copy.to, scene))
    if copy.purpose == "used":
        return MessageEdit(copy.channel, copy.ts, suspensions.used(case, scene))
    if copy.purpose == "lead":
        return MessageEdit(copy.channel, copy.ts, lead_copy(case, copy.to, scene))
    if copy.purpose == "receipt":
        return MessageEdit(copy.channel, copy.ts, receipts.receipt(case, scene, await stage.ahead(case)))
    return _NOBODY


async def _home(stage: RenderContext, outgoing: OutboxRow, _case: Case | None) -> Job:
    to = outgoing.say.to
    if to is None:
        return _NOBODY
    scene, may_ask = stage.scene(), bool(stage.desk.runbooks_for(to, None))
    return Published(to.user, home(await stage.desk.read_home(to, scene.now), scene, may_ask=may_ask))


async def _under(stage: RenderContext, purpose: str, case: Case, to: Person, said: Message) -> NewMessage:
    """In the thread of that person's copy; as a message of its own where there is none."""
    copies = await stage.desk.store.copies(case.id)
    mine: MessageCopy | None = next((c for c in reversed(copies) if c.purpose == purpose and c.to == to), None)
    return NewMessage(mine.channel, said, mine.ts) if mine else NewMessage(to.user, said)


def reply_of(outgoing: OutboxRow) -> ReplyAddress | None:
    """Where an answer goes; to the person's direct message if nothing else is known."""
    reply, to = outgoing.say.data.get("reply"), outgoing.say.to
    if to is None:
        return None
    found = reply if isinstance(reply, Mapping) else {}
    return ReplyAddress(to, _word(found, "response_url"), _word(found, "channel"))


def _word(data: Mapping[str, object], key: str) -> str:
    value = data.get(key, "")
    return value if isinstance(value, str) else ""


def _whole(data: Mapping[str, object], key: str) -> int:
    value = data.get(key, 0)
    return value if isinstance(value, int) else 0


_DECISIONS = frozenset(
    {"outcome", "announce", "receipt", "card", "lead", "ending", "extension", "executor", "executor_alarm"}
)
_NOBODY = Dropped("nothing_to_draw")
_DECIDED = Dropped("no_longer_open")

PURPOSES: Mapping[str, MessageKind] = {
    "card": MessageKind(_card, kept=True, logged=True, looked_up=True),
    "receipt": MessageKind(_receipt, kept=True, logged=True, looked_up=True),
    "reminder": MessageKind(_reminder, logged=True, looked_up=True),
    "deadline": MessageKind(_deadline, logged=True, looked_up=True),
    "taken": MessageKind(_taken, logged=True, looked_up=True),
    "outcome": MessageKind(_outcome, remembered=True, logged=True, looked_up=True),
    "body": MessageKind(_body, looked_up=True),
    "announce": MessageKind(_announce, logged=True),
    "alarm": MessageKind(_alarm, logged=True, looked_up=True),
    "drill_report": MessageKind(_drill_report, logged=True, looked_up=True),
    "watchdog": MessageKind(_watchdog),
    "calendar": MessageKind(_calendar),
    "checkpoint": MessageKind(_checkpoint),
    "operator": MessageKind(_operator, kept=True, logged=True, looked_up=True),
    "operator_told": MessageKind(_operator, kept=True, logged=True, looked_up=True),
    "lead": MessageKind(_lead, kept=True, logged=True, looked_up=True),
    "question": MessageKind(_question, remembered=True, logged=True, looked_up=True),
    "answered": MessageKind(_answered, remembered=True, logged=True, looked_up=True),
    "ending": MessageKind(_ending, logged=True, looked_up=True),
    "expiring": MessageKind(_expiring, logged=True, looked_up=True),
    "owed": MessageKind(_owed, logged=True, looked_up=True),
    "suspended": MessageKind(_suspended, logged=True, looked_up=True),
    "restored": MessageKind(_suspended, logged=True, looked_up=True),
    "used": MessageKind(_used, kept=True, logged=True, looked_up=True),
    "digest": MessageKind(_digest, logged=True, looked_up=True),
    "executor": MessageKind(_executor, remembered=True, logged=True, looked_up=True),
    "executor_alarm": MessageKind(_executor_alarm, remembered=True, logged=True, looked_up=True),
    "extension": MessageKind(_extension, remembered=True, logged=True, looked_up=True),
    "cooling": MessageKind(_cooling, logged=True, looked_up=True),
    "verified": MessageKind(_verified, logged=True, looked_up=True),
    "subject_before": MessageKind(_subject, remembered=True, logged=True, looked_up=True),
    "subject_after": MessageKind(_subject, remembered=True, logged=True, looked_up=True),
    "ask": MessageKind(_ask, kept=True, logged=True, looked_up=True),
    "ask_reminder": MessageKind(_ask_reminder, logged=True, looked_up=True),
    "returned": MessageKind(_returned, logged=True, looked_up=True),
    "door": MessageKind(_door),
    "door_receipt": MessageKind(_door_receipt, kept=True, logged=True),
    "policy": MessageKind(_policy, looked_up=True),
    "answer": MessageKind(_answer, "answer"),
    "page": MessageKind(_page, "answer"),
    "home": MessageKind(_home, "views.publish", looked_up=True),
    "form": MessageKind(_form, "views.update", settles=FORM_SETTLES),
}
REFRESH = MessageKind(_refresh, "chat.update")
