"""Campaigns, agreements, hand-overs and absences in any order, with jumps of the clock, a stopped log, downtime, crashes and replays.

What must hold is read from the log and written here from the contract alone (governance-contract.md, its two rules, sections 1, 2):
no right is wider than the last answer allows, silence never widens, nobody keeps what they alone approved, a narrowing never cuts an
open grant, and no emergency is refused for want of a form.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.domain.policy.governance import Agreement, ReviewRules
from bot.domain.policy.model import BreakGlass, EscalationPolicy, Policy, PolicyStep, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.row import row_of
from bot.ports.commands import AnswerReview, Press, ReplyAddress
from storage.log.check import check_database
from tests.bot.building import DAY, DEP1, DEP2, LEAD, OWNER, PE1, PE2, RISK, STRANGER, policy, runbook, with_domain
from tests.bot.governed import WEEK, GovernedOffice
from tests.bot.office import Killed
from tests.database import place

WINDOW = 4
PATIENT = EscalationPolicy(
    "patient", 20 * 86400, (PolicyStep(0, "notify", "owner"), PolicyStep(3600, "notify", "deputies"))
)
UNLOCK = runbook("unlock", kind="reset", right="autonomous", escalation=None, review_within=None, sha256="11" * 32)
GLASS = runbook("glass", right="immediate", break_glass=BreakGlass(4 * 3600, None), escalation="patient", sha256="22" * 32)
EMERGENCY = runbook("emergency", escalation="patient", sha256="33" * 32)
WAIVER = runbook(
    "waiver", kind="policy_exception", escalation="patient", max_duration=60 * 86400, review_within=None, sha256="44" * 32
)
BEFORE = policy(runbooks=[UNLOCK, GLASS, EMERGENCY, WAIVER], escalation_policies=[PATIENT], digest="00" * 32)
BASE = replace(
    BEFORE, agreement=Agreement(365 * 86400, 30 * 86400, "hold"), default_escalation="patient", digest="01" * 32,
    review=ReviewRules(20 * 86400, 20 * 86400, WINDOW, "narrow"),
)  # fmt: skip
HOME = [OWNER, OWNER, DEP1, RISK]
SPANS = [timedelta(minutes=20), timedelta(hours=5)]


def with_runbook(base: Policy, id_: str, **changes: Any) -> Policy:
    return replace(base, runbooks={**base.runbooks, id_: replace(base.runbooks[id_], **changes)})


def at(entry: dict[str, Any], key: str = "ts") -> datetime:
    return datetime.fromisoformat(entry["ts"] if key == "ts" else entry["data"][key])


class Governance(RuleBasedStateMachine):
    @initialize()
    def opens(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.office = GovernedOffice(self.folder / "countersign.db", BASE)
        self.office.clock.at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.runner.run(self.office.open())
        self.runner.run(self.office.begin(BEFORE))
        self.number, self.stopped, self.cases = 1, False, list[str]()
        self.last: tuple[Any, str] | None = None
        self.unreached: set[Any] = set()  # days on which nobody's silence counts

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        try:
            assert check_database(place(self.office.path)).findings == ()
        finally:
            self.runner.run(self.office.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    # What people do.

    @rule(
        who=st.sampled_from([*HOME, PE1, LEAD, STRANGER]),
        what=st.sampled_from(["keep", "narrow", "withdraw"]),
        n=st.integers(0, 30),
    )
    def answers_an_item(self, who: Person, what: Any, n: int) -> None:
        found = [(c, item) for c in self._campaigns() for item in c.items if item.answer in ("", "silence")]
        if found:
            campaign, item = found[n % len(found)]
            self.runner.run(self.office.answer(who, campaign, what, item.key))

    @rule(who=st.sampled_from(HOME))
    def keeps_together(self, who: Person) -> None:
        for campaign in self._campaigns():
            self._act(AnswerReview(who, campaign.id, (), ReplyAddress(who, channel="D0"), easy=True))

    @rule(who=st.sampled_from([*HOME, LEAD]), word=st.sampled_from(["confirmed", "confirmed", "disputed", "acknowledged"]))
    def speaks_on_the_matrix(self, who: Person, word: Any) -> None:
        self.runner.run(self.office.speak(who, word, "emergency" if word == "disputed" else ""))

    @rule(
        who=st.sampled_from([PE1, PE1, PE2]),
        book=st.sampled_from(["unlock", "glass", "emergency", "waiver"]),
        longer=st.booleans(),
    )
    def files(self, who: Person, book: str, longer: bool) -> None:
        until = (self.office.clock.at + 50 * DAY).date().isoformat()
        form = self.office.form(
            who, book, target=f"srv-{len(self.cases)}", until=until, seconds=(6 if longer else 1) * 3600
        )  # fmt: skip
        excused = self._withdrawn(who) or (book == "glass" and self.office.clock.jumped() is not None)
        self._act(form)
        known = self.office.rows("SELECT id FROM request WHERE id = :i", i=form.id)
        if book in ("emergency", "glass") and not longer and not excused:
            assert known or self.office.log(form.id)[-1]["data"]["reason_code"] == (
                "too_many_pending" if self._pending_of_itself(who) >= 3 else "already_pending"
            )
        self.cases += [form.id] if known else []

    @rule(
        who=st.sampled_from([*HOME, DEP2]),
        n=st.integers(0, 50),
        what=st.sampled_from(["approve", "approve", "deny", "ratify", "finish"]),
    )
    def decides(self, who: Person, n: int, what: str) -> None:
        if self.cases:
            case = self.cases[n % len(self.cases)]
            (row,) = self.office.rows("SELECT max(version) AS v FROM ask WHERE case_id = :c", c=case)
            self._act(Press(who, case, row["v"] or 1, what, ReplyAddress(who, channel="D0"), "because"))

    @rule(who=st.sampled_from([OWNER, DEP1, DEP2]), days=st.sampled_from([0, 3, 14]))
    def goes_away(self, who: Person, days: int) -> None:
        self.runner.run(self.office.away(who, days * DAY))

    @rule(who=st.sampled_from([OWNER, DEP1, DEP2]))
    def leaves_or_comes_back(self, who: Person) -> None:
        self.office.directory.gone ^= {who}

    @rule(what=st.sampled_from(["bytes", "longer", "shorter", "owner", "keep", "narrow"]))
    def another_policy(self, what: str) -> None:
        old = self.office.policy
        new = {
            "bytes": lambda: with_runbook(old, "unlock", sha256=f"{self.number + 16:02x}" * 32),
            "longer": lambda: with_runbook(old, "emergency", max_duration=8 * 3600, sha256="55" * 32),
            "shorter": lambda: with_runbook(old, "emergency", max_duration=2 * 3600, sha256="66" * 32),
            "owner": lambda: with_domain(old, owner=self._other_owner(old), deputies=(DEP2,)),
            "keep": lambda: replace(old, review=replace(BASE.review, silence="keep")),  # type: ignore[type-var]
            "narrow": lambda: replace(old, review=BASE.review),
        }[what]()
        self.number += 1
        self.runner.run(self.office.follow(old, replace(new, digest=f"{self.number:02x}" * 32)))

    # Sequences that chance alone seldom finds.

    @rule(who=st.sampled_from([None, OWNER, RISK]))
    def more_is_given_and_asked_for(self, who: Person | None) -> None:
        self.another_policy("longer")
        if who is not None:
            self.speaks_on_the_matrix(who, "confirmed")
        self.files(PE2, "emergency", longer=True)

    @rule(yes=st.sampled_from([OWNER, DEP1]), keeper=st.sampled_from([OWNER, RISK]))
    def an_exception_is_approved_and_reviewed(self, yes: Person, keeper: Person) -> None:
        self.files(PE2, "waiver", longer=False)
        if self.cases:
            self.decides(yes, len(self.cases) - 1, "approve")
        for _ in range(3):
            self.days_pass(9)
        for campaign in self._campaigns():
            for item in campaign.unanswered:
                if item.kind == "exception":
                    self.runner.run(self.office.answer(keeper, campaign, "keep", item.key))

    @rule(what=st.sampled_from(["narrow", "withdraw"]), book=st.sampled_from(["unlock", "glass"]))
    def somebody_who_asks_is_narrowed(self, what: Any, book: str) -> None:
        for campaign in self._campaigns():
            for item in campaign.unanswered:
                if item.of.endswith("/U0PE1"):
                    self.runner.run(self.office.answer(OWNER, campaign, what, item.key))
        self.files(PE1, book, longer=False)

    @rule(how=st.sampled_from(["log", "clock"]))
    def two_weeks_pass_in_doubt(self, how: str) -> None:
        self.stopped = how == "log"
        self.office.service.reviews.stopped = lambda: self.stopped
        self.the_clock_jumps_or_is_confirmed(doubted=how == "clock")
        self.days_pass(9)
        self.days_pass(4)
        self.stopped = False
        self.the_clock_jumps_or_is_confirmed(doubted=False)
        self.days_pass(2)

    # What the clock and the machine do.

    @rule(days=st.sampled_from([1, 2, 4, 9]))
    def days_pass(self, days: int) -> None:
        self._note_days(days)
        self.runner.run(self.office.pass_days(days))

    @rule(days=st.sampled_from([1, 3, 20]))
    def nothing_runs(self, days: int) -> None:
        start = self.office.clock.at
        self.office.sleep(days * DAY)
        self.unreached |= {(start + n * DAY).date() for n in range(1, days)}
        self._restart()

    @rule()
    def the_log_stops_or_runs(self) -> None:
        self.stopped = not self.stopped
        self.office.service.reviews.stopped = lambda: self.stopped

    @rule(doubted=st.booleans())
    def the_clock_jumps_or_is_confirmed(self, doubted: bool) -> None:
        self.office.clock.jumped = lambda: timedelta(hours=3) if doubted else None  # type: ignore[method-assign]

    @rule(when=st.sampled_from(["before", "after"]), days=st.sampled_from([0, 1, 3]))
    def dies_at_the_next_commit(self, when: str, days: int) -> None:
        self.office.sleep(days * DAY)
        self.office.mortal.dies = when
        with suppress(Killed):
            self.runner.run(self.office.look())
        self._restart()

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_same_again(self) -> None:
        assert self.last is not None
        act, key = self.last
        before = self.office.rows("SELECT count(*) AS n FROM log_entry")[0]["n"]
        self.runner.run(self.office.take_in(act, key))
        self.runner.run(self.office.worker.drain())
        assert self.office.rows("SELECT count(*) AS n FROM log_entry")[0]["n"] == before

    # What must hold.

    @invariant()
    def nothing_opens_alone_that_the_last_answer_does_not_allow(self) -> None:
        if not hasattr(self, "office"):
            return
        words: dict[tuple[str, str], dict[str, Any]] = {}
        glass: list[tuple[str, datetime]] = []
        filed: dict[str, dict[str, Any]] = {}
        yes: set[str] = set()
        for entry in self.office.log():
            kind = entry["type"]
            if kind in ("right.kept", "right.narrowed", "right.withdrawn"):
                self._answered(words, entry)
            elif kind == "request.filed":
                filed[entry["case"]] = entry
                word = self._of_person(words, entry["who"])
                assert word is None or word["type"] != "right.withdrawn" or word["data"]["by"] == "silence"
            elif kind == "request.approved":
                yes.add(entry["case"])
            elif kind == "grant.opened" and entry["case"] not in yes:
                first = filed[entry["case"]]
                book = self._book(first)
                assert self._of_person(words, first["who"]) is None
                word = words.get(("autonomous" if book.right == "autonomous" else "break_glass", book.id))
                holds = word is not None and _holds(word, book)
                if book.right == "autonomous" or (word is not None and word["data"]["by"] == "answer"):
                    assert not holds
                elif holds:
                    since = at(entry) - 30 * DAY
                    assert not [p for p, when in glass if p == first["data"]["provider"] and when > since]
                glass += [(first["data"]["provider"], at(entry))] if book.right != "autonomous" else []

    def _answered(self, words: dict[tuple[str, str], dict[str, Any]], entry: dict[str, Any]) -> None:
        data = entry["data"]
        of = data["of"].user if isinstance(data["of"], Person) else data["of"]
        before = words.get((data["item"], of))
        if data["by"] == "silence":
            assert entry["type"] == "right.narrowed"
            assert "who" not in entry or entry["who"] is None
            self._silence_counts(entry)
        else:
            assert entry["who"] in {OWNER, DEP1, DEP2, RISK}
        if entry["type"] != "right.kept":
            words[data["item"], of] = entry
            return
        same_file = before is not None and before.get("runbook") == entry.get("runbook")
        assert before is None or before["data"]["by"] == "silence" or (data["item"] != "person" and not same_file)
        words.pop((data["item"], of), None)
        if data["item"] == "exception":
            voters = {e["who"] for e in self.office.log(of) if e["type"] == "request.approved" and at(e) <= at(entry)}
            assert voters != {entry["who"]}

    def _silence_counts(self, entry: dict[str, Any]) -> None:
        """It falls at 10:00 of a working day, after as many working days as the window has on which somebody was reached."""
        fell = at(entry)
        assert (fell.hour, fell.weekday() < 5) == (10, True)
        opened = next(
            e for e in self.office.log() if e["type"] == "campaign.opened" and e["data"]["id"] == entry["data"]["id"]
        )
        days = {at(opened).date() + timedelta(days=n) for n in range((fell.date() - at(opened).date()).days)}
        assert len([d for d in days - self.unreached if d.weekday() < 5]) >= WINDOW

    @invariant()
    def no_grant_ends_before_its_time_but_by_somebodys_word(self) -> None:
        if not hasattr(self, "office"):
            return
        until: dict[str, datetime] = {}
        shortened = {
            e["data"]["of"]: at(e) for e in self.office.entries("right.withdrawn") if e["data"]["item"] == "exception"
        }
        for entry in self.office.log():
            case = entry.get("case")
            if entry["type"] in ("grant.opened", "grant.extended"):
                until[case] = at(entry, "not_after")
            elif entry["type"] == "exception.ended" and entry["data"]["how"] == "lapsed":
                assert at(entry) >= min(until[case], shortened.get(case, until[case]) + 14 * DAY)
            elif entry["type"] == "grant.lapsed":
                assert at(entry) >= until[case]

    @invariant()
    def no_grant_is_longer_than_what_the_owner_confirmed(self) -> None:
        if not hasattr(self, "office"):
            return
        allowed, current = 4 * 3600, BASE
        filed: dict[str, str] = {}
        for entry in self.office.log():
            current = self.office.sets.get(entry.get("policy", {}).get("sha256", ""), current)
            if entry["type"] == "matrix.confirmed" and entry["who"] == current.domains["directory"].owner:
                rows = {row["row"] for row in entry["data"]["rows"]}
                allowed = current.runbooks["emergency"].max_duration if "emergency" in rows else allowed
            elif entry["type"] == "request.filed":
                filed[entry["case"]] = entry["runbook"]["id"]
                if filed[entry["case"]] == "emergency":
                    assert entry["data"]["seconds"] <= max(allowed, max(allowed, 4 * 3600))

    @invariant()
    def nobody_gets_two_governance_messages_in_a_week(self) -> None:
        if hasattr(self, "office"):
            for person, times in self.office.governance_messages().items():
                assert all(two - one >= WEEK for one, two in pairwise(times)), f"{person}: {times}"

    @invariant()
    def no_right_is_in_two_open_campaigns(self) -> None:
        if hasattr(self, "office"):
            keys = [item.key for c in self._campaigns() if c.state == "open" for item in c.unanswered]
            assert len(keys) == len(set(keys))

    # How.

    def _act(self, act: Any) -> None:
        key = self.runner.run(self.office.take_in(act))
        self.last = (act, key)
        self.runner.run(self.office.worker.drain())

    def _campaigns(self) -> list[Any]:
        return self.runner.run(self.office.campaigns())

    def _restart(self) -> None:
        self.office.mortal.dies = ""
        self.runner.run(self.office.restart())
        self.office.service.reviews.stopped = lambda: self.stopped

    def _note_days(self, days: int) -> None:
        nobody = self.stopped or self.office.clock.jumped() is not None
        if nobody:
            self.unreached |= {(self.office.clock.at + n * DAY).date() for n in range(1, days)}

    def _pending_of_itself(self, who: Person) -> int:
        """Pending requests that would be pending had nothing been narrowed: `unlock` and `glass` open at once by their files."""
        sql = """SELECT count(*) AS n FROM request WHERE state = 'pending' AND requester_user = :user
          AND runbook IN ('emergency', 'waiver')"""
        return int(self.office.rows(sql, user=who.user)[0]["n"])

    def _withdrawn(self, who: Person) -> bool:
        words: dict[tuple[str, str], dict[str, Any]] = {}
        for entry in self.office.entries("right.kept", "right.narrowed", "right.withdrawn"):
            of = entry["data"]["of"]
            words[entry["data"]["item"], of.user if isinstance(of, Person) else of] = entry
        word = words.get(("person", who.user))
        return word is not None and word["type"] == "right.withdrawn"

    def _of_person(self, words: dict[tuple[str, str], dict[str, Any]], who: Person) -> dict[str, Any] | None:
        return words.get(("person", who.user))

    def _book(self, entry: dict[str, Any]) -> Runbook:
        return self.office.sets[entry["policy"]["sha256"]].runbooks[entry["runbook"]["id"]]

    def _other_owner(self, old: Policy) -> Person:
        return OWNER if old.domains["directory"].owner == DEP1 else DEP1


def _holds(word: dict[str, Any], book: Runbook) -> bool:
    if word["data"]["by"] == "silence":
        return bool(word["data"]["row"] == row_of(book))
    return bool(word["runbook"]["sha256"] == book.sha256)


TestGovernance = pytest.mark.timeout(400)(
    Governance.TestCase
)  # half a minute of one core on PostgreSQL, and cores may be shared
TestGovernance.settings = settings(  # a failing run is not shrunk: each step is days of work of the whole service
    max_examples=max(15, settings.default.max_examples // 8),
    stateful_step_count=min(settings.default.stateful_step_count, 25),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
