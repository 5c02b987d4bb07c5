"""Public keys of passkeys: which are accepted, and whether a signature holds. The mathematics is `cryptography`'s.

Accepted are ES256 (ECDSA on P-256 with SHA-256), EdDSA (Ed25519) and RS256 (RSA PKCS #1 v1.5 with SHA-256, 2048 bits or more):
the algorithms that WebAuthn authenticators sign with. Source: signed-decisions.md; RFC 8812; RFC 9053.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

LEAST_RSA_BITS = 2048


def key_fault(spki: bytes) -> str | None:
    """Why a DER SubjectPublicKeyInfo cannot be a passkey's key, as the end of a sentence; None for one that can."""
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        return "it is not a public key (DER SubjectPublicKeyInfo in base64)"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return None if isinstance(key.curve, ec.SECP256R1) else f"its curve {key.curve.name} is not P-256 (ES256)"
    if isinstance(key, rsa.RSAPublicKey):
        short = key.key_size < LEAST_RSA_BITS
        return f"its {key.key_size} bits are fewer than {LEAST_RSA_BITS} (RS256)" if short else None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return None
    return "its algorithm is none of ES256, EdDSA, RS256"


def root_certificates(pem: bytes) -> list[bytes]:
    """The certificates of a PEM file, each as a PEM file of its own; none where one of them cannot be read."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        return []
    return [one.public_bytes(serialization.Encoding.PEM) for one in found]


def check_signature(spki: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` over `message` holds under an accepted key. A malformed key or signature does not."""
    if key_fault(spki) is not None:
        return False
    key = serialization.load_der_public_key(spki)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
