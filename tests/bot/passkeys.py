"""Passkeys made of software, a policy that names them, and people who sign on the page of an office."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.domain.policy.model import NamedPerson, Policy
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Passkey, Signature, Signing
from bot.evidence.policy_checks import Disclosures, PolicyChecks
from bot.service.signing_page import Told
from handlers.outbound.sign_page_words import SignPageWords
from storage.log.evidence import stored_log
from tests.bot import parts
from tests.bot.building import DEP1, OWNER, RISK, policy
from tests.bot.office import Office
from tests.database import place

RP, ORIGIN = "countersign.example.org", "https://countersign.example.org"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """A passkey on P-256, with the flags, counter and client data that a test wants."""

    id: bytes
    rp: str = RP
    flags: int = 0x05  # user present and verified
    count: int = 0
    client: dict[str, object] = field(default_factory=dict)
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def passkey(self, *, synced: bool = False) -> Passkey:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        spki = self.private.public_key().public_bytes(serialization.Encoding.DER, form)
        return Passkey(b64(self.id), spki, self.rp, synced)

    def sign(self, statement: str) -> dict[str, str]:
        """What the page's script sends for a statement in base64url."""
        told = {"type": "webauthn.get", "challenge": b64(hashlib.sha256(raw(statement)).digest()), "origin": ORIGIN}
        client = json.dumps(told | {"crossOrigin": False} | self.client).encode()
        data = hashlib.sha256(self.rp.encode()).digest() + bytes([self.flags]) + self.count.to_bytes(4)
        made = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "statement": statement, "credential": b64(self.id), "authenticator_data": b64(data), "client_data": b64(client),
            "signature": b64(made),
        }  # fmt: skip


OWNERS, DEPUTYS, RISKS = Authenticator(b"owner-key"), Authenticator(b"deputy-key"), Authenticator(b"risk-key")
KEYS: Mapping[Person, Authenticator] = {OWNER: OWNERS, DEP1: DEPUTYS, RISK: RISKS}


def named(person: Person, *keys: Passkey) -> NamedPerson:
    return NamedPerson(person.user.lower(), person, f"Name of {person.user}", passkeys=keys)


def signed_policy(
    signature: Signature = "required", keys: Mapping[Person, Passkey] | None = None, **changes: Any
) -> Policy:
    """The organisation whose every runbook demands a signature."""
    held = {person: key.passkey() for person, key in KEYS.items()} if keys is None else keys
    plain = policy(**changes)
    runbooks = {id_: replace(book, signature=signature) for id_, book in plain.runbooks.items()}
    people = tuple(named(person, key) for person, key in held.items())
    return replace(plain, signing=Signing(RP, ORIGIN), people=people, runbooks=runbooks)


def with_words(office: Office) -> Office:
    """The office's page has its words, as the composition root gives them."""
    office.service.signing.words = SignPageWords(parts.rendering(office).scene)
    return office


async def token_of(office: Office, person: Person, case_id: str, version: int = 1) -> str:
    """The token of somebody's link to a question."""
    case = await office.case(case_id)
    ask = case.question(version)
    assert ask is not None
    address = await office.service.signing.address(case, ask, person)
    return address.removeprefix(f"{ORIGIN}/d#")


async def sent(office: Office, token: str, made: Mapping[str, str]) -> Told:
    """An assertion arrives, the worker carries it out, and the page gets the answer."""
    waiting = asyncio.create_task(office.service.signing.sign(token, made))
    while not waiting.done():
        await asyncio.sleep(0.001)
        await office.worker.drain()
    return await waiting


async def signs(
    office: Office, person: Person, case_id: str, verdict: str = "approve", *, version: int = 1, key: Authenticator | None = None,
    reason: str = "", **wish: Any,
) -> Told:  # fmt: skip
    """Somebody opens their link and signs."""
    token = await token_of(office, person, case_id, version)
    told = await office.service.signing.statement(token, verdict, **wish)
    assert told.status == 200, told
    made = (key or KEYS[person]).sign(str(told.body["statement"]))
    return await sent(office, token, made | ({"reason": reason} if reason else {}))


def signature_findings(office: Office) -> list[str]:
    """What the check of the log says of the signatures in an office's log, from the first entry on."""
    with stored_log(place(office.path)) as log:
        told = Disclosures.read(log.disclosures())
        checks = PolicyChecks(lambda _digest: office.policy, told).signatures
        rows = [(row.idx, json.loads(row.data)) for row in log.rows() if row.data is not None]
    return [str(finding) for idx, entry in rows for finding in checks.findings(idx, entry)]
