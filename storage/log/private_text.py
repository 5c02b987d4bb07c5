"""Free text of cases that are over: it leaves the tables of state and is read back from `log_private`, where it can be erased.

A case is over when it is not pending, no grant and no question of it is open. Once its messages are delivered too, target,
reason, fields and notes are emptied here; readers of the case get them afterwards from the disclosures of its entries,
and an empty text where those were erased. A note keeps what is ours of it (the name of a duty) and the digest of the rest.
Source: decision-log.md, "Privacy and retention".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.case.model import FieldValue, Request
from bot.domain.decision_log.entry import disclosed
from storage.session import Row, Session
from storage.values import to_json


@dataclass(slots=True)
class Texts:
    """What disclosures say: `by_digest` of any entry, `filed` by case and name of the entry that filed it."""

    by_digest: dict[str, str] = field(default_factory=dict)
    filed: dict[tuple[str, str], str] = field(default_factory=dict)


def texts(session: Session, rows: Sequence[Row]) -> Texts:
    """What is disclosed of those of these requests that are emptied."""
    found = Texts()
    for row in rows:
        if row["emptied"]:
            _add(session, row["id"], found)
    return found


def refilled(request: Request, found: Texts) -> Request:
    """A request whose text is in `log_private` only."""
    told = found.filed
    fields = tuple(FieldValue(f.name, f.label, told.get((request.id, f"field.{f.name}"), "")) for f in request.fields)
    target, reason = (told.get((request.id, name), "") for name in ("target", "reason"))
    return replace(request, target=target, reason=reason, fields=fields)


def target_of(session: Session, row: Row) -> str | None:
    """The target of a request, from the row or the log; None once it is erased. The row has `id`, `target` and `emptied`."""
    if not row["emptied"]:
        return str(row["target"])
    return texts(session, (row,)).filed.get((row["id"], "target"))


def empty_over(session: Session, limit: int) -> int:
    """Empties cases that are over and whose messages are delivered; how many."""
    rows = session.rows("over_and_delivered", limit=limit)
    for row in rows:
        empty(session, row["id"])
    return len(rows)


def empty(session: Session, case_id: str) -> None:
    """Empties one case that is over."""
    row = session.row("request", id=case_id)
    assert row is not None
    shown = session.rows("disclosures_of_case", case_id=case_id)
    for note in session.rows("notes_to_empty", case_id=case_id):
        _empty_note(session, note, shown)
    fields = [[name, label, ""] for name, label, _ in json.loads(row["fields"])]
    session.run("empty_request", id=case_id, fields=to_json(fields))


def _empty_note(session: Session, note: Row, shown: Sequence[Row]) -> None:
    """Its text ends with what somebody said: that part goes, the digest says where it begins. Of two that say the same its
    writer's is meant."""
    writer = f"{note['team_id']}/{note['user_id']}"
    said = [(row, tail) for row in shown for tail in _said(row)]
    fitting = [(len(tail), row["subject"] == writer, row["digest"]) for row, tail in said if note["text"].endswith(tail)]
    if fitting:
        length, _, digest = max(fitting)
        key = {"case_id": note["case_id"], "ask": note["ask"], "n": note["n"]}
        session.run("empty_note", **key, text=note["text"][:-length], digest=digest)


def _said(row: Row) -> Iterator[str]:
    """What a note may hold of a disclosure; an attested method is disclosed with its time in brackets behind it."""
    _, value = disclosed(row["disclosure"])
    yield from (value,) if value else ()
    if row["type"] == "subject.verified":
        yield value.rpartition(" (")[0]


def _add(session: Session, case_id: str, found: Texts) -> None:
    for row in session.rows("disclosures_of_case", case_id=case_id):
        name, value = disclosed(row["disclosure"])
        found.by_digest[row["digest"]] = value
        if row["type"] in ("request.filed", "sealed_use.recorded", "finding.filed"):
            found.filed[case_id, name] = value
