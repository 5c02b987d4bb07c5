"""The exit record of a provider: what was open when it ended and how that ended, people, rights, what is still owed.

The end is that of two people's act, else the end of the contract's last day (what that ended later, because the day was set when it
was over, or an upgrade found it past, counts too); before it, the moment of reading, and the record is a
preview. Each case has the index of the entry that ended it, or of its newest one. Only ids, names and states:
never target, reason or fields. Source: governance-contract.md, section 4.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Case
from bot.domain.decision_log.entry import stamp
from bot.domain.policy.model import Policy
from bot.domain.policy.provider import Provider
from bot.domain.workflow.providers.contract_notices import ends_at
from bot.ports.records import LogRow, RequestLine
from bot.ports.store import Store
from bot.reports import charts
from bot.reports.sheet import sheet

_MOST, _TOGETHER = 1_000_000, 5_000
_CLOSES = ("request.denied", "request.withdrawn", "request.expired")
_BY_THE_END = ("pending", "open", "expired", "lapsed")  # of what began after the day: the end may be carried out later
_ENDS = ("grant.finished", "grant.unused", "grant.revoked", "grant.lapsed", "exception.ended")


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A request that was pending, or whose grant was open, when the provider ended."""

    id: str
    title: str
    domain: str
    was: str  # pending, open, exception
    now: str
    at: datetime | None
    entry: int | None


@dataclass(frozen=True, slots=True)
class Owed:
    """Evidence or a rotation that has not come."""

    id: str
    kind: str
    name: str
    due: datetime
    entry: int | None


@dataclass(frozen=True, slots=True)
class ExitRecord:
    """`ends`: when it ended or will end; None where the contract has no end. `acts`: index, type and time of its own entries."""

    provider: Provider
    made_at: datetime
    ends: datetime | None
    over: bool
    people: tuple[tuple[str, str], ...]
    rights: tuple[tuple[str, str, str], ...]
    open: tuple[OpenCase, ...]
    owed: tuple[Owed, ...]
    acts: tuple[tuple[int, str, datetime], ...]

    def as_json(self) -> dict[str, object]:
        """JSON-able values."""
        return {
            "provider": self.provider.id, "name": self.provider.name, "contract": self.provider.contract,
            "contract_until": None if self.provider.contract_until is None else str(self.provider.contract_until),
            "made_at": stamp(self.made_at), "ends": _stamp(self.ends), "over": self.over,
            "people": [{"person": person, "roles": roles} for person, roles in self.people],
            "rights": [{"runbook": id_, "domain": domain, "right": right} for id_, domain, right in self.rights],
            "open": [
                {"id": c.id, "title": c.title, "domain": c.domain, "was": c.was, "now": c.now, "at": _stamp(c.at), "entry": c.entry}
                for c in self.open
            ],
            "rotations_owed": [_owed(one) for one in self.owed if one.kind == "rotation"],
            "evidence_missing": [_owed(one) for one in self.owed if one.kind == "evidence"],
            "acts": [{"entry": idx, "type": type_, "at": stamp(at)} for idx, type_, at in self.acts],
        }  # fmt: skip


async def exit_record(store: Store, policy: Policy, provider: Provider, now: datetime) -> ExitRecord:
    """Reads what is pending and open of a provider. Raises StorageError."""
    early = (await store.policies.ended_providers()).get(provider.id)
    last = None if provider.contract_until is None else ends_at(provider.contract_until)
    ends = min((at for at in (early, last) if at is not None), default=None)
    over = ends is not None and now >= ends
    moment = ends if over and ends is not None else now
    lines = [x for x in await store.cases.requests(_MOST, closed_too=True) if x.provider == provider.id and not x.drill]
    found, owed = list[OpenCase](), list[Owed]()
    for line in lines:
        case = await store.cases.case(line.id)
        if case is None:
            continue
        entries = await store.log.of_case(line.id)
        found += [one for one in [_opened(case, line, moment, entries)] if one is not None]
        owed += _of_case(case, entries)
    acts = [act async for act in _acts(store, provider.id)]
    return ExitRecord(
        provider, now, ends, over, tuple(_people(policy, provider)), tuple(_rights(policy, provider)), tuple(found),
        tuple(owed), tuple(acts),
    )  # fmt: skip


def lines(record: ExitRecord) -> list[str]:
    """The record for a terminal."""
    told = [_head(record)]
    for title, rows in _tables(record):
        told += ["", f"{title}: {len(rows) - 1 if len(rows) > 1 else 'none'}", *("  " + "  ".join(row) for row in rows[1:])]
    return told


def page(record: ExitRecord) -> str:
    """The record as one page that loads nothing."""
    parts = [f"<p>{escape(_head(record))}</p>"]
    for title, (columns, *rows) in _tables(record):
        parts += [f"<h2>{escape(title)}</h2>", charts.table(columns, rows) if rows else "<p>None.</p>"]
    return sheet(f"Exit record: {record.provider.name}", parts)


def _head(record: ExitRecord) -> str:
    name = record.provider.name
    if record.over and record.ends is not None:
        return f"{name} ended at {record.ends:%Y-%m-%d %H:%M} UTC."
    when = f"ends at {record.ends:%Y-%m-%d %H:%M} UTC" if record.ends is not None else "has no end in the policy"
    return f"{name} {when}. This is a preview as of {record.made_at:%Y-%m-%d %H:%M} UTC."


def _tables(record: ExitRecord) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    head = ("Request", "Title", "Domain", "Was", "Now", "At", "Entry")
    yield "Open at the end", [head, *(
        (c.id, c.title, c.domain, c.was, c.now, _stamp(c.at) or "", _entry(c.entry)) for c in record.open
    )]  # fmt: skip
    for kind, title in (("rotation", "Rotations owed"), ("evidence", "Evidence missing")):
        rows = [(o.id, o.name, stamp(o.due), _entry(o.entry)) for o in record.owed if o.kind == kind]
        yield title, [("Request", "What", "Due", "Entry"), *rows]
    yield "People", [("Person", "Roles"), *record.people]
    yield "Rights", [("Runbook", "Domain", "Right"), *record.rights]
    yield "Suspensions and end", [("Entry", "Type", "At"), *((str(i), kind, stamp(at)) for i, kind, at in record.acts)]


def _opened(case: Case, line: RequestLine, moment: datetime, entries: Sequence[LogRow]) -> OpenCase | None:
    request, grant = case.request, case.grant
    if case.finding is not None:
        return None
    was = now = ""
    at: datetime | None = None
    if grant is not None and (grant.state is GrantState.OPEN or (grant.ended_at or moment) >= moment):
        was, now, at = "exception" if case.dated else "open", str(grant.state), grant.ended_at
    elif request.closed_at is None or (grant is None and request.closed_at >= moment):
        was, now, at = "pending", str(request.state), request.closed_at
    if max(request.filed_at, grant.opened_at if grant else request.filed_at) > moment and now not in _BY_THE_END:
        return None
    types = _ENDS if was in ("open", "exception") else _CLOSES
    return OpenCase(case.id, request.title, request.domain, was, now, at, _index(entries, types)) if was else None


def _of_case(case: Case, entries: Sequence[LogRow]) -> Iterator[Owed]:
    for duty in case.owed():
        yield Owed(case.id, duty.kind, duty.name, duty.due_at, _index(entries, ("evidence.missing", *_ENDS)))


def _index(entries: Sequence[LogRow], types: Sequence[str]) -> int | None:
    """The newest entry of one of these types, else the newest of the case."""
    return next((row.idx for row in reversed(entries) if row.type in types), entries[-1].idx if entries else None)


async def _acts(store: Store, provider: str) -> AsyncIterator[tuple[int, str, datetime]]:
    """The entries `provider.*` of a provider, from the whole log."""
    start = 0
    while rows := await store.log.rows(start, _TOGETHER):
        for row in rows:
            if row.type.startswith("provider.") and row.data is not None:
                data = json.loads(row.data).get("data", {})
                if data.get("provider") == provider:
                    yield row.idx, row.type, datetime.fromtimestamp(row.ts_ms / 1000, UTC)
        start = rows[-1].idx + 1


def _people(policy: Policy, provider: Provider) -> Iterator[tuple[str, str]]:
    groups = (("member", provider.members), ("requester", provider.requesters), ("lead", provider.leads))
    users = dict.fromkeys(ref.user for _, refs in groups for ref in refs)
    names = {p.person.user: p.name for p in policy.people}
    for user in users:
        roles = ", ".join(role for role, refs in groups if any(ref.user == user for ref in refs))
        yield (f"{names[user]} ({user})" if user in names else user), roles


def _rights(policy: Policy, provider: Provider) -> Iterator[tuple[str, str, str]]:
    for book in policy.runbooks.values():
        if provider.id in book.providers:
            yield book.id, book.domain, "break-glass" if book.break_glass else book.right


def _owed(one: Owed) -> dict[str, object]:
    return {"id": one.id, "name": one.name, "due": stamp(one.due), "entry": one.entry}


def _entry(index: int | None) -> str:
    return "" if index is None else str(index)


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)
