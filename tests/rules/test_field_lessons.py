"""What broke elsewhere, and does not here. Each test is named after the fault that somebody shipped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.case.lifecycle import RequestState
from bot.domain.policy.model import Domain
from bot.domain.policy.on_call import on_call
from bot.domain.policy.people import Humans, Person
from bot.domain.policy.provider import Provider
from bot.domain.policy.rota import Rota, Shift, Spell
from tests.bot import parts
from tests.bot.building import (
    COLLEAGUE,
    DAY,
    DEP1,
    DEP2,
    GUEST,
    HOUR,
    LEAD,
    MDEP,
    MINUTE,
    NAMESAKE,
    ONC1,
    ONC2,
    OTHER,
    OWNER,
    PE1,
    PE2,
    RISK,
    SOC1,
    STRANGER,
    WHOLE_WEEK,
    home,
    policy,
    runbook,
    with_domain,
)
from tests.bot.office import Killed, Office
from tests.runbooks.calendars.test_ical import feed

pytestmark = pytest.mark.both

APPROVED, DENIED, PENDING = RequestState.APPROVED, RequestState.DENIED, RequestState.PENDING


async def assert_nobody_may_decide(office: Office, case_id: str, *people: Person) -> None:
    for person in people:
        for decision in ("approve", "deny"):
            await office.click(person, case_id, decision)  # type: ignore[arg-type]
    assert await office.state(case_id) is PENDING
    assert office.types(case_id).count("decision.refused") == 2 * len(people)


class TestDecisions:
    async def test_two_approvers_at_once_both_won(self, office: Office) -> None:
        case_id = await office.file(PE1, "contain")
        await office.together(office.press(OWNER, case_id), office.press(DEP1, case_id))
        assert office.types(case_id).count("grant.opened") == 1
        assert [a["sentence"] for a in office.answers()] == ["lost"]

    async def test_a_late_approval_revived_an_expired_request(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.forward(HOUR)
        await office.click(OWNER, case_id)
        assert await office.state(case_id) is RequestState.EXPIRED
        assert (await office.case(case_id)).grant is None

    async def test_approving_one_card_answered_another(self, office: Office) -> None:
        first, second = await office.file(PE1), await office.file(PE1, target="srv-2")
        await office.click(OWNER, second)
        assert (await office.state(first), await office.state(second)) == (PENDING, APPROVED)

    async def test_buttons_stayed_live_after_a_decision_elsewhere(self, office: Office) -> None:
        case_id = await office.file(PE1, "contain")
        await office.deliver()
        cards = {o.say.to for o in office.shown if o.say.purpose == "card"}
        office.shown.clear()
        await office.click(OWNER, case_id, "deny")
        await office.deliver()
        version = (await office.case(case_id)).request.version
        assert {o.say.to for o in office.shown if o.copy and o.copy.purpose == "card"} == cards
        assert {copy.drawn for copy in await office.store.outbox.copies(case_id)} == {version}

    async def test_approved_by_was_overwritten_by_the_second_click(self, office: Office) -> None:
        case_id = await office.file(PE1, "contain")
        await office.click(DEP1, case_id)
        await office.click(OWNER, case_id)
        await office.click(OWNER, case_id, "deny")
        assert (await office.case(case_id)).request.closed_by == DEP1

    async def test_the_decision_was_credited_to_the_person_asked_when_somebody_else_clicked(self, office: Office) -> None:
        case_id = await office.file(PE1, "pair")
        await office.click(DEP1, case_id, "deny")
        (denied,) = [e for e in office.log(case_id) if e["type"] == "request.denied"]
        assert (denied["who"], denied["on_behalf_of"]) == (DEP1, OWNER)

    async def test_a_guard_kept_in_memory_swallowed_the_first_click_after_a_restart(self, office: Office) -> None:
        case_id = await office.file(PE1, "pair")
        await office.click(OWNER, case_id)
        await office.restart()
        await office.click(DEP1, case_id)
        assert await office.state(case_id) is APPROVED

    async def test_a_double_click_ran_twice(self, office: Office) -> None:
        case_id = await office.file(PE1, "pair")
        await office.together(office.press(OWNER, case_id), office.press(OWNER, case_id))
        assert len((await office.case(case_id)).approval.votes) == 1
        assert office.types(case_id).count("request.approved") == 1

    async def test_the_text_said_granted_before_the_grant_was_made(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.take_in(office.press(OWNER, case_id))
        (row,) = await office.store.inbox.unfinished(1)
        office.mortal.dies = "before"
        with pytest.raises(Killed):
            await office.service.carry_out(row)
        said = {r["purpose"] for r in office.rows("SELECT purpose FROM outbox")}
        assert not said & {"outcome", "body", "announce"}
        assert (await office.case(case_id)).grant is None


class TestWhoMay:
    async def test_an_empty_approver_set_meant_everyone(self, office: Office) -> None:
        bare = with_domain(office.policy, deputies=(), risk_owner=None, on_call=None)
        await office.adopt(bare)
        case_id = await office.file(PE1)
        await assert_nobody_may_decide(office, case_id, DEP1, RISK, ONC1, STRANGER)

    async def test_a_domain_that_vanished_meant_everyone(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.adopt(replace(office.policy, domains={}))
        await assert_nobody_may_decide(office, case_id, OWNER, DEP1, STRANGER)

    async def test_zero_approvals_counted_as_satisfied(self, tmp_path: Path) -> None:
        none = policy(runbooks=[runbook(approvals=0)])
        async with Office(tmp_path / "c.db", none) as office:
            case_id = await office.file(PE1)
            await office.click(OWNER, case_id)
            assert await office.state(case_id) is PENDING

    async def test_a_failed_look_up_was_trusted(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.directory.silent = {OWNER}
        await office.click(OWNER, case_id, "approve")
        assert (await office.state(case_id), (await office.case(case_id)).approval.votes) == (PENDING, ())

    async def test_a_failed_look_up_blocked_a_no(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.directory.silent = {OWNER}
        await office.click(OWNER, case_id, "deny")
        assert await office.state(case_id) is DENIED

    async def test_self_approval_through_a_second_identity(self, office: Office) -> None:
        base = replace(office.policy, humans=Humans.joined([["U0PE1", "U0DEP1"], ["U0PE2", "U0PE9"]]))
        await office.adopt(with_domain(base, deputies=(DEP1, home("U0PE9"))))
        case_id = await office.file(PE1, "contain")
        await assert_nobody_may_decide(office, case_id, PE1, DEP1, home("U0PE9"), Person(OTHER, "U0PE1"))

    async def test_the_subject_approved_through_a_second_identity(self, office: Office) -> None:
        await office.adopt(replace(office.policy, humans=Humans.joined([["U0OWNER", "U0OLGA2"]])))
        case_id = await office.file(PE1, subject=Person(OTHER, "U0OLGA2"))
        await assert_nobody_may_decide(office, case_id, OWNER)

    async def test_a_sibling_rule_or_a_group_of_the_same_name_could_approve(self, office: Office) -> None:
        twin = Domain("machines", "Corporate directory", MDEP, "C0MACHINES", (STRANGER,), STRANGER)
        await office.adopt(replace(office.policy, domains={**office.policy.domains, "machines": twin}))
        case_id = await office.file(PE1, "contain")
        await assert_nobody_may_decide(office, case_id, MDEP, STRANGER)

    async def test_anyone_could_press_discard(self, office: Office) -> None:
        case_id = await office.file(PE1)
        for person in (OWNER, PE2, SOC1, STRANGER, COLLEAGUE):
            await office.click(person, case_id, "withdraw")
        assert await office.state(case_id) is PENDING
        await office.click(LEAD, case_id, "withdraw")
        assert await office.state(case_id) is RequestState.WITHDRAWN

    async def test_guests_could_approve(self, office: Office) -> None:
        await office.adopt(with_domain(office.policy, owner=GUEST))
        office.directory.guests = {GUEST}
        await assert_nobody_may_decide(office, await office.file(PE1), GUEST)

    async def test_is_stranger_people_could_approve(self, office: Office) -> None:
        office.directory.special = {OWNER: {"is_stranger": True}}
        await assert_nobody_may_decide(office, await office.file(PE1), OWNER)

    async def test_a_name_or_an_unconfirmed_e_mail_carried_authority(self, office: Office) -> None:
        office.directory.special = {STRANGER: {"name": OWNER.user}}
        await assert_nobody_may_decide(office, await office.file(PE1), STRANGER)

    async def test_the_same_user_id_of_another_workspace_was_the_same_person(self, office: Office) -> None:
        office.directory.special = {NAMESAKE: {"is_stranger": False}}
        await assert_nobody_may_decide(office, await office.file(PE1), NAMESAKE)

    async def test_a_look_up_that_answered_for_somebody_else_was_believed(self, office: Office) -> None:
        case_id = await office.file(PE1)
        profile = office.directory.profile

        async def mixed_up(person: Person, max_age: float) -> Any:
            return replace(await profile(person, max_age), person=STRANGER)

        office.directory.profile = mixed_up  # type: ignore[method-assign]
        await assert_nobody_may_decide(office, case_id, OWNER)

    async def test_policy_auto_approved_with_nobody_behind_it(self, office: Office) -> None:
        right = await office.file(PE1, "unlock")  # policy says that no yes is needed, and nobody is said to have given one
        assert office.types(right) == ["request.filed", "grant.opened"]
        assert await office.state(right) is RequestState.OPENED
        case_id = await office.file(PE1)
        await office.forward(DAY, HOUR)
        assert (await office.case(case_id)).grant is None

    async def test_external_connect_users_could_drive_the_bot(self, office: Office) -> None:
        outsider = Person(OTHER, "U0PE1")
        case_id = await office.file(outsider)
        assert office.types(case_id) == ["request.refused"]
        await assert_nobody_may_decide(office, await office.file(PE1), outsider, COLLEAGUE)

    async def test_the_service_desk_granted_itself(self, office: Office) -> None:
        unit = replace(office.policy.providers["northgate"], leads=())
        desk: dict[str, Provider] = {**office.policy.providers, "northgate": unit}
        await office.adopt(replace(with_domain(office.policy, owner=PE1, deputies=(PE2,)), providers=desk))
        case_id = await office.file(PE2, "contain")
        assert not set((await office.case(case_id)).approval.asked) & {PE1, PE2}
        await assert_nobody_may_decide(office, case_id, PE1, PE2)


class TestTime:
    async def test_timers_lost_at_restart(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.restart()
        await office.forward(5 * MINUTE)
        assert office.steps(case_id)[-1] == ("5m", "notify deputies", {DEP1, DEP2})

    async def test_delayed_tasks_were_duplicated(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(5 * MINUTE)
        await asyncio.gather(*(office.sweeper.sweep() for _ in range(5)))
        assert len(office.steps(case_id)) == 3

    async def test_a_job_older_than_its_misfire_grace_was_dropped(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(44 * MINUTE)
        await office.sweeper.sweep()
        assert {p for _, what, to in office.steps(case_id) if "notify" in what for p in to} == {
            OWNER, DEP1, DEP2, ONC1, RISK,
        }  # fmt: skip

    async def test_jobs_were_lost_on_kill_9(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(5 * MINUTE)
        office.mortal.dies = "before"
        with pytest.raises(Killed):
            await office.service.transactions.sweep(case_id)
        await office.restart()
        await office.sweeper.sweep()
        assert office.steps(case_id)[-1] == ("5m", "notify deputies", {DEP1, DEP2})

    async def test_a_shared_store_fired_twice_and_then_died(self, office: Office) -> None:
        case_id = await office.file(PE1)
        async with Office(office.path, office.policy, clock=office.clock) as other:
            office.sleep(5 * MINUTE)
            await asyncio.gather(office.service.transactions.sweep(case_id), other.service.transactions.sweep(case_id))
        assert len(office.steps(case_id)) == 3
        await office.forward(5 * MINUTE)
        assert office.steps(case_id)[-1] == ("10m", "notify on_call", {ONC1})

    async def test_expiry_helpers_that_nobody_called(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(45 * MINUTE)
        assert await office.sweeper.sweep() == 1
        assert await office.state(case_id) is RequestState.EXPIRED
        granted = await office.file(PE2)
        await office.click(OWNER, granted)
        office.sleep(HOUR)
        await office.sweeper.sweep()
        assert "grant.lapsed" in office.types(granted)

    async def test_a_click_exactly_at_the_boundary(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(45 * MINUTE)
        await office.click(OWNER, case_id)
        assert office.log(case_id)[-1]["data"] == {"action": "approve", "why": "late"}
        await office.sweeper.sweep()
        assert await office.state(case_id) is RequestState.EXPIRED

    async def test_an_empty_step_waited_its_full_delay(self, office: Office) -> None:
        await office.adopt(with_domain(office.policy, deputies=()))
        case_id = await office.file(PE1)
        await office.forward(5 * MINUTE)
        assert office.steps(case_id)[-2:] == [("5m", "skip deputies", "nobody"), ("5m", "notify on_call", {ONC1})]

    async def test_a_chain_with_nobody_in_it_dropped_the_incident(self, office: Office) -> None:
        office.directory.gone = {OWNER, DEP1, DEP2, ONC1, ONC2, RISK}
        case_id = await office.file(PE1)
        assert await office.state(case_id) is PENDING
        assert [r["channel"] for r in office.rows("SELECT channel FROM outbox WHERE purpose = 'alarm' AND channel <> ''")]
        await office.forward(45 * MINUTE)
        assert office.types(case_id)[-1] == "request.expired"
        told = office.rows("SELECT to_user FROM outbox WHERE purpose = 'outcome'")
        assert [r["to_user"] for r in told] == ["U0PE1"]

    def test_gaps_and_overlaps_of_summer_time_in_rotas(self) -> None:
        night, day = Shift(WHOLE_WEEK, 0, 90, ONC1), Shift(WHOLE_WEEK, 90, 1440, ONC2)
        rota = Rota("r", "static", (ONC1, ONC2), "Europe/London", (night, day))
        for date in ((2026, 3, 29), (2026, 10, 25)):
            for minute in range(0, 24 * 60, 5):
                at = datetime(*date, minute // 60, minute % 60, tzinfo=UTC)
                assert on_call(rota, at) in (ONC1, ONC2)

    async def test_one_bad_fetch_of_a_calendar_meant_nobody_on_call(self, office: Office) -> None:
        rota = Rota("security", "ical", (ONC1, ONC2), "UTC", fallback=ONC2, feed="https://calendar.example/a.ics")
        await office.adopt(replace(office.policy, rotas={"security": rota}))
        answers = [feed("UID:1\nDTSTART:20260304T000000Z\nDURATION:PT24H\nSUMMARY:U0ONC1"), b"<html>busy</html>"]

        async def fetch(address: str) -> bytes:
            return answers.pop(0)

        feeds = parts.feeds(office, {}, fetch)
        await feeds.look()
        await feeds.look()
        assert answers == []
        case_id = await office.file(PE1)
        await office.forward(10 * MINUTE)
        assert office.steps(case_id)[-1] == ("10m", "notify on_call", {ONC1})

    async def test_overrides_of_a_rota_were_ignored(self, office: Office) -> None:
        swap = Spell(office.clock.at, office.clock.at + HOUR, ONC2)
        swapped = replace(office.policy.rotas["security"], overrides=(swap,))
        await office.adopt(replace(office.policy, rotas={"security": swapped}))
        case_id = await office.file(PE1)
        await office.forward(10 * MINUTE)
        assert office.steps(case_id)[-1] == ("10m", "notify on_call", {ONC2})

    async def test_no_warning_before_expiry(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.forward(39 * MINUTE)
        assert office.rows("SELECT 1 FROM outbox WHERE purpose = 'deadline'") == []
        await office.forward(MINUTE)
        warned = {r["to_user"] for r in office.rows("SELECT to_user FROM outbox WHERE purpose = 'deadline'")}
        assert warned == {person.user for person in (OWNER, DEP1, DEP2, ONC1, RISK)}
        assert await office.state(case_id) is PENDING

    async def test_notifications_went_on_after_the_answer(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.click(OWNER, case_id, "deny")
        await office.deliver()
        office.shown.clear()
        await office.forward(44 * MINUTE)
        await office.deliver()
        assert office.shown == []

    async def test_a_mute_counted_as_notified(self, office: Office) -> None:
        office.directory.asleep = {OWNER: office.clock.at + 8 * HOUR}
        case_id = await office.file(PE1)
        await office.deliver()
        assert [to for _, what, to in office.steps(case_id) if "notify" in what] == [{OWNER}, {DEP1, DEP2}]
        await office.click(OWNER, case_id)  # asleep or not, the authority is theirs
        assert await office.state(case_id) is APPROVED

    async def test_a_card_that_slack_refused_counted_as_notified(self, office: Office) -> None:
        office.dead_letters = {OWNER}
        case_id = await office.file(PE1)
        await office.deliver()
        (owner,) = [r for r in (await office.case(case_id)).approval.reached if r.person == OWNER]
        assert owner.failed == "user_not_found"
        assert office.steps(case_id)[-1] == ("0m", "notify deputies", {DEP1, DEP2})
        assert [e["type"] for e in office.log(case_id)][-1] == "delivery.failed"

    async def test_a_late_failure_woke_the_next_one_although_somebody_had_been_asked(self, office: Office) -> None:
        office.dead_letters = {OWNER}
        case_id = await office.file(PE1)
        await office.forward(6 * MINUTE)
        await office.deliver()
        assert office.steps(case_id)[-1] == ("5m", "notify deputies", {DEP1, DEP2})
