"""What the clock does to a case: steps, expiry, lapse, what is owed. Silence takes the same line as a click.

Everything that is due is due at once, however late it is: after downtime nothing waits for another turn. An ask that
passed its deadline expires, and its steps that nobody saw stay unfired (design, section 4; rules 6 and 7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.authority.policy_rollout import met_by_all
from bot.domain.authority.quorum import count
from bot.domain.case.ask import Ask, AskKind
from bot.domain.case.lifecycle import AskState, RequestState, move_ask, move_request
from bot.domain.case.model import Case
from bot.domain.case.transition import CLOCK, LogEvent, Transition
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.timing import cooling_off
from bot.domain.timing.escalation import Advance, Presence, advance, rings, undelivered
from bot.domain.timing.steps import next_wake
from bot.domain.workflow import autonomous_rights, notifications
from bot.domain.workflow.follow_up import LONGER, Effects, asked_again, chased, grant_effects, grant_wake
from bot.domain.workflow.shift_change import hand_over, next_shift

OVERDUE: Mapping[AskKind, str] = {
    "review": "review.overdue",
    "right": "review.overdue",
    "restore": "authority.overdue",
    "ratification": "breakglass.unratified",
}


def sweep(
    case: Case, policy: Policy, presence: Presence, now: datetime, delivered: int, older: Sequence[Policy] = ()
) -> Transition | None:
    """What is due on a case at `now`; None when nothing will ever be. `delivered`: cards that Slack accepted; `older`:
    earlier sets that must allow what opens, too."""
    if cooling_off.waits(case) and now < case.approval.expires_at:
        return _cooled(case, policy, presence, now, delivered, older)
    if case.request.state is RequestState.PENDING:
        if now >= case.approval.expires_at:
            return _expire(case, policy, now, delivered)
        return _stepped(case, policy, advance(case, case.approval, policy, presence, now), presence, now)
    return _after_the_yes(case, policy, presence, now)


def card_failed(
    case: Case, policy: Policy, presence: Presence, person: Person, reason: str, now: datetime
) -> Transition | None:
    """A card will never reach `person`: recorded, and if their step thereby reached nobody, the next one fires at once."""
    if case.request.state is not RequestState.PENDING or now >= case.approval.expires_at:
        return None
    ask, empty = undelivered(case.approval, person, reason)
    if cooling_off.waits(case):  # the quorum is met: nobody else need be asked
        after = case.with_approval(ask)
        return Transition(case, after, wake_at=wake_at(after, policy, now))
    return _stepped(case, policy, advance(case, ask, policy, presence, now, pulling=empty), presence, now)


def ask_failed(
    case: Case, policy: Policy, presence: Presence, version: int, person: Person, reason: str, now: datetime
) -> Transition | None:
    """The same for the card of an ask after the yes."""
    ask = case.question(version)
    if ask is None or ask.state is not AskState.OPEN or now >= ask.expires_at:
        return None
    marked, empty = undelivered(ask, person, reason)
    chore = later_stepped(case, policy, advance(case, marked, policy, presence, now, pulling=empty))
    return Transition(case, chore.case, chore.drafts, chore.says, wake_at(chore.case, policy, now))


def slack_is_silent(case: Case, policy: Policy, person: Person, now: datetime) -> Transition | None:
    """Slack takes nothing: whoever was asked and can be paged is paged instead, once."""
    ask = case.asks[0]
    if ask.state is not AskState.OPEN:
        return None
    rung = [r for r in ask.reached if r.person == person and not r.paged and rings(policy, case.request.domain, r)]
    if not rung:
        return None
    reached = tuple(replace(r, paged=True) if r in rung else r for r in ask.reached)
    after = case.with_ask(replace(ask, reached=reached))
    says = notifications.pages(after, replace(rung[0], paged=True), slack_down=True)
    return Transition(case, after, (), says, wake_at(after, policy, now))


def wake_at(case: Case, policy: Policy, now: datetime) -> datetime | None:
    """When the sweeper must look at the case again, also for a change of shift after `now`; None: never."""
    if cooling_off.waits(case) and case.approval.opens_at is not None:
        return case.approval.opens_at
    if case.request.state is RequestState.PENDING:
        shift = next_shift(case, policy, now)
        return min([next_wake(case.approval), *([shift] if shift else [])])
    asks = (next_wake(ask) for ask in case.later if ask.state is AskState.OPEN)
    return min((*grant_wake(case), *asks), default=None)


def later_stepped(case: Case, policy: Policy, result: Advance) -> Effects:
    """What the steps of an ask after the yes say and log, and that it is overdue, once."""
    ask, before = result.ask, case.question(result.ask.version)
    after = case.with_ask(ask)
    drafts = [events.step(after, policy, event, ask.kind) for event in result.events]
    if any(event.step.index == 0 for event in result.events):
        drafts += _begins(after, ask, policy)
    says = tuple(say for event in result.events for say in notifications.later_step(after, ask, event))
    if ask.kind in OVERDUE and before is not None and before.warn_at is not None and ask.warn_at is None:
        drafts.append(events.due(after, policy, OVERDUE[ask.kind], CLOCK, ask.due_at))
        says += notifications.channel_line(after, policy, OVERDUE[ask.kind])
    return Effects(after, tuple(drafts), says)


def _begins(case: Case, ask: Ask, policy: Policy) -> list[LogEvent]:
    """The scheduled review of a right begins only now; of every other ask its opening said so."""
    return [events.due(case, policy, "review.due", CLOCK, ask.due_at)] if ask.kind == "right" else []


def _stepped(case: Case, policy: Policy, result: Advance, presence: Presence, now: datetime) -> Transition:
    done = stepped(case, policy, result, presence, now)
    return Transition(case, done.case, done.drafts, done.says, wake_at(done.case, policy, now), refresh=bool(done.drafts))


def stepped(case: Case, policy: Policy, result: Advance, presence: Presence, now: datetime) -> Effects:
    """The steps that were due, and then whoever is on call since a change of shift."""
    ask, next_one = hand_over(case, result.ask, policy, presence, now)
    after = case.with_approval(ask)
    drafts = [events.step(after, policy, event) for event in result.events]
    says = [say for event in result.events for say in notifications.step(after, policy, event)]
    says += notifications.warnings(after, result.warned)
    if next_one is not None:
        drafts.append(events.handed_over(after, policy, next_one))
        says += [notifications.card(after, next_one), *notifications.pages(after, next_one)]
    return Effects(after, tuple(drafts), tuple(says))


def _cooled(
    case: Case, policy: Policy, presence: Presence, now: datetime, delivered: int, older: Sequence[Policy]
) -> Transition | None:
    """A quorum that waited: it opens now if it still stands, and else the ladder goes on."""
    opens_at = case.approval.opens_at
    if opens_at is not None and now < opens_at:
        return Transition(case, case, wake_at=opens_at)
    if case.request.right == "autonomous" and autonomous_rights.gone(case, policy, now) is None:
        used = autonomous_rights.opened(case, policy, now, None)
        return Transition(case, used.case, used.drafts, used.says, wake_at(used.case, policy, now), refresh=True)
    tally = count(case, case.approval, policy)
    if not (tally.met and met_by_all(older, case, case.approval)):
        on = sweep(case.with_approval(replace(case.approval, opens_at=None)), policy, presence, now, delivered)
        return None if on is None else replace(on, before=case, refresh=True)
    grant = cooling_off.grant(case, tally, now)
    after = cooling_off.opened(case, grant, None)
    drafts = grant_events.grant_opened(after, policy, None, grant)
    return Transition(case, after, drafts, notifications.outcome(after, policy), wake_at(after, policy, now), refresh=True)


def _after_the_yes(case: Case, policy: Policy, presence: Presence, now: datetime) -> Transition | None:
    """What is due on the grant, on each open ask and on what is owed."""
    chore = grant_effects(case, policy, now) or Effects(case)
    for ask in chore.case.later:
        if ask.state is AskState.OPEN and next_wake(ask) <= now:
            chore = chore.then(_later(chore.case, ask, policy, presence, now))
    chore = chore.then(chased(chore.case, policy, now) or Effects(chore.case))
    wake = wake_at(chore.case, policy, now)
    if chore.case is case:
        return None if wake is None else Transition(case, case, wake_at=wake)
    return Transition(case, chore.case, chore.drafts, chore.says, wake, refresh=True)


def _later(case: Case, ask: Ask, policy: Policy, presence: Presence, now: datetime) -> Effects:
    if now < ask.expires_at:
        return later_stepped(case, policy, advance(case, ask, policy, presence, now))
    late = replace(ask, state=move_ask(ask.state, "expire"), warn_at=None)
    after = case.with_ask(late)
    unsaid = ask.kind in OVERDUE and ask.warn_at is not None
    drafts = _begins(after, ask, policy) if unsaid and ask.steps[0].state == "waiting" else []
    drafts += [events.due(after, policy, OVERDUE[ask.kind], CLOCK, ask.due_at)] if unsaid else []
    says = notifications.channel_line(after, policy, OVERDUE[ask.kind]) if unsaid else ()
    if ask.kind in LONGER:
        drafts.append(events.due(after, policy, f"{ask.kind}.expired", CLOCK, None))
    return Effects(asked_again(after, ask, now), tuple(drafts), says)


def _expire(case: Case, policy: Policy, now: datetime, delivered: int) -> Transition:
    ask = replace(case.approval, state=move_ask(case.approval.state, "expire"), opens_at=None)
    request = replace(case.request, state=move_request(case.request.state, "expire"), closed_at=now)
    after = replace(case, request=request).with_approval(ask)
    says = notifications.outcome(after, policy)
    draft = events.expired(after, policy, delivered, now - case.approval.expires_at)
    return Transition(case, after, (draft,), says, refresh=True)
