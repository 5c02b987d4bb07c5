"""The twenty questions of auditors: what each answer names is there in real packs, and filled."""

from __future__ import annotations

import asyncio
import csv
import re
import shutil
from pathlib import Path
from typing import TypeAlias

import pytest

from bot.clock import SystemClock
from bot.decision_log.signer import signer_of
from bot.demo.year.organisation import policy as year_policy
from bot.demo.year.writing import ORIGIN
from bot.domain.case.click import Refusal
from bot.domain.case.transition import LogEvent, Transition, Value
from bot.domain.decision_log.entry_types import ENTRY_TYPES
from bot.domain.decision_log.events import actor
from bot.domain.policy.people import Person
from storage.sqlite.lock import FileLock
from storage.store import SqliteStore
from tests.bot.evidence.conftest import written as written
from tests.bot.evidence.conftest import written_once as written_once
from tests.bot.reports.conftest import pack as pack
from tests.bot.reports.conftest import year as year
from tests.bot.reports.conftest import year_packed

OWNER = Person("T0YEAR", "U0OWNER02")
DOC = Path(__file__).parents[2] / "docs" / "audit" / "questions.md"
_ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| `?([\w ]+?)(?:\.csv)?`? \| (.+?) \|$", re.MULTILINE)
ANSWERS = {int(number): (file, text) for number, _, _, file, text in _ROW.findall(DOC.read_text("utf-8"))}
SHOWN = [number for number, (file, _) in ANSWERS.items() if file != "not shown here"]
Rows: TypeAlias = "list[dict[str, str]]"


def rows(pack: Path, name: str) -> Rows:
    with (pack / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def named_types(text: str) -> list[str]:
    """The types of entries that an answer names; `.revoked` follows `grant.lapsed`."""
    found: list[str] = []
    for token in re.findall(r"`([a-z_]*\.[a-z_]+)`", text):
        full = found[-1].partition(".")[0] + token if token.startswith(".") else token
        if not full.endswith(".csv"):
            found.append(full)
    return found


def event(type_: str, **data: Value) -> LogEvent:
    return LogEvent(type_, actor(year_policy(), OWNER), data=data)


GOVERNED = (
    event("grant.revoked", closed_by="attested", seconds=60), event("grant.unused", closed_by="attested", seconds=60),
    event("campaign.closed", id="V-1", kept=1, domains=("vault",)), event("right.kept", item="autonomous", of="vault-38-autonomous"),
    event("right.narrowed", item="autonomous", of="vault-38-autonomous", by="silence"), event("right.withdrawn", item="break_glass", of="x"),
    event("matrix.confirmed", domains=("vault",)), event("matrix.disputed", domains=("vault",)), event("matrix.overdue", domains=("vault",)),
    event("subject.verified", name="call_back", domain="vault"), event("rotation.attested", name="rotation", domain="vault"),
    event("provider.ended", provider="alder"), event("provider.suspended", provider="alder"),
    event("exception.renewed", domain="vault", until="2026-12-31"),
    event("reconciliation.recorded", source="pam", as_of="2026-11-01", domains={}),
)  # fmt: skip
"""What neither log has, as its entries are written."""


@pytest.fixture(scope="module")
def governed(year: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of a year in which what GOVERNED lists happened too."""
    home = tmp_path_factory.mktemp("governed")
    shutil.copy(year, home / year.name)
    shutil.copytree(year.parent / "state", home / "state")

    async def write() -> None:
        store, lock = (
            await SqliteStore.open(home / year.name, SystemClock(), ORIGIN, home / "state"),
            FileLock(home / "state"),
        )
        try:
            await store.commit(Transition(None, None, GOVERNED))
            await signer_of(store.log, home / "state", lock).cover()
        finally:
            await store.close()
            lock.close()

    asyncio.run(write())
    return year_packed(home / year.name, home / "pack")


@pytest.mark.parametrize("number", SHOWN)
def test_each_type_and_column_of_an_answer_is_there_and_filled(number: int, pack: Path, governed: Path) -> None:
    file, text = ANSWERS[number]
    found = [*rows(pack, file), *rows(governed, file)]
    types = named_types(text)
    assert [type_ for type_ in types if type_ not in ENTRY_TYPES] == []
    assert [type_ for type_ in types if not any(row["type"] == type_ for row in found)] == []
    about = [row for row in found if not types or row["type"] in types]
    columns = [name for name in re.findall(r"`(\w+)`(?! in `)", text) if name in found[0]]
    assert columns, f"question {number} names no column of {file}.csv"
    assert [name for name in columns if name != "signed" and not any(row[name] for row in about)] == []


@pytest.mark.parametrize("number", SHOWN)
def test_every_other_file_and_value_that_an_answer_names_is_there(number: int, pack: Path, governed: Path) -> None:
    file, text = ANSWERS[number]
    for other in re.findall(r"`(\w+)\.csv`", text):
        assert rows(governed, other), f"{other}.csv"
    for column, other in re.findall(r"`(\w+)` in `(\w+)\.csv`", text):
        assert any(row[column] for row in rows(governed, other)), f"{column} of {other}.csv"
    cells = {
        cell
        for name in (file, "requests")
        for where in (pack, governed)
        for row in rows(where, name)
        for cell in row.values()
    }
    values = set(re.findall(r"`(home|unauthorised|executor|party)`", text)) - set(rows(governed, file)[0])
    assert values - {"executor"} <= cells | set(map(str, Refusal))  # no runbook of these logs has an executor


def test_what_the_answers_say_is_so(pack: Path, governed: Path) -> None:
    for where in (pack, governed):
        for row in rows(where, "requests"):
            assert (row["state"] == "approved") == bool(row["decided_at"] and row["opened_at"])  # 1
            assert not row["opened_at"] or row["decided_at"] <= row["opened_at"]
            assert not row["unapproved"] or row["state"] != "approved"  # 3
        yeses = [row for row in rows(where, "decisions") if row["type"] == "request.approved"]
        assert {row["party"] for row in yeses} == {"home"}  # 7
        assert all(row["person"] and row["role"] and len(row["policy"]) == 64 for row in yeses)  # 2
        loaded = rows(where, "policy_sets")
        assert all("sha256" in row["data"] for row in loaded if row["type"] == "policy.loaded")  # 9
        whys = {row["why"] for row in rows(where, "refusals") if row["type"] == "decision.refused"}
        assert whys
        assert whys <= set(map(str, Refusal))  # 8


def test_each_answer_names_controls_that_the_pack_counts(pack: Path) -> None:
    counted = {row["control"] for row in rows(pack, "controls")}
    asked = re.findall(r"^\| \d+ \| .+? \| (.+?) \|", DOC.read_text("utf-8"), re.MULTILINE)
    named = {name for cell in asked for name in re.findall(r"CC\d\.\d|A\.\d\.\d+|GV\.\w\w-\d\d|NHI\d+|\d+\.\d+\.\d+", cell)}
    assert named <= counted
