"""An exception whose provider's contract is over: its owner closes it, or has it filed again, within 14 days.

Silence ends nothing and prolongs nothing: the ask is overdue then, the risk owner has it too, and it is asked again while the
exception holds. Where the exception ends otherwise the ask closes. Source: governance-contract.md, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.case.ask import Ask, Vote
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import GrantState, move_ask, move_grant
from bot.domain.case.model import Case
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import Policy
from bot.domain.workflow import follow_up, notifications, refusals
from bot.domain.workflow.follow_up import Effects


def close(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects | Rejected:
    """The exception ends at once."""
    grant = case.grant
    if grant is None or grant.state is not GrantState.OPEN or vote.at >= grant.not_after:
        return refusals.no(Refusal.LATE, "The exception has ended already.")
    ended = replace(grant, state=move_grant(grant.state, "revoke"), ended_at=vote.at, ended_by=vote.person)
    after = replace(case.with_ask(replace(ask, state=move_ask(ask.state, "yes"))), grant=ended)
    draft = grant_events.grant_ended(after, policy, events.actor(policy, vote.person), ended)
    return Effects(after, (draft,), notifications.outcome(after, policy)).then(follow_up.ended(after, policy, vote.at))
