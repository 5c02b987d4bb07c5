"""The real service, worker, sweeper and store around a clock, a directory and a Slack that tests move by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from bot.background.inbox_worker import InboxWorker
from bot.background.sweeper import Sweeper
from bot.domain.case.campaign import is_campaign
from bot.domain.case.lifecycle import RequestState
from bot.domain.case.model import Case, Drill
from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from bot.domain.errors import LookupFailed
from bot.domain.governance.own_rows import is_about_rows
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile
from bot.domain.workflow import drill as drilling
from bot.ports.commands import Command, FileRequest, Press, ReplyAddress, SetAbsence
from bot.ports.database import Location
from bot.ports.records import OutboxRow, SignedCheckpoint
from bot.ports.store import Store
from bot.service.approvals import ApprovalService
from tests.bot.building import HOME, MINUTE, T0
from tests.database import connect, open_store, place


async def covered() -> SignedCheckpoint:
    """The gate to the outside where nobody signs: everything counts as covered."""
    return SignedCheckpoint(7, bytes(range(32)), "a note\n")


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LEASE = timedelta(seconds=30)


@dataclass
class HandClock:
    """Stands still until it is moved. Ids and salts count up."""

    at: datetime = T0
    drawn: int = 0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def jumped(self) -> timedelta | None:
        return None

    def request_id(self) -> str:
        number = self._draw()
        return "R-" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(35, -1, -5))

    def salt(self) -> bytes:
        return self._draw().to_bytes(16, "big")

    def _draw(self) -> int:
        self.drawn += 1
        return self.drawn


@dataclass
class HandDirectory:
    """What Slack says of people: a full account, unless it was told otherwise."""

    gone: set[Person] = field(default_factory=set)
    guests: set[Person] = field(default_factory=set)
    silent: set[Person] = field(default_factory=set)
    special: dict[Person, dict[str, Any]] = field(default_factory=dict)
    asleep: dict[Person, datetime] = field(default_factory=dict)
    known: dict[Person, Profile] = field(default_factory=dict)  # what was looked up before, for `last_known`

    async def quiet_until(self, person: Person, max_age: float) -> datetime | None:
        return self.asleep.get(person)

    async def permalink(self, channel: str, ts: str) -> str:
        return f"https://slack.example/{channel}/{ts}"

    def last_known(self, person: Person) -> Profile | None:
        return self.known.get(person)

    async def profile(self, person: Person, max_age: float) -> Profile:
        if person in self.silent:
            raise LookupFailed("Slack does not answer; press again.")
        told = {"deleted": person in self.gone, "is_guest": person in self.guests, "is_stranger": person.team != HOME}
        return Profile(person, **({"name": person.user} | told | self.special.get(person, {})))


class Killed(BaseException):
    """The process died here."""


class MortalStore:
    """A store whose process can be killed just before or just after a commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dies: str = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, act: Transition) -> Case | None:
        if self.dies == "before":
            raise Killed
        done = await self._store.commit(act)
        if self.dies == "after":
            raise Killed
        return done


@dataclass
class Office:
    """Opened on a file; `restart` closes everything and opens it again, as a new process would."""

    path: Path
    policy: Policy
    clock: HandClock = field(default_factory=HandClock)
    directory: HandDirectory = field(default_factory=HandDirectory)
    scale: float = 1
    keys: int = 0
    posted: int = 0
    dead_letters: set[Person] = field(default_factory=set)  # whom Slack will not deliver to
    shown: list[OutboxRow] = field(default_factory=list)  # everything that Slack accepted

    @property
    def place(self) -> Location:
        """Where its database is."""
        return place(self.path)

    async def open(self) -> Self:
        self.store = await open_store(self.path, self.clock, "test.example/log", self.path.parent / "state")
        self.looking = connect(self.path, begins=False)
        self.mortal = MortalStore(self.store)
        self.put_together()
        return self

    def put_together(self) -> None:
        """The service and its loops, with the clock and the time scale that the office has now."""
        self.service = ApprovalService(self.mortal, self.directory, self.clock, self.scale, self.policy)  # type: ignore[arg-type]
        self.worker, self.sweeper = (
            InboxWorker(self.service, self.store.inbox, self.clock),
            Sweeper(self.service, self.store.cases, self.clock),
        )

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        self.looking.close()
        await self.store.close()

    async def restart(self) -> None:
        sets = self.service.current.sets  # the composition root reads them back from the store
        await self.close()
        await self.open()
        self.service.current.sets = sets

    async def adopt(self, policy: Policy) -> None:
        """Another policy is in force from now on."""
        self.policy = policy
        await self.service.current.adopt(policy)

    # What people do.

    async def take_in(self, act: Command, key: str | None = None) -> str:
        """Written down, not yet carried out. Returns its key."""
        self.keys += 1
        key = key or f"key-{self.keys}"
        await self.service.take_in(key, act, {"ok": True})
        return key

    def form(self, requester: Person, runbook: str = "emergency", **how: Any) -> FileRequest:
        told = {"target": "srv-1", "reason": "disk full", "seconds": 3600, "fields": {}} | how
        return FileRequest(self.clock.request_id(), requester, runbook, **told)

    async def file(self, requester: Person, runbook: str = "emergency", **how: Any) -> str:
        """Files and carries out; the id."""
        act = self.form(requester, runbook, **how)
        await self.take_in(act)
        await self.worker.drain()
        return act.id

    async def drill(self, runbook: str = "emergency", how: Drill | None = None) -> str:
        """Starts a drill as the command line does, and the sweeper asks the first; the id."""
        case_id = self.clock.request_id()
        book, now = self.policy.runbooks[runbook], self.clock.now()
        await self.store.commit(drilling.start(self.policy, book, case_id, how or Drill(), now, self.scale))
        await self.sweeper.sweep()
        return case_id

    async def here(self, person: Person, case_id: str) -> None:
        """Presses *I am here*."""
        await self.take_in(Press(person, case_id, 1, "here", ReplyAddress(person, channel="D0")))
        await self.worker.drain()

    def press(self, person: Person, case_id: str, action: str = "approve", version: int = 1) -> Press:
        reason = "not now" if action == "deny" else ""
        return Press(person, case_id, version, action, ReplyAddress(person, channel="D0"), reason)

    async def click(self, person: Person, case_id: str, action: str = "approve", version: int = 1) -> None:
        await self.take_in(self.press(person, case_id, action, version))
        await self.worker.drain()

    async def reach(self, person: Person, case_id: str, version: int = 1) -> None:
        await self.take_in(Press(person, case_id, version, "deny", ReplyAddress(person, channel="D0"), opens_form=True))
        await self.worker.drain()

    async def away(self, person: Person, lasting: timedelta = timedelta(0)) -> None:
        """Says *away* for so long; for no time: *away off*."""
        await self.take_in(SetAbsence(person, ReplyAddress(person, channel="D0"), seconds=round(lasting.total_seconds())))
        await self.worker.drain()

    async def together(self, *acts: Command) -> None:
        """Several acts at one instant: taken in before any of them is carried out."""
        for act in acts:
            await self.take_in(act)
        await self.worker.drain()

    # What the clock does.

    async def forward(self, delta: timedelta, every: timedelta = MINUTE) -> None:
        """Time passes with the sweeper at work, at most `every` between two sweeps."""
        end = self.clock.at + delta
        while self.clock.at < end:
            self.clock.at = min(end, self.clock.at + every)
            await self.sweeper.sweep()

    def sleep(self, delta: timedelta) -> None:
        """Time passes and nobody looks."""
        self.clock.at += delta

    # What Slack does.

    async def deliver(self, limit: int = 1000) -> list[OutboxRow]:
        """Everything that can be said now is said, or proves undeliverable."""
        done: list[OutboxRow] = []
        while len(done) < limit:
            leased = await self.store.outbox.lease(self.clock.now(), self.clock.now() + LEASE, min(50, limit - len(done)))
            if not leased:
                break
            for outgoing in leased:
                await self.say(outgoing)
            done += leased
        return done

    async def say(self, outgoing: OutboxRow) -> None:
        say = outgoing.say
        if say.to is not None and (say.to in self.dead_letters or say.to in self.directory.gone):
            if say.purpose == "card" and outgoing.copy is None:
                await self.service.transactions.undelivered(outgoing, "user_not_found")
            about = None if is_campaign(say.case) or is_about_rows(say.case) else say.case
            draft = LogEvent("delivery.failed", SYSTEM, about, {"to": say.to, "purpose": say.purpose, "error": "user"})
            await self.store.outbox.undeliverable(outgoing, "user_not_found", [draft])
            return
        self.posted += 1
        case = await self.store.cases.case(say.case) if say.case else None
        review = await self.store.reviews.campaign(say.case) if is_campaign(say.case) and say.case else None
        drawn = case.request.version if case else review.version if review else 0
        await self.store.outbox.sent(outgoing, say.channel or f"D-{say.to}", f"{self.posted}.0", drawn, [])
        self.shown.append(outgoing)

    # What is written, read past our own code.

    def rows(self, sql: str, **values: Any) -> list[Any]:
        done = self.looking.execute(sql, values)
        return [] if done.description is None else list(done.fetchall())

    def log(self, case_id: str | None = None, start: int = 0) -> list[dict[str, Any]]:
        """The log's entries, with people instead of pseudonyms, as `who` and in `data`."""
        names = {r["ref"]: Person(r["team_id"], r["user_id"]) for r in self.rows("SELECT * FROM person")}
        found = [
            json.loads(r["data"]) for r in self.rows("SELECT data FROM log_entry WHERE idx >= :i ORDER BY idx", i=start)
        ]
        return [_named(e, names) for e in found if case_id is None or e.get("case") == case_id]

    def types(self, case_id: str) -> list[str]:
        return [entry["type"] for entry in self.log(case_id)]

    def steps(self, case_id: str) -> list[tuple[str, str, str | set[Person]]]:
        """What the log says of the ladder: (minutes after the filing, what, whom or why)."""
        filed = datetime.fromisoformat(self.log(case_id)[0]["ts"])
        told = []
        for entry in self.log(case_id):
            if entry["type"] in ("step.fired", "step.skipped"):
                data, fired = entry["data"], entry["type"] == "step.fired"
                after = (datetime.fromisoformat(entry["ts"]) - filed) / MINUTE
                what = f"{data['action']} {data['role']}" if fired else f"skip {data['role']}"
                told.append((f"{after:g}m", what, set(data["to"]) if fired else data["why"]))
        return told

    def answers(self) -> list[dict[str, Any]]:
        """Sentences to people, still unsent: `to`, `sentence` and its parameters."""
        rows = self.rows(
            "SELECT to_user, case_id, data FROM outbox WHERE purpose = 'answer' AND done_ms IS NULL ORDER BY id"
        )
        return [{"to": r["to_user"], "case": r["case_id"], **json.loads(r["data"])} for r in rows]

    async def case(self, case_id: str) -> Case:
        found = await self.store.cases.case(case_id)
        assert found is not None
        return found

    async def state(self, case_id: str) -> RequestState:
        return (await self.case(case_id)).request.state


def _named(entry: dict[str, Any], names: dict[str, Person]) -> dict[str, Any]:
    def walk(value: Any) -> Any:
        if isinstance(value, str) and value in names:
            return names[value]
        if isinstance(value, list):
            return [walk(item) for item in value]
        return {key: walk(item) for key, item in value.items()} if isinstance(value, dict) else value

    named: dict[str, Any] = walk(entry)
    return named | {"who": named["actor"].get("ref")}
