"""The figures of a small year of a large organisation agree with a recount in SQL, which shares no code with the reports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.decision_log.keys import LOG_KEY, read_key, vkey_lines
from bot.demo.year.organisation import AREAS, PROVIDERS
from bot.evidence.folder import Folder
from bot.reports.contents import Options
from bot.reports.monthly import monthly_report, newest_policy
from bot.reports.pack import write_pack
from bot.reports.registers import exceptions_paper, reviews_paper
from storage.log.evidence import settled_evidence
from tests.bot.reports.conftest import ALL
from tests.bot.reports.test_pack import rows

_FILED = """
WITH entry AS (SELECT type, case_id, ts_ms, data ->> '$.ts' AS ts, data -> '$.data' AS said, data ->> '$.actor.ref' AS who
               FROM log_entry WHERE data IS NOT NULL),
     filed AS (SELECT case_id, ts, ts_ms, said ->> '$.provider' AS provider, said ->> '$.domain' AS domain, said ->> '$.kind' AS kind
               FROM entry WHERE type = 'request.filed')
"""
_MONTH = """
SELECT count(*) AS requests,
  sum((SELECT count(*) FROM entry e WHERE e.case_id = f.case_id AND e.type = 'request.expired')) AS expired,
  sum((SELECT count(*) FROM entry e WHERE e.case_id = f.case_id AND e.type = 'decision.refused')) AS refused_clicks,
  sum((SELECT count(*) FROM entry e WHERE e.case_id = f.case_id AND e.type = 'evidence.missing')) AS evidence_missing,
  sum((SELECT count(*) FROM entry e WHERE e.case_id = f.case_id AND e.type = 'review.overdue')) AS reviews_overdue,
  sum((SELECT count(*) FROM entry e WHERE e.case_id = f.case_id AND e.type = 'breakglass.opened')) AS break_glass,
  sum((SELECT count(*) FROM entry e WHERE e.case_id = f.case_id AND e.type = 'breakglass.ratified')) AS break_glass_ratified,
  sum((SELECT count(*) FROM entry e WHERE e.case_id = f.case_id AND e.type = 'step.fired'
       AND e.said ->> '$.action' = 'notify' AND e.said ->> '$.step' > 0)) AS escalations,
  sum((SELECT count(*) FROM entry e WHERE e.case_id = f.case_id AND e.type IN ('request.denied', 'request.approved')
       AND e.ts_ms - f.ts_ms <= CASE f.kind WHEN 'emergency_access' THEN 900000 WHEN 'reset' THEN 14400000 ELSE 172800000 END))
    AS answered_within_target,
  sum((SELECT count(*) FROM entry e JOIN entry card ON card.case_id = e.case_id AND card.type = 'delivery.sent'
       AND card.said ->> '$.purpose' = 'card' AND card.said ->> '$.to' = e.who AND e.ts_ms - card.ts_ms < 5000
       WHERE e.case_id = f.case_id AND e.type = 'request.approved')) AS approved_within_five_seconds
FROM filed f WHERE substr(f.ts, 1, 7) = :month AND (f.provider = :provider OR f.domain = :domain)
"""
_FINDINGS = """
SELECT count(*) AS findings, coalesce(sum(data ->> '$.data.late'), 0) AS late_findings FROM log_entry
WHERE type = 'finding.filed' AND substr(data ->> '$.ts', 1, 7) = :month
AND (data ->> '$.data.provider' = :provider OR data ->> '$.data.domain' = :domain)
"""


@pytest.fixture(scope="session")
def counted(year: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(year)) as raw:
        raw.row_factory = sqlite3.Row
        yield raw


def recount(counted: sqlite3.Connection, month: str, provider: str = "", domain: str = "") -> dict[str, Any]:
    asked = {"month": month, "provider": provider, "domain": domain}
    found = dict(counted.execute(_FILED + _MONTH, asked).fetchone()) | dict(counted.execute(_FINDINGS, asked).fetchone())
    return {name: count or 0 for name, count in found.items()}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_providers_months_are_those_that_sql_counts(year: Path, counted: sqlite3.Connection, provider: str) -> None:
    seen: dict[str, int] = {}
    for month in ("2025-01", "2025-06", "2025-12"):
        figures = monthly_report(year, "provider", provider, month).figures
        wanted = recount(counted, month, provider=provider)
        assert {name: figures[name] for name in wanted} == wanted
        seen = {name: seen.get(name, 0) + count for name, count in wanted.items()}
    assert seen["requests"] > 30
    assert seen["escalations"] > 0


def test_an_owners_month_is_that_of_their_domain(year: Path, counted: sqlite3.Connection) -> None:
    for area in AREAS:
        wanted = recount(counted, "2025-03", domain=area)
        figures = monthly_report(year, "owner", f"owner-{area}", "2025-03").figures
        assert {name: figures[name] for name in wanted} == wanted


def test_the_year_has_something_of_everything_that_a_report_counts(counted: sqlite3.Connection) -> None:
    found = [recount(counted, f"2025-{month:02}", provider=provider) for month in range(1, 13) for provider in PROVIDERS]
    total = {name: sum(month[name] for month in found) for name in found[0]}
    assert [name for name, count in total.items() if not count] == []


def test_the_files_of_the_pack_have_the_rows_that_sql_counts(
    year: Path, counted: sqlite3.Connection, tmp_path: Path
) -> None:
    packed_year(year, tmp_path / "pack")
    types = dict(counted.execute("SELECT type, count(*) FROM log_entry GROUP BY type").fetchall())
    for name, begins in (
        ("deliveries", "delivery."),
        ("findings", "finding."),
        ("exceptions", "exception."),
        ("grants", "grant."),
    ):
        wanted = sum(count for type_, count in types.items() if type_.startswith(begins))
        extra = types.get("breakglass.opened", 0) if name == "grants" else 0
        assert len(rows(tmp_path / "pack", name)) == wanted + extra, name
    listed = rows(tmp_path / "pack", "requests")
    assert len(listed) == types["request.filed"]
    assert sum(row["state"] == "expired" for row in listed) == types["request.expired"]
    assert sum(row["basis"] == "break_glass" for row in listed) == types["breakglass.opened"]
    assert sum(int(row["evidence_missing"]) for row in listed) == types["evidence.missing"]


def test_the_registers_count_what_sql_counts(year: Path, counted: sqlite3.Connection) -> None:
    types = dict(counted.execute("SELECT type, count(*) FROM log_entry GROUP BY type").fetchall())
    told = exceptions_paper(year, None, None).as_json()
    assert (told["ended"], told["live"]) == (types["exception.ended"], types["exception.opened"] - types["exception.ended"])
    told = reviews_paper(year, None, None).as_json()
    names = {
        "reviews_due": "review.due",
        "passed": "review.passed",
        "flagged": "review.flagged",
        "overdue": "review.overdue",
    }
    assert {name: told[name] for name in names} == {name: types[type_] for name, type_ in names.items()}
    of_each = [exceptions_paper(year, provider, None).figures["asked_for"] for provider in PROVIDERS]
    assert sum(of_each) == exceptions_paper(year, None, None).figures["asked_for"]


def packed_year(database: Path, out: Path) -> None:
    state = database.parent / "state"
    with settled_evidence(database) as log, Folder(out) as folder:
        origin = "year.example/log"
        key = read_key(state / LOG_KEY)
        write_pack(log, Options(ALL), folder, (key.vkey(origin), key.sign), vkey_lines(state, origin), newest_policy(log))
    assert json.loads((out / "pack.json").read_text())["population"]
