"""An assertion counts only when every one of its parts says what it must."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.decision_log.passkeys import check_signature
from bot.domain.signing.assertion import (
    SENTENCES,
    Assertion,
    ExpectedKey,
    NotVerified,
    Verified,
    from_base64url,
    verify_assertion,
)

RP, ORIGIN = "countersign.example.org", "https://countersign.example.org"
CHALLENGE = hashlib.sha256(b"a statement").digest()


@dataclass
class Authenticator:
    """A passkey on P-256, with the flags that a test wants."""

    rp: str = RP
    flags: int = 0x05  # user present and verified
    count: int = 7
    client: dict[str, object] = field(default_factory=dict)
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def spki(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.DER, form)

    def sign(self) -> Assertion:
        text = base64.urlsafe_b64encode(CHALLENGE).rstrip(b"=").decode()
        told = {"type": "webauthn.get", "challenge": text, "origin": ORIGIN, "crossOrigin": False, **self.client}
        client = json.dumps(told).encode()
        data = hashlib.sha256(self.rp.encode()).digest() + bytes([self.flags]) + self.count.to_bytes(4)
        message = data + hashlib.sha256(client).digest()
        return Assertion(b"id", data, client, self.private.sign(message, ec.ECDSA(hashes.SHA256())))


def judged(made: Authenticator, *, synced: bool = False, device_bound: bool = False) -> Verified | NotVerified:
    key = ExpectedKey(made.spki, RP, synced)
    return verify_assertion(made.sign(), CHALLENGE, key, {ORIGIN}, check_signature, device_bound=device_bound)


def test_a_right_assertion_is_verified_and_gives_its_sign_count() -> None:
    assert judged(Authenticator()) == Verified(7)


@pytest.mark.parametrize(
    ("client", "fault"),
    [
        ({"type": "webauthn.create"}, "type"),
        ({"challenge": "AAAA"}, "challenge"),
        ({"challenge": None}, "challenge"),
        ({"origin": "https://evil.example"}, "origin"),
        ({"origin": [ORIGIN]}, "origin"),
        ({"crossOrigin": True}, "cross_origin"),
        ({"crossOrigin": "false"}, "cross_origin"),
        ({"topOrigin": ORIGIN}, "cross_origin"),
    ],
)
def test_client_data_that_says_something_else_is_refused(client: dict[str, object], fault: str) -> None:
    assert judged(Authenticator(client=client)) == NotVerified(fault)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "synced", "device_bound", "fault"),
    [
        (Authenticator(rp="evil.example"), False, False, "rp"),
        (Authenticator(flags=0x04), False, False, "presence"),
        (Authenticator(flags=0x01), False, False, "verification"),
        (Authenticator(flags=0x0D), False, False, "backup"),
        (Authenticator(flags=0x05), True, False, "backup"),
        (Authenticator(flags=0x0D), True, True, "device_bound"),
        (Authenticator(flags=0x0D), False, True, "device_bound"),
    ],
)
def test_authenticator_data_that_says_something_else_is_refused(
    made: Authenticator, synced: bool, device_bound: bool, fault: str
) -> None:
    assert judged(made, synced=synced, device_bound=device_bound) == NotVerified(fault)  # type: ignore[arg-type]


def test_a_synced_passkey_counts_where_no_device_bound_key_is_demanded() -> None:
    assert judged(Authenticator(flags=0x1D), synced=True) == Verified(7)


def test_another_key_verifies_nothing() -> None:
    made = Authenticator()
    key = ExpectedKey(Authenticator().spki, RP, synced=False)
    assert verify_assertion(made.sign(), CHALLENGE, key, {ORIGIN}, check_signature) == NotVerified("signature")


def test_a_changed_byte_in_any_part_is_refused() -> None:
    made = Authenticator()
    right, key = made.sign(), ExpectedKey(made.spki, RP, synced=False)
    for part in ("authenticator_data", "client_data", "signature"):
        value = getattr(right, part)
        for i in range(len(value)):
            wrong = replace(right, **{part: value[:i] + bytes([value[i] ^ 1]) + value[i + 1 :]})
            found = verify_assertion(wrong, CHALLENGE, key, {ORIGIN}, check_signature)
            assert isinstance(found, NotVerified), (part, i)


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff", b"[" * 4_000, b" " * 5_000])
def test_client_data_that_cannot_be_read_is_refused(data: bytes) -> None:
    made = Authenticator()
    wrong, key = replace(made.sign(), client_data=data), ExpectedKey(made.spki, RP, synced=False)
    assert verify_assertion(wrong, CHALLENGE, key, {ORIGIN}, check_signature) == NotVerified("client_data")


def test_authenticator_data_that_is_too_short_is_refused() -> None:
    made = Authenticator()
    wrong, key = replace(made.sign(), authenticator_data=b"\x00" * 36), ExpectedKey(made.spki, RP, synced=False)
    assert verify_assertion(wrong, CHALLENGE, key, {ORIGIN}, check_signature) == NotVerified("authenticator_data")


def test_every_fault_has_a_sentence() -> None:
    assert all(NotVerified(fault).sentence.endswith(".") for fault in SENTENCES)


@pytest.mark.parametrize("text", ["A", "AA==", "A+", "AB", "é", "A A"])
def test_only_unpadded_base64url_is_read(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        from_base64url(text)


def test_base64url_is_read() -> None:
    assert from_base64url("_-8") == b"\xff\xef"
