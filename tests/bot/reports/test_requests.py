"""A request's own line: when it was decided is when somebody decided it, and nobody did what opened by itself."""

from __future__ import annotations

from typing import Any

import pytest

from bot.reports.reading import CaseOrigin, Record
from bot.reports.requests import RequestLine, begun


def line_of(*told: tuple[str, dict[str, Any]]) -> RequestLine:
    """The line of a case with these entries, one a minute, the first at 10:00."""
    origin = CaseOrigin("request.filed", "2026-11-02T10:00:00.000Z", "northgate", "directory")
    line: RequestLine | None = None
    for minute, (type_, data) in enumerate((("request.filed", {"kind": "emergency_access", "seconds": 60}), *told)):
        entry = {"type": type_, "ts": f"2026-11-02T10:{minute:02}:00.000Z", "case": "R-1", "data": data}
        record = Record(minute, "00", b"", entry, {}, origin)
        if line is None:
            line = begun(record, "Pe")
        else:
            line.add(record, "Olga")
    assert line is not None
    return line


def test_it_was_decided_when_the_last_yes_was_given_not_when_it_opened() -> None:
    line = line_of(
        ("request.approved", {}), ("request.approved", {}), ("delivery.sent", {}), ("grant.opened", {"seconds": 60})
    )
    assert (line.state, line.decided_at[11:16], line.opened_at[11:16]) == ("approved", "10:02", "10:04")


def test_nobody_decided_what_opened_by_itself() -> None:
    for before in ((), (("breakglass.opened", {"due": ""}),)):
        line = line_of(*before, ("grant.opened", {"seconds": 60}), ("breakglass.ratified", {}))
        assert (line.state, line.decided_at, bool(line.opened_at)) == ("opened", "", True)


@pytest.mark.parametrize(
    ("told", "unapproved"),
    [
        ((), "break-glass, not ratified yet"),
        (("breakglass.ratified", "review.due", "review.flagged"), ""),
        (("breakglass.rejected", "grant.revoked", "review.due", "review.flagged"), "break-glass, rejected"),
        (("breakglass.unratified", "review.due", "review.passed"), "break-glass, unratified"),
        (("breakglass.unratified", "breakglass.ratified", "review.overdue"), ""),
        (("grant.finished", "review.due", "review.passed"), "break-glass, not ratified yet"),
    ],
)
def test_no_review_approves_what_nobody_ratified(told: tuple[str, ...], unapproved: str) -> None:
    line = line_of(("breakglass.opened", {"due": ""}), ("grant.opened", {"seconds": 60}), *((type_, {}) for type_ in told))
    assert line.unapproved == unapproved


def test_a_yes_to_more_time_decides_nothing_anew() -> None:
    line = line_of(("request.approved", {}), ("grant.opened", {"seconds": 60}), ("request.approved", {"extends": True}))
    assert (line.decided_at[11:16], line.approved_by) == ("10:01", ["Olga"])


def test_one_yes_of_two_is_no_decision_yet() -> None:
    assert line_of(("request.approved", {})).row()["decided_at"] == ""
