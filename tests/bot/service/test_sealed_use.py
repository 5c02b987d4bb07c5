"""A use of the sealed path: recorded by somebody of the organisation, shown as used without approval, reviewed by somebody else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.case.lifecycle import AskState
from bot.domain.case.transition import Transition
from bot.domain.failsafe import clock_guard
from bot.domain.policy.people import Person
from bot.ports.commands import RecordSealedUse, ReplyAddress, ShowPage
from storage.log.check import check_database
from tests.bot.building import (
    AUDIT,
    DAY,
    DEP1,
    DEP2,
    GUEST,
    HOUR,
    LEAD,
    MACH,
    MINUTE,
    ONC1,
    OWNER,
    PE1,
    RISK,
    SOC1,
    STRANGER,
)
from tests.bot.office import Office
from tests.database import place


async def sealed(office: Office, who: Person = ONC1, **changed: Any) -> str:
    used_at = int((office.clock.at - HOUR).timestamp())
    act = RecordSealedUse(
        office.clock.request_id(),
        who,
        "directory",
        used_at,
        ONC1,
        "Envelope 7 opened",
        "INC7",
        ReplyAddress(who, channel="D0"),
    )
    act = replace(act, **changed)
    await office.take_in(act)
    await office.worker.drain()
    return act.id


async def asked(office: Office, case_id: str) -> set[Person]:
    return set((await office.case(case_id)).asks[0].asked)


@pytest.mark.parametrize(
    ("recorder", "user", "reviewer"),
    [(ONC1, ONC1, OWNER), (DEP1, PE1, OWNER), (OWNER, ONC1, DEP1), (DEP1, OWNER, DEP2), (RISK, RISK, OWNER)],
)
async def test_is_put_to_the_owner_or_to_the_next_who_neither_recorded_nor_used_it(
    office: Office, recorder: Person, user: Person, reviewer: Person
) -> None:
    case_id = await sealed(office, recorder, used_by=user)
    assert reviewer in await asked(office, case_id)
    assert not {recorder, user} & await asked(office, case_id)
    assert office.types(case_id)[:3] == ["sealed_use.recorded", "review.due", "step.fired"]


async def test_is_accepted_by_its_reviewer_and_by_nobody_who_had_a_part_in_it(office: Office) -> None:
    case_id = await sealed(office, OWNER)
    for person in (OWNER, ONC1, PE1):
        await office.click(person, case_id, "accept")
    assert (await office.case(case_id)).asks[0].state is AskState.OPEN
    await office.click(DEP1, case_id, "accept")
    assert (await office.case(case_id)).asks[0].state is AskState.YES
    assert office.types(case_id)[-1] == "review.passed"
    assert check_database(place(office.path)).findings == ()


async def test_is_overdue_like_any_review(office: Office) -> None:
    case_id = await sealed(office)
    await office.forward(2 * DAY + MINUTE, every=HOUR)
    kinds = office.types(case_id)
    assert kinds.count("review.overdue") == 1
    assert RISK in await asked(office, case_id)
    assert (await office.case(case_id)).asks[0].state is AskState.EXPIRED


@pytest.mark.parametrize("who", [PE1, LEAD, SOC1, STRANGER, MACH, AUDIT])
async def test_is_recorded_only_by_people_named_for_the_domain(office: Office, who: Person) -> None:
    case_id = await sealed(office, who)
    assert await office.store.cases.case(case_id) is None
    assert [e["type"] for e in office.log()][-1] == "decision.refused"
    assert [a["to"] for a in office.answers()] == [who.user]


async def test_of_the_future_or_without_words_is_refused(office: Office) -> None:
    ahead = int((office.clock.at + DAY).timestamp())
    for wrong in ({"used_at": ahead}, {"what": " "}, {"reference": ""}, {"domain": "nowhere"}):
        assert await office.store.cases.case(await sealed(office, **wrong)) is None


async def test_is_not_recorded_on_a_guess_of_who_somebody_is(office: Office) -> None:
    office.directory.silent.add(ONC1)
    assert await office.store.cases.case(await sealed(office)) is None
    assert [a["sentence"] for a in office.answers()] == ["again"]
    assert "decision.refused" not in [e["type"] for e in office.log()]


async def test_gives_nothing_so_a_doubted_clock_does_not_refuse_it(office: Office) -> None:
    case = await office.case(await sealed(office))
    assert case.grant is None
    assert not clock_guard.gives(Transition(None, case))


async def test_discloses_no_words_in_the_log_and_none_in_the_channel(office: Office) -> None:
    case_id = await sealed(office, what="Envelope secret", reference="REF-secret")
    assert "secret" not in json.dumps(office.log(case_id), default=str)
    (said,) = office.rows("SELECT data, channel FROM outbox WHERE purpose = 'announce'")
    assert (said["channel"], json.loads(said["data"])) == ("C0DIRECTORY", {"state": "sealed_use.recorded"})


async def test_is_a_record_that_no_button_of_a_request_changes(office: Office) -> None:
    case_id = await sealed(office)
    before = await office.case(case_id)
    for decision in ("approve", "deny", "withdraw", "finish", "revoke", "ratify"):
        await office.click(OWNER, case_id, decision)  # type: ignore[arg-type]
    assert await office.case(case_id) == before


async def test_is_in_no_queue_and_counts_as_nobodys_pending_request(office: Office) -> None:
    await sealed(office, DEP1)
    assert await office.service.queries.read_queue(OWNER) == []
    assert [c.id for c in await office.service.queries.read_waiting(OWNER)] == [
        c.id for c in await office.service.queries.read_reviews(OWNER)
    ]


async def test_is_still_shown_once_its_text_is_only_in_the_log(office: Office) -> None:
    case_id = await sealed(office)
    await office.click(OWNER, case_id, "accept")
    await office.deliver()
    before = await office.case(case_id)
    assert await office.store.operator.empty_over(10) == 1
    assert [tuple(r) for r in office.rows("SELECT target, reason FROM request")] == [("", "")]
    assert (await office.case(case_id)).request == before.request


class TestWhatIsOwed:
    async def test_brings_the_cards_of_reviews_and_what_is_to_be_handed_in(self, office: Office) -> None:
        await office.deliver()
        review = await sealed(office)
        glass = await office.file(PE1, "glass")
        await office.deliver()
        await office.together(ShowPage(OWNER, "review", "", ReplyAddress(OWNER, channel="D0")))
        said = office.rows(
            "SELECT purpose, case_id, data FROM outbox WHERE to_user = 'U0OWNER' AND done_ms IS NULL ORDER BY id"
        )
        assert [(r["purpose"], r["case_id"]) for r in said if r["purpose"] != "page"] == [
            ("ask.1", glass),
            ("ask.1", review),
        ]
        assert all(json.loads(r["data"])["wanted"] for r in said if r["purpose"] != "page")

    async def test_is_nothing_for_a_stranger_and_leaves_other_providers_out(self, office: Office) -> None:
        await sealed(office)
        for person in (STRANGER, GUEST, PE1, LEAD):
            assert await office.service.queries.read_reviews(person) == []
            assert await office.service.queries.read_owing(person) == []
