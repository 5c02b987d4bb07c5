"""What the clock does to a case: steps, expiry, lapse, what is owed. Silence takes the same line as a click.

Everything that is due is due at once, however late it is: after downtime nothing waits for another turn. Every open ask is
stepped or expires by the one engine (`asks.engine`), of whatever kind (design, section 4; rules 6 and 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.authority.policy_rollout import met_by_all
from bot.domain.authority.quorum import count
from bot.domain.case.ask import OWN, Ask
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.decision_log import grant_events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.timing import cooling_off
from bot.domain.timing.escalation import Presence, rings, undelivered
from bot.domain.workflow import autonomous_rights, notifications
from bot.domain.workflow.asks import approval, engine
from bot.domain.workflow.follow_up import Effects, chased, grant_effects
from bot.domain.workflow.providers import asking_rights
from bot.domain.workflow.wake import wake_at


def sweep(
    case: Case, policy: Policy, presence: Presence, now: datetime, delivered: int, older: Sequence[Policy] = ()
) -> Transition | None:
    """What is due on a case at `now`; None when nothing will ever be.

    `delivered`: how many of its cards Slack accepted. `older`: earlier policy sets that must allow what opens, too.
    """
    pending = case.request.waits
    gone = asking_rights.expires(case, policy, now) if pending and now < case.approval.expires_at else None
    if gone is not None:
        ended = approval.expired(case, case.approval, policy, now, delivered, gone)
        return Transition(case, ended.case, ended.drafts, ended.says, wake_at(ended.case, policy, now), refresh=True)
    if cooling_off.waits(case) and now < case.approval.expires_at:
        return _cooled(case, policy, presence, now, delivered, older)
    effects = grant_effects(case, policy, now) or Effects(case)
    for ask in effects.case.asks:
        if ask.state is AskState.OPEN and (pending or ask.kind not in OWN):
            effects = effects.then(_due(effects.case, ask, policy, presence, now, delivered))
    effects = effects.then(chased(effects.case, policy, now) or Effects(effects.case))
    wake = wake_at(effects.case, policy, now)
    if effects.case is case:
        return None if wake is None else Transition(case, case, wake_at=wake)
    shown = bool(effects.drafts) or not pending
    return Transition(case, effects.case, effects.drafts, effects.says, wake, refresh=shown)


def card_failed(
    case: Case, policy: Policy, presence: Presence, person: Person, reason: str, now: datetime, version: int | None = None
) -> Transition | None:
    """A card will never reach `person`: recorded, and if their step thereby reached nobody, the next one fires at once.

    `version`: of the ask whose card it was; None: it was a card of the request's own ask. None is returned where that ask is
    closed, so that nothing is to be done.
    """
    own = case.approval if case.request.waits else None
    ask = own if version is None else case.question(version)
    if ask is None or ask.state is not AskState.OPEN or now >= ask.expires_at:
        return None
    marked, empty = undelivered(ask, person, reason)
    if cooling_off.waits(case):  # the quorum is met: nobody else need be asked
        effects = Effects(case.with_ask(marked))
    else:
        effects = engine.step(case, marked, policy, presence, now, pulling=empty)
    wake = wake_at(effects.case, policy, now)
    return Transition(case, effects.case, effects.drafts, effects.says, wake, refresh=bool(effects.drafts))


def slack_is_silent(case: Case, policy: Policy, person: Person, now: datetime) -> Transition | None:
    """Slack is unavailable: people who were asked and can be paged are paged instead, once."""
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


def _due(case: Case, ask: Ask, policy: Policy, presence: Presence, now: datetime, delivered: int) -> Effects:
    if now >= ask.expires_at:
        return engine.expire(case, ask, policy, now, delivered)
    return engine.step(case, ask, policy, presence, now)


def _cooled(
    case: Case, policy: Policy, presence: Presence, now: datetime, delivered: int, older: Sequence[Policy]
) -> Transition | None:
    """A quorum that waited: it opens now if it is still met, else the ladder continues."""
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
