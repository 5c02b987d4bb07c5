"""A drill: the ladder of a runbook run for real, to find out whom it reaches and how fast. It never gives anything.

A drill is a case whose request asks for nothing. Its one ask has the runbook's own frozen steps and goes through the very
engine of every ask (`escalation`): real people, real pages, the word DRILL in every line. Three rules:
- Nothing decides it. Every door to a decision asks `deciding.closed` first, which refuses a drill; no row of a grant can
  be written for one. Its requester is nobody and its provider none, so it touches nobody's brakes and history.
- *I am here* is recorded with the time since that person was asked, and the ladder goes on: everybody is to be tested. It
  ends when every step has fired or been skipped and everybody asked has answered, or at its deadline.
- `fast`: a step follows the one before after PACE, or at once when somebody of that one answers. `only_me`: the steps
  are judged as ever, but everything that would be said goes to the caller alone, and the caller answers for everybody.
Its request ends as `expired` either way; its ask says whether everybody answered (`yes`) or not (`expired`).
Design, sections 4 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.case.ask import Ask, Reached, Step, Vote
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import AskState, RequestState, move_ask, move_request
from bot.domain.case.model import Case, Drill, Request
from bot.domain.case.transition import CLOCK, SYSTEM, Lane, LogEvent, Notification, Transition, epoch_ms
from bot.domain.decision_log import events
from bot.domain.policy.model import EscalationPolicy, Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Advance, Presence, advance, undelivered
from bot.domain.timing.steps import deadline, freeze
from bot.domain.workflow import notifications
from bot.domain.workflow.refusals import refuse
from bot.domain.workflow.timers import wake_at

PACE = timedelta(seconds=30)  # of a fast drill, in policy time
NOBODY = Person("-", "-")  # who asks in a drill: no account has this id


def refusal(runbook: Runbook, policy: Policy, running: str | None) -> str | None:
    """Why no drill of `runbook` can start; None if it can. `running`: the id of one that is under way."""
    if runbook.escalation is None or runbook.escalation not in policy.escalation_policies:
        return f"{runbook.id} has no escalation policy: nobody is asked, so there is nothing to drill."
    if running is not None:
        return f"A drill of {runbook.id} is running: {running}. It ends by itself; see: countersign requests show {running}"
    return None


def start(policy: Policy, runbook: Runbook, case_id: str, drill: Drill, now: datetime, scale: float) -> Transition:
    """A new drill. Its first step is due at once: the sweeper of the running bot fires it."""
    ladder = policy.escalation_policies[runbook.escalation or ""]
    steps, ends = _frozen(runbook, ladder, drill, now, scale)
    request = Request(
        id=case_id, kind=runbook.kind, right=runbook.right, runbook=runbook.id, runbook_sha256=runbook.sha256,
        policy_sha256=policy.digest, title=runbook.title, domain=runbook.domain, provider="", requester=NOBODY, target="",
        reason="", fields=(), seconds=0, filed_at=now, expires_at=ends, drill=drill,
    )  # fmt: skip
    case = Case(request, (Ask("drill", 1, runbook.approvals, runbook.requires, now, ends, steps=steps),))
    return Transition(None, case, (events.drill_started(case, policy),), wake_at=now)


def sweep(case: Case, policy: Policy, presence: Presence, now: datetime) -> Transition | None:
    """What is due on a drill at `now`; None when nothing will ever be."""
    if case.request.state is not RequestState.PENDING:
        return None
    if now >= case.approval.expires_at:
        return _ended(case, case, policy, (), (), now)
    return _stepped(case, (), policy, advance(case, case.approval, policy, presence, now), now)


def card_failed(
    case: Case, policy: Policy, presence: Presence, person: Person, reason: str, now: datetime
) -> Transition | None:
    """A card will never reach `person`: as for every ask."""
    if case.request.state is not RequestState.PENDING or now >= case.approval.expires_at:
        return None
    ask, empty = undelivered(case.approval, person, reason)
    return _stepped(case, (), policy, advance(case, ask, policy, presence, now, pulling=empty), now)


def here(case: Case, policy: Policy, click: Click, presence: Presence, now: datetime) -> Transition:
    """Somebody asked says that they are there. On a case that is no drill the button means nothing."""
    mine = waiting_for(case, click.person)
    no = _unheard(case, policy, click, mine, now)
    if no is not None:
        return refuse(case, policy, click, no)
    ask = case.approval
    pulling = case.request.drill is not None and case.request.drill.fast and _of_the_newest_step(case, mine)
    voted = replace(ask, votes=(*ask.votes, Vote(click.person, "here", mine[0].role, now, 0)))
    drafts = tuple(events.drill_reached(case, policy, click.person, reached, now) for reached in mine)
    if not pulling:
        return replace(_stepped(case, drafts, policy, Advance(voted, ()), now), valid_before=ask.expires_at, refresh=True)
    result = advance(case, voted, policy, presence, now, pulling=True)
    return replace(_stepped(case, drafts, policy, result, now), valid_before=ask.expires_at, refresh=True)


def waiting_for(case: Case, person: Person) -> tuple[Reached, ...]:
    """For whom `person` would answer now: themselves, or in an `only_me` drill everybody asked who has no answer yet."""
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
    """To whom what is meant for `person` is said."""
    drill = case.request.drill
    return person if drill is None or drill.only_me is None else drill.only_me


def _frozen(
    runbook: Runbook, ladder: EscalationPolicy, drill: Drill, now: datetime, scale: float
) -> tuple[tuple[Step, ...], datetime]:
    """The steps with their times, and the end. A fast drill leaves the last person asked two paces."""
    steps = freeze(runbook, ladder, now, scale, wide=False)
    if not drill.fast:
        return steps, deadline(ladder, now, scale)
    pace = PACE / scale
    return tuple(replace(s, due_at=now + s.index * pace) for s in steps), now + (len(steps) + 1) * pace


def _unheard(case: Case, policy: Policy, click: Click, mine: tuple[Reached, ...], now: datetime) -> Rejected | None:
    """Why *I am here* does not count; None if it does."""
    ask = case.approval
    if case.request.drill is None or click.version != ask.version:
        return Rejected(Refusal.STALE, "stale", {})
    if not any(hears(case, r.person) == click.person for r in ask.reached):
        text = f"This drill has not asked you. Write to {policy.contact} if that is wrong."
        return Rejected(Refusal.UNAUTHORISED, "plain", {"text": text})
    if ask.state is not AskState.OPEN or now >= ask.expires_at:
        return Rejected(Refusal.LATE, "drill_over", {"at": epoch_ms(case.request.closed_at or ask.expires_at)})
    if not mine:
        last = max(v.at for v in ask.votes if v.person == click.person)
        return Rejected(Refusal.LOST, "drill_again", {"at": epoch_ms(last)})
    return None


def _of_the_newest_step(case: Case, mine: Iterable[Reached]) -> bool:
    """Whether somebody of the step that fired last answers: a late answer out of an older one calls nobody."""
    newest = max(r.step for r in case.approval.reached)
    return any(r.step == newest for r in mine)


def _stepped(case: Case, drafts: tuple[LogEvent, ...], policy: Policy, result: Advance, now: datetime) -> Transition:
    after = case.with_approval(_hurried(case, result.ask, now))
    drafts = (*drafts, *(events.step(after, policy, event) for event in result.events))
    says = _addressed(after, (say for event in result.events for say in notifications.step(after, policy, event)))
    if _over(after):
        return _ended(case, after, policy, drafts, says, now)
    return Transition(case, after, drafts, says, wake_at(after, policy, now), refresh=bool(result.events))


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
    """To whom the drill speaks: as ever, or all of it to the caller alone, each thing once, and no channel."""
    drill = case.request.drill
    if drill is None or drill.only_me is None:
        return tuple(says)
    mine = {say.purpose: replace(say, to=drill.only_me) for say in says if say.to is not None}
    return tuple(mine.values())


def _over(case: Case) -> bool:
    """Every step has fired or been skipped, and everybody whom a card reached has answered."""
    ask = case.approval
    answered = all(r.failed or answered_at(case, r) is not None for r in ask.reached)
    return answered and all(s.state != "waiting" for s in ask.steps)


def _ended(
    before: Case, case: Case, policy: Policy, drafts: tuple[LogEvent, ...], says: tuple[Notification, ...], now: datetime
) -> Transition:
    """The end: the channel, the owner and every card hear it."""
    ask, lost = case.approval, missed(case)
    everybody = bool(ask.reached) and not lost
    request = replace(case.request, state=move_request(case.request.state, "expire"), closed_at=now)
    ask = replace(ask, state=move_ask(ask.state, "yes" if everybody else "expire"))
    after = replace(case, request=request).with_approval(ask)
    who = CLOCK if now >= ask.expires_at else SYSTEM
    ended = events.drill_ended(after, policy, who, lost)
    return Transition(before, after, (*drafts, ended), (*says, *_report(after, policy)), refresh=True)


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
