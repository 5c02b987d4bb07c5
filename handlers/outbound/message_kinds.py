"""The types of outgoing messages: the arguments and results of a drawing, and the fields of a message kind's row.

A drawing reads the case, the recipient and the place of its row through `Outgoing`. Where one of them is missing nothing is
drawn and the row is dropped: `drawn` is the only guard, so that no drawing checks for it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeAlias, TypeVar

from bot.domain.authority.signatures import demanded
from bot.domain.case.ask import Ask
from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from bot.ports.cases import Cases
from bot.ports.commands import ReplyAddress
from bot.ports.directory import Directory
from bot.ports.log import DecisionLog
from bot.ports.operator import OperatorRecords
from bot.ports.policies import Policies
from bot.ports.queues import Outbox
from bot.ports.records import OutboxRow
from bot.ports.reports import MonthReports
from bot.ports.reviews import ReviewRecords
from bot.service.approvals import ApprovalService
from handlers.outbound.coming_steps import with_ahead
from handlers.views.kit.blocks import Block, Message
from handlers.views.kit.context import ViewContext

Method = Literal["chat.postMessage", "chat.update", "views.update", "views.publish", "answer"]


class DrawnRecords(Protocol):
    """The parts of the store that drawings read."""

    @property
    def cases(self) -> Cases: ...
    @property
    def log(self) -> DecisionLog: ...
    @property
    def operator(self) -> OperatorRecords: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def reviews(self) -> ReviewRecords: ...


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What a drawing may read: the use cases, its records, the accounts in Slack and the reports; `scene` gives the set in force
    and the time of this moment."""

    service: ApprovalService
    store: DrawnRecords
    directory: Directory
    scene: Callable[[], ViewContext]
    reports: MonthReports | None = None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A new message. `channel` may be a user id: then it is a direct message. `drawn`: the version of the record shown,
    where that record is not a case. `mark`: what finds it again if Slack's answer is lost. `digest`: of what it shows."""

    channel: str
    message: Message
    thread: str = ""
    drawn: int = 0
    mark: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class MessageEdit:
    """An update of a message that we posted; `drawn` and `digest` as in NewMessage."""

    channel: str
    ts: str
    message: Message
    drawn: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An ephemeral answer to one person, where they acted."""

    reply: ReplyAddress
    message: Message


@dataclass(frozen=True, slots=True)
class ViewUpdate:
    """A new page of an open form."""

    view_id: str
    view: Block


@dataclass(frozen=True, slots=True)
class Published:
    """A user's App Home."""

    user: str
    view: Block


@dataclass(frozen=True, slots=True)
class Dropped:
    """Nothing is sent; `why` goes into the outbox row."""

    why: str


Job: TypeAlias = NewMessage | MessageEdit | Reply | ViewUpdate | Published | Dropped
NOTHING_TO_DRAW = Dropped("nothing_to_draw")
NO_LONGER_OPEN = Dropped("no_longer_open")
TOLD_BY_EDIT = Dropped("told_by_edit")


class Missing(Exception):
    """A drawing needs what its row does not have: a case, a recipient, a place or the record that it shows."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One outbox row about to be drawn. `found`: its case as it is now, None where the row is about no case."""

    context: RenderContext
    row: OutboxRow
    found: Case | None

    @property
    def case(self) -> Case:
        """The row's case. Raises Missing."""
        return present(self.found)

    @property
    def to(self) -> Person:
        """The recipient. Raises Missing."""
        return present(self.row.say.to)

    @property
    def channel(self) -> str:
        """The channel of a message that is not for one person. Raises Missing."""
        return present(self.row.say.channel)

    @property
    def place(self) -> str:
        """The recipient's direct message, else the channel. Raises Missing."""
        return self.row.say.to.user if self.row.say.to else self.channel

    @property
    def reply(self) -> ReplyAddress:
        """Where an answer goes; the recipient's direct message if no other address is known. Raises Missing."""
        reply = self.row.say.data.get("reply")
        found = reply if isinstance(reply, Mapping) else {}
        return ReplyAddress(self.to, _text(found.get("response_url")), _text(found.get("channel")))

    def scene(self) -> ViewContext:
        """The policy and the time of this moment."""
        return self.context.scene()

    async def scene_ahead(self) -> ViewContext:
        """The same with what comes next on the case if nobody answers."""
        return await with_ahead(self.context.service, self.scene(), (self.case,))

    async def signing_scene(self, ask: Ask) -> ViewContext:
        """The same with the recipient's link to sign a yes to this ask, where it is signed."""
        scene = await self.scene_ahead()
        if demanded(self.case, ask.kind, scene.policy, scene.binding(ask.opened_at)) == "none":
            return scene
        return replace(scene, sign=await self.context.service.signing.address(self.case, ask, self.to))

    def text(self, key: str) -> str:
        """A text of the row's data; empty where there is none."""
        return _text(self.row.say.data.get(key))

    def whole(self, key: str) -> int:
        """A whole number of the row's data; 0 where there is none."""
        value = self.row.say.data.get(key, 0)
        return value if isinstance(value, int) else 0

    def moment(self, key: str) -> datetime:
        """A time of the row's data, written in milliseconds since 1970 UTC."""
        return datetime.fromtimestamp(self.whole(key) / 1000, UTC)

    async def in_thread_of(self, purpose: str, said: Message) -> NewMessage:
        """In the thread of the recipient's newest copy of that purpose; a message of its own where there is none."""
        copies = await self.context.store.outbox.copies(self.case.id)
        mine = next((c for c in reversed(copies) if c.purpose == purpose and c.to == self.to), None)
        return NewMessage(mine.channel, said, mine.ts) if mine else NewMessage(self.to.user, said)


Draw: TypeAlias = Callable[[Outgoing], Awaitable[Job]]
Redraw: TypeAlias = Callable[[Outgoing], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class MessageKind:
    """One row of the table.

    `redraw`: draws a posted message again after the case changed; a kind that has it is stored with its message's place.
    `keeps`: of a kind with `redraw`, which rows are stored so; `kept_as`: under which purpose. `remembered`: the place is stored only so that an erasure can blank the message, because it shows what a person typed.
    `logged`: the delivery is a log entry. `looked_up`: the recipient's account is checked before sending. `prompt`: its
    recipient is paged instead while Slack is away. `steps_on`: the case goes to its next step when this cannot be
    delivered. `tells_decision`: carries the checkpoint once the case is decided. `waits_for_day`: sent in the recipient's
    working hours only; "ask": if the ask that it is about may wait. `settles`: seconds that it waits after it was written.
    """

    draw: Draw
    method: Method = "chat.postMessage"
    redraw: Redraw | None = None
    keeps: Callable[[OutboxRow], bool] = lambda row: True
    kept_as: Callable[[OutboxRow], str] = lambda row: row.say.purpose
    remembered: bool = False
    logged: bool = False
    looked_up: bool = False
    prompt: bool = False
    steps_on: bool = False
    tells_decision: bool = False
    waits_for_day: Literal["never", "always", "ask"] = "never"
    settles: float = 0.0

    def kept(self, row: OutboxRow) -> bool:
        """Whether the message's place is stored once it is posted."""
        return self.remembered or (self.redraw is not None and self.keeps(row))

    async def drawn(self, context: RenderContext, row: OutboxRow, case: Case | None) -> Job:
        """The message, or Dropped where the row misses what its drawing needs."""
        try:
            return await self.draw(Outgoing(context, row, case))
        except Missing:
            return NOTHING_TO_DRAW


T = TypeVar("T")


def present(found: T | None) -> T:
    """What is there. Raises Missing where it is None or empty."""
    if not found:
        raise Missing
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
