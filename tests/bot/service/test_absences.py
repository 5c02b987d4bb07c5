"""Somebody is away: whose questions go where meanwhile, and what they read at the return, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.case.lifecycle import AskState, RequestState
from bot.domain.errors import Stale
from bot.domain.policy.model import BreakGlass, Policy
from bot.domain.policy.people import Person, Ref
from bot.domain.workflow import absence
from tests.bot.building import (
    DAY,
    DEP1,
    DEP2,
    HOME,
    HOUR,
    MINUTE,
    MS,
    ONC1,
    OWNER,
    PE1,
    RISK,
    policy,
    runbook,
    with_domain,
)
from tests.bot.office import Office


def summaries(office: Office) -> list[Person]:
    """Who is to be informed of what was decided for them."""
    return [
        Person(r["to_team"], r["to_user"])
        for r in office.rows("SELECT to_team, to_user FROM outbox WHERE purpose = 'returned'")
    ]


def cards(office: Office, purpose: str = "card") -> list[str]:
    return [r["to_user"] for r in office.rows("SELECT to_user FROM outbox WHERE purpose = :p ORDER BY id", p=purpose)]


async def asked(office: Office, case_id: str) -> list[Person]:
    return list((await office.case(case_id)).approval.asked)


class TestTheReturn:
    async def test_what_was_decided_on_behalf_of_the_owner_is_summed_up_when_they_say_that_they_are_back(
        self, office: Office
    ) -> None:
        before = await office.file(PE1, target="srv-0")
        await office.forward(6 * MINUTE)
        await office.click(DEP1, before)  # on their behalf, but they were there
        office.sleep(MINUTE)
        await office.away(OWNER, DAY)
        first, second = await office.file(PE1, target="srv-1"), await office.file(PE1, "pair", target="srv-2")
        office.sleep(MINUTE)
        await office.click(DEP1, first, "deny")
        await office.click(DEP1, second)
        assert summaries(office) == []
        office.sleep(MINUTE)
        await office.away(OWNER)
        assert summaries(office) == [OWNER]
        since, until = office.clock.at - 2 * MINUTE, office.clock.at
        told = await office.service.queries.read_decided_for(OWNER, since, until)
        assert [(one.case, one.by, one.answer, one.state) for one in told] == [
            (first, DEP1, "no", RequestState.DENIED), (second, DEP1, "yes", RequestState.PENDING),
        ]  # fmt: skip

    async def test_when_the_time_has_passed_the_sweeper_announces_it_and_the_log_says_nothing_twice(
        self, office: Office
    ) -> None:
        await office.away(OWNER, HOUR)
        await office.click(DEP1, await office.file(PE1))
        await office.forward(HOUR - MS)
        assert summaries(office) == []
        await office.forward(MS)
        assert summaries(office) == [OWNER]
        await office.forward(MINUTE)
        await office.away(OWNER)
        assert summaries(office) == [OWNER]
        kinds = [e["type"] for e in office.log() if e["type"].startswith("absence.")]
        assert kinds == ["absence.set", "absence.cleared"]

    async def test_it_is_sent_exactly_once_over_a_day_of_downtime_and_two_restarts(self, office: Office) -> None:
        await office.away(OWNER, HOUR)
        await office.click(DEP1, await office.file(PE1))
        office.sleep(DAY)
        await office.restart()
        await office.sweeper.sweep()
        await office.restart()
        await office.sweeper.sweep()
        assert summaries(office) == [OWNER]

    async def test_two_readings_of_one_return_end_it_once(self, office: Office) -> None:
        await office.away(OWNER, HOUR)
        await office.click(DEP1, await office.file(PE1))
        found = await office.store.absences.of(OWNER)
        assert found is not None
        both = [absence.passed(found, decided=True), absence.passed(found, decided=True)]
        done = await asyncio.gather(*(office.store.commit(act) for act in both), return_exceptions=True)
        assert [type(each) for each in done] == [type(None), Stale]
        assert summaries(office) == [OWNER]

    async def test_nobody_reads_that_it_was_nothing(self, office: Office) -> None:
        await office.away(OWNER, HOUR)
        await office.file(PE1)
        await office.click(OWNER, await office.file(PE1, target="srv-2"))  # who is away may still decide
        await office.away(DEP2, HOUR)
        await office.forward(2 * HOUR)
        assert summaries(office) == []

    async def test_an_absence_that_is_prolonged_is_one_absence(self, office: Office) -> None:
        await office.away(OWNER, HOUR)
        await office.click(DEP1, await office.file(PE1))
        office.sleep(30 * MINUTE)
        await office.away(OWNER, 2 * HOUR)
        await office.forward(HOUR)
        assert summaries(office) == []
        await office.forward(HOUR)
        assert summaries(office) == [OWNER]

    async def test_anyone_who_went_over_to_a_provider_meanwhile_learns_nothing(self, office: Office) -> None:
        await office.away(OWNER, HOUR)
        await office.click(DEP1, await office.file(PE1))
        base = office.policy
        hired = replace(
            base.providers["watchfield"],
            members=(*base.providers["watchfield"].members, Ref(OWNER.user, frozenset({HOME}))),
        )
        changed = with_domain(base, owner=DEP2, deputies=(DEP1,))
        await office.adopt(replace(changed, providers={**base.providers, "watchfield": hired}))
        await office.forward(2 * HOUR)
        assert summaries(office) == []


def owner_only() -> Policy:
    return with_domain(policy(), deputies=())


class TestOpenQuestions:
    async def test_the_first_deputy_present_gets_what_waits_for_the_owner(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.away(DEP1, DAY)
        await office.away(OWNER, DAY)
        assert await asked(office, case_id) == [OWNER, DEP2]
        assert cards(office) == [OWNER.user, DEP2.user]

    async def test_a_deputy_who_goes_away_too_is_followed_by_the_next(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.away(OWNER, DAY)
        assert await asked(office, case_id) == [OWNER, DEP1]
        await office.away(DEP1, DAY)
        assert await asked(office, case_id) == [OWNER, DEP1, DEP2]

    async def test_a_deputy_whom_slack_cannot_reach_is_followed_by_the_next(self, office: Office) -> None:
        office.dead_letters = {DEP1}
        case_id = await office.file(PE1)
        await office.deliver()
        await office.away(OWNER, DAY)
        await office.deliver()
        assert await asked(office, case_id) == [OWNER, DEP1, DEP2]

    async def test_a_deputy_who_goes_away_while_the_owner_is_there_moves_nothing(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.away(DEP1, DAY)
        assert await asked(office, case_id) == [OWNER]

    async def test_without_a_deputy_present_the_next_step_fires_at_once(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.away(DEP1, DAY)
        await office.away(DEP2, DAY)
        assert await asked(office, case_id) == [OWNER]
        await office.away(OWNER, DAY)
        assert await asked(office, case_id) == [OWNER, ONC1]
        assert [what for _, what, _ in office.steps(case_id)] == [
            "notify owner", "skip owner", "skip deputies", "notify on_call",
        ]  # fmt: skip

    async def test_somebody_else_who_was_asked_and_is_there_is_enough(self, office: Office) -> None:
        await office.adopt(owner_only())
        case_id = await office.file(PE1, "double")
        await office.away(OWNER, DAY)
        assert await asked(office, case_id) == [OWNER, RISK]

    async def test_an_answered_question_moves_to_nobody(self, office: Office) -> None:
        case_id = await office.file(PE1, "pair")
        await office.click(OWNER, case_id)
        before = await asked(office, case_id)
        await office.away(OWNER, DAY)
        assert await asked(office, case_id) == before

    async def test_a_ratification_that_waits_for_the_owner_goes_to_a_deputy_who_was_not_asked(self, office: Office) -> None:
        glass = runbook("glass", right="immediate", break_glass=BreakGlass(4 * 3600, None))
        await office.adopt(policy(runbooks=[glass]))
        office.directory.gone = {DEP1, DEP2}
        case_id = await office.file(PE1, "glass")
        office.directory.gone = {DEP1}
        await office.away(OWNER, DAY)
        ask = (await office.case(case_id)).approval
        assert (ask.kind, ask.asked[-1]) == ("ratification", DEP2)
        assert cards(office, f"ask.{ask.version}").count(DEP2.user) == 1
        assert cards(office) == []

    async def test_a_review_that_waits_for_the_owner_goes_to_the_first_deputy(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.forward(6 * MINUTE)
        await office.click(DEP1, case_id)
        await office.forward(HOUR)
        review = (await office.case(case_id)).later[0]
        assert (review.kind, review.state, review.asked) == ("review", AskState.OPEN, (OWNER,))
        await office.away(OWNER, DAY)
        asked_now = (await office.case(case_id)).later[0].asked
        assert asked_now == (OWNER, DEP2)  # the first deputy approved alone and does not review it
        (entry,) = [e for e in office.log(case_id) if e.get("data", {}).get("action") == "stand_in"]
        assert (entry["data"]["ask"], entry["data"]["to"]) == ("review", [DEP2])
        assert cards(office, "ask.2") == [OWNER.user, DEP2.user]

    async def test_a_deputy_who_sleeps_and_cannot_be_paged_lets_the_next_step_fire(self, office: Office) -> None:
        office.directory.asleep = {DEP1: office.clock.at + DAY}
        case_id = await office.file(PE1)
        await office.away(OWNER, DAY)
        assert await asked(office, case_id) == [OWNER, DEP1, DEP2]

    @pytest.mark.parametrize("gone", [RISK, ONC1, PE1])
    async def test_the_absence_of_anybody_else_moves_nothing(self, office: Office, gone: Person) -> None:
        case_id = await office.file(PE1)
        await office.away(gone, DAY)
        assert await asked(office, case_id) == [OWNER]
