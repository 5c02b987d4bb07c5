"""The composition root: builds the parts of a running bot, starts and stops them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.background.anchor_publisher import AnchorPublisher
from bot.background.calendar_feeds import EVERY, CalendarFeeds
from bot.background.clock_keeper import ClockKeeper
from bot.background.epoch_job import EpochContext, beginning
from bot.background.executor_webhooks import ExecutorWebhooks
from bot.background.heartbeat import Heartbeat
from bot.background.housekeeper import Housekeeper
from bot.background.inbox_worker import InboxWorker
from bot.background.log_rehasher import LogRehasher
from bot.background.loop import until
from bot.background.operator_jobs import OperatorJobs, Run, erasing, pruning, releasing
from bot.background.pager import Pager, send_page
from bot.background.policy_reload import accepted_sets, first_policy, follow
from bot.background.sweeper import Sweeper
from bot.background.watchdog import Watchdog
from bot.clock import SteadyClock, SystemClock, boot_id
from bot.decision_log.keys import vkey_lines
from bot.decision_log.permit_keys import jwks
from bot.decision_log.signer_memory import signed_name
from bot.domain.case.operator_action import ActKind
from bot.domain.case.transition import Transition
from bot.domain.errors import SlackRefused, StorageError
from bot.http.health import Health
from bot.http.metrics import Metrics
from bot.http.operations_server import OperationsServer
from bot.http.server import read_address
from bot.logs import configure
from bot.runtime.anchors import anchors
from bot.runtime.open_log import OpenLog, open_log, open_store
from bot.runtime.setting_typos import strays
from bot.service.approvals import ApprovalService
from bot.service.permits import PermitIssuer
from bot.settings import Settings
from handlers.inbound.home import Homes
from handlers.outbound.outbox_sender import OutboxSender
from handlers.transport.app import SlackApp
from handlers.transport.http import RequestGate
from handlers.web_api.client import ObservedClient
from handlers.web_api.own_identity import OwnIdentity
from handlers.web_api.users import SlackDirectory
from storage.store import SqliteStore

_REHASH = 1.0  # seconds that the first check of the whole log may hold up the serving
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BotParts:
    """A bot put together, not yet running."""

    settings: Settings
    store: SqliteStore
    desk: ApprovalService
    feeds: CalendarFeeds
    introduction: OwnIdentity
    door: SlackApp
    messenger: OutboxSender
    worker: InboxWorker
    sweeper: Sweeper
    pager: Pager
    executors: ExecutorWebhooks
    health: Health
    metrics: Metrics
    clock: SteadyClock
    timekeeper: ClockKeeper
    watchdog: Watchdog
    operations: OperatorJobs
    housekeeper: Housekeeper
    anchoring: AnchorPublisher
    homes: Homes
    standing: OpenLog
    rehasher: LogRehasher


async def serve(settings: Settings, *, stop: asyncio.Event | None = None, ready: Callable[[], None] = lambda: None) -> None:
    """Runs until SIGTERM, SIGINT or `stop`; finishes what it acknowledged."""
    configure(settings.log_format)
    for stray in strays(os.environ, settings.runbooks_dir):
        if not stray.others:
            log.warning("settings.unknown", text=stray.text)
    settings.require_slack()
    read_address(settings.ops_listen, "COUNTERSIGN_OPS_LISTEN")
    read_address(settings.listen, "COUNTERSIGN_LISTEN")
    stop = stop or asyncio.Event()
    _stop_on_signals(stop)
    clock = SteadyClock(SystemClock(), boot_id())
    store = await open_store(settings, clock)
    try:
        with contextlib.suppress(StorageError):  # a disk that refuses stops the log, not the bot
            await store.free_leases()
        parts = await build(settings, store, clock)
        settle()
        try:
            await _live(parts, stop, ready)
        finally:
            parts.standing.close()
    finally:
        await store.close()


def settle() -> None:
    """Exempts what is alive now from garbage collection; called once, when everything is put together.

    A full collection walks every live object and holds up the event loop meanwhile: 60 to 75 ms for the modules, classes and
    policies that a start makes and nothing ever frees.
    """
    gc.collect()
    gc.freeze()


async def build(settings: Settings, store: SqliteStore, clock: SteadyClock) -> BotParts:
    """Puts the parts together. Raises PolicyError where no policy can be had, SlackRefused where Slack does not let us in."""
    health = Health(clock, socket_mode=settings.slack_app_token is not None)
    standing = await open_log(store, settings.state_dir, clock)
    cover = standing.signer.cover
    health.also(standing.stoppable.findings)
    timekeeper = ClockKeeper(store, clock, health.part("timekeeper"))
    await timekeeper.begin()
    health.also(timekeeper.findings)
    policy = await first_policy(store, clock, settings.runbooks_dir, settings.time_scale)
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    metrics = Metrics(clock)
    report = metrics.slack_called
    client = ObservedClient(token, report=report, base_url=settings.slack_api_url, retry_handlers=[])  # the outbox repeats
    introduction = OwnIdentity(client)
    await introduction.ask()
    health.also(introduction.findings)
    directory = SlackDirectory(client, clock)
    desk = ApprovalService(standing.store, directory, clock, settings.time_scale, policy)
    standing.stoppable.spoke = desk.spoke.set
    known = await accepted_sets(store, clock.now(), settings.time_scale)
    if known is not None and known.current.digest == policy.digest:
        desk.sets = known
    feeds = CalendarFeeds(
        desk, os.environ, alarm_channel=settings.alarm_channel, beat=health.part("feed reader", 3 * EVERY),
        lost=metrics.calendars,
    )  # fmt: skip
    await feeds.begin()
    desk.permits = PermitIssuer(standing.store, cover, settings.state_dir, clock)
    door = SlackApp(desk, client, introduction.identity, cover, prefix=settings.command_prefix)
    homes = Homes(desk, health.part("homes", 30.0))
    desk.committed = _both(metrics.committed, homes.changed)
    beat = health.part("sweeper")

    def swept(seconds: float, cases: int) -> None:
        beat()
        metrics.swept(seconds, cases)

    messenger = OutboxSender(desk, client, directory, cover, prefix=settings.command_prefix, beat=health.part("messenger"))
    worker = InboxWorker(desk, health.part("worker"))
    pager = Pager(desk, directory, os.environ, send_page(settings.pagerduty_url), cover, health.part("pager"))
    executors = ExecutorWebhooks(desk, os.environ, cover, health.part("executors", 30.0))
    sweeper = Sweeper(desk, swept)
    watchdog = Watchdog(
        standing.store, clock, lambda: desk.policy, alarm_channel=settings.alarm_channel, stuck=health.stuck,
        watched=metrics.watched, spoke=desk.spoke.set,
    )  # fmt: skip
    health.also(watchdog.findings)
    anchoring = AnchorPublisher(
        store,
        store,
        cover,
        clock,
        anchors(settings),
        settings.audit_channel,
        desk.spoke.set,
        health.part("anchoring", 300.0),
    )
    ground = EpochContext(store, settings.sqlite_path, settings.state_dir, standing)
    operations = OperatorJobs(desk, _carried_out_by(desk, ground), health.part("operations", 900.0))
    return BotParts(
        settings, store, desk, feeds, introduction, door, messenger, worker, sweeper, pager, executors, health, metrics, clock,
        timekeeper, watchdog, operations, Housekeeper(store, health.part("housekeeper", 900.0)), anchoring, homes, standing,
        LogRehasher(standing.store, settings.sqlite_path, settings.state_dir, standing.signer.stop),
    )  # fmt: skip


def _carried_out_by(desk: ApprovalService, ground: EpochContext) -> dict[ActKind, Run]:
    """The job that carries out a confirmed operator action, by its kind."""
    return {
        "hold_release": releasing(desk),
        "erase": erasing(desk),
        "prune": pruning(desk),
        "new_epoch": beginning(desk, ground),
    }


def _both(one: Callable[[Transition], None], other: Callable[[Transition], None]) -> Callable[[Transition], None]:
    def both(act: Transition) -> None:
        one(act)
        other(act)

    return both


async def _live(parts: BotParts, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Runs every part concurrently; when one ends, the others are stopped in order."""
    settings, health = parts.settings, parts.health
    origin = (await parts.store.log_head()).origin
    ops = OperationsServer(
        parts.store, health, parts.metrics, parts.desk.clock, lambda: parts.desk.policy.digest, listen=settings.ops_listen,
        vkeys=lambda: vkey_lines(settings.state_dir, signed_name(settings.state_dir, origin)),
        jwks=lambda: json.dumps(jwks(settings.state_dir, parts.clock.now())),
    )  # fmt: skip
    await ops.start()
    url = settings.heartbeat_url
    watching = [until(stop, Heartbeat(url.get_secret_value(), ops.findings).run(stop))] if url else []
    try:
        await _serveuntil(parts, stop, ready, watching)
    finally:
        await ops.stop()


async def _serveuntil(
    parts: BotParts, stop: asyncio.Event, ready: Callable[[], None], watching: list[Coroutine[Any, Any, None]]
) -> None:
    inner = asyncio.Event()  # the outgoing side stops after the incoming side is empty
    settings, health = parts.settings, parts.health

    def reached() -> None:
        health.up()
        ready()

    rehashing = asyncio.ensure_future(parts.rehasher.run(inner))
    await parts.rehasher.begun(_REHASH)
    policy = follow(settings.runbooks_dir, parts.desk, parts.store, parts.feeds, parts.standing.stoppable)
    incoming = [_front(parts, stop, reached), until(stop, policy), until(stop, parts.feeds.run()), *watching]
    outgoing = _outgoing(parts, inner, rehashing)
    tasks = [asyncio.ensure_future(work) for work in (*incoming, *outgoing)]
    await asyncio.wait([*tasks, stopper := asyncio.ensure_future(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await stopper
    await asyncio.gather(*tasks[: len(incoming)], return_exceptions=True)
    inner.set()
    await asyncio.gather(*tasks[len(incoming) :], return_exceptions=True)
    for task in tasks:
        task.result()


def _outgoing(parts: BotParts, inner: asyncio.Event, rehashing: asyncio.Future[None]) -> list[Coroutine[Any, Any, None]]:
    """The parts that carry out acts and send messages, each watched by `health`."""
    health = parts.health
    return [
        health.watch("worker", parts.worker.run(inner)),
        health.watch("sweeper", parts.sweeper.run(inner)),
        health.watch("messenger", parts.messenger.run(inner)),
        health.watch("pager", parts.pager.run(inner)),
        health.watch("executors", parts.executors.run(inner)),
        health.watch("timekeeper", parts.timekeeper.run(inner)),
        health.watch("watchdog", parts.watchdog.run(inner)),
        health.watch("log", parts.standing.stoppable.watch(inner)),
        health.watch("rehasher", rehashing),
        health.watch("operations", parts.operations.run(inner)),
        health.watch("housekeeper", parts.housekeeper.run(inner)),
        health.watch("anchoring", parts.anchoring.run(inner)),
        health.watch("homes", parts.homes.run(inner)),
    ]


async def _front(parts: BotParts, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Socket Mode when there is an app-level token, else signed HTTP; once Slack has said who we are."""
    await until(stop, parts.introduction.until_known())
    if stop.is_set():
        return
    settings = parts.settings
    if settings.slack_app_token is not None:
        try:
            token = settings.slack_app_token.get_secret_value()
            await parts.door.socket_mode(token, stop, ready, parts.health.lost, parts.metrics.delivered)
        except SlackApiError as error:
            said = error.response["error"]
            advice = "Make an App-Level Token with connections:write under “Basic Information”"
            raise SlackRefused(f"Slack refuses SLACK_APP_TOKEN ({said}). {advice}.") from None
        return
    secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else ""
    report = parts.metrics.delivered
    await RequestGate(parts.door.app, secret, parts.clock.wall, listen=settings.listen, report=report).serve(stop, ready)
    await parts.door.finish()


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
