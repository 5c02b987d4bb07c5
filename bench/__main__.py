"""`python -m bench`: runs the measurements, prints the table, writes the results. Exit 0 also where a goal is missed.

Databases go into the system's folder for temporary files: point TMPDIR at a real disk where that is memory. `--quick` only
shows that everything runs; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import (
    acknowledging,
    acting,
    acting_postgres,
    clicking,
    flooding,
    memory,
    proving,
    signing,
    sweeping,
    sweeping_postgres,
)
from bench.bot import REPOSITORY, environment, example
from bench.rounds import FULL, HEADS, QUICK, Result, Size, rows, table
from bot.clock import SystemClock
from bot.terminal import say_table

_RESULTS = Path(__file__).with_name("results.json")
_PARTS = (
    "acknowledging",
    "acting",
    "postgres",
    "sweeping",
    "sweeping-postgres",
    "memory",
    "clicking",
    "flooding",
    "proving",
    "signing",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the bot beside its floors.")
    parser.add_argument("--quick", action="store_true", help="tiny counts: shows that it runs, measures nothing")
    parser.add_argument("--only", choices=_PARTS, action="append", help="only this part; writes no results unless --out")
    parser.add_argument("--out", type=Path, help="where the results go (bench/results.json)")
    told = parser.parse_args()
    size = QUICK if told.quick else FULL
    machine = facts()
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as scratch:
        results = asyncio.run(_all(size, told.only or _PARTS, Path(scratch)))
    found = rows(results)
    say_table(HEADS, found, table(found), {"yes": "green", "NO": "bold red"})
    out = told.out or (None if told.quick or told.only else _RESULTS)
    if out is not None:
        out.write_text(json.dumps(report(machine, results, quick=told.quick), indent=2, ensure_ascii=False) + "\n")


async def _all(size: Size, parts: Sequence[str], scratch: Path) -> list[Result]:
    async with asyncio.timeout(size.limit):
        policy = example()
        env = await asyncio.to_thread(_compiled, scratch / "bytecode")
        results: list[Result] = []
        for part in parts:
            print(f"{part} …", file=sys.stderr, flush=True)
            match part:
                case "acknowledging":
                    results += await acknowledging.measure(size, policy, scratch, env)
                case "acting":
                    results += await acting.measure(size, policy, scratch)
                case "postgres":
                    results += await acting_postgres.measure(size, policy)
                case "sweeping":
                    results += await sweeping.measure(size, policy, scratch)
                case "sweeping-postgres":
                    results += await sweeping_postgres.measure(size, policy, scratch)
                case "memory":
                    results += await memory.measure(size, policy, scratch, env)
                case "clicking":
                    results += await clicking.measure(size, policy, scratch, env)
                case "flooding":
                    results += await flooding.measure(size, policy, scratch)
                case "proving":
                    results += await proving.measure(size, scratch)
                case "signing":
                    results += await signing.measure(size, policy, scratch)
        return results


def _compiled(folder: Path) -> dict[str, str]:
    """The environment for processes of ours: all bytecode is there before anything is measured."""
    env = environment(PYTHONPYCACHEPREFIX=str(folder))
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-c", "import bot.cli.main, bot.app"], cwd=REPOSITORY, env=env, check=True, timeout=60)
    return env


def facts() -> dict[str, Any]:
    """What a reader must know of the machine, and nothing that names it. `load`: processes waiting when it began."""
    return {
        "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "system": platform.system(),
        "python": platform.python_version(), "sqlite": sqlite3.sqlite_version,
        "date": SystemClock().now().date().isoformat(),
    }  # fmt: skip


def report(machine: dict[str, Any], results: Sequence[Result], *, quick: bool) -> dict[str, Any]:
    return {"machine": machine, "quick": quick, "results": [result.as_json() for result in results]}


if __name__ == "__main__":
    main()
