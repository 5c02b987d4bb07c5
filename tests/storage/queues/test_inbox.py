"""What Slack sent: durable before it is acknowledged, once, oldest first."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.case.transition import Transition
from bot.domain.errors import EntryError
from bot.domain.policy.people import Person
from bot.ports.commands import COMMAND, Command, FileRequest, Press, ReplyAddress, SaySentence, ShowPage
from bot.ports.database import Location
from bot.ports.records import Waiting
from storage.opening import open_database
from storage.queues.inbox import to_text
from storage.sql_store import SqlStore
from tests.storage.making import MINUTE, MS, OWNER, PE1, T0, HandClock, beside

REPLY = ReplyAddress(OWNER, "https://hooks.example/1", "C1")
READ = ShowPage(PE1, "mine", "", ReplyAddress(PE1))
ACTS: list[Command] = [
    FileRequest("R-1", PE1, "admin", "dc1", "disk ☃", 60, {"ticket": "INC1"}, OWNER, "V1"),
    Press(OWNER, "R-1", 1, "deny", REPLY, text="no"),
    Press(OWNER, "R-1", 1, "deny", REPLY, opens_form=True),
    READ,
    SaySentence(PE1, "too_many", "3", REPLY),
]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.kind)
async def test_every_act_survives_a_restart(place: Location, clock: HandClock, act: Command) -> None:
    store = await open_database(place, clock)
    await store.inbox.take_in("k", act, {"view": {"title": "…"}})
    await store.close()
    store = await open_database(place, clock)
    (row,) = await store.inbox.unfinished(9)
    assert (row.key, row.act, row.answer, row.received_at, row.attempts) == ("k", act, {"view": {"title": "…"}}, T0, 0)
    await store.close()


async def test_the_same_signed_request_twice_is_one_row_and_gets_the_first_answer(store: SqlStore) -> None:
    assert await store.inbox.take_in("k", READ, {"id": "R-1"}) == {"id": "R-1"}
    assert await store.inbox.take_in("k", ACTS[0], {"id": "R-2"}) == {"id": "R-1"}
    (row,) = await store.inbox.unfinished(9)
    assert row.act == READ
    await store.commit(Transition(None, None, inbox=row.id))
    assert await store.inbox.take_in("k", READ, {"id": "R-3"}) == {"id": "R-1"}
    assert await store.inbox.unfinished(9) == []


async def test_a_double_click_at_once_is_one_row(store: SqlStore) -> None:
    answers = await asyncio.gather(*(store.inbox.take_in("k", READ, {"n": n}) for n in range(50)))
    assert answers == [{"n": 0}] * 50
    assert len(await store.inbox.unfinished(9)) == 1


async def test_rows_come_oldest_first_and_one_that_failed_waits(store: SqlStore, clock: HandClock) -> None:
    for key in "abc":
        await store.inbox.take_in(key, READ, {})
    first = (await store.inbox.unfinished(2))[0]
    await store.inbox.put_off(first.id, T0 + MINUTE)
    assert [row.key for row in await store.inbox.unfinished(9)] == ["b", "c"]
    clock.at += MINUTE - MS
    assert [row.key for row in await store.inbox.unfinished(9)] == ["b", "c"]
    clock.at += MS
    assert [(row.key, row.attempts) for row in await store.inbox.unfinished(1)] == [("a", 1)]


async def test_a_finished_row_keeps_no_text(store: SqlStore, place: Location) -> None:
    await store.inbox.take_in("k", ACTS[0], {})
    (row,) = await store.inbox.unfinished(9)
    await store.commit(Transition(None, None, inbox=row.id))
    with beside(place) as raw:
        assert raw.execute("SELECT act FROM inbox").fetchone() == ("",)


async def test_half_a_character_is_refused_before_it_is_written(store: SqlStore) -> None:
    with pytest.raises(EntryError, match="half a character"):
        await store.inbox.take_in("k", ShowPage(PE1, "show", "\ud83d", REPLY), {})
    assert await store.inbox.unfinished(9) == []


async def test_an_act_of_a_newer_program_stops_nobody_elses(store: SqlStore, place: Location) -> None:
    await store.inbox.take_in("a", READ, {})
    await store.inbox.take_in("b", READ, {})
    with beside(place) as raw:
        raw.execute("""UPDATE inbox SET act = '{"kind": "dance"}' WHERE key = 'a'""")
    assert [row.key for row in await store.inbox.unfinished(9)] == ["b"]


async def test_a_press_of_a_button_that_only_a_newer_program_has_waits_for_it(store: SqlStore) -> None:
    await store.inbox.take_in("k1", Press(OWNER, "R-1", 1, "of_a_later_release", REPLY), {})
    await store.inbox.take_in("k2", Press(OWNER, "R-1", 1, "approve", REPLY), {})
    assert [row.key for row in await store.inbox.unfinished(9)] == ["k2"]


def press_by(person: Person, case: str) -> Press:
    return Press(person, case, 1, "approve", ReplyAddress(person))


async def test_of_one_persons_rows_about_one_request_the_oldest_has_a_turn(store: SqlStore) -> None:
    for number in range(400):
        await store.inbox.take_in(f"flood {number}", press_by(PE1, "R-1"), {})
    await store.inbox.take_in("same request", press_by(OWNER, "R-1"), {})
    await store.inbox.take_in("other request", press_by(PE1, "R-2"), {})
    assert [row.key for row in await store.inbox.unfinished(9)] == ["flood 0", "same request", "other request"]


async def test_everybodys_oldest_row_comes_before_anybodys_second(store: SqlStore) -> None:
    for number in range(200):
        await store.inbox.take_in(f"flood {number}", press_by(PE1, f"R-{number}"), {})
    await store.inbox.take_in("later", press_by(OWNER, "R-X"), {})
    assert [row.key for row in await store.inbox.unfinished(3)] == ["flood 0", "later", "flood 1"]


async def test_filings_of_one_person_have_one_turn_at_a_time(store: SqlStore) -> None:
    for number in range(200):
        await store.inbox.take_in(f"flood {number}", FileRequest(f"R-{number}", PE1, "admin", "dc1", "disk", 60), {})
    await store.inbox.take_in("later", FileRequest("R-X", OWNER, "admin", "dc1", "disk", 60), {})
    assert [row.key for row in await store.inbox.unfinished(9)] == ["flood 0", "later"]


UNREADABLE = ['{"kind": "file"', "", '{"kind": "of a newer program", "person": {"team": "T", "user": "U"}}']


def spoil(place: Location, act: str, keys: str) -> None:
    with beside(place) as raw:
        quoted = act.replace("'", "''")
        raw.execute(f"UPDATE inbox SET act = '{quoted}' WHERE key LIKE '{keys}'")


@pytest.mark.parametrize("act", [*UNREADABLE, COMMAND.dump_json(press_by(PE1, "R-1")).decode().replace("approve", "newer")])
async def test_unreadable_rows_hide_no_later_one_and_are_kept(store: SqlStore, place: Location, act: str) -> None:
    for number in range(17):
        await store.inbox.take_in(f"bad {number}", press_by(PE1, f"R-{number}"), {})
    await store.inbox.take_in("good", press_by(OWNER, "R-X"), {})
    spoil(place, act, "bad%")
    assert [row.key for row in await store.inbox.unfinished(3)] == ["good"]
    with beside(place) as raw:
        rows = raw.execute("SELECT act, done_ms FROM inbox WHERE unreadable_ms IS NOT NULL").fetchall()
    assert rows == [(act, None)] * 17
    assert (await store.overview.backlog(T0)).unreadable == Waiting(17, T0)
    assert (await store.overview.lateness(T0)).unreadable == Waiting(17, T0)


async def test_a_newer_program_reads_at_its_start_what_an_older_one_kept(store: SqlStore, place: Location) -> None:
    await store.inbox.take_in("k", READ, {})
    text = to_text(READ)
    spoil(place, "{", "k")
    assert await store.inbox.unfinished(9) == []
    spoil(place, text, "k")
    assert await store.inbox.unfinished(9) == []
    await store.inbox.read_again()
    assert [row.act for row in await store.inbox.unfinished(9)] == [READ]


async def test_a_row_whose_answer_is_broken_hides_no_later_one(store: SqlStore, place: Location) -> None:
    await store.inbox.take_in("bad", press_by(PE1, "R-1"), {})
    await store.inbox.take_in("good", press_by(OWNER, "R-X"), {})
    with beside(place) as raw:
        raw.execute("UPDATE inbox SET answer = '{' WHERE key = 'bad'")
    assert [row.key for row in await store.inbox.unfinished(3)] == ["good"]
    assert [(row.person, row.since) for row in await store.inbox.unreadable()] == [(str(PE1), T0)]
