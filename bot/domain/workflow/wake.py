"""When the sweeper must look at a case again."""

from __future__ import annotations

from datetime import datetime

from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy
from bot.domain.timing import cooling_off
from bot.domain.timing.steps import next_wake
from bot.domain.workflow.follow_up import grant_wake
from bot.domain.workflow.shift_change import next_shift


def wake_at(case: Case, policy: Policy, now: datetime) -> datetime | None:
    """The next time at which something is due, a change of shift after `now` included; None: never."""
    if cooling_off.waits(case) and case.approval.opens_at is not None:
        return case.approval.opens_at
    if case.request.waits:
        shift = next_shift(case, policy, now)
        return min([next_wake(case.approval), *([shift] if shift else [])])
    return after_decision(case)


def after_decision(case: Case) -> datetime | None:
    """The same for a case that waits for no decision."""
    asks = (next_wake(ask) for ask in case.later if ask.state is AskState.OPEN)
    return min((*grant_wake(case), *asks), default=None)
