"""`countersign check`, `schema` and `explain`: the policy files, read without a database and without Slack.

Exit codes: 0 accepted or printed, 1 the policy is refused, 2 wrong use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.dates import moment
from bot.cli.errors import misused
from bot.cli.printing.pointed import pointed
from bot.clock import SystemClock
from bot.domain.errors import PolicyError
from bot.domain.policy.model import Policy, Runbook
from bot.domain.policy.people import Person
from bot.ports.database import may_exist
from bot.runtime.named_values import named_values
from bot.terminal import say, say_finding, say_json
from runbooks.calendars.ical import prepared
from runbooks.calendars.on_call_coverage import coverage
from runbooks.loader import load
from runbooks.parsing.findings import PolicyFinding

if TYPE_CHECKING:
    from bot.domain.workflow.timeline import Timeline
    from bot.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Dir = Annotated[Path | None, typer.Argument(metavar="[DIR]", help="The policy folder, as in `check`.")]
Folder = Annotated[Path | None, typer.Option("--runbooks", help="The policy folder (COUNTERSIGN_RUNBOOKS_DIR).")]


def check(
    directory: Annotated[Path | None, typer.Argument(metavar="[DIR]")] = None,
    as_json: Json = False,
    against: Annotated[Path | None, typer.Option(metavar="OLD_DIR", help="Say what a change from there brings.")] = None,
) -> None:
    """Validate the policy files of DIR; print every finding."""
    folder = _folder(directory)
    now = SystemClock().now()
    loaded = load(folder, environment=named_values(), today=now.date())
    ahead = list(coverage(prepared(loaded.policy, now), now)) if loaded.policy else []
    ahead += list(_against(against, loaded.policy, now)) if against is not None and loaded.policy is not None else []
    findings = (*loaded.findings, *ahead)
    if as_json:
        say_json([_finding(f) for f in findings])
    else:
        for finding in findings:
            first, *rest = pointed(folder, finding)
            say_finding(first, finding.severity)
            if rest:
                say("\n".join(rest))
        counts = f"{_count(len(loaded.errors), 'error')}, {_count(len(loaded.warnings) + len(ahead), 'warning')}"
        say(f"{folder}: {counts}" + (f"; policy {loaded.policy.digest[:12]}" if loaded.policy else "; refused"))
    raise typer.Exit(1 if loaded.policy is None else 0)


def _against(old: Path, new: Policy, now: datetime) -> Iterator[PolicyFinding]:
    """What a change from another folder brings: who has to endorse its keys, and in which window nobody could say yes."""
    from bot.domain.authority.key_changes import endorsers, key_change
    from bot.domain.authority.policy_rollout import InForce, Sets
    from bot.domain.authority.signing_window import change_windows

    before = load(_folder(old), environment=named_values(), today=now.date()).policy
    if before is None:
        misused(f"The policy in {old} has errors: run `countersign check {old}`.")
    sets, what = Sets((InForce(before, now),)), key_change(before, new)
    found = list(change_windows(sets, new, now, 1))
    if what is not None:
        until = sets.binds_until(new, now, 1)
        for domain, people in endorsers(what, before).items():
            who = " or ".join(before.name_of(person) for person in people) or "nobody can"
            found.append(
                f"{domain}: {'; '.join(what.sentences)}. To be endorsed by: {who}. Else it waits until {until:%Y-%m-%d %H:%M} UTC."
            )
    yield from (PolicyFinding("warning", "responsibility.yaml", 1, text) for text in found)


def schema(out: Annotated[Path | None, typer.Option(help="Write the two files into this folder.")] = None) -> None:
    """Print JSON Schemas of both policy formats, for editors."""
    from runbooks.parsing.json_schema import schemas

    found = schemas()
    if out is None:
        say_json(found, indent=2)
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, value in found.items():
        (out / f"{name}.schema.json").write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        say(out / f"{name}.schema.json")


def explain(
    runbook: str,
    directory: Dir = None,
    at: Annotated[
        str | None, typer.Option(help="File it at this time: 2026-12-01T03:00 (UTC unless it says otherwise).")
    ] = None,
    absent: Annotated[
        list[str] | None, typer.Option(metavar="PERSON", help="Said to be away; repeat it for several.")
    ] = None,
    asleep: Annotated[
        list[str] | None, typer.Option(metavar="PERSON", help="Has paused notifications; repeat it for several.")
    ] = None,
    runbooks: Folder = None,
    as_json: Json = False,
) -> None:
    """Print what the engine would do with a request under RUNBOOK that nobody answers.

    PERSON is a label of the responsibility matrix, an id, or TEAM/USER.
    """
    from bot.domain.timing.escalation import Presence
    from bot.domain.workflow.timeline import explain as explained

    policy = read_policy(directory or runbooks, _moment(at))
    found = policy.runbooks.get(runbook)
    if found is None:
        known = ", ".join(policy.runbooks)
        misused(f"There is no runbook {runbook!r}. There are: {known}.")
    policy, said = _in_force(policy, found) if (directory or runbooks) is None else (policy, "")
    found = policy.runbooks[runbook]
    away = Presence({_person(policy, text, "--absent"): "absent" for text in absent or []})
    sleepers = frozenset(_person(policy, text, "--asleep") for text in asleep or [])
    told = explained(policy, found, _moment(at), away, asleep=sleepers)
    _print_timeline(policy, found, told, said, as_json=as_json)


def _print_timeline(policy: Policy, runbook: Runbook, told: Timeline, said: str, *, as_json: bool) -> None:
    from bot.cli.printing import policy as print_policy

    if as_json:
        say_json(print_policy.timeline(policy, runbook, told) | ({"narrowed": said} if said else {}))
    else:
        say("\n".join([*([said] if said else []), *print_policy.timeline_lines(policy, runbook, told)]))


def _in_force(policy: Policy, runbook: Runbook) -> tuple[Policy, str]:
    """The bot's policy as its database has it in force for this runbook, and lines that say so; "": as it is written."""
    if (policy.review is None and policy.agreement is None) or not may_exist(settings().database):
        return policy, ""
    import asyncio

    from bot.cli.reviews.in_force import in_force

    counted, lines = asyncio.run(in_force(policy, runbook))
    return counted, "\n".join(lines)


def settings() -> Settings:
    from bot.settings import load as load_settings

    return load_settings()


def _folder(directory: Path | None) -> Path:
    folder = directory or settings().runbooks_dir
    if not folder.is_dir():
        misused(f"There is no folder {folder}. Name the one that holds responsibility.yaml, or run `countersign init`.")
    return folder


def read_policy(directory: Path | None, now: datetime) -> Policy:
    """The policy of a folder, with the owners of the day and the calendars read around `now`. Raises PolicyError."""
    loaded = load(_folder(directory))
    if loaded.policy is None:
        raise PolicyError("\n".join([*(str(f) for f in loaded.errors), "The policy has errors: fix them and try again."]))
    return prepared(loaded.policy.on(now.date()), now, _calendars(loaded.policy))


def _calendars(policy: Policy) -> dict[str, bytes]:
    """The calendars of rotas that the running bot fetched last and goes by."""
    from runbooks.parsing.addresses import is_file

    if all(rota.feed is None or is_file(rota) for rota in policy.rotas.values()):
        return {}
    import asyncio

    from bot.cli.doctor_calendars import known

    return asyncio.run(known(settings().database, policy, named_values(), SystemClock().now()))


def _person(policy: Policy, text: str, option: str) -> Person:
    from bot.domain.authority.person_lookup import named

    person = named(policy, text)
    if person is None:
        misused(f"{option}: the policy names nobody by {text!r}; `countersign matrix` shows whom.")
    return person


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _finding(finding: PolicyFinding) -> dict[str, object]:
    return {"severity": finding.severity, "file": finding.file, "line": finding.line, "text": finding.text}


def _moment(text: str | None) -> datetime:
    return SystemClock().now() if text is None else moment(text, f"{text!r} is not a time; write 2026-12-01T03:00.")
