"""The figures of one month for one provider, or for one owner's domains: pure, from the entries of the log.

Counted are the requests that were filed in the month. A request counts as answered within its target when somebody approved or
denied it in time; one that expired counts as never answered. Medians are shown with their n; below ten there is no 90th percentile.
Out of hours are filings outside the domain's `hours`, else outside Monday to Friday, 08:00 to 18:00 UTC.
Source: governance-contract.md, section 6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.policy.model import Hours
from bot.domain.policy.same_text import folded
from bot.reports.reading import Record
from bot.reports.requests import RequestLine, begun
from bot.reports.signatures import YESES

TARGETS = {"emergency_access": timedelta(minutes=15), "reset": timedelta(hours=4), "policy_exception": timedelta(days=2)}
DEFAULT_HOURS = Hours(frozenset(range(5)), 8 * 60, 18 * 60, "UTC")
_SECONDS_TO_READ, _ENOUGH, _AGAIN = 5, 10, timedelta(hours=24)


@dataclass(slots=True)
class _Case:
    """What one case adds to the figures."""

    line: RequestLine
    escalations: int = 0
    refused_clicks: int = 0
    pages: int = 0
    reviews_overdue: int = 0
    accepted_at: dict[str, str] = field(default_factory=dict)  # by pseudonym: when Slack accepted their card
    hasty: int = 0


@dataclass(slots=True)
class MonthFigures:
    """Feed it the records in order, then read `as_json`. `hours` are those of the domains that have any."""

    hours: Mapping[str, Hours]
    _cases: dict[str, _Case] = field(default_factory=dict)
    _answers: Counter[str] = field(default_factory=Counter)  # to what wanted a signature, by how they were given
    _late: dict[str, bool] = field(default_factory=dict)  # findings: whether the newest time of noticing is late

    def add(self, record: Record) -> None:
        """One more entry of a case within the scope."""
        if record.demanded:
            self._answers[_given(record)] += 1
        if record.type == "finding.filed" or (record.type == "finding.corrected" and record.case in self._late):
            self._late[record.case] = record.values.get("late") is True
        case = self._cases.get(record.case)
        if case is None:
            line = begun(record, str(record.part("actor").get("ref", "")))
            if line is not None and record.type != "request.refused":
                self._cases[record.case] = _Case(line)
            return
        who = str(record.part("actor").get("ref", ""))
        case.line.add(record, who)
        self._more(case, record, who)

    def _more(self, case: _Case, record: Record, who: str) -> None:
        kind, data = record.type, record.values
        if kind == "step.fired" and data.get("action") == "notify" and data.get("step") != 0:
            case.escalations += 1
        case.refused_clicks += kind == "decision.refused"
        case.reviews_overdue += kind == "review.overdue"
        if kind == "delivery.sent" and data.get("purpose") == "card":
            case.accepted_at.setdefault(str(data.get("to")), record.ts)
        if kind == "request.approved" and who in case.accepted_at:
            case.hasty += (_at(record.ts) - _at(case.accepted_at[who])).total_seconds() < _SECONDS_TO_READ

    def as_json(self) -> dict[str, Any]:
        """Every figure, with JSON-able values; durations in whole seconds."""
        cases = list(self._cases.values())
        lines = [case.line for case in cases]
        decided = [seconds for line in lines if (seconds := _seconds_to_decision(line)) is not None]
        glass = [line for line in lines if line.basis == "break_glass"]
        return {
            "requests": len(lines),
            "by_kind": dict(sorted(Counter(str(line.first["kind"]) for line in lines).items())),
            "by_outcome": dict(sorted(Counter(line.state for line in lines).items())),
            "out_of_hours": sum(self._out_of_hours(line) for line in lines),
            "hours": sorted({_hours_text(self.hours.get(str(line.first["domain"]), DEFAULT_HOURS)) for line in lines}),
            "answered_within_target": sum(_in_time(line) for line in lines),
            "to_answer": sum(_needs_answer(line) for line in lines),
            "targets": {kind: int(target.total_seconds()) for kind, target in TARGETS.items()},
            "seconds_to_decision": _spread(decided),
            "escalations": sum(case.escalations for case in cases),
            "expired": sum(line.state == "expired" for line in lines),
            "refused_clicks": sum(case.refused_clicks for case in cases),
            "break_glass": len(glass),
            "break_glass_ratified": sum(line.ratification == "ratified" for line in glass),
            "break_glass_not_ratified": sum(bool(line.unapproved) for line in glass),
            "evidence_missing": sum(line.evidence_missing for line in lines),
            "reviews_overdue": sum(case.reviews_overdue for case in cases),
            "findings": len(self._late),
            "late_findings": sum(self._late.values()),
            "repeats_of_denied_targets": _repeats(lines),
            "approved_within_five_seconds": sum(case.hasty for case in cases),
            "answers_to_be_signed": self._answers.total(),
            "answers_signed": self._answers["signed"],
            "answers_by_operator": self._answers["operator"],
            "answers_without_signature": self._answers["no"] + self._answers["yes"],
            "yeses_without_signature": self._answers["yes"],
            "unapproved": [str(line.first["case"]) for line in lines if line.unapproved],
        }  # fmt: skip

    def _out_of_hours(self, line: RequestLine) -> bool:
        hours = self.hours.get(str(line.first["domain"]), DEFAULT_HOURS)
        local = _at(str(line.first["filed_at"])).astimezone(ZoneInfo(hours.time_zone))
        minute = local.hour * 60 + local.minute
        return local.weekday() not in hours.days or not hours.start <= minute < hours.end


def _given(record: Record) -> str:
    """How an answer under a runbook with `signature` was given: signed, by the host's operator, or as a yes or a no without a signature."""
    if record.values.get("signed") is True:
        return "signed"
    if record.part("actor").get("kind") == "operator":
        return "operator"
    return "yes" if record.type in YESES else "no"


def _needs_answer(line: RequestLine) -> bool:
    return line.basis not in ("autonomous", "break_glass", "sealed_path") and line.state not in ("withdrawn", "pending")


def _in_time(line: RequestLine) -> bool:
    seconds = _seconds_to_decision(line)
    target = TARGETS.get(str(line.first["kind"]))
    return _needs_answer(line) and seconds is not None and target is not None and seconds <= target.total_seconds()


def _seconds_to_decision(line: RequestLine) -> int | None:
    """From the filing to the decision of a person; None where nobody decided."""
    if line.state not in ("approved", "denied") or not line.decided_at:
        return None
    return round((_at(line.decided_at) - _at(str(line.first["filed_at"]))).total_seconds())


def _spread(seconds: list[int]) -> dict[str, int]:
    found = {"n": len(seconds)}
    if seconds:
        found["median"] = round(median(seconds))
    if len(seconds) >= _ENOUGH:
        found["p90"] = round(quantiles(seconds, n=10, method="inclusive")[8])
    return found


def _repeats(lines: Iterable[RequestLine]) -> int:
    """Requests for the same target, under the same runbook, within a day of a denial."""
    denied: dict[tuple[str, str], datetime] = {}
    count = 0
    for line in lines:
        key = (str(line.first["runbook"]), folded(str(line.first["target"])))
        filed = _at(str(line.first["filed_at"]))
        count += key in denied and filed - denied[key] <= _AGAIN
        if line.state == "denied":
            denied[key] = _at(line.decided_at)
    return count


def _hours_text(hours: Hours) -> str:
    days = ", ".join(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day] for day in sorted(hours.days))
    return (
        f"{days} {hours.start // 60:02}:{hours.start % 60:02} to {hours.end // 60:02}:{hours.end % 60:02} {hours.time_zone}"
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
