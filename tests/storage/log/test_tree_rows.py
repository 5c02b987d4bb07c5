"""Proofs from what is stored, over the edges of stored nodes."""

from __future__ import annotations

import pytest

from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from bot.domain.decision_log.inclusion_proof import extends, includes
from bot.domain.decision_log.merkle_tree import root
from bot.domain.errors import StorageError
from bot.ports.database import Location
from storage.sql_store import SqlStore
from tests.storage.making import attacker

SIZE = 601  # two whole bundles of 256 and the beginning of a third


@pytest.fixture
async def grown(store: SqlStore) -> SqlStore:
    await store.commit(Transition(None, None, tuple(LogEvent("log.verified", SYSTEM) for _ in range(SIZE - 1))))
    return store


async def test_every_kind_of_place_is_proved_from_stored_nodes(grown: SqlStore) -> None:
    head = await grown.log.head()
    rows = await grown.log.rows(0, SIZE)
    for index in (0, 255, 256, 511, 512, 599, 600):
        path = await grown.log.inclusion(index, SIZE)
        assert includes(index, SIZE, rows[index].leaf, path, root(head.edge))


async def test_the_head_is_shown_to_extend_an_older_one(grown: SqlStore) -> None:
    before = await grown.log.head()
    await grown.commit(Transition(None, None, (LogEvent("log.verified", SYSTEM),)))
    after, path = await grown.log.consistency(before.size)
    assert extends(before.size, after.size, root(before.edge), root(after.edge), path)
    assert (await grown.log.consistency(0))[1] == []


async def test_a_log_shorter_than_what_it_should_extend_is_an_error(grown: SqlStore) -> None:
    with pytest.raises(StorageError, match="601 entries, fewer than 602"):
        await grown.log.consistency(602)
    with pytest.raises(StorageError, match="no entry 601"):
        await grown.log.inclusion(601, 601)


@pytest.mark.parametrize(
    ("lost", "said"),
    [("DELETE FROM log_node WHERE i = 0", "level 8 from 0"), ("DELETE FROM log_entry WHERE idx = 600", "from 600")],
)
async def test_a_missing_node_or_leaf_is_named(grown: SqlStore, place: Location, lost: str, said: str) -> None:
    with attacker(place) as raw:
        raw.execute(lost)
    with pytest.raises(StorageError, match=said):
        await grown.log.inclusion(300, SIZE)
