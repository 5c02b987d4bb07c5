"""The log as the reports read it: each entry once, with what its digests disclose and whose case it belongs to.

The rows come as a stream, joined with the disclosures, which have the same order; only one small record for each case stays in
memory. What was erased is missing and marked as `erased`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from bot.domain.decision_log.verify.log import Row, Shown
from bot.domain.policy.model import Policy
from bot.evidence.people import known_people, opened
from bot.reports.concerns import concerns
from bot.reports.signatures import ANSWERS, Signatures
from storage.log.evidence import Evidence

_DAY = 86_400_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Scope:
    """What a paper is about: days (UTC, both included), and optionally one provider and one domain."""

    first: date
    last: date
    provider: str | None = None
    domain: str | None = None

    def holds(self, day: str) -> bool:
        """Whether a day `YYYY-MM-DD` is within the range."""
        return self.first.isoformat() <= day <= self.last.isoformat()


def scope_of(first: date | None, last: date | None, provider: str | None, domain: str | None) -> Scope | None:
    """What was asked for; a missing day is the first, or the last, that there is. None: nothing was asked for, so everything is meant."""
    if (first, last, provider, domain) == (None, None, None, None):
        return None
    return Scope(first or date(1970, 1, 1), last or date(9999, 12, 31), provider, domain)


@dataclass(frozen=True, slots=True)
class CaseOrigin:
    """Where a case began: its first entry's type and time, whose it is, and whether its runbook demanded a signature then."""

    type: str
    ts: str
    provider: str
    domain: str
    demands: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One entry. `told` holds what its digests disclose, by name; `origin` is None for an entry without a case. `key` is what the
    passkey is called that signed it, "" for one that nobody signed; `demanded`: it is an answer whose runbook wants yeses signed."""

    index: int
    leaf: str
    data: bytes
    entry: Mapping[str, Any]
    told: Mapping[str, str]
    origin: CaseOrigin | None
    key: str = ""
    demanded: bool = False

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
    its provider and domain. `policy` says whose a runbook is. Nothing else is decoded."""
    cases: dict[str, CaseOrigin] = {}
    first, after = _milliseconds(scope.first), _milliseconds(scope.last) + _DAY
    shown, signatures = _Disclosures(log.disclosures()), Signatures(log)
    for row in log.rows():
        begins = first <= row.ts_ms < after
        if row.data is None or not (begins or row.case in cases):
            continue
        entry = json.loads(row.data.decode())
        case = entry.get("case")
        if case is None:
            if begins and concerns(entry, policy, scope.provider, scope.domain):
                yield _record(row, entry, shown.of(row), None, signatures)
            continue
        if case not in cases and entry.get("case_seq") == 0 and (began := _origin(entry, scope)) is not None:
            cases[case] = replace(began, demands=signatures.demanded(entry))
        if case in cases:
            yield _record(row, entry, shown.of(row), cases[case], signatures)


def _record(
    row: Row, entry: Mapping[str, Any], told: Mapping[str, str], origin: CaseOrigin | None, signatures: Signatures
) -> Record:  # fmt: skip
    assert row.data is not None
    wanted = entry["type"] in ANSWERS and ((origin is not None and origin.demands) or signatures.demanded(entry))
    return Record(row.idx, row.leaf.hex(), row.data, entry, told, origin, signatures.key(entry, told), wanted)


def _milliseconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * _DAY


def _origin(entry: Mapping[str, Any], scope: Scope) -> CaseOrigin | None:
    """Where the case of its first entry began; None if it is outside the scope."""
    data = entry.get("data") if isinstance(entry.get("data"), dict) else {}
    assert isinstance(data, dict)
    party = str((entry.get("actor") or {}).get("party", ""))
    provider = str(data.get("provider", "" if party in ("", "home") else party))
    origin = CaseOrigin(str(entry["type"]), str(entry["ts"]), provider, str(data.get("domain", "")))
    inside = scope.holds(origin.ts[:10]) and scope.provider in (None, origin.provider)
    return origin if inside and scope.domain in (None, origin.domain) else None


class _Disclosures:
    """What the digests of an entry disclose; the entries are asked for in their order."""

    def __init__(self, shown: Iterator[Shown]) -> None:
        self._shown = shown
        self._next: Shown | None = next(shown, None)

    def of(self, row: Row) -> Mapping[str, str]:
        """By name; what is of entries before is passed over."""
        told: dict[str, str] = {}
        while self._next is not None and self._next.idx <= row.idx:
            found = opened(self._next.text) if self._next.idx == row.idx else None
            if found is not None:
                told[found[0]] = found[1]
            self._next = next(self._shown, None)
        return told
