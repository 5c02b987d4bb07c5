"""Reads a permit as the system that receives it does: offline, and refusing whatever it does not understand.

In this order: the signature by a key that was given, the claims, the proof, and last whether it was used before, because
only what is otherwise accepted is noted as used. Source: decision-log.md, "Permit".
"""

from __future__ import annotations

import fcntl
import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from bot.decision_log.keys import verify
from bot.domain.decision_log.signed_note import VerifierKey, open_checkpoint
from bot.domain.decision_log.tlog_proof import TlogProof
from bot.domain.errors import NoteError, SettingsError
from bot.domain.workflow.permit import TYPE, Claims, Wanted, refusal, unproven
from bot.service.permits import ALG

TOKEN_MAX = 16_384  # characters


@dataclass(frozen=True, slots=True)
class PermitRequirements:
    """What the verifier holds against a permit. `proof` is the text of a `tlog-proof`, judged with `vkeys`; `seen` is the
    file of permits that were used."""

    wanted: Wanted
    keys: KeySet
    proof: str | None = None
    vkeys: Sequence[VerifierKey] = ()
    seen: Path | None = None


@dataclass(frozen=True, slots=True)
class PermitAccepted:
    """The claims of a permit that is in order."""

    claims: Claims


@dataclass(frozen=True, slots=True)
class PermitRejected:
    """It is not; `reason` is a sentence."""

    reason: str


def read_keys(text: str) -> KeySet:
    """The Ed25519 keys of a JWKS. Raises SettingsError."""
    try:
        found = [key for key in json.loads(text)["keys"] if key.get("crv") == "Ed25519"]
        keys: list[OctKey | RSAKey | ECKey | OKPKey] = [OKPKey.import_key(_only_public(key)) for key in found]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, JoseError):
        keys = []
    if not keys:
        raise SettingsError("The JWKS holds no Ed25519 key; take it from /.well-known/jwks.json.")
    return KeySet(keys)


def check(token: str, demands: PermitRequirements, now: datetime) -> PermitAccepted | PermitRejected:
    """Whether a permit is accepted now. Raises SettingsError (the file of used permits cannot be read or written)."""
    claims = _signed_claims(token, demands.keys)
    if isinstance(claims, PermitRejected):
        return claims
    no = refusal(claims, demands.wanted, now)
    if no is None and demands.proof is not None:
        no = _unproven(claims, demands.proof, demands.vkeys)
    if no is None and demands.seen is not None and not _first_use(demands.seen, claims):
        no = "It was used before: a permit is good once."
    return PermitAccepted(claims) if no is None else PermitRejected(no)


def _only_public(key: dict[str, str]) -> dict[str, str | list[str]]:
    return {"kty": "OKP", "crv": "Ed25519", "x": key["x"], "kid": key["kid"]}


def _signed_claims(token: str, keys: KeySet) -> Claims | PermitRejected:
    text = token.strip()
    if len(text) > TOKEN_MAX or not text.isascii() or text.count(".") != 2:
        return PermitRejected("It is no permit: a permit is one line with two dots.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            read = jwt.decode(text, keys, algorithms=[ALG])
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return PermitRejected("No key that was given signed it.")
    if read.header.get("typ") != TYPE or not isinstance(read.claims, dict):
        return PermitRejected(f"It is not of the type {TYPE}.")
    return read.claims


def _unproven(claims: Claims, text: str, vkeys: Sequence[VerifierKey]) -> str | None:
    proof = TlogProof.parse(text)
    if proof is None:
        return "The proof is no tlog-proof."
    try:
        return unproven(claims, proof, open_checkpoint(proof.note, vkeys, verify))
    except NoteError as error:
        return f"The proof's checkpoint is refused: {error}"


def _first_use(seen: Path, claims: Claims) -> bool:
    """Notes that a permit is used; False where it was. Of two verifiers at once one is first. Lines are only added: a kill
    loses none, and a rotation of the file must keep lines younger than five minutes."""
    jti, expires = str(claims["jti"]), claims["exp"]
    try:
        with open(os.open(seen, os.O_CREAT | os.O_RDWR, 0o600), "r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if jti in _read_seen(file.read()):
                return False
            file.write(json.dumps({"jti": jti, "exp": expires}) + "\n")
            file.flush()
            os.fsync(file.fileno())
            return True
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is damaged"
        raise SettingsError(f"Whether the permit was used before cannot be told: {seen}: {said}.") from None


def _read_seen(text: str) -> frozenset[str]:
    """A last line that a kill cut off is damage, too: it may have been this very permit."""
    if text and not text.endswith("\n"):
        raise ValueError("cut off")
    return frozenset(json.loads(line)["jti"] for line in text.splitlines())
