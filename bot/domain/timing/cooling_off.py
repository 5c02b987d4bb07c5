"""Cooling-off: after the quorum, what it opens waits until `not_before` has passed since the filing.

The request stays pending meanwhile, so that a no, a withdrawal and a revoke still end it and nothing was ever open. At its
time the yeses are counted again, under the policy of that moment and under every earlier set that binds: where the quorum
is no longer met, the ladder continues as if it had never been met. A quorum that comes later than `not_before` opens at once.
What nobody opened by the request's own end (the bot was down, its clock doubted) expires with it: who approved it did not
approve that moment.
Design, section 2.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.authority.quorum import Count
from bot.domain.case.lifecycle import RequestState, move_ask, move_request
from bot.domain.case.model import Case, Grant
from bot.domain.policy.people import Person


def until(case: Case, now: datetime) -> datetime | None:
    """Until when a quorum met at `now` waits; None: it opens at once."""
    wait = case.request.terms.not_before
    if wait is None:
        return None
    opens_at = case.request.filed_at + case.request.terms.real(wait)
    return opens_at if now < opens_at else None


def waits(case: Case) -> bool:
    """Whether the quorum is met and what it opens waits; never once the request is closed, however that came about."""
    return case.request.state is RequestState.PENDING and case.approval.opens_at is not None


def grant(case: Case, tally: Count, now: datetime) -> Grant:
    """What opens at `now`: the smallest time given counts, from then on."""
    seconds = min(tally.seconds, case.request.seconds)
    return Grant(seconds, now, now + case.request.terms.real(seconds))


def opened(case: Case, grant: Grant, by: Person | None) -> Case:
    """The case with this grant open. `by` None: the clock opened it. Under an autonomous right nobody approved it."""
    move = "open" if case.request.right == "autonomous" else "approve"
    request = replace(case.request, state=move_request(case.request.state, move), closed_at=grant.opened_at, closed_by=by)
    ask = replace(case.approval, state=move_ask(case.approval.state, "yes"), opens_at=None)
    return replace(case, request=request, grant=grant).with_approval(ask)
