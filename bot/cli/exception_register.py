"""The register of policy exceptions: what is off, until when, who answers for it, the controls and the residual risk.

An exception whose date has passed has ended, whether or not a timer has run: it is never listed as open.
Source: design, sections 4 and 6; governance.md, E10.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bot.cli.printing.requests import name, when
from bot.cli.printing.requests import safe as printable
from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Case
from bot.domain.decision_log.entry import stamp
from bot.domain.decision_log.export_csv import safe
from bot.domain.policy.model import Policy
from bot.domain.timing import end_dates

COLUMNS = (
    "id", "state", "title", "runbook", "domain", "owner", "provider", "contract", "requester", "target", "reason", "risk",
    "compensating_controls", "residual_risk", "approved_by", "opened_at", "until", "renewals", "max_renewals", "ended_at",
)  # fmt: skip


def is_open(case: Case, now: datetime) -> bool:
    """Whether the exception holds at `now`."""
    grant = case.grant
    return grant is not None and grant.state is GrantState.OPEN and now < grant.not_after


def row(policy: Policy | None, case: Case, now: datetime) -> Mapping[str, object]:
    """One exception, by `COLUMNS`; absent values are empty text."""
    request, grant = case.request, case.grant
    assert grant is not None
    domain = policy.domains.get(request.domain) if policy else None
    provider = policy.providers.get(request.provider) if policy else None
    written = {field.name: field.value for field in request.fields}
    ended = grant.ended_at or (grant.not_after if now >= grant.not_after else None)
    state = "open" if is_open(case, now) else str(GrantState.LAPSED if grant.state is GrantState.OPEN else grant.state)
    values: tuple[object, ...] = (
        case.id, state, request.title, request.runbook, request.domain, str(domain.owner) if domain else "", request.provider,
        (provider.contract or "") if provider else "", str(request.requester), request.target, request.reason,
        request.terms.risk, written.get("compensating_controls", ""), written.get("residual_risk", ""),
        " ".join(str(v.person) for v in case.approval.votes if v.answer == "yes"), stamp(grant.opened_at),
        stamp(grant.not_after), len(end_dates.renewals(case)), request.terms.max_renewals, "" if ended is None else stamp(ended),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def sheet(rows: Iterable[Mapping[str, object]]) -> str:
    """The rows as CSV (RFC 4180) with a header; no cell can start a formula."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe(one[column]) for column in COLUMNS] for one in rows)
    return out.getvalue()


def lines(policy: Policy | None, cases: Sequence[Case], now: datetime) -> list[str]:
    """The same for a person to read: never target or free text."""
    if not cases:
        return ["No exception is open."]
    return [_line(policy, case, row(policy, case, now)) for case in cases]


HEADS = ("Exception", "State", "What", "Domain", "Provider", "Risk", "Renewed", "Asked by")


def cells(policy: Policy | None, case: Case, now: datetime) -> tuple[str, ...]:
    """One exception as the cells of a table under HEADS: never target or free text."""
    one = row(policy, case, now)
    return (
        case.id, _state(case, one), printable(case.request.title), case.request.domain, case.request.provider, str(one["risk"]),
        f"{one['renewals']} of {one['max_renewals']}", name(policy, case.request.requester),
    )  # fmt: skip


def _state(case: Case, one: Mapping[str, object]) -> str:
    assert case.grant is not None
    if one["state"] == "open":
        return f"open until {when(case.grant.not_after)}"
    return f"{one['state']} at {when(case.grant.ended_at or case.grant.not_after)}"


def _line(policy: Policy | None, case: Case, one: Mapping[str, object]) -> str:
    return (
        f"{case.id}  {_state(case, one)}  {printable(case.request.title)}; {case.request.domain}, {case.request.provider},"
        f" risk {one['risk']}, renewed {one['renewals']} of {one['max_renewals']}, asked by {name(policy, case.request.requester)}"
    )
