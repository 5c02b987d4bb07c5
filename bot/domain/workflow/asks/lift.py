"""Lifting the suspension of a provider: an owner of the domain lets it ask again. Silence lifts nothing.

Source: governance-contract.md, sections 4 and 7; the suspension itself: `providers.suspension`.
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
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.providers import suspension


def lift(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """The provider may ask in the domain again; what ended stays ended."""
    after = case.with_ask(replace(ask, state=move_ask(ask.state, "yes")))
    return Effects(after, (events.provider_resumed(after, policy, vote),), suspension.lifted(after, policy))
