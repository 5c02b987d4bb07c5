"""One leads: a frozen or cut-off holder judges nothing any more, and has stopped calling out before the next one begins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import NotLeading, Reconnected, StorageError, TooLate
from bot.ports.commands import ReplyAddress, ShowPage
from bot.ports.database import PostgresServer
from bot.ports.replication import OwnState
from storage.postgres.leadership import GONE, STALE, VALID
from storage.postgres.replicas import Replicas, excuse, listed
from storage.postgres_store import PostgresStore
from tests.storage.making import PE1, SECOND, HandClock, approval, beside, count, denial, filing, new_case

READ = ShowPage(PE1, "mine", "", ReplyAddress(PE1))
Joined = Callable[[str], object]


class NearClock(HandClock):
    """Says the database's time, and its monotonic clock is moved by hand."""

    gone = 0.0

    def monotonic(self) -> float:
        return self.gone


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def joined(stack: AsyncExitStack, place: PostgresServer, name: str) -> tuple[PostgresStore, Replicas, NearClock]:
    clock = NearClock()
    with beside(place) as raw:
        row = raw.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    clock.at = row[0]
    store = await PostgresStore.open(place, clock)
    stack.push_async_callback(store.close)
    return store, await store.replicas(name), clock


def age(place: PostgresServer, by: timedelta = STALE) -> None:
    """The last beat is so much older by the database's clock."""
    with beside(place) as raw:
        raw.execute(f"UPDATE leadership SET beat_ms = beat_ms - {by // SECOND * 1000}")


async def test_the_first_leads_and_the_second_stays_on_standby(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    first, lease, _ = await joined(stack, postgres_database, "A")
    second, other, _ = await joined(stack, postgres_database, "B")
    assert (await lease.look(), await other.look(), await lease.look()) == (True, False, True)
    await first.commit(filing(new_case("R-1")))
    with pytest.raises(NotLeading):
        await second.commit(filing(new_case("R-2")))
    assert count(postgres_database, "request") == 1


async def test_a_standby_takes_in_and_a_repeat_at_another_replica_is_one_row(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    first, lease, clock = await joined(stack, postgres_database, "A")
    second, _, _ = await joined(stack, postgres_database, "B")
    await lease.look()
    clock.at += SECOND
    assert await second.inbox.take_in("k", READ, {"said": "once"}) == {"said": "once"}
    assert await first.inbox.take_in("k", READ, {"said": "twice"}) == {"said": "once"}
    assert [row.key for row in await first.inbox.unfinished(9)] == ["k"]
    await second.overview.prove_writable()


async def test_a_standby_takes_over_when_the_beat_is_old_and_the_old_leader_judges_nothing_more(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    first, lease, _ = await joined(stack, postgres_database, "A")
    second, other, _ = await joined(stack, postgres_database, "B")
    await lease.look()
    assert not await other.look()
    age(postgres_database)
    assert await other.look()
    with pytest.raises(StorageError):  # its session was ended
        await first.commit(filing(new_case("R-1")))
    with pytest.raises(NotLeading):  # and a new one holds an old token
        await first.commit(filing(new_case("R-1")))
    await second.commit(filing(new_case("R-2")))
    assert not await lease.look()
    assert count(postgres_database, "request") == 1


async def test_a_leader_frozen_within_a_transaction_does_not_commit_it_later(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    """SIGSTOP in the middle of an act: the row is held FOR SHARE, and taking over must not wait for it."""
    first, lease, _ = await joined(stack, postgres_database, "A")
    _, other, _ = await joined(stack, postgres_database, "B")
    await lease.look()
    writer = first.transactions.writer
    assert writer is not None
    age(postgres_database)
    await writer.run(lambda session: session.begin(write=True))
    await writer.run(lambda session: session.run("place_hold", id="H-1", subject="T/U", placed_ms=0))
    assert await other.look()
    with pytest.raises(StorageError):
        await writer.run(lambda session: session.commit())
    assert count(postgres_database, "hold") == 0


async def test_the_lease_is_over_by_the_holders_own_clock_before_another_may_take_it(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    _, lease, clock = await joined(stack, postgres_database, "A")
    assert not lease.valid
    await lease.look()
    clock.gone = VALID - 0.1
    assert lease.valid
    clock.gone = VALID
    assert not lease.valid
    assert STALE.total_seconds() > VALID
    await lease.look()
    assert lease.valid


async def test_whose_clock_differs_by_more_than_two_seconds_does_not_lead(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    _, lease, clock = await joined(stack, postgres_database, "A")
    clock.at += 3 * SECOND
    assert not await lease.look()
    clock.at -= 3 * SECOND
    assert await lease.look()
    clock.at -= 30 * SECOND
    assert not await lease.look()
    _, other, _ = await joined(stack, postgres_database, "B")
    assert await other.look()  # it was given up: nobody waits


async def test_replicas_are_listed_with_what_they_say_of_themselves(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    store, lease, _ = await joined(stack, postgres_database, "A")
    _, other, _ = await joined(stack, postgres_database, "B")
    await lease.look()
    await lease.beat(OwnState("host-a", 1, 7, 0))
    await other.beat(OwnState("host-b", 2, None, 3))
    found = await store.transactions.read(listed)
    assert [(r.id, r.host, r.leads, r.alive, r.size, r.emergency) for r in found] == [
        ("A", "host-a", True, True, 7, 0), ("B", "host-b", False, True, None, 3),
    ]  # fmt: skip
    assert await other.ask("nonce") == ""
    assert await lease.to_vouch_for() == [("B", "nonce")]
    await lease.vouch("B", "nonce", "a note")
    assert (await other.ask("nonce"), await lease.to_vouch_for()) == ("a note", [])


async def test_a_deadline_is_judged_by_the_databases_clock(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    store, lease, clock = await joined(stack, postgres_database, "A")
    real = clock.at
    await lease.look()
    clock.at -= SECOND  # this machine is a second behind: by it there is time left
    with pytest.raises(TooLate):
        await store.commit(replace(filing(new_case("R-1")), valid_before=real))
    clock.at = real + SECOND
    await store.commit(replace(filing(new_case("R-2")), valid_before=real + 60 * SECOND))
    await lease.look()
    assert abs(lease.clock_ahead + SECOND) < SECOND


async def test_a_new_leader_does_not_wait_for_who_gave_up_and_the_list_knows_who_is_excused(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    store, lease, _ = await joined(stack, postgres_database, "A")
    await lease.beat(OwnState("host-a", 0, 1, 2))
    await store.intake.write(lambda tx: excuse(tx.session, "A", "burnt"))
    (row,) = await lease.listed()
    assert (row.excused, row.emergency) == (True, 2)
    await lease.beat(OwnState("host-a", 0, 1, 0))
    (row,) = await lease.listed()
    assert not row.excused  # who is back is waited for again


async def test_a_holder_whose_session_has_ended_is_replaced_sooner_and_never_while_it_may_still_call_out(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    assert VALID < GONE.total_seconds() < STALE.total_seconds()
    first, lease, _ = await joined(stack, postgres_database, "A")
    _, other, _ = await joined(stack, postgres_database, "B")
    await lease.look()
    age(postgres_database, GONE)
    assert not await other.look()  # its session lives: it may only be slow
    await first.close()
    age(postgres_database, -SECOND)
    assert not await other.look()  # it is gone, and its last beat is younger than that
    age(postgres_database, SECOND)
    assert await other.look()


async def test_a_leader_whose_connection_was_replaced_unnoticed_gives_nothing_before_that_is_counted(
    stack: AsyncExitStack, postgres_database: PostgresServer
) -> None:
    """Another replica may have noticed the loss, and have taken something away meanwhile."""
    store, lease, _ = await joined(stack, postgres_database, "A")
    await lease.look()
    cases = [new_case(f"R-{number}") for number in (1, 2, 3)]
    for case in cases:
        await store.commit(filing(case))
    stored = [await store.cases.case(case.id) for case in cases]
    one, two, three = [case for case in stored if case is not None]
    with beside(postgres_database) as raw:
        raw.execute("SELECT pg_terminate_backend(pid::int4, 5000) FROM leadership")
    found = await store.commit_each([approval(one), denial(two), approval(three)])
    assert [type(error) for error in found] == [Reconnected, type(None), Reconnected]
    assert (lease.losses, lease.counted) == (1, 0)
    lease.count(1)
    assert await store.commit_each([approval(one), approval(three)]) == [None, None]
    assert count(postgres_database, "access_grant") == 2
