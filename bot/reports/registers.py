"""The register of policy exceptions and that of reviews, as papers made from the log up to its newest checkpoint.

An exception is live from its opening to its end. A review after use is open until somebody passes or flags it; one that nobody
answered in time counts as overdue even if an answer came later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.domain.policy.model import Policy, Runbook
from bot.ports.database import Location
from bot.reports.monthly import needed_policy, require_known
from bot.reports.paper import Paper, Table
from bot.reports.reading import Record, Scope, people_of, records
from bot.reports.requests import RequestLine, begun
from storage.log.evidence import settled_evidence

_ALWAYS = (date(1970, 1, 1), date(9999, 12, 31))
_EXCEPTIONS = (
    "case", "state", "provider", "domain", "runbook", "requester", "approved_by", "opened", "until", "renewals", "overdue",
    "ended", "signed",
)  # fmt: skip
_REVIEWS = ("domain", "due", "passed", "flagged", "overdue", "open")
_RIGHTS = ("item", "of", "provider", "domain", "answer", "by", "at")
_CAMPAIGNS = ("review", "opened", "closed", "kept", "narrowed", "withdrawn", "silent", "unanswered")
_AFTER_USE = ("review.due", "review.passed", "review.flagged", "review.overdue")
_OF_RIGHTS = {"right.kept": "kept", "right.narrowed": "narrowed", "right.withdrawn": "withdrawn"}
_COUNTS = ("kept", "narrowed", "withdrawn", "silent", "unanswered")


def exceptions_paper(place: Location, provider: str | None, domain: str | None) -> Paper:
    """Every exception of the log. Raises SettingsError (an unknown name), StorageError, SchemaError."""
    found = _Exceptions()
    return _read(place, provider, domain, found.add, found.paper)


def reviews_paper(place: Location, provider: str | None, domain: str | None) -> Paper:
    """Every review of the log. Raises SettingsError (an unknown name), StorageError, SchemaError."""
    found = _Reviews()
    return _read(place, provider, domain, found.add, found.paper)


def _read(
    place: Location, provider: str | None, domain: str | None, add: Callable[[Record, str], None],
    paper: Callable[[str, Sequence[Runbook]], Paper],
) -> Paper:  # fmt: skip
    last = ""
    with settled_evidence(place) as log:
        policy = needed_policy(log)
        require_known(policy, provider, domain)
        named = _names(people_of(log), policy)
        for record in records(log, Scope(*_ALWAYS, provider, domain), policy):
            ref = str(record.part("actor").get("ref", ""))
            add(record, named.get(ref, ref or str(record.part("actor").get("kind", ""))))
            last = record.ts
    books = [
        book for book in policy.runbooks.values() if domain in (None, book.domain) and provider in (None, *book.providers)
    ]
    return paper(last, books)


def _names(people: Mapping[str, str], policy: Policy) -> Mapping[str, str]:
    called = {str(named.person): named.name for named in policy.people}
    return {ref: called.get(who, who) for ref, who in people.items()}


@dataclass(slots=True)
class _Exceptions:
    """The exceptions as far as they were read, by case."""

    lines: dict[str, RequestLine] = field(default_factory=dict)
    renewals: Counter[str] = field(default_factory=Counter)
    overdue: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record, who: str) -> None:
        line = self.lines.get(record.case)
        if line is not None:
            line.add(record, who)
            self.renewals[record.case] += record.type == "exception.renewed"
            self.overdue[record.case] += record.type == "exception.overdue"
            return
        first = begun(record, who) if record.type == "request.filed" else None
        if first is not None and first.first["kind"] == "policy_exception":
            self.lines[record.case] = first

    def paper(self, as_of: str, _books: Sequence[Runbook]) -> Paper:
        opened = {case: line for case, line in self.lines.items() if line.opened_at}
        live = [case for case, line in opened.items() if not line.ended]
        states = Counter(line.state for line in self.lines.values())
        past = [case for case in live if opened[case].not_after < as_of]
        flags = [f"{len(past)} exceptions are live past their end: {', '.join(past[:5])}."] if past else []
        if overdue := [case for case in live if self.overdue[case]]:
            flags.append(f"{len(overdue)} live exceptions have an overdue answer: {', '.join(overdue[:5])}.")
        figures = {
            "asked_for": len(self.lines), "live": len(live), "ended": len(opened) - len(live), "denied": states["denied"],
            "expired": states["expired"], "withdrawn": states["withdrawn"], "refused": states["refused"], "pending": states["pending"],
            "renewals": sum(self.renewals.values()),
        }  # fmt: skip
        order = sorted(opened, key=lambda case: (bool(opened[case].ended), opened[case].not_after, case))
        rows = [self._row(case, opened[case]) for case in order]
        return Paper("Policy exceptions", as_of, tuple(flags), figures, (Table("Exceptions", _EXCEPTIONS, rows),))

    def _row(self, case: str, line: RequestLine) -> tuple[object, ...]:
        first = line.first
        return (
            case, "ended" if line.ended else "live", first["provider"], first["domain"], first["runbook"], first["requester"],
            "; ".join(line.approved_by), line.opened_at, line.not_after, self.renewals[case], self.overdue[case], line.ended_at,
            "; ".join(line.signed),
        )  # fmt: skip


@dataclass(slots=True)
class _Reviews:
    """The reviews as far as they were read."""

    by_domain: dict[str, Counter[str]] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)  # case to domain
    rights: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)  # the newest answer to each
    campaigns: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, record: Record, who: str) -> None:
        if record.type in _AFTER_USE and record.origin is not None and record.origin.type != "right.begun":
            self._after_use(record, record.origin.domain)
        if record.type in _OF_RIGHTS:
            self._answered(record, who)
        if record.type in ("campaign.opened", "campaign.closed"):
            self._campaign(record)

    def _after_use(self, record: Record, domain: str) -> None:
        word = record.type.partition(".")[2]
        self.by_domain.setdefault(domain, Counter())[word] += 1
        if word == "due":
            self.open[record.case] = domain
        elif word != "overdue":
            self.open.pop(record.case, None)

    def _answered(self, record: Record, who: str) -> None:
        data, origin = record.values, record.origin
        domains = data.get("domains") or [origin.domain if origin else ""]
        item, of = str(data.get("item", "autonomous")), str(data.get("of", record.part("runbook").get("id", "")))
        provider = str(data.get("provider", origin.provider if origin else ""))
        answer = "narrowed by silence" if data.get("by") == "silence" else _OF_RIGHTS[record.type]
        self.rights[item, of] = (item, of, provider, "; ".join(map(str, domains)), answer, who, record.ts)

    def _campaign(self, record: Record) -> None:
        data, word = record.values, record.type.partition(".")[2]
        known = self.campaigns.setdefault(str(data.get("id")), {})
        known[word] = record.ts
        known |= {name: str(data[name]) for name in _COUNTS if name in data}

    def paper(self, as_of: str, books: Sequence[Runbook]) -> Paper:
        waiting = Counter(self.open.values())
        total: Counter[str] = sum(self.by_domain.values(), Counter())
        flags = []
        if total["overdue"]:
            flags.append(f"{total['overdue']} of {total['due']} reviews after use were answered late, or not at all.")
        never = [book.id for book in books if book.right == "autonomous" and not self._reviewed(book.id)]
        if never:
            flags.append(
                f"{len(never)} autonomous {'right was' if len(never) == 1 else 'rights were'} never reviewed: {', '.join(sorted(never)[:5])}."
            )
        figures = {"reviews_due": total["due"], "passed": total["passed"], "flagged": total["flagged"]}
        figures |= {"overdue": total["overdue"], "open": len(self.open), "reviews_of_rights": len(self.campaigns)}
        used = [(name, *(found[w] for w in _REVIEWS[1:5]), waiting[name]) for name, found in sorted(self.by_domain.items())]
        held = [
            (id_, one.get("opened", ""), one.get("closed", ""), *(one.get(n, "") for n in _COUNTS))
            for id_, one in self.campaigns.items()
        ]
        tables = (
            Table("Reviews after use", _REVIEWS, used, ("passed", "flagged", "open")),
            Table("Answers about rights", _RIGHTS, [self.rights[key] for key in sorted(self.rights)]),
            Table("Reviews of rights", _CAMPAIGNS, held),
        )
        return Paper("Reviews", as_of, tuple(flags), figures, tables)

    def _reviewed(self, book: str) -> bool:
        return any(of == book for _, of in self.rights)
