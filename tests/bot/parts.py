"""The parts of a running bot around an office of the tests, put together as `bot.composition` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.background.agreement_sets import follow_agreement
from bot.background.calendar_feeds import CalendarFeeds, Fetch
from bot.background.executor_webhooks import ExecutorWebhooks
from bot.background.inbox_worker import InboxWorker
from bot.background.operator_jobs import JobContext
from bot.background.pager import Pager, PageSender
from bot.background.policy_reload import PolicyReload
from bot.background.sweeper import Sweeper
from bot.ports.records import Cover
from bot.ports.reports import MonthReports
from handlers.inbound.home import Homes
from handlers.inbound.listener import SlackEdge
from handlers.outbound.delivery import Delivery
from handlers.outbound.message_kinds import RenderContext
from handlers.outbound.outbox_sender import OutboxSender
from handlers.outbound.rate_lanes import Lanes
from handlers.transport.app import SlackApp
from handlers.views.kit.context import drawn_now
from handlers.web_api.own_identity import Identity
from runbooks.calendars.fetch import fetch
from tests.bot.office import Office, covered

Executors = TypeVar("Executors", bound=ExecutorWebhooks)
IDENTITY = Identity("T0HOME", "U0BOT", "B0BOT")


def worker(office: Office) -> InboxWorker:
    return InboxWorker(office.service, office.store.inbox, office.clock)


def sweeper(office: Office, swept: Callable[[float, int], None] = lambda seconds, cases: None) -> Sweeper:
    return Sweeper(office.service, office.store.cases, office.clock, swept)


def feeds(office: Office, environment: Mapping[str, str], fetched: Fetch = fetch, **how: Any) -> CalendarFeeds:
    return CalendarFeeds(office.store.policies, office.service.current, office.clock, environment, fetched, **how)


def pager(office: Office, environment: Mapping[str, str], send: PageSender, cover: Cover = covered) -> Pager:
    store, current = office.store, office.service.current
    return Pager(store.outbox, store.cases, current, office.clock, office.directory, environment, send, cover)  # type: ignore[arg-type]


def executors(office: Office, environment: Mapping[str, str], cover: Cover, kind: type[Executors]) -> Executors:
    store, service = office.store, office.service
    return kind(store.calls, store.cases, office.clock, service.transactions, service.permit, environment, cover)


def reload(office: Office) -> PolicyReload:
    service = office.service
    note = partial(follow_agreement, service.agreements, office.store)
    return PolicyReload(office.store, office.clock, office.scale, service.current, note)  # type: ignore[arg-type]


def jobs(office: Office) -> JobContext:
    service = office.service
    return JobContext(office.store.operator, service.current, office.clock, office.scale, service.transactions)


def rendering(
    office: Office, prefix: str = "", reports: MonthReports | None = None, directory: Any = None
) -> RenderContext:
    scene = drawn_now(office.service.current, office.clock, office.scale, prefix)
    return RenderContext(office.service, office.store, directory or office.directory, scene, reports)


def sender(
    office: Office, client: AsyncWebClient, cover: Cover = covered, *, pace: float = 0, directory: Any = None,
    may_call: Callable[[], bool] = lambda: True,
) -> OutboxSender:  # fmt: skip
    """The sender of messages; `directory` where accounts are looked up elsewhere than in the office's."""
    store, service, clock, lanes = office.store, office.service, office.clock, Lanes({"chat.postMessage": pace})
    context = rendering(office, directory=directory)
    delivery = Delivery(
        context, store.outbox, store.cases, service.transactions, context.directory, clock, office.scale, cover, lanes,
        may_call,
    )  # fmt: skip
    return OutboxSender(delivery, lanes, store.outbox, clock, service.current.spoke, client)


def edge(office: Office, client: AsyncWebClient, cover: Cover = covered, prefix: str = "") -> SlackEdge:
    scene = drawn_now(office.service.current, office.clock, office.scale, prefix)
    return SlackEdge(office.service, office.store, office.clock, client, cover, scene)


def door(office: Office, client: AsyncWebClient, prefix: str = "", signing_secret: str = "") -> SlackApp:
    return SlackApp(edge(office, client, prefix=prefix), IDENTITY, prefix=prefix, signing_secret=signing_secret)


def homes(office: Office) -> Homes:
    return Homes(office.store.homes, office.store.outbox, office.service.current)
