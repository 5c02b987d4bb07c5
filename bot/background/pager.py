"""Sends pages outside Slack when somebody must wake up.

A page names runbook, provider, domain, deadline and id, and links to the card. It never contains reason or target, because
it travels over a telephone network or another company's cloud. Outbox rows (purpose `pager`) are leased, sent and recorded
like messages: at least once, retried with back-off, given up when the question is closed.
- `pagerduty://ROUTING_KEY` goes to PagerDuty's Events API: one incident a request, acknowledged by *On it*, resolved when
  the question is closed. Everything else is an Apprise address, which is only triggered.
- Addresses come from policy and `env:NAME` from the environment, when the page is sent. They are in no row and no log.
Design, sections 2 and 4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Protocol

import structlog

from bot.background.loop import every
from bot.background.page_text import page_text, sign_address
from bot.clock import Clock
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.case.transition import SYSTEM, LogEvent, Value
from bot.domain.errors import LookupFailed
from bot.domain.policy.handed_in import value_of
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.http.proxies import spare_loopback
from bot.ports.cases import Cases
from bot.ports.directory import Directory
from bot.ports.queues import Outbox
from bot.ports.records import Cover, OutboxRow, SignedCheckpoint
from bot.service.current_policy import CurrentPolicy

POLL, TIMEOUT, PARTING = 0.5, 15.0, 3.0  # seconds
LEASE, GIVE_UP = timedelta(seconds=60), timedelta(hours=2)
_GROUP, _SLOWEST, _CARD_WAIT, _ZONE_AGE = 20, 60.0, 5.0, 3600.0
PAGERDUTY = "pagerduty://"
log = structlog.get_logger(__name__)


class PageSender(Protocol):
    """Sends to one address, on a thread. Returns whether it was taken; may raise anything."""

    def __call__(self, address: str, action: str, key: str, title: str, text: str, link: str) -> bool: ...


class Pager:
    """One for each process. `send` is `send_page` outside tests; `cover` signs what has been committed."""

    def __init__(
        self, outbox: Outbox, cases: Cases, current: CurrentPolicy, clock: Clock, directory: Directory,
        environment: Mapping[str, str], send: PageSender, cover: Cover, beat: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._outbox, self._cases, self._current, self._clock, self._directory = outbox, cases, current, clock, directory
        self._environment, self._send, self._cover, self._beat = environment, send, cover, beat

    async def run(self, stop: asyncio.Event) -> None:
        """Sends pages until `stop`, then a last time for PARTING seconds at most."""
        await every(POLL, self._drain_safely, stop, beat=self._beat)
        try:
            await asyncio.wait_for(self._drain_safely(), PARTING)
        except TimeoutError:
            log.warning("pages.left_for_the_next_start")

    async def drain(self) -> None:
        """Sends everything that is due now."""
        now = self._clock.now()
        rows = await self._outbox.lease(now, now + LEASE, _GROUP, pages=True)
        await asyncio.gather(*(self._one(row) for row in rows))

    async def _drain_safely(self) -> None:
        try:
            await self.drain()
        except Exception:
            log.exception("pages.not_leased")

    async def _one(self, row: OutboxRow) -> None:
        case = await self._cases.case(row.say.case) if row.say.case else None
        action = str(row.say.data.get("action", "trigger"))
        if row.say.case is None and row.say.to is not None and row.say.data.get("title"):
            await self._about_no_case(row, row.say.to)
            return
        if case is None or row.say.to is None or (action == "trigger" and case.approval.state is not AskState.OPEN):
            await self._outbox.undeliverable(row, "no_longer_open", ())
            return
        link = await self._link(case, row.say.to)
        waits = not link and action == "trigger" and not row.say.data.get("slack_down")
        if waits and self._age(row) < _CARD_WAIT:
            await self._outbox.release([(row, self._clock.now() + timedelta(seconds=1), "waits_for_the_card")])
            return
        if not row.aside and not isinstance(await self._cover(), SignedCheckpoint):
            await self._outbox.release([(row, self._clock.now() + timedelta(seconds=2), "the log is stopped")])
            return
        found = addresses(self._current.policy, case, row.say.to, str(row.say.data.get("role", "")), self._environment)
        down, zone = bool(row.say.data.get("slack_down")), await self._zone(row.say.to)
        said = page_text(case, self._current.policy, zone, self._clock.now(), slack_down=down)
        link = link or sign_address(case, self._current.policy)
        failed = [e for e in [await self._try(a, action, case.id, said, link) for a in found] if e]
        await self._note(row, action, found, failed)

    async def _about_no_case(self, row: OutboxRow, person: Person) -> None:
        """A page whose row holds all of it. It goes to every address that a set that binds has for the person, for the newest
        could have taken it away. A quiet one opens no incident."""
        if not row.aside and not isinstance(await self._cover(), SignedCheckpoint):
            await self._outbox.release([(row, self._clock.now() + timedelta(seconds=2), "the log is stopped")])
            return
        data, sets = row.say.data, self._current.sets.sets
        named = dict.fromkeys(p.page for one in sets for p in one.policy.people if p.person == person and p.page)
        found = tuple(address for name in named if (address := value_of(name, self._environment)))
        if data.get("quiet"):
            found = tuple(address for address in found if not address.startswith(PAGERDUTY))
        if data.get("quiet") and not found:
            await self._outbox.undeliverable(row, "no_address", ())
            return
        said, key = (str(data["title"]), str(data.get("text", ""))), f"{row.id}"
        failed = [e for e in [await self._try(a, "trigger", key, said, str(data.get("link", ""))) for a in found] if e]
        await self._note(row, "trigger", found, failed)

    async def _try(self, address: str, action: str, key: str, said: tuple[str, str], link: str) -> str:
        """Returns the empty string, or a code why it failed."""
        title, text = said
        try:
            sending = asyncio.to_thread(self._send, address, action, key, title, text, link)
            return "" if await asyncio.wait_for(sending, TIMEOUT) else "not_taken"
        except TimeoutError:
            return "timeout"
        except Exception as error:  # noqa: BLE001  any exception of two libraries and a hundred services is a failed page
            return type(error).__name__[:60]  # its text may hold the address

    async def _note(self, row: OutboxRow, action: str, found: tuple[str, ...], failed: list[str]) -> None:
        data: dict[str, Value] = {"purpose": "page", "to": row.say.to or "", "action": action}
        if not found:
            await self._outbox.undeliverable(row, "no_address", [_draft("delivery.failed", row, data, "no_address")])
        elif not failed:
            await self._outbox.sent(row, "", "", 0, [_draft("delivery.sent", row, data)])
        elif self._age(row) > GIVE_UP.total_seconds():
            await self._outbox.undeliverable(row, failed[0], [_draft("delivery.failed", row, data, failed[0])])
        else:
            log.warning("page.failed", request=row.say.case, error=failed[0], attempts=row.attempts + 1)
            wait = min(2.0 ** min(row.attempts, 6), _SLOWEST)
            await self._outbox.release([(row, self._clock.now() + timedelta(seconds=wait), failed[0])])

    async def _link(self, case: Case, person: Person) -> str:
        """The link to that person's card; empty if it is not posted yet or Slack does not answer."""
        copies = await self._outbox.copies(case.id)
        mine = next((c for c in copies if c.to == person and (c.purpose == "card" or c.purpose.startswith("ask."))), None)
        if mine is None:
            return ""
        try:
            return await self._directory.permalink(mine.channel, mine.ts)
        except LookupFailed:
            return ""

    async def _zone(self, person: Person) -> str:
        """That person's time zone as Slack last named it; empty where it is unknown."""
        try:
            known = self._directory.last_known(person) or await self._directory.profile(person, _ZONE_AGE)
        except LookupFailed:
            return ""
        return known.time_zone

    def _age(self, row: OutboxRow) -> float:
        return (self._clock.now() - row.created_at).total_seconds()


def addresses(policy: Policy, case: Case, person: Person, role: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Where a page to this person goes: their own address, and as on-call the rota's; `env:NAME` resolved."""
    domain = policy.domains.get(case.request.domain)
    rota = policy.rotas.get(domain.on_call) if domain is not None and domain.on_call else None
    named = [p.page for p in policy.people if p.person == person and p.page]
    named += [rota.page] if role == "on_call" and rota is not None and rota.page else []
    return tuple(dict.fromkeys(address for name in named if (address := value_of(name, environment))))


def send_page(pagerduty_url: str | None = None) -> PageSender:
    """The real sender. `pagerduty_url`: another server than PagerDuty's, for tests on this machine."""
    spare_loopback()

    def send(address: str, action: str, key: str, title: str, text: str, link: str) -> bool:
        if address.startswith(PAGERDUTY) and "@" not in address:
            return _pagerduty(address.removeprefix(PAGERDUTY).strip("/"), action, key, title, text, link, pagerduty_url)
        return action != "trigger" or _apprise(address, title, text, link)

    return send


def _pagerduty(routing_key: str, action: str, key: str, title: str, text: str, link: str, url: str | None) -> bool:
    from pagerduty import EventsApiV2Client

    class Events(EventsApiV2Client):
        """Tries once: the outbox repeats, and a thread that waited here, without limit at a 429, would hold up every page."""

        max_network_attempts, max_http_attempts = 0, -1

        def normalize_url(self, path: str) -> str:
            return super().normalize_url(path) if url is None else f"{url.rstrip('/')}{path}"  # a stand-in without TLS

    with Events(routing_key) as client:
        client.timeout, client.retry[429] = 10, 1
        if action == "acknowledge":
            client.acknowledge(key)
        elif action == "resolve":
            client.resolve(key)
        else:
            links = [{"href": link, "text": "The card in Slack"}] if link else []
            client.trigger(f"{title}. {text}"[:1024], "countersign", dedup_key=key, links=links)
    return True


def _apprise(address: str, title: str, text: str, link: str) -> bool:
    import apprise

    pager = apprise.Apprise()
    return bool(pager.add(address)) and bool(pager.notify(body=f"{text}\n{link}".strip(), title=title))


def _draft(type_: str, row: OutboxRow, data: Mapping[str, Value], error: str = "") -> LogEvent:
    return LogEvent(type_, SYSTEM, row.say.case, {**data, **({"error": error} if error else {})})
