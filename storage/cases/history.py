"""What earlier requests say about a new one: the brakes of section 4 and the card's line of history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.case.transition import Waking
from bot.domain.errors import WokenEnough
from bot.domain.policy.people import Person
from bot.domain.policy.same_text import folded
from bot.domain.timing.waking import MOST
from bot.domain.workflow.autonomous_rights import Used
from bot.ports.records import BreakGlassUsage, FilingLimits
from storage.log.private_text import target_of
from storage.session import Row, Session
from storage.values import moment, moment_or_none, ms


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is about to ask for what. `users` are all user ids of that human; `target` is compared as `same_text` compares."""

    users: tuple[str, ...]
    domain: str
    provider: str
    runbook: str
    target: str


@dataclass(frozen=True, slots=True)
class Windows:
    """How far back a denial, an expiry and an ask count, in real time."""

    denied: timedelta
    expired: timedelta
    week: timedelta


def glass_debt(session: Session, provider: str, domain: str, now: datetime, since: datetime) -> BreakGlassUsage:
    """Break-glass of a provider in a domain. A debt that closed unanswered counts as long as the openings do."""
    where = {"provider": provider, "domain": domain, "since": ms(since)}
    opened = session.row("glass_openings", **where)
    overdue = session.row("glass_overdue", **where, now=ms(now))
    return BreakGlassUsage(0 if opened is None else opened["opened"], overdue is not None)


def uses(session: Session, provider: str, runbook: str, since: datetime) -> Used:
    row = session.row("uses_since", provider=provider, runbook=runbook, since=ms(since))
    return Used() if row is None else Used(row["uses"], moment_or_none(row["oldest_ms"]))


def wakings(session: Session, whose: Waking) -> tuple[Sequence[datetime], int]:
    """When the requester woke people of the domain, oldest first, and how often nobody was paged any more."""
    found = [
        (session.rows("wakings", **where), session.row("braked_since", **where))
        for where in ({"user": user, "domain": whose.domain, "since": ms(whose.since)} for user in whose.users)
    ]
    moments = sorted(moment(row["at_ms"]) for rows, _ in found for row in rows)
    return moments, sum(row["braked"] for _, row in found if row is not None)


def refuse_woken_enough(session: Session, whose: Waking) -> None:
    """Raises WokenEnough where one waking more is too many."""
    moments, braked = wakings(session, whose)
    if len(moments) >= MOST:
        raise WokenEnough(moments, braked)


def brakes(session: Session, plan: Plan, now: datetime, windows: Windows) -> FilingLimits:
    """Sees the rows of the moment; a filing that commits later is not among them."""
    what = {"provider": plan.provider, "runbook": plan.runbook}
    pending = Counter[str]()
    for user in plan.users:
        rows = session.rows("pending_of_requester", user=user, domain=plan.domain)
        pending.update({row["runbook"]: row["pending"] for row in rows})
    waiting = [session.rows("pending_of_runbook", user=user, runbook=plan.runbook) for user in plan.users]
    same = [_of_target(session, rows, plan.target) for rows in waiting]
    denials = session.rows("denials_since", **what, since=ms(now - windows.denied))
    denial = _of_target(session, denials, plan.target)
    expired = _of_target(session, session.rows("expiries_since", **what, since=ms(now - windows.expired)), plan.target)
    asks = session.row("asks_since", **what, since=ms(now - windows.week))
    outcome = session.row("last_outcome", **what)
    return FilingLimits(
        pending=dict(pending),
        same_pending=next((row["id"] for row in same if row is not None), None),
        denied_by=None if denial is None else Person(denial["team_id"], denial["user_id"]),
        denied_as=None if denial is None else denial["role"],
        expired_recently=expired is not None,
        asks_in_week=0 if asks is None else asks["asks"],
        last_outcome=None if outcome is None else outcome["state"],
    )


def _of_target(session: Session, rows: Sequence[Row], target: str) -> Row | None:
    """The first of these requests that was about the same target; an erased one is about none."""
    wanted = folded(target)
    return next((row for row in rows if (found := target_of(session, row)) is not None and folded(found) == wanted), None)
