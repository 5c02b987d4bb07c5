"""The owner is away: their open questions go to the first deputy present, on their behalf.

Every question that waits for the owner moves: the request's own and those after the yes. When that deputy goes away too,
or cannot be reached, the next one present is asked. Where no deputy is present and nobody else who was asked is there, the
request's next `notify` step fires at once, as after any step that proves empty. The owner keeps the authority, and a person who
was asked keeps it too. A quorum that waits to open something waits for nobody (`cooling_off`). Design, section 4.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.authority.authorization import is_barred
from bot.domain.case.ask import Ask, Reached
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.decision_log import events
from bot.domain.policy.model import Domain, Policy
from bot.domain.timing import cooling_off
from bot.domain.timing.escalation import Presence, advance, may_wake, rings
from bot.domain.workflow import notifications
from bot.domain.workflow.asks import engine
from bot.domain.workflow.asks.kinds import KINDS
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.wake import wake_at


def stand_in(case: Case, policy: Policy, presence: Presence, now: datetime) -> Transition | None:
    """What an absence does to a case; None where it does nothing."""
    domain = policy.domains.get(case.request.domain)
    if (
        domain is None
        or case.request.drill is not None
        or cooling_off.waits(case)
        or presence.away.get(domain.owner) != "absent"
    ):
        return None
    effects = Effects(case)
    for ask in case.asks:
        if ask.state is AskState.OPEN and now < ask.expires_at and _waits_for_owner(ask, domain):
            effects = effects.then(_handed_on(effects.case, ask, policy, domain, presence, now))
    if effects.case is case:
        return None
    return Transition(case, effects.case, effects.drafts, effects.says, wake_at(effects.case, policy, now))


def _waits_for_owner(ask: Ask, domain: Domain) -> bool:
    """It was put to the owner, or to somebody for them, and none of these has answered."""
    theirs = [r.person for r in ask.reached if r.person == domain.owner or r.for_owner]
    return bool(theirs) and not any(ask.vote_of(person) for person in theirs)


def _handed_on(case: Case, ask: Ask, policy: Policy, domain: Domain, presence: Presence, now: datetime) -> Effects:
    failed = {r.person for r in ask.reached if r.failed}
    present = (d for d in domain.deputies if presence.here(d) and d not in failed and not is_barred(case, ask, policy, d))
    deputy = next(present, None)
    if deputy is None:
        return _moved_on(case, ask, policy, presence, now)
    if deputy in ask.asked:
        return Effects(case)
    reached = Reached(deputy, "deputies", 0, now, for_owner=True)
    asleep = deputy in presence.quiet and may_wake(ask, ask.steps[0])
    called = asleep or ask.steps[0].page
    rung = called and rings(policy, domain.id, reached)
    reached = replace(reached, paged=rung and presence.brake is None)
    after = case.with_ask(replace(ask, reached=(*ask.reached, reached)))
    says = (notifications.card_of(after, ask, reached), *notifications.pages(after, reached))
    effects = Effects(after, (events.stood_in(after, policy, reached, ask.kind),), says)
    heard = not asleep or rung
    return effects if heard else effects.then(_moved_on(after, after.question(ask.version) or ask, policy, presence, now))


def _moved_on(case: Case, ask: Ask, policy: Policy, presence: Presence, now: datetime) -> Effects:
    """Nobody who was asked is there and awake: the request's next step fires at once."""
    there = (r for r in ask.reached if presence.here(r.person) and not r.failed and ask.vote_of(r.person) is None)
    if not KINDS[ask.kind].moves_on or any(r.person not in presence.quiet or r.paged or presence.brake for r in there):
        return Effects(case)
    result = advance(case, ask, policy, presence, now, pulling=True)
    return engine.stepped(case, policy, result, presence, now) if result.events else Effects(case)
