"""`/countersign report provider|owner [month]`: the month's figures for the people they concern, and the refusal for everybody else.

A lead sees their provider, an owner their own domains, an auditor everything. Nobody else sees any of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.reports import MonthSummary, Whose
from handlers.views.form_answers import contact
from handlers.views.kit.blocks import Message, context, message, section
from handlers.views.kit.context import ViewContext
from handlers.views.kit.escaping import inline

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_MOST = 12  # reports in one message
_SOURCE = "Made from the decision log alone. Tickets and a provider’s own telemetry are references only."


@dataclass(frozen=True, slots=True)
class AskedReport:
    """What was typed; the month is the present one where none was named."""

    whose: Whose
    month: str


def read(argument: str, now: datetime) -> AskedReport | None:
    """`provider` or `owner`, and perhaps a month; None for anything else."""
    word, _, month = argument.strip().lower().partition(" ")
    month = month.strip() or f"{now:%Y-%m}"
    if not _MONTH.fullmatch(month):
        return None
    if word == "provider":
        return AskedReport("provider", month)
    return AskedReport("owner", month) if word == "owner" else None


def names(policy: Policy, person: Person, asked: AskedReport) -> list[str]:
    """Whose months concern a person: providers by id, owners as `TEAM/USER`; empty: nobody's."""
    everything = person in policy.auditors
    if asked.whose == "provider":
        return [id_ for id_, one in sorted(policy.providers.items()) if everything or one.leads_include(person)]
    owners = sorted({str(domain.owner) for domain in policy.domains.values()})
    return owners if everything else [owner for owner in owners if owner == str(person)]


def figures(made: Sequence[MonthSummary]) -> Message:
    """Each month with its flags first."""
    parts = [_lines(summary) for summary in made[:_MOST]]
    more = (
        [context(f"… and {len(made) - _MOST} more: `countersign report` on the host prints them.")]
        if len(made) > _MOST
        else []
    )
    return message("\n\n".join(parts), [*map(section, parts), *more, context(_SOURCE)])


def how(scene: ViewContext) -> Message:
    """What was typed is no report."""
    line = f"Write `/{scene.prefix}countersign report provider` or `report owner`, and perhaps a month, like 2026-11."
    return message(line, [section(line)])


def refused(policy: Policy, person: Person, scene: ViewContext) -> Message:
    """The figures do not concern this person."""
    line = (
        "These figures are for the leads of a provider, for the owners of a domain, and for auditors."
        f"{_instead(policy, person, scene)} Write to {contact(scene)} if that is wrong."
    )
    return message(line, [section(line)])


def failed(reason: str, scene: ViewContext) -> Message:
    """The report could not be made."""
    line = f"The report could not be made: {inline(reason, 500)} Write to {contact(scene)} if it stays so."
    return message(line, [section(line)])


def _instead(policy: Policy, person: Person, scene: ViewContext) -> str:
    """The other report, if that one concerns the person."""
    for whose in ("provider", "owner"):
        if names(policy, person, AskedReport("provider" if whose == "provider" else "owner", "")):
            return f" Yours is `/{scene.prefix}countersign report {whose}`."
    return ""


def _lines(summary: MonthSummary) -> str:
    flags = [f":warning: {inline(flag, 500)}" for flag in summary.flags]
    told = [f"{label}: {inline(value, 300)}" for label, value in summary.figures]
    return "\n".join([f"*{inline(summary.title, 200)}*", *flags, *told])
