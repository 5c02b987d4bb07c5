"""What follows the approval by the clock: the warning, the lapse, evidence due from the provider, the review.

- A warning comes 10 minutes before the end, or at ¾ of a grant so short that ¾ of it comes later; for an exception its
  reminders (`dated`) replace it.
- After *every* end the runbook's evidence and rotation are owed and asked for once a day until they come; what did not come
  in time is logged, once.
- After every end a review is due where the runbook wants one. An extension or renewal that is still open dies with its grant.
The text is "approval ended", never "access removed". Design, section 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.case.ask import DIES_WITH_GRANT, ENDS_WITH_GRANT, Ask, AskKind
from bot.domain.case.lifecycle import AskState, GrantState, move_ask, move_grant
from bot.domain.case.model import NOBODY, Case, Duty, Grant
from bot.domain.case.transition import CLOCK, SYSTEM, FileDigest, LogEvent, Notification
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import Policy
from bot.domain.timing import end_dates
from bot.domain.timing.steps import over_window
from bot.domain.workflow import notifications
from bot.domain.workflow.providers import asking_rights

WARNING, DAY = 600, 86_400  # seconds of policy time
CLOSE_WITHIN = 14 * DAY


@dataclass(frozen=True, slots=True)
class Effects:
    """Something that is due on a case: the case after it, its log entries, its messages."""

    case: Case
    drafts: tuple[LogEvent, ...] = ()
    says: tuple[Notification, ...] = ()

    def then(self, other: Effects) -> Effects:
        return Effects(other.case, (*self.drafts, *other.drafts), (*self.says, *other.says))


def warn_at(case: Case, grant: Grant) -> datetime:
    """When the requester is warned that it ends soon."""
    length = grant.not_after - grant.opened_at
    return max(grant.not_after - case.request.terms.real(WARNING), grant.opened_at + 0.75 * length)


def grant_wake(case: Case) -> Iterator[datetime]:
    """When something is due on the grant, or on what is owed after it."""
    grant = case.grant
    if grant is not None and grant.state is GrantState.OPEN:
        yield min(_notice_at(case, grant) or grant.not_after, grant.not_after)
    yield from (duty.chase_at for duty in case.owed() if duty.chase_at is not None)


def grant_effects(case: Case, policy: Policy, now: datetime) -> Effects | None:
    """The grant's warning or its end by the clock, if one is due."""
    grant = case.grant
    if grant is None or grant.state is not GrantState.OPEN:
        return None
    over = asking_rights.ends(case, policy, now)
    if now >= grant.not_after or over is not None:
        lapsed = replace(grant, state=move_grant(grant.state, "lapse"), ended_at=now)
        told = case.approval.because("revocation", NOBODY, now, over or "")
        after = replace(case, grant=lapsed).with_approval(told)
        draft = grant_events.grant_lapsed(after, policy, lapsed)
        return Effects(after, (draft,), notifications.outcome(after, policy, over or "")).then(ended(after, policy, now))
    if asking_rights.passes(case, policy):
        return passed(case, policy, now)
    notice = _notice_at(case, grant)
    if notice is None or now < notice:
        return None
    if case.dated:
        following = end_dates.next_reminder(case, end_dates.since(case), grant.not_after, now)
        after = replace(case, grant=replace(grant, warned=True, remind_at=following))
        return Effects(after, (), notifications.expiring(after, policy))
    after = replace(case, grant=replace(grant, warned=True))
    return Effects(after, (), (notifications.to_requester("ending", after),))


def passed(case: Case, policy: Policy, now: datetime) -> Effects:
    """The contract of an exception's provider is over: its owner closes it, or has it filed again, within 14 days."""
    version = max(ask.version for ask in case.asks) + 1
    ask = over_window("closing", version, now, case.request.terms.real(CLOSE_WITHIN))
    after = case.with_ask(ask)
    return Effects(after, (events.due(after, policy, "exception.passed", CLOCK, ask.due_at),))


def _notice_at(case: Case, grant: Grant) -> datetime | None:
    """The next reminder that it ends; None if there is none any more."""
    if case.dated:
        return grant.remind_at
    return None if grant.warned else warn_at(case, grant)


def ended(case: Case, policy: Policy | FileDigest | None, now: datetime) -> Effects:
    """What an end sets going; `case` has its grant ended already. `policy`: the set that its entries name."""
    effects = _extensions_closed(case, policy)
    terms = case.request.terms
    duties = [Duty("evidence", name, now, now + terms.real(DAY), now + terms.real(DAY)) for name in terms.evidence]
    if terms.rotate_within is not None:
        due = now + terms.real(terms.rotate_within)
        duties.append(Duty("rotation", "rotation", now, due, min(due, now + terms.real(DAY))))
    after = replace(effects.case, duties=(*effects.case.duties, *duties))  # asked for in the message about the end
    effects = effects.then(Effects(after))
    if terms.review_within is None:
        return effects
    return effects.then(opened(after, policy, "review", terms.real(terms.review_within), now))


def opened(
    case: Case, policy: Policy | FileDigest | None, kind: AskKind, window: timedelta, now: datetime
) -> Effects:  # fmt: skip
    """An ask after the yes over its own window; it closes one window after it was due."""
    version = max((ask.version for ask in case.asks), default=0) + 1
    ask = over_window(kind, version, now, window)
    after = case.with_ask(ask)
    return Effects(after, (events.due(after, policy, "review.due", SYSTEM, ask.due_at),))


def asked_again(case: Case, ask: Ask, now: datetime) -> Case:
    """An ask that must be answered closed without an answer: the same is asked again, at once."""
    if ask.due_at is None:
        return case
    version = max(a.version for a in case.asks) + 1
    return case.with_ask(over_window(ask.kind, version, now, ask.due_at - ask.steps[0].due_at))


def chased(case: Case, policy: Policy, now: datetime) -> Effects | None:
    """Everything owed that is to be asked for again, in one message."""
    late = [d for d in case.owed() if d.chase_at is not None and now >= d.chase_at]
    if not late:
        return None
    day = case.request.terms.real(DAY)
    drafts = tuple(grant_events.missing(case, policy, d.name) for d in late if not d.missed and now >= d.due_at)
    duties = tuple(_again(d, now, day) if d in late else d for d in case.duties)
    after = replace(case, duties=duties)
    return Effects(after, drafts, (notifications.to_requester("owed", after),))


def _again(duty: Duty, now: datetime, day: timedelta) -> Duty:
    """Asked for once a day, and at the moment it is due."""
    following = now + day
    chase = min(following, duty.due_at) if now < duty.due_at else following
    return replace(duty, chase_at=chase, missed=duty.missed or now >= duty.due_at)


def _extensions_closed(case: Case, policy: Policy | FileDigest | None) -> Effects:
    effects = Effects(case)
    for ask in case.later:
        if ask.kind in ENDS_WITH_GRANT and ask.state is AskState.OPEN:
            after = effects.case.with_ask(replace(ask, state=move_ask(ask.state, "expire")))
            draft = events.due(after, policy, f"{ask.kind}.expired", CLOCK, None)
            effects = effects.then(Effects(after, (draft,) if ask.kind in DIES_WITH_GRANT else ()))
    return effects
