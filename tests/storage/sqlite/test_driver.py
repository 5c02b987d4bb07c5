"""The driver: settings of the connection, and the private method that everything rests on."""

from __future__ import annotations

import asyncio
import inspect
import stat
import subprocess
import sys
import threading
from pathlib import Path

import aiosqlite
import pytest

from bot.domain.case.transition import CLOCK, LogEvent, Transition
from bot.domain.errors import StorageError
from storage.session import Lasting
from storage.sqlite.driver import SqliteDatabase, SqliteSession
from storage.store import SqliteStore
from tests.storage.making import HandClock, count


async def test_aiosqlite_still_has_the_queue_from_which_its_thread_takes_work(path: Path) -> None:
    """If this fails, the pin in pyproject.toml moved: read `storage.sqlite.driver` before anything else."""
    connection = await aiosqlite.connect(path)
    done = asyncio.get_running_loop().create_future()
    connection._tx.put_nowait((done, threading.get_ident))
    assert await done == connection._thread.ident
    assert connection._running
    assert isinstance(inspect.getattr_static(aiosqlite.Connection, "_conn"), property)
    await connection.close()
    assert not connection._running


async def test_a_transaction_is_one_function_on_one_other_thread(path: Path) -> None:

    database = await SqliteDatabase.open(path)
    threads = {await database.run(lambda _: threading.get_ident()) for _ in range(3)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    await database.close()


async def test_what_is_committed_survives_a_power_cut_and_what_is_erased_leaves_no_trace(path: Path) -> None:
    database = await SqliteDatabase.open(path)

    def settings(session: SqliteSession) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "recursive_triggers", "busy_timeout")
        return [session.raw.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await database.run(settings) == ["wal", 2, 1, 1, 1, 5000]
    await database.close()


@pytest.mark.usefixtures("no_umask")
async def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    database = await SqliteDatabase.open(path)
    await database.run(lambda session: session.raw.execute("CREATE TABLE t (a)"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("countersign.db*")} == {0o600}
    await database.close()


@pytest.mark.parametrize("writable", [True, False])
async def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, *, writable: bool) -> None:
    with pytest.raises(StorageError, match=r"missing/x\.db cannot be opened"):
        await SqliteDatabase.open(tmp_path / "missing" / "x.db", writable=writable)


async def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_text("a diary, not a database " * 99)
    with pytest.raises(StorageError, match="no SQLite database"):
        await SqliteDatabase.open(path)


async def test_a_cancelled_wait_goes_on_to_the_end() -> None:
    future = Lasting[int]()

    async def wait() -> int:
        return await future

    task = asyncio.ensure_future(wait())
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    future.set_result(1)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_fails_for_a_cancelled_caller_is_the_end_of_its_wait(path: Path) -> None:
    database, go_on = await SqliteDatabase.open(path), threading.Event()
    task = asyncio.ensure_future(database.run(lambda session: go_on.wait(30) and session.raw.execute("nonsense")))
    await asyncio.sleep(0)
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await database.close()
    with pytest.raises(StorageError, match="closed"):
        await database.run(lambda session: session.in_transaction)


async def test_another_process_that_comes_and_goes_takes_no_commit_with_it(path: Path) -> None:
    """POSIX locks die with any close of the file in their process: a second look at it, by its path, once let a command
    on the host believe that it was the last user, and delete the write-ahead log under the running bot."""
    writer = await SqliteDatabase.open(path)
    await writer.run(lambda session: session.raw.execute("CREATE TABLE t (a)"))
    reader = await SqliteDatabase.open(path, writable=False)
    again = await SqliteDatabase.open(path)
    await again.close()
    await _elsewhere(path, "INSERT INTO t VALUES (1)")
    await writer.run(lambda session: session.raw.execute("INSERT INTO t VALUES (2)"))
    assert await _elsewhere(path, "SELECT sum(a) FROM t") == "3"
    for database in (reader, writer):
        await database.close()


async def _elsewhere(path: Path, sql: str) -> str:
    code = f"import sqlite3; c = sqlite3.connect({str(path)!r}, isolation_level=None); r = c.execute({sql!r}).fetchone()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"{code}; c.close(); print(r[0] if r else '')", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().strip()


async def test_another_process_that_opens_and_closes_the_file_takes_nothing_from_us(tmp_path: Path) -> None:
    """Were our locks gone, it would think itself the last one and delete the WAL that we go on writing to."""
    path, clock = tmp_path / "countersign.db", HandClock()
    store = await SqliteStore.open(path, clock)
    other = [sys.executable, "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
             " print(c.execute('SELECT count(*) FROM log_entry').fetchone()[0]); c.close()", str(path)]  # fmt: skip
    for entries in (1, 2):
        seen = await asyncio.to_thread(subprocess.run, other, capture_output=True, text=True, check=True)
        assert int(seen.stdout) == entries
        await store.commit(Transition(None, None, (LogEvent("a", CLOCK),)))
    await store.close()
    assert count(path, "log_entry") == 3
