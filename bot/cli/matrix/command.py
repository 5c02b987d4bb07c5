"""`countersign matrix`: who answers for what, as text, JSON, CSV or a page for print.

Exit codes: 0 printed, or nothing differs; 1 the policy is refused, or something differs; 2 wrong use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.errors import misused
from bot.cli.policy import Dir, Folder, Json, read_policy, settings
from bot.cli.reconciliation.last_runs import Runs, runs_of
from bot.clock import SystemClock
from bot.domain.governance.matrix import Consent
from bot.domain.policy.model import Policy
from bot.ports.database import may_exist
from bot.terminal import say


class Format(StrEnum):
    """How the matrix is printed."""

    text = "text"
    json = "json"
    csv = "csv"
    html = "html"


def matrix(
    directory: Dir = None,
    runbooks: Folder = None,
    form: Annotated[Format, typer.Option("--format", help="How it is printed.")] = Format.text,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it to FILE instead.")] = None,
    as_json: Json = False,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="A B", help="What changes from A to B, in sentences: two folders, or digests of accepted policies."
        ),
    ] = None,
) -> None:
    """Print who answers for what."""
    if diff is not None:
        raise typer.Exit(_compared(*diff, out, as_json=as_json or form is Format.json))
    now = SystemClock().now()
    policy = read_policy(directory or runbooks, now)
    ours = not (directory or runbooks)
    consents, runs = standing_consents(policy) if ours else {}, runs_of(settings().database) if ours else None
    _printed(_drawn(policy, now, Format.json if as_json else form, consents, runs), out)


def reported_matrix(form: str) -> str:
    """The matrix in one form, for `countersign report matrix`: of the policy that the log named last, of the files where it named
    none. Raises StorageError, SchemaError."""
    from bot.reports.monthly import logged_policy

    now, place = SystemClock().now(), settings().database
    policy = (logged_policy(place) if may_exist(place) else None) or read_policy(None, now)
    return _drawn(policy, now, Format(form), standing_consents(policy), runs_of(settings().database))


def _compared(old: str, new: str, out: Path | None, *, as_json: bool) -> int:
    """Prints the differences; 0 where nothing differs, 1 where something does."""
    from bot.cli.matrix.diff import NOTHING, named_policy
    from bot.domain.governance.change_effects import effects
    from bot.domain.governance.changes import sentences

    one, other = named_policy(old), named_policy(new)
    found = sentences(one, other)
    follows = effects(one, other) if found else {}
    if as_json:
        said = {
            "from": one.digest,
            "to": other.digest,
            "differs": bool(found),
            "sentences": list(found),
            "effects": follows,
        }
        _printed(json.dumps(said, ensure_ascii=False) + "\n", out)
    else:
        answers = [f"{question}: {answer}." for question, answer in follows.items()]
        _printed("\n".join([*(found or (NOTHING,)), *([""] if answers else []), *answers]) + "\n", out)
    return 1 if found else 0


def standing_consents(policy: Policy) -> Mapping[str, Consent]:
    """Who kept each autonomous right of a policy last, from the bot's database; empty where there is none."""
    if all(runbook.right != "autonomous" for runbook in policy.runbooks.values()) or not may_exist(settings().database):
        return {}
    import asyncio

    from bot.cli.matrix.consents import read_consents

    return asyncio.run(read_consents(policy, settings().time_scale))


def _drawn(policy: Policy, now: datetime, form: Format, consents: Mapping[str, Consent], runs: Runs | None) -> str:
    from bot.cli.matrix import forms, page

    if form is Format.json:
        return json.dumps(forms.as_json(policy, now, consents, runs), ensure_ascii=False) + "\n"
    if form is Format.csv:
        return forms.sheet(policy, consents)
    if form is Format.html:
        return page.page(policy, now, consents, runs)
    return "\n".join(forms.lines(policy, now, consents, runs)) + "\n"


def _printed(text: str, out: Path | None) -> None:
    if out is None:
        say(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        misused(f"{out} cannot be written ({error.strerror}). Name another file with --out.")
    say(f"Written to {out}.")
