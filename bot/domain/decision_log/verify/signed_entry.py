"""One signed entry: its disclosure `signature`, and whether its statement agrees with the entry.

The entry has `signed: true` and `statement`, the SHA-256 of the statement's bytes; the disclosure is the JSON object of
`credential`, `statement`, `authenticator_data`, `client_data` and `signature`, each base64url. Source: signed-decisions.md, "The log".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.decision_log.entry_reader import read_moment
from bot.domain.errors import EntryError
from bot.domain.policy.model import Policy
from bot.domain.policy.signing import Passkey, Signature
from bot.domain.signing.assertion import (
    Assertion,
    CheckSignature,
    ExpectedKey,
    NotVerified,
    Verified,
    from_base64url,
    verify_assertion,
)
from bot.domain.signing.statement import LIFETIME, Statement, StatementType, challenge, read_statement

SIGNATURE = "signature"  # the name of the disclosure
VERDICTS: Mapping[str, frozenset[str]] = {
    "request.approved": frozenset({"approve"}),
    "breakglass.ratified": frozenset({"ratify"}),
    "authority.restored": frozenset({"restore"}),
    "right.kept": frozenset({"keep"}),
}
"""The entries that are a yes, and what their statement decides; the yes to more time is `extend` or `renew`."""
_LONGER = frozenset({"extend", "renew"})
_MOMENT = timedelta(seconds=5)  # an entry is logged a moment after its act


@dataclass(frozen=True, slots=True)
class Signed:
    """What a disclosure shows: the credential id in base64url, the statement and its bytes, and the assertion over them."""

    credential: str
    data: bytes
    statement: Statement
    assertion: Assertion

    @property
    def digest(self) -> str:
        return challenge(self.data).hex()


def read_signed(value: str) -> Signed | str:
    """The signature in a disclosure's value, or what is wrong with its form."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return "its signature is no JSON"
    names = ("credential", "statement", "authenticator_data", "client_data", "signature")
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in names):
        return "its signature lacks a part"
    try:
        credential, data, *rest = (from_base64url(found[name]) for name in names)
        return Signed(found["credential"], data, read_statement(data), Assertion(credential, *rest))
    except ValueError:
        return "a part of its signature is not base64url"
    except EntryError as error:
        return str(error)


def is_yes(entry: Mapping[str, object]) -> bool:
    """Whether the entry is a yes, of those that a runbook may want signed; only a person's can be signed."""
    return entry.get("type") in VERDICTS


def statement_faults(entry: Mapping[str, object], signed: Signed, type_: StatementType) -> Iterator[str]:
    """Where the statement differs from the entry; about the decision itself see `decision_faults`."""
    statement, data = signed.statement, part(entry, "data")
    if signed.digest != data.get("statement"):
        yield "the statement that is disclosed is not the one whose digest the entry has"
    if statement.type != type_:
        yield f"the statement is of the type {statement.type}, not {type_}"
    if statement.log != entry.get("log"):
        yield "the statement was signed for another log"
    if statement.signer != part(entry, "actor").get("ref") and (statement.signer or type_ == "decision"):
        yield "the statement is of another person than the entry"  # "": the log had no pseudonym of them yet; their key says who
    at = read_moment(entry.get("ts"))
    if at is None or not at - _MOMENT < statement.not_after <= at + LIFETIME + _MOMENT:
        yield f"the statement was valid until {statement.not_after.isoformat()}, which is not within five minutes of the entry"


def decision_faults(entry: Mapping[str, object], statement: Statement) -> Iterator[str]:
    """Where a statement of the type `decision` decides something else than the entry."""
    about, data = statement.about, part(entry, "data")
    kind = str(entry.get("type"))
    verdicts = _LONGER if data.get("extends") is True else VERDICTS.get(kind, frozenset())
    if about.get("verdict") not in verdicts:
        yield f"the statement says {about.get('verdict')!r}"
    said = {
        "case": entry.get("case"), "policy": part(entry, "policy").get("sha256"),
        "runbook": part(entry, "runbook").get("sha256"), "on_behalf_of": entry.get("on_behalf_of"),
    }  # fmt: skip
    limits = ("until",) if "until" in about else ("seconds",)
    must = (*limits, "need", "role") if kind == "request.approved" else ()
    said |= {name: data.get(name) for name in ("seconds", "until", "need", "role") if name in must or name in data}
    if "until" in about:  # a date decides; the seconds follow from it
        said.pop("seconds", None)
    for name, value in said.items():
        if about.get(name) != value and not (kind != "request.approved" and name not in about and name in data):
            yield f"the statement says {name} {about.get(name)!r}, the entry {value!r}"


def verified(
    signed: Signed, key: Passkey, policy: Policy, demand: Signature, check: CheckSignature
) -> Verified | NotVerified:
    """Judges the assertion over the statement's bytes with a key of the policy."""
    origins = policy.signing.origins_of(key.rp) if policy.signing is not None else frozenset[str]()
    expected = ExpectedKey(key.spki, key.rp, key.synced)
    bound = demand == "device_bound"
    return verify_assertion(signed.assertion, challenge(signed.data), expected, origins, check, device_bound=bound)


def part(entry: Mapping[str, object], key: str) -> Mapping[str, object]:
    """An object within an entry; empty where there is none."""
    found = entry.get(key)
    return found if isinstance(found, dict) else {}
