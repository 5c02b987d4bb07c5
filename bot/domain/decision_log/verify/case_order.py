"""The order of entries within one case.

A case begins with `request.filed` or, refused by the worker, `request.refused`. It has exactly one outcome:
`request.refused`, `.denied`, `.withdrawn`, `.expired`, or `grant.opened` with exactly one end. After an outcome no other
follows; entries of other kinds may. A policy exception is opened right with its grant, renewed while it is open, and ends with
`exception.ended` alone. A drill begins with `drill.started`, ends with `drill.ended`, and holds nothing that asks for, decides
or gives anything; `drill.*` is allowed nowhere else. A use of the sealed path begins with `sealed_use.recorded` and holds its review
and nothing that gives. A suspended authority begins with `authority.suspended` and is settled by `authority.restored`, a right
under review with `right.begun` and by `right.withdrawn` or `right.ended`. A finding begins with `finding.filed`, is
acknowledged once and closed once after that, and holds nothing that asks for, decides or gives access. A permit and an executor's opening come
under the open grant, its closing after the end. Each entry counts on from the one before and names its leaf hash.
Source: decision-log.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.domain.decision_log.entry_types import ENTRY_TYPES

TYPES = frozenset(ENTRY_TYPES)
NO = frozenset({"request.refused", "request.denied", "request.withdrawn", "request.expired"})
ENDS = frozenset({"grant.finished", "grant.unused", "grant.revoked", "grant.lapsed", "exception.ended"})
_OUTCOMES = NO | {"grant.opened"}
Phase = Literal[
    "unknown",
    "pending",
    "no",
    "open",
    "ended",
    "drill",
    "drilled",
    "sealed",
    "suspended",
    "barred",
    "reviewed",
    "settled",
    "finding",
    "acknowledged",
]
_NOT_IN_A_DRILL = frozenset(
    [
        "request",
        "grant",
        "evidence",
        "subject",
        "rotation",
        "executor",
        "permit",
        "breakglass",
        "review",
        "extension",
        "renewal",
        "sealed_use",
        "exception",
        "right",
    ]
)
_NOT_IN_A_SEALED_USE = (_NOT_IN_A_DRILL | {"drill"}) - {"review"}
_BEGINS: Mapping[str, Phase] = {  # in the place of a filing
    "drill.started": "drill",
    "sealed_use.recorded": "sealed",
    "authority.suspended": "suspended",
    "provider.suspended": "barred",
    "right.begun": "reviewed",
    "finding.filed": "finding",
}
_OF_A_FINDING = frozenset({
    "finding.joined", "finding.shared", "finding.corrected", "request.asked", "request.answered", "request.held", "request.passed",
    "request.pushed",
})  # fmt: skip
_MATTERS: Mapping[
    str, frozenset[str]
] = {  # cases that nobody filed: what each may contain besides steps, deliveries and refusals
    "suspended": frozenset({"authority.overdue", "authority.restored"}),
    "reviewed": frozenset({"review.due", "review.overdue", "right.kept", "right.withdrawn", "right.ended"}),
    "barred": frozenset({"provider.resumed"}),
    "finding": _OF_A_FINDING | {"finding.acknowledged"},
    "acknowledged": _OF_A_FINDING | {"finding.closed"},
    "settled": frozenset(),
}
_SETTLED = frozenset({"authority.restored", "provider.resumed", "right.withdrawn", "right.ended", "finding.closed"})
_ALWAYS = frozenset({"step.fired", "step.skipped", "delivery.sent", "delivery.failed", "decision.refused"})


_AFTER: Mapping[str, str] = {name: row.after for name, row in ENTRY_TYPES.items() if row.after}
_FIRST = frozenset({*_AFTER.values(), "exception.opened"})


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """What one case has so far. `seq` and `leaf` are of its last entry; `seen` are the types that others must follow."""

    seq: int
    leaf: bytes
    phase: Phase = "pending"
    seen: frozenset[str] = frozenset()


def continued(entry: Mapping[str, object]) -> CaseRecord | None:
    """The state before an entry whose case began in entries that are pruned from an export; None if it is the first."""
    seq, prev = entry.get("case_seq"), entry.get("case_prev")
    if not (isinstance(seq, int) and seq > 0 and isinstance(prev, str) and re.fullmatch("[0-9a-f]{64}", prev)):
        return None
    return CaseRecord(seq - 1, bytes.fromhex(prev), "unknown")


def judged(
    before: CaseRecord | None, kind: str, entry: Mapping[str, object] | None, leaf: bytes
) -> tuple[CaseRecord, tuple[str, ...]]:
    """The case after one more entry, and what is wrong with it. `entry` is None where its bytes are gone."""
    seq = 0 if before is None else before.seq + 1
    faults = [] if entry is None else list(_chain(before, seq, entry))
    phase: Phase = "pending" if before is None else before.phase
    faults += _order(before, kind, entry, phase)
    seen = frozenset() if before is None else before.seen
    if phase != "unknown" and kind in _AFTER and _AFTER[kind] not in seen:
        faults.append(f"{kind} without {_AFTER[kind]}.")
    if "exception.opened" in seen and kind in ENDS and kind != "exception.ended":
        faults.append(f"{kind} of an exception, which ends with exception.ended.")
    begins = _BEGINS.get(kind) if before is None else None
    following: Phase = begins or _next(phase, kind)
    return CaseRecord(seq, leaf, following, seen | ({kind} & _FIRST)), tuple(faults)


def _chain(before: CaseRecord | None, seq: int, entry: Mapping[str, object]) -> Iterator[str]:
    if type(entry.get("case_seq")) is not int or entry["case_seq"] != seq:
        yield f"its entry {entry.get('case_seq')!r} stands where {seq} should."
    expected = None if before is None else before.leaf.hex()
    if entry.get("case_prev") != expected:
        yield "`case_prev` is not the leaf of the case's entry before."


def _order(before: CaseRecord | None, kind: str, entry: Mapping[str, object] | None, phase: Phase) -> Iterator[str]:
    if phase == "unknown":
        return
    if before is not None and (phase in ("drill", "drilled") or kind.startswith("drill.")):
        yield from _drilled(kind, phase)
        return
    if before is not None and (phase == "sealed" or kind == "sealed_use.recorded"):
        yield from _sealed(kind, phase)
        return
    if before is not None and (phase in _MATTERS or kind.startswith(("authority.", "right.", "finding.", "provider."))):
        if kind not in _ALWAYS | _MATTERS.get(phase, frozenset()):
            yield f"{kind} in a case that is {phase}."
        return
    if before is None and kind not in ("request.filed", "request.refused", *_BEGINS):
        yield f"it begins with {kind}."
    if before is not None and kind == "request.filed":
        yield "it is filed twice."
    if kind in _OUTCOMES and phase != "pending":
        yield f"{kind} after its outcome."
    if kind in ENDS and phase != "open":
        yield f"{kind} without an open grant."
    if kind in ("grant.extended", "exception.opened", "exception.renewed") and phase != "open":
        yield f"{kind} without an open grant."
    if kind in ("permit.issued", "executor.opened") and phase != "open":
        yield f"{kind} without an open grant."
    if kind == "executor.closed" and phase != "ended":
        yield "executor.closed before the grant's end."
    if kind == "executor.failed" and phase not in ("open", "ended"):
        yield "executor.failed without a grant."
    if kind == "subject.verified" and phase != "pending":
        yield "subject.verified after its outcome."
    if kind == "request.approved" and phase != ("open" if _extends(entry) else "pending"):
        yield "request.approved after its outcome."


def _drilled(kind: str, phase: Phase) -> Iterator[str]:
    """What is wrong with one more entry of a drill, or with one of a drill in another case."""
    if phase not in ("drill", "drilled"):
        yield f"{kind} in a case that is no drill."
    elif kind == "drill.started":
        yield "it is started twice."
    elif kind.startswith("drill.") and phase == "drilled":
        yield f"{kind} after its outcome."
    elif kind.partition(".")[0] in _NOT_IN_A_DRILL:
        yield f"{kind} in a drill."


def _sealed(kind: str, phase: Phase) -> Iterator[str]:
    """What is wrong with one more entry of a use of the sealed path, or with one of it in another case."""
    if phase != "sealed":
        yield f"{kind} in a case that is no use of the sealed path."
    elif kind == "sealed_use.recorded":
        yield "it is recorded twice."
    elif kind.partition(".")[0] in _NOT_IN_A_SEALED_USE:
        yield f"{kind} in a use of the sealed path."


def _extends(entry: Mapping[str, object] | None) -> bool:
    data = {} if entry is None else entry.get("data")
    return isinstance(data, dict) and data.get("extends") is True


def _next(phase: Phase, kind: str) -> Phase:
    if phase in ("drill", "drilled"):
        return "drilled" if kind == "drill.ended" else phase
    if phase == "sealed":
        return phase
    if phase in _MATTERS:
        return "acknowledged" if kind == "finding.acknowledged" else "settled" if kind in _SETTLED else phase
    if phase == "unknown" and kind in ENDS:
        return "ended"
    if phase in ("pending", "unknown"):
        return "no" if kind in NO else "open" if kind == "grant.opened" else phase
    return "ended" if phase == "open" and kind in ENDS else phase
