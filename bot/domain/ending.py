"""How an open grant ends before its time.

Taking access away is never judged by who asked for it, only by whether anything is open: a grant that ended, or whose time
is over whether or not any timer ran, cannot end again (design, section 4; rules 3 and 8).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain import entries, saying
from bot.domain.deciding import NoEffect
from bot.domain.lifecycle import GrantState, move_grant
from bot.domain.policy import Policy
from bot.domain.request import Case, Grant, Refusal
from bot.domain.transition import OPERATOR, Transition


def revoke_on_host(case: Case, policy: Policy, reason: str, now: datetime) -> Transition | NoEffect:
    """Somebody on the host ends an open grant while Slack is down."""
    grant = _open(case, now)
    if isinstance(grant, NoEffect):
        return grant
    ended = replace(grant, state=move_grant(grant.state, "revoke"), ended_at=now)
    after = replace(case, grant=ended)
    drafts = (entries.grant_revoked(after, policy, OPERATOR, ended, reason),)
    says = saying.outcome(after, policy, reason)
    return Transition(case, after, drafts, says, None, grant.not_after, refresh=True)


def _open(case: Case, now: datetime) -> Grant | NoEffect:
    """The grant, if it is open; else why there is nothing to end: `no_grant`, `ended` or `over`."""
    grant = case.grant
    if grant is None:
        return NoEffect(Refusal.STALE, "no_grant", {})
    if grant.state is not GrantState.OPEN:
        ended = grant.ended_at or grant.not_after
        return NoEffect(Refusal.LOST, "ended", {"state": str(grant.state), "at": _ms(ended)})
    if now >= grant.not_after:
        return NoEffect(Refusal.LATE, "over", {"at": _ms(grant.not_after)})
    return grant


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
