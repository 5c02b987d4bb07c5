"""What makes the suite quicker and leaves the product as it is: temporary files in memory, the schema copied instead of
migrated anew for each test, more workers than cores, and modules that no garbage collection walks."""

from __future__ import annotations

import atexit
import functools
import gc
import itertools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from playwright.async_api import Browser

from storage.migration_list import Migration
from storage.sqlite import schema
from storage.sqlite.driver import SqliteSession

T = TypeVar("T")
MEMORY = Path("/dev/shm")
ENOUGH = 4 << 30  # bytes; a whole run needs about one gigabyte
FOR_A_WORKER = 1 << 30  # bytes of memory, with its browser and its PostgreSQL
migrate_anew = schema.migrate


def keep_temporary_files_in_memory() -> None:
    """Databases, state folders, PostgreSQL's cluster and the browser's profile lie in memory where there is room: fsync costs
    nothing there. No test cuts the power, and a process that is killed loses nothing that it wrote.

    What pytest keeps of a failed test outlasts the run; everything else goes with it, whoever left it."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ENOUGH:
        return
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    folder = tempfile.mkdtemp(prefix="countersign-tests-", dir=MEMORY)
    os.chmod(folder, 0o755)  # as root PostgreSQL runs under another account
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    os.environ["NODE_COMPILE_CACHE"] = f"{folder}/node"  # each Playwright driver would compile the same JavaScript again
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


@functools.cache
def _migrated() -> sqlite3.Connection:
    """A database in memory with the newest schema."""
    made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate_anew(SqliteSession(made), 0)
    return made


def copied(session: SqliteSession, now_ms: int, all_of_them: tuple[Migration, ...] | None = None) -> int:
    """Stands in for `schema.migrate`: into an empty file it copies the pages that the real one made."""
    if all_of_them is None and not session.raw.execute("SELECT 1 FROM sqlite_master").fetchone():
        _migrated().backup(session.raw)
        session.raw.execute("UPDATE schema_version SET applied_ms = ?", (now_ms,))
    return migrate_anew(session, now_ms, all_of_them)


def copy_the_schema() -> None:
    """From now on the store that a test opens in this process has its schema from a copy. The tests of the schema take
    `migrate_anew`, and every `countersign` in a process of its own migrates as it does for a user."""
    schema.migrate = copied


def workers() -> int:
    """Three for each core, where the memory is enough: the tests of a whole bot wait three quarters of their time, for reminders
    that fall due and for what Slack believes for ten seconds."""
    cores = len(os.sched_getaffinity(0))
    return max(1, min(3 * cores, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") // FOR_A_WORKER))


def dealt(items: Sequence[T], longest: Callable[[T], bool], waits: Callable[[T], bool], hands: int) -> list[T]:
    """These in an order in which the workers of a run begin with what waits: xdist gives each one stretch of the list, as long
    as the others' (`--dist worksteal`), and lets it steal when it has nothing left.

    A third of the workers begins with the longest, which are the heaviest too, so that few of them run at once; the others
    share the rest of what waits.
    """
    few = max(1, hands // 3)
    shares: list[list[T]] = [[] for _ in range(hands)]
    for number, item in enumerate(item for item in items if longest(item)):
        shares[number % few].append(item)
    for number, item in enumerate(item for item in items if waits(item) and not longest(item)):
        shares[few + number % (hands - few) if hands > few else 0].append(item)
    quick = iter([item for item in items if not (longest(item) or waits(item))])
    found: list[T] = []
    for hand, share in enumerate(shares):
        rest = max(0, (len(items) - len(found)) // (hands - hand) - len(share))
        found += [*share, *itertools.islice(quick, rest)]
    return [*found, *quick]


def collect_nothing_while_loading() -> None:
    """Modules and tests stay to the end: no garbage collection need walk them while there are more and more of them."""
    gc.disable()


def exempt_from_collection() -> None:
    """A full garbage collection need not walk them after every few tests either."""
    gc.freeze()
    gc.enable()


@asynccontextmanager
async def lent(browser: Browser) -> AsyncIterator[None]:
    """At the end it has no context (cookies, pages) that it did not have before. A connection for each test is dearer than most
    tests: it starts a program of Node's."""
    before = browser.contexts
    yield
    for context in browser.contexts:
        if context not in before:
            await context.close()
