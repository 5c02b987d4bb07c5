"""The monthly report of a provider or an owner, as text, JSON or one page; made from the log up to its newest checkpoint."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

from bot.domain.errors import SettingsError
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.database import Location
from bot.ports.reports import Whose
from bot.reports import charts
from bot.reports.flags import flags
from bot.reports.governance_messages import governance_messages
from bot.reports.month import MonthFigures
from bot.reports.reading import Scope, records
from bot.reports.sheet import sheet
from runbooks.loader import load_files
from storage.log.evidence import Evidence, settled_evidence, stored_log


@dataclass(frozen=True, slots=True)
class MonthlyReport:
    """`title` says whose and which month; `figures` as `MonthFigures.as_json` gives them."""

    title: str
    figures: Mapping[str, Any]
    flags: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"title": self.title, "flags": list(self.flags), **self.figures}


def month_scope(month: str) -> tuple[date, date]:
    """First and last day of `YYYY-MM`. Raises SettingsError."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise SettingsError(f"{month!r} is no month; write it like 2026-11.") from None
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def monthly_report(
    path: Location, whose: Whose, name: str, month: str,
    opening: Callable[[Location], AbstractContextManager[Evidence]] = settled_evidence,
) -> MonthlyReport:  # fmt: skip
    """Reads the log in the database. Raises SettingsError (an unknown name, no month), StorageError, SchemaError."""
    first, last = month_scope(month)
    with opening(path) as log:
        policy = needed_policy(log)
        scopes, title = _scopes(policy, whose, name, first, last)
        figures = MonthFigures({domain.id: domain.hours for domain in policy.domains.values() if domain.hours})
        for scope in scopes:
            for record in records(log, scope):
                figures.add(record)
        person = _person(policy, name) if whose == "owner" else None
        asked = {} if person is None else governance_messages(log, person, first, last)
    told = figures.as_json() | asked
    return MonthlyReport(f"{title}, {month}", told, tuple(flags(told, dict(policy.report_thresholds))))


def newest_policy(log: Evidence) -> Policy | None:
    """The policy set that the log named last; None where its files cannot be read."""
    digest = log.newest_policy()
    files = {file.path: file.content for file in log.policy(digest)} if digest else {}
    return load_files(files).policy if files else None


def needed_policy(log: Evidence) -> Policy:
    """The same. Raises SettingsError where there is none."""
    policy = newest_policy(log)
    if policy is None:
        raise SettingsError("The log names no policy yet: start the bot once with your policy files.")
    return policy


def logged_policy(place: Location) -> Policy | None:
    """The policy set that the log in a database named last; None where it named none. Raises StorageError, SchemaError."""
    with stored_log(place) as log:
        return newest_policy(log)


def require_known(policy: Policy | None, provider: str | None, domain: str | None) -> None:
    """Refuses a name that the policy does not know. Raises SettingsError."""
    for what, name, known in (
        ("provider", provider, policy.providers if policy else {}),
        ("domain", domain, policy.domains if policy else {}),
    ):
        if name is not None and name not in known:
            raise SettingsError(f"The policy knows no {what} {name!r}. Known: {', '.join(sorted(known)) or 'none'}.")


def lines(report: MonthlyReport) -> list[str]:
    """The report for a terminal or a message."""
    told = report.figures
    found = [report.title, *(f"! {flag}" for flag in report.flags), ""]
    return [*found, *(f"{label}: {value}" for label, value in figure_rows(told))]


def page(report: MonthlyReport) -> str:
    """The report as one page that loads nothing."""
    told = report.figures
    flagged = "".join(f"<li>{escape(flag)}</li>" for flag in report.flags)
    parts = [
        f'<ul class="stamp">{flagged}</ul>' if flagged else "<p>Nothing stands out.</p>",
        charts.table(("Figure", "Value"), figure_rows(told)),
        _drawn("Requests by outcome", "Outcome", told["by_outcome"]),
        _drawn("Requests by kind", "Kind", told["by_kind"]),
        "<p>Made from the decision log alone. Tickets and a provider’s own telemetry are references only.</p>",
    ]  # fmt: skip
    return sheet(report.title, parts)


def _drawn(title: str, by: str, counts: Mapping[str, int]) -> str:
    labels = [name.replace("_", " ") for name in counts]
    return charts.bars(title, by, labels, {"Requests": list(counts.values())}) if counts else ""


def figure_rows(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each figure as a label and a value for people."""
    spread = told["seconds_to_decision"]
    time = f"{_duration(spread['median'])} (n = {spread['n']})" if "median" in spread else "nobody decided"
    found = [
        ("Requests", _of(told["requests"], told["by_kind"])),
        ("Outcomes", _of(told["requests"], told["by_outcome"])),
        ("Out of hours", f"{told['out_of_hours']} ({_hours(told['hours'])})"),
        (
            "Answered within target",
            f"{told['answered_within_target']} of {told['to_answer']} (an expired request counts as not answered)",
        ),
        ("Median time to decision", time),
        ("90th percentile", _duration(spread["p90"]) if "p90" in spread else f"too few decisions ({spread['n']})"),
        ("Escalations", str(told["escalations"])),
        ("Expired", str(told["expired"])),
        ("Refused clicks", str(told["refused_clicks"])),
        ("Break-glass", f"{told['break_glass']} ({told['break_glass_ratified']} ratified)"),
        ("Evidence missing", str(told["evidence_missing"])),
        ("Reviews overdue", str(told["reviews_overdue"])),
        ("Findings", f"{told['findings']} ({told['late_findings']} late)"),
        ("Repeats of denied targets", str(told["repeats_of_denied_targets"])),
        ("Approved within five seconds", str(told["approved_within_five_seconds"])),
    ]
    if told["answers_to_be_signed"]:
        found.append(("Answers under a signed runbook", _signed(told)))
    if "governance_messages" in told:
        asked = f"{told['governance_messages']}, {told['governance_messages_a_week']} a week (the limit is one)"
        found.append(("Governance messages", asked))
    return found


def _signed(told: Mapping[str, Any]) -> str:
    """A no needs no signature; a yes does."""
    parts = (
        ("answers_signed", "signed"), ("answers_by_operator", "by the host's operator"), ("answers_without_signature", "without a signature"),
    )  # fmt: skip
    return f"{told['answers_to_be_signed']} ({', '.join(f'{told[name]} {words}' for name, words in parts)})"


def _hours(known: Sequence[str]) -> str:
    return f"hours: {'; '.join(known)}" if known else "no requests"


def _of(total: int, parts: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in parts.items())
    return f"{total} ({told})" if told else str(total)


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s" if minutes else f"{left} s"


def _scopes(policy: Policy, whose: Whose, name: str, first: date, last: date) -> tuple[list[Scope], str]:
    if whose == "provider":
        if name not in policy.providers:
            raise SettingsError(f"The policy knows no provider {name!r}. Known: {', '.join(sorted(policy.providers))}.")
        return [Scope(first, last, provider=name)], f"{policy.providers[name].name} ({name})"
    person = _person(policy, name)
    domains = [domain for domain in policy.domains.values() if person in (domain.owner, *(t.person for t in domain.terms))]
    if person is None or not domains:
        owners = ", ".join(sorted({policy.name_of(domain.owner) for domain in policy.domains.values()}))
        raise SettingsError(f"{name!r} owns no domain. Owners: {owners}.")
    title = f"{policy.name_of(person)}: {', '.join(domain.name for domain in domains)}"
    return [Scope(first, last, domain=domain.id) for domain in domains], title


def _person(policy: Policy, name: str) -> Person | None:
    """A label, an id, or `TEAM/USER`."""
    for named in policy.people:
        if name in (named.label, named.person.user, str(named.person)):
            return named.person
    owners = (domain.owner for domain in policy.domains.values())
    return next((owner for owner in owners if name in (owner.user, str(owner))), None)
