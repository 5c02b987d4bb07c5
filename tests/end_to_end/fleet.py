"""Several replicas on one PostgreSQL, as processes of their own, writers that press on, and what must hold afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.clock import SystemClock
from bot.decision_log.keys import make_keys
from bot.decision_log.signer_memory import recall
from bot.domain.decision_log.inclusion_proof import extends
from bot.domain.decision_log.merkle_tree import root
from bot.domain.workflow.filing import PENDING_MAX
from bot.ports.database import PostgresServer
from storage.log.check import check_database
from storage.postgres_store import PostgresStore
from tests.end_to_end.conftest import Bot
from tests.end_to_end.ground import Ground, free_port

OWNER, ASKERS = "U0OWNER", ("U0PE1", "U0PE2")
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'countersign'"
)
OUTCOMES = ("request.denied", "request.withdrawn", "request.expired", "request.approved")
FROZEN = 9.0  # seconds: longer than a lease


class Fleet:
    """`bots` share the first one's sandbox, keys and database; each has a STATE_DIR of its own."""

    def __init__(self, first: Bot) -> None:
        self.bots = [first]
        self.ground = Ground(first)
        self.frozen: set[int] = set()

    async def grow(self, folder: Path, replicas: int) -> None:
        """So many replicas in all, each vouched for."""
        first = self.bots[0]
        for number in range(1, replicas):
            bot = Bot(first.sandbox, folder / f"replica-{number}", first.scale)
            bot.home.mkdir()
            shutil.copytree(first.home / "runbooks", bot.home / "runbooks")
            (bot.home / "state").mkdir(mode=0o700)
            for key in ("log.key", "permit.key"):
                shutil.copy(first.home / "state" / key, bot.home / "state" / key)
            bot.server, bot.ops_listen = first.server, f"127.0.0.1:{free_port()}"
            await bot.launch()
            self.bots.append(bot)
        await self.whole()

    async def whole(self, timeout: float = 90) -> None:
        """All of them live, are connected and have a memory."""
        first = self.bots[0]
        await first.sandbox.wait_for(lambda: first.sandbox.sockets == len(self.bots), timeout)
        await first.sandbox.wait_for(lambda: first.rows("SELECT 1 FROM replica WHERE size IS NULL") == [], timeout)
        await first.sandbox.wait_for(lambda: self.leader() is not None, timeout)

    def leader(self) -> Bot | None:
        """Whose STATE_DIR holds the lease now."""
        held = self.bots[0].rows("SELECT replica FROM leadership WHERE beat_ms > 0")
        return next(
            (b for b in self.bots if held and (b.home / "state" / "replica.id").read_text().strip() == held[0][0]), None
        )

    async def kill(self, bot: Bot) -> None:
        assert bot.process is not None
        if bot.process.returncode is None:
            bot.process.kill()
            await bot.process.wait()

    async def freeze(self, bot: Bot) -> None:
        """SIGSTOP, and SIGCONT after a lease is over."""
        assert bot.process is not None
        bot.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(FROZEN)
        bot.process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        for bot in self.bots[1:]:
            if bot.process is not None and bot.process.returncode is None:
                with contextlib.suppress(TimeoutError):
                    await bot.stop()
                await self.kill(bot)


def with_keys(server: PostgresServer) -> Callable[[Bot], None]:
    """How the first replica begins: on this database, with keys of its own."""

    def prepare(bot: Bot) -> None:
        bot.server, bot.ops_listen = server, f"127.0.0.1:{free_port()}"
        (bot.home / "state").mkdir(mode=0o700)
        make_keys(bot.home / "state")

    return prepare


@dataclass
class Record:
    """What people did, and how long each waited for what came of it, in seconds."""

    filed: set[str] = field(default_factory=set)  # requests that an acknowledgement promised
    acknowledged: dict[str, str] = field(default_factory=dict)  # request -> the decision that was pressed
    waited: list[float] = field(default_factory=list)
    repeated: int = 0  # deliveries that Slack had to bring again
    turns: dict[str, asyncio.Semaphore] = field(
        default_factory=lambda: {who: asyncio.Semaphore(PENDING_MAX) for who in ASKERS}
    )


async def delivered(record: Record, again: Callable[[], Awaitable[Any]], end: float) -> Any:
    """Presses until it is acknowledged, as a person does who sees Slack's failure notice."""
    while True:
        with contextlib.suppress(Exception):
            outcome = await again()
            if outcome.ok:
                return outcome
        record.repeated += 1
        assert time.monotonic() < end, "nobody acknowledges any more"
        await asyncio.sleep(0.2)


async def write(fleet: Fleet, record: Record, who: str, name: str, times: int, patience: float, pace: float = 0.0) -> None:
    """Somebody files and the owner decides, so many times, with `pace` seconds between."""
    for number in range(times):
        async with record.turns[who]:
            await decide_one(fleet, record, who, f"{name}-{number}", approve=bool(number % 2), patience=patience)
        await asyncio.sleep(pace)


async def decide_one(fleet: Fleet, record: Record, who: str, target: str, *, approve: bool, patience: float) -> None:
    """One request and its decision."""
    ground = fleet.ground
    end = time.monotonic() + patience
    payload = ground.form_payload(
        who, "ask", {"runbook": "directory-admin-emergency", "target_text": target, "reason": "Sync stopped",
                     "field.text.ticket": "INC1001"},
    )  # fmt: skip
    outcome = await delivered(record, lambda p=payload: ground.sandbox.deliver("interactive", p), end)  # type: ignore[misc]
    case = str(outcome.response["view"]["blocks"][0]["text"]["text"]).strip("*")[:10]
    record.filed.add(case)
    await seen(ground, case, ("pending",), end)
    decision = "approve" if approve else "deny"
    press = (
        ground.click_payload(OWNER, "approve", f"{case}:1") if approve
        else ground.form_payload(OWNER, "deny_reason", {"reason": "Not now"}, metadata=ground.about(case))
    )  # fmt: skip
    await delivered(record, lambda p=press: ground.sandbox.deliver("interactive", p), end)  # type: ignore[misc]
    record.acknowledged[case] = decision
    pressed = time.monotonic()
    await seen(ground, case, ("approved", "denied"), end)
    record.waited.append(time.monotonic() - pressed)


async def seen(ground: Ground, case: str, states: Sequence[str], end: float) -> None:
    """The request has one of these states."""
    while True:
        found = await asyncio.to_thread(ground.bot.rows, f"SELECT state FROM request WHERE id = '{case}'")
        if found and found[0][0] in states:
            return
        assert time.monotonic() < end, f"{case} is {found}, not {states}: {await asyncio.to_thread(trail, ground, case)}"
        await asyncio.sleep(0.05)


def trail(ground: Ground, case: str) -> list[tuple[Any, ...]]:
    """What the database knows of a request that did not come to what was awaited."""
    rows = ground.bot.rows
    return [
        *rows(f"SELECT idx, data FROM log_entry WHERE case_id = '{case}' ORDER BY idx"),
        *rows(f"SELECT id, key, done_ms, attempts, unreadable_ms FROM inbox WHERE answer LIKE '%{case}%'"),
        *rows(f"SELECT purpose, data, done_ms FROM outbox WHERE case_id = '{case}' OR data LIKE '%{case}%'"),
    ]


async def rage(fleet: Fleet, chance: random.Random, over: asyncio.Event) -> Counter[str]:
    """Kills, freezes and cuts until `over`; whoever was killed is started again."""
    done: Counter[str] = Counter()
    first = ["freeze leader", "cut", "kill leader"]  # the shortest session has these, from the end
    while not over.is_set() or first:
        what = first.pop() if first else chance.choice(("kill", "kill leader", "freeze", "freeze leader", "cut", "cut"))
        bot = fleet.leader() if "leader" in what else chance.choice(fleet.bots)
        if bot is None:
            first += [what] if not done[what] else []
            await asyncio.sleep(0.1)
            continue
        done[what] += 1
        if what.startswith("kill"):
            await fleet.kill(bot)
            await asyncio.sleep(chance.uniform(0, 4))
            await bot.launch()
        elif what.startswith("freeze"):
            await fleet.freeze(bot)
        else:
            await asyncio.to_thread(fleet.bots[0].write, CUT)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), chance.uniform(1, 5))
    return done


async def holds(fleet: Fleet, record: Record) -> None:
    """The oracle: the log is whole and one, nothing is lost or doubled, and no replica remembers another log."""
    first = fleet.bots[0]
    assert first.server is not None
    checked = check_database(first.server)
    assert checked.findings == (), checked.findings[:5]
    assert first.rows("SELECT count(*) - 1 - max(idx) FROM log_entry")[0][0] == 0
    told = Counter(first.rows(
        "SELECT case_id, type FROM log_entry WHERE type IN ('request.denied', 'request.withdrawn', 'request.expired',"
        " 'request.approved')"
    ))  # fmt: skip
    assert [one for one, times in told.items() if times > 1] == []
    outcomes = Counter(case for case, _ in told)
    assert [case for case, times in outcomes.items() if times > 1] == []
    words = {"approve": "request.approved", "deny": "request.denied"}
    assert [c for c, decision in record.acknowledged.items() if (c, words[decision]) not in told] == []
    steps = first.rows(
        "SELECT case_id, ask, n, count(*) FROM step WHERE state = 'fired' GROUP BY case_id, ask, n HAVING count(*) > 1"
    )
    assert steps == []
    cards = first.rows("SELECT data FROM log_entry WHERE type = 'step.fired' GROUP BY data HAVING count(*) > 1")
    assert cards == []
    await no_fork(fleet)


def filings_come_to_one_outcome(bot: Bot, record: Record) -> None:
    """Each acknowledged filing has exactly one entry, filed or refused, under the id that was promised; no other id has one."""
    entries = bot.rows("SELECT case_id FROM log_entry WHERE type IN ('request.filed', 'request.refused')")
    told = Counter(case for (case,) in entries)
    assert {case: told[case] for case in {*record.filed, *told} if (told[case], case in record.filed) != (1, True)} == {}


async def no_fork(fleet: Fleet) -> None:
    """What each replica remembers as signed is a beginning of the log as it is."""
    server = fleet.bots[0].server
    assert server is not None
    store = await PostgresStore.open(server, SystemClock(), read_only=True)
    try:
        head = await store.log.head()
        for bot in fleet.bots:
            memory = recall(bot.home / "state")
            assert memory is not None
            path = await store.log.between(memory.size, head.size)
            assert extends(memory.size, head.size, memory.root, root(head.edge), path), bot.home
    finally:
        await store.close()
