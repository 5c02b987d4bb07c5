"""Logs with signed decisions: a software passkey, policies that name its key, and a writer of entries."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.domain.case.transition import SYSTEM, Actor, FileDigest, LogEvent, Private, Transition
from bot.domain.decision_log.entry import b64
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.signing.statement import Statement, StatementType
from bot.evidence.people import known_people
from bot.ports.records import StoredPolicy
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from storage.log.evidence import evidence, stored_log
from tests.bot.building import OWNER, PE1, RISK
from tests.bot.evidence.conftest import ORIGIN, RUNBOOK, Written, made
from tests.bot.evidence.signing import Scribe
from tests.bot.office import HandClock
from tests.conftest import EXAMPLE
from tests.database import connect, open_store, place

RP = "countersign.example.org"
SITE = f"https://{RP}"


@dataclass
class Passkey:
    """An authenticator in software, on P-256."""

    id: str
    synced: bool = False
    count: int = 0
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def line(self) -> str:
        """Its line under `passkeys`."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        spki = self.private.public_key().public_bytes(serialization.Encoding.DER, form)
        synced = str(self.synced).lower()
        return f"{{id: {self.id}, key: {base64.b64encode(spki).decode()}, rp: {RP}, synced: {synced}, label: {self.id}}}"

    def sign(self, data: bytes, *, flags: int = 0x05, rp: str = RP, **client: Any) -> dict[str, str]:
        """The value of the disclosure `signature` over a statement's bytes."""
        self.count += 1
        challenge = hashlib.sha256(data).digest()
        told = {"type": "webauthn.get", "challenge": b64(challenge), "origin": SITE, "crossOrigin": False} | client
        text = json.dumps(told).encode()
        about = hashlib.sha256(rp.encode()).digest() + bytes([flags | (8 if self.synced else 0)]) + self.count.to_bytes(4)
        made = self.private.sign(about + hashlib.sha256(text).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "credential": self.id, "statement": b64(data), "authenticator_data": b64(about), "client_data": b64(text),
            "signature": b64(made),
        }  # fmt: skip


OLGA, OLGA2, RUTH, EVIL = (Passkey(b64(name.encode() * 8)) for name in ("olga", "ol-2", "ruth", "evil"))
EXTRA = "signing: {rp_id: %s, origin: 'https://%s', operator_acts: none}\n"


def signed_policy(
    keys: Mapping[str, tuple[Passkey, ...]] | None = None,
    signature: str = "required",
    *edits: tuple[str, str],
    signing: str = "",
    approvals: int = 1,
) -> Policy:
    """The example organisation, whose directory emergency wants a signature; keys by label. `edits` replace texts of the matrix."""
    files = {path: data for path, data in read_folder(EXAMPLE).items() if path != "README.md"}
    matrix = files["responsibility.yaml"].decode() + (signing or EXTRA % (RP, RP))
    for label, passkeys in (keys if keys is not None else {"olga": (OLGA,), "ruth": (RUTH,)}).items():
        start = matrix.index(f"\n  {label}: {{")
        end = matrix.index("}", start)
        matrix = f"{matrix[:end]}, passkeys: [{', '.join(key.line for key in passkeys)}]{matrix[end:]}"
    for old, new in edits:
        assert old in matrix, old
        matrix = matrix.replace(old, new, 1)
    files["responsibility.yaml"] = matrix.encode()
    book = files[f"{RUNBOOK}.md"]
    files[f"{RUNBOOK}.md"] = book.replace(b"approvals: 1", f"approvals: {approvals}\nsignature: {signature}".encode())
    loaded = load_files(files)
    assert loaded.policy is not None, loaded.errors
    return loaded.policy


class Writer:
    """Writes entries as the bot would, and those that it never would."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock, self.scribe = path, HandClock(), Scribe(ORIGIN)
        self.drawn = 0

    async def open(self) -> Writer:
        self.store = await open_store(self.path, self.clock, ORIGIN, self.path.parent / "state")
        return self

    async def load(self, policy: Policy) -> None:
        """A set comes into force."""
        self.policy = policy
        listed = tuple({"path": f.path, "sha256": f.sha256} for f in policy.files)
        draft = LogEvent("policy.loaded", SYSTEM, data={"files": listed}, policy=self._set)
        await self.store.policies.accept(StoredPolicy(policy.digest, self.clock.now(), policy.files), [draft])

    @property
    def _set(self) -> FileDigest:
        return FileDigest(self.policy.organisation, self.policy.digest)

    async def write(self, type_: str, who: Actor, case: str | None = None, *private: Private, **data: Any) -> None:
        self.clock.at += timedelta(seconds=1)
        book = FileDigest(RUNBOOK, self.policy.runbooks[RUNBOOK].sha256) if case else None
        entry = LogEvent(type_, who, case, data, runbook=book, policy=self._set, private=private)
        await self.store.commit(Transition(None, None, (entry,)))

    async def file(self, case: str, until: datetime | None = None) -> str:
        """A request of the provider's engineer for an hour; both possible signers are asked."""
        until = until or self.clock.now() + timedelta(minutes=45)
        about = {
            "kind": "emergency_access",
            "seconds": 3600,
            "expires_at": until,
            "provider": "northgate",
            "domain": "directory",
        }
        await self.write("request.filed", Actor("person", PE1, "northgate"), case, Private("target", "dc-1", PE1), **about)
        await self.write("step.fired", Actor("clock"), case, step=0, role="owner", to=(OWNER, RISK))
        return case

    def leaves(self, case: str) -> list[str]:
        with closing(connect(self.path)) as raw:
            rows = raw.execute("SELECT leaf FROM log_entry WHERE case_id = ? ORDER BY idx", (case,))
            return [leaf.hex() for (leaf,) in rows]

    def ref(self, person: Person) -> str:
        """The pseudonym of somebody; "" for somebody whom the log has never named, as the bot has it."""
        with stored_log(place(self.path)) as log:
            return next((ref for ref, told in known_people(log.disclosures()).items() if told == str(person)), "")

    def statement(self, person: Person, type_: StatementType = "decision", **about: Any) -> Statement:
        self.drawn += 1
        nonce = b64(self.drawn.to_bytes(16, "big"))
        return Statement(type_, ORIGIN, RP, self.ref(person), nonce, self.clock.now() + timedelta(minutes=4), about)

    def decision(
        self, case: str, person: Person, verdict: str = "approve", role: str = "owner", **changes: Any
    ) -> Statement:
        leaves, book = self.leaves(case), self.policy.runbooks[RUNBOOK]
        about = {
            "case": case, "asked": leaves[0], "seen": leaves[-1], "version": 1, "verdict": verdict, "seconds": 3600, "need": 1,
            "role": role, "shown": "x", "policy": self.policy.digest, "runbook": book.sha256,
        }  # fmt: skip
        return self.statement(person, **(about | changes))

    async def approve(
        self, case: str, person: Person = OWNER, key: Passkey | None = OLGA, *, statement: Statement | None = None, value: Mapping[str, str] | None = None,
        opens: bool = True, signing: Mapping[str, Any] | None = None, **changes: Any,
    ) -> None:  # fmt: skip
        """A yes, signed unless `key` is None, and the grant that it opens."""
        end = self.clock.now() + timedelta(hours=1)
        data: dict[str, Any] = {"have": 1, "need": 1, "seconds": 3600, "role": "owner" if person == OWNER else "risk_owner"}
        private: tuple[Private, ...] = ()
        if key is not None:
            signed = statement or self.decision(case, person, role=data["role"])
            bytes_ = signed.to_bytes()
            private = (Private("signature", value or key.sign(bytes_, **(signing or {})), person),)
            data |= {"signed": True, "statement": hashlib.sha256(bytes_).hexdigest()}
        await self.write("request.approved", Actor("person", person, "home"), case, *private, **(data | changes))
        if opens:
            await self.write("grant.opened", Actor("person", person, "home"), case, seconds=3600, not_after=end)

    async def endorse(self, old: Policy, new: Policy, person: Person = RISK, key: Passkey = RUTH, **changes: Any) -> None:
        about = {"from": old.digest, "to": new.digest} | changes
        signed = self.statement(person, "policy", **about).to_bytes()
        data = {"from": old.digest, "to": new.digest, "signed": True, "statement": hashlib.sha256(signed).hexdigest()}
        await self.write(
            "policy.endorsed", Actor("person", person, "home"), None, Private("signature", key.sign(signed), person), **data
        )

    def at(self, moment: datetime) -> None:
        self.clock.at = moment

    def later(self, **how: float) -> None:
        self.clock.at += timedelta(**how)

    def export(self, out: Path) -> Path:
        """Signs what is written, and exports it."""
        self.scribe.sign(self.path)
        return made(Written(self.path, self.scribe, {}), out)

    def proof(self, idx: int) -> str:
        with evidence(self.path) as log:
            return log.proof(idx)
