"""What should happen, written from the design alone: a second opinion on every entry of the log.

It reads the policy's values and the log's entries in order, keeps its own small picture of each case, and asserts that each
entry is the one that the design demands. Nothing here calls a judgement of `bot.domain`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

from bot.domain.policy.model import Policy, Role, Runbook
from bot.domain.policy.people import Person
from bot.ports.commands import FileRequest, Press
from tests.bot.building import DAY, HOME, HOUR

EMPTY = {"absent", "deactivated", "undeliverable", "conflicted", "nobody"}
OUTCOMES = {"request.refused", "request.denied", "request.withdrawn", "request.expired", "grant.opened"}
TAKES_PART = {"request.asked": "question", "request.held": "hold", "request.passed": "pass", "request.pushed": "push"}
SERVED = {"emergency", "double", "pair", "contain", "token", "ticketed", "listed"}


def human(policy: Policy, person: Person) -> str:
    group = next((g for g in policy.humans.groups if person.user in g), {person.user})
    return min(group)


def party(policy: Policy, person: Person) -> str | None:
    """The provider that somebody belongs to by any account."""
    group = next((g for g in policy.humans.groups if person.user in g), {person.user})
    for provider in policy.providers.values():
        named = {ref.user for refs in (provider.members, provider.requesters, provider.leads) for ref in refs}
        if person.team in provider.workspaces or named & set(group):
            return provider.id
    return None


def people(policy: Policy, domain_id: str, role: Role, now: datetime) -> set[Person]:
    domain = policy.domains[domain_id]
    if role == "owner":
        return {domain.owner}
    if role == "deputies":
        return set(domain.deputies)
    if role == "risk_owner":
        return {domain.risk_owner} if domain.risk_owner else set()
    rota = policy.rotas[domain.on_call] if domain.on_call else None
    if rota is None:
        return set()
    minute = now.hour * 60 + now.minute  # the rotas of these tests are in UTC
    return {next((s.person for s in rota.shifts if s.start <= minute < s.end), rota.fallback)} - {None}  # type: ignore[return-value]


def rostered(policy: Policy, domain_id: str) -> set[Person]:
    """Everybody named for a domain."""
    domain = policy.domains[domain_id]
    listed = policy.rotas[domain.on_call].people if domain.on_call else ()
    return {domain.owner, *domain.deputies, *listed, *({domain.risk_owner} if domain.risk_owner else ())}


@dataclass
class Known:
    """One case as the oracle sees it."""

    id: str
    form: FileRequest
    book: Runbook
    filed_at: datetime
    provider: str
    expires_at: datetime
    due: dict[int, datetime]
    state: str = "pending"
    grant: str = ""
    not_after: datetime | None = None
    asked: set[Person] = field(default_factory=set)
    steps: dict[int, tuple[str, str, set[Person]]] = field(default_factory=dict)  # action, why ("" fired), to
    yes: dict[Person, int] = field(default_factory=dict)
    closed_by: Person | None = None
    closed_at: datetime | None = None
    failed: set[Person] = field(default_factory=set)
    quorum_due: bool = False
    quiet: dict[int, set[Person]] = field(default_factory=dict)  # who slept when a step asked them
    events: list[str] = field(default_factory=list)
    notes: list[tuple[str, Person]] = field(default_factory=list)  # question, hold, pass, push: in order
    pulling: bool = False  # somebody passed or escalated just now: the next step may come before its time


class Oracle:
    def __init__(self, policy: Policy, now: datetime) -> None:
        self.sets: list[tuple[Policy, datetime]] = [(policy, now)]
        self.cases: dict[str, Known] = {}
        self.pending: list[FileRequest | Press] = []
        self.gone: set[Person] = set()
        self.guests: set[Person] = set()
        self.silent: set[Person] = set()
        self.asleep: set[Person] = set()
        self.absent: dict[Person, tuple[datetime, datetime]] = {}  # since, until
        self.answered: list[tuple[Person, datetime]] = []  # on whose behalf, when
        self.summaries: Counter[Person] = Counter()
        self.doubted = False

    @property
    def policy(self) -> Policy:
        return self.sets[-1][0]

    def adopt(self, policy: Policy, now: datetime) -> None:
        self.sets.append((policy, now))

    def binding(self, case: Known) -> list[Policy]:
        """The set in force, and each older one that the request was filed too early to leave behind."""
        found = [self.policy]
        for (old, _), (_, since) in zip(self.sets, self.sets[1:], strict=False):
            if case.filed_at < since + timedelta(seconds=old.policy_delay):
                found.append(old)
        return found

    # Rule 1: who may decide, and when it is enough.

    def roles(self, case: Known, policy: Policy, person: Person) -> set[Role]:
        """The roles in which somebody has authority over a case under a policy."""
        if party(policy, person) or human(policy, person) == human(policy, case.form.person):
            return set()
        domain, reached = policy.domains[case.book.domain], person in case.asked
        rota = policy.rotas[domain.on_call].people if domain.on_call else ()
        found: set[Role] = {"owner"} if person == domain.owner else set()
        if person in domain.deputies and (reached or "deputies" in case.book.requires):
            found.add("deputies")
        if person == domain.risk_owner and (reached or "risk_owner" in case.book.requires):
            found.add("risk_owner")
        if person in rota and reached:
            found.add("on_call")
        return found

    def enough(self, case: Known, policy: Policy) -> bool:
        """Whether the yeses given so far are a quorum: distinct humans, required roles by different ones among them."""
        held: dict[str, set[Role]] = {}
        for person in case.yes:
            if roles := self.roles(case, policy, person):
                held.setdefault(human(policy, person), set()).update(roles)
        wanted = case.book.requires
        covered = any(
            all(role in held[who] for role, who in zip(wanted, chosen, strict=True))
            for chosen in permutations(held, len(wanted))
        )
        return case.book.approvals >= 1 and len(held) >= case.book.approvals and covered

    def verdict(self, click: Press, now: datetime) -> str:
        """What must come of a click: `quorum`, `yes`, `denied`, `withdrawn`, `again`, or why it is refused."""
        case, person = self.cases.get(click.case), click.person
        if case is None:
            return "stale"
        if click.action == "withdraw":
            lead = any(ref.matches(person) for ref in self.policy.providers[case.provider].leads)
            if person != case.form.person and not lead:
                return "unauthorised"
            return self._over(case, now) or "withdrawn"
        if click.action == "push":
            if person != case.form.person:
                return "unauthorised"
            return self._over(case, now) or ("lost" if "push" in dict(case.notes) else "push")
        if party(self.policy, person):
            return "party"
        if person.team != HOME or not self.roles(case, self.policy, person):
            return "unauthorised"
        found = self._allowed(case, click, now)
        counts = found in ("quorum", "yes", "denied", *TAKES_PART.values()) or (found == "stale" and click.version == 1)
        if not counts:  # nobody is looked up for what cannot count
            return found
        if person in self.silent:  # a no waits for no look-up: the signed ids decide
            return found if click.action == "deny" else "again"
        return "unauthorised" if person in self.gone | self.guests else found

    def _allowed(self, case: Known, click: Press, now: datetime) -> str:
        """What must come of a click of somebody who may decide."""
        person = click.person
        over = self._over(case, now)
        if over:
            return over
        if click.version != 1:
            return "stale"
        if click.action == "deny":
            return "denied"
        if click.action == "question":
            return "question"
        if click.action == "hold":
            return "lost" if "hold" in dict(case.notes) else "hold"
        if click.action == "pass":
            return "lost" if ("pass", person) in case.notes else "pass"
        if person in case.yes:
            return "lost"
        if not all(self.roles(case, policy, person) for policy in self.binding(case)):
            return "unauthorised"
        if self.doubted:
            return "stale"
        given = min(click.seconds or case.form.seconds, case.form.seconds)
        with_it = Known(**{**vars(case), "yes": case.yes | {person: given}})
        return "quorum" if all(self.enough(with_it, policy) for policy in self.binding(case)) else "yes"

    def _over(self, case: Known, now: datetime) -> str:
        if case.state == "expired" or (case.state == "pending" and now >= case.expires_at):
            return "late"
        return "" if case.state == "pending" else "lost"

    # What may be filed.

    def brake(self, form: FileRequest) -> str:
        """Why a filing must be refused; empty if it must not."""
        mine = [p for p in self.policy.providers.values() if any(ref.matches(form.person) for ref in p.requesters)]
        book = self.policy.runbooks.get(form.runbook)
        if not mine or book is None or book.id not in SERVED or mine[0].id not in book.providers:
            return "invalid"
        open_ = [c for c in self.cases.values() if c.state == "pending" and c.form.person == form.person]
        if sum(c.book.domain == book.domain for c in open_) >= 3:
            return "too_many_pending"
        same = any(c.book.id == book.id and c.form.target == form.target for c in open_)
        return "already_pending" if same else ""

    def minute_zero(self, case: Known, now: datetime) -> set[Person]:
        """Whom a filing asks at once, when everybody is there."""
        twins = [
            c for c in self.cases.values()
            if c.id != case.id and (c.provider, c.book.id, c.form.target) == (case.provider, case.book.id, case.form.target)
            and c.closed_at is not None
        ]  # fmt: skip
        denied = [c for c in twins if c.state == "denied" and now - c.closed_at < DAY]  # type: ignore[operator]
        wide = any(c.state == "expired" and now - c.closed_at < 2 * HOUR for c in twins)  # type: ignore[operator]
        roles: set[Role] = {"owner", *case.book.requires}
        if case.book.right == "immediate":
            roles |= {"deputies", "on_call"}
        if wide:
            ladder = self.policy.escalation_policies[case.book.escalation or ""]
            roles |= {step.role for step in ladder.steps if step.action == "notify"}
        first = {p for role in roles for p in people(self.policy, case.book.domain, role, now)}
        lacking = case.book.approvals - len({human(self.policy, p) for p in first})
        for deputy in self.policy.domains[case.book.domain].deputies:
            if lacking > 0 and human(self.policy, deputy) not in {human(self.policy, p) for p in first}:
                first.add(deputy)
                lacking -= 1
        if denied:
            denier = max(denied, key=lambda c: c.closed_at).closed_by  # type: ignore[arg-type, return-value]
            if denier in rostered(self.policy, case.book.domain):
                first.add(denier)  # type: ignore[arg-type]
        return first

    # One entry after the other.

    def read(self, entry: Mapping[str, Any], now: datetime) -> None:
        kind, case_id = entry["type"], entry.get("case")
        if kind in ("log.opened", "policy.loaded"):
            return
        if kind == "clock.anomaly":
            assert self.doubted or entry["data"]["accepted"]
            return
        if kind.startswith("absence."):
            self._left(entry["who"], entry["data"], now) if kind == "absence.set" else self._returned(entry["who"], now)
            return
        if kind.startswith("review.") or entry.get("data", {}).get("ask"):
            pass  # the time after the yes has tests of its own
        elif kind == "request.filed":
            self._filed(entry, now)
        elif kind == "request.refused":
            form = self._taken(lambda act: isinstance(act, FileRequest) and act.id == case_id)
            assert entry["data"]["reason_code"] == self.brake(form)
        elif kind in ("request.approved", "request.denied", "request.withdrawn", "decision.refused", *TAKES_PART):
            self._clicked(entry, now)
        elif kind.startswith("step."):
            self._stepped(self.cases[case_id], entry, now)
        elif kind == "request.expired":
            self._expired(self.cases[case_id], entry, now)
        elif kind == "grant.opened":
            self._opened(self.cases[case_id], entry, now)
        elif kind == "grant.lapsed":
            self._lapsed(self.cases[case_id], entry, now)
        else:
            assert kind in ("delivery.sent", "delivery.failed"), kind
        if case_id in self.cases:
            case = self.cases[case_id]
            case.pulling = (case.pulling and kind.startswith("step.")) or kind in ("request.passed", "request.pushed")
            assert entry["case_seq"] == len(case.events)
            case.events.append(kind)
            assert sum(e in OUTCOMES for e in case.events) <= 1

    # Who is here.

    def away(self, person: Person, now: datetime) -> bool:
        """They said so, and the time has not passed."""
        return person in self.absent and now < self.absent[person][1]

    def unreachable(self, person: Person, now: datetime) -> bool:
        return self.away(person, now) or person in self.gone - self.silent

    def fit(self, case: Known, person: Person) -> bool:
        return not party(self.policy, person) and human(self.policy, person) != human(self.policy, case.form.person)

    def nobody_hears(self, case: Known, now: datetime) -> bool:
        """The owner is away, and all who were asked and have not answered are away, gone, undeliverable or asleep: nobody
        here has a page address."""
        waiting = case.asked - set(case.yes)
        if not waiting or not self.away(self.policy.domains[case.book.domain].owner, now):
            return False
        deaf = case.failed | (self.asleep if case.book.kind == "emergency_access" else set())
        return all(self.unreachable(p, now) or p in deaf for p in waiting)

    def _left(self, person: Person, data: Mapping[str, Any], now: datetime) -> None:
        until = datetime.fromisoformat(data["until"])
        assert until > now
        self.absent[person] = (self.absent[person][0] if person in self.absent else now, until)

    def _returned(self, person: Person, now: datetime) -> None:
        if person not in self.absent:
            return
        since, until = self.absent.pop(person)
        if any(who == person and since <= at <= min(until, now) for who, at in self.answered):
            self.summaries[person] += party(self.policy, person) is None

    def ends_absences(self, now: datetime) -> None:
        """What a sweep does for those whose time has passed."""
        for person in [p for p, (_, until) in self.absent.items() if until <= now]:
            self._returned(person, now)

    def steps_back(self, by: timedelta) -> None:
        """An operator accepted a clock that had gone back: what is open lasts as long as it would have."""
        for case in self.cases.values():
            if case.state == "pending":
                case.filed_at += by
                case.expires_at += by
                case.due = {n: at + (by if n not in case.steps else timedelta(0)) for n, at in case.due.items()}
            if case.grant == "open" and case.not_after is not None:
                case.filed_at += by
                case.not_after += by
        self.absent = {p: (since + by, until + by) for p, (since, until) in self.absent.items()}

    def _taken(self, fits: Any) -> Any:
        act = next(act for act in self.pending if fits(act))
        self.pending.remove(act)
        return act

    def _filed(self, entry: Mapping[str, Any], now: datetime) -> None:
        form = self._taken(lambda act: isinstance(act, FileRequest) and act.id == entry["case"])
        assert self.brake(form) == ""
        assert entry["who"] == form.person
        book = self.policy.runbooks[form.runbook]
        ladder = self.policy.escalation_policies[book.escalation or ""]
        due = {n: now + timedelta(seconds=s.after) for n, s in enumerate(ladder.steps)}
        case = Known(
            form.id,
            form,
            book,
            now,
            party(self.policy, form.person) or "",
            now + timedelta(seconds=ladder.expires_after),
            due,
        )
        denied_before = [
            c for c in self.cases.values()
            if (c.provider, c.book.id, c.form.target, c.state) == (case.provider, book.id, form.target, "denied")
            and now - (c.closed_at or now) < DAY
        ]  # fmt: skip
        if denied_before:  # nobody later
            case.due = {n: at for n, at in due.items() if n == 0 or ladder.steps[n].action == "remind"}
        assert case.id not in self.cases
        self.cases[case.id] = case

    def _clicked(self, entry: Mapping[str, Any], now: datetime) -> None:
        kind, data = entry["type"], entry.get("data", {})
        decided = {"request.approved": "approve", "request.denied": "deny", "request.withdrawn": "withdraw"}
        decision = (decided | TAKES_PART).get(kind, data.get("action"))
        case_id = entry.get("case")
        outcome = {"request.denied": "denied", "request.withdrawn": "withdrawn"}.get(kind, data.get("why"))
        outcome = TAKES_PART.get(kind, outcome)
        if kind == "request.approved":
            outcome = "quorum" if "not_after" in data else "yes"

        def fits(act: FileRequest | Press) -> bool:
            known = act.case if isinstance(act, Press) and act.case in self.cases else None
            return (
                isinstance(act, Press)
                and (act.person, act.action, known) == (entry["who"], decision, case_id)
                and self.verdict(act, now) == outcome
            )

        waiting = [(a, self.verdict(a, now)) for a in self.pending if isinstance(a, Press)]
        assert any(fits(act) for act in self.pending), (outcome, entry, waiting)
        click = self._taken(fits)
        if kind == "decision.refused":
            return
        case = self.cases[click.case]
        if kind in TAKES_PART:
            case.notes.append((TAKES_PART[kind], click.person))
            self._held(case, now) if kind == "request.held" else None
            return
        if kind == "request.approved":
            given = min(click.seconds or case.form.seconds, case.form.seconds)
            case.yes[click.person] = given
            assert data["seconds"] == given
            case.quorum_due = outcome == "quorum"
            assert (entry.get("on_behalf_of") is None) == (data["role"] in ("owner", "risk_owner"))
        if kind in ("request.approved", "request.denied") and entry.get("on_behalf_of") is not None:
            assert entry["on_behalf_of"] == self.policy.domains[case.book.domain].owner
            self.answered.append((entry["on_behalf_of"], now))
        case.state = {"quorum": "approved", "denied": "denied", "withdrawn": "withdrawn"}.get(outcome, case.state)
        if case.state != "pending":
            case.closed_by, case.closed_at = click.person, now
        if kind == "request.denied":
            case.yes.pop(click.person, None)

    def _held(self, case: Known, now: datetime) -> None:
        """Steps of the next minutes wait for whoever is on it; later ones and the end keep their time."""
        until = now + timedelta(seconds=self.policy.hold)
        case.due = {n: until if n not in case.steps and now < at < until else at for n, at in case.due.items()}

    def _stepped(self, case: Known, entry: Mapping[str, Any], now: datetime) -> None:
        """Rule 6, and that nobody is asked who may not be."""
        data, fired = entry["data"], entry["type"] == "step.fired"
        step, action = data["step"], data["action"]
        assert case.state == "pending"
        assert now < case.expires_at
        if action == "handover":  # a change of shift is no step: it asks whoever is on call now
            assert set(data["to"]) <= people(self.policy, case.book.domain, "on_call", now) - case.asked
            case.asked |= set(data["to"])
            return
        if action == "stand_in":  # nor is an absence: it asks the first deputy present in the owner's place
            self._stood_in(case, set(data["to"]), now)
            return
        assert step in case.due
        assert step not in case.steps
        assert all(n < step for n in case.steps)
        assert now >= case.due[step] or self._pulled(case, step, now), f"step {step} of {case.id} came early"
        to = set(data.get("to", ()))
        if fired and action == "notify":
            assert to
            assert not to & case.asked
            assert not any(self.unreachable(p, now) for p in to)
            assert not any(party(self.policy, p) for p in to)
            assert to <= rostered(self.policy, case.book.domain)
            everybody = rostered(self.policy, case.book.domain)
            if step == 0 and not self.gone & everybody and not any(self.away(p, now) for p in everybody):
                assert to == self.minute_zero(case, now)
            quiet = to & self.asleep if case.book.kind == "emergency_access" else set()
            assert {told["who"] for told in data.get("quiet", ())} == quiet
            case.quiet[step] = quiet
            if step > 0:
                assert to <= people(self.policy, case.book.domain, data["role"], now)
            case.asked |= to
        elif fired:
            assert to <= case.asked
            assert not to & set(case.yes)
        case.steps[step] = (action, data.get("why", ""), to)
        case.pulling = case.pulling and not (fired and action == "notify")

    def _stood_in(self, case: Known, to: set[Person], now: datetime) -> None:
        domain = self.policy.domains[case.book.domain]
        assert self.away(domain.owner, now)
        assert domain.owner not in case.yes
        present = (
            d for d in domain.deputies if not self.unreachable(d, now) and d not in case.failed and self.fit(case, d)
        )
        assert to == {next(present)}
        assert not to & case.asked
        case.asked |= to

    def _pulled(self, case: Known, step: int, now: datetime) -> bool:
        """Whether the `notify` step before proved empty: skipped, or nobody of it could be reached or woken."""
        if case.pulling or self.nobody_hears(case, now):
            return True
        for before in sorted((n for n in case.steps if n < step), reverse=True):
            action, why, to = case.steps[before]
            if action == "remind" or why == "already_asked":
                continue
            return why in EMPTY or (not why and to <= case.failed | case.quiet.get(before, set()))
        return False

    def _expired(self, case: Known, entry: Mapping[str, Any], now: datetime) -> None:
        assert case.state == "pending"
        assert now >= case.expires_at
        assert set(entry["data"]["asked"]) == case.asked
        case.state, case.closed_at = "expired", now

    def _opened(self, case: Known, entry: Mapping[str, Any], now: datetime) -> None:
        """Rule 8."""
        assert case.quorum_due
        counted = [given for person, given in case.yes.items() if self.roles(case, self.policy, person)]
        assert entry["data"]["seconds"] == min(counted) <= case.book.max_duration
        case.quorum_due, case.grant = False, "open"
        case.not_after = now + timedelta(seconds=entry["data"]["seconds"])
        assert datetime.fromisoformat(entry["data"]["not_after"]) == case.not_after

    def _lapsed(self, case: Known, entry: Mapping[str, Any], now: datetime) -> None:
        assert case.grant == "open"
        assert case.not_after is not None
        assert now >= case.not_after
        case.grant = "lapsed"

    # After everything that waited was carried out.

    def settled(self, now: datetime) -> None:
        """Each act has had its one entry, but for clicks whose author Slack would not vouch for."""
        left = [act for act in self.pending if not (isinstance(act, Press) and self.verdict(act, now) == "again")]
        assert left == []
        self.pending.clear()

    def swept(self, now: datetime) -> None:
        """Rule 7, and that what was due has happened."""
        for case in self.cases.values():
            if case.state == "pending":
                assert now < case.expires_at
                assert all(n in case.steps for n, at in case.due.items() if at <= now)
            if case.grant == "open":
                assert case.not_after is not None
                assert now < case.not_after
