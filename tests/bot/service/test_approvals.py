"""The use cases on the real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.authority.authorization import Allowed, Refused
from bot.domain.case.lifecycle import RequestState
from bot.domain.case.transition import Transition
from bot.domain.errors import LookupFailed, Stale
from bot.domain.policy.model import BreakGlass, Limit
from bot.domain.policy.people import Humans, Person
from bot.ports.commands import Press, ReplyAddress, ShowPage
from tests.bot.building import (
    AUDIT,
    COLLEAGUE,
    DAY,
    DEP1,
    DEP2,
    GUEST,
    HOUR,
    LEAD,
    MACH,
    MINUTE,
    MS,
    NAMESAKE,
    ONC1,
    OWNER,
    PE1,
    PE2,
    PE3,
    PROV,
    RISK,
    SOC1,
    SOCLEAD,
    STRANGER,
    home,
    policy,
    runbook,
    with_domain,
)
from tests.bot.office import Office


async def refusals(office: Office, case_id: str) -> list[tuple[Person, str]]:
    """Who was refused and why, as the log has it."""
    return [(e["who"], e["data"]["why"]) for e in office.log(case_id) if e["type"] == "decision.refused"]


class TestFiling:
    async def test_a_request_is_stored_as_it_was_filed(self, office: Office) -> None:
        case_id = await office.file(
            PE1, "ticketed", fields={"ticket": "INC9"}, reason="the disk: it is full", target="a: b"
        )
        request = (await office.case(case_id)).request
        assert (request.reason, request.target) == ("the disk: it is full", "a: b")
        assert [(f.name, f.value) for f in request.fields] == [("ticket", "INC9")]
        assert (request.requester, request.provider, request.state) == (PE1, "northgate", RequestState.PENDING)

    async def test_a_refused_filing_leaves_its_one_entry_and_no_request(self, office: Office) -> None:
        case_id = await office.file(STRANGER)
        assert office.types(case_id) == ["request.refused"]
        assert await office.store.cases.case(case_id) is None
        (told,) = office.answers()
        assert (told["to"], told["sentence"], "#identity-help" in told["text"]) == ("U0NOBODY", "refused_filing", True)

    async def test_when_the_contract_ended_the_request_is_refused(self, office: Office) -> None:
        office.clock.at = office.clock.at.replace(year=2027, month=4, day=1)
        case_id = await office.file(PE1)
        assert office.types(case_id) == ["request.refused"]
        assert "2027-03-31" in office.answers()[0]["text"]

    async def test_a_field_error_is_found_before_anything_is_written(self, office: Office) -> None:
        found = office.service.filing.check(office.form(PE1, "ticketed", fields={"ticket": "no"}))
        assert [e.field for e in found] == ["field.ticket"]
        assert office.rows("SELECT * FROM inbox") == []

    async def test_a_fourth_pending_request_in_the_domain_is_refused_and_one_in_another_is_not(
        self, office: Office
    ) -> None:
        for n in range(3):
            await office.file(PE1, target=f"srv-{n}")
        assert office.types(await office.file(PE1, target="srv-3")) == ["request.refused"]
        assert office.types(await office.file(PE1, "token", target="srv-3"))[0] == "request.filed"
        assert office.types(await office.file(PE2, target="srv-3"))[0] == "request.filed"

    async def test_the_same_again_while_pending_is_refused_with_the_id_of_the_open_one(self, office: Office) -> None:
        first = await office.file(PE1)
        again = await office.file(PE1, target="srv-1 ")
        assert office.types(again) == ["request.refused"]
        assert first in office.answers()[0]["text"]
        await office.click(PE1, first, "withdraw")
        assert office.types(await office.file(PE1))[0] == "request.filed"

    async def test_two_forms_sent_at_one_instant_pass_the_brakes_one_after_the_other(self, office: Office) -> None:
        await office.together(office.form(PE1), office.form(PE1))
        assert sorted(e["type"] for e in office.log() if e["type"].startswith("request")) == [
            "request.filed", "request.refused",
        ]  # fmt: skip

    async def test_five_forms_sent_at_one_instant_leave_three_pending(self, office: Office) -> None:
        await office.together(*(office.form(PE1, target=f"srv-{n}") for n in range(5)))
        assert office.rows("SELECT count(*) AS n FROM request")[0]["n"] == 3

    async def test_an_id_that_is_taken_is_not_filed_a_second_time(self, office: Office) -> None:
        act = office.form(PE1)
        await office.together(act, replace(act, target="another"))
        assert office.rows("SELECT count(*) AS n FROM request")[0]["n"] == 1
        assert office.types(act.id).count("request.filed") == 1


class TestARepeat:
    async def test_of_something_denied_within_a_day_asks_minute_zero_and_the_denier_and_nobody_later(
        self, office: Office
    ) -> None:
        first = await office.file(PE1)
        await office.forward(5 * MINUTE)
        await office.click(DEP2, first, "deny")
        office.sleep(DAY - 6 * MINUTE)
        again = await office.file(PE2)
        assert set((await office.case(again)).approval.asked) == {OWNER, DEP2}
        await office.forward(40 * MINUTE)
        assert set((await office.case(again)).approval.asked) == {OWNER, DEP2}
        await office.click(DEP2, again)
        assert await office.state(again) is RequestState.APPROVED

    async def test_a_day_later_it_is_a_request_like_any_other(self, office: Office) -> None:
        first = await office.file(PE1)
        await office.click(OWNER, first, "deny")
        office.sleep(DAY)
        again = await office.file(PE1)
        assert len((await office.case(again)).approval.steps) == 5

    async def test_of_another_target_or_another_provider_is_none(self, office: Office) -> None:
        await office.click(OWNER, await office.file(PE1), "deny")
        for case_id in (await office.file(PE1, target="srv-2"), await office.file(SOC1)):
            assert len((await office.case(case_id)).approval.steps) == 5

    async def test_of_something_expired_within_two_hours_asks_everybody_at_once(self, office: Office) -> None:
        await office.file(PE1)
        await office.forward(45 * MINUTE)
        office.sleep(2 * HOUR - MS)
        again = await office.file(PE1)
        assert set((await office.case(again)).approval.asked) == {OWNER, DEP1, DEP2, ONC1, RISK}

    async def test_two_hours_after_an_expiry_it_asks_as_always(self, office: Office) -> None:
        await office.file(PE1)
        await office.forward(45 * MINUTE)
        office.sleep(2 * HOUR)
        assert (await office.case(await office.file(PE1))).approval.asked == (OWNER,)

    async def test_the_time_scale_shortens_how_long_a_denial_is_remembered(self, office: Office) -> None:
        office.scale = 60
        office.put_together()
        await office.click(OWNER, await office.file(PE1), "deny")
        office.sleep(24 * MINUTE)
        assert len((await office.case(await office.file(PE1))).approval.steps) == 5


class TestDeciding:
    async def test_the_owners_click_opens_the_grant(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.click(OWNER, case_id)
        case = await office.case(case_id)
        assert (case.request.state, case.request.closed_by) == (RequestState.APPROVED, OWNER)
        assert office.types(case_id)[-2:] == ["request.approved", "grant.opened"]

    async def test_two_approvers_at_one_instant_make_one_outcome_and_the_loser_gets_a_sentence(
        self, office: Office
    ) -> None:
        case_id = await office.file(PE1, "contain")
        await office.together(
            office.press(OWNER, case_id), office.press(DEP1, case_id, "deny"), office.press(DEP2, case_id)
        )
        case, kinds = await office.case(case_id), office.types(case_id)
        winner = case.request.closed_by
        losers = {OWNER, DEP1, DEP2} - {winner}
        assert kinds.count("request.approved") + kinds.count("request.denied") == 1
        assert {who for who, why in await refusals(office, case_id) if why == "lost"} == losers
        told = [a for a in office.answers() if a["sentence"] == "lost"]
        assert {a["to"] for a in told} == {loser.user for loser in losers}
        assert {a["by"] for a in told} == {str(winner)}
        assert {a["state"] for a in told} == {str(case.request.state)}

    async def test_many_racing_on_one_connection_each_are_taken_once(self, office: Office) -> None:
        case_id = await office.file(PE1, "contain")
        rows = [office.press(person, case_id) for person in (OWNER, DEP1, DEP2, ONC1, OWNER, STRANGER, PE2, GUEST)]
        office.directory.guests = {GUEST}
        await office.together(*rows)
        kinds = office.types(case_id)
        assert kinds.count("grant.opened") == kinds.count("request.approved") == 1
        assert kinds.count("decision.refused") == len(rows) - 1
        assert len(office.answers()) == len(rows) - 1

    async def test_two_yeses_with_the_required_role_among_them(self, office: Office) -> None:
        case_id = await office.file(PE1, "double")
        await office.click(OWNER, case_id)
        assert await office.state(case_id) is RequestState.PENDING
        await office.forward(5 * MINUTE)
        await office.click(DEP1, case_id)
        assert await office.state(case_id) is RequestState.PENDING
        await office.click(RISK, case_id)
        assert await office.state(case_id) is RequestState.APPROVED
        assert [e["data"]["have"] for e in office.log(case_id) if e["type"] == "request.approved"] == [1, 2, 3]

    async def test_two_yeses_at_one_instant_open_one_grant(self, office: Office) -> None:
        case_id = await office.file(PE1, "double")
        await office.together(office.press(OWNER, case_id), office.press(RISK, case_id))
        assert office.types(case_id)[2:] == ["request.approved", "request.approved", "grant.opened"]

    async def test_an_earlier_yes_does_not_count_after_the_person_left_the_roster(self, office: Office) -> None:
        case_id = await office.file(PE1, "pair")
        await office.click(DEP1, case_id)
        await office.adopt(with_domain(office.policy, deputies=(DEP2,)))
        await office.click(OWNER, case_id)
        assert await office.state(case_id) is RequestState.PENDING
        await office.forward(5 * MINUTE)
        await office.click(DEP2, case_id)
        assert await office.state(case_id) is RequestState.APPROVED

    async def test_a_late_click_is_refused_without_any_sweep(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.sleep(46 * MINUTE)
        await office.click(OWNER, case_id)
        assert await office.state(case_id) is RequestState.PENDING
        assert await refusals(office, case_id) == [(OWNER, "late")]

    async def test_exactly_at_the_deadline_it_is_late_and_a_millisecond_before_it_is_not(self, office: Office) -> None:
        late, early = await office.file(PE1), await office.file(PE2)
        office.sleep(45 * MINUTE - MS)
        await office.click(OWNER, early)
        office.sleep(MS)
        await office.click(OWNER, late)
        assert await office.state(early) is RequestState.APPROVED
        assert await refusals(office, late) == [(OWNER, "late")]

    async def test_a_click_judged_in_time_but_written_too_late_does_not_count(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        case_id = await office.file(PE1)
        office.sleep(45 * MINUTE - MS)
        commit = office.store.commit

        async def slow(act: Transition) -> Any:
            office.sleep(MS)
            return await commit(act)

        monkeypatch.setattr(office.store, "commit", slow)
        await office.click(OWNER, case_id)
        assert await office.state(case_id) is RequestState.PENDING
        assert await refusals(office, case_id) == [(OWNER, "late")]

    async def test_deputies_are_refused_before_they_are_reached_and_count_after(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.click(DEP1, case_id)
        assert await refusals(office, case_id) == [(DEP1, "unauthorised")]
        await office.forward(5 * MINUTE)
        await office.click(DEP1, case_id)
        case = await office.case(case_id)
        assert (case.request.state, case.request.closed_by) == (RequestState.APPROVED, DEP1)

    @pytest.mark.parametrize("person", [PE1, PE2, PE3, LEAD, SOC1, SOCLEAD, COLLEAGUE, Person(PROV, "U0OWNER")])
    async def test_nobody_of_any_provider_decides(self, office: Office, person: Person) -> None:
        case_id = await office.file(PE1)
        await office.click(person, case_id)
        await office.click(person, case_id, "deny")
        assert await refusals(office, case_id) == [(person, "party")] * 2
        assert await office.state(case_id) is RequestState.PENDING

    @pytest.mark.parametrize("person", [NAMESAKE, STRANGER, GUEST, AUDIT, MACH])
    async def test_nobody_who_is_not_named_decides(self, office: Office, person: Person) -> None:
        case_id = await office.file(PE1)
        await office.click(person, case_id)
        assert await refusals(office, case_id) == [(person, "unauthorised")]
        assert "#identity-help" in office.answers()[0]["text"]

    @pytest.mark.parametrize("flaw", [{"deleted": True}, {"is_bot": True}, {"is_guest": True}, {"is_stranger": True}])
    async def test_an_owner_who_is_no_full_living_account_does_not_decide(
        self, office: Office, flaw: dict[str, bool]
    ) -> None:
        case_id = await office.file(PE1)
        office.directory.special[OWNER] = flaw
        await office.click(OWNER, case_id)
        assert await refusals(office, case_id) == [(OWNER, "unauthorised")]

    async def test_the_subject_does_not_decide_by_any_account(self, office: Office) -> None:
        base = with_domain(office.policy, deputies=(DEP1, home("U0TWIN")))
        await office.adopt(replace(base, humans=Humans.joined([["U0OWNER", "U0TWIN"]]), policy_delay=0))
        office.sleep(MINUTE * 20)
        case_id = await office.file(PE1, subject=OWNER)
        assert set((await office.case(case_id)).approval.asked) == {DEP1}
        for person in (OWNER, home("U0TWIN")):
            await office.click(person, case_id)
        assert [why for _, why in await refusals(office, case_id)] == ["unauthorised", "unauthorised"]
        await office.click(DEP1, case_id)
        assert await office.state(case_id) is RequestState.APPROVED

    async def test_a_look_up_that_failed_is_never_a_yes_and_the_person_presses_again(self, office: Office) -> None:
        case_id = await office.file(PE1)
        before = office.types(case_id)
        office.directory.silent = {OWNER}
        await office.click(OWNER, case_id)
        assert office.types(case_id) == before
        assert [a["sentence"] for a in office.answers()] == ["again"]
        office.directory.silent = set()
        await office.click(OWNER, case_id)
        assert await office.state(case_id) is RequestState.APPROVED

    async def test_a_click_on_a_request_that_does_not_exist_is_answered_and_logged_once(self, office: Office) -> None:
        await office.click(OWNER, "R-ZZZZZZZZ")
        assert [e["data"] for e in office.log() if e["type"] == "decision.refused"] == [
            {"action": "approve", "why": "stale"}
        ]
        assert [a["sentence"] for a in office.answers()] == ["unknown"]

    async def test_a_click_on_an_older_question_is_stale(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.click(OWNER, case_id, version=7)
        assert await refusals(office, case_id) == [(OWNER, "stale")]

    async def test_more_losses_of_the_race_than_tries_leave_the_click_for_later(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        case_id = await office.file(PE1)
        commit = office.store.commit

        async def always_stale(act: Transition) -> Any:
            if act.before is not None:
                raise Stale("The request changed meanwhile; look at it again.")
            return await commit(act)

        monkeypatch.setattr(office.store, "commit", always_stale)
        await office.click(OWNER, case_id)
        assert await office.state(case_id) is RequestState.PENDING
        monkeypatch.undo()
        office.sleep(MINUTE)
        await office.worker.drain()
        assert await office.state(case_id) is RequestState.APPROVED


class TestReachingForAForm:
    async def test_who_may_gets_it_without_an_entry(self, office: Office) -> None:
        case_id = await office.file(PE1)
        await office.reach(OWNER, case_id)
        assert await refusals(office, case_id) == []
        assert isinstance(
            await office.service.actions.may_open(Press(OWNER, case_id, 1, "deny", ReplyAddress(OWNER), opens_form=True)),
            Allowed,
        )

    async def test_who_may_not_is_refused_with_one_entry(self, office: Office) -> None:
        case_id = await office.file(PE1)
        assert isinstance(
            await office.service.actions.may_open(Press(DEP1, case_id, 1, "deny", ReplyAddress(DEP1), opens_form=True)),
            Refused,
        )
        await office.reach(DEP1, case_id)
        assert await refusals(office, case_id) == [(DEP1, "unauthorised")]

    async def test_there_is_none_for_a_request_that_does_not_exist(self, office: Office) -> None:
        assert isinstance(
            await office.service.actions.may_open(
                Press(OWNER, "R-ZZZZZZZZ", 1, "deny", ReplyAddress(OWNER), opens_form=True)
            ),
            Refused,
        )

    async def test_a_failed_look_up_is_raised(self, office: Office) -> None:
        case_id = await office.file(PE1)
        office.directory.silent = {OWNER}
        with pytest.raises(LookupFailed):
            await office.service.actions.may_open(Press(OWNER, case_id, 1, "less", ReplyAddress(OWNER), opens_form=True))


class TestReading:
    async def test_a_case_is_read_by_its_id_leniently(self, office: Office) -> None:
        case_id = await office.file(PE1)
        for text in (case_id, case_id.lower(), case_id.removeprefix("R-"), f" {case_id} "):
            found = await office.service.queries.read_case(PE1, text)
            assert found is not None
            assert found.id == case_id

    @pytest.mark.parametrize("person", [PE1, PE2, LEAD, COLLEAGUE, OWNER, DEP1, RISK, ONC1, AUDIT])
    async def test_the_requesters_provider_the_domains_people_and_auditors_read_it(
        self, office: Office, person: Person
    ) -> None:
        assert await office.service.queries.read_case(person, await office.file(PE1)) is not None

    @pytest.mark.parametrize("person", [SOC1, SOCLEAD, STRANGER, GUEST, MACH, NAMESAKE])
    async def test_nobody_else_does(self, office: Office, person: Person) -> None:
        assert await office.service.queries.read_case(person, await office.file(PE1)) is None

    async def test_the_queue_shows_open_asks_of_my_domains_or_my_provider(self, office: Office) -> None:
        mine, theirs = await office.file(PE1), await office.file(SOC1)
        token = await office.file(PE1, "token")
        done = await office.file(PE2)
        await office.click(OWNER, done, "deny")

        async def queue(person: Person) -> set[str]:
            return {case.id for case in await office.service.queries.read_queue(person)}

        assert await queue(OWNER) == {mine, theirs}
        assert await queue(MACH) == {token}
        assert await queue(AUDIT) == {mine, theirs, token}
        assert await queue(PE2) == {mine, token}
        assert await queue(SOCLEAD) == {theirs}
        assert await queue(STRANGER) == set()

    async def test_mine_is_what_i_asked_newest_first(self, office: Office) -> None:
        first = await office.file(PE1)
        office.sleep(MINUTE)
        second = await office.file(PE1, target="srv-2")
        await office.file(PE2)
        assert [case.id for case in await office.service.queries.read_mine(PE1)] == [second, first]

    async def test_what_waits_for_me_is_what_has_reached_me(self, office: Office) -> None:
        case_id = await office.file(PE1)
        assert [case.id for case in await office.service.queries.read_waiting(OWNER)] == [case_id]
        assert list(await office.service.queries.read_waiting(DEP1)) == []

    async def test_what_reached_me_is_mine_to_read_no_more_once_i_belong_to_a_provider(self, office: Office) -> None:
        await office.file(PE1)
        watchfield = office.policy.providers["watchfield"]
        joined = replace(watchfield, members=(*watchfield.members, replace(watchfield.members[0], user="U0OWNER")))
        await office.adopt(
            replace(with_domain(office.policy, owner=DEP1), providers={**office.policy.providers, "watchfield": joined})
        )
        assert list(await office.service.queries.read_waiting(OWNER)) == []

    async def test_a_page_is_asked_for_by_the_inbox_too(self, office: Office) -> None:
        await office.together(ShowPage(OWNER, "queue", "", ReplyAddress(OWNER)))
        assert [r["purpose"] for r in office.rows("SELECT purpose FROM outbox")] == ["page"]

    async def test_the_form_offers_what_the_provider_may_ask_for_by_title(self, office: Office) -> None:
        only = runbook("only", providers=("watchfield",), title="A first title")
        await office.adopt(replace(office.policy, runbooks={**office.policy.runbooks, "only": only}))
        offered = [r.id for r in office.service.filing.runbooks_for(SOC1, "emergency_access")]
        assert offered[0] == "only"
        assert "only" not in [r.id for r in office.service.filing.runbooks_for(PE1, None)]
        assert [r.kind for r in office.service.filing.runbooks_for(PE1, "reset")] == ["reset"] * 5
        assert office.service.filing.runbooks_for(OWNER, None) == ()


async def test_the_first_answer_is_given_to_a_repeat_and_the_act_is_carried_out_once(office: Office) -> None:
    case_id = await office.file(PE1)
    act = office.press(OWNER, case_id)
    assert await office.service.take_in("trigger-1", act, {"n": 1}) == {"n": 1}
    assert await office.service.take_in("trigger-1", act, {"n": 2}) == {"n": 1}
    await office.worker.drain()
    assert await office.service.take_in("trigger-1", act, {"n": 3}) == {"n": 1}
    await office.worker.drain()
    assert office.types(case_id).count("request.approved") == 1
    assert office.types(case_id).count("decision.refused") == 0


async def test_something_said_wakes_the_messenger_and_something_arrived_the_worker(office: Office) -> None:
    assert not office.service.arrived.is_set()
    await office.take_in(office.form(PE1))
    assert office.service.arrived.is_set()
    assert not office.service.current.spoke.is_set()
    await office.worker.drain()
    assert office.service.current.spoke.is_set()


async def test_two_services_on_one_store_still_make_one_outcome(office: Office) -> None:
    from bot.background.inbox_worker import InboxWorker
    from bot.service.approvals import ApprovalService

    case_id = await office.file(PE1, "contain")
    other = ApprovalService(office.store, office.directory, office.clock, 1, office.policy)
    for person in (OWNER, DEP1, DEP2):
        await office.take_in(office.press(person, case_id))
    await asyncio.gather(office.worker.drain(), InboxWorker(other, office.store.inbox, office.clock).drain())
    kinds = office.types(case_id)
    assert (kinds.count("request.approved"), kinds.count("decision.refused")) == (1, 2)


class TestDrills:
    async def test_a_drill_survives_restarts_and_ends_when_everybody_answered(self, office: Office) -> None:
        case_id = await office.drill()
        await office.here(OWNER, case_id)
        await office.restart()
        await office.forward(15 * MINUTE)
        assert office.steps(case_id) == [
            ("0m", "notify owner", {OWNER}), ("3m", "skip owner", "nobody_left"), ("5m", "notify deputies", {DEP1, DEP2}),
            ("10m", "notify on_call", {ONC1}), ("15m", "notify risk_owner", {RISK}),
        ]  # fmt: skip
        for person in (DEP1, DEP2, ONC1):
            await office.here(person, case_id)
            assert await office.state(case_id) is RequestState.PENDING
        await office.here(RISK, case_id)
        assert office.types(case_id)[-1] == "drill.ended"
        assert office.log(case_id)[-1]["data"]["asked"] == [OWNER, DEP1, DEP2, ONC1, RISK]
        before = len(office.log())
        await office.forward(DAY, HOUR)
        assert len(office.log()) == before

    async def test_an_undeliverable_card_moves_a_drill_on_at_once(self, office: Office) -> None:
        office.dead_letters.add(OWNER)
        case_id = await office.drill()
        await office.deliver()
        assert {r.person for r in (await office.case(case_id)).approval.reached} == {OWNER, DEP1, DEP2}

    async def test_the_last_card_that_cannot_be_delivered_ends_a_drill(self, office: Office) -> None:
        office.dead_letters.add(RISK)
        case_id = await office.drill()
        await office.forward(15 * MINUTE)
        for person in (OWNER, DEP1, DEP2, ONC1):
            await office.here(person, case_id)
        assert "drill.ended" not in office.types(case_id)
        await office.deliver()
        assert office.types(case_id)[-2:] == ["drill.ended", "delivery.failed"]
        assert office.log(case_id)[-2]["data"]["missed"] == [RISK]

    async def test_a_day_of_downtime_ends_a_drill_and_asks_nobody(self, office: Office) -> None:
        case_id = await office.drill()
        office.sleep(DAY)
        await office.sweeper.sweep()
        assert office.types(case_id) == ["drill.started", "step.fired", "drill.ended"]

    async def test_it_is_in_no_list_of_what_waits_and_only_its_domain_sees_it(self, office: Office) -> None:
        case_id = await office.drill()
        for person in (OWNER, PE1, LEAD, AUDIT):
            assert await office.service.queries.read_waiting(person) == []
            assert await office.service.queries.read_queue(person) == []
            assert await office.service.queries.read_mine(person) == []
        assert [p for p in (OWNER, DEP1, AUDIT, PE1, LEAD, STRANGER) if await office.service.queries.read_case(p, case_id)] == [
            OWNER, DEP1, AUDIT,
        ]  # fmt: skip
        assert await office.file(PE1)
        request = office.rows("SELECT asks_before, last_outcome FROM request WHERE drill = ''")[0]
        assert tuple(request) == (0, "")


async def test_filings_at_one_instant_under_different_runbooks_pass_no_brake(tmp_path: Path) -> None:
    limited = runbook("limited", limit=Limit(9, 86400))
    async with Office(tmp_path / "countersign.db", policy(runbooks=[runbook(), limited])) as office:
        forms = [office.form(PE1, book, target=f"t{n}") for n in range(3) for book in ("emergency", "limited")]
        await office.together(*forms)
        states = [r["state"] for r in office.rows("SELECT state FROM request")]
        assert states == ["pending"] * 3


async def test_a_human_with_several_accounts_passes_no_brake(tmp_path: Path) -> None:
    joined = policy(humans=Humans.joined([["U0PE1", "U0PE2"]]))
    async with Office(tmp_path / "countersign.db", joined) as office:
        first = await office.file(PE1, target="a")
        for same in (PE2, Person(PROV, "U0PE1")):
            refused = await office.file(same, target="a")
            assert office.types(refused) == ["request.refused"]
            assert first in next(a["text"] for a in office.answers() if a["id"] == refused)
        for n, person in enumerate((PE2, Person(PROV, "U0PE1"), PE1, PE2)):
            await office.file(person, target=f"b{n}")
        assert [r["state"] for r in office.rows("SELECT state FROM request")] == ["pending"] * 3


class TestWhatAChangeMakesEasier:
    """It counts for requests filed after `policy_delay`; until then both sets have to allow it."""

    @pytest.fixture
    async def changed(self, tmp_path: Path) -> AsyncIterator[Office]:
        listed = runbook("listed", targets=("alpha",))
        strict = [runbook("a", approvals=2), runbook("b"), runbook("c"), runbook("d", providers=("watchfield",)), listed]
        glass = BreakGlass(4 * 3600, None)
        easy = [
            runbook("a", max_duration=9 * 3600), runbook("b", right="autonomous", escalation=None),
            runbook("c", right="immediate", break_glass=glass), runbook("d"), replace(listed, targets=("beta",)),
            runbook("new", right="autonomous", escalation=None), runbook("glass", right="immediate", break_glass=glass),
        ]  # fmt: skip
        async with Office(tmp_path / "countersign.db", policy(runbooks=strict)) as office:
            await office.adopt(policy(runbooks=easy, digest="ee" * 32))
            yield office

    async def test_one_yes_is_not_enough_where_two_were_wanted_a_moment_ago(self, changed: Office) -> None:
        case_id = await changed.file(PE1, "a")
        await changed.click(OWNER, case_id)
        assert await changed.state(case_id) is RequestState.PENDING
        await changed.click(DEP1, case_id)
        assert await changed.state(case_id) is RequestState.APPROVED
        longer = await changed.file(PE1, "a", target="t", seconds=5 * 3600)
        assert changed.types(longer) == ["request.refused"]

    @pytest.mark.parametrize("book", ["b", "c", "glass"])
    async def test_nothing_opens_without_a_yes(self, changed: Office, book: str) -> None:
        case_id = await changed.file(PE1, book)
        assert await changed.state(case_id) is RequestState.PENDING
        await changed.click(OWNER, case_id)
        assert await changed.state(case_id) is RequestState.APPROVED

    @pytest.mark.parametrize("book", ["d", "listed", "new"])
    async def test_nobody_asks_for_what_they_could_not_ask_for(self, changed: Office, book: str) -> None:
        assert book not in [r.id for r in changed.service.filing.runbooks_for(PE1, None)]
        assert changed.types(await changed.file(PE1, book, target="beta")) == ["request.refused"]

    async def test_after_the_delay_the_new_set_counts_alone(self, changed: Office) -> None:
        changed.sleep(15 * MINUTE)
        assert await changed.state(await changed.file(PE1, "b")) is RequestState.OPENED
        assert await changed.state(await changed.file(PE1, "c")) is RequestState.OPENED
        assert await changed.state(await changed.file(PE1, "d")) is RequestState.PENDING
