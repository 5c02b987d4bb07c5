"""The clock at work on the real store: expect, fast-forward, expect."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog

from bot.background.sweeper import Sweeper
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.errors import StorageError
from bot.domain.workflow import timers
from tests.bot import parts
from tests.bot.building import (
    DAY,
    DEP1,
    DEP2,
    HOUR,
    MINUTE,
    MS,
    ONC1,
    OWNER,
    PE1,
    PE2,
    RISK,
    home,
    policy,
    with_domain,
)
from tests.bot.office import Office

INCIDENT = {"ticket": "INC0012345"}


class TestAnUnansweredRequest:
    async def test_under_the_example_policy_urgent_it_reminds_asks_one_after_the_other_and_expires(
        self, trust: Office
    ) -> None:
        case_id = await trust.file(home("U0PE1"), "directory-admin-emergency", fields=INCIDENT)
        assert trust.steps(case_id) == [("0m", "notify owner", {OWNER})]

        await trust.forward(3 * MINUTE - MS)
        assert len(trust.steps(case_id)) == 1
        await trust.forward(MS)
        assert trust.steps(case_id)[1:] == [("3m", "remind owner", {OWNER})]

        await trust.forward(2 * MINUTE)
        assert trust.steps(case_id)[2:] == [("5m", "notify deputies", {DEP1, DEP2})]
        await trust.forward(5 * MINUTE)
        assert trust.steps(case_id)[3:] == [("10m", "notify on_call", {ONC1})]
        await trust.forward(5 * MINUTE)
        assert trust.steps(case_id)[4:] == [("15m", "notify risk_owner", {RISK})]

        await trust.forward(30 * MINUTE - MS)
        assert await trust.state(case_id) is RequestState.PENDING
        await trust.forward(MS)
        assert await trust.state(case_id) is RequestState.EXPIRED
        (expired,) = [e for e in trust.log(case_id) if e["type"] == "request.expired"]
        assert set(expired["data"]["asked"]) == {OWNER, DEP1, DEP2, ONC1, RISK}

    async def test_everybody_gets_a_card_once_and_the_expiry_counts_those_that_slack_accepted(self, office: Office) -> None:
        office.dead_letters = {DEP1}
        case_id = await office.file(PE1)
        for _ in range(46):
            await office.deliver()
            await office.forward(MINUTE)
        cards = [o.say.to for o in office.shown if o.say.purpose == "card" and o.copy is None]
        assert sorted(cards) == sorted([OWNER, DEP2, ONC1, RISK])  # type: ignore[type-var]
        assert office.log(case_id)[-1]["data"]["delivered"] == 4

    async def test_the_requester_and_the_channel_learn_of_the_expiry(self, office: Office) -> None:
        await office.file(PE1)
        await office.forward(HOUR)
        await office.deliver()
        told = [(o.say.purpose, o.say.to or o.say.channel) for o in office.shown if o.copy is None]
        assert ("outcome", PE1) in told
        assert ("announce", "C0DIRECTORY") in told

    async def test_it_expires_once_although_two_sweeps_see_it(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(DAY)
        await asyncio.gather(office.sweeper.sweep(), office.sweeper.sweep(), parts.sweeper(office).sweep())
        assert office.types(case_id).count("request.expired") == 1

    async def test_a_due_step_and_an_answer_at_one_instant_leave_one_story(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(5 * MINUTE)
        await office.take_in(office.press(OWNER, case_id))
        await asyncio.gather(office.worker.drain(), office.sweeper.sweep())
        kinds = office.types(case_id)
        assert await office.state(case_id) is RequestState.APPROVED
        assert kinds.count("grant.opened") == 1
        assert [k for k in kinds[kinds.index("grant.opened") :] if k.startswith("step")] == []

    async def test_nobody_is_asked_after_the_answer(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.click(OWNER, case_id)
        await office.forward(50 * MINUTE)
        assert office.types(case_id) == ["request.filed", "step.fired", "request.approved", "grant.opened"]

    async def test_the_grant_lapses_at_its_end(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.click(OWNER, case_id)
        await office.forward(HOUR - MS)
        assert (await office.case(case_id)).grant.state is GrantState.OPEN  # type: ignore[union-attr]
        await office.forward(MS)
        assert (await office.case(case_id)).grant.state is GrantState.LAPSED  # type: ignore[union-attr]
        assert office.types(case_id)[-3:] == ["grant.lapsed", "review.due", "step.fired"]


class TestSkippingAndPullingForward:
    async def test_a_deactivated_owner_is_skipped_the_deputies_are_asked_at_once_and_an_alarm_goes_out(
        self, trust: Office
    ) -> None:
        trust.directory.gone = {OWNER}
        case_id = await trust.file(home("U0PE1"), "directory-admin-emergency", fields=INCIDENT)
        assert trust.steps(case_id) == [
            ("0m", "skip owner", "deactivated"),
            ("0m", "skip owner", "passed_by"),
            ("0m", "notify deputies", {DEP1, DEP2}),
        ]
        await trust.deliver()
        alarms = [o.say.to or o.say.channel for o in trust.shown if o.say.purpose == "alarm"]
        assert alarms == ["C0DIRECTORY", RISK]
        await trust.forward(15 * MINUTE)
        assert trust.steps(case_id)[3:] == [("10m", "notify on_call", {ONC1}), ("15m", "notify risk_owner", {RISK})]

    async def test_with_owner_and_deputies_deactivated_the_on_call_is_asked_at_once(self, trust: Office) -> None:
        trust.directory.gone = {OWNER, DEP1, DEP2}
        case_id = await trust.file(home("U0PE1"), "directory-admin-emergency", fields=INCIDENT)
        assert trust.steps(case_id)[-2:] == [("0m", "skip deputies", "deactivated"), ("0m", "notify on_call", {ONC1})]
        await trust.click(ONC1, case_id)
        assert await trust.state(case_id) is RequestState.APPROVED

    async def test_a_step_that_adds_nobody_is_skipped_at_its_time_and_pulls_nothing(self, office: Office) -> None:
        case_id = await office.file(PE1, "contain")
        await office.forward(14 * MINUTE)
        assert office.steps(case_id)[2:] == [
            ("5m", "skip deputies", "already_asked"),
            ("10m", "skip on_call", "already_asked"),
        ]

    async def test_an_owner_whom_no_card_reaches_pulls_the_deputies_at_once(self, office: Office) -> None:
        office.dead_letters = {OWNER}
        case_id = await office.file(PE1)
        await office.forward(MINUTE)
        await office.deliver()
        assert office.steps(case_id)[1:] == [
            ("1m", "skip owner", "passed_by"),
            ("1m", "notify deputies", {DEP1, DEP2}),
        ]

    async def test_somebody_deactivated_after_the_filing_is_found_when_their_step_fires(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.directory.gone = {DEP1, DEP2}
        await office.forward(5 * MINUTE)
        assert office.steps(case_id)[2:] == [("5m", "skip deputies", "deactivated"), ("5m", "notify on_call", {ONC1})]

    async def test_whom_slack_does_not_answer_for_is_tried(self, office: Office) -> None:
        office.directory.silent = {OWNER, DEP1, DEP2}
        case_id = await office.file(PE1)
        assert office.steps(case_id) == [("0m", "notify owner", {OWNER})]


class TestDowntime:
    async def test_everybody_of_the_overdue_steps_is_asked_once_and_reminders_are_dropped(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(12 * MINUTE)
        await office.restart()
        await office.sweeper.sweep()
        assert office.steps(case_id)[1:] == [
            ("12m", "skip owner", "overdue"),
            ("12m", "notify deputies", {DEP1, DEP2}),
            ("12m", "notify on_call", {ONC1}),
        ]
        await office.forward(3 * MINUTE)
        assert office.steps(case_id)[4:] == [("15m", "notify risk_owner", {RISK})]

    async def test_a_day_of_it_asks_everybody_of_a_long_ladder_once(self, tmp_path: Any) -> None:
        base = policy()
        slow = replace(base.escalation_policies["urgent"], expires_after=2 * 86400)
        async with Office(tmp_path / "c.db", replace(base, escalation_policies={"urgent": slow})) as office:
            case_id = await office.file(PE1)
            office.sleep(DAY)
            await office.restart()
            await office.forward(5 * MINUTE)
            await office.deliver()
            assert [o.say.to for o in office.shown if o.say.purpose == "reminder"] == []
            cards = [o.say.to for o in office.shown if o.say.purpose == "card" and o.copy is None]
            assert sorted(cards) == sorted([OWNER, DEP1, DEP2, ONC1, RISK])  # type: ignore[type-var]
            assert [what for _, what, _ in office.steps(case_id)] == [
                "notify owner", "skip owner", "notify deputies", "notify on_call", "notify risk_owner",
            ]  # fmt: skip

    async def test_a_request_past_its_deadline_expires_and_wakes_nobody(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(DAY)
        await office.restart()
        await office.sweeper.sweep()
        assert office.types(case_id) == ["request.filed", "step.fired", "request.expired"]

    async def test_after_a_day_of_it_the_expiry_says_how_late_it_was_found(self, office: Office) -> None:
        punctual, late = await office.file(PE1), await office.file(PE2, target="srv-2")
        await office.click(OWNER, punctual, "deny")
        office.sleep(DAY)
        await office.restart()
        await office.sweeper.sweep()
        assert office.log(late)[-1]["data"]["late_ms"] == (DAY - 45 * MINUTE) // MS
        in_time = await office.file(PE1, target="srv-3")
        await office.forward(45 * MINUTE)
        assert "late_ms" not in office.log(in_time)[-1]["data"]

    async def test_hundreds_of_overdue_requests_are_all_closed_by_one_sweep(self, office: Office) -> None:
        await office.adopt(replace(office.policy, providers=_many_requesters(office)))
        office.sleep(DAY)  # what a policy gives waits for `policy_delay`
        for n in range(250):
            await office.take_in(office.form(home(f"U0X{n}"), target=f"srv-{n}"))
        await office.worker.drain()
        office.sleep(DAY)
        assert await office.sweeper.sweep() == 250
        assert office.rows("SELECT count(*) AS n FROM request WHERE state = 'pending'")[0]["n"] == 0

    async def test_one_case_that_cannot_be_judged_stops_nobody_elses_sweep(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken, fine = await office.file(PE1), await office.file(PE2)
        sweep = timers.sweep

        def stumble(case: Any, *rest: Any) -> Any:
            if case.id == broken:
                raise ZeroDivisionError
            return sweep(case, *rest)

        monkeypatch.setattr(timers, "sweep", stumble)
        office.sleep(DAY)
        with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
            await office.sweeper.sweep()
        assert {line["request"] for line in lines if line["event"] == "sweep.case_failed"} == {broken}
        assert await office.state(fine) is RequestState.EXPIRED
        assert await office.state(broken) is RequestState.PENDING

    async def test_one_case_that_cannot_be_read_stops_nobody_elses_sweep(self, office: Office) -> None:
        broken, fine = await office.file(PE1), await office.file(PE2)
        office.rows("UPDATE ask SET state = 'nonsense' WHERE case_id = :id", id=broken)
        office.sleep(DAY)
        await office.sweeper.sweep()
        assert await office.state(fine) is RequestState.EXPIRED
        assert office.types(broken) == ["request.filed", "step.fired"]

    async def test_somebody_faster_than_the_group_is_judged_again(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        case_id = await office.file(PE1)
        due_cases = office.store.cases.due_cases

        async def late(*args: Any) -> Any:
            found = await due_cases(*args)
            await office.click(OWNER, case_id)
            return found

        monkeypatch.setattr(office.store.cases, "due_cases", late)
        office.sleep(5 * MINUTE)
        await office.sweeper.sweep()
        kinds = office.types(case_id)
        assert kinds == ["request.filed", "step.fired", "request.approved", "grant.opened"]


class TestRunning:
    async def test_it_sweeps_until_it_is_stopped(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(DAY)
        stop = asyncio.Event()
        running = asyncio.create_task(office.sweeper.run(stop))
        while await office.state(case_id) is RequestState.PENDING:
            await asyncio.sleep(0)
        assert not running.done()
        stop.set()
        await asyncio.wait_for(running, 5)
        assert await office.state(case_id) is RequestState.EXPIRED

    async def test_between_two_wake_ups_it_rises_for_a_deadline_that_it_sees_coming(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.background.sweeper.INTERVAL", 3600.0)
        case_id = await office.file(PE1)
        office.sleep(5 * MINUTE - 50 * MS)
        async with _running(office.sweeper):
            while len(office.steps(case_id)) == 1:
                await asyncio.sleep(0)
            office.sleep(50 * MS)
            while len(office.steps(case_id)) == 2:
                await asyncio.sleep(0.01)
        assert office.steps(case_id)[2] == ("5m", "notify deputies", {DEP1, DEP2})

    async def test_what_is_overdue_and_cannot_be_swept_waits_for_the_next_wake_up(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.background.sweeper.INTERVAL", 3600.0)
        broken = await office.file(PE1)
        office.rows("UPDATE ask SET state = 'nonsense' WHERE case_id = :id", id=broken)
        office.sleep(DAY)
        sweeps: list[int] = []
        async with _running(parts.sweeper(office, lambda seconds, cases: sweeps.append(cases))):
            while not sweeps:
                await asyncio.sleep(0)
            for _ in range(20):
                await office.store.cases.due(office.clock.now(), 1)
        assert sweeps == [1]

    async def test_a_database_that_fails_once_does_not_end_it(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        case_id = await office.file(PE1)
        office.sleep(DAY)
        due, failed = office.store.cases.due, asyncio.Event()

        async def once(*args: Any) -> Any:
            if not failed.is_set():
                failed.set()
                raise StorageError("The disk is full.")
            return await due(*args)

        monkeypatch.setattr(office.store.cases, "due", once)
        stop = asyncio.Event()
        running = asyncio.create_task(office.sweeper.run(stop))
        while await office.state(case_id) is RequestState.PENDING:
            await asyncio.sleep(0)
        stop.set()
        await running
        assert failed.is_set()


async def test_a_change_of_people_counts_for_the_steps_that_come(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.adopt(with_domain(office.policy, deputies=(DEP2,)))
    await office.forward(5 * MINUTE)
    assert office.steps(case_id)[-1] == ("5m", "notify deputies", {DEP2})


async def test_the_time_scale_shortens_the_whole_story(office: Office) -> None:
    office.scale = 60
    office.put_together()
    case_id = await office.file(PE1)
    await office.forward(timedelta(seconds=45), timedelta(seconds=1))
    assert await office.state(case_id) is RequestState.EXPIRED
    assert len(office.steps(case_id)) == 5


@contextlib.asynccontextmanager
async def _running(sweeper: Sweeper) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(sweeper.run(stop))
    try:
        yield
    finally:
        stop.set()
        sweeper._wake.set()
        await running


def _many_requesters(office: Office) -> Any:
    northgate = office.policy.providers["northgate"]
    crowd = tuple(replace(northgate.requesters[0], user=f"U0X{n}") for n in range(250))
    return {"northgate": replace(northgate, requesters=crowd)}
