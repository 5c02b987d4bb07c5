"""Gives permits out: written down, covered by a signed checkpoint, then signed; nothing of it is kept but the entry.

The order is what makes a permit worth its proof: `permit.issued` is committed, a checkpoint covers it, and only then does
the permit exist. Killed in between, there is an entry and no permit. Source: decision-log.md, "Permit".
"""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey

from bot.clock import Clock
from bot.decision_log.permit_keys import permit_key
from bot.domain.case.click import Refusal, Rejected
from bot.domain.case.transition import Actor
from bot.domain.decision_log.entry import b64
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import Frozen, Stale, StorageError, TooLate
from bot.domain.policy.model import Policy
from bot.domain.workflow import permit
from bot.domain.workflow.permit import Issue, Logged
from bot.ports.cases import Cases
from bot.ports.log import DecisionLog
from bot.ports.records import Cover, LogRow
from bot.ports.store import Commits

ALG = "EdDSA"
TRIES = 8


class PermitStore(Commits, Protocol):
    """What issuing asks of a store."""

    @property
    def cases(self) -> Cases: ...
    @property
    def log(self) -> DecisionLog: ...


@dataclass(frozen=True, slots=True)
class Permit:
    """`token` is the compact JWS. `index` is of `permit.issued`; `disclosure` holds the target. `expires`: since 1970."""

    token: str
    index: int
    disclosure: str
    expires: int


class PermitIssuer:
    """`cover` is the gate to the outside."""

    def __init__(self, store: PermitStore, cover: Cover, state_dir: Path, clock: Clock) -> None:
        self._store, self._cover, self._state_dir, self._clock = store, cover, state_dir, clock

    async def issue(self, case_id: str, policy: Policy, who: Actor) -> Permit | Rejected:
        """A permit under the open grant of a case, or why there is none. Raises KeyFileError, StorageError."""
        key = permit_key(self._state_dir)
        stopped = await self._cover()
        if isinstance(stopped, LogFinding):
            return _stopped(stopped)
        for attempt in range(TRIES):
            try:
                return await self._once(case_id, policy, who, key)
            except Frozen:
                return permit.DOUBTED
            except (Stale, TooLate):
                if attempt == TRIES - 1:
                    raise
        raise Stale("The request changed meanwhile; try again.")

    async def proof(self, index: int) -> bytes:
        """The C2SP `tlog-proof` of an entry. Raises StorageError where no checkpoint covers it."""
        found = await self._store.log.file(f"proof/{index}.tlog-proof")
        if found is None:
            raise StorageError(f"No signed checkpoint covers entry {index} yet; try again.")
        return found

    async def _once(self, case_id: str, policy: Policy, who: Actor, key: OKPKey) -> Permit | Rejected:
        case = await self._store.cases.case(case_id)
        if case is None:
            return Rejected(Refusal.STALE, "unknown", {"id": case_id})
        judged = permit.issue(case, policy, who, b64(self._clock.salt()), self._clock.now())
        if isinstance(judged, Rejected):
            return judged
        made, act = judged
        target, disclosure = await self._target(case_id)
        await self._store.commit(act)
        stopped = await self._cover()
        if isinstance(stopped, LogFinding):
            return _stopped(stopped)
        logged = _logged(await self._store.log.of_case(case_id), made, target)
        return Permit(signed(permit.claims(case, made, logged), key), logged.index, disclosure, made.expires)

    async def _target(self, case_id: str) -> tuple[str, str]:
        """Digest and disclosure of what was asked for, from the case's first entry. Raises StorageError."""
        rows = await self._store.log.of_case(case_id)
        for text in await self._store.log.disclosed_by(rows[0].idx) if rows else ():
            if _name(text) == "target":
                return b64(hashlib.sha256(text.encode()).digest()), text
        raise StorageError(f"The log does not disclose the target of {case_id}; no permit can name it.")


def signed(claims: Mapping[str, object], key: OKPKey) -> str:
    """The compact JWS."""
    header = {"alg": ALG, "typ": permit.TYPE, "kid": key.thumbprint()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 renames EdDSA; readers of today know the old name
        return jwt.encode(header, dict(claims), key, algorithms=[ALG])


def _logged(rows: Sequence[LogRow], made: Issue, target: str) -> Logged:
    entries = [(row, json.loads(row.data)) for row in rows if row.data is not None]
    yes = tuple((row.idx, entry["actor"]["ref"]) for row, entry in entries if row.type == "request.approved")
    row, entry = next((r, e) for r, e in reversed(entries) if r.type == "permit.issued" and e["data"]["jti"] == made.jti)
    signed = frozenset(r.idx for r, e in entries if r.type == "request.approved" and e["data"].get("signed"))
    return Logged(entry["log"], row.idx, row.leaf, target, yes, signed)


def _name(disclosure: str) -> object:
    decoded = json.loads(base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)))
    return decoded[1]


def _stopped(finding: LogFinding) -> Rejected:
    text = (
        f"The decision log is not being signed, so nothing is given: {finding.text} An operator runs `countersign doctor`."
    )
    return Rejected(Refusal.STALE, "plain", {"text": text})
