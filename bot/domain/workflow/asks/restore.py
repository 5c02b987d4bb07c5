"""Restoring a suspended authority: another person accountable for the domain vouches for the person. Silence restores nothing.

Design, section 4; the suspension itself: `suspensions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.case.ask import Ask, Vote
from bot.domain.case.click import Click
from bot.domain.case.lifecycle import move_ask
from bot.domain.case.model import Case
from bot.domain.decision_log import events
from bot.domain.policy.model import Policy
from bot.domain.workflow import notifications
from bot.domain.workflow.follow_up import Effects


def restore(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """Another person accountable for the domain has restored it: the authority counts again."""
    after = case.with_ask(replace(ask, state=move_ask(ask.state, "yes")))
    says = (
        *notifications.channel_line(after, policy, "authority.restored"),
        *notifications.to_suspended(after, "restored"),
    )
    return Effects(after, (events.restored(after, policy, vote),), says)
