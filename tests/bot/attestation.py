"""Authenticators with a maker: certificates, and packed attestations over a new passkey."""

from __future__ import annotations

import datetime
import hashlib
import json
from dataclasses import dataclass, field

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.domain.signing.assertion import to_base64url

_DAY = datetime.timedelta(days=1)


@dataclass
class Maker:
    """A vendor of security keys with a root of its own."""

    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> str:
        """The root, as a PEM file has it."""
        return _certificate(self, self.name, self.key, authority=True).public_bytes(serialization.Encoding.PEM).decode()

    def chain(self, batch: ec.EllipticCurvePrivateKey) -> list[bytes]:
        """The certificate of a batch of keys."""
        made = _certificate(self, f"{self.name} batch", batch, authority=False)
        return [made.public_bytes(serialization.Encoding.DER)]


def _certificate(maker: Maker, name: str, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.Certificate:
    def called(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(called(name)).issuer_name(called(maker.name)).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - _DAY).not_valid_after(now + 365 * _DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(maker.key, hashes.SHA256())
    )  # fmt: skip


def made(challenge: str, rp: str, origin: str, maker: Maker | None, *, self_signed: bool = False) -> dict[str, str]:
    """What the page's script sends of a new passkey on P-256: attested by `maker`, by the passkey itself, or by nobody."""
    private, batch = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    numbers, name = private.public_key().public_numbers(), b"new-passkey-0001"
    public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
    about = hashlib.sha256(rp.encode()).digest() + b"\x45" + bytes(4) + b"A" * 16 + len(name).to_bytes(2) + name + public
    told = {"type": "webauthn.create", "challenge": challenge, "origin": origin, "crossOrigin": False}
    client = json.dumps(told).encode()
    signer = private if self_signed else batch
    statement: dict[str, object] = {
        "alg": -7, "sig": signer.sign(about + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
    }  # fmt: skip
    if maker is not None and not self_signed:
        statement["x5c"] = maker.chain(batch)
    nobody = maker is None and not self_signed
    fmt, statement = ("none", {}) if nobody else ("packed", statement)
    attestation = cbor2.dumps({"fmt": fmt, "attStmt": statement, "authData": about})
    return {
        "id": to_base64url(name), "client_data": to_base64url(client), "attestation": to_base64url(attestation)
    }  # fmt: skip
