"""Every way of spoiling a log has its finding; an honest log has none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.case.transition import CLOCK, OPERATOR, SYSTEM, Actor, LogEvent, Private
from bot.domain.decision_log.entry import EntryPosition, canonical, seal, stamp
from bot.domain.decision_log.merkle_tree import Node, grow, leaf_hash, root
from bot.domain.decision_log.verify.case_order import TYPES
from bot.domain.decision_log.verify.log import Audit, LogFinding, Row, Shown, StoredHead
from bot.domain.policy.people import Person

T0 = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PE1, OWNER = Person("T0PROV", "U0PE1"), Person("T0HOME", "U0OWNER")
ORIGIN = "test.example/log"
Spoil = Callable[["Log"], None]


@dataclass
class Log:
    """A log as it would be stored, honest until somebody spoils it."""

    rows: list[Row] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    head: StoredHead | None = None
    checkpoints: dict[int, bytes] = field(default_factory=dict)
    edge: list[bytes] = field(default_factory=list)
    salts: int = 0

    def add(self, draft: LogEvent, at: datetime | None = None, *, log: str = ORIGIN) -> None:
        n = len(self.rows)
        before = [row for row in self.rows if draft.case and row.case == draft.case]
        place = EntryPosition(log, n, at or T0 + n * SECOND, len(before), before[-1].leaf if before else None)
        sealed = seal(draft, place, {PE1: "sub_pe1", OWNER: "sub_owner"}, (), self._salt)
        ts_ms = int(place.ts.timestamp() * 1000)
        self.rows.append(Row(n, sealed.leaf, sealed.data, draft.type, draft.case, ts_ms))
        self.shown += [Shown(d.digest, n, d.text) for d in sealed.disclosures]
        self.close(log)

    def close(self, origin: str = ORIGIN) -> None:
        """Tree and head as the rows' bytes give them now: what an attacker would recompute."""
        self.edge, self.nodes = [], []
        for size, row in enumerate(self.rows):
            self.edge, nodes = grow(size, self.edge, leaf_hash(row.data) if row.data is not None else row.leaf)
            self.nodes += nodes
        self.head = StoredHead(origin, len(self.rows), b"".join(self.edge))

    def rewrite(self, n: int, change: Callable[[dict[str, Any]], None], *, leaf: bool = True) -> None:
        """Changes an entry and writes it canonically; with `leaf` its leaf hash too."""
        entry = json.loads(self.rows[n].data or b"")
        change(entry)
        data = canonical(entry)
        self.rows[n] = self.rows[n]._replace(data=data, leaf=leaf_hash(data) if leaf else self.rows[n].leaf)

    def audit(self) -> tuple[list[LogFinding], Audit]:
        audit = Audit(self.head, self.nodes, sorted(self.shown, key=lambda s: s.idx), self.checkpoints)
        return list(audit.findings(self.rows)), audit

    def codes(self) -> set[str]:
        return {finding.code for finding in self.audit()[0]}

    def _salt(self) -> bytes:
        self.salts += 1
        return self.salts.to_bytes(16, "big")


def person(type_: str, case: str | None = "R-1", who: Person = OWNER, **how: Any) -> LogEvent:
    return LogEvent(type_, Actor("person", who), case, **how)


def honest() -> Log:
    """Two cases: one denied, one approved whose grant lapsed."""
    log = Log()
    log.add(LogEvent("log.opened", SYSTEM))
    reasons = (Private("reason", "disk full", PE1), Private("target", "dc1", PE1))
    log.add(person("request.filed", "R-1", PE1, data={"seconds": 3600}, private=reasons))
    log.add(person("request.filed", "R-2", PE1, private=reasons))
    log.add(LogEvent("step.fired", CLOCK, "R-1", {"to": (OWNER,)}))
    log.add(person("request.denied", "R-1", private=(Private("answer", "no", OWNER),)))
    log.add(person("decision.refused", "R-1", data={"why": "lost"}))
    log.add(person("request.approved", "R-2"))
    log.add(person("grant.opened", "R-2"))
    log.add(LogEvent("grant.lapsed", CLOCK, "R-2"))
    return log


def test_an_honest_log_has_no_finding() -> None:
    found, audit = honest().audit()
    assert found == []
    assert (audit.size, audit.root, audit.unknown_types) == (9, root(honest().edge), set())


def test_an_honest_log_of_many_entries_has_no_finding() -> None:
    log = Log()
    log.add(LogEvent("log.opened", SYSTEM))
    for n in range(1, 520):
        sealed = seal(LogEvent("log.verified", SYSTEM), EntryPosition(ORIGIN, n, T0), {}, (), log._salt)
        log.rows.append(Row(n, sealed.leaf, sealed.data, "log.verified", None, int(T0.timestamp() * 1000)))
    log.close()
    assert [node.level for node in log.nodes] == [8, 8]
    assert log.codes() == set()


def edit_a_byte(log: Log) -> None:
    data = log.rows[1].data or b""
    log.rows[1] = log.rows[1]._replace(data=data.replace(b"3600", b"9600"))


def edit_a_byte_and_its_leaf(log: Log) -> None:
    log.rewrite(1, lambda e: e["data"].update(seconds=9600))


def edit_everything_but_the_chain(log: Log) -> None:
    edit_a_byte_and_its_leaf(log)
    log.close()


def drop_the_last(log: Log) -> None:
    log.rows.pop()


def drop_the_last_and_fix_the_head(log: Log) -> None:
    log.rows.pop()
    log.checkpoints[9] = root(log.edge)
    log.close()


def drop_a_middle_one(log: Log) -> None:
    del log.rows[3]


def renumber(log: Log) -> None:
    log.rows = [row._replace(idx=n) for n, row in enumerate(log.rows)]


def drop_a_middle_one_and_renumber(log: Log) -> None:
    drop_a_middle_one(log)
    renumber(log)


def drop_one_and_rewrite_every_index(log: Log) -> None:
    drop_a_middle_one_and_renumber(log)
    for n in range(3, len(log.rows)):
        log.rewrite(n, lambda e, n=n: e.update(i=n))  # type: ignore[misc]
    log.shown = [s._replace(idx=s.idx - 1) if s.idx > 3 else s for s in log.shown]
    log.close()


def swap_two(log: Log) -> None:
    log.rows[3], log.rows[4] = log.rows[4], log.rows[3]


def swap_two_and_renumber(log: Log) -> None:
    swap_two(log)
    renumber(log)


def back_date(log: Log) -> None:
    log.rewrite(8, lambda e: e.update(ts=stamp(T0)))
    log.rows[8] = log.rows[8]._replace(ts_ms=int(T0.timestamp() * 1000))
    log.close()


def spell_differently(log: Log) -> None:
    data = (log.rows[8].data or b"").replace(b'"i":', b'"i": ')
    log.rows[8] = log.rows[8]._replace(data=data, leaf=leaf_hash(data))
    log.close()


def empty_an_entry(log: Log) -> None:
    log.rows[3] = log.rows[3]._replace(data=None)


def no_head(log: Log) -> None:
    log.head = None


def set_head(**how: Any) -> Spoil:
    def spoil(log: Log) -> None:
        assert log.head is not None
        log.head = replace(log.head, **how)

    return spoil


def set_row(n: int, **how: Any) -> Spoil:
    def spoil(log: Log) -> None:
        log.rows[n] = log.rows[n]._replace(**how)

    return spoil


def set_entry(n: int, **how: Any) -> Spoil:
    def spoil(log: Log) -> None:
        log.rewrite(n, lambda e: e.update(how))
        log.close()

    return spoil


def add(*drafts: LogEvent) -> Spoil:
    def spoil(log: Log) -> None:
        for draft in drafts:
            log.add(draft)

    return spoil


def begin_otherwise(log: Log) -> None:
    set_entry(0, type="log.verified")(log)
    set_row(0, type="log.verified")(log)


def turn_the_digests_round(log: Log) -> None:
    log.add(LogEvent("log.verified", SYSTEM, private=(Private("x", "y", OWNER), Private("x", "z", OWNER))))
    log.rewrite(9, lambda e: e["_sd"].reverse())
    log.close()


def skip_an_index_among_emptied_rows(log: Log) -> None:
    log.add(LogEvent("log.pruned", SYSTEM, data={"minimum": 2}))
    log.rows[0] = log.rows[0]._replace(data=None, idx=-1)


def drop_a_disclosure(log: Log) -> None:
    log.shown.pop(1)


def change_a_disclosure(log: Log) -> None:
    log.shown[0] = log.shown[0]._replace(text=log.shown[1].text)


def add_a_disclosure(log: Log) -> None:
    log.add(LogEvent("log.verified", SYSTEM, private=(Private("x", "y", OWNER),)))
    log.rewrite(9, lambda e: [e.pop(key) for key in ("_sd", "_sd_alg")])
    log.close()


def disclose_beyond_the_end(log: Log) -> None:
    log.shown.append(log.shown[0]._replace(idx=99))


SPOILT: list[tuple[Spoil, set[str]]] = [
    (edit_a_byte, {"leaf", "head", "case"}),
    (edit_a_byte_and_its_leaf, {"head", "case"}),
    (edit_everything_but_the_chain, {"case"}),
    (drop_the_last, {"head"}),
    (drop_the_last_and_fix_the_head, {"root"}),
    (drop_a_middle_one, {"index", "case", "head", "disclosure"}),
    (drop_a_middle_one_and_renumber, {"index", "case", "head", "disclosure"}),
    (drop_one_and_rewrite_every_index, {"case"}),
    (swap_two, {"index", "case", "ts", "head", "disclosure"}),
    (swap_two_and_renumber, {"index", "case", "ts", "head", "disclosure"}),
    (back_date, {"ts"}),
    (spell_differently, {"canonical"}),
    (empty_an_entry, {"pruned"}),
    (no_head, {"head"}),
    (set_head(size=10), {"head"}),
    (set_head(edge=b"\x00" * 64), {"head"}),
    (set_head(origin="other.example/log"), {"head"}),
    (set_head(edge=b""), {"head"}),
    (set_row(3, type="step.skipped"), {"type"}),
    (set_row(3, type=3), {"type"}),
    (set_row(3, ts_ms=0), {"ts"}),
    (set_row(3, case="R-2"), {"case"}),
    (set_row(3, leaf=b"\x00" * 32), {"leaf"}),
    (set_row(8, data=b"[]", leaf=leaf_hash(b"[]")), {"canonical", "head"}),
    (set_entry(8, v="2"), {"canonical"}),
    (set_entry(8, i=9), {"index"}),
    (set_entry(8, log="other.example/log"), {"head"}),
    (set_entry(8, ts="2026-03-04T09:00:08Z"), {"ts"}),
    (set_entry(8, case_seq=7), {"case"}),
    (set_entry(8, case_prev="00" * 32), {"case"}),
    (set_entry(0, type="log.verified"), {"type"}),
    (set_entry(0, case_seq=0), {"case"}),
    (set_entry(8, _sd=["b", "a"], _sd_alg="sha-256"), {"disclosure"}),
    (set_entry(8, _sd_alg="sha-256"), {"disclosure"}),
    (set_entry(8, _sd=3, _sd_alg="sha-256"), {"disclosure"}),
    (begin_otherwise, {"type"}),
    (turn_the_digests_round, {"disclosure"}),
    (skip_an_index_among_emptied_rows, {"index"}),
    (drop_a_disclosure, {"disclosure"}),
    (change_a_disclosure, {"disclosure"}),
    (add_a_disclosure, {"disclosure"}),
    (disclose_beyond_the_end, {"disclosure"}),
    (add(person("request.withdrawn", "R-1")), {"case"}),  # a second outcome
    (add(person("request.approved", "R-1")), {"case"}),
    (add(person("grant.opened", "R-1")), {"case"}),
    (add(person("request.denied", "R-2")), {"case"}),
    (add(LogEvent("grant.revoked", CLOCK, "R-2")), {"case"}),
    (add(LogEvent("grant.extended", CLOCK, "R-2")), {"case"}),
    (add(person("request.filed", "R-1")), {"case"}),
    (add(LogEvent("step.fired", CLOCK, "R-9")), {"case"}),  # before it was filed
    (add(LogEvent("grant.lapsed", CLOCK, "R-9")), {"case"}),
    (add(LogEvent("log.pruned", SYSTEM, data={"minimum": 99})), {"pruned"}),
]


@pytest.mark.parametrize(("spoil", "codes"), SPOILT, ids=lambda v: getattr(v, "__qualname__", "") if callable(v) else "")
def test_each_way_of_spoiling_a_log_is_named(spoil: Spoil, codes: set[str]) -> None:
    log = honest()
    spoil(log)
    assert log.codes() == codes


def test_a_finding_names_its_entry() -> None:
    log = honest()
    edit_a_byte(log)
    first = log.audit()[0][0]
    assert str(first) == "leaf 1: The bytes of entry 1 do not have its stored leaf hash."


def test_every_kind_of_entry_that_may_follow_an_outcome_is_no_finding() -> None:
    log = honest()
    after = ("decision.refused", "delivery.sent", "evidence.missing", "review.due", "request.asked")
    for type_ in after:
        log.add(LogEvent(type_, CLOCK, "R-1"))
        log.add(LogEvent(type_, CLOCK, "R-2"))
    assert log.codes() == set()


def test_a_case_refused_at_filing_is_one_entry_and_an_outcome() -> None:
    log = honest()
    log.add(person("request.refused", "R-3", PE1))
    assert log.codes() == set()
    log.add(person("request.expired", "R-3"))
    assert log.codes() == {"case"}


def test_an_exception_is_renewed_while_open_and_ends_as_nothing_else() -> None:
    log = honest()
    filed = ("request.filed", "request.approved", "grant.opened", "exception.opened")
    for type_ in (*filed, "renewal.asked", "exception.renewed", "exception.ended"):
        log.add(person(type_, "R-3"))
    assert log.codes() == set()
    for spoilt in ("grant.finished", "grant.lapsed"):
        log = honest()
        for type_ in (*filed, spoilt):
            log.add(person(type_, "R-3"))
        assert log.codes() == {"case"}
    for early in ("exception.opened", "exception.renewed"):
        log = honest()
        for type_ in ("request.filed", early):
            log.add(person(type_, "R-3"))
        assert log.codes() == {"case"}


@pytest.mark.parametrize(
    "more", ["request.approved", "grant.opened", "exception.opened", "drill.ended", "sealed_use.recorded"]
)
def test_a_use_of_the_sealed_path_holds_its_review_and_nothing_that_gives(more: str) -> None:
    log = honest()
    for type_ in ("sealed_use.recorded", "review.due", "step.fired", "review.overdue", "review.flagged"):
        log.add(person(type_, "R-3"))
    assert log.codes() == set()
    log.add(person(more, "R-3"))
    assert log.codes() == {"case"}


def test_a_use_of_the_sealed_path_is_in_no_other_case() -> None:
    log = honest()
    log.add(person("sealed_use.recorded", "R-1"))
    assert log.codes() == {"case"}


def test_an_extension_and_an_exception_end_as_they_should() -> None:
    log = honest()
    for type_, data in (
        ("request.filed", {}), ("request.approved", {}), ("grant.opened", {}),
        ("request.approved", {"extends": True}), ("grant.extended", {}), ("exception.ended", {}),
    ):  # fmt: skip
        log.add(person(type_, "R-3", data=data))
    assert log.codes() == set()


def drilled(*rest: str) -> Log:
    """A drill that ended, and then `rest`."""
    log = Log()
    log.add(LogEvent("log.opened", SYSTEM))
    log.add(LogEvent("drill.started", OPERATOR, "R-1", {"due": "x"}))
    log.add(LogEvent("step.fired", CLOCK, "R-1", {"to": (OWNER,)}))
    log.add(person("drill.reached"))
    log.add(person("decision.refused"))
    for type_ in rest:
        log.add(LogEvent(type_, CLOCK, "R-1"))
    return log


@pytest.mark.parametrize("rest", [(), ("drill.ended",), ("drill.ended", "delivery.sent", "decision.refused")])
def test_a_drill_is_a_case_of_its_own_kind(rest: tuple[str, ...]) -> None:
    assert drilled(*rest).audit()[0] == []


@pytest.mark.parametrize(
    "rest",
    [
        ("request.filed",), ("request.approved",), ("request.denied",), ("request.expired",), ("grant.opened",),
        ("permit.issued",), ("breakglass.opened",), ("drill.started",), ("drill.ended", "drill.ended"),
        ("drill.ended", "drill.reached"), ("drill.ended", "grant.opened"),
    ],
)  # fmt: skip
def test_whatever_decides_or_gives_is_a_finding_in_a_drill(rest: tuple[str, ...]) -> None:
    [finding] = drilled(*rest).audit()[0]
    assert (finding.code, finding.idx) == ("case", 4 + len(rest))


@pytest.mark.parametrize("type_", ["drill.started", "drill.reached", "drill.ended"])
def test_drills_are_in_no_other_case(type_: str) -> None:
    log = honest()
    log.add(LogEvent(type_, CLOCK, "R-1"))
    [finding] = log.audit()[0]
    assert (finding.code, finding.text) == ("case", f"R-1: {type_} in a case that is no drill.")


def test_a_case_begins_with_no_other_entry_of_a_drill() -> None:
    log = honest()
    log.add(LogEvent("drill.ended", CLOCK, "R-9"))
    assert [f.text for f in log.audit()[0]] == ["R-9: it begins with drill.ended."]


def test_unknown_types_are_listed_and_are_no_finding() -> None:
    log = honest()
    log.add(LogEvent("dance.started", SYSTEM))
    found, audit = log.audit()
    assert (found, audit.unknown_types) == ([], {"dance.started"})


def test_erased_disclosures_are_owed_no_more() -> None:
    log = honest()
    gone, kept = log.shown[0], log.shown[1]
    log.shown.remove(gone)
    log.add(LogEvent("privacy.erased", SYSTEM, data={"digests": [gone.digest]}))
    assert log.codes() == set()
    log.shown.remove(kept)
    assert log.codes() == {"disclosure"}


def test_emptied_entries_below_a_pruned_minimum_are_no_finding() -> None:
    log = honest()
    log.add(LogEvent("log.pruned", SYSTEM, data={"minimum": 3}))
    for n in range(3):
        log.rows[n] = log.rows[n]._replace(data=None)
    assert log.codes() == set()
    log.rows[3] = log.rows[3]._replace(data=None)
    assert log.codes() == {"pruned"}


def test_a_clock_steps_back_only_after_an_accepted_anomaly() -> None:
    log = honest()
    log.add(LogEvent("clock.anomaly", SYSTEM, data={"jump_ms": -9, "accepted": True}))
    log.add(LogEvent("log.verified", SYSTEM), T0)
    assert log.codes() == set()
    log = honest()
    log.add(LogEvent("clock.anomaly", SYSTEM, data={"jump_ms": -9}))
    log.add(LogEvent("log.verified", SYSTEM), T0)
    assert log.codes() == {"ts"}


def test_a_new_epoch_gives_the_origin_a_number() -> None:
    log = honest()
    log.add(LogEvent("log.epoch_started", SYSTEM), log=f"{ORIGIN}.2")
    log.add(LogEvent("log.verified", SYSTEM), log=f"{ORIGIN}.2")
    log.add(LogEvent("log.epoch_started", SYSTEM), log=f"{ORIGIN}.3")
    assert log.codes() == set()
    log.add(LogEvent("log.epoch_started", SYSTEM), log="other.example/log.4")
    assert log.codes() == {"head"}


def test_checkpoints_are_those_of_the_entries() -> None:
    log = honest()
    log.checkpoints = {9: root(log.edge), 8: root(grow_to(log, 8))}
    assert log.codes() == set()
    log.checkpoints[8] = root(log.edge)
    assert log.codes() == {"root"}
    log.checkpoints = {10: root(log.edge)}
    assert log.codes() == {"root"}


def grow_to(log: Log, size: int) -> list[bytes]:
    edge: list[bytes] = []
    for n, row in enumerate(log.rows[:size]):
        edge, _ = grow(n, edge, row.leaf)
    return edge


def test_stored_nodes_that_are_missing_wrong_or_too_many_are_named() -> None:
    log = Log()
    log.add(LogEvent("log.opened", SYSTEM))
    for n in range(1, 256):
        sealed = seal(LogEvent("log.verified", SYSTEM), EntryPosition(ORIGIN, n, T0), {}, (), log._salt)
        log.rows.append(Row(n, sealed.leaf, sealed.data, "log.verified", None, int(T0.timestamp() * 1000)))
    log.close()
    (node,) = log.nodes
    for nodes in ([], [replace(node, hash=b"\x00" * 32)], [node, Node(8, 1, b"\x00" * 32)]):
        log.nodes = nodes
        assert log.codes() == {"node"}


def test_an_empty_log_has_an_empty_tree() -> None:
    log = Log(head=StoredHead("", 0, b""))
    found, audit = log.audit()
    assert (found, audit.root) == ([], root([]))


def test_the_list_of_types_is_that_of_the_format() -> None:
    ours = {
        f"{ask}.{what}" for ask in ("extension", "renewal") for what in ("asked", "denied", "expired")
    }  # added under version 1
    ours |= {
        "authority.suspended",
        "authority.spared",
        "authority.overdue",
        "authority.restored",
        "right.begun",
        "right.ended",
    }
    ours |= {f"finding.{what}" for what in ("filed", "joined", "acknowledged", "shared", "corrected", "closed")}
    ours |= {"reconciliation.recorded"}
    ours |= {f"matrix.{what}" for what in ("confirmed", "acknowledged", "disputed", "overdue")}
    ours |= {"domain.handed_over", "domain.vacant"}
    ours |= {"provider.suspended", "provider.resumed", "provider.ended", "exception.passed", "exception.overdue"}
    ours |= {"campaign.opened", "campaign.closed", "right.narrowed", "policy.endorsed", "roster.attested"}
    assert len(TYPES - ours) == 67
    assert ours <= TYPES
    assert {"request.filed", "sealed_use.recorded", "clock.anomaly", "breakglass.unratified"} <= TYPES
