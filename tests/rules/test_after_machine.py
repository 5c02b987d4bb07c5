"""After the yes, anything in any order: grants, ratifications, reviews, extensions, renewals, limits; sleep, crashes, restarts.

What must hold is read from the log and the tables and written here from the design alone (section 5, rules 1 to 3, 7 to 9 and
12 of it for the time after the yes): nothing of `bot.domain` judges it.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from bot.domain.policy.model import BreakGlass, EscalationPolicy, Limit, PolicyStep
from bot.domain.policy.people import Person
from bot.ports.commands import Command, Press, RecordSealedUse, ReplyAddress
from storage.log.check import check_database
from tests.bot.building import (
    DAY,
    DEP1,
    DEP2,
    HOUR,
    LEAD,
    MINUTE,
    ONC1,
    ONC2,
    OWNER,
    PE1,
    PE2,
    RISK,
    SOC1,
    STRANGER,
    policy,
    runbook,
)
from tests.bot.office import Killed, Office
from tests.database import place
from tests.rules.oracle import party

PATIENT = EscalationPolicy(
    "patient", 20 * 86400, (PolicyStep(0, "notify", "owner"), PolicyStep(3600, "notify", "deputies"))
)
OWED: dict[str, Any] = {"evidence": ("recording",), "rotate_within": 86400, "escalation": "patient"}
QUOTA = 2
BOOKS = {
    book.id: book
    for book in (
        runbook("emergency", **OWED),
        runbook("glass", right="immediate", break_glass=BreakGlass(4 * 3600, Limit(QUOTA, 30 * 86400)), **OWED),
        runbook(
            "exception", kind="policy_exception", max_duration=60 * 86400, max_renewals=2, escalation="patient",
            review_within=None,
        ),
    )
}  # fmt: skip
POLICY = policy(runbooks=list(BOOKS.values()), escalation_policies=[PATIENT])
NAMED = {OWNER, DEP1, DEP2, RISK, ONC1, ONC2}
ANYBODY = st.sampled_from([OWNER, OWNER, DEP1, DEP2, RISK, ONC1, PE1, PE2, LEAD, SOC1, STRANGER])
ENDS = {"grant.finished", "grant.unused", "grant.revoked", "grant.lapsed", "exception.ended"}
ANSWERS = {"review.passed", "review.flagged", "breakglass.ratified", "breakglass.rejected", "request.approved"}
SPANS = [timedelta(0), MINUTE, 20 * MINUTE, HOUR, 4 * HOUR, DAY, 7 * DAY, 31 * DAY]


def at(entry: dict[str, Any], key: str = "ts") -> datetime:
    value = entry["ts"] if key == "ts" else entry["data"][key]
    return datetime.fromisoformat(value)


class AfterTheYes(RuleBasedStateMachine):
    cases = Bundle("cases")

    @initialize(target=cases, books=st.lists(st.sampled_from(list(BOOKS)), min_size=2, max_size=3))
    def opens(self, books: list[str]) -> Any:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.office = Office(self.folder / "countersign.db", POLICY)
        self.runner.run(self.office.open())
        self.ended: dict[str, str] = {}
        found = [self.files(book, PE1, 30) for book in books]
        for case in found[1:]:
            self.decides(OWNER, case, "approve", 1)
        return multiple(*found)

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
        target=cases, book=st.sampled_from(list(BOOKS)), who=st.sampled_from([PE1, PE2, SOC1]),
        days=st.sampled_from([0, 2, 30, 60, 61]),
    )  # fmt: skip
    def files(self, book: str, who: Person, days: int) -> Any:
        form = self.office.form(who, book, target=f"srv-{self.office.keys}", until=self._day(days))
        self._act(form)
        return form.id

    @rule(
        who=ANYBODY, case=cases, version=st.integers(0, 4),
        what=st.sampled_from(["approve", "approve", "deny", "accept", "flag", "ratify", "reject", "revoke", "finish", "unused"]),
    )  # fmt: skip
    def decides(self, who: Person, case: str, what: Any, version: int) -> None:
        self._act(Press(who, case, version, what, ReplyAddress(who, channel="D0"), "because"))

    @rule(
        who=st.sampled_from([OWNER, DEP1, RISK]),
        case=cases,
        what=st.sampled_from(["approve", "accept", "ratify", "reject"]),
    )
    def answers_the_newest(self, who: Person, case: str, what: Any) -> None:
        (row,) = self.office.rows("SELECT max(version) AS v FROM ask WHERE case_id = :c", c=case)
        self.decides(who, case, what, row["v"] or 1)

    @rule(
        who=st.sampled_from([PE1, PE1, PE2, OWNER]), case=cases, what=st.sampled_from(["extend", "renew", "renew", "evidence", "attest"]),
        seconds=st.sampled_from([600, 3600, 4 * 3600]), days=st.sampled_from([1, 30, 60]),
    )  # fmt: skip
    def asks_for_more_or_hands_in(self, who: Person, case: str, what: Any, seconds: int, days: int) -> None:
        reply = ReplyAddress(who, channel="D0")
        self._act(Press(who, case, 1, what, reply, "words", seconds=seconds, until=self._day(days)))

    @rule(
        case=cases, what=st.sampled_from(["extend", "renew"]), end=st.sampled_from(["", "finish", "revoke"]),
        span=st.sampled_from([timedelta(0), MINUTE, DAY, 31 * DAY]), seconds=st.sampled_from([600, 3600]),
        times=st.integers(1, 3),
    )  # fmt: skip
    def asks_for_more_and_is_answered(
        self, case: str, what: Any, end: Any, span: timedelta, seconds: int, times: int
    ) -> None:
        for _ in range(times):
            self.asks_for_more_or_hands_in(PE1, case, what, seconds, 60)
            if end:
                self.decides(PE1 if end == "finish" else OWNER, case, end, 1)
            self.office.sleep(span)
            for row in self.office.rows("SELECT version FROM ask WHERE case_id = :c AND version > 1", c=case):
                self.decides(OWNER, case, "approve", row["version"])

    @rule(
        pick=st.integers(0, 3),
        times=st.integers(1, 3),
        days=st.sampled_from([59, 60]),
        span=st.sampled_from([DAY, 9 * DAY]),
    )
    def an_exception_is_renewed(self, pick: int, times: int, days: int, span: timedelta) -> None:
        held = "SELECT id FROM request JOIN access_grant ON case_id = id WHERE runbook = 'exception' AND access_grant.state = 'open'"
        found = [row["id"] for row in self.office.rows(held)]
        for _ in range(times if found else 0):
            case = found[pick % len(found)]
            self.asks_for_more_or_hands_in(PE1, case, "renew", 0, days)
            self.answers_the_newest(OWNER, case, "approve")
            self.office.sleep(span)

    @rule(case=cases, first=st.sampled_from([OWNER, DEP1]), who=st.sampled_from([OWNER, DEP1, DEP2, RISK]))
    def is_finished_and_reviewed(self, case: str, first: Person, who: Person) -> None:
        self.decides(first, case, "ratify", 1)
        self.decides(PE1, case, "finish", 1)
        self.sweeps()
        self.answers_the_newest(first, case, "accept")
        self.answers_the_newest(who, case, "flag")

    @rule(who=ANYBODY, user=st.sampled_from([ONC1, OWNER, DEP1]))
    def records_a_sealed_use(self, who: Person, user: Person) -> None:
        used = int(self.office.clock.at.timestamp())
        self._act(
            RecordSealedUse(
                self.office.clock.request_id(), who, "directory", used, user, "opened", "INC1", ReplyAddress(who)
            )
        )

    # What the machine suffers.

    @rule(span=st.sampled_from(SPANS), swept=st.booleans())
    def time_passes(self, span: timedelta, swept: bool) -> None:
        self.office.sleep(span)
        if swept:
            self.sweeps()

    @rule()
    def sweeps(self) -> None:
        self.runner.run(self.office.sweeper.sweep())
        now = round(self.office.clock.at.timestamp() * 1000)
        assert not self.office.rows("SELECT 1 FROM access_grant WHERE state = 'open' AND not_after_ms <= :now", now=now)
        assert not self.office.rows("SELECT 1 FROM ask WHERE state = 'open' AND expires_ms <= :now", now=now)

    @rule()
    def restarts(self) -> None:
        self.runner.run(self.office.restart())

    @rule(
        who=st.sampled_from([OWNER, DEP1, PE1]), case=cases, dies=st.sampled_from(["before", "after"]),
        what=st.sampled_from(["approve", "accept", "ratify", "reject", "revoke", "finish"]), down=st.sampled_from(SPANS),
    )  # fmt: skip
    def dies_over_a_click(self, who: Person, case: str, what: Any, dies: str, down: timedelta) -> None:
        (row,) = self.office.rows("SELECT max(version) AS v FROM ask WHERE case_id = :c", c=case)
        act = Press(who, case, row["v"] or 1, what, ReplyAddress(who, channel="D0"), "because")
        self.runner.run(self.office.take_in(act))
        (waiting,) = self.runner.run(self.office.store.inbox.unfinished(10))
        self.office.mortal.dies = dies
        with pytest.raises(Killed):
            self.runner.run(self.office.service.carry_out(waiting))
        self.runner.run(self.office.restart())
        self.office.sleep(down)
        self.runner.run(self.office.worker.drain())

    @rule(case=cases, who=st.sampled_from([OWNER, PE1]), what=st.sampled_from(["revoke", "finish", "ratify"]))
    def a_click_meets_the_sweeper(self, case: str, who: Person, what: Any) -> None:
        act = Press(who, case, 1, what, ReplyAddress(who, channel="D0"), "because")

        async def both() -> None:
            await self.office.take_in(act)
            await asyncio.gather(self.office.worker.drain(), self.office.sweeper.sweep())

        self.runner.run(both())

    # What always holds.

    @invariant()
    def a_grant_stands_on_its_decision_and_has_one_end(self) -> None:
        for case, log in self._logs():
            kinds = [e["type"] for e in log]
            assert sum(kind in ENDS for kind in kinds) <= kinds.count("grant.opened") <= 1
            if "grant.opened" not in kinds:
                continue
            opened = kinds.index("grant.opened")
            yes = [e for e in log[:opened] if e["type"] == "request.approved"]
            assert yes or "breakglass.opened" in kinds[:opened]
            end = next((n for n, kind in enumerate(kinds) if kind in ENDS), None)
            after = [] if end is None else kinds[end + 1 :]
            assert not {"grant.extended", "exception.renewed", "grant.opened", "request.approved"} & set(after)
            state = self._grant(case)["state"]
            assert (state == "open") == (end is None)
            assert self.ended.setdefault(case, state) in ("open", state)  # an end never changes
            self.ended[case] = state

    @invariant()
    def no_grant_outlives_its_maximum(self) -> None:
        for case, log in self._logs():
            grant = self._grant(case)
            if grant is None:
                continue
            book = BOOKS[log[0]["runbook"]["id"]]
            lasting = timedelta(milliseconds=grant["not_after_ms"] - grant["opened_ms"])
            if book.kind != "policy_exception":
                assert lasting <= timedelta(seconds=book.max_duration)
                continue
            renewed = [e for e in log if e["type"] == "exception.renewed"]
            asked = [e for e in log if e["type"] == "renewal.asked"][: len(renewed)] if renewed else []
            latest = max([at(log[0]), *(at(e) for e in log if e["type"] == "renewal.asked")])
            until = datetime.fromtimestamp(grant["not_after_ms"] / 1000, at(log[0]).tzinfo)
            assert until <= latest + timedelta(seconds=book.max_duration)
            assert len(asked) == len(renewed) <= book.max_renewals

    @invariant()
    def an_ended_exception_is_never_active(self) -> None:
        if not hasattr(self, "office"):
            return
        now = self.office.clock.at
        listed = {case.id for case in self.runner.run(self.office.service.queries.read_exceptions(OWNER, now))}
        ms = round(now.timestamp() * 1000)
        holds = "SELECT case_id FROM access_grant WHERE state = 'open' AND not_after_ms > :ms"
        exceptions = {case for case, log in self._logs() if log[0].get("runbook", {}).get("id") == "exception"}
        assert listed == {row["case_id"] for row in self.office.rows(holds, ms=ms)} & exceptions

    @invariant()
    def every_emergency_grant_owes_a_review_and_every_debt_its_moment(self) -> None:
        for _, log in self._logs():
            kinds = [e["type"] for e in log]
            emergency = log[0]["type"] == "sealed_use.recorded" or log[0].get("runbook", {}).get("id") in (
                "emergency",
                "glass",
            )
            ended = log[0]["type"] == "sealed_use.recorded" or any(kind in ENDS for kind in kinds)
            assert ("review.due" in kinds) == (emergency and ended)
            assert kinds.count("review.overdue") <= 1
            for entry in log:
                if entry["type"] in ("review.overdue", "breakglass.unratified"):
                    assert at(entry) >= at(entry, "due")

    @invariant()
    def nobody_of_a_provider_no_asker_and_no_lone_approver_answers(self) -> None:
        for _, log in self._logs():
            asker, yes = log[0]["who"], set[Person]()
            for entry in log:
                if entry["type"] not in ANSWERS:
                    continue
                who = entry["who"]
                assert who in NAMED
                assert party(POLICY, who) is None
                assert who != asker
                if entry["type"].startswith("review."):
                    assert yes != {who}
                elif entry["type"] in ("request.approved", "breakglass.ratified"):
                    yes.add(who)

    @invariant()
    def a_providers_break_glass_keeps_its_quota_and_opens_on_no_debt(self) -> None:
        openings = [
            (at(e), log[0]["data"]["provider"]) for _, log in self._logs() for e in log if e["type"] == "breakglass.opened"
        ]
        for moment, provider in openings:
            window = [m for m, p in openings if p == provider and moment - 30 * DAY < m <= moment]
            assert len(window) <= QUOTA
        for _, log in self._logs():
            if log[0].get("runbook", {}).get("id") != "glass":
                continue
            late = next((at(e, "due") for e in log if e["type"] in ("breakglass.unratified", "review.overdue")), None)
            paid = [
                at(e)
                for e in log
                if e["type"] in ("breakglass.ratified", "breakglass.rejected", "review.passed", "review.flagged")
            ]
            for moment, provider in openings:
                if late is not None and provider == log[0]["data"]["provider"] and late < moment < late + DAY:
                    assert any(late <= when <= moment for when in paid)

    # How.

    def _act(self, act: Command) -> None:
        self.runner.run(self.office.take_in(act))
        self.runner.run(self.office.worker.drain())

    def _day(self, days: int) -> str:
        return (self.office.clock.at + timedelta(days=days)).date().isoformat()

    def _grant(self, case: str) -> Any:
        return next(iter(self.office.rows("SELECT * FROM access_grant WHERE case_id = :c", c=case)), None)

    def _logs(self) -> Iterable[tuple[str, list[dict[str, Any]]]]:
        """The entries of each case that was filed or recorded."""
        if not hasattr(self, "office"):
            return {}.items()
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in self.office.log():
            if "case" in entry:
                found.setdefault(entry["case"], []).append(entry)
        return {case: log for case, log in found.items() if log[0]["type"] != "request.refused"}.items()


TestAfterTheYes = pytest.mark.timeout(400)(AfterTheYes.TestCase)  # over a minute of one core on PostgreSQL
TestAfterTheYes.settings = settings(
    max_examples=max(20, settings.default.max_examples // 8),
    stateful_step_count=min(settings.default.stateful_step_count, 40),
)
