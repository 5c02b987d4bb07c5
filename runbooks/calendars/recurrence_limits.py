"""Whether the repeating events of a feed can be followed without end of work.

A rule may run from the year 1 by the hour, may match no day before the year 9999, may step by nothing: expanding it would
keep a thread busy for minutes, or for ever. So the work is reckoned before it is done, generously for what a rota needs, and
a feed that would be more is refused. Numbers are of candidate dates, weighed by what they were measured to cost.

What is counted is what the expansion tries: from the rule's beginning to its UNTIL, or else to the end of what is read. A rule
that may match nothing for years (the 30th of February) is tried until the year 9999, whatever its UNTIL is, because the
expansion looks at UNTIL only when something matches. Events whose rule has ended are left out beforehand (`has_ended`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from runbooks.calendars.event_faults import listed

MAX_WORK, MAX_TIMES = 400_000, 20_000  # measured: at the worst 1 s of a thread; occurrences in the time that is read
_DAYS = {"HOURLY": 1 / 24, "DAILY": 1.0, "WEEKLY": 7.0, "MONTHLY": 30.4, "YEARLY": 365.2}
_WEIGHT = {"HOURLY": 1.0, "DAILY": 1.0, "WEEKLY": 2.0, "MONTHLY": 2.0, "YEARLY": 12.0}
_BY = ("BYMONTH", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYEASTER")
_ADDED: dict[str, tuple[str, ...]] = {"MONTHLY": ("BYSETPOS",), "YEARLY": ("BYMONTH",)}  # beside a day, and still regular
_IN_EACH_MONTH, _DAYS_OF_EACH_MONTH, _DAYS_OF_A_MONTH = 4, 28, 31  # of each weekday, of days
_DAY = timedelta(days=1)  # an UNTIL without a zone is at most so far from the UTC that it is read as
_LAST = datetime(9999, 12, 31, tzinfo=UTC)  # until then a rule that matches nothing is tried
_FIRST = datetime(1, 1, 1, tzinfo=UTC)


def trouble(events: Iterable[Any], start: datetime, end: datetime) -> str | None:
    """Why the events (VEVENT components) cannot be followed from `start` to `end` (aware UTC); None where they can."""
    work = times = 0.0
    for event in events:
        rules = listed(event.get("RRULE"))
        why = _unfit(rules)
        if why is not None:
            return why
        begin, long = _begin(event), _length(event)
        for rule in rules:
            work += _work(rule, begin, end)
            times += _times(rule, begin, start - min(long, start - _FIRST), end)
        times += 1 + sum(len(getattr(dates, "dts", ())) for dates in listed(event.get("RDATE")))
        if work > MAX_WORK or times > MAX_TIMES:
            return "its events repeat more than can be followed"
    return None


def has_ended(event: Any, start: datetime) -> bool:
    """Whether every time of a repeating event is over before `start` (aware UTC) by its UNTIL."""
    rules = listed(event.get("RRULE"))
    untils = [max((_moment(value) for value in rule.get("UNTIL", [])), default=None) for rule in rules]
    if not rules or event.get("RDATE") is not None:
        return False
    return all(until is not None and start - until > _length(event) + _DAY for until in untils)


def _unfit(rules: list[Any]) -> str | None:
    if len(rules) > 1:
        return "an event has two rules to repeat by"
    for rule in rules:
        often = _word(rule, "FREQ")
        if often in ("SECONDLY", "MINUTELY") or "BYSECOND" in rule or "BYMINUTE" in rule:
            return "an event repeats by the minute or second"
        if often not in _DAYS or _number(rule, "INTERVAL", 1) < 1:
            return "an event repeats in a way that is not understood"
        if often == "HOURLY" and any(part.startswith("BY") for part in rule):
            return "an event repeats by the hour on some days only"
    return None


def _work(rule: Any, begin: datetime, end: datetime) -> float:
    """Candidates that are tried before the rule ends, or leaves the time that is read."""
    often, every = _word(rule, "FREQ"), _number(rule, "INTERVAL", 1)
    until = min((_moment(value) for value in rule.get("UNTIL", [])), default=_LAST)
    days = max(((min(until, end) if _is_regular(rule) else _LAST) - begin) / timedelta(days=1), 0.0)
    dates = max((min(until, end) - begin) / timedelta(days=1), 0.0) * _hours(rule) if "BYHOUR" in rule else 0.0
    return days / (_DAYS[often] * every) * _WEIGHT[often] + dates


def _is_regular(rule: Any) -> bool:
    """Whether the rule surely matches in each of its periods, so that no time is spent on periods without a match."""
    parts = frozenset(part for part in _BY if part in rule)
    often = _word(rule, "FREQ")
    if often == "DAILY":
        return not parts or (parts <= {"BYDAY"} and _number(rule, "INTERVAL", 1) == 1)
    if often == "WEEKLY":
        return parts <= {"BYDAY"}
    if often == "HOURLY" or not parts:
        return not parts
    near = all(abs(_count(day)) <= _IN_EACH_MONTH for day in rule.get("BYDAY", []))
    placed = all(1 <= abs(int(place)) <= _IN_EACH_MONTH for place in rule.get("BYSETPOS", []))
    every_month = often == "MONTHLY" and _number(rule, "INTERVAL", 1) == 1
    longest = _DAYS_OF_A_MONTH if every_month else _DAYS_OF_EACH_MONTH
    dated = all(1 <= abs(int(day)) <= longest for day in rule.get("BYMONTHDAY", []))
    one_kind = not {"BYDAY", "BYMONTHDAY"} <= parts
    return parts <= {"BYDAY", "BYMONTHDAY", *_ADDED[often]} and near and placed and dated and one_kind and _months(rule)


def _months(rule: Any) -> bool:
    return all(1 <= int(month) <= 12 for month in rule.get("BYMONTH", []))


def _count(day: Any) -> int:
    """The number before a day of BYDAY: -1 of `-1SU`, 0 of `SU`."""
    return int(re.sub("[A-Z]", "", str(day).upper()) or 0)


def _times(rule: Any, begin: datetime, start: datetime, end: datetime) -> float:
    """At most so many occurrences between `start` and `end`."""
    days = max((end - max(begin, start)) / timedelta(days=1), 0.0) + 1
    if _word(rule, "FREQ") == "HOURLY":
        return days * 24 / _number(rule, "INTERVAL", 1)
    plain = not any(part.startswith("BY") for part in rule)
    return (days / (_DAYS[_word(rule, "FREQ")] * _number(rule, "INTERVAL", 1)) + 1 if plain else days) * _hours(rule)


def _hours(rule: Any) -> int:
    return max(len(rule.get("BYHOUR", [])), 1)


def _word(rule: Any, part: str) -> str:
    return next((str(value).upper() for value in rule.get(part, [])), "")


def _number(rule: Any, part: str, usual: int) -> int:
    return next((int(value) for value in rule.get(part, [])), usual)


def _begin(event: Any) -> datetime:
    return _moment(event.get("DTSTART").dt)


def _length(event: Any) -> timedelta:
    ends = [_moment(part.dt) for part in _parts(event, "DTEND")]
    spans: list[timedelta] = [part.dt for part in _parts(event, "DURATION")]
    return max([timedelta(0), *(end - _begin(event) for end in ends), *spans])


def _parts(event: Any, name: str) -> Iterator[Any]:
    part = event.get(name)
    if part is not None:
        yield part


def _moment(value: date) -> datetime:
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        except OverflowError:  # a zone's day beside the first or the last that there is
            return value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)
