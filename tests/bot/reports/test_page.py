"""The pack's first page: access without a grant comes first, and each domain says when it was last reconciled."""

from __future__ import annotations

from datetime import date
from typing import Any

from bot.demo.year.organisation import policy
from bot.domain.decision_log.signed_note import Checkpoint
from bot.reports.contents import Options, Totals
from bot.reports.pack import note_reconciled
from bot.reports.page import first_page
from bot.reports.reading import Record, Scope


def record(type_: str, case: str = "", told: dict[str, str] | None = None, **data: Any) -> Record:
    entry = {"type": type_, "ts": "2026-11-02T10:00:00.000Z", "case": case, "data": data}
    return Record(1, "00", b"", entry, told or {}, None)


def page_of(*records: Record, domain: str | None = None) -> str:
    totals = Totals()
    for one in records:
        note_reconciled(one, totals)
    options = Options(Scope(date(2026, 11, 1), date(2026, 11, 30), None, domain))
    return first_page(options, Checkpoint("o", 2, b"\0" * 32), totals, "s", "", policy())


def test_an_access_that_a_reconciliation_found_comes_first_with_its_outcome() -> None:
    found = record("finding.filed", "R-1", {"target": "dc-1 <b>"}, domain="vault", source="pam")
    told = page_of(found, record("finding.filed", "R-2", domain="vault"))
    assert told.index("Access that nobody approved: 1</h2>") < told.index("Reconciliation:")
    assert "no grant in the list of pam: open" in told
    assert "dc-1 &lt;b&gt;" in told
    assert "R-2" not in told  # somebody reported it: no reconciliation did
    closed = page_of(found, record("finding.closed", "R-1", outcome="approved_elsewhere"))
    assert "no grant in the list of pam: approved elsewhere" in closed


def test_each_domain_says_when_it_was_last_reconciled_or_that_it_never_was() -> None:
    counts = {"lines": 41, "access_without_grant": 7, "grant_without_access": 2}
    first = record("reconciliation.recorded", source="old", as_of="2026-11-01", domains={"vault": counts})
    last = record("reconciliation.recorded", source="pam", as_of="2026-11-02", domains={"vault": counts})
    told = page_of(first, last)
    assert "Reconciliation: 1 of 12 domains covered" in told
    assert (
        '<td>vault</td><td><time datetime="2026-11-02T10:00:00.000Z">2026-11-02 10:00</time></td><td>pam</td>'
        "<td>2026-11-02</td><td>41</td><td>7</td><td>2</td>" in told
    )
    assert told.count("never in these days") == 11
    assert "Reconciliation: 0 of 1 domains covered" in page_of(last, domain="mail")
