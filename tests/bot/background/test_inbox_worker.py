"""The inbox is carried out wholly, once, and whatever happens between."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.case.lifecycle import RequestState
from bot.domain.errors import StorageError
from bot.domain.policy.people import Person, Profile
from bot.ports.commands import ReplyAddress, ShowPage
from bot.ports.records import InboxRow
from tests.bot import parts
from tests.bot.building import DEP1, MINUTE, OWNER, PE1, PE2
from tests.bot.office import Killed, Office


async def kill_at_commit(office: Office, when: str) -> None:
    """The process dies while it carries out the one row that waits, and comes back."""
    (row,) = await office.store.inbox.unfinished(10)
    office.mortal.dies = when
    with pytest.raises(Killed):
        await office.service.carry_out(row)
    await office.restart()


async def test_what_was_taken_in_before_a_crash_is_carried_out_after_it(office: Office) -> None:
    act = office.form(PE1)
    await office.take_in(act)
    await office.restart()
    await office.worker.drain()
    assert office.types(act.id) == ["request.filed", "step.fired"]


async def test_a_crash_before_the_commit_loses_nothing_and_one_after_it_repeats_nothing(office: Office) -> None:
    act = office.form(PE1)
    await office.take_in(act)
    await kill_at_commit(office, "before")
    assert office.types(act.id) == []
    await kill_at_commit(office, "after")
    await office.worker.drain()
    assert office.types(act.id) == ["request.filed", "step.fired"]
    await office.take_in(office.press(OWNER, act.id))
    await kill_at_commit(office, "before")
    await kill_at_commit(office, "after")
    await office.worker.drain()
    assert office.types(act.id)[2:] == ["request.approved", "grant.opened"]


async def test_the_first_click_after_a_restart_counts(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.restart()
    await office.click(OWNER, case_id)
    assert await office.state(case_id) is RequestState.APPROVED


async def test_a_key_that_comes_again_after_a_restart_is_still_the_same(office: Office) -> None:
    case_id = await office.file(PE1, "pair")
    key = await office.take_in(office.press(OWNER, case_id))
    await office.worker.drain()
    await office.restart()
    assert await office.service.take_in(key, office.press(OWNER, case_id), {"another": 1}) == {"ok": True}
    await office.worker.drain()
    assert office.types(case_id).count("request.approved") == 1
    assert office.types(case_id).count("decision.refused") == 0


async def test_two_workers_carry_a_row_out_once(office: Office) -> None:
    act = office.form(PE1)
    await office.take_in(act)
    await asyncio.gather(parts.worker(office).drain(), parts.worker(office).drain())
    assert office.types(act.id) == ["request.filed", "step.fired"]


async def test_a_row_that_is_finished_while_the_inbox_is_read_is_not_carried_out_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, carry_out, carried = office.store.inbox.unfinished, office.service.carry_out, list[int]()

    async def slow(limit: int) -> Any:
        rows = await read(limit)
        if office.worker._busy:
            await asyncio.wait(office.worker._busy.values())
        return rows

    async def counted(row: InboxRow) -> None:
        carried.append(row.id)
        await carry_out(row)

    monkeypatch.setattr(office.mortal.inbox, "unfinished", slow)
    monkeypatch.setattr(office.service, "carry_out", counted)
    for number in range(3):
        await office.take_in(office.form(PE1, target=f"srv-{number}"))
    await office.worker.drain()
    assert sorted(carried) == sorted(set(carried))


async def test_a_second_act_that_the_inbox_hid_behind_the_first_is_carried_out_though_the_first_ends_meanwhile(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await office.file(PE1, "pair")
    unfinished = office.store.inbox.unfinished

    async def slow(limit: int) -> Any:
        rows = await unfinished(limit)
        if office.worker._busy:
            await asyncio.wait(office.worker._busy.values())
        return rows

    monkeypatch.setattr(office.mortal.inbox, "unfinished", slow)
    for person, decision in ((OWNER, "approve"), (DEP1, "approve"), (DEP1, "deny")):
        await office.take_in(office.press(person, case_id, decision))
    await office.worker.drain()
    assert await unfinished(10) == []


async def test_what_fails_waits_longer_each_time_and_succeeds_in_the_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = office.form(PE1)
    await office.take_in(act)
    carry_out, waits = office.service.carry_out, list[float]()

    async def busy(row: InboxRow) -> None:
        if len(waits) < 3:
            raise StorageError("The disk is full.")
        await carry_out(row)

    monkeypatch.setattr(office.service, "carry_out", busy)
    for _ in range(3):
        await office.worker.drain()
        (row,) = office.rows("SELECT next_ms, attempts FROM inbox")
        waits.append(row["next_ms"] / 1000 - office.clock.at.timestamp())
        office.clock.at += timedelta(seconds=waits[-1])
    await office.worker.drain()
    assert [round(w) for w in waits] == [1, 2, 4]
    assert office.types(act.id)[0] == "request.filed"


@pytest.mark.parametrize("fault", [StorageError("The disk is full."), ZeroDivisionError()])
async def test_what_never_can_be_carried_out_is_finished_with_a_sentence_to_its_author(
    office: Office, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    case_id = await office.file(PE1)

    async def never(row: InboxRow) -> None:
        raise fault

    monkeypatch.setattr(office.service, "carry_out", never)
    await office.take_in(office.press(OWNER, case_id))
    for _ in range(13):
        await office.worker.drain()
        office.sleep(2 * MINUTE)
    assert await office.store.inbox.unfinished(10) == []
    assert [(a["to"], a["sentence"]) for a in office.answers()] == [("U0OWNER", "failed")]


async def test_a_filing_that_never_can_be_carried_out_is_refused_with_an_entry_and_an_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(row: InboxRow) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(office.service, "carry_out", never)
    act = office.form(PE1, form="V0FORM")
    await office.take_in(act)
    for _ in range(13):
        await office.worker.drain()
        office.sleep(2 * MINUTE)
    assert await office.store.inbox.unfinished(10) == []
    (entry,) = office.log(act.id)
    assert (entry["type"], entry["data"]["reason_code"]) == ("request.refused", "failed")
    assert [(a["to"], a["sentence"], a["id"]) for a in office.answers()] == [("U0PE1", "refused_filing", act.id)]


async def test_one_row_that_fails_holds_up_nobody_else(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out = office.service.carry_out

    async def stumble(row: InboxRow) -> None:
        if row.act.person == PE1:
            raise ZeroDivisionError
        await carry_out(row)

    monkeypatch.setattr(office.service, "carry_out", stumble)
    mine, theirs = office.form(PE1), office.form(PE2)
    await office.together(mine, theirs)
    assert office.types(mine.id) == []
    assert office.types(theirs.id)[0] == "request.filed"


async def test_a_row_that_can_neither_be_carried_out_nor_put_off_stays(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> None:
        raise StorageError("The disk is full.")

    act = office.form(PE1)
    await office.take_in(act)
    monkeypatch.setattr(office.store, "commit", full)
    monkeypatch.setattr(office.store.inbox, "put_off", full)
    (row,) = await office.store.inbox.unfinished(10)
    await office.worker._one(row, ())
    monkeypatch.undo()
    await office.worker.drain()
    assert office.types(act.id)[0] == "request.filed"


async def test_more_rows_than_hands_are_all_carried_out(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.together(*(office.press(DEP1, case_id) for _ in range(60)))
    assert office.types(case_id).count("decision.refused") == 60


async def test_it_works_until_it_is_stopped_and_finishes_what_it_holds(office: Office) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(office.worker.run(stop))
    first = office.form(PE1)
    await office.take_in(first)
    while not office.rows("SELECT id FROM request"):
        await asyncio.sleep(0)
    last = office.form(PE2)
    await office.take_in(last)
    stop.set()
    await running
    assert office.types(last.id)[0] == "request.filed"
    assert office.rows("SELECT * FROM inbox WHERE done_ms IS NULL") == []


async def test_reading_a_page_is_an_act_like_any_other(office: Office) -> None:
    await office.together(ShowPage(OWNER, "help", "", ReplyAddress(OWNER)))
    assert await office.store.inbox.unfinished(10) == []


async def test_what_concerns_one_request_is_carried_out_in_the_order_it_came(office: Office) -> None:
    """An approval looks the account up, the requester's Finished does not: it must not be judged first."""
    case_id = await office.file(PE1)
    await office.together(office.press(OWNER, case_id), office.press(PE1, case_id, "finish"))
    assert office.types(case_id)[2:] == ["request.approved", "grant.opened", "grant.finished", "review.due"]


def served(office: Office, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Person, str | None]]:
    """In what order rows are finished: whose, about which request."""
    order: list[tuple[Person, str | None]] = []
    whole = office.worker._one

    async def noted(row: InboxRow, earlier: Any) -> None:
        await whole(row, earlier)
        order.append((row.act.person, getattr(row.act, "case", None)))

    monkeypatch.setattr(office.worker, "_one", noted)
    return order


async def test_a_flood_of_clicks_on_one_request_lets_the_others_pass(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    flooded, other = await office.file(PE1), await office.file(PE2, target="srv-2")
    order = served(office, monkeypatch)
    for _ in range(60):
        await office.take_in(office.press(PE1, flooded))
    await office.together(office.press(OWNER, other))
    assert order.index((OWNER, other)) <= 1
    assert await office.state(other) is RequestState.APPROVED
    assert office.types(flooded).count("decision.refused") == 60


async def test_a_flood_over_many_requests_has_four_hands_at_most(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = await office.file(PE2)
    most = 0
    carry_out = office.service.carry_out

    async def counted(row: InboxRow) -> None:
        nonlocal most
        most = max(most, sum(row.act.person == PE1 for row in office.worker._rows.values()))
        await carry_out(row)

    monkeypatch.setattr(office.service, "carry_out", counted)
    order = served(office, monkeypatch)
    for number in range(60):
        await office.take_in(office.press(PE1, f"R-{number:08}"))
    await office.together(office.press(OWNER, case_id))
    assert most == 4
    assert order.index((OWNER, case_id)) <= 4


async def test_a_flood_of_filings_lets_another_persons_pass(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    order = served(office, monkeypatch)
    for number in range(40):
        await office.take_in(office.form(PE1, target=f"srv-{number}"))
    await office.together(office.form(PE2))
    assert order.index((PE2, None)) <= 1


async def test_a_click_that_cannot_count_waits_for_nobody_of_its_request(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner's look-up hangs; the provider's engineer is refused meanwhile, and the deputy waits for the owner."""
    case_id = await office.file(PE1, "pair")
    answers, hangs = asyncio.Event(), asyncio.Event()
    profile = office.directory.profile

    async def slow(person: Person, age: float) -> Profile:
        if person == OWNER and not answers.is_set():
            hangs.set()
            await answers.wait()
        return await profile(person, age)

    monkeypatch.setattr(office.directory, "profile", slow)
    order = served(office, monkeypatch)
    for person in (OWNER, PE2, DEP1):
        await office.take_in(office.press(person, case_id))
    drained = asyncio.create_task(office.worker.drain())
    await hangs.wait()
    while not order:
        await asyncio.sleep(0)
    assert order == [(PE2, case_id)]
    assert office.types(case_id)[-1] == "decision.refused"
    answers.set()
    await drained
    assert order == [(PE2, case_id), (OWNER, case_id), (DEP1, case_id)]
    assert await office.state(case_id) is RequestState.APPROVED
