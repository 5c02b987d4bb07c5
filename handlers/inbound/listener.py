"""The interface of a listener, and the context that each gets.

A listener is two functions. `acknowledge` validates, writes the inbox row and returns the answer of the acknowledgement; it
calls no Slack method. The optional `after_ack` runs concurrently and may call Slack: forms open and change there, for a trigger
lives three seconds. Whoever adds a button, a form or a command adds one row to one table of these.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.domain.errors import StorageError
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.cases import Cases
from bot.ports.commands import Command, Press, ReplyAddress, SaySentence
from bot.ports.policies import Policies
from bot.ports.records import Cover, SignedCheckpoint
from bot.ports.reviews import ReviewRecords
from bot.service.approvals import ApprovalService
from handlers import ids
from handlers.inbound.payloads import Body, ButtonPress
from handlers.views.answers import say
from handlers.views.dialogs import said_page
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block
from handlers.views.kit.context import ViewContext
from handlers.web_api.client import SlackClient
from handlers.web_api.errors import CALL_ERRORS, REFUSED, verdict

Answer: TypeAlias = Mapping[str, Any]
NOTHING: Answer = {}
CALL_TIMEOUT = 10  # seconds
_SPENT = frozenset({"exchanged_trigger_id", "trigger_exchanged"})  # a repeat of a gesture whose form did open
log = structlog.get_logger(__name__)


def web_client(token: str, base_url: str) -> AsyncWebClient:
    """The Web API client. The SDK retries nothing: the outbox does, because it records what was sent."""
    return SlackClient(token, base_url=base_url, timeout=CALL_TIMEOUT, retry_handlers=[])


class Gesture(Protocol):
    """A command, a button press or a shortcut: what can open a form, within three seconds."""

    @property
    def person(self) -> Person: ...
    @property
    def key(self) -> str: ...
    @property
    def reply(self) -> ReplyAddress: ...
    @property
    def trigger(self) -> str: ...


class ReceivedRecords(Protocol):
    """The parts of the store that listeners read: what a button, a form or a command is about. They write the inbox alone,
    through the use cases."""

    @property
    def cases(self) -> Cases: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def reviews(self) -> ReviewRecords: ...


@dataclass(frozen=True, slots=True)
class SlackEdge:
    """The context of every listener: the use cases, their records, the clock, the Web API client, the checkpoint gate `cover`, and
    `scene`, which gives the set in force and the time of this moment."""

    service: ApprovalService
    store: ReceivedRecords
    clock: Clock
    client: AsyncWebClient
    cover: Cover
    scene: Callable[[], ViewContext]

    @property
    def policy(self) -> Policy:
        """The set in force."""
        return self.scene().policy

    @property
    def asking(self) -> Policy:
        """The set as it counts for the person who asks now."""
        return self.service.current.asking

    async def glass_debt(self, person: Person, runbook_id: str) -> str | None:
        """Why the chosen runbook cannot open access at once, or at all, now: a break-glass's debt, a limit that is used
        up. None if it can."""
        runbook = self.asking.runbooks.get(runbook_id)
        if runbook is None:
            return None
        return await self.service.filing.glass_debt(person, runbook) or (await self.service.filing.used(person, runbook))[0]

    async def left(self, person: Person, runbook_id: str) -> str:
        """Notes of the form about the chosen runbook: how much of its limit is used, and whether nobody would be paged."""
        runbook = self.asking.runbooks.get(runbook_id)
        if runbook is None:
            return ""
        said = (await self.service.filing.used(person, runbook))[1]
        brake = None if runbook.right == "autonomous" else await self.service.filing.brake(person, runbook)
        return said if brake is None else f"{said} {wording.braked(brake.nth, self.scene().at(brake.until))}".strip()

    async def away(self, runbook_id: str) -> Mapping[Person, str]:
        """Who of the domain of the chosen runbook cannot be asked now, and why."""
        runbook = self.asking.runbooks.get(runbook_id)
        domain = self.policy.domains.get(runbook.domain) if runbook is not None else None
        if domain is None:
            return {}
        return (await self.service.transactions.presence([domain.owner, *domain.deputies], None)).away

    async def take_in(self, key: str, act: Command, answer: Answer = NOTHING) -> Answer:
        """Writes the command to the inbox. Returns the acknowledgement, for a repeat the same as the first time."""
        return await self.service.take_in(key, act, answer)

    async def open_view(
        self, gesture: Gesture, view: Block, *, takes_away: bool = False, otherwise: str = "form_not_opened"
    ) -> None:
        """Opens a form. If Slack refuses, the person gets an answer with the reason, by default the sentence
        `otherwise`; it goes by `response_url`, which needs no token. While the log is stopped only a form that takes
        something away opens, and a page with the reason in the place of every other."""
        if not (takes_away or await self.covered()):
            view = said_page(say("stopped", {}, self.scene()).text)
        refused = await self._call(self.client.views_open(trigger_id=gesture.trigger, view=view))
        if refused and refused not in _SPENT:
            sentence = "slack_refuses" if refused in REFUSED else otherwise
            act = SaySentence(gesture.person, sentence, refused, gesture.reply)
            await self.take_in(f"{gesture.key}:not_shown", act)

    async def update_view(self, view_id: str, hash_: str, view: Block) -> str:
        """Updates a form if it is unchanged since `hash_`. Returns Slack's error code, empty on success."""
        await self.covered()
        return await self._call(self.client.views_update(view_id=view_id, hash=hash_, view=view))

    async def covered(self) -> bool:
        """Makes a checkpoint cover what a form is about to show. Returns False while the log is stopped."""
        try:
            return isinstance(await self.cover(), SignedCheckpoint)
        except StorageError as error:
            log.error("log.not_signed", error=str(error))
            return False

    async def _call(self, call: Awaitable[object]) -> str:
        try:
            await call
        except CALL_ERRORS as error:
            word = verdict(error).error
            log.warning("view.not_shown", error=word)
            return word
        return ""


Acknowledge: TypeAlias = Callable[[SlackEdge, Body], Awaitable[Answer]]
AfterAck: TypeAlias = Callable[[SlackEdge, Body], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listener:
    """See above. Both functions get the payload as Slack sent it and may raise PayloadError."""

    acknowledge: Acknowledge
    after_ack: AfterAck | None = None


async def nothing(_edge: SlackEdge, _body: Body) -> Answer:
    """Acknowledges without writing an inbox row."""
    return NOTHING


def press_on(press: ButtonPress, action: str, *, opens_form: bool = False) -> Command:
    """The press on the question that the button names; an answer where it names none."""
    asked = ids.read_question(press.value)
    if asked is None:
        return SaySentence(press.person, "unknown_button", "", press.reply)
    return Press(press.person, *asked, action, press.reply, opens_form=opens_form)
