"""People who file and decide without a pause, over both transports, and press again where Slack tells them that it failed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg

from sandbox.delivery import Outcome
from tests.end_to_end import domains
from tests.end_to_end.fleet import Fleet

_EXPIRES = 240.0  # seconds in which an undecided request expires, at the test's pace
_HTTP_SECONDS = 3.0  # Slack waits no longer for an answer
_TRAIL = (
    "SELECT idx, convert_from(data, 'UTF8') FROM log_entry WHERE case_id = '{case}' ORDER BY idx",
    "SELECT id, key, done_ms, attempts, next_ms, unreadable_ms FROM inbox WHERE answer LIKE '%{case}%' OR act LIKE '%{case}%'",
    "SELECT * FROM outbox WHERE case_id = '{case}' OR data LIKE '%{case}%'",
    "SELECT * FROM copy WHERE case_id = '{case}'",
    "SELECT * FROM leadership",
    "SELECT id, beat_ms, emergency FROM replica",
)
_REPEATED, _SILENT = 0.05, 0.04  # shares: of presses that Slack brings once more later; of requests that nobody decides


@dataclass
class Record:
    """What people did, and how long each waited for what came of it, in seconds."""

    filed: set[str] = field(default_factory=set)  # requests that an acknowledgement promised
    acknowledged: dict[str, str] = field(default_factory=dict)  # request -> the decision that was pressed
    silent: set[str] = field(default_factory=set)  # requests that nobody decided
    waited: list[float] = field(default_factory=list)
    repeated: int = 0  # deliveries that Slack had to bring again
    refused: int = (
        0  # presses and filings that were answered with a sentence, because the log was stopped; they were made again
    )
    later: list[asyncio.Task[None]] = field(default_factory=list)  # repeats that are still to come


@dataclass
class Writer:
    """One who files in the domains that are theirs, in turn, and decides there. `patience` and `pace` in seconds."""

    fleet: Fleet
    record: Record
    name: str
    domains: Sequence[int]
    chance: random.Random
    patience: float
    pace: float = 0.0
    quiet_until: dict[int, float] = field(default_factory=dict)  # by domain, when a request may stay undecided again

    async def write(self, times: int) -> None:
        for number in range(times):
            domain = self.domains[number % len(self.domains)]
            await self.decide_one(domain, f"{self.name}-{number}", "approve" if number % 2 else "deny")
            await asyncio.sleep(self.pace)

    async def decide_one(self, domain: int, target: str, decision: str) -> None:
        """One request and its decision."""
        end = time.monotonic() + self.patience
        case = await self._file(domain, target, end)
        while not await seen(self.fleet, case, ("pending",), end, partial(self._refused, case)):
            self.record.refused += 1
            self.record.filed.discard(case)
            case = await self._file(domain, target, end)
        if self.chance.random() < _SILENT and time.monotonic() > self.quiet_until.get(domain, 0.0):
            self.record.silent.add(case)
            self.quiet_until[domain] = time.monotonic() + _EXPIRES  # more of them would reach the limit of pending requests
            return
        while not await self._decided(domain, case, decision, end):
            self.record.refused += 1

    def _refused(self, case: str) -> bool:
        """Whether the filing was answered that the log is stopped; then no replica files it."""
        return self.fleet.rows(f"SELECT 1 FROM inbox WHERE outcome = 'stopped' AND answer LIKE '%{case}%'") != []

    async def _decided(self, domain: int, case: str, decision: str, end: float) -> bool:
        """Presses; False where the press was answered and decided nothing, as it is while nothing can be given."""
        ground, owner = self.fleet.ground, domains.owner(domain)
        press = (
            ground.click_payload(owner, "approve", f"{case}:1") if decision == "approve"
            else ground.form_payload(owner, "deny_reason", {"reason": "Not now"}, metadata=ground.about(case))
        )  # fmt: skip
        outcome = await self._delivered(press, end)
        self.record.acknowledged[case] = decision
        pressed = time.monotonic()
        if self.chance.random() < _REPEATED:
            self.record.later.append(asyncio.ensure_future(self._again(press)))
        answered = partial(ground.answers, outcome) if decision == "approve" else None
        if not await seen(self.fleet, case, ("approved", "denied"), end, answered):
            return False
        self.record.waited.append(time.monotonic() - pressed)
        return True

    async def _file(self, domain: int, target: str, end: float) -> str:
        payload = self.fleet.ground.form_payload(
            domains.asker(domain), "ask",
            {"runbook": domains.runbook(domain), "target_text": target, "reason": "Sync stopped", "field.text.ticket": "INC1001"},
        )  # fmt: skip
        outcome = await self._delivered(payload, end)
        case = str(outcome.response["view"]["blocks"][0]["text"]["text"]).strip("*")[:10]
        self.record.filed.add(case)
        return case

    async def _delivered(self, payload: dict[str, Any], end: float) -> Outcome:
        """Presses until it is acknowledged, as a person does who sees Slack's failure notice."""
        while True:
            with contextlib.suppress(Exception):
                outcome = await carried(self.fleet, payload, self.chance)
                if outcome.ok:
                    return outcome
            self.record.repeated += 1
            assert time.monotonic() < end, "nobody acknowledges any more"
            await asyncio.sleep(0.2)

    async def _again(self, payload: dict[str, Any]) -> None:
        """Slack brings the same once more, late and out of order."""
        await asyncio.sleep(self.chance.uniform(0, 5))
        with contextlib.suppress(Exception):
            await carried(self.fleet, payload, self.chance)


async def carried(fleet: Fleet, payload: dict[str, Any], chance: random.Random) -> Outcome:
    """One delivery, over a socket or to a replica that listens, whichever the dice name."""
    listening = [bot.http for bot in fleet.bots if bot.http]
    if not listening or chance.random() < 0.5:
        return await fleet.sandbox.deliver("interactive", payload)
    fleet.sandbox.world.workspace.app.request_url = f"http://{chance.choice(listening)}/slack/events"
    async with asyncio.timeout(_HTTP_SECONDS):
        status, body = await fleet.sandbox.post_raw("interactive", payload)
    return Outcome("interactive", acked=status == 200, response=json.loads(body) if body else None, payload=payload)


async def seen(
    fleet: Fleet, case: str, states: Sequence[str], end: float, answered: Callable[[], int] | None = None
) -> bool:
    """Waits until the request has one of these states; False where the press was `answered` and it has none of them."""
    found: list[tuple[Any, ...]] = []
    while True:
        try:
            over = (
                answered is not None and await asyncio.to_thread(answered) > 0
            )  # before the look: what is answered is committed
            found = await asyncio.to_thread(fleet.rows, f"SELECT state FROM request WHERE id = '{case}'")
        except psycopg.OperationalError:
            over = False
        if found and found[0][0] in states:
            return True
        if over:
            return False
        assert time.monotonic() < end, f"{case} is {found}, not {states}: {await trail(fleet, case)}"
        await asyncio.sleep(0.05)


async def trail(fleet: Fleet, case: str) -> list[str]:
    """What each replica's log, and the database once it is back, know of a request that did not come to what was awaited."""
    told = [f"{bot.home.name}: {line}" for bot in fleet.bots for line in bot.told() if case in line]
    for statement in _TRAIL:
        while True:
            try:
                told += map(str, await asyncio.to_thread(fleet.rows, statement.format(case=case)))
                break
            except psycopg.OperationalError:  # struck at this moment
                await asyncio.sleep(0.5)
    return told
