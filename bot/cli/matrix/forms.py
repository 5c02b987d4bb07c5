"""Prints the responsibility matrix as text, JSON and CSV. The page for print is `page`.

`Consent` of autonomous rights comes from the bot's database where there is one; from files alone it is not known.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from bot.cli.printing import policy as print_policy
from bot.cli.reconciliation import last_runs
from bot.cli.reconciliation.last_runs import Runs
from bot.domain.decision_log.export_csv import safe
from bot.domain.governance import wording
from bot.domain.governance.matrix import ESCALATED_KINDS, Activity, Consent, Holder, Row, rows
from bot.domain.policy.model import Domain, Policy
from bot.domain.policy.provider import Provider

Consents = Mapping[str, Consent]
CSV_COLUMNS = (
    "domain", "domain_name", "vacant", "runbook", "title", "kind", "right", "column", "activity", "R", "A", "C", "I", "instead",
    "approvals", "max_duration_seconds", "standing_consent", "providers", "contracts", "contract_from", "contract_until",
    "services", "risk_statement", "signature",
)  # fmt: skip


def as_json(policy: Policy, now: datetime, consents: Consents, runs: Runs | None = None) -> dict[str, object]:
    """The matrix as JSON-able values: what `matrix` always printed, with the letters, contracts and dates beside it. `runs`:
    the last reconciliations; None where no database is at hand."""
    plain = print_policy.matrix(policy, now)
    listed = [row for domain in policy.domains.values() for row in rows(policy, domain, consents)]
    letters = {row.runbook.id: _row(policy, row) for row in listed}
    return {
        **plain,
        "domains": [
            {**print_policy.domain(policy, d, now), **_domain(policy, d), **_reconciled(d, runs)}
            for d in policy.domains.values()
        ],
        "runbooks": [{**print_policy.runbook(policy, r), **letters.get(r.id, {})} for r in policy.runbooks.values()],
        "providers": [_provider(provider) for provider in policy.providers.values()],
    }


def lines(policy: Policy, now: datetime, consents: Consents, runs: Runs | None = None) -> Iterator[str]:
    """The matrix for a person to read. `runs` as in `as_json`."""
    plain = print_policy.matrix_lines(policy, now)
    yield next(plain)
    for provider in policy.providers.values():
        yield f"{provider.name} ({provider.id}): {contract_words(provider)}"
    for domain in policy.domains.values():
        yield from print_policy.domain_lines(policy, domain, now)
        yield from _statement(policy, domain)
        if runs is not None:
            yield f"  {last_runs.words(runs.get(domain.id))}"
        for row in rows(policy, domain, consents):
            yield print_policy.runbook_line(policy, row.runbook)
            yield f"      {wording.COLUMNS[row.column]}: {column_words(policy, row)}"
            yield from (f"      {line}" for line in _letter_lines(policy, row))
    if runs is not None:
        yield from ("", last_runs.coverage(policy, runs))


def _reconciled(domain: Domain, runs: Runs | None) -> dict[str, object]:
    return {} if runs is None else {"reconciliation": last_runs.plain(runs.get(domain.id))}


def sheet(policy: Policy, consents: Consents) -> str:
    """The matrix as CSV (RFC 4180): a line an activity, a column a letter; no cell can start a formula."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for domain in policy.domains.values():
        for row in rows(policy, domain, consents):
            writer.writerows([safe(cell) for cell in _cells(policy, domain, row, a)] for a in row.activities)
    return out.getvalue()


def column_words(policy: Policy, row: Row) -> str:
    """The text of one of the three columns for a runbook."""
    runbook, time = row.runbook, f"at most {wording.lasting(row.runbook.max_duration)}" if row.runbook.max_duration else ""
    if runbook.kind in ESCALATED_KINDS:
        within = f"; reported within {wording.lasting(runbook.due_within)} of being noticed" if runbook.due_within else ""
        return f"put to people at once until somebody acknowledges it{within}"
    if row.column == "by_itself":
        limit = f", {runbook.limit.count} in {wording.lasting(runbook.limit.per)}" if runbook.limit else ""
        return f"{time}{limit}; {consent_words(policy, row)}"
    if row.consent is not None:
        return "; ".join(part for part in (consent_words(policy, row), time) if part)
    needed = f"needs {wording.approvals(runbook.approvals, runbook.signature)}"
    if runbook.break_glass is not None:
        within = wording.lasting(runbook.break_glass.ratify_within)
        needed = f"opens at once in an emergency (break-glass), to be ratified within {within}; otherwise {needed}"
    return "; ".join(part for part in (needed, time) if part)


def consent_words(policy: Policy, row: Row) -> str:
    """`standing consent: Olga, kept 2026-10-02, due 2027-04-02`."""
    consent = row.consent or Consent()
    if consent.taken_at is not None:
        now = "refused until its runbook changes" if consent.refused else "needs a yes each time"
        by = "a dispute" if consent.disputed else "a review"
        return f"standing consent: taken away by {by} on {consent.taken_at:%Y-%m-%d}; {now}"
    owner = policy.domains[row.runbook.domain].owner
    parts = [wording.person(policy, consent.by or owner)]
    parts.append(f"kept {consent.kept_at:%Y-%m-%d}" if consent.kept_at else "not reviewed yet")
    if consent.due is not None:
        parts.append(f"due {consent.due:%Y-%m-%d}")
    elif row.runbook.review_every is not None:
        parts.append(f"reviewed every {wording.lasting(row.runbook.review_every)}")
    return f"standing consent: {', '.join(parts)}"


def contract_words(provider: Provider) -> str:
    """The contract of a provider, its dates and its service."""
    parts = [f"contract {provider.contract}" if provider.contract else "no contract is named"]
    if provider.contract_from:
        parts.append(f"from {provider.contract_from}")
    if provider.contract_until:
        parts.append(f"until {provider.contract_until}")
    return " ".join(parts) + (f"; service: {provider.service}" if provider.service else "")


def holder_words(policy: Policy, holder: Holder) -> str:
    """A holder of a letter with role and condition."""
    if holder.person is None:
        provider = policy.providers.get(holder.provider)
        return f"{holder.role} ({provider.name if provider else holder.provider})"
    condition = f", {holder.when}" if holder.when else ""
    return f"{wording.person(policy, holder.person)} ({holder.role}{condition})"


def letters(policy: Policy, activity: Activity, channel: str) -> dict[str, list[str]]:
    """The four letters of a line, each with its holders in words."""
    said = {"R": activity.responsible, "A": (activity.accountable,), "C": activity.consulted}
    found = {letter: [holder_words(policy, h) for h in holders] for letter, holders in said.items()}
    return {**found, "I": [channel]}


def instead_words(policy: Policy, row: Row) -> Iterator[str]:
    """Who is accountable in the owner's stead, and for what."""
    for activity in row.activities:
        if activity.instead is not None and activity.instead.person is not None:
            who = f"{wording.person(policy, activity.instead.person)} ({activity.instead.role})"
            yield f"{activity.name} of {activity.instead.when}: A {who}"


def owners_words(policy: Policy, domain: Domain) -> Iterator[str]:
    """The owners of a domain by date; VACANT where nobody owns it now."""
    if domain.vacant:
        answers = wording.person(policy, domain.owner)
        yield f"VACANT: nobody owns this domain; {answers} answers as risk owner"
    for term in domain.terms:
        since = f" from {term.first}" if term.first else ""
        until = f" until {term.last}" if term.last else ""
        yield f"owner{since}{until}: {wording.person(policy, term.person)}"


def _statement(policy: Policy, domain: Domain) -> Iterator[str]:
    yield from (f"  {line}" for line in owners_words(policy, domain))
    if domain.evidence_owner is not None:
        yield f"  evidence     {wording.person(policy, domain.evidence_owner)}"
    if domain.risk_statement:
        yield f"  residual risk: {domain.risk_statement}"


def _letter_lines(policy: Policy, row: Row) -> Iterator[str]:
    for activity in row.activities:
        found = letters(policy, activity, row.channel)
        said = [f"{letter} {', '.join(found[letter])}" for letter in "RAC" if found[letter]]
        yield f"{activity.name:<14} " + " · ".join(said)
    yield from instead_words(policy, row)
    yield f"{'Informed':<14} I {row.channel}"


def _cells(policy: Policy, domain: Domain, row: Row, activity: Activity) -> Iterable[object]:
    found, runbook = letters(policy, activity, row.channel), row.runbook
    yield from (domain.id, domain.name, "VACANT" if domain.vacant else "", runbook.id, runbook.title, runbook.kind)
    yield from (runbook.right, row.column, activity.name, *("; ".join(found[letter]) for letter in "RACI"))
    yield "" if activity.instead is None else holder_words(policy, activity.instead)
    yield from (runbook.approvals, runbook.max_duration, consent_words(policy, row) if row.consent else "")
    yield "; ".join(provider.name for provider in row.providers)
    for name in ("contract", "contract_from", "contract_until", "service"):
        yield "; ".join(str(getattr(provider, name) or "") for provider in row.providers)
    yield from (domain.risk_statement, runbook.signature)


def _domain(policy: Policy, domain: Domain) -> dict[str, object]:
    known = print_policy.person_json
    return {
        "owner": None if domain.vacant else known(policy, domain.owner),
        "vacant": domain.vacant,
        "answers": known(policy, domain.owner),
        "owners": [
            {"person": known(policy, t.person), "from": _date(t.first), "until": _date(t.last)} for t in domain.terms
        ],
        "evidence_owner": known(policy, domain.evidence_owner or domain.owner),
        "risk_statement": domain.risk_statement,
    }  # fmt: skip


def _row(policy: Policy, row: Row) -> dict[str, object]:
    consent = row.consent
    return {
        "column": row.column,
        "says": column_words(policy, row),
        "max_duration": row.runbook.max_duration,
        "activities": [_activity(policy, activity, row.channel) for activity in row.activities],
        "informed": {"I": [{"role": "channel", "channel": row.channel}]},
        "standing_consent": None if consent is None else _consent(policy, consent),
    }


def _consent(policy: Policy, consent: Consent) -> dict[str, object]:
    return {
        "by": print_policy.person_json(policy, consent.by) if consent.by else None,
        "kept": f"{consent.kept_at:%Y-%m-%d}" if consent.kept_at else None,
        "due": f"{consent.due:%Y-%m-%d}" if consent.due else None,
        **({"taken_away": f"{consent.taken_at:%Y-%m-%d}"} if consent.taken_at else {}),
    }


def _activity(policy: Policy, activity: Activity, channel: str) -> dict[str, object]:
    return {
        "activity": activity.name,
        "letters": {
            "R": [_holder(policy, holder) for holder in activity.responsible],
            "A": [_holder(policy, activity.accountable)],
            "C": [_holder(policy, holder) for holder in activity.consulted],
            "I": [{"role": "channel", "channel": channel}],
        },
        "instead": None if activity.instead is None else _holder(policy, activity.instead),
    }


def _holder(policy: Policy, holder: Holder) -> dict[str, object]:
    who = print_policy.person_json(policy, holder.person) if holder.person else {}
    provider = {"provider": holder.provider} if holder.provider else {}
    return {"role": holder.role, **who, **provider, **({"when": holder.when} if holder.when else {})}


def _provider(provider: Provider) -> dict[str, object]:
    return {
        "id": provider.id, "name": provider.name, "contract": provider.contract, "contract_from": _date(provider.contract_from),
        "contract_until": _date(provider.contract_until), "service": provider.service,
    }  # fmt: skip


def _date(value: object) -> str | None:
    return None if value is None else str(value)
