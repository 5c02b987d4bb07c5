"""The key that signs permits, as a JWK, and the keys that its verifiers need: the present one and those just retired.

A retired key's public half is given out for a day longer, so that a permit signed a moment ago is still accepted, and a
verifier that keeps its copy of the keys for a while meets no gap. Its private half is gone. Somebody who has stolen a key
must not be accepted for that day: delete `permit.retired`.
Sources: RFC 7517, RFC 8037, RFC 7638 (the key's id is its thumbprint).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey

from bot.decision_log.keys import PERMIT_KEY, new_pem, read_pem, replace_file, signing_key
from bot.domain.decision_log.entry import stamp
from bot.domain.errors import KeyFileError

RETIRED, OVERLAP = "permit.retired", timedelta(days=1)
Jwk = Mapping[str, Any]


def permit_key(state_dir: Path) -> OKPKey:
    """The private key that signs now. Raises KeyFileError."""
    path = state_dir / PERMIT_KEY
    pem = read_pem(path)
    signing_key(pem, str(path))  # the error, as a sentence
    return OKPKey.import_key(pem)


def jwks(state_dir: Path, now: datetime) -> dict[str, list[Jwk]]:
    """The JWKS, the key that signs now first. Raises KeyFileError."""
    found = [_public(permit_key(state_dir))]
    known = {key["kid"] for key in found}
    for line in _retired(state_dir):
        if datetime.fromisoformat(line["at"]) + OVERLAP > now and line["jwk"]["kid"] not in known:
            known.add(line["jwk"]["kid"])
            found.append(line["jwk"])
    return {"keys": found}


def rotate(state_dir: Path, now: datetime) -> str:
    """Makes a new key in the place of the present one, whose public half is kept for the overlap; the new key's id.

    Raises KeyFileError. Killed between the two steps it has changed nothing: the key is then retired and present.
    """
    old = permit_key(state_dir)
    lines = [{"at": stamp(now), "jwk": _public(old)}, *_retired(state_dir)]
    try:
        replace_file(state_dir / RETIRED, "".join(json.dumps(line) + "\n" for line in lines).encode())
        replace_file(state_dir / PERMIT_KEY, new_pem())
    except OSError as error:
        raise KeyFileError(f"The key in {state_dir} cannot be replaced: {error.strerror}.") from None
    return permit_key(state_dir).thumbprint()


def _public(key: OKPKey) -> Jwk:
    """RFC 7517's public form, with what the key is for."""
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": "EdDSA"}


def _retired(state_dir: Path) -> list[dict[str, Any]]:
    path = state_dir / RETIRED
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
        return [line for line in lines if datetime.fromisoformat(line["at"]).tzinfo and line["jwk"]["kid"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise KeyFileError(f"{path} cannot be read as retired keys; delete it, or put the right file back.") from None
