"""One line a request: what was asked, who decided, what became of the access. Made from its entries alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bot.reports.reading import Record
from bot.reports.signatures import ANSWERS

COLUMNS = (
    "index", "leaf", "case", "filed_at", "kind", "provider", "domain", "runbook", "runbook_sha256", "requester", "target", "reason",
    "seconds", "state", "decided_at", "approvals", "approved_by", "denied_by", "basis", "opened_at", "not_after", "ended_at", "ended",
    "closed_by", "first_asked_at", "first_answer_at", "evidence_missing", "review", "unapproved", "signed",
)  # fmt: skip
_OUTCOMES = {
    "request.denied": "denied", "request.withdrawn": "withdrawn", "request.expired": "expired", "request.refused": "refused",
}  # fmt: skip
_ENDS = {
    "grant.finished": "finished", "grant.unused": "unused", "grant.revoked": "revoked", "grant.lapsed": "lapsed",
    "exception.ended": "ended",
}  # fmt: skip
_RATIFICATIONS = {
    "breakglass.ratified": "ratified", "breakglass.rejected": "rejected", "breakglass.unratified": "unratified",
}  # fmt: skip
_REVIEWS = {
    "review.passed": "passed", "review.flagged": "flagged", "review.overdue": "overdue", **_RATIFICATIONS,
}  # fmt: skip


@dataclass(slots=True)
class RequestLine:
    """A request as far as its entries were read."""

    first: dict[str, Any]
    state: str = "pending"
    decided_at: str = ""
    approved_by: list[str] = field(default_factory=list)
    denied_by: str = ""
    basis: str = ""
    opened_at: str = ""
    not_after: str = ""
    ended_at: str = ""
    ended: str = ""
    closed_by: str = ""
    first_asked_at: str = ""
    first_answer_at: str = ""
    evidence_missing: int = 0
    review: str = ""
    ratification: str = ""  # of a break-glass; no review takes its place
    last_yes: str = ""  # when the approval that completed the quorum was given; nothing opens before
    signed: list[str] = field(default_factory=list)  # who signed an answer, and with which key

    @property
    def unapproved(self) -> str:
        """Why the access counts as approved by nobody; empty where somebody did, or where none was opened."""
        if self.state == "sealed":
            return "sealed path"
        if self.basis == "break_glass" and self.ratification != "ratified":
            return f"break-glass, {self.ratification or 'not ratified yet'}"
        return ""

    def add(self, record: Record, who: str) -> None:
        """One more entry of the case; `who` is its actor as the paper names them."""
        kind, data = record.type, record.values
        if record.key and kind in ANSWERS:
            self.signed.append(f"{who}: {record.key}")
        if kind == "delivery.sent" and data.get("purpose") == "card" and not self.first_asked_at:
            self.first_asked_at = record.ts
        if kind in ("request.approved", "request.denied", "request.asked", "request.passed", "request.held"):
            self.first_answer_at = self.first_answer_at or record.ts
        if kind == "request.approved" and not data.get("extends"):
            self.approved_by.append(who)
            self.last_yes = record.ts
        if kind in _OUTCOMES:
            self.state, self.decided_at = _OUTCOMES[kind], record.ts
            self.denied_by = who if kind == "request.denied" else ""
        if kind == "breakglass.opened":
            self.basis = "break_glass"
        if kind in ("grant.opened", "exception.opened"):
            self._opened(record)
        if kind == "grant.extended":
            self.not_after = str(data.get("not_after", self.not_after))
        if kind in _ENDS:
            self.ended, self.ended_at, self.closed_by = _ENDS[kind], record.ts, str(data.get("closed_by", ""))
        self.evidence_missing += kind == "evidence.missing"
        self.review = _REVIEWS.get(kind, self.review)
        self.ratification = _RATIFICATIONS.get(kind, self.ratification)

    def _opened(self, record: Record) -> None:
        if not self.opened_at:
            self.decided_at, self.opened_at = self.last_yes, record.ts
            self.basis = self.basis or ("approval" if self.approved_by else "autonomous")
            self.state = "approved" if self.approved_by else "opened"
        self.not_after = str(record.values.get("not_after", record.values.get("until", self.not_after)))

    def row(self) -> dict[str, Any]:
        """The line with all COLUMNS."""
        own = {
            "state": self.state, "decided_at": self.decided_at, "approvals": len(self.approved_by),
            "approved_by": "; ".join(self.approved_by), "denied_by": self.denied_by, "basis": self.basis,
            "opened_at": self.opened_at, "not_after": self.not_after, "ended_at": self.ended_at, "ended": self.ended,
            "closed_by": self.closed_by, "first_asked_at": self.first_asked_at, "first_answer_at": self.first_answer_at,
            "evidence_missing": self.evidence_missing, "review": self.review, "unapproved": self.unapproved,
            "signed": "; ".join(self.signed),
        }  # fmt: skip
        return {**self.first, **own}


def begun(record: Record, who: str) -> RequestLine | None:
    """The line that begins with this entry; None where it begins no request."""
    if record.type not in ("request.filed", "sealed_use.recorded", "request.refused"):
        return None
    book, origin = record.part("runbook"), record.origin
    line = RequestLine(
        {
            "index": record.index, "leaf": record.leaf, "case": record.case, "filed_at": record.ts,
            "kind": record.values.get("kind", "sealed_use" if record.type == "sealed_use.recorded" else ""),
            "provider": origin.provider if origin else "", "domain": origin.domain if origin else "",
            "runbook": book.get("id", ""), "runbook_sha256": book.get("sha256", ""), "requester": who,
            "target": record.told.get("target", "erased"), "reason": record.told.get("reason", "erased"),
            "seconds": record.values.get("seconds", 0),
        }
    )  # fmt: skip
    if record.type == "sealed_use.recorded":
        line.state, line.basis = "sealed", "sealed_path"
    if record.type == "request.refused":
        line.state, line.decided_at = "refused", record.ts
        line.first |= {"target": "", "reason": str(record.values.get("reason_code", ""))}
    return line
