"""Which sets still bind after a start: a matter of time, not of how many were accepted since."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

import runbooks
from bot.background.policy_reload import accepted_sets, first_policy
from bot.domain.authority.policy_rollout import Sets
from bot.domain.errors import PolicyError
from storage.store import SqliteStore
from tests.bot.building import DAY, MINUTE, filing_of, policy
from tests.bot.office import HandClock
from tests.database import open_store

EXAMPLE = Path(runbooks.__file__).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "runbooks"
    copied.mkdir()
    for file in EXAMPLE.iterdir():
        if file.suffix in (".yaml", ".md", ".csv", ".ics"):
            shutil.copy(file, copied)
    return copied


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    opened = await open_store(tmp_path / "countersign.db", clock, "test.example/log", tmp_path / "state")
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def edit(folder: Path, text: str) -> None:
    matrix = folder / "responsibility.yaml"
    lines = [line for line in matrix.read_text().splitlines() if not line.startswith("policy_delay:")]
    matrix.write_text("\n".join([*lines, text, ""]))


async def take_up(store: SqliteStore, clock: HandClock, folder: Path, text: str) -> Sets:
    """The files change, and the bot starts."""
    edit(folder, text)
    await first_policy(store, clock, folder, 1)
    sets = await accepted_sets(store, clock.now(), 1)
    assert sets is not None
    return sets


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(file.read_text() for file in EXAMPLE.iterdir() if file.suffix in (".yaml", ".md"))
    for name in {word.split('"')[0].strip("},") for word in text.replace("'", '"').split("env:")[1:]}:
        monkeypatch.setenv(name.split()[0], "json://127.0.0.1:1")


async def test_a_set_is_not_forgotten_after_twenty_two_more_within_its_delay(
    store: SqliteStore, clock: HandClock, folder: Path
) -> None:
    first = (await take_up(store, clock, folder, "policy_delay: 15m")).current
    for number in range(22):
        clock.at += timedelta(seconds=5)
        sets = await take_up(store, clock, folder, f"policy_delay: {number}s")
    assert len(sets.sets) == 23
    assert sets.sets[0].policy.digest == first.digest
    assert first.digest in {older.digest for older in sets.also_binding(clock.now())}


async def test_a_set_whose_delay_is_over_is_read_no_more(store: SqliteStore, clock: HandClock, folder: Path) -> None:
    await take_up(store, clock, folder, "policy_delay: 15m")
    clock.at += MINUTE
    await take_up(store, clock, folder, "policy_delay: 16m")
    clock.at += 15 * MINUTE
    sets = await accepted_sets(store, clock.now(), 1)
    assert sets is not None
    assert [one.policy.policy_delay for one in sets.sets] == [16 * 60]


async def test_a_set_is_kept_for_a_request_that_was_filed_before_it_was_left(
    store: SqliteStore, clock: HandClock, folder: Path
) -> None:
    await take_up(store, clock, folder, "policy_delay: 15m")
    filed = clock.at
    await store.commit(filing_of(policy(), at=filed))
    clock.at += MINUTE
    await take_up(store, clock, folder, "policy_delay: 16m")
    clock.at += 30 * DAY
    sets = await accepted_sets(store, clock.now(), 1)
    assert sets is not None
    assert [one.policy.policy_delay for one in sets.sets] == [15 * 60, 16 * 60]
    assert [older.policy_delay for older in sets.also_binding(filed)] == [15 * 60]


async def test_a_start_without_any_valid_set_says_each_error_once(
    store: SqliteStore, clock: HandClock, folder: Path
) -> None:
    edit(folder, "policy_delay: soon")
    with structlog.testing.capture_logs() as lines, pytest.raises(PolicyError, match="policy_delay"):
        await first_policy(store, clock, folder, 1)
    assert [line for line in lines if line["log_level"] == "error"] == []


async def test_a_folder_whose_set_was_superseded_brings_it_not_back_among_replicas(
    store: SqliteStore, clock: HandClock, folder: Path, tmp_path: Path
) -> None:
    edit(folder, "policy_delay: 15m")
    behind = Path(shutil.copytree(folder, tmp_path / "behind"))
    first = await first_policy(store, clock, behind, 1, shared=True)
    clock.at += timedelta(seconds=5)
    edit(folder, "policy_delay: 20m")
    newer = await first_policy(store, clock, folder, 1, shared=True)
    with structlog.testing.capture_logs() as lines:
        assert (await first_policy(store, clock, behind, 1, shared=True)).digest == newer.digest != first.digest
    assert [(line["event"], line["digest"]) for line in lines if line["log_level"] == "error"] == [
        ("policy.stale", first.digest)
    ]
    sets = await accepted_sets(store, clock.now(), 1)
    assert sets is not None
    assert sets.current.digest == newer.digest
    assert (
        await first_policy(store, clock, behind, 1)
    ).digest == first.digest  # a process that is alone follows its folder
