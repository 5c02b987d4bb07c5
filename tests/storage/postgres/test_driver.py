"""One session, one thread: statements fit, a lost connection comes back, a lost answer to COMMIT is settled."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from bot.domain.errors import DiskRefuses, EntryError, Stale, StorageError
from bot.ports.database import PostgresServer
from storage.postgres import driver
from storage.postgres.driver import QUERIES, PostgresDatabase, PostgresSession
from storage.postgres_store import PostgresStore
from tests.storage.making import HandClock, beside, count, denial, filing, new_case


@pytest.fixture
def place(postgres_database: PostgresServer) -> PostgresServer:
    return postgres_database


def writer(store: PostgresStore) -> PostgresDatabase:
    found = store.transactions.writer
    assert isinstance(found, PostgresDatabase)
    return found


def test_every_statement_fits_the_schema(place: PostgresServer) -> None:
    """The server plans each one; what it cannot type or does not know it refuses."""
    session, planned = PostgresSession(place.url), []
    with session.raw:
        for name, sql in QUERIES.items():
            if name != "create_schema_version" and not sql.startswith("BEGIN;"):
                values = dict.fromkeys(re.findall(r"%\((\w+)\)s", sql))
                planned += session.raw.execute(
                    f"EXPLAIN (GENERIC_PLAN) {_numbered(sql, list(values))}".encode(), prepare=False
                ).fetchmany(1)
    assert len(planned) > 0.9 * len(QUERIES)


def _numbered(sql: str, names: list[str]) -> str:
    return re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", sql).replace("%%", "%")


async def test_an_act_whose_connection_was_lost_before_its_commit_is_tried_once_more(
    store: PostgresStore, place: PostgresServer
) -> None:
    await store.commit(filing(new_case("R-1")))
    _cut_all(place)
    await store.commit(filing(new_case("R-2")))
    _cut_all(place)
    assert await store.cases.case("R-2") is not None
    assert count(place, "request") == 2


async def test_while_nobody_answers_nothing_is_written_and_the_next_act_connects_again(
    store: PostgresStore, place: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(url: str) -> driver.Connection:
        raise psycopg.OperationalError("connection refused")

    with monkeypatch.context() as away:
        away.setattr(driver, "connect", refused)
        _cut_all(place)
        with pytest.raises(DiskRefuses, match="cannot be reached; nothing was written"):
            await store.commit(filing(new_case("R-1")))
        with pytest.raises(DiskRefuses):
            await store.cases.case("R-1")
    await store.commit(filing(new_case("R-2")))
    assert count(place, "request") == 1


@pytest.mark.parametrize("committed", [True, False])
async def test_a_lost_answer_to_commit_is_settled_before_anything_is_reported(
    store: PostgresStore, place: PostgresServer, committed: bool
) -> None:
    session = writer(store).session
    session.raw = _Cut(session.raw, place, before=not committed)  # type: ignore[assignment]
    if committed:
        await store.commit(filing(new_case("R-1")))
    else:
        with pytest.raises(DiskRefuses, match="before it had committed; nothing was written"):
            await store.commit(filing(new_case("R-1")))
    assert count(place, "request") == committed
    await store.commit(filing(new_case("R-2")))


async def test_a_commit_whose_session_still_works_is_ended_and_not_said(
    store: PostgresStore, place: PostgresServer
) -> None:
    """The client lost its connection, the server does not know it yet: such a transaction must not commit later."""
    session = writer(store).session
    old = session.raw
    session.raw = _Deaf(old)  # type: ignore[assignment]
    with pytest.raises(DiskRefuses, match="nothing was written"):
        await store.commit(filing(new_case("R-1")))
    with pytest.raises(psycopg.OperationalError):
        old.execute("COMMIT")
    old.close()
    assert count(place, "request") == 0


async def test_of_acts_that_share_a_commit_a_stale_one_undoes_only_itself(
    store: PostgresStore, place: PostgresServer
) -> None:
    case = await store.commit(filing(new_case("R-1")))
    assert case is not None
    found = await store.commit_each([denial(case), denial(case), filing(new_case("R-2")), filing(new_case("R-1"))])
    assert [type(one) for one in found] == [type(None), Stale, type(None), Stale]
    assert (count(place, "request"), count(place, "vote")) == (2, 1)


async def test_a_statement_that_the_server_refuses_undoes_only_its_act(store: PostgresStore, place: PostgresServer) -> None:
    group = store.transactions.group
    assert group is not None
    wrong: Callable[[Any], int] = lambda tx: tx.session.run("open_log", origin="second", edge=b"")  # noqa: E731
    right: Callable[[Any], int] = lambda tx: tx.session.run("place_hold", id="H-1", subject="T/U", placed_ms=0)  # noqa: E731
    refused, done = await group.run_each([wrong, right])
    assert isinstance(refused, StorageError)
    assert done == 1
    assert (count(place, "log_head"), count(place, "hold")) == (1, 1)


async def test_a_statement_that_waits_for_its_turn_undoes_only_its_act_too(
    store: PostgresStore, place: PostgresServer
) -> None:
    group = store.transactions.group
    assert group is not None
    wrong: Callable[[Any], None] = lambda tx: tx.session.send("open_log", origin="second", edge=b"")  # noqa: E731
    right: Callable[[Any], None] = lambda tx: tx.session.send("place_hold", id="H-1", subject="T/U", placed_ms=0)  # noqa: E731
    for acts in ([wrong, right], [wrong]):
        found = await group.run_each(acts)
        assert isinstance(found[0], StorageError)
        assert found[1:] == [None] * len(found[1:])
    assert (count(place, "log_head"), count(place, "hold")) == (1, 1)


async def test_what_waits_of_an_act_that_fails_is_never_executed(store: PostgresStore, place: PostgresServer) -> None:
    group = store.transactions.group
    assert group is not None

    def fails(tx: Any) -> None:
        tx.session.send("place_hold", id="H-1", subject="T/U", placed_ms=0)
        raise Stale("somebody was faster")

    nothing: Callable[[Any], None] = lambda tx: None  # noqa: E731
    for acts in ([fails], [nothing], [fails, nothing], [nothing]):
        found = await group.run_each(acts)
        assert found[-1] is None or acts == [fails]
    assert count(place, "hold") == 0


async def test_what_waits_when_the_connection_is_lost_is_executed_once_on_the_next(
    store: PostgresStore, place: PostgresServer
) -> None:
    cuts = [_cut_all]

    def work(tx: Any) -> None:
        tx.session.send("place_hold", id="H-1", subject="T/U", placed_ms=0)
        while cuts:
            cuts.pop()(place)

    await store.transactions.write(work)
    assert count(place, "hold") == 1


async def test_a_cancelled_caller_stops_no_commit(store: PostgresStore, place: PostgresServer) -> None:
    task = asyncio.create_task(store.commit(filing(new_case("R-1"))))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert count(place, "request") == 1


async def test_a_closed_store_says_so(place: PostgresServer, clock: HandClock) -> None:
    store = await PostgresStore.open(place, clock)
    await store.close()
    with pytest.raises(StorageError, match="is closed"):
        await store.cases.case("R-1")


async def test_a_read_only_store_writes_nothing(store: PostgresStore, place: PostgresServer, clock: HandClock) -> None:
    other = await PostgresStore.open(place, clock, read_only=True)
    with pytest.raises(StorageError, match="for reading only"):
        await other.commit(filing(new_case("R-1")))
    with pytest.raises(StorageError, match="othing was written"):
        await other.transactions.read(lambda session: session.run("place_hold", id="H-1", subject="T/U", placed_ms=0))
    await other.close()


async def test_text_that_the_server_cannot_hold_is_refused_before_it_is_written(store: PostgresStore) -> None:
    with pytest.raises(EntryError, match="NUL"):
        await store.commit(filing(new_case("R-1", reason="a\0b")))


async def test_text_sorts_by_its_bytes_whatever_the_server_s_language(place: PostgresServer) -> None:
    with beside(place) as raw:
        words = raw.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND"
            " data_type = 'text' AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'schema_version'"
        )
        assert words.fetchall() == []


def _cut_all(place: PostgresServer) -> None:
    with psycopg.connect(place.url, autocommit=True) as raw:
        raw.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


class _Cut:
    """A connection that is cut just before or just after the server has carried out COMMIT."""

    def __init__(self, raw: psycopg.Connection[Any], place: PostgresServer, *, before: bool) -> None:
        self._raw, self._place, self._before = raw, place, before

    def execute(self, query: Any, values: Any = None) -> Any:
        if query == "COMMIT":
            if not self._before:
                self._raw.execute(query)
            _cut_all(self._place)
        return self._raw.execute(query, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class _Deaf:
    """A connection over which nothing goes any more, while the server keeps its end open."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self._raw, self.broken = raw, False

    def close(self) -> None:
        """The server does not receive it."""

    def execute(self, query: Any, values: Any = None) -> Any:
        if query == "COMMIT":
            self.broken = True
            raise psycopg.OperationalError("the connection was lost")
        return self._raw.execute(query, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
