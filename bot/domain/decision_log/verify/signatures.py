"""Judges signed decisions again: that every yes which had to be signed is, and that each signature proves what its entry says.

A yes under a runbook that demands a signature (at the filing, at the yes, or in a set that still bound the request) without
one is a finding `unsigned`, whatever set its entry names; so is a grant without any yes, unless the runbook opens by itself. A signed one is a finding `assertion` unless all of this holds: the set that it names is the newest one
loaded; the key is in it under the actor, and in every set that bound the request at its filing; the assertion verifies (challenge,
origin, relying party, presence, verification, the backup-eligible flag, `device_bound`, signature); the statement says what the
entry says; its nonce was not used before; `asked` and `seen` are entries of the case, nothing that the signer should have read came
after `seen`; the key's sign count went up; and at the quorum each earlier yes still holds. A signature whose disclosure is gone
counts as `unproven`, never as unsigned: a disclosure that vanished without an erasure is a finding of its own.

What the owner of the host can still do, with database, keys and token: drop entries nobody has seen yet (an anchor shows it); write
a yes and erase its signature in the same breath, which shows as `unproven` beside a `privacy.erased` that two people have to have
confirmed; show one thing and have another signed; wait `unendorsed_delay` for a key that everybody was paged about.
Source: signed-decisions.md, "The log" and "Stated limits".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bot.domain.authority.key_changes import passkeys_of, stands_in_all
from bot.domain.decision_log.entry_reader import read_moment
from bot.domain.decision_log.verify.key_history import KeyHistory
from bot.domain.decision_log.verify.log import Code, LogFinding
from bot.domain.decision_log.verify.policy_delay import DelayCheck
from bot.domain.decision_log.verify.signed_case import GRANTS, SignedCase, end_of, position
from bot.domain.decision_log.verify.signed_entry import (
    Signed,
    decision_faults,
    is_yes,
    part,
    read_signed,
    statement_faults,
    verified,
)
from bot.domain.policy.model import Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Passkey, Signature
from bot.domain.signing.assertion import CheckSignature, NotVerified

_STRICT: tuple[Signature, ...] = ("none", "required", "device_bound")
Fault = tuple[Code, str]


@dataclass(slots=True)
class SignatureCheck:
    """Feed it the entries in order, each after `delay` has had it.

    `sets` and `people` as for `decisions.Rejudge`; `signatures` are the values of the disclosures named `signature`, by index;
    `hidden` says how many digests of an entry nothing discloses; `check` verifies a signature under a key. `unproven` counts signed
    entries whose signature is gone, or whose signer's name is.
    """

    sets: Callable[[str], Policy | None]
    people: Mapping[str, str]
    delay: DelayCheck
    signatures: Mapping[int, str]
    hidden: Callable[[int, Mapping[str, object]], int]
    check: CheckSignature
    unproven: int = 0
    history: KeyHistory = field(init=False)
    _cases: dict[str, SignedCase] = field(default_factory=dict)
    _nonces: set[str] = field(default_factory=set)
    _counts: dict[str, int] = field(default_factory=dict)  # sign count by credential id

    def __post_init__(self) -> None:
        self.history = KeyHistory(self.sets)

    def findings(self, idx: int, entry: Mapping[str, object]) -> Iterator[LogFinding]:
        """What the signatures say against one entry."""
        kind, case_id = str(entry.get("type")), entry.get("case")
        case = self._followed(entry, str(case_id)) if case_id is not None else None
        name = f"{case_id}: " if case_id is not None else ""
        if kind == "policy.loaded":
            self.history.loaded(idx, entry, self.delay.binding_now(read_moment(entry.get("ts"))))
        for code, text in self._judged(idx, entry, case):
            yield LogFinding(code, idx, f"{name}{text}.")
        if case is not None:
            case.passed(entry)

    def end(self, root: str | None = None) -> Iterator[LogFinding]:
        """What is still unendorsed; and whether `root` is the first set with keys, where it is given."""
        yield from self.history.findings(root)

    def _judged(self, idx: int, entry: Mapping[str, object], case: SignedCase | None) -> Iterator[Fault]:
        kind, data = str(entry.get("type")), part(entry, "data")
        policy = self.sets(str(part(entry, "policy").get("sha256", "")))
        if policy is None:
            return  # `decisions.Rejudge` names a set that is missing
        if kind == "policy.endorsed":
            yield from self._endorsed(idx, entry, policy)
        elif case is not None and is_yes(entry):
            demand = self._demand(case, policy)
            if data.get("signed") is True:
                yield from self._decision(idx, entry, policy, case, demand)
            elif demand != "none":
                yield "unsigned", f"{kind} without a signature, which the runbook {case.runbook} demands"
        elif kind == "operator.confirmed" and policy.signing is not None and policy.signing.operator_acts == "required":
            yield from self._confirmed(idx, entry, policy)
        elif case is not None and kind == "breakglass.opened":
            case.glass = all(book.break_glass is not None for book in self._books(case, policy))
        elif case is not None and kind in GRANTS:
            yield from self._quorum(entry, policy, case)
            case.yeses.clear()
        elif case is not None and kind == "exception.opened" and end_of(data) != case.end != "":
            yield "assertion", f"an exception until {end_of(data)}, whose grant ends at {case.end}"

    def _followed(self, entry: Mapping[str, object], case_id: str) -> SignedCase | None:
        """The case, with this entry's predecessor in it."""
        at, case = read_moment(entry.get("ts")), self._cases.get(case_id)
        if case is None and at is not None:
            runbook = str(part(entry, "runbook").get("id", ""))
            policy = self.sets(str(part(entry, "policy").get("sha256", "")))
            before = max(position(entry) - 1, 0)
            case = self._cases[case_id] = SignedCase(at, self.delay.scale_of(case_id), runbook, "none", before)
            case.demand = self._demand(case, policy) if policy is not None else "none"
        if case is not None:
            case.follow(entry)
        return case

    def _demand(self, case: SignedCase, policy: Policy) -> Signature:
        """The strictest value of the filing's set, that of the moment, and those that still bound the filing."""
        known = self._books(case, policy, *self.delay.binding(case.at, case.scale))
        return max((case.demand, *(runbook.signature for runbook in known)), key=_STRICT.index)

    def _books(self, case: SignedCase, *sets: Policy) -> list[Runbook]:
        """The case's runbook as these sets have it, and as the set in force has it: an entry could name another."""
        known = (was.runbooks.get(case.runbook) for was in (*sets, *self.history.in_force))
        return [runbook for runbook in known if runbook is not None]

    def _decision(
        self, idx: int, entry: Mapping[str, object], policy: Policy, case: SignedCase, demand: Signature
    ) -> Iterator[Fault]:
        signed = self._shown(idx, entry)
        case.vote(entry, signed.credential if isinstance(signed, Signed) else "")
        if not isinstance(signed, Signed):
            yield from _said(signed)
            return
        older = self.delay.binding(case.at, case.scale)
        texts = (
            *statement_faults(entry, signed, "decision"), *decision_faults(entry, signed.statement),
            *self._proven(entry, signed, policy, demand, older), *case.unread(signed.statement),
        )  # fmt: skip
        yield from (("assertion", f"{entry.get('type')}: {text}") for text in texts)

    def _endorsed(self, idx: int, entry: Mapping[str, object], policy: Policy) -> Iterator[Fault]:
        signed = self._shown(idx, entry)
        if not isinstance(signed, Signed):
            yield from _said(signed)
            return
        about, person = signed.statement.about, self._person(entry) or _holder(policy, signed.credential)
        change = self.history.change(str(about.get("from")), str(about.get("to")))
        texts = [
            *statement_faults(entry, signed, "policy"),
            *self._proven(entry, signed, policy, "none", change.binding if change is not None else ()),
        ]
        data = part(entry, "data")
        if (about.get("from"), about.get("to")) != (data.get("from"), data.get("to")):
            texts.append("the statement endorses another change than the entry says")
        if change is None or person is None or not change.endorsable(person):
            texts.append("whoever signed may not endorse this change, or there is no such change")
        elif not texts and change.endorse(person):
            self.delay.endorsed(str(about["from"]), str(about["to"]), read_moment(entry.get("ts")))
        yield from (("assertion", f"policy.endorsed: {text}") for text in texts)

    def _confirmed(self, idx: int, entry: Mapping[str, object], policy: Policy) -> Iterator[Fault]:
        data = part(entry, "data")
        if data.get("signed") is not True:
            yield "unsigned", f"{data.get('id')} was confirmed without a signature, which `operator_acts` demands"
            return
        signed = self._shown(idx, entry)
        if not isinstance(signed, Signed):
            yield from _said(signed)
            return
        texts = [*statement_faults(entry, signed, "confirm"), *self._proven(entry, signed, policy, "none", ())]
        if signed.statement.about.get("act") != data.get("id"):
            texts.append("the statement confirms another act")
        yield from (("assertion", f"operator.confirmed: {text}") for text in texts)

    def _shown(self, idx: int, entry: Mapping[str, object]) -> Signed | str:
        """The signature of an entry, what is wrong with it, or "" where it was erased."""
        value = self.signatures.get(idx)
        if value is not None:
            return read_signed(value)
        if self.hidden(idx, entry) < 1:
            return "it says that it is signed, and has no signature"
        self.unproven += 1
        return ""

    def _proven(
        self, entry: Mapping[str, object], signed: Signed, policy: Policy, demand: Signature, older: tuple[Policy, ...]
    ) -> Iterator[str]:
        """The findings against key and assertion."""
        if not self.history.is_newest(str(part(entry, "policy").get("sha256"))):
            yield "the set that it names is not the newest one that was loaded before"
        if signed.statement.nonce in self._nonces:
            yield "its statement was used before"
        self._nonces.add(signed.statement.nonce)
        person = self._person(entry) or _holder(policy, signed.credential)
        if self._person(entry) is None:
            self.unproven += 1
        key = _key(policy, person, signed.credential)
        if person is None or key is None:
            yield "the key is not in the policy under the person who decided"
            return
        if not stands_in_all(older, person, key):
            yield "the key is not in a set that still bound it, so it did not count yet"
        if signed.statement.rp != key.rp:
            yield "the statement names another relying party than the key"
        outcome = verified(signed, key, policy, demand, self.check)
        if isinstance(outcome, NotVerified):
            yield outcome.sentence.rstrip(".")
            return
        last = self._counts.get(signed.credential, 0)
        if (last or outcome.sign_count) and outcome.sign_count <= last:
            yield f"the key's sign count went back from {last} to {outcome.sign_count}: it may have been copied"
        self._counts[signed.credential] = max(last, outcome.sign_count)

    def _quorum(self, entry: Mapping[str, object], policy: Policy, case: SignedCase) -> Iterator[Fault]:
        """Whether enough of the approvals of a grant are by keys that still count, and it lasts no longer than signed."""
        books = self._books(case, policy)
        if not books or self._demand(case, policy) == "none":
            return
        runbook = books[0]
        if not case.yeses:
            free = case.glass or case.before or all(book.right == "autonomous" for book in books)
            if entry.get("type") != "grant.opened" or not free:
                yield "unsigned", f"{entry.get('type')} without a yes, which must be signed"
            return
        holding = [yes for ref, yes in case.yeses.items() if not self._lost(policy, ref, yes.credential)]
        if len(holding) < min(len(case.yeses), runbook.approvals):
            yield "assertion", "a grant on a yes whose key had been removed from the policy"
            return
        yield from (("assertion", text) for text in case.too_long(entry, holding))

    def _lost(self, policy: Policy, ref: str, credential: str) -> bool:
        person = self._resolved(ref) or _holder(policy, credential)
        return bool(credential) and _key(policy, person, credential) is None

    def _person(self, entry: Mapping[str, object]) -> Person | None:
        return self._resolved(str(part(entry, "actor").get("ref")))

    def _resolved(self, ref: str) -> Person | None:
        told = self.people.get(ref)
        try:
            return Person.parse(told) if told else None
        except ValueError:
            return None


def _said(text: str) -> Iterator[Fault]:
    if text:
        yield "assertion", text.rstrip(".")


def _key(policy: Policy, person: Person | None, credential: str) -> Passkey | None:
    keys = passkeys_of(policy, person) if person is not None else ()
    return next((key for key in keys if key.id == credential), None)


def _holder(policy: Policy, credential: str) -> Person | None:
    """Whose a credential is, where the entry's own name was erased."""
    found = (named.person for named in policy.people if any(key.id == credential for key in named.passkeys))
    return next(found, None)
