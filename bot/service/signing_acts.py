"""The page for a signed Confirm of an operator's act: what it shows, and the statement of type `confirm`."""

from __future__ import annotations

import hashlib
from datetime import datetime

from bot.clock import Clock
from bot.domain.authority.signatures import may_sign
from bot.domain.case.operator_action import OperatorAction, OperatorActionState
from bot.domain.operator.dual_control import confirmers, signature_demanded
from bot.domain.policy.people import Person
from bot.domain.signing.assertion import to_base64url
from bot.domain.signing.statement import Statement
from bot.ports.signing import Link
from bot.ports.store import Store
from bot.service.current_policy import CurrentPolicy


def is_open(act: OperatorAction, now: datetime) -> bool:
    """Whether it still takes a Confirm."""
    return act.state is OperatorActionState.OPEN and now < act.expires_at


async def address(store: Store, current: CurrentPolicy, clock: Clock, act: OperatorAction, person: Person) -> str:
    """The address at which this person confirms; "" where nothing is to be signed, or their voice or key does not count."""
    policy = current.policy
    wanted = signature_demanded(policy, current.sets.also_binding(act.filed_at)) and is_open(act, clock.now())
    if not wanted or policy.signing is None or person not in confirmers(policy, act.kind):
        return ""
    if not may_sign(policy, person, "required"):
        return ""
    token = await store.signing.link(Link(person, act.id, 0), to_base64url(clock.salt()))
    return f"{policy.signing.origin}/d#{token}"


def statement(
    act: OperatorAction,
    words: str,
    policy: str,
    rp: str,
    signer: str,
    log: str,
    salt: bytes,
    nonce: str,
    not_after: datetime,
) -> Statement:
    """What is signed: which act, of which kind, under which set, and the digest of what was shown."""
    shown = to_base64url(hashlib.sha256(salt + words.encode()).digest())
    about: dict[str, str | int] = {"act": act.id, "kind": act.kind, "verdict": "confirm", "shown": shown, "policy": policy}
    return Statement("confirm", log, rp, signer, nonce, not_after, about)
