"""Where permits and an executor's answers may come within a case."""

from __future__ import annotations

import pytest

from bot.domain.decision_log.verify.case_order import CaseRecord, judged

LEAF = bytes(32)
OPEN = ("request.filed", "request.approved", "grant.opened")


def faults(*types: str) -> list[str]:
    record: CaseRecord | None = None
    found: list[str] = []
    for type_ in types:
        record, wrong = judged(record, type_, None, LEAF)
        found += wrong
    return found


@pytest.mark.parametrize("types", [
    (*OPEN, "permit.issued", "executor.opened", "grant.extended", "executor.opened", "grant.lapsed", "executor.failed", "executor.closed"),
    (*OPEN, "executor.failed", "grant.revoked", "review.due", "executor.closed"),
])  # fmt: skip
def test_these_are_in_order(types: tuple[str, ...]) -> None:
    assert faults(*types) == []


@pytest.mark.parametrize("types", [
    ("request.filed", "permit.issued"), (*OPEN, "grant.revoked", "permit.issued"), ("request.filed", "executor.opened"),
    (*OPEN, "grant.lapsed", "executor.opened"), (*OPEN, "executor.closed"), ("request.filed", "executor.failed"),
])  # fmt: skip
def test_these_are_not(types: tuple[str, ...]) -> None:
    assert len(faults(*types)) == 1


FINDING = ("finding.filed", "step.fired", "finding.joined", "finding.acknowledged", "request.asked", "finding.closed")


def test_a_finding_is_filed_acknowledged_and_closed() -> None:
    assert faults(*FINDING, "delivery.sent") == []


@pytest.mark.parametrize(
    "types",
    [
        ("finding.filed", "finding.closed"),
        ("finding.filed", "finding.acknowledged", "finding.acknowledged"),
        (*FINDING, "finding.joined"),
        ("finding.filed", "request.approved"),
        ("finding.filed", "grant.opened"),
        ("finding.acknowledged",),
        ("request.filed", "finding.acknowledged"),
    ],
)
def test_nothing_else_is_in_a_finding_and_it_is_nowhere_else(types: tuple[str, ...]) -> None:
    assert faults(*types)
