"""P1 and P2: acknowledging a click and a form's submit, one at a time, from the payload to bolt's answer.

Ours is `SlackApp`'s app on a real store: the inbox row is durable before the acknowledgement. P1's floor is a stock bolt
app that only acknowledges; P2's is one with `process_before_response` and then the same row in one raw durable
transaction. All three get the same payloads, which the sandbox built for a running bot's own card and form.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bench.bot import BenchError, running
from bench.rounds import Goal, Result, Size, in_turns
from bot.clock import SystemClock
from bot.decision_log.signer import Signer
from bot.demo.workspace import APPROVER
from bot.domain.policy.model import Policy
from bot.service.approvals import ApprovalService
from handlers.inbound.listener import SlackEdge
from handlers.transport.app import SlackApp
from handlers.views.kit.context import drawn_now
from handlers.web_api.own_identity import Identity
from handlers.web_api.users import SlackDirectory
from storage.sqlite.lock import FileLock
from storage.store import SqliteStore

_STOCK, _RAW = "stock bolt echo", "echo with process_before_response + raw durable transaction"
_INBOX = "INSERT INTO inbox (key, act, answer, received_ms, next_ms) VALUES (?, ?, ?, ?, ?)"
Payload = dict[str, Any]


async def measure(size: Size, policy: Policy, scratch: Path, env: dict[str, str]) -> list[Result]:
    results: list[Result] = []
    payloads = await built(policy, scratch / "recorded", env)
    for number, (what, payload) in enumerate(payloads.items()):
        folder = scratch / f"acknowledging-{number}"
        folder.mkdir()
        results += await _one(size, policy, folder, what, payload)
    return results


async def built(policy: Policy, scratch: Path, env: dict[str, str]) -> dict[str, Payload]:
    """A click and a submit as Slack would send them, made by pressing a real card and sending a real form."""
    async with running(scratch, policy, env) as bot:
        card, sent = await bot.file(1)
        pressed = await bot.sandbox.press(APPROVER, "Approve", message=card)
        return {"click": pressed.payload, "form": sent.payload}


async def _one(size: Size, policy: Policy, folder: Path, what: str, payload: Payload) -> list[Result]:
    clock, path = SystemClock(), folder / "ours.db"
    client = AsyncWebClient("xoxb-bench", base_url="http://127.0.0.1:9/api/")
    store = await SqliteStore.open(path, clock, "bench.example/log", folder / "state")
    try:
        service = ApprovalService(store, SlackDirectory(client, clock), clock, 1.0, policy)
        signer = Signer(store.log, folder / "state", FileLock(folder / "state"))
        edge = SlackEdge(service, store, clock, client, signer.cover, drawn_now(service.current, clock, 1.0, ""))
        door = SlackApp(edge, Identity("T0HOME", "U0BOT", "B0"))
        numbers = count(1)
        ours = _app(door.app, payload, numbers, size.dispatches)
        await ours()
        with closing(_raw(path, folder / "raw.db")) as raw:
            subjects = {
                "ours": ours,
                _STOCK: _app(_echo(before_response=False), payload, numbers, size.dispatches),
                _RAW: _app(_echo(before_response=True), payload, numbers, size.dispatches, _durable(raw, path)),
            }
            found = await in_turns(size.rounds, subjects)
        _check(path, (size.rounds + 2) * size.dispatches)
    finally:
        await store.close()
    told = f"acknowledge a {what}, p50 against the floor"
    return [
        Result(Goal("P1", told, 0.08 if what == "click" else 0.15), "ms", found["ours"], _STOCK, found[_STOCK]),
        Result(Goal("P2", told, 4.0), "ms", found["ours"], _RAW, found[_RAW]),
    ]


def _app(
    app: AsyncApp, payload: Payload, numbers: Iterator[int], times: int, then: Callable[[str], None] = lambda _key: None
) -> Callable[[], Awaitable[float]]:
    """A round: the p50 in milliseconds of so many dispatches, each with a trigger of its own."""

    async def subject() -> float:
        took = []
        for _ in range(times):
            trigger = f"bench.{next(numbers)}"
            body = {**payload, "trigger_id": trigger}
            begun = perf_counter()
            answer = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
            then(trigger)
            took.append(perf_counter() - begun)
            if answer.status != 200:
                raise BenchError(f"The app answered {answer.status}.")
        return median(took) * 1000

    return subject


def _echo(*, before_response: bool) -> AsyncApp:
    """An app that only acknowledges. It gets its identity, as ours does, so that no call to Slack is counted."""
    quiet = logging.getLogger("bench.echo")
    quiet.setLevel(logging.ERROR)

    async def authorize(team_id: str | None, user_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None, team_id=team_id, bot_user_id="U0BOT", bot_id="B0", bot_token="xoxb-bench", user_id=user_id
        )

    async def echo(ack: Any) -> None:
        await ack()

    app = AsyncApp(logger=quiet, authorize=authorize, signing_secret="bench", process_before_response=before_response)
    app.action(re.compile(".*"))(echo)
    app.view(re.compile(".*"))(echo)
    return app


def _raw(ours: Path, path: Path) -> sqlite3.Connection:
    """A file with nothing but our inbox table, opened by hand."""
    with closing(sqlite3.connect(ours)) as found:
        made = found.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'inbox' AND sql IS NOT NULL").fetchall()
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")
    for (statement,) in made:
        raw.execute(statement)
    return raw


def _durable(raw: sqlite3.Connection, ours: Path) -> Callable[[str], None]:
    """The same row as ours, in a transaction of its own."""
    with closing(sqlite3.connect(ours)) as found:
        _key, *rest = found.execute("SELECT key, act, answer, received_ms, next_ms FROM inbox LIMIT 1").fetchone()

    def transaction(key: str) -> None:
        raw.execute("BEGIN IMMEDIATE")
        raw.execute(_INBOX, (key, *rest))
        raw.execute("COMMIT")

    return transaction


def _check(path: Path, wanted: int) -> None:
    with closing(sqlite3.connect(path)) as found:
        (rows,) = found.execute("SELECT count(*) FROM inbox").fetchone()
    if rows != wanted:
        raise BenchError(f"{rows} inbox rows for {wanted} payloads.")
