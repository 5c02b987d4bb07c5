"""How a drill's ask proceeds: who has answered, the pace of its steps, its recipients, and when it ends.

*I am here* decides nothing, so the ladder continues: everybody is to be tested. The drill ends when every step has fired or
been skipped and everybody asked has answered, or at its deadline. Its request ends as `expired` either way; its ask says
whether everybody answered (`yes`) or not (`expired`). Design, section 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.domain.case.ask import Ask, Reached
from bot.domain.case.lifecycle import move_ask, move_request
from bot.domain.case.model import Case
from bot.domain.case.transition import CLOCK, SYSTEM, Lane, Notification
from bot.domain.decision_log import events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow.follow_up import Effects


def after_steps(effects: Effects, policy: Policy, now: datetime) -> Effects:
    """The next steps of a fast drill come closer, messages go to the drill's recipients, and it ends when it is over."""
    case = effects.case.with_approval(_hurried(effects.case, effects.case.approval, now))
    stepped = Effects(case, effects.drafts, _addressed(case, effects.says))
    return stepped.then(_ended(case, policy, now)) if _over(case) else stepped


def expired(case: Case, ask: Ask, policy: Policy, now: datetime, delivered: int) -> Effects:
    """The deadline has come: it ends as it is."""
    return _ended(case, policy, now)


def waiting_for(case: Case, person: Person) -> tuple[Reached, ...]:
    """The people for whom `person` would answer now: themselves, or in an `only_me` drill everybody asked who has no answer yet."""
    drill = case.request.drill
    if drill is None:
        return ()
    mine = (r for r in case.approval.reached if person == (drill.only_me or r.person))
    return tuple(r for r in mine if answered_at(case, r) is None)


def answered_at(case: Case, reached: Reached) -> datetime | None:
    """When the person answered, or the caller of an `only_me` drill for them; None: not yet."""
    drill = case.request.drill
    who = reached.person if drill is None or drill.only_me is None else drill.only_me
    answers = (v.at for v in case.approval.votes if v.answer == "here" and v.person == who and v.at >= reached.at)
    return next(answers, None)


def missed(case: Case) -> tuple[Person, ...]:
    """Who was asked and did not answer."""
    return tuple(r.person for r in case.approval.reached if answered_at(case, r) is None)


def hears(case: Case, person: Person) -> Person:
    """The recipient of a message meant for `person`."""
    drill = case.request.drill
    return person if drill is None or drill.only_me is None else drill.only_me


def _hurried(case: Case, ask: Ask, now: datetime) -> Ask:
    """In a fast drill no step waits longer than its paces from now; none is put off."""
    if case.request.drill is None or not case.request.drill.fast:
        return ask
    pace = (ask.expires_at - ask.opened_at) / (len(ask.steps) + 1)
    waiting = [s.index for s in ask.steps if s.state == "waiting"]
    due = {index: now + place * pace for place, index in enumerate(waiting, start=1)}
    return replace(
        ask, steps=tuple(replace(s, due_at=min(s.due_at, due[s.index])) if s.index in due else s for s in ask.steps)
    )


def _addressed(case: Case, says: Iterable[Notification]) -> tuple[Notification, ...]:
    """The drill's recipients: the usual ones, or only the caller, each message once, and no channel."""
    drill = case.request.drill
    if drill is None or drill.only_me is None:
        return tuple(says)
    mine = {say.purpose: replace(say, to=drill.only_me) for say in says if say.to is not None}
    return tuple(mine.values())


def _over(case: Case) -> bool:
    """Every step has fired or been skipped, and everybody who got a card has answered."""
    ask = case.approval
    answered = all(r.failed or answered_at(case, r) is not None for r in ask.reached)
    return answered and all(s.state != "waiting" for s in ask.steps)


def _ended(case: Case, policy: Policy, now: datetime) -> Effects:
    """The end: notifies the channel and the owner, and updates every card."""
    ask, lost = case.approval, missed(case)
    everybody = bool(ask.reached) and not lost
    request = replace(case.request, state=move_request(case.request.state, "expire"), closed_at=now)
    ask = replace(ask, state=move_ask(ask.state, "yes" if everybody else "expire"))
    after = replace(case, request=request).with_approval(ask)
    who = CLOCK if now >= ask.expires_at else SYSTEM
    return Effects(after, (events.drill_ended(after, policy, who, lost),), _report(after, policy))


def _report(case: Case, policy: Policy) -> tuple[Notification, ...]:
    drill, domain = case.request.drill, policy.domains.get(case.request.domain)
    if drill is not None and drill.only_me is not None:
        return (Notification("drill_report", Lane.CARD, case.id, to=drill.only_me),)
    if domain is None:
        return ()
    return (
        Notification("drill_report", Lane.CARD, case.id, channel=domain.channel),
        Notification("drill_report", Lane.CARD, case.id, to=domain.owner),
    )
