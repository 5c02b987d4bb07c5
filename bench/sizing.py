"""What a look costs against the size of the store, from 1e2 to 1e6 requests that are over, on SQLite and on PostgreSQL.

    python -m bench.sizing FOLDER        # databases are made there, of up to 2 GiB; writes docs/operate/sizing-*.svg and prints a table

One request is open; beside it stand so many that were denied, all of one requester, runbook and domain, which is the worst case of
every index. `year` is a year of a large organisation instead: 60,000 requests with their log. Subjects take turns, so that a noisy
machine is noisy for all of them. PostgreSQL gets each store by `countersign move`.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import psycopg

from bench.acting import filings
from bench.acting_postgres import database, server
from bench.bot import REPOSITORY, example
from bench.crowd import multiplied
from bench.sweeping import Everybody
from bot.background.sweeper import Sweeper
from bot.clock import SystemClock
from bot.demo.workspace import APPROVER
from bot.demo.year.writing import write_year
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow import notifications
from bot.ports.commands import ReplyAddress, ShowPage
from bot.ports.database import Location
from bot.ports.records import OutboxRow
from bot.service.approvals import ApprovalService, page_of
from handlers.outbound.message_kinds import RenderContext
from handlers.outbound.message_table import kind_of
from handlers.views.kit.context import drawn_now
from storage.opening import open_database
from storage.postgres.moving import move
from storage.sql_store import SqlStore
from storage.values import ms

SIZES, YEAR, EMPTY = (100, 1_000, 10_000, 100_000, 1_000_000), "year", "empty"
LOOKS = ("Home", "queue", "show", "card", "sweep")
_ROUNDS, _WARM = 40, 5
_OWNER = Person("T0HOME", APPROVER)
_COLOURS = ("#1d4ed8", "#b45309", "#047857", "#be123c", "#6d28d9")
Look = Callable[[], Awaitable[Any]]
Costs = dict[str, dict[str, float]]  # look -> store -> milliseconds


async def stored(folder: Path, name: str, over: int, policy: Policy) -> Path:
    """A store with one open request and so many that are over."""
    path = folder / f"{name}.db"
    if name == YEAR:
        await write_year(path, path.with_suffix(".state"))
    act = next(iter(filings(policy, SystemClock(), 1)))
    await multiplied(path, act, over)
    assert act.after is not None
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        raw.execute("UPDATE request SET state = 'denied' WHERE id <> ?", (act.after.id,))
        raw.execute("UPDATE ask SET state = 'no' WHERE case_id <> ?", (act.after.id,))
        raw.execute("DELETE FROM deadline WHERE case_id <> ?", (act.after.id,))
        raw.commit()
        raw.execute("ANALYZE")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


async def looks(place: Location, folder: Path, policy: Policy) -> tuple[SqlStore, Mapping[str, Look]]:
    """An opened store, and what is timed on it."""
    clock = SystemClock()
    store = await open_database(place, clock, state_dir=folder / "state")
    service = ApprovalService(store, Everybody(), clock, 1.0, policy)
    context = RenderContext(service, store, Everybody(), drawn_now(service.current, clock, 1.0, ""))
    (case,) = await store.cases.open_cases(list(policy.domains), [], 2)
    reply = ReplyAddress(_OWNER, channel="D0")
    says = {
        "Home": notifications.home(_OWNER),
        "queue": page_of(ShowPage(_OWNER, "queue", "", reply)).says[0],
        "show": page_of(ShowPage(_OWNER, "show", case.id, reply)).says[0],
        "card": next(iter(notifications.cards_again(case, _OWNER))),
    }

    def drawing(name: str) -> Look:
        row = OutboxRow(1, says[name], 0, clock.now())
        kind = kind_of(row)
        assert kind is not None

        async def draw() -> None:
            await kind.drawn(context, row, await store.cases.case(case.id) if row.say.case else None)

        return draw

    return store, {**{name: drawing(name) for name in says}, "sweep": Sweeper(service, store.cases, clock).sweep}


async def costs(places: Mapping[str, Location], folder: Path, policy: Policy) -> Costs:
    """Milliseconds of each look on each store, the median of many rounds in turn."""
    opened = {name: await looks(place, folder, policy) for name, place in places.items()}
    took: dict[tuple[str, str], list[float]] = {}
    for number in range(_WARM + _ROUNDS):
        for name, (_, timed) in opened.items():
            for what, look in timed.items():
                begun = perf_counter()
                await look()
                if number >= _WARM:
                    took.setdefault((what, name), []).append((perf_counter() - begun) * 1000)
    for store, _ in opened.values():
        await store.close()
    return {what: {name: median(took[what, name]) for name in places} for what in LOOKS}


def moved(files: Mapping[str, Path], url: str) -> tuple[dict[str, Location], dict[str, float]]:
    """The same stores on a server, and the size of each in MiB."""
    places: dict[str, Location] = {}
    sizes = {}
    for name, path in files.items():
        places[name] = place = database(url, f"sizing_{name}")
        move(path, place, ms(SystemClock().now()))
        with psycopg.connect(place.url, autocommit=True) as raw:
            raw.execute("ANALYZE")
            row = raw.execute("SELECT pg_database_size(current_database())").fetchone()
        sizes[name] = row[0] / 2**20 if row is not None else 0.0
    return places, sizes


def plot(found: Costs, where: str) -> str:
    """Cost against size, both logarithmic, as an SVG."""
    names = [str(size) for size in SIZES]
    left, right, top, bottom, low, high = 60, 560, 30, 330, -1, 2

    def x(size: str) -> float:
        return left + (math.log10(int(size)) - 2) / 4 * (right - left)

    def y(milliseconds: float) -> float:
        return bottom - (math.log10(milliseconds) - low) / (high - low) * (bottom - top)

    parts = [f'<text x="{left}" y="18">Milliseconds of a look, against requests that are over: {where}</text>']
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(
            f'<path d="M{left} {at:.0f}H{right}" stroke="#bbb"/><text x="12" y="{at + 4:.0f}">{10.0**power:g}</text>'
        )
    parts += [f'<text x="{x(n) - 12:.0f}" y="350">1e{len(n) - 1}</text>' for n in names]
    for number, (what, colour) in enumerate(zip(LOOKS, _COLOURS, strict=True)):
        line = " ".join(f"{x(n):.0f},{y(found[what][n]):.1f}" for n in names)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="575" y="{60 + 22 * number}" fill="{colour}">{what}</text>')
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360" role="img" font-family="sans-serif" font-size="13">'
        f'<rect width="640" height="360" fill="#fff"/>\n{body}\n</svg>\n'
    )


def table(where: str, found: Costs, sizes: Mapping[str, float], names: Sequence[str]) -> str:
    rows = [f"| {where} | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    rows += [f"| {what} | " + " | ".join(f"{found[what][n]:.2f} ms" for n in names) + " |" for what in LOOKS]
    rows.append("| size | " + " | ".join(f"{sizes[n]:,.0f} MiB" for n in names) + " |")
    return "\n".join(rows) + "\n"


async def main(folder: Path) -> None:
    policy, names = example(), [EMPTY, *map(str, SIZES), YEAR]
    over = {EMPTY: 0, YEAR: 60_000, **{str(size): size for size in SIZES}}
    files = {name: await stored(folder, name, over[name], policy) for name in names}
    on_files = await costs(dict(files), folder, policy)
    docs = REPOSITORY / "docs" / "operate"
    (docs / "sizing-sqlite.svg").write_text(plot(on_files, "SQLite"))
    print(table("SQLite", on_files, {n: path.stat().st_size / 2**20 for n, path in files.items()}, names), flush=True)
    with server() as url:
        places, sizes = moved(files, url)
        on_server = await costs(places, folder, policy)
    (docs / "sizing-postgresql.svg").write_text(plot(on_server, "PostgreSQL"))
    print(table("PostgreSQL", on_server, sizes, names))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
