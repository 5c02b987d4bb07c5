"""Acts that share a commit: isolation, cancellation, crashes between any two statements, kill -9."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from bot.domain.case.model import Case
from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from bot.domain.errors import CountersignError, DiskRefuses, Stale, StorageError
from bot.ports.commands import ReplyAddress, ShowPage
from storage import transactions
from storage.log.check import check_database
from storage.sqlite.driver import SqliteSession
from storage.sqlite.lock import FileLock
from storage.store import SqliteStore
from tests.storage.making import (
    MINUTE,
    PE1,
    T0,
    HandClock,
    approval,
    count,
    denial,
    filing,
    new_case,
)

T = TypeVar("T")


@pytest.fixture
def place(path: Path) -> Path:
    """What is tested here is tested with SQLite's own means; PostgreSQL has tests/storage/postgres."""
    return path


async def on_writer(store: SqliteStore, work: Callable[[SqliteSession], T]) -> T:
    """Runs `work` on the writing connection's thread."""
    assert store.transactions.writer is not None
    return await store.transactions.writer.run(work)


async def pragma(store: SqliteStore, text: str) -> int:
    """Sets or asks for a setting of the writing connection."""
    row = await on_writer(store, lambda session: session.raw.execute(f"PRAGMA {text}").fetchone())
    return 0 if row is None else int(row[0])


async def statements(store: SqliteStore) -> list[str]:
    """What the writing connection runs from now on."""
    seen: list[str] = []
    await on_writer(store, lambda session: session.raw.set_trace_callback(seen.append))
    return seen


async def test_acts_that_arrive_together_share_a_commit(store: SqliteStore) -> None:
    seen = await statements(store)
    await asyncio.gather(*(store.commit(filing(new_case(f"R-{n}"))) for n in range(250)))
    commits = [s for s in seen if s == "COMMIT"]
    assert len(commits) == 3
    assert "SAVEPOINT act" not in seen  # none of them failed


async def test_acts_that_are_handed_over_together_end_together_each_in_its_place(store: SqliteStore) -> None:
    seen = await statements(store)
    assert await store.commit_each([filing(new_case(f"R-{n}")) for n in range(150)]) == [None] * 150
    assert [seen.count(s) for s in ("COMMIT", "SAVEPOINT act")] == [2, 0]
    cases = [case for n in range(3) if (case := await store.cases.case(f"R-{n}"))]
    await store.commit(denial(cases[1]))
    seen.clear()
    found = await store.commit_each([denial(case) for case in cases])
    assert [type(result) for result in found] == [type(None), Stale, type(None)]
    control = [s for s in seen if s.split()[0] in ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")]
    failed = ["SAVEPOINT act", "ROLLBACK TO act", "RELEASE act"]
    assert control == [
        "BEGIN IMMEDIATE", "ROLLBACK", "BEGIN IMMEDIATE", "SAVEPOINT act", "RELEASE act", *failed, "SAVEPOINT act", "RELEASE act",
        "COMMIT",
    ]  # fmt: skip
    assert await store.commit_each([]) == []


async def test_of_acts_handed_over_together_all_get_the_error_of_a_commit_that_fails(store: SqliteStore) -> None:
    await pragma(store, f"max_page_count = {await pragma(store, 'page_count')}")
    found = await store.commit_each([filing(new_case(f"R-{n}", reason="x" * 9_000)) for n in range(30)])
    assert {type(result) for result in found} == {DiskRefuses}
    assert await store.cases.case("R-0") is None


async def test_coroutines_that_share_the_connection_never_share_a_transaction(store: SqliteStore) -> None:
    """aiosqlite 19: one coroutine's statements landed inside another's transaction."""
    seen = await statements(store)
    read = ShowPage(PE1, "mine", "", ReplyAddress(PE1))
    works = [store.commit(filing(new_case(f"R-{n}"))) for n in range(50)]
    works += [store.inbox.take_in(f"k{n}", read, {}) for n in range(50)]  # type: ignore[misc]
    await asyncio.gather(*works, *(store.cases.case(f"R-{n}") for n in range(50)))
    marks = [s for s in seen if s in ("BEGIN IMMEDIATE", "COMMIT")]
    assert marks == ["BEGIN IMMEDIATE", "COMMIT"] * (len(marks) // 2) != []


async def test_an_act_alone_that_fails_is_undone_with_its_transaction(store: SqliteStore, path: Path) -> None:
    case = await store.commit(filing(new_case("R-1")))
    assert case is not None
    await store.commit(denial(case))
    entries, seen = count(path, "log_entry"), await statements(store)
    with pytest.raises(Stale):
        await store.commit(denial(case))
    assert seen[0] == "BEGIN IMMEDIATE"
    assert seen[-1] == "ROLLBACK"
    assert "COMMIT" not in seen
    assert count(path, "log_entry") == entries


async def test_a_pool_of_writers_does_not_starve_a_reader(store: SqliteStore) -> None:
    case = await store.commit(filing(new_case("R-1")))
    held, go_on = threading.Event(), threading.Event()

    def long(_: transactions.Tx) -> None:
        held.set()
        go_on.wait(30)

    assert store.transactions.group is not None
    writing = asyncio.ensure_future(store.transactions.group.run(long))
    await asyncio.to_thread(held.wait, 30)
    try:
        assert await store.cases.case("R-1") == case
    finally:
        go_on.set()
        await writing


async def test_a_cancelled_caller_stops_no_commit(store: SqliteStore) -> None:
    tasks = [asyncio.ensure_future(store.commit(filing(new_case(f"R-{n}")))) for n in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(o) for o in outcomes[:2]] == [asyncio.CancelledError, Case]
    assert not await on_writer(store, lambda session: session.raw.in_transaction)
    for n in range(20):
        assert await store.cases.case(f"R-{n}") is not None


async def test_a_caller_cancelled_in_mid_transaction_is_released_only_after_the_commit(
    store: SqliteStore, path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(tx: transactions.Tx) -> None:
        tx.log([LogEvent("log.verified", SYSTEM)])
        begun.set()
        go_on.wait(30)

    assert store.transactions.group is not None
    task = asyncio.ensure_future(store.transactions.group.run(work))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    task_done, _ = await asyncio.wait({task}, timeout=0)
    assert not task_done
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert count(path, "log_entry") == 2


def test_a_loop_that_ends_in_the_middle_hangs_nobody(path: Path) -> None:
    async def main() -> None:
        store = await SqliteStore.open(path, HandClock())
        for n in range(30):
            task = asyncio.ensure_future(store.commit(filing(new_case(f"R-{n}"))))
            task.add_done_callback(lambda t: t.cancelled() or t.exception())
        await asyncio.sleep(0)
        everybody = asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]
        for task in everybody:
            task.cancel()
        await asyncio.wait(everybody)
        await store.close()

    asyncio.run(main())
    assert check_database(path).findings == ()


async def test_a_commit_that_fails_is_reported_to_everybody_and_leaves_nothing(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await store.commit(filing(new_case("R-1")))
    assert case is not None

    def full(self: transactions.Ledger) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(transactions.Ledger, "flush", full)
        works = [store.commit(denial(case)), store.commit(approval(case))]
        outcomes = await asyncio.gather(*works, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageError, StorageError]
    assert await store.cases.case("R-1") == case
    assert await store.commit(denial(case)) is not None
    assert check_database(path).findings == ()


async def test_a_full_disk_is_said_plainly_and_nothing_is_half_written(store: SqliteStore, path: Path) -> None:
    pages = await pragma(store, "page_count")
    await pragma(store, f"max_page_count = {pages + 4}")
    big = [filing(new_case(f"R-{n}", reason="x" * 9_000)) for n in range(9)]
    outcomes = await asyncio.gather(*(store.commit(act) for act in big), return_exceptions=True)
    failed = [o for o in outcomes if isinstance(o, StorageError)]
    assert failed
    assert "disk is full" in str(failed[0])
    await pragma(store, "max_page_count = 100000")
    assert await store.commit(filing(new_case("R-99"))) is not None
    assert count(path, "request") == 10 - len(failed)
    assert check_database(path).findings == ()


async def test_a_locked_database_is_said_plainly(store: SqliteStore, path: Path) -> None:
    await pragma(store, "busy_timeout = 1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="Another program holds the database"):
        await store.commit(filing(new_case("R-1")))
    other.close()
    assert await store.commit(filing(new_case("R-1"))) is not None


async def test_a_closed_store_says_so(path: Path, clock: HandClock) -> None:
    store = await SqliteStore.open(path, clock)
    await store.close()
    with pytest.raises(CountersignError, match="closed"):
        await store.commit(filing(new_case("R-1")))
    with pytest.raises(CountersignError, match="closed"):
        await store.cases.case("R-1")


async def test_close_waits_for_what_is_under_way(path: Path, clock: HandClock) -> None:
    store = await SqliteStore.open(path, clock)
    works = [asyncio.ensure_future(store.commit(filing(new_case(f"R-{n}")))) for n in range(150)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*works)
    assert count(path, "request") == 150


async def test_a_commit_of_the_command_line_is_seen_by_the_next_one_of_the_bot(
    path: Path, clock: HandClock, tmp_path: Path
) -> None:
    bot = await SqliteStore.open(path, clock, state_dir=tmp_path / "state")
    command = await SqliteStore.open(path, clock, state_dir=tmp_path / "state")
    works = [(bot, command)[n % 2].commit(filing(new_case(f"R-{n}"))) for n in range(60)]
    await asyncio.gather(*works)
    await bot.close()
    await command.close()
    checked = check_database(path)
    assert (checked.findings, checked.size) == ((), 121)


async def test_a_commit_holds_the_lock_of_the_state_directory(path: Path, clock: HandClock, tmp_path: Path) -> None:
    store = await SqliteStore.open(path, clock, state_dir=tmp_path / "state")
    other = FileLock(tmp_path / "state")
    held: list[str] = []

    def free(statement: str) -> None:
        try:
            fcntl.flock(other._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(other._fd, fcntl.LOCK_UN)
        except BlockingIOError:
            held.append(statement)

    await on_writer(store, lambda session: session.raw.set_trace_callback(free))
    await store.commit(filing(new_case("R-1")))
    assert (held[0], held[-1]) == ("BEGIN IMMEDIATE", "COMMIT")
    with other:
        pass  # and lets go of it
    other.close()
    await store.close()


async def crash_everywhere(path: Path, store: SqliteStore, act: Callable[[], Awaitable[object]]) -> list[Path]:
    """Copies of the files as a kill -9 would leave them before each statement of an act, and after the last."""
    copies: list[Path] = []

    def copy(_: str = "") -> None:
        folder = path.parent / f"crash-{len(copies)}"
        folder.mkdir()
        for file in path.parent.glob(f"{path.name}*"):
            shutil.copy(file, folder / file.name)
        copies.append(folder / path.name)

    await on_writer(store, lambda session: session.raw.set_trace_callback(copy))
    await act()
    await on_writer(store, lambda session: session.raw.set_trace_callback(None))
    copy()
    return copies


async def test_a_crash_between_any_two_statements_leaves_the_old_state_or_the_new(
    store: SqliteStore, path: Path, clock: HandClock
) -> None:
    case = await store.commit(filing(new_case("R-1")))
    assert case is not None
    await store.inbox.take_in("k", ShowPage(PE1, "mine", "", ReplyAddress(PE1)), {})
    (row,) = await store.inbox.unfinished(1)
    copies = await crash_everywhere(path, store, lambda: store.commit(approval(case, inbox=row.id, wake_at=T0 + MINUTE)))
    new = await store.cases.case("R-1")
    old_facts, new_facts = (case, 3, 1, T0 + 10 * MINUTE), (new, 5, 0, T0 + MINUTE)
    seen = []
    for copy in copies:
        crashed = await SqliteStore.open(copy, clock)
        entries, waiting = len(await crashed.log.rows(0, 99)), len(await crashed.inbox.unfinished(9))
        due = T0 + MINUTE if await crashed.cases.due(T0 + MINUTE, 1) else T0 + 10 * MINUTE
        seen.append((await crashed.cases.case("R-1"), entries, waiting, due))
        await crashed.close()
        assert check_database(copy).findings == ()
    assert len(copies) > 20
    assert set(map(repr, seen)) == {repr(old_facts), repr(new_facts)}
    assert seen[-1] == new_facts
    assert seen[-2] == old_facts  # before the COMMIT


_CHILD = """
import asyncio, sys
from storage.store import SqliteStore
from bot.clock import SystemClock
from tests.storage.making import filing, new_case

async def main():
    store = await SqliteStore.open(sys.argv[1], SystemClock(), state_dir=sys.argv[2])

    async def one(worker):
        n = 0
        while True:
            case = await store.commit(filing(new_case(f"R-{worker}-{n}")))
            print(case.id, flush=True)
            n += 1

    await asyncio.gather(*(one(w) for w in range(5)))

asyncio.run(main())
"""


def test_what_was_acknowledged_survives_kill_9(path: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    acknowledged: list[str] = []
    for turn in range(3):
        child = _CHILD.replace('f"R-{worker}', f'f"R-{turn}-{{worker}}')
        with subprocess.Popen(
            [sys.executable, "-c", child, str(path), str(state)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                acknowledged.append(line.strip())
                if len(acknowledged) >= 60 * (turn + 1):
                    break
            process.send_signal(signal.SIGKILL)
            acknowledged += [line.strip() for line in process.stdout if line.endswith("\n")]

    checked = check_database(path)
    assert checked.findings == ()
    with sqlite3.connect(path) as raw:
        stored = {row[0] for row in raw.execute("SELECT id FROM request")}
        filed = raw.execute("SELECT count(*) FROM log_entry WHERE type = 'request.filed'").fetchone()[0]
    raw.close()
    assert set(acknowledged) <= stored
    assert filed == len(stored)


async def test_who_lost_to_an_act_of_the_same_group_is_stale(store: SqliteStore) -> None:
    case = await store.commit(filing(new_case("R-1")))
    assert case is not None
    outcomes = await asyncio.gather(store.commit(denial(case)), store.commit(denial(case)), return_exceptions=True)
    assert [type(o) for o in outcomes] == [Case, Stale]


async def test_an_error_of_the_work_itself_reaches_its_caller_alone(store: SqliteStore, path: Path) -> None:
    assert store.transactions.group is not None

    def wrong(tx: transactions.Tx) -> None:
        tx.log([LogEvent("log.verified", SYSTEM)])
        raise RuntimeError("a bug")

    works = [store.transactions.group.run(wrong), store.commit(filing(new_case("R-1")))]
    outcomes = await asyncio.gather(*works, return_exceptions=True)  # type: ignore[arg-type]
    assert [type(o) for o in outcomes] == [RuntimeError, Case]
    assert [row.type for row in await store.log.rows(0, 9)] == ["log.opened", "request.filed", "step.fired"]
    await store.commit(Transition(None, None, (LogEvent("log.verified", SYSTEM),)))
    assert check_database(path).findings == ()
