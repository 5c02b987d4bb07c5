"""The high-water mark of time, as stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.case.transition import CLOCK, LogEvent, Transition
from bot.domain.errors import Frozen
from bot.domain.failsafe.clock_guard import accepted
from bot.domain.failsafe.clock_jump import Mark
from storage.health.sqlite import examine
from storage.sql_store import SqlStore
from storage.store import SqliteStore
from tests.storage.making import HOUR, MINUTE, T0, HandClock, approval, denial, filing, new_case

SECOND = timedelta(seconds=1)
MARK = Mark(T0 + MINUTE, 500 * SECOND, "boot-1", T0 - HOUR)
JUMPED = replace(MARK, jump=-HOUR)


async def test_a_mark_is_read_as_it_was_written(store: SqlStore) -> None:
    for mark in (MARK, replace(MARK, high=T0 + HOUR, boot="boot-2"), JUMPED):
        await store.clock.keep(mark)
        assert await store.clock.mark() == mark


async def test_a_jump_stays_until_it_is_accepted(store: SqlStore) -> None:
    await store.clock.keep(JUMPED)
    await store.clock.keep(replace(MARK, jump=2 * HOUR))
    await store.clock.keep(MARK)
    assert await store.clock.mark() == JUMPED
    await store.clock.accept(lambda: MARK, accepted(-HOUR))
    assert await store.clock.mark() == MARK


async def test_the_log_is_a_mark_with_every_commit(store: SqlStore, clock: HandClock) -> None:
    await store.clock.keep(MARK)
    clock.at = T0 + HOUR
    await store.commit(Transition(None, None, (LogEvent("a", CLOCK),)))
    found = await store.clock.mark()
    assert found is not None
    assert found.high == T0 + HOUR


async def test_where_nobody_kept_the_time_yet_the_log_says_how_far_it_came(store: SqlStore) -> None:
    assert await store.clock.mark() == Mark(T0, timedelta(0), "", T0)


async def test_only_a_jump_that_is_not_accepted_can_be_wished_away(store: SqlStore) -> None:
    await store.clock.keep(MARK)
    assert not await store.clock.request_acceptance()
    assert not await store.clock.acceptance_requested()
    await store.clock.keep(JUMPED)
    assert await store.clock.request_acceptance()
    assert await store.clock.acceptance_requested()
    await store.clock.accept(lambda: MARK, accepted(-HOUR))
    assert not await store.clock.acceptance_requested()


async def test_while_a_jump_stays_a_yes_is_not_written_and_a_no_is(store: SqlStore) -> None:
    case = await store.commit(filing(new_case("R-1")))
    assert case is not None
    await store.clock.keep(JUMPED)
    with pytest.raises(Frozen):
        await store.commit(approval(case))
    assert await store.cases.case("R-1") == case
    assert await store.commit(denial(case)) is not None


async def test_doctor_names_a_jump_that_is_not_accepted(sqlite_store: SqliteStore, path: Path) -> None:
    await sqlite_store.clock.keep(MARK)
    assert await examine(path) == []
    await sqlite_store.clock.keep(JUMPED)
    (found,) = await examine(path)
    assert (found.severity, found.area) == ("error", "clock")
    assert "1 h back" in found.text
