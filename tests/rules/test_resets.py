"""Resets, suspended authority and autonomous rights as one machine: what must hold is read from the log alone.

People file, attest, decide, restore and withdraw in any order, the clock runs and stops, the process dies, policy changes.
Whatever comes of it, the entries obey section 2 and 4 of the design and rules 1, 3 and 8 of section 5.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from bot.domain.policy.model import Limit, Policy
from bot.domain.policy.people import Person
from bot.ports.commands import Press, ReplyAddress
from storage.log.check import check_database
from tests.bot.building import (
    DAY,
    DEP1,
    DEP2,
    HOUR,
    MINUTE,
    MS,
    OWNER,
    PE1,
    PE2,
    RISK,
    SOC1,
    STRANGER,
    policy,
    runbook,
    with_domain,
)
from tests.bot.office import Killed, Office
from tests.database import place

METHODS = ("callback", "document")
WAIT, WINDOW, AT_MOST = 30 * MINUTE, 7 * DAY, 2
RESET = runbook(
    "mfa", kind="reset", subject_verification=METHODS, not_before=1800, escalation="short", review_within=None, approvals=2
)  # fmt: skip
UNLOCK = runbook(
    "unlock", kind="reset", right="autonomous", escalation=None, review_within=None, limit=Limit(AT_MOST, 7 * 86400),
    review_every=10 * 86400, sha256="11" * 32,
)  # fmt: skip
BASE = policy(runbooks=[RESET, UNLOCK, runbook("emergency")])
CHANGED = replace(BASE.runbooks["unlock"], sha256="22" * 32)
POLICIES: list[Policy] = [
    BASE,
    replace(with_domain(BASE, deputies=(DEP2,)), digest="01" * 32),
    replace(BASE, digest="02" * 32, runbooks={**BASE.runbooks, "unlock": CHANGED}),
]
DECIDERS = [OWNER, DEP1, DEP2, RISK]
ANYBODY = [*DECIDERS, PE1, PE2, SOC1, STRANGER]
SUBJECTS = [STRANGER, OWNER, DEP1, DEP2]
DECIDED = {"request.approved", "request.denied", "authority.restored", "right.kept", "right.withdrawn"}


@dataclass
class Story:
    """One case, as its entries say."""

    first: dict[str, Any]
    at: datetime
    verified: set[str] = field(default_factory=set)
    yes: set[Person] = field(default_factory=set)


@dataclass
class Judge:
    """Reads the log in order and raises on what must never be in it."""

    stories: dict[str, Story] = field(default_factory=dict)
    suspended: dict[tuple[str, Person], str] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    uses: defaultdict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def read(self, entry: dict[str, Any]) -> None:
        kind, at = entry["type"], datetime.fromisoformat(entry["ts"])
        if "case" not in entry or kind == "request.refused":
            return
        story = self.stories.setdefault(entry["case"], Story(entry, at))
        if kind in DECIDED:
            self.decided(story, entry)
        if kind == "step.fired" and entry["data"]["action"] == "notify":
            domain = story.first["data"]["domain"]
            assert not [p for p in entry["data"]["to"] if (domain, p) in self.suspended], "the suspended were asked"
            assert story.first["data"].get("subject") not in entry["data"]["to"], "the subject was asked"
        if kind == "subject.verified":
            assert entry["who"] == story.first["who"], "somebody else attested"
            story.verified.add(entry["data"]["name"])
        if kind == "grant.opened":
            self.opened(story, entry, at)
        if kind == "authority.suspended":
            self.suspended["directory", entry["data"]["subject"]] = entry["case"]
        if kind == "authority.restored":
            del self.suspended["directory", entry["data"]["subject"]]
        if kind == "right.withdrawn":
            self.withdrawn.add(story.first["runbook"]["sha256"])

    def decided(self, story: Story, entry: dict[str, Any]) -> None:
        who, first = entry["who"], story.first["data"]
        assert who in DECIDERS, "somebody without authority decided"
        assert who != first.get("subject"), "the subject decided"
        if entry["type"] == "request.approved":  # a suspension never blocks a no
            assert (first["domain"], who) not in self.suspended, "the suspended approved"
            if story.first["runbook"]["id"] == "mfa":
                assert story.verified == set(METHODS), "a yes before the proof"
            story.yes.add(who)

    def opened(self, story: Story, entry: dict[str, Any], at: datetime) -> None:
        book, party = story.first["runbook"], story.first["actor"]["party"]
        if book["id"] == "mfa":
            assert at >= story.at + WAIT, "it opened before its time"
            assert len(story.yes) >= 2, "it opened on too few yeses"
        if book["id"] == "unlock":
            assert book["sha256"] not in self.withdrawn, "a withdrawn right was used"
            self.uses[party] = [u for u in self.uses[party] if u > at - WINDOW] + [at]
            assert len(self.uses[party]) <= AT_MOST, "more than the limit"


class Resets(RuleBasedStateMachine):
    cases = Bundle("cases")

    @initialize()
    def opens(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.office = Office(self.folder / "countersign.db", BASE)
        self.runner.run(self.office.open())
        self.judge, self.seen = Judge(), 0
        self.runner.run(self.office.sweeper.sweep())

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        found = check_database(place(self.office.path)).findings
        self.runner.run(self.office.close())
        self.runner.close()
        shutil.rmtree(self.folder)
        assert found == ()

    @rule(target=cases, person=st.sampled_from([PE1, PE2]), subject=st.sampled_from(SUBJECTS), what=st.sampled_from("abc"))
    def files_a_reset(self, person: Person, subject: Person, what: str) -> Any:
        return self._filed(person, "mfa", subject=subject, target=what)

    @rule(target=cases, person=st.sampled_from([PE1, PE2, SOC1]), what=st.sampled_from("abc"))
    def uses_the_right(self, person: Person, what: str) -> Any:
        return self._filed(person, "unlock", target=what)

    @rule(target=cases, person=st.sampled_from([PE1, SOC1]))
    def files_an_emergency(self, person: Person) -> Any:
        return self._filed(person, "emergency")

    @rule(
        case=cases, person=st.sampled_from([PE1, PE2, OWNER]), name=st.sampled_from([*METHODS, "palm"]), late=st.booleans()
    )
    def attests(self, case: str, person: Person, name: str, late: bool) -> None:
        at = self.office.clock.at + late * HOUR
        self._act(Press(person, case, 1, "verify", ReplyAddress(person, channel="D0"), "ref", name, at=at.isoformat()))

    @rule(case=cases, person=st.sampled_from(ANYBODY), decision=st.sampled_from(["approve", "approve", "deny", "revoke"]))
    def decides(self, case: str, person: Person, decision: Any) -> None:
        self._act(self.office.press(person, case, decision))

    @rule(case=cases, minutes=st.sampled_from([1, 31]), proof=st.sampled_from([METHODS, METHODS[:1], ()]))
    def is_carried(self, case: str, minutes: int, proof: tuple[str, ...] = METHODS) -> None:
        """The way that opens it: the proof, or less of it, and a yes of everybody who is asked."""
        for name in proof:
            self.attests(case, self.judge.stories[case].first["who"], name, late=False)
        for person in self.runner.run(self.office.case(case)).approval.asked:
            self._act(self.office.press(person, case))
        self.time_passes(minutes)

    @rule(target=cases, subject=st.sampled_from(SUBJECTS[1:]), restored=st.booleans())
    def somebody_with_authority_is_reset(self, subject: Person, restored: bool) -> Any:
        """… and presses Approve on what was asked before and after it."""
        before, reset = self._filed(PE1, "emergency"), self._filed(PE2, "mfa", subject=subject, target="d")
        if not isinstance(before, str) or not isinstance(reset, str):
            return multiple()
        self.is_carried(reset, 31)
        after = self._filed(SOC1, "emergency")
        if restored:
            self.runner.run(self.office.forward(4 * HOUR, every=HOUR))
            self.answers_what_nobody_filed(DEP2 if subject == DEP1 else DEP1, "restore", -1)
        for case in (before, after):
            if isinstance(case, str):
                self._act(self.office.press(subject, case))
        return after

    @rule(person=st.sampled_from(DECIDERS), answer=st.sampled_from(["keep", "withdraw_right"]))
    def the_day_of_a_review_comes(self, person: Person, answer: Any) -> None:
        self.office.sleep(10 * DAY)
        self.looks()
        for n in range(4):
            self.answers_what_nobody_filed(person, answer, n)
        self._filed(PE1, "unlock", target="e")

    @rule(off=st.sampled_from([-1, 0, 1]))
    def the_oldest_use_leaves_the_window(self, off: int) -> None:
        for what in "fg":
            self._filed(PE1, "unlock", target=what)
        uses = self.judge.uses["northgate"]
        if uses and uses[0] + WINDOW + off * MS > self.office.clock.at:
            self.office.clock.at = uses[0] + WINDOW + off * MS
        self._filed(PE2, "unlock", target="h")

    @rule(
        person=st.sampled_from(ANYBODY), answer=st.sampled_from(["restore", "keep", "withdraw_right"]), n=st.integers(-1, 9)
    )
    def answers_what_nobody_filed(self, person: Person, answer: Any, n: int) -> None:
        found = self.runner.run(self.office.store.cases.system_cases())
        if not found:
            return
        case = self.runner.run(self.office.case(found[n % len(found)].id))
        self._act(Press(person, case.id, case.asks[-1].version, answer, ReplyAddress(person, channel="D0")))

    @rule(minutes=st.sampled_from([0, 1, 5, 29, 30, 31, 60, 240, 480, 24 * 60, 7 * 24 * 60]), less=st.booleans())
    def sleeps(self, minutes: int, less: bool) -> None:
        self.office.sleep(max(minutes * MINUTE - less * MS, timedelta(0)))

    @rule(minutes=st.sampled_from([1, 31, 240]))
    def time_passes(self, minutes: int) -> None:
        self.runner.run(self.office.forward(minutes * MINUTE, every=15 * MINUTE))

    @rule()
    def looks(self) -> None:
        self.runner.run(self.office.sweeper.sweep())

    @rule(which=st.sampled_from(range(len(POLICIES))))
    def policy_changes(self, which: int) -> None:
        self.runner.run(self.office.adopt(POLICIES[which]))

    @rule()
    def restarts(self) -> None:
        self.runner.run(self.office.restart())

    @rule(case=cases, person=st.sampled_from(DECIDERS), dies=st.sampled_from(["before", "after"]))
    def dies_over_a_click(self, case: str, person: Person, dies: str) -> None:
        self.runner.run(self.office.take_in(self.office.press(person, case)))
        (row,) = self.runner.run(self.office.store.inbox.unfinished(10))
        self.office.mortal.dies = dies
        with pytest.raises(Killed):
            self.runner.run(self.office.service.carry_out(row))
        self.runner.run(self.office.restart())
        self.runner.run(self.office.worker.drain())

    @invariant()
    def the_log_obeys(self) -> None:
        if hasattr(self, "office"):
            for entry in self.office.log(start=self.seen):
                self.judge.read(entry)
                self.seen += 1

    @invariant()
    def whoever_is_suspended_is_known_to_be(self) -> None:
        if hasattr(self, "office"):
            self.runner.run(self.office.service.current.refresh())
            known = {(s.domain, s.person) for s in self.office.service.current.policy.standing.suspended}
            assert known == set(self.judge.suspended)

    def _filed(self, person: Person, book: str, **how: Any) -> Any:
        case_id = self.runner.run(self.office.file(person, book, **how))
        self.the_log_obeys()
        return case_id if case_id in self.judge.stories else multiple()

    def _act(self, act: Any) -> None:
        self.runner.run(self.office.take_in(act))
        self.runner.run(self.office.worker.drain())
        self.the_log_obeys()


TestResets = Resets.TestCase
TestResets.settings = settings(
    max_examples=max(15, settings.default.max_examples // 8),
    stateful_step_count=min(settings.default.stateful_step_count, 40),
)
