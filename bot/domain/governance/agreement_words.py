"""Messages and entries about answers to the matrix: the entry of an answer, the reply to it, and who else is notified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.case.transition import Lane, LogEvent, Notification
from bot.domain.decision_log import matrix_events
from bot.domain.governance import agreement, wording
from bot.domain.governance.agreement import MatrixRow, Spoken, Word
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person


class Said(Protocol):
    """Somebody's answer on rows; `seen` is the digest of what they saw."""

    @property
    def person(self) -> Person: ...

    @property
    def word(self) -> Word: ...

    @property
    def seen(self) -> str: ...

    @property
    def reason(self) -> str: ...


def role_of(policy: Policy, row: MatrixRow, person: Person) -> agreement.AgreeingRole:
    return agreement.role_in(policy, row, person) or "lead"


def pairs(rows: Iterable[MatrixRow]) -> list[tuple[str, str]]:
    return [(row.key, row.digest) for row in rows]


def row_name(policy: Policy, row: MatrixRow) -> str:
    """A row in words."""
    runbook = policy.runbooks.get(row.runbook)
    return runbook.title if runbook else f"Residual risk of {policy.domains[row.domain].name}"


def entry_of(policy: Policy, said: Said, rows: Sequence[MatrixRow]) -> LogEvent:
    if said.word == "disputed":
        role = role_of(policy, rows[0], said.person)
        return matrix_events.disputed(policy, said.person, pairs(rows), said.seen, role, said.reason)
    made = matrix_events.confirmed if said.word == "confirmed" else matrix_events.acknowledged
    return made(policy, said.person, pairs(rows), said.seen)


def sentence(policy: Policy, said: Said, rows: Sequence[MatrixRow]) -> str:
    count = f"{len(rows)} row" + ("" if len(rows) == 1 else "s")
    if said.word == "confirmed":
        return f"Confirmed: {count} of the matrix. The log keeps it."
    if said.word == "acknowledged":
        return f"Acknowledged: {count} of the matrix. The log keeps it."
    name = row_name(policy, rows[0])
    if policy.provider_of(said.person) is not None:
        return f"Your dispute of “{name}” is in the log and was sent to the owner. It changes nothing by itself."
    return f"Disputed: “{name}”. Until its file changes, or you confirm it, nothing opens under it without a yes."


def disputed_in_words(policy: Policy, row: MatrixRow, spoken: Iterable[Spoken]) -> str:
    """Since when and by whom a row is disputed, and what counts until that is settled, as one line."""
    mine = [s for s in spoken if s.word == "disputed" and s.role != "lead" and (s.key, s.digest) == (row.key, row.digest)]
    who, since = wording.people(policy, list(dict.fromkeys(s.person for s in mine))), min(s.at for s in mine)
    return f"Since {since:%Y-%m-%d} (disputed by {who}): nothing opens under it without a yes."


def held_in_words(policy: Policy, row: MatrixRow, since: datetime) -> str:
    """That a changed row waits for its confirmation, and by whom, as one line."""
    who = wording.people(policy, [person for person, _ in agreement.agreeing(policy, row)])
    return f"New or changed since {since:%Y-%m-%d}, and not confirmed by {who} yet: until then the stricter of old and new counts."


def to_others(policy: Policy, said: Said, rows: Sequence[MatrixRow]) -> list[Notification]:
    """Notifies the others who have to agree of a dispute, with its reason."""
    if said.word != "disputed":
        return []
    name, who = row_name(policy, rows[0]), policy.name_of(said.person)
    text = f"{who} disputes “{name}” in the responsibility matrix: {said.reason}"
    hears = (person for person, _ in agreement.agreeing(policy, rows[0]) if person != said.person)
    return [_sentence_to(person, text) for person in hears]


def to_risk_owners(policy: Policy, silent: Person, rows: Sequence[MatrixRow]) -> Iterable[Notification]:
    domains = (policy.domains[row.domain] for row in rows)
    hears = dict.fromkeys(d.risk_owner for d in domains if d.risk_owner is not None and d.risk_owner != silent)
    text = (
        f"{policy.name_of(silent)} has not confirmed {len(rows)} rows of the responsibility matrix in time: "
        f"{', '.join(row_name(policy, row) for row in rows[:10])}. Nothing changes by that; ask them to look at it."
    )
    return [_sentence_to(person, text) for person in hears]


def _sentence_to(person: Person, text: str) -> Notification:
    return Notification("answer", Lane.CARD, None, to=person, data={"reply": {}, "sentence": "plain", "text": text})
