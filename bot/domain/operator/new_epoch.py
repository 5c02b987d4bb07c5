"""A new epoch of the decision log, after entries were lost: the same tree at the size that survives, under a new name.

The origin gets the suffix `.2`, `.3` …, so that no checkpoint of before is ever taken for one of after. The first new entry,
`log.epoch_started`, records what was signed last, how many entries survive, which are lost, and which fresh key signs from now
on. Source: decision-log.md, "Checkpoint and signer".
"""

from __future__ import annotations

from bot.domain.case.transition import OPERATOR, FileDigest, LogEvent, Value
from bot.domain.policy.model import Policy


def next_origin(origin: str, epochs: int) -> str:
    """The name of the log after `epochs` new ones were begun already."""
    if not epochs:
        return f"{origin}.2"
    base, _, number = origin.rpartition(".")
    return f"{base}.{int(number) + 1}"


def previous_origin(origin: str) -> str:
    """The name that the log had before its newest epoch."""
    base, _, number = origin.rpartition(".")
    return base if number == "2" else f"{base}.{int(number) - 1}"


def started(note: str | None, surviving: int, signed: int | None, key: str, policy: Policy) -> LogEvent:
    """The entry. `note` is the last one signed, `signed` its size; None where nobody knows. `key` is the new verifier key."""
    data: dict[str, Value] = {"surviving": surviving, "key": key}
    data |= {"last_checkpoint": note} if note is not None else {}
    data |= {"lost": (surviving, max(signed, surviving))} if signed is not None else {}
    return LogEvent("log.epoch_started", OPERATOR, data=data, policy=FileDigest(policy.organisation, policy.digest))
