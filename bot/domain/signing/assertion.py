"""Whether a passkey's assertion proves that its holder signed a statement. Pure: the signature check is given.

An assertion counts only if all of this holds: the client data is of `webauthn.get`, its challenge is the statement's
SHA-256, its origin is one of ours and not embedded in another page (`crossOrigin`, `topOrigin`); the authenticator data is for our
relying party, states that the user was present and verified, and has the backup-eligible flag that the policy noted at the
enrolment; and the signature over authenticator data ‖ SHA-256(client data) holds under the key in the policy.
The bot at the click and `log verify` years later call the same function.
Source: W3C Web Authentication Level 3, section 7.2; signed-decisions.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

Fault = Literal[
    "client_data", "type", "challenge", "origin", "cross_origin", "authenticator_data", "rp", "presence", "verification",
    "backup", "device_bound", "signature",
]  # fmt: skip
CheckSignature = Callable[[bytes, bytes, bytes], bool]
"""DER SubjectPublicKeyInfo, message, signature: whether it holds. A key or signature that cannot be read does not."""

SENTENCES: dict[Fault, str] = {
    "client_data": "The browser's answer cannot be read. Reload the page and sign again.",
    "type": "The browser's answer is not a sign-in with a passkey. Reload the page and sign again.",
    "challenge": "The passkey signed something else. Reload the page and sign again.",
    "origin": "The signature was made on another web address. Open the link in Slack and sign there.",
    "cross_origin": "The page was shown inside another page. Open it in a tab of its own and sign again.",
    "authenticator_data": "The passkey's answer cannot be read. Reload the page and sign again.",
    "rp": "The passkey belongs to another web address. Use the passkey that you enrolled here.",
    "presence": "The passkey did not confirm that you touched it. Sign again.",
    "verification": "The passkey did not check your PIN, fingerprint or face. Sign again with a passkey that does.",
    "backup": "The passkey says something else about being synced than at its enrolment. Enrol it again.",
    "device_bound": "This request needs a key that cannot be synced, such as a security key.",
    "signature": "The signature does not match the key in the policy.",
}
_PRESENT, _VERIFIED, _BACKUP_ELIGIBLE = 0x01, 0x04, 0x08
_LEAST = 37  # SHA-256 of the rp id, one byte of flags, four of sign count
_MAX_CLIENT_DATA = 4_096


@dataclass(frozen=True, slots=True)
class Assertion:
    """What the browser returned, raw: credential id, authenticator data, client data JSON, signature."""

    credential: bytes
    authenticator_data: bytes
    client_data: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ExpectedKey:
    """The key of the policy that must have signed: DER SubjectPublicKeyInfo, its relying party, its backup-eligible flag."""

    spki: bytes
    rp: str
    synced: bool


@dataclass(frozen=True, slots=True)
class Verified:
    """The assertion holds. `sign_count` is the authenticator's counter; 0 where it has none."""

    sign_count: int


@dataclass(frozen=True, slots=True)
class NotVerified:
    """The assertion is invalid; `sentence` says what the person can do."""

    fault: Fault

    @property
    def sentence(self) -> str:
        return SENTENCES[self.fault]


def verify_assertion(
    assertion: Assertion,
    challenge: bytes,
    key: ExpectedKey,
    origins: Collection[str],
    check: CheckSignature,
    *,
    device_bound: bool = False,
) -> Verified | NotVerified:
    """Judges one assertion by the rules above. `challenge` is the statement's SHA-256; `origins` those accepted with `key.rp`."""
    fault = _client_data_fault(assertion.client_data, challenge, origins)
    if fault is None:
        fault = _authenticator_fault(assertion.authenticator_data, key, device_bound=device_bound)
    if fault is None:
        message = assertion.authenticator_data + hashlib.sha256(assertion.client_data).digest()
        fault = None if check(key.spki, message, assertion.signature) else "signature"
    return NotVerified(fault) if fault is not None else Verified(int.from_bytes(assertion.authenticator_data[33:37]))


def _client_data_fault(data: bytes, challenge: bytes, origins: Collection[str]) -> Fault | None:
    if len(data) > _MAX_CLIENT_DATA:
        return "client_data"
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return "client_data"
    if not isinstance(found, dict):
        return "client_data"
    if found.get("type") != "webauthn.get":
        return "type"
    if found.get("challenge") != base64.urlsafe_b64encode(challenge).rstrip(b"=").decode():
        return "challenge"
    origin = found.get("origin")
    if not isinstance(origin, str) or origin not in origins:
        return "origin"
    if found.get("crossOrigin", False) is not False or "topOrigin" in found:
        return "cross_origin"
    return None


def _authenticator_fault(data: bytes, key: ExpectedKey, *, device_bound: bool) -> Fault | None:
    if len(data) < _LEAST:
        return "authenticator_data"
    if data[:32] != hashlib.sha256(key.rp.encode()).digest():
        return "rp"
    flags = data[32]
    if not flags & _PRESENT:
        return "presence"
    if not flags & _VERIFIED:
        return "verification"
    eligible = bool(flags & _BACKUP_ELIGIBLE)
    if device_bound and (eligible or key.synced):
        return "device_bound"
    return "backup" if eligible != key.synced else None


def to_base64url(data: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of unpadded base64url. Raises ValueError for anything else."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("This is not base64url.") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise ValueError("This is not base64url.")
    return data
