"""What an export takes from the database: one moment of it, read only, streamed.

Everything comes from a single read transaction, so a running bot may keep appending. Nothing here is checked: that is
`log_check`'s work, before, and `log verify --export`'s, afterwards and elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.domain.decision_log.entry import pseudonym_of
from bot.domain.decision_log.entry_reader import parsed
from bot.domain.decision_log.tlog_proof import TlogProof
from bot.domain.decision_log.verify.log import Row, Shown
from bot.domain.errors import StorageError
from bot.domain.policy.model import PolicyFile
from bot.ports.database import Location
from storage.log import tiles
from storage.policy import policies
from storage.session import Session
from storage.snapshot import snapshot

_EVERYTHING = 2**62  # more entries than any log has
_LOT = 1_000  # rows read at a time
_TYPE = Row._fields.index("type")


@dataclass(frozen=True, slots=True)
class StoredAnchor:
    """A row of `log_anchor`: `at` in milliseconds since 1970; `blob` is what the other party answered, if it did."""

    size: int
    kind: str
    ref: str
    blob: bytes | None
    at: int


class Evidence:
    """The log of one moment. `size` is how many entries its newest checkpoint covers; what came later is left out."""

    def __init__(self, session: Session, size: int, note: str) -> None:
        self._session = session
        self.size = size
        self.note = note

    def rows(self, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[Row]:
        """The entries in order whose type is wanted."""
        for lot in self._session.lots("entries_below", _LOT, size=self.size):
            yield from map(Row._make, (row for row in lot if wanted(row[_TYPE])))

    def disclosures(self) -> Iterator[Shown]:
        """What the digests disclose, in the order of the entries."""
        for lot in self._session.lots("disclosures_below", _LOT, size=self.size):
            yield from map(Shown._make, lot)

    def notes(self) -> Iterator[tuple[int, str]]:
        """Size and text of every signed checkpoint, smallest first."""
        for row in self._session.stream("checkpoint_notes", size=self.size):
            yield row["size"], row["note"]

    def anchors(self) -> Iterator[StoredAnchor]:
        for row in self._session.stream("anchors_below", size=self.size):
            yield StoredAnchor(row["size"], row["kind"], row["ref"], row["blob"], row["at"])

    def newest_policy(self) -> str | None:
        """The digest of the set that was loaded last; None where there is none."""
        row = self._session.row("last_policy_loaded", size=self.size)
        entry = parsed(row["data"])[0] if row is not None and row["data"] is not None else None
        named = entry.get("policy") if entry else None
        return str(named.get("sha256")) if isinstance(named, dict) else None

    def policy(self, digest: str) -> tuple[PolicyFile, ...]:
        """The files of an accepted set; none where the set is unknown."""
        found = policies.by_digest(self._session, digest)
        return () if found is None else found.files

    def case(self, case_id: str) -> Iterator[Row]:
        """The entries of one case in order."""
        for row in self._session.rows("case_log", case_id=case_id):
            if row["idx"] < self.size:
                yield Row(row["idx"], row["leaf"], row["data"], row["type"], row["case_id"], row["ts_ms"])

    def disclosed_by(self, idx: int) -> Iterator[Shown]:
        """What the digests of one entry disclose."""
        for row in self._session.rows("disclosures_of", idx=idx):
            yield Shown(row["digest"], row["idx"], row["disclosure"])

    def introduction(self, ref: str) -> Shown | None:
        """The disclosure that names the person of a pseudonym; None if it was erased."""
        rows = self._session.rows("introductions", ref=ref)
        found = (Shown(row["digest"], row["idx"], row["disclosure"]) for row in rows)
        return next((shown for shown in found if pseudonym_of(shown.text) == ref), None)

    def proof(self, idx: int) -> str:
        """The text of an entry's C2SP `tlog-proof`, without the entry."""
        return TlogProof(idx, tuple(tiles.proof(self._session, idx, self.size)), self.note).text()


@contextmanager
def evidence(place: Location) -> Iterator[Evidence]:
    """Opens a database. Raises StorageError where it cannot be read or has no signed checkpoint yet, SchemaError."""
    with snapshot(place) as session:
        newest = session.row("newest_checkpoint")
        if newest is None:
            raise StorageError("The log has no signed checkpoint yet; start the bot once, it signs.")
        yield Evidence(session, newest["size"], newest["note"])


@contextmanager
def settled_evidence(place: Location) -> Iterator[Evidence]:
    """The same up to the first checkpoint that covers everything but entries about checks and exports of the log itself: it stays
    the same however often the log is exported. Raises StorageError, SchemaError."""
    with snapshot(place) as session:
        last = session.row("last_entry_beside_exports")
        found = None if last is None else session.row("first_checkpoint_over", idx=last["idx"])
        if found is None:
            raise StorageError("The log has no signed checkpoint yet; start the bot once, it signs.")
        yield Evidence(session, found["size"], found["note"])


@contextmanager
def stored_log(place: Location) -> Iterator[Evidence]:
    """The same of everything that is stored, an unsigned tail included. Raises StorageError, SchemaError."""
    with snapshot(place) as session:
        yield Evidence(session, _EVERYTHING, "")
