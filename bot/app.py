"""Runs a bot: starts the parts that `bot.composition` has built, and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.background.heartbeat import Heartbeat
from bot.background.loop import until
from bot.background.replica import Replica, replica_id
from bot.clock import SteadyClock, SystemClock, boot_id
from bot.composition import BotParts, build
from bot.decision_log.keys import vkey_lines
from bot.decision_log.permit_keys import jwks
from bot.decision_log.signer_memory import signed_name
from bot.domain.errors import SlackRefused, StorageError
from bot.http.operations_server import OperationsServer
from bot.http.server import read_address
from bot.logs import configure
from bot.runtime.open_log import open_store
from bot.runtime.setting_typos import strays
from bot.settings import Settings
from handlers.transport.http import RequestGate
from storage.sql_store import SqlStore

_AGAIN = 0.5  # seconds before a replica that could not serve tries again
_REHASH = 1.0  # seconds that the first check of the whole log may hold up the serving
log = structlog.get_logger(__name__)


async def serve(settings: Settings, *, stop: asyncio.Event | None = None, ready: Callable[[], None] = lambda: None) -> None:
    """Runs until SIGTERM, SIGINT or `stop`; finishes what it acknowledged."""
    configure(settings.log_format)
    for stray in strays(os.environ, settings.runbooks_dir):
        if not stray.others:
            log.warning("settings.unknown", text=stray.text)
    settings.require_slack()
    read_address(settings.ops_listen, "COUNTERSIGN_OPS_LISTEN")
    read_address(settings.listen, "COUNTERSIGN_LISTEN")
    read_address(settings.sign_listen, "COUNTERSIGN_SIGN_LISTEN")
    stop = stop or asyncio.Event()
    _stop_on_signals(stop)
    clock = SteadyClock(SystemClock(), boot_id())
    store = await open_store(settings, clock)
    replica = await _joined(settings, store, clock)
    try:
        if replica is None:
            await _phase(settings, store, clock, stop, ready)
        else:
            await _among_others(settings, store, clock, replica, stop, ready)
    finally:
        await store.close()


async def _joined(settings: Settings, store: SqlStore, clock: SteadyClock) -> Replica | None:
    """This process as one of several; None with SQLite, where one is all there is. Raises StorageError."""
    if isinstance(settings.database, Path):
        return None
    from storage.postgres_store import PostgresStore

    assert isinstance(store, PostgresStore)
    own = replica_id(settings.state_dir, clock)
    return Replica(await store.replicas(own), own, store, settings.state_dir, clock)


async def _among_others(
    settings: Settings,
    store: SqlStore,
    clock: SteadyClock,
    replica: Replica,
    stop: asyncio.Event,
    ready: Callable[[], None],
) -> None:
    """Stands by or leads, by turns, until `stop`."""
    await replica.turn()
    beating = asyncio.ensure_future(replica.run())
    try:
        while not stop.is_set():
            replica.changed.clear()
            over = asyncio.Event()
            watching = asyncio.ensure_future(_first(stop, replica.changed, over))
            try:
                if replica.replicas.held or await store.policies.last() is not None:
                    await _phase(settings, store, clock, over, ready, replica)
            except StorageError as error:  # it comes back by itself
                log.warning("replica.waits", error=str(error))
            finally:
                watching.cancel()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _AGAIN)
    finally:
        beating.cancel()
        with contextlib.suppress(StorageError):
            await replica.replicas.give_up()


async def _first(one: asyncio.Event, other: asyncio.Event, then: asyncio.Event) -> None:
    """Sets `then` when one of two is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    then.set()
    for task in waiting:
        task.cancel()


async def _phase(
    settings: Settings, store: SqlStore, clock: SteadyClock, stop: asyncio.Event, ready: Callable[[], None],
    replica: Replica | None = None,
) -> None:  # fmt: skip
    """Serves as what this process is now, until `stop`."""
    with contextlib.suppress(StorageError):  # a disk that refuses stops the log, not the bot; a standby frees nothing
        await store.free_leases()
    parts = await build(settings, store, clock, replica)
    settle()
    try:
        async with _woken(parts):
            await _live(parts, stop, ready)
    finally:
        try:
            await _hand_in(parts)
        finally:
            parts.standing.close()


@contextlib.asynccontextmanager
async def _woken(parts: BotParts) -> AsyncIterator[None]:
    """A leader is notified at once of what the others take in."""
    if parts.replicas is None or not parts.replicas.held:
        yield
        return
    from storage.postgres_store import PostgresStore

    assert isinstance(parts.store, PostgresStore)
    wakeups = parts.store.wakeups(parts.arrived.set)
    wakeups.start()
    try:
        yield
    finally:
        await wakeups.stop()


async def _hand_in(parts: BotParts) -> None:
    """What this process still holds in memory goes to the next leader."""
    if parts.replicas is None:
        return
    try:
        await parts.standing.stoppable.inbox.hand_in()
    except StorageError as error:
        log.error("inbox.not_handed_in", error=str(error))


def settle() -> None:
    """Exempts what is alive now from garbage collection; called once, when everything is put together.

    A full collection walks every live object and holds up the event loop meanwhile: 60 to 75 ms for the modules, classes and
    policies that a start makes and nothing ever frees.
    """
    gc.collect()
    gc.freeze()


async def _live(parts: BotParts, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Runs every part concurrently; when one ends, the others are stopped in order."""
    settings, health = parts.settings, parts.health
    origin = (await parts.store.log.head()).origin
    ops = OperationsServer(
        parts.store, health, parts.metrics, parts.clock, lambda: parts.current.policy.digest, listen=settings.ops_listen,
        vkeys=lambda: vkey_lines(settings.state_dir, signed_name(settings.state_dir, origin)),
        jwks=lambda: json.dumps(jwks(settings.state_dir, parts.clock.now())),
        role=lambda: parts.role,
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

    if parts.role == "standby":
        incoming = [_front(parts, stop, reached), until(stop, parts.reload.follow_stored()), *watching]
        outgoing = _loops(parts, inner)
    else:
        rehashing = asyncio.ensure_future(parts.rehasher.run(inner))
        await parts.rehasher.begun(_REHASH)
        policy = parts.reload.follow(settings.runbooks_dir, parts.feeds, parts.standing.stoppable)
        incoming = [_front(parts, stop, reached), until(stop, policy), until(stop, parts.feeds.run()), *watching]
        outgoing = [*_loops(parts, inner), parts.health.watch("rehasher", rehashing)]
    await _run_all(parts, stop, inner, incoming, outgoing)


async def _run_all(
    parts: BotParts, stop: asyncio.Event, inner: asyncio.Event, incoming: Sequence[Coroutine[Any, Any, None]],
    outgoing: Sequence[Coroutine[Any, Any, None]],
) -> None:  # fmt: skip
    """Until one ends, or `stop`. What goes out is finished afterwards, but not by a replica that has lost the lease."""
    tasks = [asyncio.ensure_future(work) for work in (*incoming, *outgoing)]
    await asyncio.wait([*tasks, stopper := asyncio.ensure_future(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await stopper
    await asyncio.gather(*tasks[: len(incoming)], return_exceptions=True)
    inner.set()
    if parts.replicas is not None and not parts.replicas.held:
        for task in tasks[len(incoming) :]:
            task.cancel()
    await asyncio.gather(*tasks[len(incoming) :], return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.result()


def _loops(parts: BotParts, inner: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
    """The parts that carry out acts and send messages, each watched by `health`."""
    return [parts.health.watch(name, run(inner)) for name, run in parts.outgoing.items()]


async def _front(parts: BotParts, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Socket Mode when there is an app-level token, else signed HTTP; once Slack has said who we are."""
    await until(stop, parts.introduction.until_known())
    if stop.is_set():
        return
    settings = parts.settings
    if settings.slack_app_token is not None:
        try:
            token = settings.slack_app_token.get_secret_value()
            await parts.door.socket_mode(
                token,
                stop,
                ready,
                parts.health.lost,
                parts.metrics.delivered,
                lambda: parts.replica.alive if parts.replica else 1,
            )
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
