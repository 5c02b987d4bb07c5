"""The permit: what the requester's tool shows to the system that lets them in. Its claims, and who accepts them; pure.

It is given only under an open grant, to the requester or to somebody on the host, while the requester may still ask for
their provider, never for longer than five minutes of real time nor beyond the grant. It says in which entry of the log it is (`tlog`); whoever demands that proof lets nobody
in whom the log does not know. It is an authorisation and no credential: the system has authenticated `sub` itself.
Source: decision-log.md, "Permit"; RFC 7519, RFC 9396.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.model import Case
from bot.domain.case.transition import Actor, Transition, epoch_ms
from bot.domain.decision_log import grant_events
from bot.domain.decision_log.entry import stamp
from bot.domain.decision_log.inclusion_proof import proven_root
from bot.domain.decision_log.merkle_tree import leaf_hash
from bot.domain.decision_log.signed_note import Checkpoint
from bot.domain.decision_log.tlog_proof import TlogProof
from bot.domain.policy.model import Policy
from bot.domain.workflow.grant_end import open_grant

TYPE, DETAIL = "countersign-permit+jwt", "urn:countersign:runbook:v1"
LIFE = timedelta(minutes=5)  # the blind window after a revoke; TIME_SCALE does not divide it
SKEW = timedelta(seconds=60)  # how far the issuer's clock may be ahead of the verifier's
Claims = Mapping[str, object]
DOUBTED = Rejected(
    Refusal.STALE,
    "plain",
    {"text": "The clock of the bot's machine jumped, so no permit is given until an operator has confirmed it."},
)


LEFT = "The policy no longer names the requester for this provider, so no permit is given. Somebody of the domain revokes."


@dataclass(frozen=True, slots=True)
class Issue:
    """A permit about to be written down. `issued` and `expires` are whole seconds since 1970, rounded down."""

    jti: str
    audience: str
    issued: int
    expires: int


@dataclass(frozen=True, slots=True)
class Logged:
    """The position of `permit.issued`, and what else of the log the permit names.

    `target` is the digest of the request's target; `approvals` are index and pseudonym of each approving click;
    `signed` the indexes of those that a passkey signed.
    """

    origin: str
    index: int
    leaf: bytes
    target: str
    approvals: tuple[tuple[int, str], ...]
    signed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a verifier demands; `runbook` None accepts any of that audience."""

    audience: str
    runbook: str | None = None


def may_have(case: Case, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """Why this person gets no permit now; None if they do."""
    if not policy.humans.same(click.person, case.request.requester):
        text = f"Only the requester can get the permit. Write to {policy.contact} if that is wrong."
        return Rejected(Refusal.UNAUTHORISED, "plain", {"text": text})
    grant = open_grant(case, now)
    return grant if isinstance(grant, Rejected) else None


def issue(case: Case, policy: Policy, who: Actor, jti: str, now: datetime) -> tuple[Issue, Transition] | Rejected:
    """A permit and the act that writes it down, if the grant is open for at least the next whole second."""
    grant = open_grant(case, now)
    if isinstance(grant, Rejected):
        return grant
    if not is_theirs(case, policy):
        return Rejected(Refusal.STALE, "plain", {"text": LEFT})
    expires = _seconds(min(now + LIFE, grant.not_after))
    if expires <= now.timestamp():
        return Rejected(Refusal.LATE, "over", {"at": epoch_ms(grant.not_after)})
    made = Issue(jti, audience(case, policy), _seconds(now), expires)
    draft = grant_events.permit_issued(case, policy, who, jti, made.audience, datetime.fromtimestamp(expires, UTC))
    return made, Transition(case, None, (draft,), valid_before=grant.not_after)


def is_theirs(case: Case, policy: Policy) -> bool:
    """Whether the policy still names the requester for their provider."""
    provider = policy.providers.get(case.request.provider)
    return provider is not None and provider.may_ask(case.request.requester)


def audience(case: Case, policy: Policy) -> str:
    """The system that accepts it, from the runbook at the filing."""
    runbook = policy.runbooks.get(case.request.runbook)
    return case.request.terms.audience or (runbook.audience if runbook else "") or case.request.runbook


def claims(case: Case, made: Issue, logged: Logged) -> dict[str, object]:
    """What is signed."""
    request, grant = case.request, case.grant
    assert grant is not None
    detail = {
        "type": DETAIL, "runbook": {"id": request.runbook, "sha256": request.runbook_sha256}, "target": logged.target,
        "max_seconds": grant.seconds, "approvals": [_approval(i, ref, signed=i in logged.signed) for i, ref in logged.approvals],
    }  # fmt: skip
    return {
        "iss": logged.origin, "sub": str(request.requester), "aud": made.audience, "iat": made.issued, "exp": made.expires,
        "jti": made.jti, "txn": request.id, "basis": basis(case), "authorization_details": [detail],
        "tlog": {"origin": logged.origin, "index": logged.index, "leaf": logged.leaf.hex()},
    }  # fmt: skip


def _approval(index: int, ref: str, *, signed: bool) -> dict[str, object]:
    return {"index": index, "ref": ref, **({"signed": True} if signed else {})}


def basis(case: Case) -> str:
    """What the grant rests on: `approval`, `break_glass` or `autonomous`."""
    if case.request.right == "autonomous":
        return "autonomous"
    return "break_glass" if case.break_glass else "approval"


def refusal(found: Claims, wanted: Wanted, now: datetime) -> str | None:
    """Why a permit whose signature holds is refused; None if it is not. What is missing or malformed is refused."""
    issued, expires = found.get("iat"), found.get("exp")
    if type(issued) is not int or type(expires) is not int:
        return "It does not say from when to when it holds."
    if now.timestamp() >= expires:
        return f"It expired at {stamp(datetime.fromtimestamp(expires, UTC))}."
    if issued > (now + SKEW).timestamp():
        return "It is from the future: one of the two clocks is wrong."
    if expires - issued > LIFE.total_seconds():
        return "It claims to hold longer than any permit does."
    if found.get("aud") != wanted.audience:
        return f"It is for {found.get('aud')!r}, not for {wanted.audience!r}."
    return _wrong_detail(found, wanted) or _unnamed(found)


def unproven(found: Claims, proof: TlogProof, checkpoint: Checkpoint) -> str | None:
    """Why a proof does not show that this permit is in the log; None if it does. The note's signature is checked
    before: `checkpoint` is what it signed."""
    data = proof.extra or b""
    leaf, named = leaf_hash(data), found.get("tlog")
    told = {"origin": checkpoint.origin, "index": proof.index, "leaf": leaf.hex()}
    if named != told or found.get("iss") != checkpoint.origin:
        return "The proof is of another entry than the permit names."
    if proven_root(proof.index, checkpoint.size, leaf, proof.path) != checkpoint.root:
        return "The proof does not lead from the entry to the checkpoint's root."
    return None if _tells(data, found) else "The entry does not tell of this permit."


def _wrong_detail(found: Claims, wanted: Wanted) -> str | None:
    details = found.get("authorization_details")
    detail = details[0] if isinstance(details, list) and len(details) == 1 else None
    runbook = detail.get("runbook") if isinstance(detail, dict) and detail.get("type") == DETAIL else None
    if not isinstance(runbook, dict) or not isinstance(runbook.get("id"), str):
        return "It does not say what it authorises."
    if wanted.runbook is not None and runbook["id"] != wanted.runbook:
        return f"It is for the runbook {runbook['id']!r}, not for {wanted.runbook!r}."
    return None


def _unnamed(found: Claims) -> str | None:
    named: Sequence[object] = [found.get(name) for name in ("iss", "sub", "jti", "txn")]
    return None if all(isinstance(value, str) and value for value in named) else "It does not name who may do what."


def _tells(data: bytes, found: Claims) -> bool:
    """Whether the entry's bytes are the `permit.issued` of these claims."""
    try:
        entry = json.loads(data)
    except ValueError:
        return False
    if not isinstance(entry, dict) or entry.get("type") != "permit.issued" or entry.get("case") != found.get("txn"):
        return False
    expires = found.get("exp")
    assert type(expires) is int
    told = {"jti": found.get("jti"), "aud": found.get("aud"), "exp": stamp(datetime.fromtimestamp(expires, UTC))}
    return entry.get("data") == told and entry.get("log") == found.get("iss") and _same_runbook(entry, found)


def _same_runbook(entry: Mapping[str, object], found: Claims) -> bool:
    details = found.get("authorization_details")
    return isinstance(details, list) and entry.get("runbook") == details[0].get("runbook")


def _seconds(at: datetime) -> int:
    return int(at.timestamp() // 1)
