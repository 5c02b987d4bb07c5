"""SimpleWebAuthn, in JavaScript, accepts the assertions that we accept and refuses those that we refuse."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.decision_log.passkeys import check_signature
from bot.domain.signing.assertion import Assertion, ExpectedKey, Verified, verify_assertion
from tests.bot.passkeys import ORIGIN, OWNERS, RP, Authenticator, b64, raw

TOOLS = Path(__file__).parents[2] / "tools"
STATEMENT = b64(b'{"case":"R-7K3M9QX2","verdict":"approve"}')
HONEST = replace(OWNERS, count=7)


def shown(key: Authenticator, **changes: str) -> dict[str, Any]:
    """An assertion over the statement, and what it is judged on."""
    made = key.sign(STATEMENT) | changes
    challenge = b64(hashlib.sha256(raw(STATEMENT)).digest())
    spki = b64(OWNERS.passkey().spki)
    return made | {"challenge": challenge, "origin": ORIGIN, "rp": RP, "spki": spki, "count": 0}


def theirs(found: list[dict[str, Any]]) -> list[int | None]:
    if not (TOOLS / "node" / "node_modules" / "@simplewebauthn").is_dir():
        subprocess.run([str(TOOLS / "nodejs")], check=True, timeout=300)
    script = TOOLS / "node" / "assertion.mjs"
    done = subprocess.run(
        ["node", str(script)], input=json.dumps(found), capture_output=True, text=True, check=True, timeout=60
    )
    judged: list[int | None] = json.loads(done.stdout)
    return judged


def ours(one: dict[str, Any]) -> int | None:
    parts = (raw(one[name]) for name in ("credential", "authenticator_data", "client_data", "signature"))
    key = ExpectedKey(raw(one["spki"]), RP, synced=False)
    judged = verify_assertion(Assertion(*parts), raw(one["challenge"]), key, {ORIGIN}, check_signature)
    return judged.sign_count if isinstance(judged, Verified) else None


def test_both_accept_an_honest_assertion_and_refuse_the_same_forged_ones() -> None:
    honest = shown(HONEST)
    flipped = bytearray(raw(honest["signature"]))
    flipped[-1] ^= 1
    forged = [
        shown(replace(HONEST, flags=0x01)),  # nobody verified
        shown(replace(HONEST, flags=0x04)),  # nobody present
        shown(replace(HONEST, rp="evil.example")),
        shown(replace(HONEST, client={"origin": "https://evil.example"})),
        shown(replace(HONEST, client={"challenge": "AAAA"})),
        shown(replace(HONEST, client={"type": "webauthn.create"})),
        shown(Authenticator(b"owner-key", count=7)),  # another private key
        shown(HONEST, signature=b64(bytes(flipped))),
        shown(HONEST, authenticator_data=b64(raw(honest["authenticator_data"])[:-1] + b"\x09")),
    ]
    assert theirs([honest, *forged]) == [7] + [None] * len(forged)
    assert [ours(one) for one in (honest, *forged)] == [7] + [None] * len(forged)


def test_only_we_refuse_a_framed_page() -> None:
    """SimpleWebAuthn does not look at `crossOrigin`; the contract wants it refused."""
    framed = shown(replace(HONEST, client={"crossOrigin": True}))
    assert (theirs([framed]), ours(framed)) == ([7], None)
