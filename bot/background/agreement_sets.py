"""The sets that the agreement on the matrix compares with: the one noted last, and those under which open rows counted.

They are read back from the store, so that a hold survives a restart. Source: governance-contract.md, section 1.
"""

from __future__ import annotations

import structlog

from bot.domain.policy.model import Policy
from bot.ports.policies import Policies
from bot.ports.store import Store
from bot.service.agreements import Agreements
from runbooks.loader import load_files

log = structlog.get_logger(__name__)


async def follow_agreement(agreements: Agreements, store: Store, policy: Policy) -> None:
    """Notes the rows of a set before it is in force, once for each set, and reads what they are compared with.

    Raises StorageError.
    """
    records = store.agreement
    if policy.agreement is None:
        return
    noted = await records.noted_by() or await records.set_before(policy.digest)
    old = policy if noted == policy.digest else await stored_set(store.policies, noted)
    try:
        await agreements.follow(old, policy)
    finally:  # what is not confirmed is held although it could not be written
        read = {digest: await stored_set(store.policies, digest) for digest in agreements.wanted()}
        agreements.bases = {digest: found for digest, found in read.items() if found is not None}


async def stored_set(policies: Policies, digest: str) -> Policy | None:
    """An accepted set; None where there is none, or this program cannot read it any more."""
    stored = await policies.by_digest(digest) if digest else None
    if stored is None:
        return None
    found = load_files({file.path: file.content for file in stored.files}).policy
    if found is None:
        log.error("policy.unreadable", digest=digest, reason="it was accepted by an earlier version")
    return found
