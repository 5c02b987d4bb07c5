"""P16: a signed approval, from the assertion that the page sends to the commit of its entries.

Measured inside one process: the statement is fetched and signed beforehand, then the assertion goes the whole way: inbox, worker, the
judgement of key, policy, version and what was seen, and the transaction. The floor of our own verification, one function for the
press and for `log verify`, is py_webauthn's bare verification of the same assertion.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn import verify_authentication_response

from bench.acting import filings
from bench.bot import RUNBOOK, BenchError
from bench.rounds import Goal, Result, Size, in_turns
from bot.background.inbox_worker import InboxWorker
from bot.clock import SystemClock
from bot.decision_log.passkeys import check_signature
from bot.demo.workspace import APPROVER
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile
from bot.domain.policy.signing import Passkey, Signing
from bot.domain.signing.assertion import (
    Assertion,
    ExpectedKey,
    Verified,
    from_base64url,
    to_base64url,
    verify_assertion,
)
from bot.service.approvals import ApprovalService
from handlers.outbound.sign_page_words import SignPageWords
from handlers.views.kit.context import ViewContext
from storage.store import SqliteStore

_RP, _ORIGIN, _CREDENTIAL = "localhost", "http://localhost:3002", b"the owner's passkey"
_OWNER = Person("T0HOME", APPROVER)
_BARE = "py_webauthn's bare verification"


async def measure(size: Size, policy: Policy, scratch: Path) -> list[Result]:
    folder = scratch / "signing"
    folder.mkdir()
    key = _Key(ec.generate_private_key(ec.SECP256R1()))
    store = await SqliteStore.open(folder / "signing.db", SystemClock(), state_dir=folder / "state")
    try:
        return await _measured(size, _Signing(store, key, _signed(policy, key)))
    finally:
        await store.close()


async def _measured(size: Size, bot: _Signing) -> list[Result]:
    stop = asyncio.Event()
    working = asyncio.create_task(bot.worker.run(stop))
    try:
        acts = max(size.acts // 5, 1)
        found = await in_turns(
            size.rounds, {"whole": bot.approvals(acts), "ours": bot.verified(acts), _BARE: bot.bare(acts)}
        )
    finally:
        stop.set()
        await working
    whole, ours = Goal("P16", "a signed approval, statement to commit, p50", 15.0), Goal("P16", "one assertion, p50", 3.0)
    return [Result(whole, "ms", found["whole"]), Result(ours, "ms", found["ours"], _BARE, found[_BARE])]


@dataclass
class _Key:
    """A passkey in software."""

    private: ec.EllipticCurvePrivateKey
    count: int = 0

    @property
    def spki(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.DER, form)

    @property
    def cose(self) -> bytes:
        at = self.private.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: at.x.to_bytes(32), -3: at.y.to_bytes(32)})

    def sign(self, statement: str) -> dict[str, str]:
        """What the page sends."""
        self.count += 1
        challenge = hashlib.sha256(from_base64url(statement)).digest()
        told = {"type": "webauthn.get", "challenge": to_base64url(challenge), "origin": _ORIGIN, "crossOrigin": False}
        client = json.dumps(told).encode()
        about = hashlib.sha256(_RP.encode()).digest() + b"\x05" + self.count.to_bytes(4)
        made = self.private.sign(about + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "statement": statement, "credential": to_base64url(_CREDENTIAL), "authenticator_data": to_base64url(about),
            "client_data": to_base64url(client), "signature": to_base64url(made),
        }  # fmt: skip


class _Slack:
    """Everybody is there, at once."""

    async def profile(self, person: Person, max_age: float) -> Profile:
        return Profile(person, name="Olga")

    async def quiet_until(self, person: Person, max_age: float) -> None:
        return None

    def last_known(self, person: Person) -> Profile:
        return Profile(person, name="Olga")

    async def permalink(self, channel: str, ts: str) -> str:
        return ""

    async def members(self, channel: str) -> list[str]:
        return []


class _Signing:
    """The service with its worker, and one owner who signs."""

    def __init__(self, store: SqliteStore, key: _Key, policy: Policy) -> None:
        self._store, self._key, self._clock = store, key, SystemClock()
        self._service = ApprovalService(store, _Slack(), self._clock, 1.0, policy)
        self._service.signing.words = SignPageWords(lambda: ViewContext(policy, self._clock.now()))
        self.worker = InboxWorker(self._service, store.inbox, self._clock)
        self._committed = asyncio.Event()
        self._service.transactions.committed = self._seen
        self._policy = policy
        self._last: Mapping[str, str] = {}  # what was sent for the newest approval

    def _seen(self, act: Transition) -> None:
        if act.signed is not None:
            self._committed.set()

    def approvals(self, times: int) -> Callable[[], Awaitable[float]]:
        async def subject() -> float:
            return median([await self._one() for _ in range(times)])

        return subject

    async def _one(self) -> float:
        """Milliseconds of one approval, of a request that was filed before."""
        (act,) = filings(self._policy, self._clock, 1)
        case = await self._store.commit(act)
        if case is None:
            raise BenchError("Nothing was filed.")
        page = self._service.signing
        token = (await page.address(case, case.approval, _OWNER)).partition("#")[2]
        told = await page.statement(token, "approve")
        self._last = self._key.sign(str(told.body["statement"]))
        self._committed.clear()
        begun = perf_counter()
        answer = asyncio.create_task(page.sign(token, self._last))
        await self._committed.wait()
        took = (perf_counter() - begun) * 1000
        if (await answer).body.get("ok") is not True:
            raise BenchError(f"The signature was refused: {answer.result().body}")
        return took

    def verified(self, times: int) -> Callable[[], Awaitable[float]]:
        """Our verification of the newest approval's assertion, in milliseconds."""

        def verify() -> bool:
            sent = self._last
            names = ("credential", "authenticator_data", "client_data", "signature")
            made = Assertion(*(from_base64url(sent[name]) for name in names))
            expected = ExpectedKey(self._key.spki, _RP, synced=False)
            challenge = hashlib.sha256(from_base64url(sent["statement"])).digest()
            return isinstance(verify_assertion(made, challenge, expected, {_ORIGIN}, check_signature), Verified)

        return _timed(verify, times)

    def bare(self, times: int) -> Callable[[], Awaitable[float]]:
        """py_webauthn's, of the same."""

        def verify() -> bool:
            sent = self._last
            answer = {
                "clientDataJSON": sent["client_data"], "authenticatorData": sent["authenticator_data"],
                "signature": sent["signature"],
            }  # fmt: skip
            name = sent["credential"]
            found = verify_authentication_response(
                credential={"id": name, "rawId": name, "type": "public-key", "response": answer},
                expected_challenge=hashlib.sha256(from_base64url(sent["statement"])).digest(), expected_rp_id=_RP,
                expected_origin=_ORIGIN, credential_public_key=self._key.cose, credential_current_sign_count=0,
                require_user_verification=True,
            )  # fmt: skip
            return found.user_verified

        return _timed(verify, times)


def _timed(verify: Callable[[], bool], times: int) -> Callable[[], Awaitable[float]]:
    async def subject() -> float:
        took = []
        for _ in range(times):
            begun = perf_counter()
            if not verify():
                raise BenchError("The assertion does not verify.")
            took.append((perf_counter() - begun) * 1000)
        return median(took)

    return subject


def _signed(policy: Policy, key: _Key) -> Policy:
    """The example organisation, whose directory emergency is signed by its owner."""
    passkey = Passkey(to_base64url(_CREDENTIAL), key.spki, _RP, synced=False)
    people = tuple(replace(one, passkeys=(passkey,)) if one.person == _OWNER else one for one in policy.people)
    book = replace(policy.runbooks[RUNBOOK], signature="required")
    return replace(policy, signing=Signing(_RP, _ORIGIN), people=people, runbooks={**policy.runbooks, RUNBOOK: book})
