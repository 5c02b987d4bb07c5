"""When a change of policy counts: which sets bind a yes, and what a change gives.

Who loses authority loses it at once. Who gains it, or what becomes easier, counts for requests filed after the old set's
`policy_delay`; until then a yes must be allowed by the old set and the new (design, section 2). So a yes is judged under
the set in force and under every earlier one that the request was filed too early to leave behind, and a request filed
meanwhile is filed under the stricter value of each (`strictest`): no runbook opens more easily before its change counts.
A change of the keys that decisions are signed with waits for `unendorsed_delay` unless it is endorsed (`key_changes`).
An older set judges a request in the domain that decided its runbook then (`as_seen_by`), so that a runbook that moves
gives its new owner nothing before the delay is over. What is easier is decided key by key in `policy_comparison`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bot.domain.authority.authorization import Allowed, may_decide, named_for
from bot.domain.authority.comparison_rules import stricter_of, words
from bot.domain.authority.key_changes import key_change
from bot.domain.authority.policy_comparison import DOMAIN, LADDER, POLICY, PROVIDER, ROTA, RUNBOOK
from bot.domain.authority.quorum import count
from bot.domain.case.ask import Ask
from bot.domain.case.model import Case
from bot.domain.policy.model import Domain, EscalationPolicy, Policy, Runbook
from bot.domain.policy.people import Person, Profile
from bot.domain.policy.provider import Provider


@dataclass(frozen=True, slots=True)
class InForce:
    """A set and when it was accepted. `until`: what was asked for before it needs this set's word too; None for the set
    in force."""

    policy: Policy
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sets:
    """Accepted sets, oldest first; the last one is in force. There is always one."""

    sets: tuple[InForce, ...]

    @property
    def current(self) -> Policy:
        return self.sets[-1].policy

    def then(self, policy: Policy, at: datetime, scale: float) -> Sets:
        """With one more set in force from `at` on."""
        *older, last = self.sets
        left = replace(last, until=self.binds_until(policy, at, scale))
        return Sets((*older, left, InForce(policy, at)))

    def binds_until(self, following: Policy, at: datetime, scale: float) -> datetime:
        """Until when the set in force binds what is asked for, if `following` replaces it at `at`.

        The longest `policy_delay` of all sets that bind then: a shorter delay is itself a change that waits. Where the keys
        change, the longest `unendorsed_delay`.
        """
        binding = (self.current, *self.also_binding(at))
        delay = max(policy.policy_delay for policy in binding)
        if key_change(self.current, following) is not None:
            delay = max(delay, *(policy.signing.unendorsed_delay for policy in binding if policy.signing is not None))
        return at + timedelta(seconds=delay / scale)

    def endorsed(self, old: str, new: str, at: datetime, scale: float) -> Sets:
        """With the change from one digest to the next endorsed at `at`: from then on it waits for `policy_delay` only, like any
        other. The same sets where no such change waits."""
        sets = list(self.sets)
        for n, (was, following) in enumerate(zip(self.sets, self.sets[1:], strict=False)):
            if (was.policy.digest, following.policy.digest) == (old, new) and was.until is not None:
                plain = Sets(self.sets[: n + 1]).binds_until(was.policy, following.since, scale)
                sets[n] = replace(was, until=min(was.until, max(plain, at)))
        return Sets(tuple(sets))

    def on(self, day: date) -> Sets:
        """With the owners of `day` in every set; this object where no owner has a date."""
        if not any(domain.terms for one in self.sets for domain in one.policy.domains.values()):
            return self
        return Sets(tuple(replace(one, policy=one.policy.on(day)) for one in self.sets))

    def with_current(self, policy: Policy) -> Sets:
        """With the same set in force and its feeds read again."""
        return Sets((*self.sets[:-1], replace(self.sets[-1], policy=policy)))

    def retention(self, asked_at: datetime) -> int:
        """Seconds of policy time for which evidence is kept: the longest time of all sets that bind what was asked for then."""
        return max(policy.retention for policy in (self.current, *self.also_binding(asked_at)))

    def also_binding(self, asked_at: datetime) -> tuple[Policy, ...]:
        """The earlier sets under which a yes to what was asked for at `asked_at` must be allowed too."""
        return tuple(s.policy for s in self.sets[:-1] if s.until is not None and asked_at < s.until)


def as_seen_by(policy: Policy, case: Case) -> Case:
    """A request in the domain that decides its runbook under `policy`; one whose runbook the set does not know, and what
    nobody filed, stays where it is."""
    runbook = policy.runbooks.get(case.request.runbook)
    if runbook is None or runbook.domain == case.request.domain or case.request.matter:
        return case
    return replace(case, request=replace(case.request, domain=runbook.domain))


def allowed_by_all(older: Sequence[Policy], case: Case, ask: Ask, person: Person, profile: Profile) -> bool:
    """Whether every earlier set that binds lets this person answer."""
    judged = (may_decide(as_seen_by(was, case), ask, was, person, profile) for was in older)
    return all(isinstance(answer, Allowed) for answer in judged)


def met_by_all(older: Sequence[Policy], case: Case, ask: Ask) -> bool:
    """Whether the quorum of an ask is met under every earlier set that binds."""
    return all(count(as_seen_by(was, case), ask, was, earlier=True).met for was in older)


@dataclass(frozen=True, slots=True)
class Gain:
    """What a change gives in one domain: `people` gain authority, `easier` are runbooks whose rule became weaker.

    `rules` name, in words for people, every key that became easier. `channels` and `hears` are where and to whom it is
    announced: the domain's, and those of the domain that a runbook comes from.
    """

    domain: Domain
    people: tuple[Person, ...]
    easier: tuple[Runbook, ...]
    rules: tuple[str, ...]
    channels: tuple[str, ...]
    hears: tuple[Person, ...]


def gains(old: Policy, new: Policy) -> Iterator[Gain]:
    """What `new` gives that `old` did not, by domain; nothing for a change that only takes away."""
    everywhere = tuple(_line("Everywhere", words(POLICY, old, new)))
    for domain in new.domains.values():
        gain = _gain(old, new, domain, everywhere)
        if gain.people or gain.easier or gain.rules:
            yield gain


def _gain(old: Policy, new: Policy, domain: Domain, everywhere: tuple[str, ...]) -> Gain:
    before = old.domains.get(domain.id)
    people = dict.fromkeys((*_named_anew(old, new, domain), *_raised(before, domain)))
    here = [runbook for runbook in new.runbooks.values() if runbook.domain == domain.id]
    easier = tuple(r for r in here if _easier(old.runbooks.get(r.id), r))
    rules = (*_rules(old, new, domain, here), *everywhere)
    came_from = {old.runbooks[r.id].domain for r in here if r.id in old.runbooks}
    concerned = [old.domains[id_] for id_ in dict.fromkeys((domain.id, *sorted(came_from))) if id_ in old.domains]
    hears = (*(p for d in concerned for p in named_for(old, d)), *named_for(new, domain))
    channels = dict.fromkeys((domain.channel, *(d.channel for d in concerned)))
    return Gain(domain, tuple(people), easier, tuple(rules), tuple(channels), tuple(dict.fromkeys(hears)))


def _named_anew(old: Policy, new: Policy, domain: Domain) -> tuple[Person, ...]:
    before = old.domains.get(domain.id)
    had = named_for(old, before) if before else ()
    return tuple(p for p in named_for(new, domain) if p not in had)


def _raised(before: Domain | None, after: Domain) -> Iterator[Person]:
    """People who were named already and now have a stronger role."""
    if before is None:
        return
    if before.owner != after.owner:
        yield after.owner
    owners = {before.owner, *(term.person for term in before.terms)}
    yield from (term.person for term in after.terms if term.person not in owners)
    if after.risk_owner is not None and before.risk_owner != after.risk_owner:
        yield after.risk_owner
    yield from (p for p in after.deputies if p not in before.deputies and p != before.owner)
    if after.deputies[:1] != before.deputies[:1] and after.deputies[:1] and after.deputies[0] in before.deputies:
        yield after.deputies[0]  # acts for the owner from now on


def _easier(old: Runbook | None, new: Runbook) -> bool:
    """Whether more may be had, or fewer people have to say yes."""
    return old is None or bool(words(RUNBOOK, old, new))


def _rules(old: Policy, new: Policy, domain: Domain, runbooks: Sequence[Runbook]) -> Iterator[str]:
    """Every key that became easier in a domain, by what it belongs to."""
    before = old.domains.get(domain.id)
    if before is not None:
        yield from _line(domain.name, words(DOMAIN, before, domain))
    for runbook in runbooks:
        if runbook.id in old.runbooks:
            yield from _line(runbook.title, words(RUNBOOK, old.runbooks[runbook.id], runbook))
    rota = domain.on_call or ""
    if rota in old.rotas and rota in new.rotas:
        yield from _line(f"Rota {rota}", words(ROTA, old.rotas[rota], new.rotas[rota]))
    for id_ in dict.fromkeys(r.escalation for r in runbooks if r.escalation):
        if id_ in old.escalation_policies and id_ in new.escalation_policies:
            changed = words(LADDER, old.escalation_policies[id_], new.escalation_policies[id_])
            yield from _line(f"Escalation {id_}", changed)
    for id_ in dict.fromkeys(provider for r in runbooks for provider in r.providers):
        if id_ in old.providers and id_ in new.providers:
            changed = words(PROVIDER, old.providers[id_], new.providers[id_])
            yield from _line(new.providers[id_].name, changed)


def _line(subject: str, changed: Iterable[str]) -> Iterator[str]:
    text = ", ".join(changed)
    if text:
        yield f"{subject}: {text}"


def strictest(policy: Policy, older: Sequence[Policy]) -> Policy:
    """A set as it counts for requests filed while `older` sets bind too: every key in the strictest value of all."""
    for old in older:
        policy = replace(
            stricter_of(POLICY, old, policy),
            runbooks={r.id: stricter_runbook(old.runbooks.get(r.id), r) for r in policy.runbooks.values()},
            providers={p.id: stricter_provider(old.providers.get(p.id), p) for p in policy.providers.values()},
            escalation_policies=_stricter_ladders(old, policy),
        )
    return policy


def _stricter_ladders(old: Policy, new: Policy) -> dict[str, EscalationPolicy]:
    """Each ladder in the stricter value of both, and those that only older runbooks name."""
    before = old.escalation_policies
    merged = {id_: stricter_of(LADDER, before[id_], ladder) if id_ in before else ladder
              for id_, ladder in new.escalation_policies.items()}  # fmt: skip
    return {**before, **merged}


def stricter_provider(old: Provider | None, new: Provider) -> Provider:
    """Who may ask under both sets; a person who waits for it belongs to the provider already (party rule)."""
    if old is None:
        return new
    merged = stricter_of(PROVIDER, old, new)
    members = dict.fromkeys((*new.members, *new.requesters, *new.leads))
    return replace(merged, members=tuple(members)) if merged != new else new


def stricter_runbook(old: Runbook | None, new: Runbook) -> Runbook:
    """What both files allow; of a new file nothing that opens without a yes."""
    if old is None:
        return replace(new, break_glass=None, providers=() if new.right == "autonomous" else new.providers)
    merged = stricter_of(RUNBOOK, old, new)
    if merged == new:
        return new
    return replace(
        merged,
        approvals=max(merged.approvals, len(merged.requires) + 1 if merged.requires else 1),
        providers=merged.providers if merged.targets or not old.targets else (),
        default_duration=min(merged.default_duration, merged.max_duration),
    )
