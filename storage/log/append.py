"""Appends to the decision log inside a transaction: places, pseudonyms, seals, and moves the head.

The head is read from its row in every transaction, because the command line may have appended meanwhile, and written
once at the end of it. An act that is undone takes its entries back (`undo`).
Source: decision-log.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.case.transition import SYSTEM, LogEvent
from bot.domain.decision_log.entry import Disclosure, EntryPosition, HashedEntry, introduce, persons_in, seal
from bot.domain.decision_log.merkle_tree import grow
from bot.domain.errors import StorageError
from bot.domain.policy.people import Person
from storage.session import Session
from storage.values import moment, ms

TOLERANCE = timedelta(seconds=2)  # a clock that is further behind than this is recorded


@dataclass(frozen=True, slots=True)
class Head:
    """The log's end: `ts` of its last entry (None in an empty log); `may_step_back` right after an accepted anomaly."""

    origin: str
    size: int
    edge: tuple[bytes, ...]
    ts: datetime | None = None
    may_step_back: bool = False


class Ledger:
    """The log as one transaction sees it."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._stored: Head | None = None
        self.state: Head | None = None
        self._known: dict[Person, str] = {}  # pseudonyms that this transaction has looked up

    def append(self, draft: LogEvent, now: datetime) -> int:
        """Writes one entry and returns its index; raises EntryError."""
        ts = self._time_of(now)
        sealed, head = self._sealed(draft, ts)
        index = head.size
        self._session.send(
            "insert_log_entry", idx=index, leaf=sealed.leaf, data=sealed.data, type=draft.type, case_id=draft.case,
            ts_ms=ms(ts),
        )  # fmt: skip
        for disclosure in sealed.disclosures:
            self._session.send(
                "insert_log_private", digest=disclosure.digest, idx=index, disclosure=disclosure.text,
                subject=str(disclosure.subject), ts_ms=ms(ts),
            )  # fmt: skip
        edge, nodes = grow(index, head.edge, sealed.leaf)
        for node in nodes:
            self._session.send("insert_log_node", level=node.level, i=node.i, h=node.hash)
        self.state = Head(head.origin, index + 1, tuple(edge), ts, _accepts(draft))
        return index

    def flush(self) -> None:
        """Writes the head; the last thing before the commit."""
        if self.state is not None and self.state != self._stored:
            edge = b"".join(self.state.edge)
            self._session.send("move_log_head", origin=self.state.origin, size=self.state.size, edge=edge)

    def rename(self, origin: str) -> None:
        """The log has another name from the next entry on; the database allows it for the first entry of a new epoch."""
        self.state = replace(self.head(), origin=origin)

    def head(self) -> Head:
        """The log's end, read at the first need."""
        if self.state is None:
            self.state = self._stored = read_head(self._session)
        return self.state

    def undo(self, mark: Head | None) -> None:
        """An act is undone: the log ends again where `state` was `mark`."""
        self.state = mark
        self._known.clear()  # the act may have introduced somebody

    def _time_of(self, now: datetime) -> datetime:
        """max(now, ts of the entry before); a step back of the clock is recorded once for as long as it lasts."""
        head = self.head()
        if head.ts is None or now >= head.ts:
            return now
        if head.may_step_back:
            return now
        if head.ts - now > TOLERANCE and self._session.row("anomaly_at", ts_ms=ms(head.ts)) is None:
            jump = (now - head.ts) // timedelta(milliseconds=1)
            self.append(LogEvent("clock.anomaly", SYSTEM, data={"jump_ms": jump}), head.ts)
        return head.ts

    def _sealed(self, draft: LogEvent, ts: datetime) -> tuple[HashedEntry, Head]:
        head = self.head()
        seq, prev = 0, None
        if draft.case is not None and (last := self._session.row("last_of_case", case_id=draft.case)):
            seq, prev = last["entries"], last["leaf"]
        place = EntryPosition(head.origin, head.size, ts, seq, prev)
        refs, fresh = self._refs(draft)
        return seal(draft, place, refs, fresh, self._clock.salt), head

    def _refs(self, draft: LogEvent) -> tuple[dict[Person, str], list[Disclosure]]:
        refs: dict[Person, str] = {}
        fresh: list[Disclosure] = []
        for person in persons_in(draft):
            if person in self._known:
                refs[person] = self._known[person]
                continue
            known = self._session.row("ref", team=person.team, user=person.user)
            if known is None:
                refs[person], mapping = introduce(person, self._clock.salt())
                self._session.send("insert_ref", team=person.team, user=person.user, ref=refs[person])
                fresh.append(mapping)
            else:
                refs[person] = known["ref"]
            self._known[person] = refs[person]
        return refs, fresh


def read_head(session: Session) -> Head:
    """The stored head with the time of the last entry. Raises StorageError before a log has begun."""
    row = session.row("log_head")
    if row is None:
        raise StorageError("The decision log has not begun yet: the first start of the bot begins it.")
    edge = tuple(row["edge"][at : at + 32] for at in range(0, len(row["edge"]), 32))
    last = session.row("log_entry", idx=row["size"] - 1)
    if last is None:
        return Head(row["origin"], row["size"], edge)
    accepted = last["type"] == "clock.anomaly" and json.loads(last["data"]).get("data", {}).get("accepted") is True
    return Head(row["origin"], row["size"], edge, moment(last["ts_ms"]), accepted)


def _accepts(draft: LogEvent) -> bool:
    return draft.type == "clock.anomaly" and draft.data.get("accepted") is True
