"""Can the quorum be reached?

Counted are humans, not accounts: `same_person` joins them. A request never has more possible approvers than the
owner, the deputies, everybody who may be on call and the risk owner. And minute 0 alone must be enough (design,
section 3): for `approval` it asks the owner, the required roles and as many deputies as the quorum lacks; for
`immediate` also on-call. On call is one person at a time, whoever that is. With `requires`, each required role is met
by somebody of its own, and the owner or a deputy comes in addition.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.policy.model import Domain, Role
from bot.domain.policy.people import Humans, Person
from bot.domain.policy.rota import Rota


@dataclass(frozen=True, slots=True)
class DomainPeople:
    """The humans around a domain, by role; `on_call` are those who may be."""

    owner: frozenset[str]
    deputies: frozenset[str]
    on_call: frozenset[str]
    risk_owner: frozenset[str]

    def role(self, role: Role) -> frozenset[str]:
        return {
            "owner": self.owner,
            "deputies": self.deputies,
            "on_call": self.on_call,
            "risk_owner": self.risk_owner,
        }[role]


def circle(domain: Domain, rotas: Mapping[str, Rota], humans: Humans) -> DomainPeople:
    def keys(people: Collection[Person | None]) -> frozenset[str]:
        return frozenset(humans.key(person) for person in people if person is not None)

    rota = rotas.get(domain.on_call or "")
    return DomainPeople(keys([domain.owner]), keys(domain.deputies), keys(may_be_on_call(rota)), keys([domain.risk_owner]))


def may_be_on_call(rota: Rota | None) -> Collection[Person]:
    """A feed may name any of `people`; shifts name whom they name, and the fallback."""
    if rota is None:
        return ()
    if rota.source == "ical" or not rota.shifts:
        return rota.people
    return {shift.person for shift in rota.shifts} | ({rota.fallback} if rota.fallback else set())


def possible_approvers(around: DomainPeople, everybody_on_call: Collection[str]) -> int:
    return len(around.owner | around.deputies | around.risk_owner | frozenset(everybody_on_call))


def minute_zero(around: DomainPeople, right: str, requires: Sequence[Role], approvals: int) -> tuple[int, int]:
    """How many of the possible on-call people make the quorum reachable at minute 0, and of how many."""
    asks_on_call = right == "immediate" or "on_call" in requires
    choices: list[frozenset[str]] = [frozenset()]
    if asks_on_call and around.on_call:
        choices = [frozenset([human]) for human in sorted(around.on_call)]
    return sum(_enough(around, on_call, requires, approvals) for on_call in choices), len(choices)


def _enough(around: DomainPeople, on_call: frozenset[str], requires: Sequence[Role], approvals: int) -> bool:
    asked = around.owner | around.deputies | on_call
    if "risk_owner" in requires:
        asked |= around.risk_owner
    slots = [on_call if role == "on_call" else around.role(role) for role in requires]
    if requires and not {"owner", "deputies"} & set(requires):
        slots.append(around.owner | around.deputies)
    return len(asked) >= approvals and each_by_another(slots)


def each_by_another(slots: Sequence[frozenset[str]], taken: frozenset[str] = frozenset()) -> bool:
    """Whether every slot can be filled by a different human."""
    if not slots:
        return True
    return any(each_by_another(slots[1:], taken | {human}) for human in sorted(slots[0] - taken))
