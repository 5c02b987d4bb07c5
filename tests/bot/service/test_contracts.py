"""A contract's end ends everything of the provider; who may not ask any more gets nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.authority.policy_rollout import Sets
from bot.domain.case.lifecycle import AskState, GrantState, RequestState
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Ref
from bot.ports.records import RequestLine
from storage.log.check import check_database
from tests.bot.building import DAY, HOME, HOUR, LEAD, MINUTE, NORTHGATE, OWNER, PE1, PE2, RISK, SOC1, T0, policy, runbook
from tests.bot.office import Office
from tests.database import place

TODAY, YESTERDAY = T0.date(), (T0 - DAY).date()
EVENING = (T0 + DAY).replace(hour=0) - MINUTE


LEGACY = runbook(
    "legacy", kind="policy_exception", max_duration=90 * 86400, escalation="short", review_within=None
)  # fmt: skip
RUNBOOKS = {**policy().runbooks, "legacy": LEGACY}


def until(day: date | None) -> Policy:
    """The organisation, Northgate's contract ending on this day."""
    return replace(
        policy(), runbooks=RUNBOOKS, providers={**policy().providers, "northgate": replace(NORTHGATE, contract_until=day)}
    )


def without(person: Person) -> Policy:
    """The organisation, this person not among Northgate's requesters."""
    asks = tuple(ref for ref in NORTHGATE.requesters if ref.user != person.user)
    members = (Ref("U0PE1", frozenset({HOME})), *NORTHGATE.members[1:])
    northgate = replace(NORTHGATE, requesters=asks, members=members)
    return replace(policy(), providers={**policy().providers, "northgate": northgate})


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", until(TODAY)) as running:
        yield running


def plain(office: Office, person: Person) -> list[str]:
    return [str(a["text"]) for a in office.answers() if a["to"] == person.user and a["sentence"] == "plain"]


async def test_at_the_end_of_the_last_day_pending_requests_expire_and_grants_end(office: Office) -> None:
    await office.sweeper.sweep()
    office.clock.at = EVENING
    pending, opened = await office.file(PE1, "executed"), await office.file(PE2)
    other = await office.file(SOC1)
    await office.click(OWNER, opened)
    await office.sweeper.sweep()
    assert await office.state(pending) is RequestState.PENDING
    office.clock.at = EVENING + MINUTE
    await office.sweeper.sweep()
    assert await office.state(pending) is RequestState.EXPIRED
    grant = (await office.case(opened)).grant
    assert grant is not None
    assert grant.state is GrantState.LAPSED
    assert await office.state(other) is RequestState.PENDING
    expired = next(entry for entry in office.log(pending) if entry["type"] == "request.expired")
    assert expired["data"]["reason"] == f"The contract of Northgate ended on {TODAY}."


async def test_the_executor_closes_what_the_contract_ended(office: Office) -> None:
    await office.sweeper.sweep()
    office.clock.at = EVENING
    case_id = await office.file(PE1, "executed")
    await office.click(OWNER, case_id)
    office.clock.at = EVENING + MINUTE
    await office.sweeper.sweep()
    assert [call.kind for call in (await office.case(case_id)).calls] == ["open", "close"]


async def test_a_yes_after_the_end_opens_nothing(office: Office) -> None:
    office.clock.at = EVENING
    case_id = await office.file(PE1)
    office.clock.at = EVENING + MINUTE
    await office.click(OWNER, case_id)
    assert await office.state(case_id) is RequestState.PENDING
    assert "The contract of Northgate ended" in plain(office, OWNER)[-1]


async def test_a_contract_that_is_shortened_ends_at_once(office: Office) -> None:
    await office.sweeper.sweep()
    case_id = await office.file(PE1)
    await office.adopt(until(YESTERDAY))
    await office.sweeper.sweep()
    assert await office.state(case_id) is RequestState.EXPIRED


async def test_an_upgrade_that_finds_a_contract_past_informs_everybody_and_waits_a_day(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id)
    office.service.current.sets = Sets((replace(office.service.current.sets.sets[0], policy=until(YESTERDAY)),))
    await office.sweeper.sweep()
    for person in (PE1, OWNER, LEAD):
        assert case_id in plain(office, person)[-1]
        assert "2026-03-05 09:00 UTC" in plain(office, person)[-1]
    grant = (await office.case(case_id)).grant
    assert grant is not None
    assert grant.state is GrantState.OPEN
    told = len(office.answers())
    sets = office.service.current.sets
    await office.restart()
    office.service.current.sets = sets
    await office.sweeper.sweep()
    assert len(office.answers()) == told


async def test_after_the_notice_it_ends(office: Office) -> None:
    office.service.current.sets = Sets((replace(office.service.current.sets.sets[0], policy=until(None)),))
    case_id = await office.file(PE1, "token", seconds=4 * 3600)
    office.service.current.sets = Sets((replace(office.service.current.sets.sets[0], policy=until(YESTERDAY)),))
    await office.sweeper.sweep()
    assert await office.state(case_id) is RequestState.PENDING
    office.service.contracts._grace = {"northgate": T0 + HOUR}
    office.clock.at = T0 + HOUR
    await office.sweeper.sweep()
    assert await office.state(case_id) is RequestState.EXPIRED


async def test_a_requester_who_was_taken_out_gets_neither_grant_nor_runbook(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.adopt(without(PE1))
    await office.click(OWNER, case_id)
    assert await office.state(case_id) is RequestState.PENDING
    assert "does not name the requester" in plain(office, OWNER)[-1]
    await office.sweeper.sweep()
    assert await office.state(case_id) is RequestState.EXPIRED
    await office.deliver()
    assert not [row for row in office.shown if row.say.purpose == "body"]
    reason = next(entry for entry in office.log(case_id) if entry["type"] == "request.expired")["data"]["reason"]
    assert "does not name the requester" in reason


async def test_a_request_that_waits_for_its_time_opens_nothing_for_anyone_who_was_taken_out(office: Office) -> None:
    case_id = await office.file(PE1, "cooling")
    await office.click(OWNER, case_id)
    await office.adopt(without(PE1))
    await office.forward(timedelta(minutes=31))
    assert await office.state(case_id) is RequestState.EXPIRED
    assert "grant.opened" not in office.types(case_id)


async def test_others_are_judged_as_before(office: Office) -> None:
    case_id = await office.file(PE2)
    await office.adopt(without(PE1))
    await office.sweeper.sweep()
    await office.click(OWNER, case_id)
    assert await office.state(case_id) is RequestState.APPROVED


class TestAnException:
    """It stays, and passes to its owner: close or have it filed again within 14 days."""

    @pytest.fixture
    async def passed(self, office: Office) -> str:
        await office.sweeper.sweep()
        office.clock.at = EVENING
        case_id = await office.file(PE1, "legacy", until=str((T0 + 60 * DAY).date()))
        await office.click(OWNER, case_id)
        office.clock.at = EVENING + MINUTE
        await office.sweeper.sweep()
        return case_id

    async def test_it_holds_and_its_owner_is_asked_to_close_it_within_14_days(self, office: Office, passed: str) -> None:
        case = await office.case(passed)
        assert case.grant is not None
        assert case.grant.state is GrantState.OPEN
        (ask,) = case.later
        assert (ask.kind, ask.asked, ask.due_at) == ("closing", (OWNER,), EVENING + MINUTE + 14 * DAY)
        await office.sweeper.sweep()
        assert office.types(passed).count("exception.passed") == 1

    async def test_silence_is_overdue_and_the_risk_owner_has_it_too(self, office: Office, passed: str) -> None:
        await office.forward(15 * DAY, every=DAY)
        case = await office.case(passed)
        assert RISK in case.later[0].asked
        assert office.types(passed).count("exception.overdue") == 1
        assert case.grant is not None
        assert case.grant.state is GrantState.OPEN

    async def test_close_exception_ends_it_at_once(self, office: Office, passed: str) -> None:
        version = (await office.case(passed)).later[0].version
        await office.click(PE1, passed, "close_exception", version)
        assert "exception.ended" not in office.types(passed)
        await office.click(OWNER, passed, "close_exception", version)
        grant = (await office.case(passed)).grant
        assert grant is not None
        assert grant.state is GrantState.REVOKED
        assert office.types(passed).count("exception.ended") == 1
        assert check_database(place(office.path)).findings == ()

    async def test_the_ask_closes_with_the_exception(self, office: Office, passed: str) -> None:
        await office.click(OWNER, passed, "revoke")
        assert (await office.case(passed)).later[0].state is AskState.EXPIRED
        assert check_database(place(office.path)).findings == ()


class TestNotices:
    """30 and 7 days, 24 h and 2 h before; each once, also over restarts."""

    ENDS = datetime(2027, 1, 1, tzinfo=UTC) + 60 * DAY

    @pytest.fixture
    async def office(self, tmp_path: Path) -> AsyncIterator[Office]:
        async with Office(tmp_path / "countersign.db", until((self.ENDS - DAY).date())) as running:
            running.clock.at = self.ENDS - 31 * DAY
            yield running

    async def told_at(self, office: Office, left: timedelta) -> int:
        office.clock.at = self.ENDS - left
        before = len(plain(office, OWNER)), len(plain(office, LEAD))
        await office.sweeper.sweep()
        await office.restart()
        await office.sweeper.sweep()
        after = len(plain(office, OWNER)), len(plain(office, LEAD))
        assert after[0] - before[0] == after[1] - before[1]
        return after[0] - before[0]

    async def test_owners_and_lead_are_informed_four_times(self, office: Office) -> None:
        left = (31 * DAY, 30 * DAY, 29 * DAY, 7 * DAY, 2 * DAY, DAY, 3 * HOUR, 2 * HOUR, MINUTE)
        assert [await self.told_at(office, one) for one in left] == [0, 1, 0, 1, 0, 1, 0, 1, 0]

    async def test_after_downtime_one_message_replaces_all_that_are_due(self, office: Office) -> None:
        assert [await self.told_at(office, one) for one in (5 * HOUR, HOUR)] == [1, 1]

    async def test_another_date_is_announced_again(self, office: Office) -> None:
        assert await self.told_at(office, 6 * DAY) == 1
        await office.adopt(replace(until(self.ENDS.date()), digest="ef" * 32))
        assert await self.told_at(office, 5 * DAY) == 1

    async def test_a_faster_clock_divides_how_long_before_and_keeps_the_date(self, tmp_path: Path) -> None:
        async with Office(tmp_path / "fast.db", until((self.ENDS - DAY).date()), scale=60) as fast:
            fast.clock.at = self.ENDS - 31 * DAY
            assert [await self.told_at(fast, one) for one in (DAY, 12 * HOUR, 2 * HOUR, 2 * MINUTE)] == [0, 1, 1, 1]


async def test_nothing_is_filed_before_the_contract_begins(tmp_path: Path) -> None:
    tomorrow = (T0 + DAY).date()
    later = replace(NORTHGATE, contract_from=tomorrow)
    begins = replace(policy(), providers={**policy().providers, "northgate": later})
    async with Office(tmp_path / "countersign.db", begins) as office:
        (wrong,) = office.service.filing.check(office.form(PE1))
        assert (wrong.field, wrong.text.partition(".")[0]) == ("runbook", f"The contract of Northgate begins on {tomorrow}")
        assert office.types(await office.file(PE1)) == ["request.refused"]
        office.clock.at = T0 + DAY
        assert await office.state(await office.file(PE1)) is RequestState.PENDING


async def test_one_of_each_stands_for_all_that_is_open(office: Office) -> None:
    await office.sweeper.sweep()
    pending, opened = (
        [await office.file(PE1, target="one"), await office.file(PE1, target="two"), await office.file(PE2, target="one")],
        await office.file(PE2),
    )
    other, drilled = [await office.file(SOC1), await office.file(PE1, "executed")], await office.drill()
    await office.click(OWNER, opened)
    await office.sweeper.sweep()
    lines = await office.store.cases.requests(100, closed_too=False)
    samples = await office.store.cases.open_samples()
    assert {line.id for line in samples} < {line.id for line in lines} >= {*pending, opened, *other, drilled}

    def told_apart(found: Sequence[RequestLine]) -> set[tuple[object, ...]]:
        return {(one.state, one.domain, one.provider, one.requester, one.runbook, one.drill) for one in found}

    assert told_apart(samples) == told_apart(lines)
    assert len(samples) == len(told_apart(lines))
