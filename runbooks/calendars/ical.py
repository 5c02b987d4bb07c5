"""An iCal feed as spells: who is on call from when until when.

A feed says when, never who: an event counts only if its SUMMARY, or else an ATTENDEE's name, is the label, the id or the
name of one of the rota's `people`; other events are reported and their time falls to the fallback. Cancelled events do
not count. Times without a zone, and whole days, are the rota's own. What could keep a reader busy is refused: more than
1 MB, more than 2,000 events or 1,000 spells, and what `recurrence` will not follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.domain.policy.model import NamedPerson, Policy
from bot.domain.policy.people import Person
from bot.domain.policy.rota import Rota, Spell
from runbooks.calendars.recurrence_limits import trouble
from runbooks.parsing.findings import PolicyFinding
from runbooks.rules.on_call import at_wall

if TYPE_CHECKING:
    from icalendar import Calendar

BEFORE, AFTER = timedelta(days=2), timedelta(days=35)  # how far around now a feed is read
MAX_BYTES, MAX_EVENTS, MAX_SPELLS = 1_000_000, 2000, 1000


class BadFeed(Exception):
    """The feed cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """What a feed says around one moment. `strangers`: texts of events that name nobody of the rota."""

    spells: tuple[Spell, ...]
    strangers: tuple[str, ...]


def read_feed(content: bytes, rota: Rota, named: tuple[NamedPerson, ...], now: datetime) -> CalendarReading:
    """The spells from two days before `now` (aware UTC) to 35 days after. Raises BadFeed."""
    import recurring_ical_events

    calendar, known, zone = _calendar(content), _names(rota, named), ZoneInfo(rota.time_zone)
    _followed(calendar, now)
    try:
        found = recurring_ical_events.of(calendar).between(now - BEFORE, now + AFTER)
        spells = [spell for event in found if (spell := _spell(event, known, zone)) is not None]
        unknown = _strangers(calendar, known)
    except Exception as error:  # noqa: BLE001 -- whatever a foreign parser stumbles over, the feed is bad
        raise BadFeed(f"an event cannot be read ({type(error).__name__})") from None
    if len(spells) > MAX_SPELLS:
        raise BadFeed(f"it names more than {MAX_SPELLS} times on call within five weeks")
    return CalendarReading(tuple(sorted(spells, key=lambda s: (s.start, s.end, str(s.person)))), unknown)


def strangers(content: bytes, rota: Rota, named: tuple[NamedPerson, ...]) -> tuple[str, ...]:
    """Texts of events, past ones too, that name nobody of the rota, each once. Raises BadFeed."""
    return _strangers(_calendar(content), _names(rota, named))


def feed_findings(policy: Policy, today: date | None = None) -> Iterator[PolicyFinding]:
    """What is wrong with the feeds that are files of the set: unreadable is an error, a stranger a warning.

    With `today` what they say around that day is read too."""
    files = {file.path: file.content for file in policy.files}
    for rota in policy.rotas.values():
        if rota.feed is None or rota.feed not in files:
            continue
        try:
            unknown = _unknown(files[rota.feed], rota, policy, today)
        except BadFeed as bad:
            yield PolicyFinding("error", rota.feed, 1, f"This feed cannot be used, {bad}: export it again.")
            continue
        for text in unknown:
            yield PolicyFinding("warning", rota.feed, 1, stranger(text, rota))


def stranger(text: str, rota: Rota) -> str:
    """The sentence about an event that names nobody of the rota."""
    said = f"The event {text!r} names nobody of rota `{rota.id}`, so its time falls to the fallback"
    return f"{said}: write a label, an id or a name of its `people` there."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A set with the spells of its feeds. `bad`: rotas whose feed gives none, and why; their fallback is on call."""

    policy: Policy
    bad: Mapping[str, str]


def prepare(policy: Policy, now: datetime, fetched: Mapping[str, bytes] | None = None) -> Prepared:
    """The same set with the spells of its feeds around `now`: files from the set, others from `fetched` by rota."""
    files = {file.path: file.content for file in policy.files}
    rotas, bad = dict(policy.rotas), {}
    for rota in (r for r in policy.rotas.values() if r.source == "ical"):
        content = files.get(rota.feed or "", (fetched or {}).get(rota.id))
        try:
            spells = read_feed(content, rota, policy.people, now).spells if content is not None else ()
        except BadFeed as error:
            spells, bad[rota.id] = (), str(error)
        rotas[rota.id] = replace(rota, spells=spells)
    return Prepared(replace(policy, rotas=rotas), bad)


def prepared(policy: Policy, now: datetime, fetched: Mapping[str, bytes] | None = None) -> Policy:
    """The set alone, for one look."""
    return prepare(policy, now, fetched).policy


def _unknown(content: bytes, rota: Rota, policy: Policy, today: date | None) -> tuple[str, ...]:
    if today is None:
        return strangers(content, rota, policy.people)
    return read_feed(content, rota, policy.people, datetime.combine(today, time(), UTC)).strangers


def _followed(calendar: Calendar, now: datetime) -> None:
    try:
        why = trouble(calendar.walk("VEVENT"), now - BEFORE, now + AFTER)
    except Exception as error:  # noqa: BLE001 -- as below
        raise BadFeed(f"an event cannot be read ({type(error).__name__})") from None
    if why is not None:
        raise BadFeed(why)


def _calendar(content: bytes) -> Calendar:
    from icalendar import Calendar

    if len(content) > MAX_BYTES:
        raise BadFeed("it is larger than 1 MB")
    try:
        calendar = Calendar.from_ical(content)
        events = calendar.walk("VEVENT")
    except Exception as error:  # noqa: BLE001 -- as above
        raise BadFeed(f"it is no iCalendar ({type(error).__name__})") from None
    if not events:
        raise BadFeed("it holds no event")
    if len(events) > MAX_EVENTS:
        raise BadFeed(f"it holds more than {MAX_EVENTS} events")
    return calendar


def _names(rota: Rota, named: tuple[NamedPerson, ...]) -> dict[str, Person]:
    """Texts that stand for one of the rota's people; a name that two of them share stands for nobody."""
    found: dict[str, Person] = {}
    shared: set[str] = set()
    pairs = [(text, person) for person in rota.people for text in (person.user, str(person))]
    pairs += [(text, line.person) for line in named if line.person in rota.people for text in (line.label, line.name)]
    for text, person in pairs:
        if found.setdefault(_folded(text), person) != person:
            shared.add(_folded(text))
    return {text: person for text, person in found.items() if text not in shared}


def _person(event: Any, known: Mapping[str, Person]) -> Person | None:
    return next((known[text] for text in map(_folded, _texts(event)) if text in known), None)


def _texts(event: Any) -> Iterator[str]:
    yield str(event.get("SUMMARY", ""))
    yield from (str(attendee.params.get("CN", "")) for attendee in _listed(event.get("ATTENDEE")))


def _strangers(calendar: Calendar, known: Mapping[str, Person]) -> tuple[str, ...]:
    events = [event for event in calendar.walk("VEVENT") if _counts(event) and _person(event, known) is None]
    return tuple(dict.fromkeys(str(event.get("SUMMARY", "")).strip()[:75] for event in events))


def _spell(event: Any, known: Mapping[str, Person], zone: ZoneInfo) -> Spell | None:
    person = _person(event, known)
    if person is None or not _counts(event):
        return None
    start, end = (_real(moment, zone) for moment in (event.start, event.end))
    return Spell(start, end, person) if start < end else None


def _real(moment: date, zone: ZoneInfo) -> datetime:
    if isinstance(moment, datetime):
        return at_wall(moment, zone).astimezone(UTC)
    return at_wall(datetime(moment.year, moment.month, moment.day), zone)  # noqa: DTZ001


def _counts(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() != "CANCELLED"


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
