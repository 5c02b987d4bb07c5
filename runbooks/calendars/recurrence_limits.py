"""Whether the repeating events of a feed can be followed without end of work.

A rule may run from the year 1 by the hour, may match no day before the year 9999, may step by nothing: expanding it would
keep a thread busy for minutes, or for ever. So the work is reckoned before it is done, generously for what a rota needs, and
a feed that would be more is refused. Numbers are of candidate dates, weighed by what they were measured to cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

MAX_WORK, MAX_TIMES = 10_000_000, 20_000  # about 20 s at the worst; occurrences in the time that is read
_DAYS = {"HOURLY": 1 / 24, "DAILY": 1.0, "WEEKLY": 7.0, "MONTHLY": 30.4, "YEARLY": 365.2}
_WEIGHT = {"HOURLY": 1.0, "DAILY": 1.0, "WEEKLY": 2.0, "MONTHLY": 2.0, "YEARLY": 12.0}
_SPARSE = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYEASTER")
_LAST = datetime(9999, 12, 31, tzinfo=UTC)  # until then a rule that matches nothing is tried


def trouble(events: Iterable[Any], start: datetime, end: datetime) -> str | None:
    """Why the events (VEVENT components) cannot be followed from `start` to `end` (aware UTC); None where they can."""
    work = times = 0.0
    for event in events:
        rules = _listed(event.get("RRULE"))
        why = _unfit(rules)
        if why is not None:
            return why
        begin, long = _begin(event), _length(event)
        for rule in rules:
            work += _work(rule, begin, end)
            times += _times(rule, begin, start - long, end)
        times += 1 + sum(len(getattr(dates, "dts", ())) for dates in _listed(event.get("RDATE")))
        if work > MAX_WORK or times > MAX_TIMES:
            return "its events repeat more than can be followed"
    return None


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
    skips = any(part in rule for part in _SPARSE) or ("BYDAY" in rule and (every > 1 or often in ("MONTHLY", "YEARLY")))
    days = max(((_LAST if skips else end) - begin) / timedelta(days=1), 0.0)
    dates = max((end - begin) / timedelta(days=1), 0.0) * _hours(rule) if "BYHOUR" in rule else 0.0
    return days / (_DAYS[often] * every) * _WEIGHT[often] + dates


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
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
