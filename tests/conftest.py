"""How hard Hypothesis looks, and offices that several folders of tests open."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from playwright.async_api import Browser, async_playwright

from bot.domain.policy.model import Policy
from bot.ports.database import PostgresServer
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from tests import database
from tests.bot.building import policy
from tests.bot.office import Office
from tests.postgres import PostgresForTests, running
from tests.quicker import (
    collect_nothing_while_loading,
    copy_the_schema,
    dealt,
    exempt_from_collection,
    keep_temporary_files_in_memory,
    lent,
    workers,
)

EXAMPLE = Path(__file__).parents[1] / "runbooks"
CHROMIUM_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--force-color-profile=srgb",
    "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
)  # fmt: skip

os.umask(0o077)  # a careful operator's, for all tests: what they write for other accounts they open to them (`chmod`)
collect_nothing_while_loading()
keep_temporary_files_in_memory()
copy_the_schema()
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a run in the background; what it starts would ignore Ctrl-C too
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("quick", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "thorough", deadline=None, max_examples=1500, stateful_step_count=80, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

FILES = {"written_once", "year"}  # fixtures that write a database once, which tests copy as a file
LONGEST = ("test_chaos", "test_kill", "test_random_session", "test_token_revoked")  # files that begin so take longest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each worker begins with runs of a whole bot, so that none begins one when the others have nothing left to do. The random
    order within each group stays."""
    if database.chosen.kind != "sqlite":
        items[:] = [
            item for item in items if item.get_closest_marker("sqlite") is None and not FILES & {*fixtures_of(item)}
        ]
    items[:] = dealt(items, takes_longest, runs_a_bot, getattr(config, "workerinput", {}).get("workercount", 1))


def takes_longest(item: pytest.Item) -> bool:
    return item.path.name.startswith(LONGEST)


def runs_a_bot(item: pytest.Item) -> bool:
    return "end_to_end" in item.path.parts


def fixtures_of(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`."""
    return workers()


def pytest_collection_finish() -> None:
    exempt_from_collection()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresForTests]:
    """The PostgreSQL of this worker."""
    with running() as url:
        yield PostgresForTests(url)


@pytest.fixture(scope="session", autouse=True)
def _chosen_database(request: pytest.FixtureRequest) -> None:
    """On PostgreSQL every worker needs its server from the beginning."""
    if database.chosen.kind == "postgresql":
        database.chosen.server = request.getfixturevalue("postgres")


@pytest.fixture(autouse=True)
def _given_back(request: pytest.FixtureRequest, _chosen_database: None) -> Iterator[None]:
    """A test that bears the mark `both` runs on each database in turn; what it was given goes back at its end."""
    kind: str = getattr(request, "param", database.chosen.kind)
    if kind == "postgresql":
        database.chosen.server = request.getfixturevalue("postgres")
    with database.chosen.for_a_test(kind):
        yield


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marked = metafunc.definition.get_closest_marker
    if database.chosen.kind == "sqlite" and marked("both") and not marked("sqlite"):
        metafunc.parametrize("_given_back", database.NAMES, indirect=True)


@pytest.fixture
def no_umask() -> Iterator[None]:
    """Files and folders bear the modes that the product itself gives them."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def postgres_database(postgres: PostgresForTests) -> Iterator[PostgresServer]:
    """A database with the newest schema, for one test."""
    place = postgres.database()
    yield place
    postgres.give_back(place)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """An office of the small organisation, with a real store."""
    async with Office(tmp_path / "countersign.db", policy()) as opened:
        yield opened


@pytest.fixture(scope="session")
def example() -> Policy:
    """The example organisation that ships, Example Health Trust."""
    loaded = load_files(read_folder(EXAMPLE))
    assert loaded.policy is not None
    return loaded.policy


@pytest.fixture
async def trust(tmp_path: Path, example: Policy) -> AsyncIterator[Office]:
    """An office of the example organisation, with a real store."""
    async with Office(tmp_path / "countersign.db", example) as opened:
        yield opened


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Chromium that the tests of one worker share; each has contexts (cookies, pages) of its own.

    A machine without one fails here, and never skips.
    """
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    assert path is not None, "Chromium is missing: install Debian's chromium, or set CHROMIUM to its path."
    home = tmp_path_factory.mktemp("chromium")
    running = subprocess.Popen(
        [path, *CHROMIUM_FLAGS, "--remote-debugging-port=0", f"--user-data-dir={home}"], stderr=subprocess.DEVNULL
    )
    try:
        yield devtools(home / "DevToolsActivePort", running)
    finally:
        running.terminate()
        running.wait(30)


def devtools(written: Path, running: subprocess.Popen[bytes], seconds: float = 60) -> str:
    """The address that Chromium writes once it listens: the port in one line, the path in the next."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert running.poll() is None, f"Chromium ended with {running.returncode}"
        if written.exists() and len(lines := written.read_text().splitlines()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.02)
    raise TimeoutError(f"Chromium did not listen within {seconds} s")


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A connection to the worker's Chromium; what this test opened in it closes with the connection."""
    async with async_playwright() as playwright:
        connected = await playwright.chromium.connect_over_cdp(chromium)
        yield connected
        await connected.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _connected(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        connected = await playwright.chromium.connect_over_cdp(chromium)
        yield connected
        await connected.close()


@pytest_asyncio.fixture(loop_scope="session")
async def shared_browser(_connected: Browser) -> AsyncIterator[Browser]:
    """The same by the one connection of this worker, for tests that run in the session's loop."""
    async with lent(_connected):
        yield _connected
