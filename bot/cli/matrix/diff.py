"""`countersign matrix --diff A B`: what is different between two policies, in sentences.

A and B are folders, or digests of sets that the bot accepted; the first eight digits are enough.
"""

from __future__ import annotations

import asyncio
import string
from pathlib import Path

from bot.cli.errors import misused
from bot.cli.host_store import opened_store
from bot.cli.policy import read_policy
from bot.clock import SystemClock
from bot.domain.errors import PolicyError
from bot.domain.policy.model import Policy

NOTHING = "Nothing that the matrix says is different."
_SHORTEST = 8  # digits of a digest


def named_policy(text: str) -> Policy:
    """The policy of a folder or of a digest. Exits with 2 where there is none; raises PolicyError where it is refused."""
    folder = Path(text)
    if folder.is_dir():
        return read_policy(folder, SystemClock().now())
    digest = text.lower()
    if len(digest) < _SHORTEST or not set(digest) <= set(string.hexdigits):
        misused(
            f"{text!r} is neither a folder nor the digest of a policy. `countersign matrix` prints the digest in force."
        )
    return asyncio.run(_accepted(digest))


async def _accepted(digest: str) -> Policy:
    from runbooks.loader import load_files

    async with opened_store(read_only=True) as store:
        found = await store.policies.beginning(digest)
        stored = await store.policies.by_digest(found[0]) if len(found) == 1 else None
    if len(found) > 1:
        misused(f"{digest} begins {len(found)} digests; write more digits of the one that you mean.")
    if stored is None:
        misused(f"The bot never accepted a policy {digest}. `countersign log show` names the digests that it accepted.")
    policy = load_files({f.path: f.content for f in stored.files}).policy
    if policy is None:
        raise PolicyError(
            f"The policy {stored.digest[:12]} was accepted by an earlier version and cannot be read any more."
        )
    return policy
