"""Reports say who signed with what key, and how many answers that should be signed were."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from bot.domain.case.transition import OPERATOR, Actor
from bot.domain.decision_log.signed_note import read_vkey
from bot.evidence.folder import Folder
from bot.reports.contents import Options
from bot.reports.flags import flags
from bot.reports.month import MonthFigures
from bot.reports.monthly import figure_rows
from bot.reports.pack import write_pack
from bot.reports.reading import Scope, records
from storage.log.evidence import settled_evidence
from tests.bot.building import OWNER, PE1, RISK
from tests.bot.evidence.signed_log import EVIL, OLGA, RUTH, Writer, signed_policy
from tests.database import place
from tests.rules.test_signed_evidence import drop

SIGNED, UNSIGNED, DENIED, ON_HOST, ERASED = (f"R-0000000{n}" for n in range(1, 6))
ALL = Scope(date(2000, 1, 1), date(2100, 1, 1))


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Writer]:
    """A signed yes, one that nobody signed, a no pressed in Slack, a no on the host, and a yes whose signature is erased."""
    writer = await Writer(tmp_path / "countersign.db").open()
    await writer.load(signed_policy())
    await writer.approve(await writer.file(SIGNED))
    await writer.approve(await writer.file(UNSIGNED), key=None)
    await writer.write("request.denied", Actor("person", RISK, "home"), await writer.file(DENIED), role="risk_owner")
    await writer.write("request.denied", OPERATOR, await writer.file(ON_HOST))
    await writer.approve(await writer.file(ERASED), RISK, RUTH)
    drop(writer)
    writer.scribe.sign(writer.path)
    yield writer
    await writer.store.close()


def packed(log: Writer, out: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of two files of a pack."""
    with settled_evidence(place(log.path)) as evidence, Folder(out) as folder:
        key = (read_vkey(log.scribe.vkey), log.scribe.signature)
        write_pack(evidence, Options(ALL), folder, key, log.scribe.vkey, log.policy)
    found = {}
    for name in ("requests", "decisions"):
        with (out / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            found[name] = list(csv.DictReader(file))
    return found


def test_the_files_of_a_pack_say_who_signed_with_what_key(log: Writer, tmp_path: Path) -> None:
    found = packed(log, tmp_path / "pack")
    by_case = {row["case"]: row["signed"] for row in found["requests"]}
    assert by_case == {
        SIGNED: f"Olga Novak (T0HOME/U0OWNER): {OLGA.id}", UNSIGNED: "", DENIED: "", ON_HOST: "",
        ERASED: "Ruth Adeyemi (T0HOME/U0RISK): erased",
    }  # fmt: skip
    yeses = {row["case"]: row["signed"] for row in found["decisions"] if row["type"] == "request.approved"}
    assert yeses == {SIGNED: OLGA.id, UNSIGNED: "", ERASED: "erased"}


async def test_a_key_without_a_label_is_called_by_its_credential(log: Writer, tmp_path: Path) -> None:
    nameless = (f", label: {EVIL.id}", "")
    await log.load(signed_policy({"olga": (OLGA, EVIL), "ruth": (RUTH,)}, "required", nameless))
    await log.approve(await log.file("R-00000006"), OWNER, EVIL)
    log.scribe.sign(log.path)
    rows = packed(log, tmp_path / "pack")["requests"]
    assert rows[-1]["signed"] == f"Olga Novak (T0HOME/U0OWNER): {EVIL.id[:12]}…"


def test_a_month_counts_the_answers_that_should_be_signed_and_flags_a_yes_without(log: Writer) -> None:
    figures = MonthFigures({})
    with settled_evidence(place(log.path)) as evidence:
        for record in records(evidence, ALL):
            figures.add(record)
    told = figures.as_json()
    counted = {name: told[name] for name in told if "sign" in name or name == "answers_by_operator"}
    assert counted == {
        "answers_to_be_signed": 5, "answers_signed": 2, "answers_by_operator": 1, "answers_without_signature": 2,
        "yeses_without_signature": 1,
    }  # fmt: skip
    assert dict(figure_rows(told))["Answers under a signed runbook"] == (
        "5 (2 signed, 1 by the host's operator, 2 without a signature)"
    )
    assert "Yeses without the signature that their runbook demands: 1." in flags(told)


async def test_where_no_runbook_demands_a_signature_a_month_says_nothing_of_it(tmp_path: Path) -> None:
    writer = await Writer(tmp_path / "plain.db").open()
    await writer.load(signed_policy(None, "none"))
    await writer.approve(await writer.file(SIGNED), key=None)
    await writer.write("grant.finished", Actor("person", PE1, "northgate"), SIGNED)
    writer.scribe.sign(writer.path)
    figures = MonthFigures({})
    with settled_evidence(place(writer.path)) as evidence:
        for record in records(evidence, ALL):
            figures.add(record)
    await writer.store.close()
    told = figures.as_json()
    assert told["answers_to_be_signed"] == 0
    assert "Answers under a signed runbook" not in dict(figure_rows(told))
