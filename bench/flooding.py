"""P10: five hundred emergencies filed at once to fifty owners, while Slack takes one message a second and conversation.

Worker, service, messenger and signer are those of the bot; Slack is a look-alike of its Web API that holds every conversation to
one message a second and answers 429 to anybody who is faster. Before the flood each owner's conversation, each channel and each
requester is owed reminders and outcomes, and the bot has begun to say them. The limit is computed: an owner's first card may
come a second after whatever was said to them last, and each further card a second after the one before. What is judged is
the last card of the owner for whom it came latest, compared with what was allowed.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Self

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bench.acting import filings
from bench.bot import BenchError
from bench.rounds import Goal, Result, Size, in_turns
from bot.background.inbox_worker import InboxWorker
from bot.clock import SystemClock
from bot.decision_log.signer import signer_of
from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.commands import FileRequest
from bot.ports.records import Cover
from bot.service.approvals import ApprovalService
from handlers.inbound.listener import web_client
from handlers.outbound.delivery import Delivery
from handlers.outbound.message_kinds import RenderContext
from handlers.outbound.outbox_sender import OutboxSender
from handlers.outbound.rate_lanes import Lanes
from handlers.views.kit.context import drawn_now
from handlers.web_api.users import SlackDirectory
from runbooks.loader import load_files
from storage.sqlite.lock import FileLock
from storage.store import SqliteStore

OWNERS, EACH = 50, 10  # owners, and requests to each
_BACKLOG = 10  # reminders to each owner, lines to each channel and outcomes to each requester that wait already
_HEAD_START = 2.5  # seconds in which the backlog is being said before the flood comes
_PACE = 1.0  # seconds between two messages in one conversation
_LIMIT = 60.0  # seconds until a round is given up


async def measure(size: Size, policy: Policy, scratch: Path) -> list[Result]:
    owners, each = (OWNERS, EACH) if size.pending >= 10_000 else (3, 3)
    crowd = _policy(owners, each)

    allowed: list[float] = []

    async def flood() -> float:
        folder = scratch / "flooding"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        async with Slack() as slack:
            took, limit = await _flood(slack, folder, crowd, policy, owners, each)
        allowed.append(limit)
        return took

    found = await in_turns(size.storms, {"ours": flood}, warm_up=0)
    what = f"{owners * each} emergencies at once to {owners} owners: the last card"
    return [Result(Goal("P10", what, 1.1), "s", found["ours"], "the rate limit, computed", allowed)]


@dataclass
class Slack:
    """One message a second and conversation, else 429; `cards` is when each owner's emergency cards came."""

    cards: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    last: dict[str, float] = field(default_factory=dict)  # when each conversation got its last message
    _ts: int = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if method == "chat.postMessage":
            return self._post(await request.json(), perf_counter())
        if method == "users.info":
            user = request.query.get("user") or (await request.post())["user"]
            return web.json_response(
                {"ok": True, "user": {"id": user, "team_id": "T0HOME", "name": user, "deleted": False}}
            )
        return web.json_response({"ok": True, "dnd_enabled": False})

    def _post(self, told: dict[str, Any], at: float) -> web.Response:
        channel = told["channel"]
        if at - self.last.get(channel, 0.0) < _PACE:
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"})
        self.last[channel] = at
        if any(block["type"] == "actions" for block in told.get("blocks", ())) and channel.startswith("U0OW"):
            self.cards[channel].append(at)
        self._ts += 1
        return web.json_response({"ok": True, "channel": f"D{channel}", "ts": f"{self._ts}.000"})


def _messenger(
    store: SqliteStore, service: ApprovalService, clock: SystemClock, directory: SlackDirectory, client: AsyncWebClient,
    cover: Cover,
) -> OutboxSender:  # fmt: skip
    """The bot's sender, at Slack's pace."""
    context, lanes = (
        RenderContext(service, store, directory, drawn_now(service.current, clock, 1.0, "")),
        Lanes({"chat.postMessage": _PACE}),
    )
    delivery = Delivery(context, store.outbox, store.cases, service.transactions, directory, clock, 1.0, cover, lanes)
    return OutboxSender(delivery, lanes, store.outbox, clock, service.current.spoke, client)


async def _flood(slack: Slack, folder: Path, crowd: Policy, policy: Policy, owners: int, each: int) -> tuple[float, float]:
    """Seconds from the first filing to the last card of one owner, and those that the limit allowed: of the owner for whom
    the first is largest beside the second."""
    clock, client = SystemClock(), web_client("xoxb-bench", slack.url)
    store = await SqliteStore.open(folder / "flood.db", clock, "bench.example/log", folder / "state")
    lock = FileLock(folder / "state")
    directory = SlackDirectory(client, clock)
    service, stop = ApprovalService(store, directory, clock, 1.0, crowd), asyncio.Event()
    cover = signer_of(store.log, folder / "state", lock).cover
    messenger = _messenger(store, service, clock, directory, client, cover)
    try:
        await _owe(store, policy, owners, each, clock.now())
        running = [asyncio.create_task(part.run(stop)) for part in (InboxWorker(service, store.inbox, clock), messenger)]
        await asyncio.sleep(_HEAD_START)
        begun, before = perf_counter(), dict(slack.last)
        acts = [_form(clock, owner, asker) for asker in range(each) for owner in range(owners)]
        await asyncio.gather(*(service.take_in(f"bench.{n}", act, {}) for n, act in enumerate(acts)))
        async with asyncio.timeout(_LIMIT):
            while sum(map(len, slack.cards.values())) < owners * each:
                await asyncio.sleep(0.05)
        stop.set()
        await asyncio.gather(*running)
        first = {owner: max(begun, before.get(owner, 0.0) + _PACE) for owner in slack.cards}
        told = [
            (cards[each - 1] - begun, first[owner] + (each - 1) * _PACE - begun) for owner, cards in slack.cards.items()
        ]
        return max(told, key=lambda one: one[0] / one[1])
    finally:
        await store.close()
        lock.close()


async def _owe(store: SqliteStore, policy: Policy, owners: int, each: int, now: datetime) -> None:
    """A request from before the flood that everybody is reminded of, and outcomes that are still to be sent."""
    (act,) = filings(policy, SystemClock(), 1)
    case = await store.commit(Transition(None, act.after))
    if case is None:
        raise BenchError("The request from before was not stored.")
    says: list[Notification] = []
    for _ in range(_BACKLOG):
        says += [Notification("reminder", Lane.REMINDER, case.id, to=_owner(n)) for n in range(owners)]
        says += [
            Notification("announce", Lane.CARD, case.id, channel=_channel(n), data={"state": "denied"})
            for n in range(owners)
        ]
        says += [
            Notification("outcome", Lane.CARD, case.id, to=_asker(n), data={"state": "denied", "reason": ""})
            for n in range(each)
        ]
    await store.commit(Transition(None, None, says=tuple(says)))


def _owner(number: int) -> Person:
    return Person("T0HOME", f"U0OW{number:03d}")


def _asker(number: int) -> Person:
    return Person("T0HOME", f"U0RQ{number:03d}")


def _channel(number: int) -> str:
    return f"C0DOMAIN{number:03d}"


def _form(clock: SystemClock, owner: int, asker: int) -> FileRequest:
    return FileRequest(clock.request_id(), _asker(asker), f"flood-{owner}", "dc-core-01", "Nobody can sign in", 3600)


def _policy(owners: int, askers: int) -> Policy:
    """As many domains as owners, a runbook of each, and one provider that may ask for all of them."""
    names: Sequence[str] = [_asker(n).user for n in range(askers)]
    domains = "\n".join(
        f'  d{n}: {{name: "Domain {n}", owner: {_owner(n).user}, channel: {_channel(n)}}}' for n in range(owners)
    )
    matrix = f"""
organisation: Bench
contact: "#help"
workspaces: [T0HOME]
providers:
  northgate: {{name: Northgate, contract: B-1, members: [{", ".join(names)}], requesters: [{", ".join(names)}]}}
domains:
{domains}
escalation_policies:
  urgent: {{expires_after: 45m, steps: [{{after: 0m, notify: owner}}, {{after: 10m, remind: owner}}]}}
"""
    files = {"responsibility.yaml": matrix.encode()}
    files |= {f"flood-{n}.md": _RUNBOOK.format(n=n).encode() for n in range(owners)}
    loaded = load_files(files)
    if loaded.policy is None:
        raise BenchError("\n".join(str(finding) for finding in loaded.findings[:5]))
    return loaded.policy


_RUNBOOK = """---
id: flood-{n}
title: Emergency admin {n}
kind: emergency_access
domain: d{n}
providers: [northgate]
right: approval
max_duration: 4h
default_duration: 1h
escalation: urgent
review_within: 24h
---
## Before you start
"""
