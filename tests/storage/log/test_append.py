"""Appending to the stored log: chains, pseudonyms, time, the guards of the tables."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.domain.case.transition import CLOCK, SYSTEM, Actor, LogEvent, Private, Transition
from bot.domain.decision_log.merkle_tree import leaf_hash, subtree_root
from bot.ports.database import Location, PostgresServer
from storage.log.check import check_database
from storage.sql_store import SqlStore
from storage.store import SqliteStore
from tests.storage.making import (
    DEPUTY,
    MINUTE,
    OWNER,
    PE1,
    SECOND,
    T0,
    HandClock,
    attacker,
    beside,
    denial,
    expiry,
    filing,
    new_case,
)


async def log(store: SqlStore, *drafts: LogEvent) -> None:
    await store.commit(Transition(None, None, drafts))


async def entries(store: SqlStore) -> list[dict[str, Any]]:
    return [json.loads(row.data or b"") for row in await store.log.rows(0, 999)]


async def test_a_log_opens_with_entry_0(store: SqlStore) -> None:
    (row,) = await store.log.rows(0, 9)
    assert (row.data or b"").decode() == (
        '{"actor":{"kind":"system"},"i":0,"log":"test.example/log","ts":"2026-03-04T09:00:00.000Z",'
        '"type":"log.opened","v":"1"}'
    )
    assert row.leaf == leaf_hash(row.data or b"")


async def test_denials_and_expiries_are_recorded(store: SqlStore) -> None:
    await store.commit(denial(await filed(store, "R-1")))
    await store.commit(expiry(await filed(store, "R-2")))
    assert [e["type"] for e in await entries(store)][3::3] == ["request.denied", "request.expired"]


async def filed(store: SqlStore, case_id: str) -> Any:
    return await store.commit(filing(new_case(case_id)))


async def test_each_entry_of_a_case_names_the_one_before(store: SqlStore) -> None:
    await filed(store, "R-1")
    await filed(store, "R-2")
    await log(store, LogEvent("decision.refused", CLOCK, "R-1"), LogEvent("decision.refused", CLOCK, "R-1"))
    rows = await store.log.rows(0, 99)
    mine = [json.loads(row.data or b"") | {"leaf": row.leaf.hex()} for row in rows if row.case == "R-1"]
    assert [e["case_seq"] for e in mine] == [0, 1, 2, 3]
    assert "case_prev" not in mine[0]
    assert [e["case_prev"] for e in mine[1:]] == [e["leaf"] for e in mine[:3]]


async def test_a_person_has_one_pseudonym_and_its_mapping_is_disclosed_once(store: SqlStore, place: Location) -> None:
    await log(
        store,
        LogEvent("a", Actor("person", OWNER), data={"to": (DEPUTY, OWNER)}),
        LogEvent("b", CLOCK, data={"to": DEPUTY}),
    )
    await log(store, LogEvent("c", Actor("person", OWNER)))
    _, a, b, c = await entries(store)
    assert a["actor"]["ref"] == c["actor"]["ref"] == a["data"]["to"][1]
    assert b["data"]["to"] == a["data"]["to"][0] != c["actor"]["ref"]
    assert [len(e.get("_sd", [])) for e in (a, b, c)] == [2, 0, 0]
    with beside(place) as raw:
        subjects = raw.execute("SELECT idx, subject FROM log_private ORDER BY subject").fetchall()
    assert subjects == [(1, "T0HOME/U0DEP1"), (1, "T0HOME/U0OWNER")]


async def test_a_pseudonym_given_by_an_act_that_failed_is_given_again(store: SqlStore) -> None:
    with pytest.raises(Exception, match="2\\^53"):
        await log(store, LogEvent("a", Actor("person", OWNER)), LogEvent("b", CLOCK, data={"n": 2**60}))
    await log(store, LogEvent("a", Actor("person", OWNER)))
    assert len((await entries(store))[1]["_sd"]) == 1


async def test_time_in_the_log_never_goes_back(store: SqlStore, clock: HandClock) -> None:
    clock.at = T0 + MINUTE
    await log(store, LogEvent("a", CLOCK))
    clock.at -= 2 * SECOND
    await log(store, LogEvent("b", CLOCK))
    assert [(e["type"], e["ts"][14:19]) for e in (await entries(store))[1:]] == [("a", "01:00"), ("b", "01:00")]


async def test_a_clock_more_than_two_seconds_behind_is_recorded_once(store: SqlStore, clock: HandClock) -> None:
    clock.at = T0 + MINUTE
    await log(store, LogEvent("a", CLOCK))
    clock.at -= 3 * SECOND
    await log(store, LogEvent("b", CLOCK), LogEvent("c", CLOCK))
    await log(store, LogEvent("d", CLOCK))
    found = (await entries(store))[2:]
    assert [e["type"] for e in found] == ["clock.anomaly", "b", "c", "d"]
    assert found[0]["data"] == {"jump_ms": -3000}
    assert {e["ts"][14:19] for e in found} == {"01:00"}


async def test_after_an_accepted_anomaly_the_log_s_time_steps_back(
    store: SqlStore, place: Location, clock: HandClock
) -> None:
    clock.at = T0 + MINUTE
    await log(store, LogEvent("clock.anomaly", SYSTEM, data={"jump_ms": -60000, "accepted": True}))
    clock.at = T0
    await log(store, LogEvent("a", CLOCK), LogEvent("b", CLOCK))
    assert [e["ts"][14:19] for e in await entries(store)] == ["00:00", "01:00", "00:00", "00:00"]
    assert check_database(place).findings == ()


async def test_head_nodes_and_entries_agree_over_many_commits(store: SqlStore, place: Location) -> None:
    for n in range(0, 600, 7):
        await log(store, *(LogEvent("a", CLOCK, data={"n": n + k}) for k in range(7)))
    checked = check_database(place)
    leaves = [row.leaf for row in await store.log.rows(0, 9999)]
    assert (checked.findings, checked.size, checked.root) == ((), len(leaves), subtree_root(leaves))
    with beside(place) as raw:
        nodes = raw.execute("SELECT level, i, h FROM log_node ORDER BY i").fetchall()
    assert nodes == [(8, 0, subtree_root(leaves[:256])), (8, 1, subtree_root(leaves[256:512]))]


async def test_a_log_row_is_what_the_port_says(store: SqlStore) -> None:
    await filed(store, "R-1")
    rows = await store.log.rows(1, 1)
    assert [(row.idx, row.type, row.case, row.ts_ms) for row in rows] == [(1, "request.filed", "R-1", 1772614800000)]


ZERO = {"sqlite": "zeroblob(32)", "postgres": "decode(repeat('00', 32), 'hex')"}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM log_entry",
        "DELETE FROM log_entry WHERE idx = 2",
        "UPDATE log_entry SET data = NULL",
        "UPDATE log_entry SET ts_ms = ts_ms",
        "INSERT INTO log_entry VALUES (1, ZERO, NULL, 'x', NULL, 0)",
        "INSERT INTO log_entry VALUES (9, ZERO, NULL, 'x', NULL, 0)",
        "INSERT INTO log_entry VALUES (263, substr(ZERO, 1, 31), NULL, 'x', NULL, 0)",
        "DELETE FROM log_node",
        "UPDATE log_node SET h = ZERO",
        "INSERT INTO log_node VALUES (8, 0, ZERO)",
        "DELETE FROM log_head",
        "UPDATE log_head SET size = size - 1",
        "UPDATE log_head SET origin = 'other', size = size + 1",
        "INSERT INTO log_head VALUES ('other', 0, ZERO)",
        "DELETE FROM log_checkpoint",
        "UPDATE log_checkpoint SET note = ''",
        "INSERT INTO log_checkpoint VALUES (1, ZERO, 'other', 0)",
        "DELETE FROM log_anchor",
        "UPDATE log_anchor SET ref = ''",
    ],
)
async def test_nothing_in_the_log_is_changed_or_deleted(store: SqlStore, place: Location, statement: str) -> None:
    await log(store, *(LogEvent("a", CLOCK) for _ in range(260)))
    zero = ZERO["sqlite" if isinstance(place, Path) else "postgres"]
    with beside(place) as raw:
        raw.execute(f"INSERT INTO log_checkpoint VALUES (1, {zero}, 'note', 0)")
        raw.execute("INSERT INTO log_anchor VALUES (1, 'mail', 'ref', NULL, 0)")
        raw.commit()
        with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
            raw.execute(statement.replace("ZERO", zero))
        raw.rollback()


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("log_entry", "(1, zeroblob(32), x'00', 'x', NULL, 0)"),
        ("log_node", "(8, 0, zeroblob(32))"),
        ("log_checkpoint", "(1, zeroblob(32), 'other', 0)"),
    ],
)
async def test_replace_is_no_way_around_it(sqlite_store: SqliteStore, path: Path, table: str, values: str) -> None:
    """INSERT OR REPLACE, which only SQLite has."""
    await log(sqlite_store, *(LogEvent("a", CLOCK) for _ in range(260)))
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("INSERT INTO log_checkpoint VALUES (1, zeroblob(32), 'note', 0)")
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute(f"INSERT OR REPLACE INTO {table} VALUES {values}")


@pytest.mark.parametrize("table", ["log_entry", "log_node", "log_head", "log_checkpoint", "log_anchor"])
async def test_truncate_is_no_way_around_it(postgres_database: PostgresServer, table: str) -> None:
    """TRUNCATE, which only PostgreSQL has."""
    with beside(postgres_database) as raw:
        with pytest.raises(psycopg.IntegrityError):
            raw.execute(f"TRUNCATE {table}")
        raw.rollback()


async def test_disclosures_can_be_deleted(store: SqlStore, place: Location) -> None:
    await log(store, LogEvent("a", CLOCK, private=(Private("reason", "x", PE1),)))
    with beside(place) as raw:
        assert raw.execute("DELETE FROM log_private").rowcount == 1
        raw.rollback()


async def test_an_erased_disclosure_leaves_no_trace_in_the_file(path: Path, clock: HandClock) -> None:
    """The marker is in the base64 of the disclosure; after the delete and a WAL checkpoint no byte of it is left."""
    store = await SqliteStore.open(path, clock)
    await log(store, LogEvent("a", CLOCK, private=(Private("reason", "Zanzibar " * 400, PE1),)))
    with closing(sqlite3.connect(path)) as raw:
        marker = raw.execute(
            "SELECT substr(disclosure, 100, 60) FROM log_private WHERE length(disclosure) > 999"
        ).fetchone()[0]

    def erase(tx: Any) -> None:
        tx.session.raw.execute("DELETE FROM log_private")

    assert store.transactions.group is not None
    await store.transactions.group.run(erase)
    await store.close()
    assert marker.encode() not in path.read_bytes()


async def test_a_log_whose_head_was_cut_takes_no_more_entries(store: SqlStore, place: Location) -> None:
    await log(store, LogEvent("a", CLOCK))
    with attacker(place) as raw:
        raw.execute("UPDATE log_head SET size = 1, edge = substr(edge, 1, 32)")
    with pytest.raises(Exception, match=r"[nN]othing was written"):
        await log(store, LogEvent("b", CLOCK))
