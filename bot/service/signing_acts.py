"""What is signed on the page beside answers to requests: a Confirm of an operator's act, an endorsement of a change of the keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot.clock import Clock
from bot.domain.authority.endorsement import WaitingChange
from bot.domain.authority.signatures import may_sign
from bot.domain.case.operator_action import OperatorAction, OperatorActionState
from bot.domain.operator.dual_control import confirmers, signature_demanded
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.signing.assertion import to_base64url
from bot.domain.signing.statement import Statement
from bot.ports.signing import Link
from bot.ports.store import Store
from bot.service.current_policy import CurrentPolicy


@dataclass(frozen=True, slots=True)
class Matter:
    """One of them as the page shows it. `make` gives the statement for a signer's pseudonym, the log's origin, salt, nonce, and until
    when it lives."""

    link: Link
    words: str
    open: bool
    verdict: str
    label: str
    make: Callable[[str, str, bytes, str, datetime], Statement]

    @property
    def body(self) -> dict[str, object]:
        """What the page reads."""
        shown: dict[str, object] = {"case": self.link.case, "words": self.words, "open": self.open}
        if not self.open:
            return shown
        choice = {"verdict": self.verdict, "label": self.label, "yes": True}
        return shown | {"choices": [choice], "less": [], "until": ""}


def of_act(link: Link, act: OperatorAction, words: str, policy: Policy, now: datetime) -> Matter:
    """A Confirm of an operator's act."""
    rp = policy.signing.rp_id if policy.signing is not None else ""
    shown = is_open(act, now) and policy.signing is not None and not _answered(act, link.person)
    make = partial(statement, act, words, policy.digest, rp)
    return Matter(link, words, shown, "confirm", "Confirm", make)


def of_keys(link: Link, change: WaitingChange | None, words: str, policy: Policy) -> Matter:
    """An endorsement of a change of the signing keys: the statement says from which set to which. None: it waits no more."""
    rp = policy.signing.rp_id if policy.signing is not None else ""

    def make(signer: str, log: str, salt: bytes, nonce: str, not_after: datetime) -> Statement:
        assert change is not None
        about = {"from": change.old.digest, "to": change.new.digest, "shown": _digest(salt, words)}
        return Statement("policy", log, rp, signer, nonce, not_after, about)

    return Matter(link, words, bool(rp) and change is not None, "endorse", "Endorse", make)


def is_open(act: OperatorAction, now: datetime) -> bool:
    """Whether it still takes a Confirm."""
    return act.state is OperatorActionState.OPEN and now < act.expires_at


def _answered(act: OperatorAction, person: Person) -> bool:
    """Whether this person has said their word: a second one would be refused."""
    return any(voice.person == person for voice in act.voices)


async def address(store: Store, current: CurrentPolicy, clock: Clock, act: OperatorAction, person: Person) -> str:
    """The address at which this person confirms; "" where nothing is to be signed, or their voice or key does not count."""
    policy = current.policy
    wanted = signature_demanded(policy, current.sets.also_binding(act.filed_at)) and is_open(act, clock.now())
    if not wanted or policy.signing is None or person not in confirmers(policy, act.kind) or _answered(act, person):
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
    about: dict[str, str | int] = {
        "act": act.id, "kind": act.kind, "verdict": "confirm", "shown": _digest(salt, words), "policy": policy,
    }  # fmt: skip
    return Statement("confirm", log, rp, signer, nonce, not_after, about)


def _digest(salt: bytes, words: str) -> str:
    return to_base64url(hashlib.sha256(salt + words.encode()).digest())
