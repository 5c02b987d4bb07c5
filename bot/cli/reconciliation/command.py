"""`countersign reconcile FILE`: compares who has access now with the open grants.

The file is CSV with the header `runbook,person,target`, one line for each existing access, from the target systems.
A person is `TEAM/USER` or the user id alone. Exit codes: 0 the two agree, 1 they differ, 2 the file cannot be read, with the
line and what to do. Design, section 4.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.errors import misused
from bot.cli.printing.requests import name, safe, when
from bot.clock import SystemClock
from bot.domain.case.model import Case
from bot.domain.decision_log.entry import stamp
from bot.domain.errors import PolicyError, TextFileError
from bot.domain.policy.handed_in import file_text
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow.findings.comparison import Access, Differences, compare, is_open
from bot.terminal import say_json, say_table

HEADER = ["runbook", "person", "target"]
EVERYTHING = 10_000_000  # requests
_PERSON = re.compile(r"(?:([TE][A-Z0-9]{2,})/)?([UW][A-Z0-9]{2,})")
_ALONE, _UNUSED = "access without grant", "grant without access"
_SHORT = {_ALONE: "NO GRANT", _UNUSED: "unused"}  # in a table: access that nobody granted, a grant without the access
_COLUMNS = ("Found", "Where", "Runbook", "Person", "Target", "Until")


def reconcile(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: runbook,person,target; one line per access.")],
    record: Annotated[
        bool, typer.Option("--record", help="Enter the result into the log; each access without a grant opens a finding.")
    ] = False,
    source: Annotated[str, typer.Option(metavar="NAME", help="With --record: where the list comes from.")] = "",
    as_of: Annotated[
        str,
        typer.Option("--as-of", metavar="TIME", help="With --record: the moment that the list shows, 2026-12-01T03:00Z."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Compare who has access now with the open grants, and print both differences."""
    found = read_accesses(file)
    if record:
        from bot.cli.reconciliation.record import carry_out

        carry_out(file, found, source, as_of, as_json=as_json)
    if source or as_of:
        misused("--source and --as-of belong to --record: without it nothing is written.")
    policy, cases = asyncio.run(_open_cases())
    differ = compare(found, cases, policy.humans)
    if as_json:
        say_json(_plain(differ))
    else:
        rows = _rows(policy, differ)
        plain = "\n".join(map(_line, rows)) or f"{len(found)} accesses, {len(cases)} open grants: they agree."
        say_table(_COLUMNS, [(_SHORT[kind], *rest) for kind, *rest in rows], plain, {"NO": "red", "unused": "yellow"})
    raise typer.Exit(1 if differ else 0)


def read_accesses(file: Path) -> list[Access]:
    """Parses the file; exits with 2 and the line number for an invalid line."""
    try:
        text = file_text(file.read_bytes())
    except OSError as error:
        misused(f"{file} cannot be read: {error.strerror}.")
    except TextFileError as error:
        misused(f"{file}, line {error.line}: {error}")
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[Access] = []
    try:
        if next(rows, None) != HEADER:
            misused(f"{file}, line 1: the header is `{','.join(HEADER)}`.")
        found += [_access(file, rows.line_num, row) for row in rows if row]
    except csv.Error as error:
        misused(f"{file}, line {rows.line_num}: this is no CSV ({error}): quote what holds a quote or a line break.")
    return found


def _access(file: Path, line: int, row: list[str]) -> Access:
    place = f"{file}, line {line}"
    if len(row) != len(HEADER):
        misused(f"{place}: {len(row)} fields instead of runbook, person and target: quote a comma.")
    runbook, who, target = (value.strip() for value in row)
    if not runbook or not target:
        misused(f"{place}: runbook and target are wanted.")
    person = _PERSON.fullmatch(who)
    if person is None:
        misused(f"{place}: {who!r} is no person: write TEAM/USER, or the user id.")
    return Access(line, runbook, Person(person[1] or "", person[2]), target)


async def _open_cases() -> tuple[Policy, list[Case]]:
    from bot.cli.host_store import accepted_policy, opened_store

    async with opened_store(read_only=True) as store:
        policy = await accepted_policy(store)
        if policy is None:
            raise PolicyError("The database holds no policy that this version can read. Start the bot once.")
        listed = [one for one in await store.cases.requests(EVERYTHING, closed_too=False) if one.grant == "open"]
        cases = [await store.cases.case(one.id) for one in listed]
    now = SystemClock().now()
    return policy, [case for case in cases if case is not None and is_open(case, now)]


def _rows(policy: Policy, differ: Differences) -> list[tuple[str, ...]]:
    """Each difference as its kind, place, runbook, person, target and, of a grant, its end."""
    rows: list[tuple[str, ...]] = [
        (_ALONE, f"line {a.line}", safe(a.runbook), _who(policy, a.person), safe(a.target), "")
        for a in differ.access_without_grant
    ]
    for case in differ.grant_without_access:
        request, until = case.request, when(case.grant.not_after) if case.grant else ""
        who = name(policy, request.requester)
        rows.append((_UNUSED, case.id, safe(request.runbook), who, safe(request.target), until))
    return rows


def _line(row: tuple[str, ...]) -> str:
    kind, place, *told, until = row
    return f"{kind}  {place}: {', '.join(told)}" + (f", until {until}" if until else "")


def _who(policy: Policy, person: Person) -> str:
    return name(policy, person) if person.team else person.user


def _plain(differ: Differences) -> dict[str, list[dict[str, object]]]:
    accesses: list[dict[str, object]] = [
        {
            "line": a.line,
            "runbook": a.runbook,
            "person": str(a.person) if a.person.team else a.person.user,
            "target": a.target,
        }
        for a in differ.access_without_grant
    ]
    grants: list[dict[str, object]] = [
        {
            "request": case.id, "runbook": case.request.runbook, "person": str(case.request.requester),
            "target": case.request.target, "not_after": stamp(case.grant.not_after) if case.grant else "",
        }
        for case in differ.grant_without_access
    ]  # fmt: skip
    return {"access_without_grant": accesses, "grant_without_access": grants}
