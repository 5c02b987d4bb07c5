"""Entries about the matrix as an agreement: who confirmed, acknowledged or disputed which rows, and what nobody answered."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.case.transition import CLOCK, Disclosed, FileDigest, LogEvent, Private, Value
from bot.domain.decision_log.events import actor
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person

Rows = Sequence[tuple[str, str]]  # key and digest of each row


def confirmed(policy: Policy, person: Person, rows: Rows, seen: str) -> LogEvent:
    return LogEvent("matrix.confirmed", actor(policy, person), data=_data(rows, seen), policy=_set(policy))


def acknowledged(policy: Policy, person: Person, rows: Rows, seen: str) -> LogEvent:
    return LogEvent("matrix.acknowledged", actor(policy, person), data=_data(rows, seen), policy=_set(policy))


def disputed(policy: Policy, person: Person, rows: Rows, seen: str, role: str, reason: str) -> LogEvent:
    """The reason is free text: the entry holds its digest."""
    data = {**_data(rows, seen), "role": role, "reason": Disclosed("reason")}
    private = (Private("reason", reason, person),)
    return LogEvent("matrix.disputed", actor(policy, person), data=data, policy=_set(policy), private=private)


def overdue(policy: Policy, person: Person, rows: Rows, seen: str) -> LogEvent:
    """Nobody answered within the window; `person` was asked."""
    return LogEvent("matrix.overdue", CLOCK, data={**_data(rows, seen), "asked": person}, policy=_set(policy))


def _data(rows: Rows, seen: str) -> dict[str, Value]:
    return {"set": seen, "rows": tuple({"row": key, "digest": digest} for key, digest in rows)}


def _set(policy: Policy) -> FileDigest:
    return FileDigest(policy.organisation, policy.digest)
