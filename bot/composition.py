"""The composition root: builds the parts of a bot and connects them. Nothing runs yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from bot.background.agreement_sets import follow_agreement
from bot.background.anchor_publisher import AnchorPublisher
from bot.background.calendar_feeds import EVERY, CalendarFeeds
from bot.background.clock_keeper import ClockKeeper
from bot.background.epoch_job import EpochContext, beginning
from bot.background.executor_webhooks import ExecutorWebhooks
from bot.background.housekeeper import Housekeeper
from bot.background.inbox_worker import InboxWorker
from bot.background.log_rehasher import LogRehasher
from bot.background.loop import every
from bot.background.operator_jobs import JobContext, OperatorJobs, Run, ending, erasing, pruning, releasing
from bot.background.pager import Pager, send_page
from bot.background.policy_reload import PolicyReload, accepted_sets, first_policy, stored_policy
from bot.background.replica import Replica
from bot.background.review_window import ReviewWindow
from bot.background.sign_page import SignPage
from bot.background.sweeper import Sweeper
from bot.background.watchdog import Watchdog
from bot.clock import SteadyClock
from bot.domain.case.operator_action import ActKind
from bot.domain.case.transition import Transition
from bot.domain.errors import NotLeading, Stopped, StorageError
from bot.http.health import Health
from bot.http.metrics import Metrics
from bot.ports.replication import Replicas
from bot.reports.summaries import Summaries
from bot.runtime.anchors import anchors
from bot.runtime.named_values import named_values
from bot.runtime.open_log import OpenLog, open_log
from bot.runtime.tracing import tracing
from bot.service.approvals import ApprovalService
from bot.service.current_policy import CurrentPolicy
from bot.service.permits import PermitIssuer
from bot.settings import Settings
from handlers.inbound.home import Homes
from handlers.inbound.listener import SlackEdge
from handlers.outbound.delivery import Delivery
from handlers.outbound.message_kinds import RenderContext
from handlers.outbound.outbox_sender import OutboxSender
from handlers.outbound.rate_lanes import Lanes
from handlers.outbound.sign_page_words import SignPageWords
from handlers.transport.app import SlackApp
from handlers.views.kit.context import ViewContext, drawn_now
from handlers.web_api.client import ObservedClient
from handlers.web_api.own_identity import OwnIdentity
from handlers.web_api.token_watch import TokenWatch
from handlers.web_api.users import SlackDirectory
from storage.sql_store import SqlStore

_PACE = 1.0  # seconds between two new messages in one conversation
_STANDBY = ("worker", "messenger", "pager", "executors", "log")  # for what came in while the database was lost
_MONTHS = 300.0  # seconds between two looks at whether a month's figures are due
_KEYS = 2.0  # seconds between two looks at messages that ask to endorse a change of the signing keys
_ACCOUNTS = 10.0  # seconds between two looks at the accounts that may sign while Slack is down
Loop: TypeAlias = Callable[[asyncio.Event], Coroutine[Any, Any, None]]  # runs until the event is set


@dataclass(frozen=True, slots=True)
class BotParts:
    """A bot put together, not yet running. `outgoing` are the loops that carry out acts and send messages, by name."""

    settings: Settings
    store: SqlStore
    clock: SteadyClock
    health: Health
    metrics: Metrics
    standing: OpenLog
    current: CurrentPolicy
    reload: PolicyReload
    feeds: CalendarFeeds
    introduction: OwnIdentity
    door: SlackApp
    rehasher: LogRehasher
    outgoing: Mapping[str, Loop]
    arrived: asyncio.Event
    replica: Replica | None = None

    @property
    def replicas(self) -> Replicas | None:
        """The lease and the others; None where one process is all there is."""
        return None if self.replica is None else self.replica.replicas

    @property
    def role(self) -> str:
        """`leader` or `standby`; empty where one process is all there is."""
        return "" if self.replicas is None else "leader" if self.replicas.held else "standby"


@dataclass(frozen=True, slots=True)
class _Base:
    """What the other parts are built on."""

    settings: Settings
    store: SqlStore
    clock: SteadyClock
    health: Health
    metrics: Metrics
    standing: OpenLog
    timekeeper: ClockKeeper
    client: ObservedClient
    token_watch: TokenWatch
    introduction: OwnIdentity
    directory: SlackDirectory
    service: ApprovalService
    scene: Callable[[], ViewContext]


async def build(settings: Settings, store: SqlStore, clock: SteadyClock, replica: Replica | None = None) -> BotParts:
    """Builds the parts; those of a replica that does not lead take in, and take away while the database is lost. Raises PolicyError if there is no valid policy, SlackRefused if Slack refuses the token."""
    replicas = None if replica is None else replica.replicas
    base = await _base(settings, store, clock, replica)
    health, metrics, standing, service = base.health, base.metrics, base.standing, base.service
    feeds = CalendarFeeds(
        standing.store.policies, service.current, clock, named_values(), alarm_channel=settings.alarm_channel,
        beat=health.part("feed reader", 3 * EVERY), lost=metrics.calendars,
    )  # fmt: skip
    with contextlib.suppress(NotLeading):  # who is on call is known; the leader looks at the open questions again
        await feeds.begin()
    service.host_acts = standing.host_acts(service.transactions.written)
    service.permits = PermitIssuer(standing.store, standing.signer.cover, settings.state_dir, clock)
    edge = SlackEdge(service, standing.store, clock, base.client, standing.signer.cover, base.scene)
    door = SlackApp(edge, base.introduction.identity, prefix=settings.command_prefix)
    homes = Homes(standing.store.homes, standing.store.outbox, service.current, health.part("homes", 30.0))
    service.signing.words = SignPageWords(base.scene)
    sign_page = SignPage(
        service.signing, service.sessions, settings.sign_listen, settings.state_dir, clock, health.part("sign page", 30.0)
    )
    health.also(sign_page.findings)
    service.transactions.committed = _both(metrics.committed, homes.changed)
    service.agreements.changed = homes.matrix_changed
    outgoing = {**_messaging(base), **_keeping(base), "homes": homes.run, "sign page": sign_page.run}
    rehasher = LogRehasher(standing.store, settings.database, settings.state_dir, standing.signer.stop)
    if replicas is not None and not replicas.held:
        outgoing = {name: outgoing[name] for name in _STANDBY}
        health.stand_by()
        health.also(standing.stoppable.findings)
    intro = base.introduction
    return BotParts(
        settings, store, clock, health, metrics, standing, service.current, _reload(base), feeds, intro, door, rehasher,
        outgoing, service.arrived, replica,
    )  # fmt: skip


async def _base(settings: Settings, store: SqlStore, clock: SteadyClock, replica: Replica | None) -> _Base:
    leads = replica is None or replica.replicas.held
    health = Health(clock, socket_mode=settings.slack_app_token is not None)
    standing = await open_log(store, settings.state_dir, clock, None if replica is None else replica.among)
    health.also(standing.stoppable.findings)
    timekeeper = ClockKeeper(store, clock, health.part("timekeeper"))
    await (timekeeper.begin() if leads else timekeeper.resume())
    health.also(timekeeper.findings)
    folder, scale = settings.runbooks_dir, settings.time_scale
    policy = await (
        first_policy(store, clock, folder, scale, shared=replica is not None)
        if leads
        else stored_policy(store, clock, scale)
    )
    metrics = Metrics(clock, replica.leadership if replica else lambda: (True, 0))
    store.timed(metrics.database)
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    token_watch = TokenWatch(clock, health.part("token watch", 90.0))
    health.also(token_watch.findings)
    report = token_watch.and_report(metrics.slack_called)  # the client itself retries nothing: the outbox repeats
    client = ObservedClient(token, report=report, base_url=settings.slack_api_url, retry_handlers=[])
    introduction = OwnIdentity(client)
    await introduction.ask()
    health.also(introduction.findings)
    directory = SlackDirectory(client, clock)
    service = ApprovalService(standing.store, directory, clock, scale, policy)
    _connect(service, standing, metrics)
    service.transactions.tracing = tracing(settings.traces_url)
    scene = drawn_now(service.current, clock, scale, settings.command_prefix)
    base = _Base(
        settings, store, clock, health, metrics, standing, timekeeper, client, token_watch, introduction, directory, service,
        scene,
    )  # fmt: skip
    await _agree(_reload(base))
    return base


def _connect(service: ApprovalService, standing: OpenLog, metrics: Metrics) -> None:
    """What the use cases write to the log and the figures, and read from them."""
    standing.stoppable.outbox.spoke = service.current.spoke.set
    service.reviews.stopped = lambda: bool(standing.stoppable.why)
    service.agreements.sent = partial(metrics.asked_without_request, "agreement")


def _reload(base: _Base) -> PolicyReload:
    note = partial(follow_agreement, base.service.agreements, base.standing.store)
    return PolicyReload(base.store, base.clock, base.settings.time_scale, base.service.current, note)


async def _agree(reload: PolicyReload) -> None:
    """Reads the sets that were agreed for this policy, and follows them."""
    current = reload.current
    known = await accepted_sets(reload.store, reload.clock.now(), reload.scale)
    if known is not None and known.current.digest == current.policy.digest:
        current.sets = known
    with contextlib.suppress(StorageError, Stopped):  # a stopped log notes nothing, a standby neither; the next start does
        await reload.note(current.policy)


def _messaging(base: _Base) -> dict[str, Loop]:
    """The loops that judge, carry out and send."""
    settings, clock, health, service, records = base.settings, base.clock, base.health, base.service, base.standing.store
    cover, beat = base.standing.signer.cover, health.part("sweeper")

    def swept(seconds: float, cases: int) -> None:
        beat()
        base.metrics.swept(seconds, cases)

    async def recovered() -> None:
        await records.outbox.slack_is_back(clock.now())
        service.current.spoke.set()

    pager = Pager(
        records.outbox, records.cases, service.current, clock, base.directory, named_values(), send_page(settings.pagerduty_url),
        cover, health.part("pager"),
    )  # fmt: skip
    executors = ExecutorWebhooks(
        records.calls, records.cases, clock, service.transactions, service.permit, named_values(), cover,
        health.part("executors", 30.0),
    )  # fmt: skip
    return {
        "sweeper": Sweeper(service, records.cases, clock, swept).run,
        "months": partial(every, max(_MONTHS / settings.time_scale, 1.0), service.months.look, failed="months.failed"),
        "accounts": partial(every, _ACCOUNTS, service.outage.look, failed="accounts.failed"),
        "key changes": partial(every, _KEYS, service.endorsements.look, failed="key_changes.failed"),
        "reviews": ReviewWindow(service.reviews, settings.time_scale, health.part("reviews", 120.0)).run,
        "messenger": _messenger(base).run,
        "token watch": partial(base.token_watch.run, base.client, recovered),
        "worker": InboxWorker(service, records.inbox, clock, health.part("worker"), base.metrics.handled).run,
        "pager": pager.run,
        "executors": executors.run,
    }


def _messenger(base: _Base) -> OutboxSender:
    """The part that draws messages and sends them to Slack."""
    service, records, clock, lanes = base.service, base.standing.store, base.clock, Lanes({"chat.postMessage": _PACE})
    reports = Summaries(base.settings.database)
    context = RenderContext(service, records, base.directory, base.scene, reports)
    delivery = Delivery(
        context, records.outbox, records.cases, service.transactions, base.directory, clock, base.settings.time_scale,
        base.standing.signer.cover, lanes, base.standing.stoppable.may_call,
    )  # fmt: skip
    beat = base.health.part("messenger")
    return OutboxSender(delivery, lanes, records.outbox, clock, service.current.spoke, base.client, beat)


def _keeping(base: _Base) -> dict[str, Loop]:
    """The loops that look after clock, log and database."""
    settings, store, clock, standing, service = base.settings, base.store, base.clock, base.standing, base.service
    health, current, spoke = base.health, service.current, service.current.spoke.set
    watchdog = Watchdog(
        standing.store, clock, lambda: current.policy, alarm_channel=settings.alarm_channel, stuck=health.stuck,
        watched=base.metrics.watched, spoke=spoke,
    )  # fmt: skip
    health.also(watchdog.findings)
    anchoring = AnchorPublisher(
        store, store.anchors, standing.signer.cover, clock, anchors(settings), settings.audit_channel, spoke,
        health.part("anchoring", 300.0), standing.stoppable.may_call,
    )  # fmt: skip
    ground = EpochContext(store, settings.database, settings.state_dir, standing)
    jobs = JobContext(standing.store.operator, current, clock, settings.time_scale, service.transactions)
    return {
        "timekeeper": base.timekeeper.run,
        "watchdog": watchdog.run,
        "log": standing.stoppable.watch,
        "anchoring": anchoring.run,
        "operations": OperatorJobs(jobs, _jobs(jobs, ground), health.part("operations", 900.0)).run,
        "housekeeper": Housekeeper(store, health.part("housekeeper", 900.0)).run,
    }


def _jobs(jobs: JobContext, ground: EpochContext) -> dict[ActKind, Run]:
    """The job that carries out a confirmed operator action, by its kind."""
    return {
        "hold_release": releasing(jobs), "provider_end": ending(jobs), "erase": erasing(jobs), "prune": pruning(jobs),
        "new_epoch": beginning(jobs, ground),
    }  # fmt: skip


def _both(one: Callable[[Transition], None], other: Callable[[Transition], None]) -> Callable[[Transition], None]:
    def both(act: Transition) -> None:
        one(act)
        other(act)

    return both
