"""Who is asked, when, and what silence does. One engine for every ask.

Steps are frozen at the filing; the people behind a role are resolved when a step fires (design, section 4).
- The first step asks the minute-0 set: the owner, every role in `requires`, and as many deputies present as the quorum
  still lacks; for `immediate` everybody at once.
- A later step asks only people not yet asked. One that adds nobody because all were asked is skipped and pulls nothing
  forward. One whose people are all unreachable is skipped, and the next `notify` step that reaches somebody new fires at
  once; reminders between are dropped and recorded.
- Whoever sleeps (notifications paused) gets the card and keeps the authority, and is paged where a page address is known. A
  step that could wake nobody counts as unreachable: the next one fires at once. Neither for asks after the yes, which wait
  for the morning (`daytime`); only the opening of a break-glass pages.
- Before the deadline everybody asked who is silent is warned, once.
- Where a yes must be signed, a step that reaches only people without a key that counts is skipped as `no_passkey`: they are asked and
  may deny, and the next step fires at once.
- After downtime the people of all overdue steps are asked once; overdue reminders are dropped and recorded.
- At the deadline the ask expires, whether or not a step is left. Silence never approves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.authority.authorization import conflicted, is_barred, suspended
from bot.domain.authority.signatures import demanded, may_sign
from bot.domain.case.ask import NOT_BY_ONLY_APPROVER, Ask, Brake, Reached, Step
from bot.domain.case.model import Case
from bot.domain.policy.model import Domain, Policy, Role
from bot.domain.policy.people import Person
from bot.domain.timing.steps import people_of

REMINDER_GRACE = timedelta(seconds=30)  # a reminder later than this was missed, not delayed
Away = Literal["absent", "deactivated", "undeliverable"]


def no_others(_asked_at: datetime) -> Sequence[Policy]:
    """No earlier set binds: for what is judged by one set alone."""
    return ()


@dataclass(frozen=True, slots=True)
class Presence:
    """Whom a question cannot reach now, and why. Everybody else is there; `quiet`: but sleeps until then. `brake`: nobody is
    paged, and nobody asleep is passed over, because the requester has woken enough (`waking`). `binding`: the earlier sets that
    still bind what is asked for at a moment, in which a key must stand too."""

    away: Mapping[Person, Away]
    quiet: Mapping[Person, datetime] = field(default_factory=dict)
    brake: Brake | None = None
    binding: Callable[[datetime], Sequence[Policy]] = no_others

    def here(self, person: Person) -> bool:
        return person not in self.away


@dataclass(frozen=True, slots=True)
class Fired:
    """A step that took effect: `people` are newly asked (a `remind` reminds them).

    `quiet`: who of them sleeps, until when; `unheard`: nothing could wake any of them; `braked`: nobody was paged for it.
    """

    step: Step
    people: tuple[Reached, ...]
    quiet: tuple[tuple[Person, datetime], ...] = ()
    unheard: bool = False
    braked: Brake | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A step that found nobody who could say yes: `why` is `no_passkey` (those in `told` are asked all the same, and may deny), `already_asked`, `absent`, `deactivated`, `undeliverable`, `conflicted`, `suspended`,
    `nobody` or, for a reminder, `overdue`, `passed_by` or `nobody_left`."""

    step: Step
    why: str
    told: tuple[Reached, ...] = ()


@dataclass(frozen=True, slots=True)
class Advance:
    """What is due on an ask at one moment, in order, and the ask after it. `warned`: the recipients of the warning."""

    ask: Ask
    events: tuple[Fired | Skipped, ...]
    warned: tuple[Person, ...] = ()


def advance(case: Case, ask: Ask, policy: Policy, presence: Presence, now: datetime, *, pulling: bool = False) -> Advance:
    """Everything that is due on an open ask at `now`, short of its end (`now` before `expires_at`).

    `pulling`: the last step proved to reach nobody, so the next `notify` step that reaches somebody new fires at once.
    """
    events: list[Fired | Skipped] = []
    for index in range(len(ask.steps)):
        step = ask.steps[index]
        if step.state != "waiting" or not (step.due_at <= now or pulling):
            continue
        event = _judge(case, ask, policy, presence, step, now, pulling=pulling)
        pulling = _pulls(event, pulling)
        events.append(event)
        ask = _applied(ask, event)
    if ask.warn_at is None or now < ask.warn_at:
        return Advance(ask, tuple(events))
    silent = tuple(p for p in ask.asked if ask.vote_of(p) is None and not is_barred(case, ask, policy, p))
    return Advance(replace(ask, warn_at=None), tuple(events), silent)


def undelivered(ask: Ask, person: Person, reason: str) -> tuple[Ask, bool]:
    """The ask after the question proved undeliverable to `person`, and whether their step has then reached nobody.

    News only: a failure reported again, or of somebody who was not asked, empties no step a second time. And a step that
    proves empty after a later one reached somebody has its successor already: nothing is pulled forward.
    """
    if not any(r.person == person and not r.failed for r in ask.reached):
        return ask, False
    marked = tuple(replace(r, failed=r.failed or reason) if r.person == person else r for r in ask.reached)
    steps = {r.step for r in marked if r.person == person}
    return replace(ask, reached=marked), all(r.failed for r in marked if r.step >= min(steps))


def _judge(
    case: Case, ask: Ask, policy: Policy, presence: Presence, step: Step, now: datetime, *, pulling: bool
) -> Fired | Skipped:
    if step.action == "remind":
        return _remind(ask, policy, case, step, now, pulling=pulling)
    domain = policy.domains.get(case.request.domain)
    if domain is None:
        return Skipped(step, "nobody")
    wanted = _wanted(case, ask, policy, domain, presence, step, now)
    new = [r for r in wanted if r.person not in ask.asked]
    fit = [r for r in new if not is_barred(case, ask, policy, r.person)]
    there = [r for r in fit if presence.here(r.person)]
    if there and not any(_may_sign(case, ask, policy, presence, r.person) for r in there):
        return Skipped(step, "no_passkey", tuple(there))
    if there:
        return fire(case, ask, policy, presence, step, there)
    return Skipped(step, _why_nobody(policy, domain.id, wanted, new, fit, presence))


def _may_sign(case: Case, ask: Ask, policy: Policy, presence: Presence, person: Person) -> bool:
    """Whether a yes of theirs could be signed as this ask demands it, with a key that counts already."""
    older = presence.binding(ask.opened_at)
    return may_sign(policy, person, demanded(case, ask.kind, policy, older), older)


def may_wake(ask: Ask, step: Step) -> bool:
    """Whether somebody who sleeps is paged for this. The built-in ladder pages nobody, but for a break-glass's opening."""
    return ask.due_at is None or step.page


def fire(case: Case, ask: Ask, policy: Policy, presence: Presence, step: Step, there: Sequence[Reached]) -> Fired:
    """Who of the people asked is paged, who sleeps, and whether anybody can be reached."""
    if not may_wake(ask, step):
        return Fired(step, tuple(there))
    quiet = tuple((r.person, presence.quiet[r.person]) for r in there if r.person in presence.quiet)
    asleep = {person for person, _ in quiet}
    people = tuple(
        replace(r, paged=(step.page or r.person in asleep) and rings(policy, case.request.domain, r)) for r in there
    )
    if presence.brake is not None and any(r.paged for r in people):
        return Fired(step, tuple(there), quiet, braked=presence.brake)
    return Fired(step, people, quiet, all(r.person in asleep and not r.paged for r in people))


def rings(policy: Policy, domain_id: str, reached: Reached) -> bool:
    """Whether a page has an address: the person's own, or for the on-call the rota's."""
    if any(p.person == reached.person and p.page for p in policy.people):
        return True
    domain = policy.domains.get(domain_id)
    rota = policy.rotas.get(domain.on_call) if domain is not None and domain.on_call else None
    return reached.role == "on_call" and rota is not None and rota.page is not None


def _remind(ask: Ask, policy: Policy, case: Case, step: Step, now: datetime, *, pulling: bool) -> Fired | Skipped:
    """Reminds those of the role who were asked and have not answered."""
    if pulling and step.due_at > now:
        return Skipped(step, "passed_by")
    if now - step.due_at > REMINDER_GRACE:
        return Skipped(step, "overdue")
    silent = tuple(
        r
        for r in ask.reached
        if _same_role(r, step.role) and ask.vote_of(r.person) is None and not conflicted(case, policy, r.person)
    )
    return Fired(step, silent) if silent else Skipped(step, "nobody_left")


def _same_role(reached: Reached, role: Role) -> bool:
    return reached.role == role or (role == "owner" and reached.for_owner)


def _wanted(
    case: Case, ask: Ask, policy: Policy, domain: Domain, presence: Presence, step: Step, now: datetime
) -> tuple[Reached, ...]:
    """Everybody a step asks, whether reachable or not; the owner's seat goes to a deputy while they are absent."""
    wanted: dict[Person, Reached] = {}

    def want(people: Iterable[Person], role: Role, *, for_owner: bool = False) -> None:
        for person in people:
            wanted.setdefault(person, Reached(person, role, step.index, now, for_owner))

    for role in dict.fromkeys((step.role, *(("owner",) if step.index == 0 else ()), *step.also)):
        people = people_of(role, policy, domain, now)
        want(people, role)
        own_review = ask.kind in NOT_BY_ONLY_APPROVER and is_barred(case, ask, policy, domain.owner)
        if role == "owner" and (own_review or presence.away.get(domain.owner) == "absent"):
            stand_in = next((d for d in domain.deputies if presence.here(d) and not is_barred(case, ask, policy, d)), None)
            want([stand_in] if stand_in else [], "deputies", for_owner=True)
    if step.index == 0:
        want(_fill(case, ask, policy, domain, presence, wanted), "deputies")
    return tuple(wanted.values())


def _fill(
    case: Case, ask: Ask, policy: Policy, domain: Domain, presence: Presence, wanted: Mapping[Person, Reached]
) -> Sequence[Person]:
    """As many present deputies as the quorum still lacks besides the people already asked who can answer.

    Where nobody of them can, the step is not filled up: it is skipped, and the next one fires with its whole role.
    """

    def can(person: Person) -> bool:
        able = _may_sign(case, ask, policy, presence, person)
        return presence.here(person) and not conflicted(case, policy, person) and able

    here = {policy.humans.key(p) for p in wanted if can(p)}
    if not here and any(s.action == "notify" and s.index > 0 for s in ask.steps):
        return ()
    spare = [d for d in domain.deputies if can(d) and policy.humans.key(d) not in here]
    return spare[: max(0, ask.need - len(here))]


def _why_nobody(
    policy: Policy,
    domain_id: str,
    wanted: Sequence[Reached],
    new: Sequence[Reached],
    fit: Sequence[Reached],
    presence: Presence,
) -> str:
    if not wanted:
        return "nobody"
    if not new:
        return "already_asked"
    if not fit:
        return "conflicted" if all(suspended(policy, domain_id, r.person) is None for r in new) else "suspended"
    reasons = [presence.away[r.person] for r in fit]
    return next((why for why in ("deactivated", "undeliverable", "absent") if why in reasons), "nobody")


def _pulls(event: Fired | Skipped, pulling: bool) -> bool:
    """Whether the next `notify` step fires at once: an unreachable step starts it, a step that reaches somebody ends it."""
    if event.step.action == "remind":
        return pulling
    if isinstance(event, Fired):
        return event.unheard
    return pulling or event.why != "already_asked"


def _applied(ask: Ask, event: Fired | Skipped) -> Ask:
    done = replace(
        event.step, state="fired" if isinstance(event, Fired) else "skipped",
        why=event.why if isinstance(event, Skipped) else "",
    )  # fmt: skip
    steps = tuple(done if s.index == done.index else s for s in ask.steps)
    asked = event.people if isinstance(event, Fired) else event.told
    new = asked if event.step.action == "notify" else ()
    braked = event.braked if isinstance(event, Fired) else None
    return replace(ask, steps=steps, reached=(*ask.reached, *new), braked=braked or ask.braked)
