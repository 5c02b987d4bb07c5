"""Rows and answers of the agreement on the matrix, on both databases."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.case.transition import CLOCK, Lane, LogEvent, Notification
from bot.domain.governance.agreement import Spoken, Standing
from bot.domain.governance.own_rows import about_rows_of
from bot.domain.policy.people import Person
from bot.ports.records import OutboxRow, StoredPolicy
from storage.sql_store import SqlStore
from tests.storage.making import MINUTE, T0

OLGA = Person("T0HOME", "U0OWNER")
ONE = Standing("one", "directory", "d1", "", open=True, since=T0)
TWO = Standing(
    "two", "directory", "d2", "base", open=False, since=T0, agreed_at=T0, asked_at=T0, due_at=T0 + MINUTE, overdue=True
)
WORD = Spoken("one", "d1", OLGA, "owner", "confirmed", T0)


async def test_rows_are_those_that_were_noted_last(store: SqlStore) -> None:
    await store.agreement.note([ONE, TWO], [], "set")
    assert (await store.agreement.rows(), await store.agreement.noted_by()) == ([ONE, TWO], "set")
    changed = replace(TWO, digest="d3", open=True, agreed_at=None)
    await store.agreement.note([changed], [], "next")
    assert (await store.agreement.rows(), await store.agreement.noted_by()) == ([changed], "next")


async def test_an_answer_replaces_an_earlier_one_and_counts_for_the_row_as_it_was(store: SqlStore) -> None:
    await store.agreement.note([ONE], [], "set")
    await store.agreement.write([], [WORD], [], [])
    again = replace(WORD, word="disputed", at=T0 + MINUTE)
    await store.agreement.write([], [again], [], [])
    assert await store.agreement.words() == [again]
    await store.agreement.note([replace(ONE, digest="d9")], [], "next")
    assert await store.agreement.words() == []


async def test_rows_words_entries_and_messages_are_written_together(store: SqlStore) -> None:
    await store.agreement.note([ONE], [], "set")
    says = [Notification("agreement", Lane.CARD, to=OLGA), Notification("answer", Lane.CARD, to=Person("T0HOME", "U0DEP1"))]
    await store.agreement.write([replace(ONE, open=False)], [WORD], [LogEvent("matrix.confirmed", CLOCK)], says)
    assert [row.open for row in await store.agreement.rows()] == [False]
    assert (await store.log.head()).size >= 1
    assert await store.agreement.last_message(OLGA) is not None
    assert await store.agreement.last_message(Person("T0HOME", "U0DEP1")) is None  # an answer is no governance message


async def test_messages_with_own_rows_are_redrawn_after_each_answer_and_each_set(store: SqlStore) -> None:
    about = about_rows_of(OLGA)
    await store.agreement.write([ONE], [], [], [Notification("agreement", Lane.CARD, about, to=OLGA)])

    async def waiting() -> list[OutboxRow]:
        rows = list(await store.outbox.lease(T0 + MINUTE, T0 + 2 * MINUTE, 10))
        for row in rows:
            await store.outbox.sent(row, "D1", "1.0", 0, [])
        return rows

    assert [row.copy for row in await waiting()] == [None]
    for _ in range(2):
        await store.agreement.write([], [WORD], [], [])
    assert [row.copy.case for row in await waiting() if row.copy] == [about]
    await store.agreement.note([ONE], [], "next")
    assert [row.copy.case for row in await waiting() if row.copy] == [about]


async def test_the_set_before_is_the_one_accepted_before(store: SqlStore) -> None:
    await store.policies.accept(StoredPolicy("aa11", T0, ()), [])
    assert await store.agreement.set_before("aa11") == ""
    await store.policies.accept(StoredPolicy("bb22", T0 + MINUTE, ()), [])
    assert await store.agreement.set_before("bb22") == "aa11"


async def test_digests_are_found_by_their_first_digits(store: SqlStore) -> None:
    for number, digest in enumerate(("aa11", "aa12", "af00")):
        await store.policies.accept(StoredPolicy(digest, T0 + number * MINUTE, ()), [])
    assert await store.policies.beginning("aa") == ["aa12", "aa11"]
    assert await store.policies.beginning("aa11") == ["aa11"]
    assert await store.policies.beginning("ab") == []


async def test_a_hand_over_is_noted_once(store: SqlStore) -> None:
    entry = LogEvent("domain.handed_over", CLOCK, data={"domain": "directory"})
    await store.policies.hand_over("directory", None, "T/A", [])
    before = (await store.log.head()).size
    for _ in range(2):
        await store.policies.hand_over("directory", "T/A", "T/B", [entry])
    assert await store.policies.domain_owners() == {"directory": "T/B"}
    assert (await store.log.head()).size == before + 1
