"""Whether a signed answer to a question counts: its statement, the person of the key that signed it, and what happened in between.

A statement is handed out by the page, for one person and one version of one question, and is used once. It counts if the
same bytes come back within five minutes of real time with an assertion of a key that the policy names for that person, in the set
in force and in every earlier one that still binds, and if nothing was answered, attested, recommended or changed in the policy since
it was shown. Whether the answer counts otherwise is judged as ever (`workflow.asks.engine`).
Source: signed-decisions.md, "The statement" and "The page".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.authority.key_changes import stands_in_all
from bot.domain.authority.signatures import holder
from bot.domain.case.ask import AskKind
from bot.domain.case.click import Proof, Refusal, Rejected
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Passkey, Signature
from bot.domain.signing.assertion import (
    Assertion,
    CheckSignature,
    ExpectedKey,
    NotVerified,
    Verified,
    to_base64url,
    verify_assertion,
)
from bot.domain.signing.statement import Statement, challenge


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that can be signed: its verdict in the statement, and the action that it carries out."""

    verdict: str
    action: str
    yes: bool = True


CHOICES: Mapping[AskKind, tuple[Choice, ...]] = {
    "approval": (Choice("approve", "approve"), Choice("deny", "deny", yes=False)),
    "extension": (Choice("extend", "approve"), Choice("deny", "deny", yes=False)),
    "renewal": (Choice("renew", "approve"), Choice("deny", "deny", yes=False)),
    "ratification": (Choice("ratify", "ratify"), Choice("deny", "reject", yes=False)),
    "restore": (Choice("restore", "restore"),),
    "right": (Choice("keep", "keep"), Choice("deny", "withdraw_right", yes=False)),
}
OPENED_BY: Mapping[AskKind, str] = {
    "extension": "extension.asked", "renewal": "renewal.asked", "ratification": "breakglass.opened", "right": "review.due",
}  # fmt: skip
"""The entry that opened the question, by its type; of every other kind it is the first of the case."""
NEWS = frozenset({
    "request.answered", "request.recommended", "request.withdrawn", "subject.verified", "evidence.added", "rotation.attested",
})  # fmt: skip
"""Entries that nobody may have missed who signs."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A statement as it was handed out. `used_by`: the key of the inbox row that used it; "" before."""

    person: Person
    case: str
    version: int
    data: bytes
    not_after: datetime
    used_by: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What a signed answer is judged on besides the policy. `since`: types of the case's entries since the statement was shown;
    `count`: the newest sign count of the key, 0 where it has none; `key`: of the inbox row that brings the answer."""

    issued: Issued | None
    since: Collection[str]
    count: int
    key: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page sent: the statement's bytes, the credential id in base64url, and the browser's assertion."""

    person: Person
    case: str
    version: int
    data: bytes
    credential: str
    assertion: Assertion


@dataclass(frozen=True, slots=True)
class Counts:
    """The signature holds. `statement` is what was signed; `count` the key's sign count."""

    proof: Proof
    statement: Statement
    count: int


def judge(
    answer: Answer, known: Known, statement: Statement | None, policy: Policy, older: Sequence[Policy], demand: Signature,
    check: CheckSignature,
) -> Counts | Rejected:  # fmt: skip
    """Whether the answer is signed as it must be. `statement` is read from its bytes; None where they are none."""
    issued = known.issued
    about = (answer.person, answer.case, answer.version)
    if (
        statement is None
        or issued is None
        or issued.data != answer.data
        or about != (issued.person, issued.case, issued.version)
    ):
        return _no(Refusal.STALE, "This page does not know the statement. Reload it and sign again.")
    if issued.used_by not in ("", known.key):
        return _no(
            Refusal.LOST, "This was signed already, and one statement counts once. Reload the page to see what came of it."
        )
    key = _key(answer, policy, older, demand)
    if isinstance(key, Rejected):
        return key
    verified = _verified(answer, policy, key, demand, check)
    if isinstance(verified, NotVerified):
        return _no(Refusal.UNAUTHORISED, verified.sentence)
    if (known.count or verified.sign_count) and verified.sign_count <= known.count:
        text = "The passkey's counter went back: somebody may have copied it. Tell your security team, and have the key removed."
        return Rejected(Refusal.UNAUTHORISED, "plain", {"text": text, "alarm": True})
    if known.now >= issued.not_after:
        return _no(Refusal.LATE, "More than five minutes have passed since this was shown. Read it again and sign again.")
    of_now = statement.type == "policy" or statement.about.get("policy") == policy.digest  # an endorsement names two sets
    if not of_now or NEWS & set(known.since):
        return _no(Refusal.STALE, "Something new came; read again.")
    return Counts(_proof(answer, statement), statement, verified.sign_count)


def proven_by(answer: Answer, policy: Policy, check: CheckSignature) -> Person | None:
    """Who signed, whatever it is worth; None where no key of the policy did."""
    found = holder(policy, answer.credential)
    if found is None:
        return None
    made = answer.assertion
    return (
        found[0].person
        if check(found[1].spki, made.authenticator_data + challenge(made.client_data), made.signature)
        else None
    )


def _key(answer: Answer, policy: Policy, older: Sequence[Policy], demand: Signature) -> Passkey | Rejected:
    """The key that must have signed."""
    found, signing = holder(policy, answer.credential), policy.signing
    if found is None or signing is None:
        text = f"This passkey is not in the policy, so it counts for nothing. Write to {policy.contact} if it should."
        return _no(Refusal.UNAUTHORISED, text)
    named, key = found
    if policy.provider_of(named.person) is not None:
        return _no(
            Refusal.PARTY,
            f"This passkey belongs to a provider's person, and a provider never decides. Write to {policy.contact}.",
        )
    if not policy.humans.same(named.person, answer.person):
        text = "This link was made for somebody else, and your passkey does not count here. Open your own message from Countersign."
        return _no(Refusal.UNAUTHORISED, text)
    if key.rp != signing.rp_id:
        return _no(Refusal.UNAUTHORISED, "The passkey was made for an earlier address. Enrol one for this address.")
    if demand == "device_bound" and key.synced:
        return _no(Refusal.UNAUTHORISED, "This request needs a key that cannot be synced, such as a security key.")
    if not stands_in_all(older, answer.person, key):
        text = "This passkey was added lately, and does not count yet for what was asked for before that. Sign with an earlier one."
        return _no(Refusal.UNAUTHORISED, text)
    return key


def _verified(
    answer: Answer, policy: Policy, key: Passkey, demand: Signature, check: CheckSignature
) -> Verified | NotVerified:
    assert policy.signing is not None
    expected = ExpectedKey(key.spki, key.rp, key.synced)
    return verify_assertion(
        answer.assertion, challenge(answer.data), expected, {policy.signing.origin}, check,
        device_bound=demand == "device_bound",
    )  # fmt: skip


def _proof(answer: Answer, statement: Statement) -> Proof:
    made = answer.assertion
    disclosure = {
        "credential": answer.credential, "statement": to_base64url(answer.data),
        "authenticator_data": to_base64url(made.authenticator_data), "client_data": to_base64url(made.client_data),
        "signature": to_base64url(made.signature),
    }  # fmt: skip
    return Proof(answer.credential, challenge(answer.data).hex(), disclosure, str(statement.about.get("until", "")))


def _no(why: Refusal, text: str) -> Rejected:
    return Rejected(why, "plain", {"text": text})
