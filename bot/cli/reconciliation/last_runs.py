"""When each domain was last reconciled, from the entries of the decision log: for `doctor` and the matrix.

A reconciliation covers the domains that its list has lines of. A domain that nobody has reconciled says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from bot.domain.decision_log.entry import stamp
from bot.domain.policy.model import Policy
from bot.ports.database import Location, may_exist
from bot.ports.records import LogRow

if TYPE_CHECKING:
    from bot.ports.store import Store

_NEWEST = 1000  # entries that are looked at
Runs: TypeAlias = "Mapping[str, LastRun]"


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last reconciliation of one domain. `as_of` as it was stated; the counts are of this domain."""

    at: datetime
    as_of: str
    source: str
    lines: int
    access_without_grant: int
    grant_without_access: int


async def read_runs() -> dict[str, LastRun]:
    """By domain, from the bot's database."""
    from bot.cli.host_store import opened_store

    async with opened_store(read_only=True) as store:
        return await last_runs(store)


def runs_of(path: Location) -> Runs | None:
    """The same; None where there is no database."""
    import asyncio

    return asyncio.run(read_runs()) if may_exist(path) else None


async def last_runs(store: Store) -> dict[str, LastRun]:
    found: dict[str, LastRun] = {}
    for row in await store.log.reconciliations(_NEWEST):
        for domain, run in _runs(row):
            found.setdefault(domain, run)
    return found


def words(run: LastRun | None) -> str:
    """`reconciled 2026-11-30 03:10 UTC with the list of pam …`, or that it never was."""
    if run is None:
        return "never reconciled"
    return (
        f"reconciled {run.at:%Y-%m-%d %H:%M} UTC with the list of {run.source} as of {run.as_of}: {run.lines} accesses, "
        f"{run.access_without_grant} without a grant, {run.grant_without_access} grants without access"
    )


def coverage(policy: Policy, runs: Runs) -> str:
    """`2 of 4 domains reconciled`."""
    return f"{sum(domain in runs for domain in policy.domains)} of {len(policy.domains)} domains reconciled"


def plain(run: LastRun | None) -> dict[str, object] | None:
    """A run as JSON-able values."""
    if run is None:
        return None
    return {
        "at": stamp(run.at), "as_of": run.as_of, "source": run.source, "lines": run.lines,
        "access_without_grant": run.access_without_grant, "grant_without_access": run.grant_without_access,
    }  # fmt: skip


def _runs(row: LogRow) -> Iterator[tuple[str, LastRun]]:
    """The domains of one entry; none where its bytes are pruned."""
    data = json.loads(row.data)["data"] if row.data is not None else {"domains": {}}
    at = datetime.fromtimestamp(row.ts_ms / 1000, UTC)
    for domain, counts in data["domains"].items():
        yield domain, LastRun(at, data["as_of"], data["source"], **counts)
