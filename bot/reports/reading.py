"""The log as the reports read it: each entry once, with what its digests disclose and whose case it belongs to.

The rows come as a stream, joined with the disclosures, which have the same order; only one small record for each case stays in
memory. What was erased is missing and said as `erased`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.domain.decision_log.verify.log import Row, Shown
from bot.domain.policy.model import Policy
from bot.evidence.people import known_people, opened
from bot.reports.concerns import concerns
from storage.log.evidence import Evidence

BEGINS = frozenset(
    {"request.filed", "drill.started", "sealed_use.recorded", "authority.suspended", "right.begun", "finding.filed"}
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a paper is about: days (UTC, both included), and optionally one provider and one domain."""

    first: date
    last: date
    provider: str | None = None
    domain: str | None = None

    def holds(self, day: str) -> bool:
        """Whether a day `YYYY-MM-DD` lies within."""
        return self.first.isoformat() <= day <= self.last.isoformat()


@dataclass(frozen=True, slots=True)
class CaseOrigin:
    """Where a case began: its first entry's type and time, whose it is."""

    type: str
    ts: str
    provider: str
    domain: str


@dataclass(frozen=True, slots=True)
class Record:
    """One entry. `told` holds what its digests disclose, by name; `origin` is None for an entry without a case."""

    index: int
    leaf: str
    data: bytes
    entry: Mapping[str, Any]
    told: Mapping[str, str]
    origin: CaseOrigin | None

    @property
    def type(self) -> str:
        return str(self.entry["type"])

    @property
    def case(self) -> str:
        return str(self.entry.get("case", ""))

    @property
    def ts(self) -> str:
        return str(self.entry["ts"])

    @property
    def values(self) -> Mapping[str, Any]:
        """The entry's `data`."""
        found = self.entry.get("data")
        return found if isinstance(found, dict) else {}

    def part(self, key: str) -> Mapping[str, Any]:
        """`actor`, `runbook` or `policy`; empty where it is absent."""
        found = self.entry.get(key)
        return found if isinstance(found, dict) else {}


def people_of(log: Evidence) -> Mapping[str, str]:
    """`TEAM/USER` by pseudonym, of everybody whose disclosure was not erased."""
    return known_people(log.disclosures())


def records(log: Evidence, scope: Scope, policy: Policy | None = None) -> Iterator[Record]:
    """The entries of the scope in the order of the log: those of the cases that began in it, and those without a case that concern
    its provider and domain. `policy` tells whose a runbook is."""
    cases: dict[str, CaseOrigin | None] = {}
    for row, told in _joined(log):
        if row.data is None:
            continue
        entry = json.loads(row.data)
        case = entry.get("case")
        if case is None:
            if scope.holds(str(entry["ts"])[:10]) and concerns(entry, policy, scope.provider, scope.domain):
                yield Record(row.idx, row.leaf.hex(), row.data, entry, told, None)
            continue
        if case not in cases:
            cases[case] = _origin(entry, scope)
        origin = cases[case]
        if origin is not None:
            yield Record(row.idx, row.leaf.hex(), row.data, entry, told, origin)


def _origin(entry: Mapping[str, Any], scope: Scope) -> CaseOrigin | None:
    """Where the case of its first entry began; None if it is outside the scope."""
    data = entry.get("data") if isinstance(entry.get("data"), dict) else {}
    assert isinstance(data, dict)
    party = str((entry.get("actor") or {}).get("party", ""))
    provider = str(data.get("provider", "" if party in ("", "home") else party))
    origin = CaseOrigin(str(entry["type"]), str(entry["ts"]), provider, str(data.get("domain", "")))
    inside = scope.holds(origin.ts[:10]) and scope.provider in (None, origin.provider)
    return origin if inside and scope.domain in (None, origin.domain) else None


def _joined(log: Evidence) -> Iterator[tuple[Row, Mapping[str, str]]]:
    shown = log.disclosures()
    waiting: Shown | None = next(shown, None)
    for row in log.rows():
        told: dict[str, str] = {}
        while waiting is not None and waiting.idx <= row.idx:
            found = opened(waiting.text)
            if found is not None and waiting.idx == row.idx:
                told[found[0]] = found[1]
            waiting = next(shown, None)
        yield row, told
