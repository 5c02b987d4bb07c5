"""What a person pressed, and why it does not count where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.domain.policy.people import Person


class Refusal(StrEnum):
    """Why a click does not count, as the log's `decision.refused` writes it."""

    UNAUTHORISED = "unauthorised"
    PARTY = "party"
    LATE = "late"
    LOST = "lost"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Proof:
    """A press that a passkey signed. `credential` is base64url, `statement` the SHA-256 of what was signed in hex, `disclosure`
    the object that the log discloses, `until` the last day that the statement names."""

    credential: str
    statement: str
    disclosure: Mapping[str, str]
    until: str = ""
    unconfirmed: bool = False  # Slack does not answer; the profile that was stored last counts


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody's act on a question: `version` is the question's that they saw; `reply` is the address of the answer."""

    person: Person
    action: str
    version: int
    reply: dict[str, object]
    reason: str = ""
    seconds: int = 0  # Approve for less, or Extend: policy time; 0 for all of it
    name: str = ""  # which of the things owed
    until: date | None = None  # Approve for less of an exception, or Renew: the last day of it
    moment: datetime | None = None  # when what is attested was done
    proof: Proof | None = None  # it was signed, and the signature holds


@dataclass(frozen=True, slots=True)
class Rejected:
    """The click does not count: `sentence` and `params` are the answer to its author."""

    why: Refusal
    sentence: str
    params: dict[str, object]
