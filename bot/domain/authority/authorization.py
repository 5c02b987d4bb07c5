"""Who may decide. Every door asks here, at the click, under the policy of that moment.

Party rule: nobody who belongs to a provider ever decides anything. Conflict rule: nobody decides on their own request,
or on one of which they are the subject. Then: only a living, full account of a home workspace, named for the domain, and
- owner: always; deputy and risk owner: once a step or an absence has reached them (or `requires` names their role);
- on-call: once a step has reached them, while the rota still lists them.
Whoever's own credential was reset gives nothing in a domain until somebody else restores it (`suspensions`); taking away
is never hindered by it.
There is no administrator override. Design, section 1; rules 1 and 9 of section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.domain.case.ask import NOT_BY_ONLY_APPROVER, Ask
from bot.domain.case.click import Refusal
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.policy.model import Domain, Policy, Role, Suspended
from bot.domain.policy.people import Person, Profile


@dataclass(frozen=True, slots=True)
class Allowed:
    """May decide, in these roles, strongest first. `on_behalf_of`: the owner, when somebody else acts for them."""

    roles: tuple[Role, ...]
    on_behalf_of: Person | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """May not; `why` for the log, `reason` is the sentence for the person who clicked."""

    why: Refusal
    reason: str


def may_decide(
    case: Case, ask: Ask, policy: Policy, person: Person, profile: Profile, *, takes_away: bool = False
) -> Allowed | Refused:
    """Whether `person` may answer `ask`, by the rules above. `profile` is the account as Slack describes it, fresh. `takes_away`:
    the answer is a no, which no suspension hinders."""
    account = _account(policy, person, profile)
    if account is not None:
        return account
    return standing(case, ask, policy, person, takes_away=takes_away)


def standing(case: Case, ask: Ask, policy: Policy, person: Person, *, takes_away: bool = False) -> Allowed | Refused:
    """The same without the account: by policy alone, for counting and for choosing people."""
    party = _party(policy, person)
    if party is not None:
        return party
    suspension = None if takes_away else _suspension(case, policy, person)
    conflict = _conflict(case, policy, person) or suspension or _own_yes(case, ask, policy, person)
    if conflict is not None:
        return conflict
    domain = policy.domains.get(case.request.domain)
    roles = () if domain is None else roles_in(ask, policy, domain, person)
    if domain is None or not roles:
        return Refused(
            Refusal.UNAUTHORISED,
            f"This is not yours to decide: you are not named for it, or it has not reached you. {_write(policy)}",
        )
    return Allowed(roles, domain.owner if roles[0] in ("deputies", "on_call") else None)  # a risk owner signs as such


def may_answer(case: Case, ask: Ask, policy: Policy, person: Person, *, takes_away: bool = False) -> bool:
    """Whether an answer of a card's reader would count now: what buttons are drawn by. Whoever was asked and lost the role that
    they were asked in by a change of policy has none left."""
    domain = policy.domains.get(case.request.domain)
    lost = person in ask.asked and not (domain and roles_in(ask, policy, domain, person))
    return not lost and not is_barred(case, ask, policy, person, takes_away=takes_away)


def may_revoke(case: Case, policy: Policy, person: Person, profile: Profile) -> Allowed | Refused:
    """Whether `person` may end an open grant: everyone named in the domain, at any time, reached or not (section 1)."""
    return _named_account(policy, case.request.domain, person, profile, "revoke")


def may_close(case: Case, policy: Policy, person: Person, profile: Profile) -> Allowed | Refused:
    """Whether `person` may close a finding: everyone named in the domain, but nobody whose access it is about."""
    allowed = _named_account(policy, case.request.domain, person, profile, "close it")
    subject = case.request.subject
    if isinstance(allowed, Allowed) and subject is not None and policy.humans.same(person, subject):
        return Refused(Refusal.UNAUTHORISED, f"This is about you; somebody else closes it. {_write(policy)}")
    return allowed


ConfirmingRole = Literal["auditor", "owner", "risk_owner"]


def may_confirm(policy: Policy, person: Person, profile: Profile, *, ends_provider: bool = False) -> Allowed | Refused:
    """Whether `person` may confirm or refuse an act of the operator: auditors and the risk owners of any domain; the end of a
    provider owners in the auditors' place."""
    account = _account(policy, person, profile)
    if account is not None:
        return account
    if not confirming_roles(policy, person, ends_provider=ends_provider):
        who = "owners" if ends_provider else "auditors"
        return Refused(Refusal.UNAUTHORISED, f"Only {who} and risk owners confirm what the operator does. {_write(policy)}")
    return Allowed(())


def may_endorse(policy: Policy, person: Person, profile: Profile) -> Allowed | Refused:
    """Whether a person named by the previous set may endorse a change of the signing keys: party and account."""
    return _party(policy, person) or _account(policy, person, profile) or Allowed(())


def confirming_roles(policy: Policy, person: Person, *, ends_provider: bool = False) -> tuple[ConfirmingRole, ...]:
    """The roles in which `person` may confirm; none for people of a provider, and none while their authority is suspended.
    `ends_provider`: the act ends a provider, which an owner confirms in an auditor's place."""
    if policy.provider_of(person) is not None:
        return ()
    found: list[ConfirmingRole] = []
    if ends_provider:
        owns = (domain.id for domain in policy.domains.values() if domain.owner == person)
        found += ["owner"] if any(suspended(policy, domain_id, person) is None for domain_id in owns) else []
    elif person in policy.auditors and not suspended_anywhere(policy, person):
        found.append("auditor")
    owned = (domain.id for domain in policy.domains.values() if domain.risk_owner == person)
    if any(suspended(policy, domain_id, person) is None for domain_id in owned):
        found.append("risk_owner")
    return tuple(found)


def may_record(policy: Policy, domain_id: str, person: Person, profile: Profile) -> Allowed | Refused:
    """Whether `person` may record a use of a domain's sealed path: anybody who is named for the domain."""
    return _named_account(policy, domain_id, person, profile, "record that")


def _named_account(policy: Policy, domain_id: str, person: Person, profile: Profile, what: str) -> Allowed | Refused:
    """Whether `person` is named for a domain, with a full home account; `what` they would do."""
    account = _account(policy, person, profile)
    if account is not None:
        return account
    domain = policy.domains.get(domain_id)
    if domain is None or person not in named_for(policy, domain):
        return Refused(Refusal.UNAUTHORISED, f"Only people named for this domain {what}. {_write(policy)}")
    return Allowed(())


def roles_in(ask: Ask, policy: Policy, domain: Domain, person: Person) -> tuple[Role, ...]:
    """The roles in which `person` has authority over `ask` now."""
    reached = {r.role for r in ask.reached if r.person == person}
    for_owner = any(r.for_owner for r in ask.reached if r.person == person)
    roles: list[Role] = []
    if person == domain.owner:
        roles.append("owner")
    if person in domain.deputies and ("deputies" in reached or "deputies" in ask.requires or for_owner):
        roles.append("deputies")
    if person == domain.risk_owner and ("risk_owner" in reached or "risk_owner" in ask.requires):
        roles.append("risk_owner")
    if "on_call" in reached and listed_on_call(policy, domain, person):
        roles.append("on_call")
    return tuple(roles)


def strongest(domain: Domain, person: Person) -> Role:
    """A person's strongest role in the domain; on-call if they have no other."""
    if person == domain.owner:
        return "owner"
    if person in domain.deputies:
        return "deputies"
    return "risk_owner" if person == domain.risk_owner else "on_call"


def named_roles(policy: Policy, domain: Domain | None, person: Person) -> frozenset[Role]:
    """The roles that a policy names somebody for in a domain, reached or not; none for a provider's person, or a stranger."""
    if domain is None or policy.provider_of(person) is not None:
        return frozenset()
    held: list[tuple[Role, bool]] = [
        ("owner", person == domain.owner), ("deputies", person in domain.deputies),
        ("risk_owner", person == domain.risk_owner), ("on_call", listed_on_call(policy, domain, person)),
    ]  # fmt: skip
    return frozenset(role for role, holds in held if holds)


def listed_on_call(policy: Policy, domain: Domain, person: Person) -> bool:
    """Whether the domain's rota can still name the person."""
    rota = policy.rotas.get(domain.on_call) if domain.on_call else None
    return rota is not None and person in rota.people


def named_for(policy: Policy, domain: Domain) -> tuple[Person, ...]:
    """Everybody named for a domain, the rota's people included, each once."""
    rota = policy.rotas.get(domain.on_call) if domain.on_call else None
    listed = (domain.owner, *domain.deputies, domain.risk_owner, *(rota.people if rota else ()))
    return tuple(dict.fromkeys(p for p in listed if p is not None))


def conflicted(case: Case, policy: Policy, person: Person) -> bool:
    """Whether the person is the requester or the subject, by any account, belongs to a provider, or is suspended."""
    found = _party(policy, person) or _conflict(case, policy, person) or _suspension(case, policy, person)
    return found is not None


def suspended(policy: Policy, domain: str, person: Person) -> Suspended | None:
    """The suspension of the human's authority in a domain, if there is one."""
    found = (s for s in policy.standing.suspended if s.domain == domain and policy.humans.same(s.person, person))
    return next(found, None)


def suspended_anywhere(policy: Policy, person: Person) -> bool:
    """Whether the human's authority is suspended in any domain: then they confirm nothing as an auditor either."""
    return any(policy.humans.same(s.person, person) for s in policy.standing.suspended)


def is_barred(case: Case, ask: Ask, policy: Policy, person: Person, *, takes_away: bool = False) -> bool:
    """Whether the person may never answer this ask, whatever their role: conflicted, or reviewing only their own yes.
    `takes_away`: whether a no of theirs would not count either; a suspension hinders none."""
    found = _party(policy, person) or _conflict(case, policy, person) or _own_yes(case, ask, policy, person)
    return found is not None or (not takes_away and _suspension(case, policy, person) is not None)


def open_to(case: Case, policy: Policy, person: Person) -> tuple[Ask, ...]:
    """The open asks of a case that have reached a person and are theirs to answer."""
    asked = (ask for ask in case.asks if ask.state is AskState.OPEN and person in ask.asked)
    return tuple(ask for ask in asked if not is_barred(case, ask, policy, person))


def waiting_asks(case: Case, policy: Policy, person: Person) -> tuple[Ask, ...]:
    """The same, of those that they have not answered."""
    return tuple(ask for ask in open_to(case, policy, person) if ask.vote_of(person) is None)


def _own_yes(case: Case, ask: Ask, policy: Policy, person: Person) -> Refused | None:
    """A review is not for the only approver, where somebody else of the domain could do it (section 4)."""
    domain = policy.domains.get(case.request.domain)
    if ask.kind not in NOT_BY_ONLY_APPROVER or domain is None:
        return None
    yes = {
        policy.humans.key(v.person)
        for a in case.asks
        for v in a.votes
        if v.answer == "yes" and a.kind not in NOT_BY_ONLY_APPROVER
    }
    if yes != {policy.humans.key(person)}:
        return None
    named = (domain.owner, *domain.deputies, *([domain.risk_owner] if domain.risk_owner else []))
    if not any(not policy.humans.same(p, person) and not conflicted(case, policy, p) for p in named):
        return None
    return Refused(Refusal.UNAUTHORISED, f"You alone approved this, so somebody else reviews it. {_write(policy)}")


def _party(policy: Policy, person: Person) -> Refused | None:
    provider = policy.provider_of(person)
    if provider is None:
        return None
    return Refused(
        Refusal.PARTY,
        f"You belong to {provider.name}. A provider asks; only {policy.organisation} decides. {_write(policy)}",
    )


def _conflict(case: Case, policy: Policy, person: Person) -> Refused | None:
    request = case.request
    if policy.humans.same(person, request.requester):
        return Refused(Refusal.UNAUTHORISED, f"This is your own request; somebody else decides it. {_write(policy)}")
    if request.subject is not None and policy.humans.same(person, request.subject):
        return Refused(Refusal.UNAUTHORISED, f"This is about you; somebody else decides it. {_write(policy)}")
    return None


def _suspension(case: Case, policy: Policy, person: Person) -> Refused | None:
    found = suspended(policy, case.request.domain, person)
    if found is None:
        return None
    return Refused(
        Refusal.UNAUTHORISED,
        "Your authority here is suspended since your own credential was reset. It counts again once another person accountable"
        f" for the domain has pressed Restore ({found.case}). {_write(policy)}",
    )


def _account(policy: Policy, person: Person, profile: Profile) -> Refused | None:
    if policy.provider_of(person) is not None:
        return _party(policy, person)
    unfit = (
        profile.deleted
        or profile.is_bot
        or profile.is_guest
        or profile.is_stranger
        or profile.person != person
        or person.team not in policy.workspaces
    )
    if not unfit:
        return None
    return Refused(
        Refusal.UNAUTHORISED,
        "Only full members of the home workspace decide: no guests, bots, deactivated accounts or people of other"
        f" workspaces. {_write(policy)}",
    )


def _write(policy: Policy) -> str:
    return f"Write to {policy.contact} if that is wrong."
