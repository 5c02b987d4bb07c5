"""Verifies a stored log and judges what policy demands of it, both at the same time: a long log is verified by other processes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bot.evidence.stored_policy import StoredPolicyCheck, policy_check
from bot.ports.database import Location
from bot.runtime.log_verification import TrustBase, verify
from storage.log.check import LogCheck


def verified_log(place: Location, trust: TrustBase, root: str | None = None) -> tuple[LogCheck, StoredPolicyCheck]:
    """Both checks; `root` as in `policy_check`. Raises StorageError, SchemaError."""
    with ThreadPoolExecutor(1) as beside:
        checked = beside.submit(verify, place, trust)
        judged = policy_check(place, root)
        return checked.result(), judged
