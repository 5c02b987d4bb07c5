"""The month's figures from single entries: what is late, and what was approved within five seconds of its message."""

from __future__ import annotations

from typing import Any

import pytest

from bot.reports.flags import flags
from bot.reports.month import MonthFigures
from bot.reports.reading import CaseOrigin, Record

_ORIGIN = CaseOrigin("request.filed", "2026-11-02T10:00:00.000Z", "northgate", "directory")
_OWNER = {"kind": "person", "ref": "sub_owner", "party": "home"}
_ASKER = {"kind": "person", "ref": "sub_asker", "party": "northgate"}


def record(type_: str, second: int, actor: dict[str, str] | None = None, case: str = "R-1", **data: Any) -> Record:
    ts = f"2026-11-02T10:{second // 60:02}:{second % 60:02}.000Z"
    entry = {"type": type_, "ts": ts, "case": case, "actor": actor or {"kind": "clock"}, "data": data}
    return Record(second, "00", b"", entry, {}, _ORIGIN)


def figures(*records: Record) -> dict[str, Any]:
    found = MonthFigures({})
    for one in records:
        found.add(one)
    return found.as_json()


@pytest.mark.parametrize(("after", "hasty"), [(0, 1), (4, 1), (5, 0), (60, 0)])
def test_a_yes_within_five_seconds_of_its_own_message_is_counted(after: int, hasty: int) -> None:
    told = figures(
        record("request.filed", 0, _ASKER, kind="reset"),
        record("delivery.sent", 10, purpose="card", to="sub_deputy"),
        record("delivery.sent", 60, purpose="card", to="sub_owner"),
        record("request.approved", 60 + after, _OWNER),
    )
    assert told["approved_within_five_seconds"] == hasty
    assert any("within five seconds" in flag for flag in flags(told)) is bool(hasty)


def test_a_yes_is_measured_from_the_first_card_and_from_no_other_message() -> None:
    told = figures(
        record("request.filed", 0, _ASKER, kind="reset"),
        record("delivery.sent", 1, purpose="card", to="sub_owner"),
        record("delivery.sent", 58, purpose="outcome", to="sub_owner"),
        record("delivery.sent", 59, purpose="card", to="sub_owner"),
        record("request.approved", 60, _OWNER),
    )
    assert told["approved_within_five_seconds"] == 0


@pytest.mark.parametrize(
    ("filed", "corrected", "late"), [(True, None, 1), (False, None, 0), (True, False, 0), (False, True, 1)]
)
def test_a_finding_is_late_by_the_newest_time_of_noticing(filed: bool, corrected: bool | None, late: int) -> None:
    told = [record("finding.filed", 0, _ASKER, late=filed)]
    told += [] if corrected is None else [record("finding.corrected", 60, _ASKER, late=corrected)]
    found = figures(*told, record("finding.filed", 90, _ASKER, "R-2", late=False))
    assert (found["findings"], found["late_findings"]) == (2, late)
    assert any("came later than agreed" in flag for flag in flags(found)) is bool(late)
