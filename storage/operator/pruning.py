"""Empties old entries of the log: their bytes go, their hashes stay, so that the tree and every proof still verify.

Whole bundles of 256, from the first entry on; never the last bundle, never what a hold covers, never a case that is open.
`log.pruned` {minimum} is written first; below it an entry without bytes is no finding, and the database lets none go above.
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.case.transition import OPERATOR, FileDigest, LogEvent
from bot.domain.errors import NotDone, Stale
from bot.domain.policy.model import Policy
from storage.session import Session
from storage.transactions import Tx
from storage.values import ms

BUNDLE = 256


def minimum(session: Session, before: datetime) -> int:
    """Below which index entries of before that moment can be emptied; at most what is emptied already where none can."""
    row = session.row("first_to_keep", before_ms=ms(before))
    assert row is not None
    return int(row["idx"]) // BUNDLE * BUNDLE


def pruned(session: Session) -> int:
    """The minimum of the newest log.pruned; 0 where there is none."""
    row = session.row("pruned")
    assert row is not None
    return int(row["minimum"])


def begin(tx: Tx, act_id: str, before: datetime, policy: Policy) -> None:
    """Writes down what will be emptied. Raises NotDone where nothing would."""
    found = minimum(tx.session, before)
    if found <= pruned(tx.session):
        raise NotDone("Nothing can be emptied: no whole bundle of 256 entries is old enough.")
    if tx.session.run("begin_operator_act", id=act_id, result=f"The entries below {found} are being emptied.") != 1:
        raise Stale("The act changed meanwhile; look at it again.")
    tx.session.run("allow_pruning", minimum=found)
    tx.log(
        [LogEvent("log.pruned", OPERATOR, data={"minimum": found}, policy=FileDigest(policy.organisation, policy.digest))]
    )


def empty_some(session: Session, limit: int) -> int:
    """Empties some of what the newest log.pruned allows; how many entries."""
    return session.run("empty_entries", minimum=pruned(session), limit=limit)
