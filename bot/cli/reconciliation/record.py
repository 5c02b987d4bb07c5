"""`countersign reconcile FILE --record`: enters the comparison into the log and opens a finding for each access without a grant.

It commits to the running bot's database in one transaction; the bot then puts the findings to the owners. Exit codes: 0 the two
agree, 1 they differ, 2 wrong use, or a line whose runbook the policy does not know.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from bot.cli.dates import moment
from bot.cli.errors import misused
from bot.clock import SystemClock
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.errors import PolicyError, Stale
from bot.domain.policy.model import Policy
from bot.domain.policy.same_text import folded
from bot.domain.workflow.findings.comparison import Access, Differences, compare_as_of
from bot.domain.workflow.findings.reconciled import AccessList, recorded
from bot.settings import load
from bot.terminal import say, say_json

if TYPE_CHECKING:
    from bot.ports.store import Store

SOURCE_MAX, UNKNOWN_MAX, TRIES = 80, 3000, 5  # characters; accesses without a grant in one entry of the log


def carry_out(file: Path, found: Sequence[Access], source: str, as_of: str, *, as_json: bool) -> NoReturn:
    """Records the comparison and prints what came of it; exits."""
    listed = AccessList(hashlib.sha256(file.read_bytes()).hexdigest(), _source(source), _moment(as_of), tuple(found))
    act = asyncio.run(_record(file, listed))
    (entry,) = act.entries
    said = {name: entry.data[name] for name in ("lines", "access_without_grant", "grant_without_access")}
    ids: dict[str, list[str]] = {name: _ids(entry.data[name]) for name in ("findings", "joined", "unused_grants")}
    if as_json:
        say_json({"sha256": listed.sha256, **said, **ids})
    else:
        say("\n".join(_lines(listed, said, ids)))
    raise typer.Exit(1 if said["access_without_grant"] or said["grant_without_access"] else 0)


async def _record(file: Path, listed: AccessList) -> Transition:
    from bot.cli.host_store import accepted_policy, opened_store

    clock, scale = SystemClock(), load().time_scale
    async with opened_store(read_only=False) as store:
        policy = await accepted_policy(store)
        if policy is None:
            raise PolicyError("The database holds no policy that this version can read. Start the bot once.")
        for access in listed.accesses:
            if access.runbook not in policy.runbooks:
                misused(f"{file}, line {access.line}: the policy has no runbook {access.runbook!r}: correct the list.")
        for attempt in range(TRIES):
            now = clock.now()
            differ = await _differences(store, policy, listed, now)
            known = await _known(store, policy, differ)
            act = recorded(policy, listed, differ, known, clock.request_id, now, scale)
            try:
                await store.commit(act)
                return act
            except Stale:  # the bot changed a finding meanwhile: it is compared again
                if attempt == TRIES - 1:
                    raise
    raise AssertionError


async def _differences(store: Store, policy: Policy, listed: AccessList, now: datetime) -> Differences:
    """The grants are read after the list, so that what opened meanwhile is among them."""
    differ = compare_as_of(listed.accesses, await store.cases.granted_since(listed.as_of), policy.humans, listed.as_of, now)
    if len(differ.access_without_grant) + len(differ.grant_without_access) > UNKNOWN_MAX:
        misused(f"The list and the grants differ in more than {UNKNOWN_MAX:,} places: split the list by runbook.")
    return differ


async def _known(store: Store, policy: Policy, differ: Differences) -> dict[str, Case]:
    """The findings that are not closed, by what they are about, of the domains that have an access without a grant."""
    domains = sorted({policy.runbooks[access.runbook].domain for access in differ.access_without_grant})
    found = [case for domain in domains for case in await store.cases.open_findings(domain)]
    return {folded(case.request.target): case for case in reversed(found)}


def _source(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > SOURCE_MAX or not name.isprintable():
        misused(f"Say where the list comes from: --source NAME, at most {SOURCE_MAX} characters.")
    return name


def _moment(text: str) -> datetime:
    """The moment that the list shows; UTC unless it says otherwise."""
    shown = moment(text, "Say which moment the list shows: --as-of 2026-12-01T03:00Z (UTC unless it says otherwise).")
    if shown > SystemClock().now():
        misused(f"--as-of {text} lies ahead: a list shows what is.")
    return shown


def _ids(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, tuple | list) else []


def _lines(listed: AccessList, said: Mapping[str, object], ids: dict[str, list[str]]) -> list[str]:
    lines = [
        f"Recorded: {said['lines']} accesses of {listed.source}, {said['access_without_grant']} without a grant, "
        f"{said['grant_without_access']} grants without access."
    ]
    words = {"findings": "findings opened", "joined": "findings that were open", "unused_grants": "requesters told of"}
    lines += [f"  {words[name]}: {', '.join(found)}" for name, found in ids.items() if found]
    return lines
