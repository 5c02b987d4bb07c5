"""`make bench` runs and writes what its reader expects. Nothing here judges a time: a busy machine may take as long as it
takes, and only the parts without a process of their own are run."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench import acting, signing
from bench.__main__ import facts, report
from bench.bot import example
from bench.rounds import Size, rows, table

ROOT = Path(__file__).parents[2]
GOALS = {"P1", "P2", "P3", "P5", "P6", "P8", "P9", "P10", "P11", "P12"}
TINY = Size(
    rounds=1, dispatches=1, acts=2, clicks=1, starts=1, idle=0.0, limit=0.0, pending=0, due=0, storms=1, entries=600
)


def well_formed(told: dict[str, Any], goals: set[str]) -> None:
    assert set(told) == {"machine", "quick", "results"}
    assert {"cores", "python", "date"} <= set(told["machine"])
    assert {result["goal"] for result in told["results"]} == goals
    for result in told["results"]:
        for name in ("ours", "floor", "ratio") if "floor" in result else ("ours",):
            assert list(result[name]) == ["min", "median", "max"]
            assert 0 <= result[name]["min"] <= result[name]["median"] <= result[name]["max"]
        judged = result.get("ratio", result["ours"])["median"]
        way, _, limit = result["bound"].partition(" ")
        wanted = None if way == "none" else judged <= float(limit) if way == "≤" else judged >= float(limit)
        assert result["holds"] is wanted


@pytest.mark.timeout(120)
async def test_a_tiny_run_writes_the_same_shape_as_a_full_one(tmp_path: Path) -> None:
    results = [*await acting.measure(TINY, example(), tmp_path), *await signing.measure(TINY, example(), tmp_path)]
    told = json.loads(json.dumps(report(facts(), results, quick=True)))
    well_formed(told, {result.goal.id for result in results})
    assert all(re.search(rf"^{result.goal.id} ", table(rows(results)), re.MULTILINE) for result in results)


def test_the_committed_results_are_a_full_run_and_name_no_place() -> None:
    text = (ROOT / "bench" / "results.json").read_text()
    told = json.loads(text)
    ran = {result["goal"] for result in told["results"]}
    well_formed(told, GOALS | (ran & {"P4", "P7", "P16"}))  # the committed run may be of before these were measured
    assert told["quick"] is False
    assert all(result["rounds"] >= 3 for result in told["results"])
    assert not re.search(r"(?<!\w)[/~\\]\w+/|://", text)
