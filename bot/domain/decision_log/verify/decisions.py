"""Judges the log's decisions again, years later and elsewhere, by the policy files that they name.

Each yes, no and ratification was made by somebody of the organisation (`party`): of no provider, in a home workspace, under the set
in force at the click. They were named for the request's domain under that set, in the role the entry claims, and were
neither the requester nor the subject (`policy`), and no yes came before every method of `subject_verification` was attested.
Whose authority was suspended decides nothing in that domain until it is restored, and a right that was withdrawn opens
nothing under the same file; nor does anything of a provider while it is suspended in the domain, or once it was ended
before the contract that the policy names began. A grant that waited for its `not_before` opened no earlier. The runbook is the one of the filing's set, byte for byte, and a grant opened only on as many
yeses of distinct humans as it demands, the required roles among them, counted again under the set of that moment.
A finding is acknowledged and closed by people of its domain only. Whether somebody had been *reached* is known from the log alone. A pseudonym whose disclosure was erased is judged by what its
entry claims; such entries are counted in `unproven`.
Source: design, sections 1, 3 and rule 1; decision-log.md, codes `policy` and `party`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.domain.authority.authorization import named_for, named_roles
from bot.domain.authority.quorum import cover
from bot.domain.decision_log.entry_reader import read_moment
from bot.domain.decision_log.verify import matrix
from bot.domain.decision_log.verify.log import Code, LogFinding
from bot.domain.decision_log.verify.narrowed_rights import NarrowedRights
from bot.domain.decision_log.verify.operator_actions import OperatorActs
from bot.domain.policy.model import Policy, Role, Runbook
from bot.domain.policy.people import Person

_YES = "request.approved"
_DECISIONS = frozenset(
    {
        _YES,
        "request.denied",
        "breakglass.ratified",
        "breakglass.rejected",
        "authority.restored",
        "provider.resumed",
        "right.kept",
        "right.withdrawn",
    }
)
_GIVES = frozenset({_YES, "breakglass.ratified", "authority.restored", "provider.resumed", "right.kept"})
_OF_HOME = frozenset({"finding.acknowledged", "finding.closed", "finding.shared"})  # people of the domain only
_TAKES_AWAY = frozenset({"request.denied", "breakglass.rejected", "right.withdrawn"})  # no suspension hinders these
_NOBODY_FILED = frozenset({"authority.suspended", "provider.suspended", "right.begun"})
_GRANTS = frozenset({"grant.opened", "grant.extended", "exception.renewed"})
_MOMENT = timedelta(seconds=5)  # between an act and its entry
_OPENINGS = frozenset({"grant.opened", "grant.extended", "exception.renewed", "breakglass.opened"})
Fault = tuple[Code, str]


@dataclass(slots=True)
class _Filed:
    """What a case was filed as, and the yeses since: pseudonyms, with the roles that the policy gave them then."""

    requester: str
    runbook_sha256: str
    runbook: Runbook | None
    domain: str
    yeses: list[str] = field(default_factory=list)
    opened_without: bool = False
    provider: str = ""
    subject: str = ""
    verified: set[str] = field(default_factory=set)
    not_before: str = ""  # what a met quorum waits for, by its entry


@dataclass(slots=True)
class Rejudge:
    """Feed it the entries in order. `sets` gives the policy of a digest or None; `people` gives `TEAM/USER` by pseudonym."""

    sets: Callable[[str], Policy | None]
    people: Mapping[str, str]
    unproven: int = 0
    operator: OperatorActs = field(init=False)
    reviews: NarrowedRights = field(init=False)
    _cases: dict[str, _Filed] = field(default_factory=dict)
    _missing: set[str] = field(default_factory=set)
    _suspended: set[tuple[str, str]] = field(default_factory=set)  # domain, and the pseudonym of who decides nothing there
    _withdrawn: set[str] = field(default_factory=set)  # SHA-256 of the runbooks whose right was withdrawn
    _barred: set[tuple[str, str]] = field(default_factory=set)  # provider and domain, while it is suspended there
    _ended: dict[str, str] = field(default_factory=dict)  # the day on which a provider was ended

    def __post_init__(self) -> None:
        self.operator = OperatorActs(self.people)
        self.reviews = NarrowedRights(self.people)

    def findings(self, idx: int, entry: Mapping[str, object]) -> Iterator[LogFinding]:
        """The findings of policy against one entry."""
        named = _part(entry, "policy")
        digest = str(named.get("sha256", ""))
        if not digest:
            return
        policy = self.sets(digest)
        if policy is None:
            if digest not in self._missing:
                self._missing.add(digest)
                yield LogFinding("policy", idx, f"The policy set {digest[:12]}… is missing, altered or unreadable.")
            return
        policy = self._on_its_day(policy, entry)
        for code, text in self.operator.faults(entry, policy):
            yield LogFinding(code, idx, text)
        for code, text in self.reviews.faults(entry, policy):
            yield LogFinding(code, idx, text)
        for code, text in self._judged(entry, policy):
            yield LogFinding(code, idx, f"{entry.get('case')}: {text}")

    def _on_its_day(self, policy: Policy, entry: Mapping[str, object]) -> Policy:
        """The set with the owners of the day on which the entry was made. An entry is logged a moment after its act,
        so within that moment after midnight the previous day's owner still acts."""
        at = read_moment(entry.get("ts"))
        if at is None:
            return policy
        before = policy.on((at - _MOMENT).date())
        actor = self.people.get(str(_part(entry, "actor").get("ref", "")), "")
        owned = any(str(domain.owner) == actor for domain in before.domains.values())
        return before if owned else policy.on(at.date())

    def _judged(self, entry: Mapping[str, object], policy: Policy) -> Iterator[Fault]:
        kind, case = str(entry.get("type")), str(entry.get("case"))
        if kind == "request.filed":
            yield from self._filed(entry, policy, case)
        if kind in _NOBODY_FILED or kind == "finding.filed":
            self._began(entry, case)
        yield from self._beside_cases(kind, entry, policy)
        filed = self._cases.get(case)
        if filed is not None:
            yield from self._in_case(kind, entry, policy, filed)

    def _beside_cases(self, kind: str, entry: Mapping[str, object], policy: Policy) -> Iterator[Fault]:
        if kind == "provider.ended":
            self._ended[str(_part(entry, "data").get("provider"))] = str(entry.get("ts"))[:10]
        if kind == "matrix.confirmed":
            person = self._person(str(_part(entry, "actor").get("ref")))
            self.unproven += person is None
            yield from matrix.confirmed(entry, policy, person)

    def _in_case(self, kind: str, entry: Mapping[str, object], policy: Policy, filed: _Filed) -> Iterator[Fault]:
        if kind == "breakglass.opened":
            filed.opened_without = True
            if filed.runbook is not None and filed.runbook.break_glass is None:
                yield "policy", f"a break-glass, which the runbook {filed.runbook.id} does not have."
        if kind in _DECISIONS and _part(entry, "actor").get("kind") == "person":
            yield from self._decided(entry, policy, filed)
        elif kind in _GIVES:
            yield "party", f"{kind} by no person. Only people decide."
        if kind in _OF_HOME:
            yield from self._handled(entry, policy, filed)
        if kind == "subject.verified":
            filed.verified.add(str(_part(entry, "data").get("name")))
        if kind == "grant.opened" and filed.runbook is not None and not filed.yeses:
            yield from self.reviews.opened(filed.runbook, filed.requester, filed.domain, glass=filed.opened_without)
        if kind in _GRANTS:
            yield from self._quorum(policy, filed)
            filed.yeses.clear()
        if kind == "grant.opened" and str(entry.get("ts")) < filed.not_before:
            yield "policy", f"it opened before {filed.not_before}, for which its quorum waited."
        if kind == "grant.opened" and filed.runbook_sha256 in self._withdrawn and _autonomous(filed):
            yield "policy", "it opened under a right that was withdrawn."
        if kind in _OPENINGS:
            yield from self._of_its_provider(policy, filed)
        if kind == "provider.resumed":
            self._barred.discard((str(_part(entry, "data").get("provider")), filed.domain))
        if kind == "authority.restored":
            self._suspended.discard((filed.domain, filed.subject))
        if kind == "right.withdrawn":
            self._withdrawn.add(filed.runbook_sha256)

    def _filed(self, entry: Mapping[str, object], policy: Policy, case: str) -> Iterator[Fault]:
        named, data = _part(entry, "runbook"), _part(entry, "data")
        runbook = policy.runbooks.get(str(named.get("id")))
        if runbook is None or runbook.sha256 != named.get("sha256"):
            yield "policy", f"the runbook {named.get('id')} with these bytes is not in the set it was filed under."
            runbook = None
        domain = runbook.domain if runbook else str(data.get("domain"))
        by_host = _part(entry, "actor").get("kind") == "operator"
        ref = str(data.get("for") if by_host else _part(entry, "actor").get("ref"))
        self._cases[case] = _Filed(ref, str(named.get("sha256", "")), runbook, domain, subject=str(data.get("subject", "")))
        person = self._person(ref)
        provider = policy.provider_of(person) if person else None
        claimed = data.get("provider") if by_host else _part(entry, "actor").get("party")
        self._cases[case].provider = str(claimed)
        if person is not None and claimed != (provider.id if provider else "home"):
            yield "party", f"it was filed in the name of {claimed!r}; the policy says otherwise of {person}."
        if runbook is not None and claimed not in runbook.providers:
            yield "policy", f"{claimed!r} may not ask under the runbook {runbook.id}."

    def _began(self, entry: Mapping[str, object], case: str) -> None:
        """A case that nobody filed: its subject, and the file that it names, are known from its first entry."""
        named, data = _part(entry, "runbook"), _part(entry, "data")
        domain, subject = str(data.get("domain")), str(data.get("subject", ""))
        filer = str(_part(entry, "actor").get("ref", "")) if entry.get("type") == "finding.filed" else ""
        self._cases[case] = _Filed(filer, str(named.get("sha256", "")), None, domain, subject=subject)
        if entry.get("type") == "authority.suspended":
            self._suspended.add((domain, subject))
        if entry.get("type") == "provider.suspended":
            self._barred.add((str(data.get("provider")), domain))

    def _of_its_provider(self, policy: Policy, filed: _Filed) -> Iterator[Fault]:
        """The finding against opening anything of a provider now."""
        if (filed.provider, filed.domain) in self._barred:
            yield "policy", f"it opened while {filed.provider} was suspended in {filed.domain}."
        known, ended = policy.providers.get(filed.provider), self._ended.get(filed.provider)
        begins = known.contract_from if known is not None else None
        if ended is not None and (begins is None or begins.isoformat() <= ended):
            yield "policy", f"it opened after {filed.provider} was ended on {ended}."

    def _decided(self, entry: Mapping[str, object], policy: Policy, filed: _Filed) -> Iterator[Fault]:
        actor = _part(entry, "actor")
        ref, kind = str(actor.get("ref")), entry.get("type")
        if actor.get("party") != "home":
            yield "party", f"{kind} by somebody of {actor.get('party')!r}. Nobody of a provider decides."
        if kind == _YES:
            filed.yeses.append(ref)
            filed.not_before = str(_part(entry, "data").get("not_before", ""))
            yield from _unverified(filed)
        gives = kind not in _TAKES_AWAY
        if gives and (filed.domain, ref) in self._suspended and ref != filed.subject:
            yield "policy", f"{kind} by somebody whose authority was suspended."
        if ref in (filed.requester, filed.subject):
            yield "policy", f"{kind} by the {'requester' if ref == filed.requester else 'subject'}."
        if _part(entry, "runbook").get("sha256", "") != filed.runbook_sha256:
            yield "policy", f"{kind} names another runbook than the filing."
        person = self._person(ref)
        if person is None:
            self.unproven += 1
        else:
            yield from self._authority(person, policy, filed, str(kind), _part(entry, "data").get("role"))

    def _handled(self, entry: Mapping[str, object], policy: Policy, filed: _Filed) -> Iterator[Fault]:
        """A finding is acknowledged, shared and closed by people of its domain, and by nobody it is about."""
        actor, kind = _part(entry, "actor"), str(entry.get("type"))
        if actor.get("party") != "home":
            yield "party", f"{kind} by somebody of {actor.get('party')!r}. A provider acknowledges and closes nothing."
        own = (filed.requester, filed.subject) if kind == "finding.acknowledged" else (filed.subject,)
        if actor.get("ref") in own:
            yield "policy", f"{kind} by somebody who filed it, or whom it is about."
        person = self._person(str(actor.get("ref")))
        if person is None:
            self.unproven += 1
        else:
            yield from self._authority(person, policy, replace(filed, requester=""), kind, _part(entry, "data").get("role"))

    def _authority(self, person: Person, policy: Policy, filed: _Filed, kind: str, role: object) -> Iterator[Fault]:
        provider, domain = policy.provider_of(person), policy.domains.get(filed.domain)
        requester = self._person(filed.requester)
        if provider is not None:
            yield "party", f"{kind} by {person}, who belongs to {provider.id}. Nobody of a provider decides."
        elif person.team not in policy.workspaces:
            yield "party", f"{kind} by {person}, who is of no home workspace."
        if requester is not None and policy.humans.same(person, requester) and person != requester:
            yield "policy", f"{kind} by another account of the requester ({person})."
        if domain is None or person not in named_for(policy, domain):
            yield "policy", f"{kind} by {person}, who is not named for the domain {filed.domain}."
        elif role is not None and str(role) not in named_roles(policy, domain, person):
            yield "policy", f"{kind} by {person} as {role}, which the policy does not make them."

    def _quorum(self, policy: Policy, filed: _Filed) -> Iterator[Fault]:
        runbook = filed.runbook
        if runbook is None or runbook.right == "autonomous" or filed.opened_without:
            return
        domain = policy.domains.get(filed.domain)
        humans: dict[str, frozenset[Role]] = {}
        for ref in filed.yeses:
            person = self._person(ref)
            key = policy.humans.key(person) if person else ref
            roles = frozenset(runbook.requires) if person is None else named_roles(policy, domain, person)
            if roles or person is None:
                humans[key] = humans.get(key, frozenset()) | roles
        if len(humans) < runbook.approvals:
            yield "policy", f"a grant on {len(humans)} valid yes of {runbook.approvals} that the runbook demands."
        lacking = set(runbook.requires) - cover(runbook.requires, list(humans.values()))
        if lacking:
            yield "policy", f"a grant without the yes of {', '.join(sorted(lacking))} that the runbook demands."

    def _person(self, ref: str) -> Person | None:
        told = self.people.get(ref)
        try:
            return Person.parse(told) if told else None
        except ValueError:
            return None


def _autonomous(filed: _Filed) -> bool:
    return filed.runbook is not None and filed.runbook.right == "autonomous"


def _unverified(filed: _Filed) -> Iterator[Fault]:
    wanted = filed.runbook.subject_verification if filed.runbook else ()
    missing = [name for name in wanted if name not in filed.verified]
    if missing:
        yield "policy", f"a yes before {', '.join(missing)} was attested, which the runbook demands."


def _part(entry: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = entry.get(key)
    return part if isinstance(part, dict) else {}
