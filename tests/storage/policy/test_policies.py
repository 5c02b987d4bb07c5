"""Accepted policy sets and their bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bot.domain.case.transition import SYSTEM, LogEvent
from bot.domain.errors import StorageError
from bot.domain.policy.model import PolicyFile
from bot.ports.database import Location
from bot.ports.records import StoredPolicy
from storage.sql_store import SqlStore
from tests.storage.making import MINUTE, T0, beside, count


def file(path: str, content: bytes) -> PolicyFile:
    return PolicyFile(path, hashlib.sha256(content).hexdigest(), content)


MATRIX, RUNBOOK, CHANGED = file("responsibility.yaml", b"a: 1\n"), file("admin.md", b"# 1\n"), file("admin.md", b"# 2\n")
FIRST = StoredPolicy("d1", T0, (RUNBOOK, MATRIX))
SECOND = StoredPolicy("d2", T0 + MINUTE, (CHANGED, MATRIX))
LOADED = [LogEvent("policy.loaded", SYSTEM)]


async def test_the_last_accepted_set_is_found_again(store: SqlStore) -> None:
    assert await store.policies.last() is None
    await store.policies.accept(FIRST, LOADED)
    assert await store.policies.last() == FIRST
    await store.policies.accept(SECOND, LOADED)
    assert await store.policies.last() == SECOND
    assert await store.policies.by_digest("d1") == FIRST
    assert await store.policies.by_digest("d3") is None


async def test_a_set_accepted_again_at_a_restart_keeps_its_time(store: SqlStore, place: Location) -> None:
    await store.policies.accept(FIRST, LOADED)
    await store.policies.accept(StoredPolicy("d1", T0 + MINUTE, FIRST.files), LOADED)
    assert await store.policies.last() == FIRST
    assert count(place, "policy_set") == 1
    assert count(place, "log_entry") == 3


async def test_going_back_to_an_older_set_makes_it_the_last(store: SqlStore) -> None:
    for policy in (FIRST, SECOND, StoredPolicy("d1", T0 + 2 * MINUTE, FIRST.files)):
        await store.policies.accept(policy, ())
    assert await store.policies.last() == StoredPolicy("d1", T0 + 2 * MINUTE, FIRST.files)


async def test_a_frozen_runbook_is_found_by_its_digest_after_it_changed(store: SqlStore, place: Location) -> None:
    await store.policies.accept(FIRST, ())
    await store.policies.accept(SECOND, ())
    assert await store.policies.file_by_hash(RUNBOOK.sha256) == b"# 1\n"
    assert await store.policies.file_by_hash("00" * 32) is None
    assert count(place, "blob") == 3


async def test_a_runbook_that_was_swapped_in_the_database_is_not_shown(store: SqlStore, place: Location) -> None:
    await store.policies.accept(FIRST, ())
    kind = "BLOB" if isinstance(place, Path) else "BYTEA"
    with beside(place) as raw:
        raw.execute(f"UPDATE blob SET content = CAST('# 3' AS {kind}) WHERE sha256 = '{RUNBOOK.sha256}'")
    with pytest.raises(StorageError, match=RUNBOOK.sha256):
        await store.policies.file_by_hash(RUNBOOK.sha256)
    with pytest.raises(StorageError):
        await store.policies.last()


async def test_a_file_that_is_not_its_digest_is_not_accepted(store: SqlStore, place: Location) -> None:
    with pytest.raises(StorageError):
        await store.policies.accept(StoredPolicy("d", T0, (MATRIX, PolicyFile("x.md", "00" * 32, b"x"))), LOADED)
    assert (count(place, "blob"), count(place, "policy_set"), count(place, "log_entry")) == (0, 0, 1)
