"""Pruning: old bytes go in whole bundles, hashes and proofs stay, and nothing else of an entry ever changes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from bot.background.operator_jobs import OperatorJobs, pruning
from bot.cli.log import app as log_app
from bot.decision_log import signer_memory
from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from bot.evidence.check import check_export
from bot.evidence.prepare import exported
from bot.settings import load
from storage.log.check import check_log
from tests.bot import parts
from tests.bot.background.test_housekeeper import ASKER, OWNER, bytes_of, filed
from tests.bot.background.test_operator_jobs import Voices
from tests.bot.building import DAY
from tests.bot.hosting import Host
from tests.database import connect
from tests.rules.test_erasure import AUDIT, RISK
from tests.storage.making import attacker

MARK = "0123456789abcdef" * 4


async def fill(host: Host, entries: int) -> None:
    """So many entries, and a case that is over."""
    case_id = await filed(host)
    await host.click(OWNER, case_id, "deny")
    draft = LogEvent("log.verified", SYSTEM, data={"size": 1, "root": MARK})
    await host.store.commit(Transition(None, None, (draft,) * entries))


async def pruned(host: Host, before: str = "2100-01-01") -> tuple[str, str]:
    """Filed, confirmed and run: state and result."""
    code, act_id = await host.type("prune", "--before", before, app=log_app)
    assert code == 0, act_id
    voices = Voices(host)
    for person in (AUDIT, RISK):
        await voices.press(person, act_id)
    await OperatorJobs(parts.jobs(host), {"prune": pruning(parts.jobs(host))}).work()
    act = await voices.act(act_id)
    return str(act.state), act.result


def emptied(host: Host) -> list[int]:
    return [row["idx"] for row in host.rows("SELECT idx FROM log_entry WHERE data IS NULL ORDER BY idx")]


@pytest.mark.sqlite  # it reads the bytes of the database's file
async def test_old_bundles_are_emptied_and_log_and_export_still_verify(host: Host, tmp_path: Path) -> None:
    await fill(host, 600)
    assert bytes_of(host.path).count(MARK.encode()) >= 600
    assert await pruned(host) == ("done", "The entries below 512 hold their hashes only.")
    assert emptied(host) == list(range(512))
    assert [e["data"] for e in host.log(start=512) if e["type"] == "log.pruned"] == [{"minimum": 512}]
    assert bytes_of(host.path).count(MARK.encode()) < 120
    assert not (await check_log(host.place)).findings
    signer_memory.begin(load().state_dir, "test.example/log")
    out = tmp_path / "evidence"
    assert not (await exported(load(), out, None, "tiles")).findings
    assert not check_export(out).findings
    bundles = [p.relative_to(out / "tile/entries").as_posix() for p in (out / "tile/entries").rglob("*") if p.is_file()]
    assert [name for name in bundles if not name.startswith("002.p/")] == []
    assert (await host.type("verify", app=log_app))[0] == 0


async def test_the_last_bundle_is_never_reached(host: Host) -> None:
    await fill(host, 600)
    size = (await host.store.log.head()).size
    await host.store.commit(Transition(None, None, (LogEvent("log.verified", SYSTEM, data={"size": 1}),) * (768 - size)))
    assert (await host.store.log.head()).size == 768
    host.sleep(20 * DAY)
    assert await host.store.operator.prunable(host.clock.now()) == 512
    await host.store.commit(Transition(None, None, (LogEvent("log.verified", SYSTEM, data={"size": 1}),)))
    assert await host.store.operator.prunable(host.clock.now() + DAY) == 768


@pytest.mark.parametrize("kept", ["hold", "case"])
async def test_what_a_hold_covers_or_a_case_still_needs_stays_whole(host: Host, kept: str) -> None:
    if kept == "hold":
        await fill(host, 600)
        await host.type("hold", "place", str(ASKER), "--reason", "court", app=log_app)
    else:
        await host.ask()
        await fill(host, 600)
    code, text = await host.type("prune", "--before", "2100-01-01", app=log_app)
    assert code == 1
    assert "held by nobody" in text


async def test_a_date_is_wanted_and_nothing_old_is_refused(host: Host) -> None:
    await fill(host, 600)
    assert (await host.type("prune", "--before", "yesterday", app=log_app))[0] == 2
    assert (await host.type("prune", "--before", "2001-01-01", app=log_app))[0] == 1
    await pruned(host)
    assert (await host.type("prune", "--before", "2100-01-01", app=log_app))[0] == 1


async def test_a_killed_pruning_goes_on_with_its_minimum(host: Host) -> None:
    await fill(host, 600)
    code, act_id = await host.type("prune", "--before", "2100-01-01", app=log_app)
    assert code == 0
    for person in (AUDIT, RISK):
        await Voices(host).press(person, act_id)
    await host.store.operator.begin_pruning(act_id, host.clock.now() + DAY, host.policy)
    await host.store.operator.empty_entries(100)
    assert not (await check_log(host.place)).findings
    host.sleep(timedelta(minutes=2))
    await OperatorJobs(parts.jobs(host), {"prune": pruning(parts.jobs(host))}).work()
    assert emptied(host) == list(range(512))
    assert [e["type"] for e in host.log(start=512)].count("log.pruned") == 1


async def test_the_database_lets_nothing_of_an_entry_change_but_its_bytes_below_a_minimum(host: Host) -> None:
    await fill(host, 600)
    await pruned(host)
    with closing(connect(host.path)) as raw:
        for change in (
            "data = NULL WHERE idx = 512", "data = x'00' WHERE idx = 3", "leaf = (SELECT leaf FROM log_entry WHERE idx = 4) WHERE idx = 3",
            "type = 'x' WHERE idx = 3", "ts_ms = 0 WHERE idx = 3", "case_id = 'R-1' WHERE idx = 3", "idx = -1 WHERE idx = 3",
        ):  # fmt: skip
            with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError), match="never changes"):
                raw.execute(f"UPDATE log_entry SET {change}")
            raw.rollback()


async def test_bytes_that_are_gone_above_every_minimum_are_a_finding(host: Host) -> None:
    await fill(host, 600)
    await pruned(host)
    with attacker(host.place) as raw:
        raw.execute("UPDATE log_entry SET data = NULL WHERE idx = 520")
    assert {f.code for f in (await check_log(host.place)).findings} == {"pruned"}
