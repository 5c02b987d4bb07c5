"""Judges the delay of policy changes again: what a set gave counted only for requests filed after its delay.

A set that was replaced binds what was filed before the end of the delay that held then. A yes by somebody without authority
under such a set, a grant on fewer valid yeses than it demanded, and an opening without a yes that it did not know are each a
finding `delay`; so are the yeses to more time (an extension, a renewal), which binds from its own asking. The log does not say by what `TIME_SCALE` it was written: a request's own expiry against its ladder does.
Source: design, section 2; field-lessons.md, "Authority".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bot.domain.authority.authorization import named_roles
from bot.domain.authority.policy_rollout import InForce, Sets
from bot.domain.authority.quorum import cover
from bot.domain.decision_log.entry_reader import read_moment
from bot.domain.decision_log.verify.case_order import ENDS, NO
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.policy.model import Policy, Role, Runbook
from bot.domain.policy.people import Person

_QUESTIONS = frozenset({"extension.asked", "renewal.asked"})  # each is asked again: what binds is counted from then
_LONGER = frozenset({"grant.extended", "exception.renewed"})
TYPES = NO | ENDS | _QUESTIONS | _LONGER | {
    "policy.loaded", "request.filed", "request.approved", "breakglass.opened", "grant.opened",
}  # fmt: skip
_SLACK = 0.1  # of a delay, at most 2 s: an entry is logged a moment after its act


@dataclass(slots=True)
class _Filed:
    """A request as it was filed: when, by what clock, and what the sets that bound its filing demanded."""

    at: datetime
    scale: float
    runbook: Runbook | None
    domain: str
    bound: tuple[Policy, ...]
    yeses: list[tuple[str, date]] = field(default_factory=list)  # a pseudonym, and the day (UTC) of its yes
    opened_without: bool = False

    @property
    def demands(self) -> tuple[Runbook, ...]:
        """The runbook as each set said it that bound the filing, the set in force included."""
        known = (was.runbooks.get(self.runbook.id) for was in self.bound) if self.runbook else ()
        return tuple(r for r in (self.runbook, *known) if r is not None)


@dataclass(slots=True)
class DelayCheck:
    """Feed it the entries in order; only those of `TYPES` matter. `sets` and `people` as for `decisions.Rejudge`."""

    sets: Callable[[str], Policy | None]
    people: Mapping[str, str]
    _history: list[tuple[str, datetime]] = field(default_factory=list)  # digest of each set, and since when
    _endorsed: list[tuple[str, str, datetime]] = field(default_factory=list)  # changes of the keys, from and to
    _by_scale: dict[float, Sets] = field(default_factory=dict)
    _cases: dict[str, _Filed] = field(default_factory=dict)
    _open: dict[str, _Filed] = field(default_factory=dict)  # what has opened, as it was filed
    _longer: dict[str, _Filed] = field(default_factory=dict)  # the newest question for more time
    _scale: float = 1.0  # of the newest request

    def findings(self, idx: int, entry: Mapping[str, object]) -> Iterator[LogFinding]:
        """The finding of the delay against one entry."""
        kind, case, at = str(entry.get("type")), str(entry.get("case")), read_moment(entry.get("ts"))
        if kind not in TYPES or at is None:
            return
        if kind == "policy.loaded":
            self._loaded(str(_part(entry, "policy").get("sha256", "")), at)
        elif kind == "request.filed":
            self._filed(entry, case, at)
        elif kind in _QUESTIONS:
            self._asked_for_more(entry, case, at)
        elif (filed := self._longer.get(case) or self._cases.get(case)) is not None:
            for text in self._judged(kind, entry, case, at, filed):
                yield LogFinding("delay", idx, f"{case}: {text}")
        if kind in ENDS:
            self._open.pop(case, None)

    def binding(self, at: datetime, scale: float) -> tuple[Policy, ...]:
        """The sets replaced so far that bind what was filed at `at` by a clock of this scale."""
        return self._binding(at, scale)

    def binding_now(self, at: datetime | None) -> tuple[Policy, ...]:
        """The sets that bind at this moment, by the clock of the newest request."""
        return self._binding(at, self._scale) if at is not None else ()

    def scale_of(self, case: str) -> float:
        """The time scale of a case: its own if that can be computed, else that of the newest request."""
        filed = self._cases.get(case) or self._open.get(case)
        return filed.scale if filed is not None else self._scale

    def endorsed(self, old: str, new: str, at: datetime | None) -> None:
        """A change of the keys from one set to the next is endorsed: it waits for `policy_delay` only."""
        if at is not None:
            self._endorsed.append((old, new, at))
            self._by_scale.clear()

    def _loaded(self, digest: str, at: datetime) -> None:
        if digest and (not self._history or self._history[-1][0] != digest):
            self._history.append((digest, at))
            self._by_scale.clear()

    def _filed(self, entry: Mapping[str, object], case: str, at: datetime) -> None:
        policy = self.sets(str(_part(entry, "policy").get("sha256", "")))
        data, named = _part(entry, "data"), _part(entry, "runbook")
        runbook = policy.runbooks.get(str(named.get("id"))) if policy else None
        if policy is None or runbook is None:
            return
        until = read_moment(data.get("expires_at"))
        scale = _scale((policy, *self._binding(at, 1.0)), runbook, at, until)
        self._scale = scale
        self._cases[case] = _Filed(at, scale, runbook, str(data.get("domain", "")), self._binding(at, scale))

    def _asked_for_more(self, entry: Mapping[str, object], case: str, at: datetime) -> None:
        """More time is asked for: a question of its own, under the sets that bind now."""
        policy, filed = self.sets(str(_part(entry, "policy").get("sha256", ""))), self._open.get(case)
        if filed is None or filed.runbook is None:
            return
        runbook = policy.runbooks.get(filed.runbook.id) if policy else None
        self._longer[case] = _Filed(at, filed.scale, runbook, filed.domain, self._binding(at, filed.scale))

    def _judged(self, kind: str, entry: Mapping[str, object], case: str, at: datetime, filed: _Filed) -> Iterator[str]:
        ref, day = str(_part(entry, "actor").get("ref")), at.date()
        if kind == "breakglass.opened":
            filed.opened_without = True
        elif kind == "request.approved":
            filed.yeses.append((ref, day))
            yield from self._approved(filed, ref, day)
        else:
            self._longer.pop(case, None)
            if (waited := self._cases.pop(case, None)) is not None and kind == "grant.opened":
                self._open[case] = waited
            if kind == "grant.opened" or kind in _LONGER:
                yield from self._opened(filed)

    def _approved(self, filed: _Filed, ref: str, day: date) -> Iterator[str]:
        """A yes of somebody whom a binding set did not name."""
        person = self._person(ref)
        for was in self._binding(filed.at, filed.scale):
            if person is not None and not _roles(was.on(day), filed, person):
                yield f"request.approved by {person}, who had no authority in the set {was.digest[:12]}…, which still bound it."
                return

    def _opened(self, filed: _Filed) -> Iterator[str]:
        """A grant that a binding set would not have let open."""
        if not filed.yeses:
            yield from _without_a_yes(filed)
            return
        need = max((runbook.approvals for runbook in filed.demands), default=1)
        requires = tuple(dict.fromkeys(role for runbook in filed.demands for role in runbook.requires))
        for was in self._binding(filed.at, filed.scale):
            humans = self._humans(was, filed)
            lacking = set(requires) - cover(requires, list(humans.values()))
            if len(humans) < need or lacking:
                yield f"a grant on {len(humans)} of {need} yeses that count in the set {was.digest[:12]}…, which still bound it."
                return

    def _humans(self, was: Policy, filed: _Filed) -> dict[str, frozenset[Role]]:
        """The humans whose yes counts under a set, with their roles; a pseudonym whose name was erased counts as everybody."""
        humans: dict[str, frozenset[Role]] = {}
        for ref, day in filed.yeses:
            person = self._person(ref)
            roles = (
                _roles(was.on(day), filed, person)
                if person
                else frozenset[Role](("owner", "deputies", "on_call", "risk_owner"))
            )
            if roles:
                key = was.humans.key(person) if person else ref
                humans[key] = humans.get(key, frozenset()) | roles
        return humans

    def _binding(self, at: datetime, scale: float) -> tuple[Policy, ...]:
        """The sets replaced so far that bind what was filed at `at`; those that cannot be read judge nothing."""
        if scale not in self._by_scale:
            self._by_scale[scale] = self._rolled_out(scale)
        return self._by_scale[scale].also_binding(at)

    def _rolled_out(self, scale: float) -> Sets:
        sets: Sets | None = None
        for digest, since in self._history:
            policy = self.sets(digest)
            if policy is None:
                continue
            sets = (
                self._with_endorsements(sets, since, scale).then(policy, since, scale)
                if sets
                else Sets((InForce(policy, since),))
            )
        sets = self._with_endorsements(sets, None, scale) if sets else None
        return _with_slack(sets) if sets else Sets(())

    def _with_endorsements(self, sets: Sets, before: datetime | None, scale: float) -> Sets:
        """With the changes endorsed before a moment; None: all of them."""
        for old, new, at in self._endorsed:
            if before is None or at <= before:
                sets = sets.endorsed(old, new, at, scale)
        return sets

    def _person(self, ref: str) -> Person | None:
        told = self.people.get(ref)
        try:
            return Person.parse(told) if told else None
        except ValueError:
            return None


def _with_slack(sets: Sets) -> Sets:
    pairs = zip(sets.sets, sets.sets[1:], strict=False)
    shortened = (replace(s, until=s.until and s.until - _slack(s.until - following.since)) for s, following in pairs)
    return Sets((*shortened, sets.sets[-1]))


def _slack(delay: timedelta) -> timedelta:
    return min(timedelta(seconds=2), delay * _SLACK)


def _scale(policies: Sequence[Policy], runbook: Runbook, at: datetime, until: datetime | None) -> float:
    """The factor by which a request's time ran faster than its ladder; 1 if that cannot be computed."""
    lasts = (until - at).total_seconds() if until is not None else 0.0
    names = ((policy, policy.runbooks.get(runbook.id)) for policy in policies)
    ladders = (policy.escalation_policies.get(known.escalation or "") for policy, known in names if known is not None)
    spans = [ladder.expires_after for ladder in ladders if ladder is not None]
    if not spans or lasts <= 0:
        return 1.0
    span = min(spans) if runbook.break_glass is None else max(*spans, runbook.break_glass.ratify_within)
    return max(1.0, round(span / lasts, 2))


def _roles(was: Policy, filed: _Filed, person: Person) -> frozenset[Role]:
    """The roles that a set gave somebody in the domain that decided the runbook then."""
    runbook = was.runbooks.get(filed.runbook.id) if filed.runbook else None
    domain = was.domains.get(runbook.domain if runbook else filed.domain)
    return named_roles(was, domain, person) if person.team in was.workspaces else frozenset()


def _without_a_yes(filed: _Filed) -> Iterator[str]:
    """It opened at the filing, or at its time: each set that bound the filing must have let it."""
    for was in filed.bound:
        runbook = was.runbooks.get(filed.runbook.id) if filed.runbook else None
        let = runbook is not None and (
            runbook.break_glass is not None if filed.opened_without else runbook.right == "autonomous"
        )
        if not let:
            yield f"a grant without a yes, which the set {was.digest[:12]}…, which still bound it, did not allow."
            return


def _part(entry: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = entry.get(key)
    return part if isinstance(part, dict) else {}
