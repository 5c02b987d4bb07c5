"""The ratification of a break-glass: an accountable person ratifies it afterwards, or rejects it.

Silence never ratifies. At the end of the window it is recorded as unratified; one window longer it can still be ratified.
**Reject** revokes at once and opens a review that carries the rejection. Design, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.authority.authorization import is_barred
from bot.domain.case.ask import Ask, Remark, Vote
from bot.domain.case.click import Click
from bot.domain.case.lifecycle import AskState, GrantState, move_ask, move_grant
from bot.domain.case.model import Case, Grant
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import Policy
from bot.domain.workflow import follow_up, notifications
from bot.domain.workflow.follow_up import Effects


def ratify(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """The owner, or another person asked, ratifies it afterwards."""
    after = _reviewed_by_others(case.with_ask(replace(ask, state=move_ask(ask.state, "yes"))), policy, vote)
    draft = events.answered(after, policy, "breakglass.ratified", vote, click.reason)
    says = (*notifications.channel_line(after, policy, "breakglass.ratified"), *notifications.paged(after, ask, "resolve"))
    return Effects(after, (draft,), says)


def _reviewed_by_others(case: Case, policy: Policy, vote: Vote) -> Case:
    """A review that is open already asks its next people now, if nobody it reached may answer it any more."""
    for ask in case.later:
        if ask.kind != "review" or ask.state is not AskState.OPEN:
            continue
        if not ask.asked or any(not is_barred(case, ask, policy, person) for person in ask.asked):
            continue
        index = next((s.index for s in ask.steps if s.state == "waiting" and s.action == "notify"), None)
        steps = tuple(replace(s, due_at=min(s.due_at, vote.at)) if s.index == index else s for s in ask.steps)
        case = case.with_ask(replace(ask, steps=steps))
    return case


def reject(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """It should not have been: what is open is revoked in the same act, and a review carries the rejection."""
    after = case.with_ask(replace(ask, state=move_ask(ask.state, "no")))
    draft = events.answered(after, policy, "breakglass.rejected", vote, click.reason)
    says = (*notifications.channel_line(after, policy, "breakglass.rejected"), *notifications.paged(after, ask, "resolve"))
    effects = Effects(after, (draft,), says)
    grant = after.grant
    if grant is not None and grant.state is GrantState.OPEN:
        effects = effects.then(_revoked(effects.case, grant, policy, vote, click))
    return effects.then(_flagged(effects.case, policy, vote, click))


def _revoked(case: Case, grant: Grant, policy: Policy, vote: Vote, click: Click) -> Effects:
    if vote.at >= grant.not_after:
        return follow_up.grant_effects(case, policy, vote.at) or Effects(case)  # its time was over before: it lapsed
    ended = replace(grant, state=move_grant(grant.state, "revoke"), ended_at=vote.at, ended_by=vote.person)
    ask = case.approval.because("revocation", vote.person, vote.at, click.reason)
    after = replace(case.with_approval(ask), grant=ended)
    draft = grant_events.grant_ended(after, policy, events.actor(policy, vote.person), ended, click.reason)
    said = Effects(after, (draft,), notifications.outcome(after, policy, click.reason))
    return said.then(follow_up.ended(after, policy, vote.at))


def _flagged(case: Case, policy: Policy, vote: Vote, click: Click) -> Effects:
    """The rejection is noted in the open review; one is opened if there is none."""
    effects = Effects(case)
    if not any(a.kind == "review" and a.state is AskState.OPEN for a in case.later):
        window = case.request.terms.real(case.request.terms.review_within or follow_up.DAY)
        effects = follow_up.opened(case, policy, "review", window, vote.at)
    review = next(a for a in reversed(effects.case.later) if a.kind == "review" and a.state is AskState.OPEN)
    note = Remark("review", vote.person, vote.at, f"Rejected at the ratification. {click.reason}".strip())
    after = effects.case.with_ask(replace(review, notes=(*review.notes, note)))
    return effects.then(Effects(after, (events.answered(after, policy, "review.flagged", vote, click.reason),)))
