"""The year: its log has no findings, its decisions hold, and the same seed gives the same entries."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.decision_log.keys import vkey_lines
from bot.demo.year import organisation
from bot.demo.year.draws import request_id
from bot.demo.year.writing import ORIGIN, write_year
from bot.evidence.check import check_export
from bot.evidence.export import export
from bot.evidence.folder import Folder
from bot.runtime.log_verification import TrustBase, verify
from storage.log.evidence import evidence


def test_the_organisation_has_the_size_that_the_reports_are_measured_with() -> None:
    policy = organisation.policy()
    assert (len(policy.providers), len(policy.domains), len(policy.runbooks)) == (3, 12, 40)


async def test_a_written_year_verifies_and_each_decision_in_it_holds(tmp_path: Path) -> None:
    database, state = tmp_path / "year.db", tmp_path / "state"
    written = await write_year(database, state, 120)
    checked = verify(database, TrustBase(None, state))
    assert (checked.findings, checked.unknown_types) == ((), ())
    assert checked.size == written + 2  # log.opened and policy.loaded
    with evidence(database) as log, Folder(tmp_path / "export") as folder:
        export(log, vkey_lines(state, ORIGIN), folder)
    judged = check_export(tmp_path / "export")
    assert (judged.findings, judged.unproven) == ([], 0)


async def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    found = {}
    for name, seed in (("one", "a"), ("two", "a"), ("three", "b")):
        await write_year(tmp_path / f"{name}.db", tmp_path / name, 30, seed)
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as raw:
            found[name] = raw.execute("SELECT data FROM log_entry ORDER BY idx").fetchall()
    assert found["one"] == found["two"] != found["three"]


def test_request_ids_are_all_different() -> None:
    found = {request_id(n) for n in range(20_000)}
    assert len(found) == 20_000
    assert {len(one) for one in found} == {10}
