"""Which keys a passkey may have, and that a signature is checked by each of their algorithms."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

from bot.decision_log.passkeys import check_signature, key_fault

MESSAGE = b"authenticator data and client data hash"
P256, ED, RSA = (
    ec.generate_private_key(ec.SECP256R1()),
    ed25519.Ed25519PrivateKey.generate(),
    rsa.generate_private_key(65537, 2048),
)
SIGNED = {
    "ES256": (P256, P256.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))),
    "EdDSA": (ED, ED.sign(MESSAGE)),
    "RS256": (RSA, RSA.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())),
}


def spki(
    private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey | rsa.RSAPrivateKey,
) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.DER, form)


@pytest.mark.parametrize("name", list(SIGNED))
def test_a_signature_of_each_accepted_algorithm_holds(name: str) -> None:
    private, signature = SIGNED[name]
    assert key_fault(spki(private)) is None
    assert check_signature(spki(private), MESSAGE, signature)


@pytest.mark.parametrize("name", list(SIGNED))
def test_another_message_or_a_changed_signature_does_not_hold(name: str) -> None:
    private, signature = SIGNED[name]
    assert not check_signature(spki(private), MESSAGE + b".", signature)
    assert not check_signature(spki(private), MESSAGE, signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not check_signature(spki(private), MESSAGE, b"")


@pytest.mark.parametrize(
    ("private", "words"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "P-256"),
        (rsa.generate_private_key(65537, 1024), "2048"),
        (ed448.Ed448PrivateKey.generate(), "ES256"),
    ],
)
def test_other_keys_are_named_and_verify_nothing(
    private: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey | rsa.RSAPrivateKey, words: str
) -> None:
    assert words in str(key_fault(spki(private)))
    assert not check_signature(spki(private), MESSAGE, b"\x00" * 64)


def test_bytes_that_are_no_key_are_named_and_verify_nothing() -> None:
    assert "DER" in str(key_fault(b"no key"))
    assert not check_signature(b"no key", MESSAGE, b"\x00" * 64)
