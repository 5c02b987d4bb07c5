"""Anything that people, two clocks, Slack and a crash can do, in any order, against an oracle (rules 1-3, 5-9, 11, 12)."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from structlog.testing import capture_logs

from bot.background.clock_keeper import ClockKeeper
from bot.domain.errors import StorageError
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Humans, Person, Ref
from bot.ports.commands import Command
from storage.log.check import check_database
from tests.bot.building import (
    COLLEAGUE,
    DEP1,
    DEP2,
    GUEST,
    HOME,
    HOUR,
    LEAD,
    MACH,
    MDEP,
    MINUTE,
    MS,
    NAMESAKE,
    ONC1,
    ONC2,
    OWNER,
    PE1,
    PE2,
    PE3,
    RISK,
    SECURITY,
    SOC1,
    SOCLEAD,
    STRANGER,
    T0,
    home,
    policy,
    with_domain,
)
from tests.bot.jumpy import JumpyClock
from tests.bot.office import LEASE, Killed, Office
from tests.database import place, tables
from tests.rules.failing import fail_after
from tests.rules.oracle import TAKES_PART, Oracle, party

TWIN, NEW, NEW_RISK = home("U0TWIN"), home("U0NEW"), home("U0NRISK")
ASKERS = [PE1, PE2, PE3, SOC1]
DECIDERS = [OWNER, DEP1, DEP2, TWIN, RISK, ONC1, ONC2, MACH, MDEP, NEW, NEW_RISK]
OTHERS = [PE1, PE2, PE3, LEAD, SOC1, SOCLEAD, COLLEAGUE, STRANGER, GUEST, NAMESAKE]
FILINGS = st.tuples(
    st.sampled_from(ASKERS), st.sampled_from(["emergency", "double", "pair", "contain", "token"]),
    st.sampled_from(["srv-1", "srv-2"]),
)  # fmt: skip
CLICKERS = st.sampled_from([*DECIDERS, *DECIDERS, *OTHERS])
DECISIONS = st.sampled_from([*["approve"] * 6, *["deny", "withdraw", "question", "hold", "pass", "push"] * 2])
VERSIONS = st.sampled_from([1] * 9 + [0, 2])
SECONDS = st.sampled_from([0, 0, 0, 600, 7200])
MEMORY = Path("/dev/shm")  # where there is one, no commit waits for a disk that no test pulls the plug of
TABLES = ("request", "ask", "step", "reached", "vote", "access_grant", "deadline")


def rosters() -> list[Policy]:
    """The organisation, and how its people may change."""
    base = with_domain(policy(humans=Humans.joined([["U0DEP2", "U0TWIN"]])), deputies=(DEP1, DEP2, TWIN))
    watchfield = base.providers["watchfield"]
    joined = replace(watchfield, members=(*watchfield.members, Ref("U0DEP1", frozenset({HOME}))))
    only = replace(SECURITY, people=(ONC2,), shifts=(), fallback=ONC2)
    return [
        base,
        with_domain(base, deputies=(DEP2, TWIN)),
        with_domain(base, owner=NEW),
        with_domain(base, risk_owner=NEW_RISK),
        replace(base, rotas={"security": only}),
        replace(with_domain(base, deputies=(DEP2,)), providers={**base.providers, "watchfield": joined}),
    ]


ROSTERS = rosters()
MISSING: list[set[Person]] = [set(), set(), set(), {OWNER}, {DEP1}, {OWNER, DEP1, DEP2, TWIN}, {ONC1, RISK}]


class Countersign(RuleBasedStateMachine):
    cases = Bundle("cases")

    @initialize(
        target=cases,
        roster=st.sampled_from([0, 0, 0, *range(len(ROSTERS))]),
        first=st.lists(FILINGS, min_size=2, max_size=4),
        gone=st.sampled_from(MISSING),
        dead=st.sampled_from(MISSING),
    )
    def opens(self, roster: int, first: list[tuple[Person, str, str]], gone: set[Person], dead: set[Person]) -> Any:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.clock = JumpyClock()
        self.office = Office(self.folder / "countersign.db", ROSTERS[roster], clock=self.clock)  # type: ignore[arg-type]
        self.runner.run(self.office.open())
        self.drift, self.seen, self.boots = timedelta(0), T0, 1
        self.keeper = ClockKeeper(self.office.store, self.clock)
        self.runner.run(self.keeper.begin())
        self.oracle = Oracle(ROSTERS[roster], T0)
        self.oracle.guests = self.office.directory.guests = {GUEST}
        self.office.directory.gone, self.office.dead_letters = set(gone), set(dead)
        self.oracle.gone, self.oracle.silent = self.office.directory.gone, self.office.directory.silent
        self.read = 0
        self.final: dict[str, str] = {}
        for person, runbook, target in first:
            self._act(self.office.form(person, runbook, target=target))
        return multiple(*self.oracle.cases)

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        try:
            self._everything_is_said()
        finally:
            self.runner.run(self.office.close())
            self.runner.close()
            found = check_database(place(self.folder / "countersign.db")).findings
            shutil.rmtree(self.folder)
        assert found == ()

    # What people do.

    @rule(target=cases, filing=FILINGS, seconds=st.sampled_from([600, 3600, 4 * 3600]))
    def files(self, filing: tuple[Person, str, str], seconds: int) -> Any:
        person, runbook, target = filing
        act = self.office.form(person, runbook, target=target, seconds=seconds)
        self._act(act)
        return act.id if act.id in self.oracle.cases else multiple()

    @rule(person=st.sampled_from([*ASKERS, *OTHERS, OWNER]), runbook=st.sampled_from(["verified", "none"]))
    def files_what_is_not_served(self, person: Person, runbook: str) -> None:
        self._act(self.office.form(person, runbook))

    @rule(person=CLICKERS, case=cases, decision=DECISIONS, version=VERSIONS, seconds=SECONDS)
    def anybody_clicks(self, person: Person, case: str, decision: Any, version: int, seconds: int) -> None:
        self.clicks(person, case, decision, version, seconds)

    def clicks(self, person: Person, case: str, decision: Any, version: int, seconds: int) -> None:
        click = replace(self.office.press(person, case, decision, version), seconds=seconds)
        expected = self.oracle.verdict(click, self.now())
        before, said, entries = self._tables(), self._said(), len(self.office.log())
        self._act(click)
        if expected in ("quorum", "yes", "denied", "withdrawn", *TAKES_PART.values()):
            return
        assert self._tables() == before, "a click that does not count changed something"
        (answer,) = (self._said() - said).elements()
        assert answer == ("answer", person)
        assert len(self.office.log()) - entries == (0 if expected == "again" else 1)

    @rule(person=st.sampled_from(DECIDERS[:6]), case=cases, seconds=SECONDS)
    def approves(self, person: Person, case: str, seconds: int) -> None:
        self.clicks(person, case, "approve", 1, seconds)

    @rule(person=st.sampled_from(DECIDERS[:6]), case=cases, action=st.sampled_from(["question", "hold", "pass"]))
    def takes_part(self, person: Person, case: str, action: str) -> None:
        """Question, On it, Pass."""
        self.clicks(person, case, action, 1, 0)

    @rule(case=cases)
    def the_requester_escalates(self, case: str) -> None:
        """Escalate now."""
        self.clicks(self.oracle.cases[case].form.person, case, "push", 1, 0)

    @rule(person=st.sampled_from([OWNER, RISK, DEP2]), case=cases)
    def denies(self, person: Person, case: str) -> None:
        self.clicks(person, case, "deny", 1, 0)

    @rule(person=st.sampled_from([OWNER, RISK, DEP1]), case=cases)
    def two_yeses(self, person: Person, case: str) -> None:
        self._act(self.office.press(person, case))
        self._act(self.office.press(DEP2, case))

    @rule(person=st.sampled_from([*DECIDERS, *ASKERS]), case=cases, decision=DECISIONS)
    def decides(self, person: Person, case: str, decision: Any) -> None:
        self.clicks(person, case, decision, 1, 0)

    @rule(person=CLICKERS, decision=DECISIONS)
    def clicks_on_what_does_not_exist(self, person: Person, decision: Any) -> None:
        self._act(self.office.press(person, "R-ZZZZZZZZ", decision))

    @rule(
        case=cases,
        how=st.lists(st.tuples(st.sampled_from(DECIDERS[:7]), DECISIONS), min_size=2, max_size=4),
    )
    def click_together(self, case: str, how: list[tuple[Person, Any]]) -> None:
        self._act(*(self.office.press(person, case, decision) for person, decision in how))

    @rule(person=CLICKERS, case=cases, decision=DECISIONS)
    def replays_a_click(self, person: Person, case: str, decision: Any) -> None:
        act = self.office.press(person, case, decision)
        key = self._act(act)
        before, entries = self._tables(), len(self.office.log())
        self.runner.run(self.office.take_in(act, key))
        self.runner.run(self.office.worker.drain())
        assert (self._tables(), len(self.office.log())) == (before, entries)

    # What the machine suffers.

    @rule(
        person=CLICKERS, case=cases, decision=DECISIONS, dies=st.sampled_from(["taken", "before", "after"]),
        down=st.sampled_from([0, 0, 1, 50, 1500]),
    )  # fmt: skip
    def dies_over_a_click(self, person: Person, case: str, decision: Any, dies: str, down: int) -> None:
        self._die(self.office.press(person, case, decision), dies, down)

    @rule(target=cases, person=st.sampled_from(ASKERS), dies=st.sampled_from(["taken", "before", "after"]))
    def dies_over_a_filing(self, person: Person, dies: str) -> Any:
        act = self.office.form(person, target="srv-3")
        self._die(act, dies, 0)
        return act.id if act.id in self.oracle.cases else multiple()

    @rule()
    def restarts(self) -> None:
        self._restart()

    @rule(roster=st.sampled_from(range(len(ROSTERS))))
    def people_change(self, roster: int) -> None:
        if ROSTERS[roster] is not self.office.policy:
            self.oracle.adopt(ROSTERS[roster], self.now())
            self.runner.run(self.office.adopt(ROSTERS[roster]))

    @rule(person=st.sampled_from(DECIDERS), what=st.sampled_from(["gone", "silent"]))
    def accounts_change(self, person: Person, what: str) -> None:
        people: set[Person] = getattr(self.office.directory, what)
        people.symmetric_difference_update({person})

    def _has_a_disk(self) -> bool:
        """Of its own: on PostgreSQL it is the server's."""
        return isinstance(self.office.place, Path)

    @precondition(_has_a_disk)
    @rule(
        person=CLICKERS, case=cases, decision=DECISIONS, at=st.integers(0, 30),
    )  # fmt: skip
    def the_disk_fails_under_a_click(self, person: Person, case: str, decision: Any, at: int) -> None:
        """At whichever statement: nothing of the act is left, and the next process carries it out whole."""
        act = self.office.press(person, case, decision)
        self.oracle.pending.append(act)
        self.runner.run(self.office.take_in(act))
        (row,) = self.runner.run(self.office.store.inbox.unfinished(10))
        before = self._everything()
        fail_after(self.office.store, at)
        try:
            self.runner.run(self.office.service.carry_out(row))
        except StorageError:
            assert self._everything() == before
        self._restart()
        self.runner.run(self.office.worker.drain())
        self._follow()
        self.oracle.settled(self.now())

    @precondition(_has_a_disk)
    @rule(at=st.integers(0, 40))
    def the_disk_fails_under_the_sweeper(self, at: int) -> None:
        before = self._everything()
        fail_after(self.office.store, at)
        with suppress(StorageError), capture_logs():  # the sweeper writes each failure's stack
            self.runner.run(self.office.sweeper.sweep())
        assert self._everything() == before or at
        self._restart()
        self.sweeps()

    # Who is here.

    @rule(person=st.sampled_from([OWNER, OWNER, OWNER, *DECIDERS]), minutes=st.sampled_from([1, 20, 120, 2 * 24 * 60]))
    def somebody_goes_away(self, person: Person, minutes: int) -> None:
        self.runner.run(self.office.away(person, minutes * MINUTE))
        self._follow()

    @rule(case=cases, minutes=st.sampled_from([5, 60]), first=st.integers(0, 3), decision=DECISIONS)
    def an_owner_leaves_and_a_deputy_answers(self, case: str, minutes: int, first: int, decision: Any) -> None:
        """Some deputies may have left before; the first who is there answers, and the owner comes back."""
        domain = self.oracle.policy.domains[self.oracle.cases[case].book.domain]
        for person in (*domain.deputies[:first], domain.owner):
            self.somebody_goes_away(person, minutes)
        self.clicks(domain.deputies[min(first, len(domain.deputies) - 1)], case, decision, 1, 0)
        if minutes == 5:
            self.somebody_is_back(domain.owner)

    @rule(person=st.sampled_from([OWNER, OWNER, *DECIDERS]))
    def somebody_is_back(self, person: Person) -> None:
        self.runner.run(self.office.away(person))
        self._follow()
        assert person not in self.oracle.absent

    @rule(person=st.sampled_from(DECIDERS))
    def somebody_falls_asleep_or_wakes(self, person: Person) -> None:
        asleep = self.office.directory.asleep
        if asleep.pop(person, None) is None:
            asleep[person] = self.now() + 8 * HOUR
        self.oracle.asleep = set(asleep)

    # What the clocks do.

    @rule(seconds=st.sampled_from([-2 * 86_400, -3600, -150, -30, 30, 150, 3600]), reboots=st.booleans())
    def the_wall_clock_is_set(self, seconds: int, reboots: bool) -> None:
        """A jump is seen at the next look, or after the process, perhaps the machine, started again."""
        self.clock.jump(timedelta(seconds=seconds))
        self.drift += timedelta(seconds=seconds)
        if reboots:
            self.boots += 1
            self.drift = timedelta(0)
            self._restart()
        self._look()

    @rule(case=cases, deputy=st.booleans(), back=st.booleans())
    def a_yes_meets_a_clock_that_was_set(self, case: str, deputy: bool, back: bool) -> None:
        domain = self.oracle.policy.domains[self.oracle.cases[case].book.domain]
        self.the_wall_clock_is_set(seconds=-150 if back else 150, reboots=False)
        self.clicks(domain.deputies[0] if deputy else domain.owner, case, "approve", 1, 0)
        if not deputy:
            self.an_operator_accepts_the_clock()

    @precondition(lambda self: hasattr(self, "oracle") and self.oracle.doubted)
    @rule()
    def an_operator_accepts_the_clock(self) -> None:
        before = self.now()
        assert self.runner.run(self.office.store.clock.request_acceptance())
        self.runner.run(self.keeper.look())
        self.oracle.doubted, self.drift, self.seen = False, timedelta(0), self.clock.machine.at
        self.oracle.steps_back(min(self.seen - before, timedelta(0)))
        self._follow()

    # What time does.

    @rule(minutes=st.sampled_from([0, 1, 2, 3, 5, 10, 30, 44, 45, 60, 24 * 60]), less=st.booleans())
    def time_passes(self, minutes: int, less: bool) -> None:
        self._pass(max(minutes * MINUTE - less * MS, timedelta(0)))

    @rule(person=CLICKERS, case=cases, off=st.sampled_from([-1, 0, 1]), decision=DECISIONS)
    def clicks_at_the_very_end(self, person: Person, case: str, off: int, decision: Any) -> None:
        wait = self.oracle.cases[case].expires_at + off * MS - self.now()
        if wait > timedelta(0):
            self._pass(wait)
            self._act(self.office.press(person, case, decision))

    @rule(minutes=st.sampled_from([1, 4, 6, 16, 46]))
    def the_sweeper_works(self, minutes: int) -> None:
        for _ in range(minutes):
            self._pass(MINUTE)
            self.sweeps()

    @rule()
    def looks(self) -> None:
        self.sweeps()

    def sweeps(self) -> None:
        self.runner.run(self.office.sweeper.sweep())
        self._follow()
        self.oracle.ends_absences(self.now())
        self.oracle.swept(self.now())

    @rule(case=cases, person=st.sampled_from(DECIDERS[:7]), decision=DECISIONS)
    def a_click_meets_the_sweeper(self, case: str, person: Person, decision: Any) -> None:
        act = self.office.press(person, case, decision)

        async def both() -> None:
            await self.office.take_in(act)
            await asyncio.gather(self.office.worker.drain(), self.office.sweeper.sweep())

        self.oracle.pending.append(act)
        self.runner.run(both())
        self._follow()
        self.oracle.ends_absences(self.now())
        self.oracle.settled(self.now())

    # What Slack does.

    @rule(some=st.integers(1, 8), answers=st.lists(st.sampled_from(["ok", "ok", "429", "503", "lost"]), min_size=1))
    def slack_takes_some(self, some: int, answers: list[str]) -> None:
        self._deliver(some, answers)

    @rule(person=st.sampled_from(DECIDERS))
    def slack_refuses_somebody(self, person: Person) -> None:
        self.office.dead_letters ^= {person}

    @rule(some=st.integers(1, 8), noted=st.booleans())
    def dies_while_speaking(self, some: int, noted: bool) -> None:
        """Leased, and perhaps found undeliverable, but never written down as such."""
        now = self.now()
        for outgoing in self.runner.run(self.office.store.outbox.lease(now, now + LEASE, some)):
            lost = outgoing.say.to in self.office.dead_letters and outgoing.copy is None
            if noted and lost and outgoing.say.purpose == "card":
                self._fails(outgoing)
                self.runner.run(self.office.service.transactions.undelivered(outgoing, "user_not_found"))
        self._follow()
        self._restart()

    # What people see.

    @rule(person=st.sampled_from([PE1, PE3, LEAD, COLLEAGUE, SOC1, SOCLEAD, DEP1]))
    def a_provider_sees_its_own_only(self, person: Person) -> None:
        whose = party(self.oracle.policy, person)
        if whose is None:
            return
        service, run = self.office.service, self.runner.run
        seen = [
            *run(service.queries.read_queue(person)),
            *run(service.queries.read_mine(person)),
            *run(service.queries.read_waiting(person)),
        ]
        for case_id, known in self.oracle.cases.items():
            found = run(service.queries.read_case(person, case_id))
            assert (found is not None) == (known.provider == whose)
        assert {case.request.provider for case in seen} <= {whose}

    @rule(person=st.sampled_from([STRANGER, GUEST, NAMESAKE]))
    def a_stranger_sees_nothing(self, person: Person) -> None:
        assert not list(self.runner.run(self.office.service.queries.read_queue(person)))
        assert all(self.runner.run(self.office.service.queries.read_case(person, c)) is None for c in self.oracle.cases)

    # What always holds.

    @invariant()
    def what_stands_in_the_tables_is_what_the_log_says(self) -> None:
        if not hasattr(self, "office"):
            return
        self._follow()
        rows = self.office.rows(
            "SELECT r.*, g.state AS granted FROM request r LEFT JOIN access_grant g ON g.case_id = r.id"
        )
        assert {row["id"] for row in rows} == set(self.oracle.cases)
        for row in rows:
            known = self.oracle.cases[row["id"]]
            assert (row["state"], row["granted"] or "") == (known.state, known.grant)
            assert (row["closed_user"] or "") == (known.closed_by.user if known.closed_by else "")
            assert self.final.setdefault(row["id"], row["state"]) == row["state"] or self.final[row["id"]] == "pending"
            self.final[row["id"]] = row["state"]

    @invariant()
    def what_is_recorded_is_who_clicked(self) -> None:
        if not hasattr(self, "office"):
            return
        votes = self.office.rows("SELECT case_id, team_id, user_id, answer FROM vote WHERE ask = 0")
        recorded = {(v["case_id"], Person(v["team_id"], v["user_id"])) for v in votes if v["answer"] == "yes"}
        assert recorded == {(case.id, person) for case in self.oracle.cases.values() for person in case.yes}
        reached = self.office.rows("SELECT case_id, team_id, user_id FROM reached WHERE ask = 0")
        asked = {(r["case_id"], Person(r["team_id"], r["user_id"])) for r in reached}
        assert asked == {(case.id, person) for case in self.oracle.cases.values() for person in case.asked}

    @invariant()
    def who_is_on_it_and_when_the_next_step_is_due_is_what_people_pressed(self) -> None:
        if not hasattr(self, "office"):
            return
        kinds = tuple(TAKES_PART.values())
        notes = self.office.rows("SELECT case_id, kind, team_id, user_id FROM note WHERE ask = 0")
        kept = Counter((n["case_id"], n["kind"], Person(n["team_id"], n["user_id"])) for n in notes if n["kind"] in kinds)
        assert kept == Counter((case.id, *note) for case in self.oracle.cases.values() for note in case.notes)
        for row in self.office.rows("SELECT case_id, idx, due_ms FROM step WHERE ask = 0 AND state = 'waiting'"):
            known = self.oracle.cases[row["case_id"]]
            if known.state == "pending":
                assert row["due_ms"] == round(known.due[row["idx"]].timestamp() * 1000)

    # How.

    def _act(self, *acts: Command) -> str:
        """Taken in, carried out, and each entry judged by the oracle."""
        self.oracle.pending += acts  # type: ignore[arg-type]
        keys = [self.runner.run(self.office.take_in(act)) for act in acts]
        self.runner.run(self.office.worker.drain())
        self._follow()
        self.oracle.settled(self.now())
        return keys[0]

    def _die(self, act: Any, dies: str, down: int) -> None:
        self.oracle.pending.append(act)
        self.runner.run(self.office.take_in(act))
        if dies != "taken":
            (row,) = self.runner.run(self.office.store.inbox.unfinished(10))
            self.office.mortal.dies = dies
            with pytest.raises(Killed):
                self.runner.run(self.office.service.carry_out(row))
        if dies == "after":
            self._follow()
        self._restart()
        self._pass(down * MINUTE)
        self.runner.run(self.office.worker.drain())
        self._follow()
        self.oracle.settled(self.now())

    def _follow(self) -> None:
        for entry in self.office.log(start=self.read):
            assert entry["i"] == self.read
            self.oracle.read(entry, self.now())
            self.read += 1

    def _deliver(self, some: int, answers: Sequence[str] = ("ok",)) -> int:
        """Slack's answers in turn: `lost` is a message that it took and did not confirm, so that it is said again."""
        now = self.now()
        leased = self.runner.run(self.office.store.outbox.lease(now, now + LEASE, some))
        for answer, outgoing in zip(cycle(answers), leased, strict=False):
            if answer != "ok":
                wait = MINUTE / 2 if answer == "429" else MS
                self.runner.run(self.office.store.outbox.release([(outgoing, now + wait, answer)]))
                continue
            if outgoing.say.to in self.office.dead_letters | self.office.directory.gone and outgoing.copy is None:
                self._fails(outgoing)
            self.runner.run(self.office.say(outgoing))
        self._follow()
        return len(leased)

    def _fails(self, outgoing: Any) -> None:
        case = self.oracle.cases.get(outgoing.say.case)
        if case is not None and outgoing.say.purpose == "card" and case.state == "pending":
            case.failed.add(outgoing.say.to)

    def _everything_is_said(self) -> None:
        """Rule 5: what was written to be said is said, or recorded as undeliverable with the reason; a summary once."""
        self._pass(2 * MINUTE)
        for _ in range(1000):
            if not self._deliver(50):
                break
        left = self.office.rows("SELECT * FROM outbox WHERE done_ms IS NULL")
        assert not left
        assert all(row["error"] for row in self.office.rows("SELECT error FROM outbox"))
        told = Counter(o.say.to for o in self.office.shown if o.say.purpose == "returned")
        lost = self.office.rows("SELECT to_team, to_user FROM outbox WHERE purpose = 'returned'")
        assert told + Counter(Person(r["to_team"], r["to_user"]) for r in lost) == self.oracle.summaries

    # The clocks.

    def now(self) -> datetime:
        """The program's time: it never goes back, and is doubted exactly when the clock says that it is."""
        wall = self.clock.machine.at
        if abs(self.drift) > MINUTE or wall - self.seen < -MINUTE:
            self.oracle.doubted = True
        found = self.clock.now()
        assert found >= self.seen
        assert (self.clock.jumped() is not None) == self.oracle.doubted
        self.seen = found
        return found

    def _look(self) -> None:
        """The timekeeper's, which writes down how far time has come."""
        self.now()
        self.runner.run(self.keeper.look(keep=True))
        self._follow()

    def _pass(self, delta: timedelta) -> None:
        self.office.sleep(delta)
        self._look()

    def _restart(self) -> None:
        """A new process, in this boot of the machine or in another."""
        self.clock = self.clock.reborn(f"boot-{self.boots}")
        self.office.clock = self.clock  # type: ignore[assignment]
        self.runner.run(self.office.restart())
        self.keeper = ClockKeeper(self.office.store, self.clock)
        if abs(self.drift) > MINUTE or self.clock.machine.at - self.seen < -MINUTE:
            self.oracle.doubted = True
        self.runner.run(self.keeper.begin())
        self._look()

    def _everything(self) -> list[Any]:
        return [[tuple(row) for row in self.office.rows(f"SELECT * FROM {name}")] for name in tables(self.office.looking)]

    def _tables(self) -> list[Any]:
        return [[tuple(row) for row in self.office.rows(f"SELECT * FROM {table} ORDER BY 1, 2")] for table in TABLES]

    def _said(self) -> Counter[tuple[str, Person | None]]:
        rows = self.office.rows("SELECT purpose, to_team, to_user FROM outbox")
        return Counter((r["purpose"], Person(r["to_team"], r["to_user"]) if r["to_user"] else None) for r in rows)


TestCountersign = pytest.mark.timeout(400)(Countersign.TestCase)  # over a minute of one core, and cores may be shared
TestCountersign.settings = settings(
    max_examples=max(60, settings.default.max_examples // 4),
    stateful_step_count=min(settings.default.stateful_step_count, 80),
    derandomize=settings.default.max_examples < 1000,  # the same walks in every quick run; others when it may take long
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
