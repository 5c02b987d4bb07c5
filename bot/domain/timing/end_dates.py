"""Policy exceptions: their end is a date, and it always exists.

- The day that a person chose is the last one of the exception: it ends with that day (UTC), and never later than the
  runbook's `max_duration` after the asking. TIME_SCALE divides the span to it. The yes does not move it.
- The people accountable for it are reminded of the end twice: at ¾ of the span and 7 days before it, if these are still to come.
- An approver gives less by choosing an earlier day. The earliest day that anybody gave counts.
Source: design, sections 4 and 8.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from bot.domain.case.ask import Ask
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case, Grant
from bot.domain.policy.model import Runbook

WEEK, DAY = 7 * 86_400, 86_400  # seconds of policy time
_SECOND = timedelta(seconds=1)


def is_dated(runbook: Runbook) -> bool:
    """Whether what is asked for under a runbook ends on a date."""
    return runbook.kind == "policy_exception"


def last_day(today: date, longest: int) -> date:
    """The latest day that may be chosen; `longest` in seconds of policy."""
    return today + timedelta(days=longest // DAY)


def usual_day(runbook: Runbook, today: date) -> date:
    """The form's initial day."""
    return min(today + timedelta(seconds=runbook.default_duration), last_day(today, runbook.max_duration))


def wrong_day(day: date | None, today: date, longest: int) -> str | None:
    """What is wrong with the chosen day; None if nothing is."""
    last = last_day(today, longest)
    if day is None or day < today:
        return "Choose the day on which it ends, from today on."
    return f"Choose an earlier day: at most until {last}." if day > last else None


def span(day: date, now: datetime, longest: int) -> int:
    """Whole seconds of policy from `now` into the last second of the chosen day, at most `longest`."""
    return min(-((now - _last_second(day)) // _SECOND), longest)


def end(day: date, now: datetime, longest: int, scale: float) -> datetime:
    """When an exception asked for at `now` until the chosen day really ends."""
    return now + min(_last_second(day) - now, timedelta(seconds=longest)) / scale


def _last_second(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), UTC)


def given(case: Case, day: date | None, seconds: int = 0) -> int:
    """Seconds of policy from the filing that an approver gives: to an earlier day, or all that was asked for.

    `seconds`: the same as a number, where no day is named; 0 for all.
    """
    request = case.request
    if day is not None:
        seconds = span(day, request.filed_at, request.seconds)
    return min(seconds, request.seconds) if day is not None or seconds else request.seconds


def until(case: Case, seconds: int) -> datetime:
    """The end of a yes that gives `seconds` from the filing."""
    request, ends_at = case.request, case.request.terms.ends_at
    assert ends_at is not None
    return ends_at if seconds >= request.seconds else min(ends_at, request.filed_at + request.terms.real(seconds))


def grant(case: Case, seconds: int, now: datetime) -> Grant:
    """What a yes opens at `now`; `seconds` as `given` counts them."""
    ends_at = until(case, seconds)
    lasting = max(((ends_at - now) * case.request.terms.scale) // _SECOND, 0)
    return Grant(lasting, now, ends_at, remind_at=next_reminder(case, now, ends_at, now))


def next_reminder(case: Case, since: datetime, ends_at: datetime, after: datetime) -> datetime | None:
    """The next moment at which the end of a span is brought to mind; None where none is left."""
    week = case.request.terms.real(WEEK)
    moments = (since + 0.75 * (ends_at - since), ends_at - week)
    return min((m for m in moments if max(after, since) < m < ends_at), default=None)


def since(case: Case) -> datetime:
    """When the span that runs now was decided: at the opening, or at the last renewal."""
    assert case.grant is not None
    decided = [ask.votes[-1].at for ask in renewals(case)]
    return max((case.grant.opened_at, *decided))


def renewals(case: Case) -> tuple[Ask, ...]:
    """The renewals that had their yes."""
    return tuple(a for a in case.later if a.kind == "renewal" and a.state is AskState.YES)
