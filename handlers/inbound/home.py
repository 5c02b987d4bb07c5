"""The App Home: opened, paged, and drawn again when something in it changes.

Several changes lead to one update, which has the lowest priority in the outbox. Updates that were due when a process was
killed are not stored: at the start every recently opened Home is published once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog

from bot.domain.case.transition import Transition
from bot.domain.errors import StorageError
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow.notifications import seen_in_homes
from bot.ports.cases import Homes as HomeRecords
from bot.ports.commands import ReplyAddress, SetAbsence, ShowPage
from bot.ports.queues import Outbox
from bot.service.current_policy import CurrentPolicy
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.listener import NOTHING, Answer, Listener, SlackEdge, nothing
from handlers.inbound.payloads import Body
from handlers.views.dialogs import away_form, read_asked
from handlers.views.kit import wording

GATHER = 0.5  # seconds: what changes within is one drawing
log = structlog.get_logger(__name__)


async def take_opened(edge: SlackEdge, body: Body) -> Answer:
    """The App Home was opened: publishes its first page."""
    looked = payloads.home_opened(body)
    return NOTHING if looked is None else await edge.take_in(looked.key, _page(looked.person, "1"))


async def take_page(edge: SlackEdge, body: Body) -> Answer:
    """Publishes another page of the App Home."""
    press = payloads.press(body)
    return await edge.take_in(press.key, _page(press.person, press.value[:4]))


async def open_away(edge: SlackEdge, body: Body) -> None:
    """Opens the form of an absence."""
    await edge.open_view(payloads.press(body), away_form(""))


async def take_away(edge: SlackEdge, body: Body) -> Answer:
    """An absence until the start of a day (UTC)."""
    sent = payloads.submission(body)
    try:
        back = datetime.fromisoformat(sent.sheet.entered.get(ids.BACK_ON, "")[:10]).replace(tzinfo=UTC)
    except ValueError:
        back = edge.clock.now()
    if back <= edge.clock.now():
        return {"response_action": "errors", "errors": {ids.BACK_ON: wording.AWAY_LATER}}
    reply = ReplyAddress(sent.person, "", read_asked(sent.sheet.metadata).channel)
    return await edge.take_in(sent.key, SetAbsence(sent.person, reply, until=back.isoformat()))


async def take_back(edge: SlackEdge, body: Body) -> Answer:
    """Ends an absence."""
    press = payloads.press(body)
    return await edge.take_in(press.key, SetAbsence(press.person, press.reply))


def _page(person: Person, page: str) -> ShowPage:
    return ShowPage(person, "home", page, ReplyAddress(person))


class Homes:
    """Republishes App Homes, and redraws messages when something changed that is no case: who has authority, the matrix. One for
    each process; `changed` is called after every commit, `matrix_changed` after an answer on the matrix.
    """

    def __init__(
        self, records: HomeRecords, outbox: Outbox, current: CurrentPolicy, beat: Callable[[], None] = lambda: None
    ) -> None:
        self._records, self._outbox, self._current, self._beat = records, outbox, current, beat
        self._people: set[Person] = set()
        self._something = asyncio.Event()
        self._matrix = True  # at the start, for an answer may have been the last thing before a kill
        self._policy: Policy | None = None  # under which the open messages were drawn last; None at the start

    def changed(self, act: Transition) -> None:
        """Marks the people whose App Home shows what a commit changed."""
        case = act.after or act.before
        if case is not None:
            self._people |= seen_in_homes(case, self._current.policy)
        for more in act.also:
            self.changed(more)
        if act.reviewed is not None:
            self._people |= {act.reviewed.after.owner, *(asked.person for asked in act.reviewed.after.asked)}
        if act.absence is not None:
            self._people.add(act.absence.person)
        if self._people:
            self._something.set()

    def matrix_changed(self) -> None:
        """Everybody's answers on the matrix are shown again."""
        self._matrix = True
        self._something.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        await self._redraw_changed()
        ending = asyncio.ensure_future(stop.wait())
        while not stop.is_set():
            self._beat()
            woken = asyncio.ensure_future(self._something.wait())
            await asyncio.wait([woken, ending], timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            if self._something.is_set():
                await asyncio.wait([ending], timeout=GATHER)
                self._something.clear()
            if self._people or self._matrix or self._moved():
                await self._redraw_changed()
        ending.cancel()

    async def _redraw_changed(self) -> None:
        """Queues what changed; what could not be stored stays marked, and is tried again."""
        people, self._people = self._people, set()
        matrix, self._matrix = self._matrix, False
        policy, moved = self._current.policy, self._moved()
        if await self._redraw(None if matrix or moved else people, policy if moved else None):
            self._policy = policy
        else:
            self._people, self._matrix = self._people | people, self._matrix or matrix

    def _moved(self) -> bool:
        return self._policy is None or _compared(self._policy) != _compared(self._current.policy)

    async def _redraw(self, people: set[Person] | None, moved: Policy | None) -> bool:
        """`moved`: the policy by which open messages are to be drawn; what was stored tells whether they were already."""
        try:
            await self._records.redraw(people)
            if moved is not None and await self._outbox.redrawn_for() != (authority := _authority(moved)):
                await self._outbox.redraw_open(authority)
        except StorageError as error:
            log.warning("homes.not_redrawn", error=str(error))
            return False
        self._current.spoke.set()
        return True


def _compared(policy: Policy) -> tuple[object, ...]:
    """What of a set says who may decide: compared to see that it changed."""
    return policy.digest, policy.standing, tuple(domain.owner for domain in policy.domains.values())


def _authority(policy: Policy) -> str:
    """The same as a digest that is equal in another process, to see after a restart that it changed while the bot was down."""
    taken = policy.standing
    parts = [sorted(map(str, part)) for part in (
        taken.suspended, taken.withdrawn, taken.contracts_over, taken.providers, taken.narrowed
    )]  # fmt: skip
    owners = [str(domain.owner) for domain in policy.domains.values()]
    return hashlib.sha256(repr([policy.digest, parts, owners]).encode()).hexdigest()


HOME_OPENED = Listener(take_opened)
HOME_ACTIONS: Mapping[str, Listener] = {
    ids.HOME_PAGE: Listener(take_page),
    ids.GO_AWAY: Listener(nothing, open_away),
    ids.COME_BACK: Listener(take_back),
}
HOME_SUBMISSIONS: Mapping[str, Listener] = {ids.FORM_AWAY: Listener(take_away)}
