"""The brake on what wakes people: after the third waking in ten minutes the card still comes, and nobody is paged.

A waking is everything of one moment on one request that pages somebody outside Slack, an *Escalate now*, or the opening of a
break-glass. It counts for the requester, one human whatever the account, and the domain, also where the request was withdrawn
since. Another person of the provider, and the same person in another domain, still page. Without a page nobody asleep is
passed over either: the steps keep their time. Field lessons, *Floods*.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.case.ask import Brake
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition, Waking
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person

MOST = 3
WINDOW = timedelta(minutes=10)  # of policy time


def waking(act: Transition, policy: Policy, now: datetime, scale: float) -> Waking | None:
    """Whose pages this act sends; None where it pages nobody, and for a drill, which nobody of a provider starts."""
    if act.after is None or act.after.request.drill is not None or not _paged(act.after) - _paged(act.before):
        return None
    return of_requester(policy, act.after.request.requester, act.after.request.domain, now, scale)


def of_requester(policy: Policy, requester: Person, domain: str, now: datetime, scale: float) -> Waking:
    """What counts against somebody who asks something of a domain at `now`."""
    users = dict.fromkeys((requester.user, *policy.humans.accounts(requester)))
    return Waking(tuple(users), domain, now - WINDOW / scale)


def brake(moments: Sequence[datetime], braked: int, now: datetime, scale: float) -> Brake | None:
    """Whether nobody is paged now. `moments`: the wakings of the window, oldest first; `braked`: those without a page."""
    if len(moments) < MOST:
        return None
    return Brake(len(moments) + braked + 1, now, moments[-MOST] + WINDOW / scale)


def _paged(case: Case | None) -> frozenset[tuple[int, Person]]:
    asks = () if case is None else case.asks
    return frozenset((ask.version, r.person) for ask in asks for r in ask.reached if r.paged)
