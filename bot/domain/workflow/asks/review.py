"""A review: somebody accountable looks at what was done, and accepts it or flags it.

It is open for two windows. At the end of the first it is *overdue*: this is logged, and the risk owner is asked.
Silence never passes it. Design, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.case.ask import Ask, Remark, Vote
from bot.domain.case.click import Click
from bot.domain.case.lifecycle import move_ask
from bot.domain.case.model import Case
from bot.domain.decision_log import events
from bot.domain.policy.model import Policy
from bot.domain.workflow import notifications
from bot.domain.workflow.follow_up import Effects


def accept(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """Nothing is wrong with it."""
    return _reviewed(case, ask, policy, vote, click, "yes", "review.passed")


def flag(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """Something is wrong; the note describes it."""
    return _reviewed(case, ask, policy, vote, click, "no", "review.flagged")


def _reviewed(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, move: str, type_: str) -> Effects:
    notes = (*ask.notes, Remark("review", click.person, vote.at, click.reason)) if click.reason else ask.notes
    after = case.with_ask(replace(ask, state=move_ask(ask.state, move), notes=notes))
    draft = events.answered(after, policy, type_, vote, click.reason)
    return Effects(after, (draft,), notifications.channel_line(after, policy, type_))
