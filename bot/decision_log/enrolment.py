"""The enrolment of a passkey, and the trial of one: a rendezvous between the command on the host and the page.

The command writes its request into a file of STATE_DIR, named by the digest of a token that only the printed address has; the process that
serves the page (the running bot, or the command itself where nobody does) answers the page from it and writes the result next to it.
Both files are the owner's alone (0600) and gone when the command ends: nothing of an enrolment stays on the host.
The page must repeat a six-digit code that was printed too; after five wrong ones, and after ten minutes, the address is dead.
Source: signed-decisions.md, "Enrolment".
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from bot.decision_log.passkeys import check_signature, key_fault
from bot.domain.signing.assertion import (
    Assertion,
    ExpectedKey,
    NotVerified,
    from_base64url,
    to_base64url,
    verify_assertion,
)
from bot.domain.signing.statement import Statement, challenge

OPEN = timedelta(minutes=10)
TRIES = 5
_ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, RS256
_NOT_ATTESTED = (
    "This passkey cannot be used: its maker is none of those that the policy names (`signing.attestation`), or it does not say who"
    " made it. Use a security key that your organisation handed out."
)
_GONE = "This address is not open any more. Run the command on the host again."


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and JSON, for the page; no session begins by it."""

    status: int
    body: Mapping[str, object]
    session: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command wants: a new passkey for somebody (`enrol`), or a signature by one of theirs (`test`). `keys` are those
    that the policy names for them, as `{id, spki, rp, synced}`; `salt` is random. `roots`: PEM certificates to one of which a new
    passkey's attestation must chain; empty where the policy names none."""

    kind: Literal["enrol", "test"]
    label: str
    person: str
    name: str
    rp: str
    origin: str
    keys: tuple[Mapping[str, object], ...]
    salt: bytes
    not_after: datetime
    roots: tuple[str, ...] = ()

    def statement(self) -> bytes:
        """What is signed; its SHA-256 is the challenge."""
        nonce = to_base64url(hashlib.sha256(b"nonce" + self.salt).digest()[:16])
        about = {"person": self.person}
        return Statement(self.kind, "", self.rp, "", nonce, self.not_after, about).to_bytes()


def words(person: str, rp: str, credential: str, spki: bytes) -> str:
    """Six of 2,048 words (BIP 39, English) over the key's person, its place and the key itself: read out to the reviewer."""
    from mnemonic import Mnemonic

    listed = Mnemonic("english").wordlist
    number = int.from_bytes(hashlib.sha256(f"{person}\n{rp}\n{credential}\n".encode() + spki).digest())
    return " ".join(listed[number >> (256 - 11 * place) & 2047] for place in range(1, 7))


def yaml_line(credential: str, spki: bytes, rp: str, *, synced: bool, attested: bool = False, label: str = "") -> str:
    """The line of `passkeys:` in the policy."""
    key = base64.b64encode(spki).decode()
    judged = ", attested: true" if attested else ""
    named = f", label: {json.dumps(label)}" if label else ""
    return f"- {{id: {json.dumps(credential)}, key: {json.dumps(key)}, rp: {rp}, synced: {str(synced).lower()}{judged}{named}}}"


class Rendezvous:
    """The files of one folder. Raises OSError where the folder cannot be used."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "enrolment"

    def open(self, token: str, code: str, wanted: Wanted) -> None:
        """The command opens an address. What a killed command left behind is deleted."""
        for folder in (self._folder.parent, self._folder):  # `mode` is not for what `parents` makes
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._folder.iterdir():
            if left.stat().st_mtime < (wanted.not_after - 2 * OPEN).timestamp():
                left.unlink(missing_ok=True)
        about = {
            "kind": wanted.kind, "label": wanted.label, "person": wanted.person, "name": wanted.name, "rp": wanted.rp,
            "origin": wanted.origin, "keys": [dict(key) for key in wanted.keys], "salt": wanted.salt.hex(),
            "not_after": wanted.not_after.isoformat(), "roots": list(wanted.roots), "code": code, "wrong": 0,
        }  # fmt: skip
        self._write(self._path(token), about)

    def result(self, token: str) -> Mapping[str, Any] | None:
        """The result; None while there is none."""
        try:
            found: Mapping[str, Any] = json.loads(self._path(token, ".done").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def close(self, token: str) -> None:
        """The address is dead."""
        for path in (self._path(token), self._path(token, ".done")):
            path.unlink(missing_ok=True)

    # What the page calls.

    def begin(self, token: str, code: str, now: datetime) -> Answer:
        """The options of the ceremony, for a person who knows the code."""
        wanted = self._wanted(token, code, now)
        if isinstance(wanted, Answer):
            return wanted
        told = {
            "kind": wanted.kind, "challenge": to_base64url(challenge(wanted.statement())), "rp": wanted.rp, "name": wanted.name,
            "user": to_base64url(hashlib.sha256(b"user" + wanted.salt).digest()[:16]), "algorithms": list(_ALGORITHMS),
            "keys": [key["id"] for key in wanted.keys if key["rp"] == wanted.rp],
            "attestation": "direct" if wanted.roots else "none",
        }  # fmt: skip
        return Answer(200, told)

    def finish(self, token: str, code: str, sent: Mapping[str, str], now: datetime) -> Answer:
        """What the browser made: a new passkey, or a signature."""
        wanted = self._wanted(token, code, now)
        if isinstance(wanted, Answer):
            return wanted
        made = _enrolled(wanted, sent) if wanted.kind == "enrol" else _tried(wanted, sent)
        if made.status == 200:
            self._write(self._path(token, ".done"), made.body)
            self._path(token).unlink(missing_ok=True)
        return made

    def _wanted(self, token: str, code: str, now: datetime) -> Wanted | Answer:
        path = self._path(token)
        try:
            about = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return Answer(404, {"text": _GONE})
        if now >= datetime.fromisoformat(about["not_after"]) or about["wrong"] >= TRIES:
            path.unlink(missing_ok=True)
            return Answer(404, {"text": _GONE})
        if code != about["code"]:
            self._write(path, about | {"wrong": about["wrong"] + 1})
            return Answer(409, {"text": "That is not the code. It stands on the host, below the address."})
        return Wanted(
            about["kind"], about["label"], about["person"], about["name"], about["rp"], about["origin"], tuple(about["keys"]),
            bytes.fromhex(about["salt"]), datetime.fromisoformat(about["not_after"]), tuple(about.get("roots", ())),
        )  # fmt: skip

    def _path(self, token: str, suffix: str = ".open") -> Path:
        return self._folder / (hashlib.sha256(token.encode()).hexdigest() + suffix)

    def _write(self, path: Path, about: Mapping[str, object]) -> None:
        made = path.with_suffix(".new")
        made.unlink(missing_ok=True)
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(about, file)
        made.replace(path)


def _enrolled(wanted: Wanted, sent: Mapping[str, str]) -> Answer:
    """A new passkey, checked by `webauthn`; what that package does not look at is checked here: whether the page was framed, and
    whether there is a chain at all where the policy names roots."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from webauthn import verify_registration_response
    from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
    from webauthn.helpers.exceptions import WebAuthnException
    from webauthn.helpers.structs import AttestationFormat

    if _framed(sent["client_data"]):
        return Answer(409, {"text": "The page was shown inside another page. Open it in a tab of its own."})
    if wanted.roots and not _chained(sent["attestation"], wanted.roots):
        return Answer(409, {"text": _NOT_ATTESTED})
    answer = {"clientDataJSON": sent["client_data"], "attestationObject": sent["attestation"]}
    credential = {"id": sent["id"], "rawId": sent["id"], "type": "public-key", "response": answer}
    try:
        found = verify_registration_response(
            credential=credential, expected_challenge=challenge(wanted.statement()), expected_rp_id=wanted.rp,
            expected_origin=wanted.origin, require_user_verification=True,
            pem_root_certs_bytes_by_fmt={kind: [root.encode() for root in wanted.roots] for kind in AttestationFormat},
        )  # fmt: skip
        public = decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
    except (WebAuthnException, ValueError) as error:
        return Answer(409, {"text": f"The passkey was not made as it must be ({error}). Try again."})
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if (fault := key_fault(spki)) is not None:
        return Answer(409, {"text": f"This passkey cannot be used: {fault}. Use another one."})
    name, synced = to_base64url(found.credential_id), found.credential_device_type.value == "multi_device"
    attested = bool(wanted.roots)
    line = yaml_line(name, spki, wanted.rp, synced=synced, attested=attested)
    told = {"line": line, "synced": synced, "attested": attested, "person": wanted.label}
    return Answer(200, {**told, "words": words(wanted.person, wanted.rp, name, spki)})


def _chained(attestation: str, roots: Sequence[str]) -> bool:
    """Whether the certificates of an attestation chain to one of these roots, and to nobody else's. The signature is checked apart."""
    from webauthn.helpers import parse_attestation_object, validate_certificate_chain
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        chain = parse_attestation_object(from_base64url(attestation)).att_stmt.x5c or []
        return bool(chain) and validate_certificate_chain(x5c=chain, pem_root_certs_bytes=[one.encode() for one in roots])
    except (WebAuthnException, ValueError):
        return False


def _tried(wanted: Wanted, sent: Mapping[str, str]) -> Answer:
    """A signature over a statement of type `test`."""
    key = next((one for one in wanted.keys if one["id"] == sent["id"]), None)
    if key is None:
        return Answer(409, {"text": "This passkey is not in the policy under this person."})
    try:
        parts = [from_base64url(sent[name]) for name in ("id", "authenticator_data", "client_data", "signature")]
    except ValueError:
        return Answer(400, {"text": "The browser's answer cannot be read. Try again."})
    spki = base64.b64decode(str(key["spki"]))
    expected = ExpectedKey(spki, str(key["rp"]), bool(key["synced"]))
    judged = verify_assertion(Assertion(*parts), challenge(wanted.statement()), expected, {wanted.origin}, check_signature)
    if isinstance(judged, NotVerified):
        return Answer(409, {"text": judged.sentence})
    told = words(wanted.person, wanted.rp, sent["id"], spki)
    return Answer(200, {"person": wanted.label, "id": sent["id"], "words": told, "text": "The passkey works."})


def _framed(client_data: str) -> bool:
    try:
        found = json.loads(from_base64url(client_data))
    except ValueError:
        return True
    return not isinstance(found, dict) or found.get("crossOrigin", False) is not False or "topOrigin" in found
