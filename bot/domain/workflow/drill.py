"""A drill: the ladder of a runbook run for real, to measure who is reached and how fast. It never opens access.

A drill is a case whose request asks for nothing. Its one ask has the runbook's own frozen steps and goes through the very
engine of every ask (`asks.engine`): real people, real pages, the word DRILL in every line. Three rules:
- Nothing decides it: its kind takes no answer (`asks.kinds`), and `refusals.closed` refuses every act on its request. No
  grant can be written for one. Its requester is nobody and its provider none, so it touches nobody's brakes and history.
- *I am here* is recorded with the time since that person was asked, and the ladder continues: everybody is to be tested. It
  ends when every step has fired or been skipped and everybody asked has answered, or at its deadline.
- `fast`: a step follows the one before after PACE, or at once when somebody of that one answers. `only_me`: the steps
  are judged as ever, but every message goes to the caller alone, and the caller answers for everybody.
Its request ends as `expired` either way; its ask says whether everybody answered (`yes`) or not (`expired`).
Design, sections 4 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.case.ask import Ask, Reached, Step, Vote
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import NOBODY, Case, Drill, Request
from bot.domain.case.transition import Transition, epoch_ms
from bot.domain.decision_log import events
from bot.domain.policy.model import EscalationPolicy, Policy, Runbook
from bot.domain.timing.escalation import Advance, Presence, advance
from bot.domain.timing.steps import deadline, freeze
from bot.domain.workflow.asks import engine
from bot.domain.workflow.asks.drill import hears, waiting_for
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.refusals import refuse
from bot.domain.workflow.wake import wake_at

PACE = timedelta(seconds=30)  # of a fast drill, in policy time


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


def here(case: Case, policy: Policy, click: Click, presence: Presence, now: datetime) -> Transition:
    """A person asked confirms to be present. On a case that is no drill the button has no effect."""
    mine = waiting_for(case, click.person)
    no = _unheard(case, policy, click, mine, now)
    if no is not None:
        return refuse(case, policy, click, no)
    ask = case.approval
    pulling = case.request.drill is not None and case.request.drill.fast and _of_the_newest_step(case, mine)
    voted = replace(ask, votes=(*ask.votes, Vote(click.person, "here", mine[0].role, now, 0)))
    drafts = tuple(events.drill_reached(case, policy, click.person, reached, now) for reached in mine)
    result = advance(case, voted, policy, presence, now, pulling=True) if pulling else Advance(voted, ())
    effects = Effects(case, drafts).then(engine.stepped(case, policy, result, presence, now))
    wake = wake_at(effects.case, policy, now)
    return Transition(case, effects.case, effects.drafts, effects.says, wake, ask.expires_at, refresh=True)


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
