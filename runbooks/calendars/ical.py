"""An iCal feed as spells: who is on call from when until when.

A feed says when, never who: an event counts only if its SUMMARY, or else an ATTENDEE's name, looks the same (`same_text`)
as the label, the id or the name of one of the rota's `people`; other events are reported and their time falls to the
fallback. Who declined (PARTSTAT) or passed an invitation on is not on call; cancelled events do not count, nor do those
that are marked as free (TRANSP), except whole days, which calendars mark so by themselves. Times without a zone, and whole
days, are the rota's own. What is not understood is named and does not count (`event_faults`). What could keep a reader
busy is refused: more than 1 MB, more than 2,000 events or 1,000 spells, and what `recurrence_limits` will not follow.
"""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.policy.model import NamedPerson, Policy
from bot.domain.policy.people import Person
from bot.domain.policy.rota import Rota, Spell
from bot.domain.policy.same_text import folded
from runbooks.calendars.event_faults import fault, faults_between, listed, title
from runbooks.calendars.expansion import end_of, occurrences
from runbooks.calendars.ical_text import BadFeed, calendar_text, in_own_zones
from runbooks.calendars.own_zones import redefined
from runbooks.calendars.recurrence_limits import has_ended, trouble
from runbooks.parsing.findings import PolicyFinding
from runbooks.rules.on_call import at_wall

if TYPE_CHECKING:
    from icalendar import Calendar

BEFORE, AFTER = timedelta(days=2), timedelta(days=35)  # how far around now a feed is read
MAX_BYTES, MAX_EVENTS, MAX_SPELLS = 1_000_000, 2000, 1000
_NOT_COMING = ("DECLINED", "DELEGATED")
_TO_KNOW = "NON-PARTICIPANT"  # a ROLE: invited for information only
_CALENDARS = ("PUBLISH", "REQUEST")  # a CANCEL takes its events back, and a REPLY or COUNTER asks for something
_PARSER = threading.Lock()  # the parser keeps time zones by name for the whole process


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """The content of a feed around one moment. `strangers`: texts of events that name nobody of the rota.

    `unread`: sentences about events that do not count because something in them is not understood.
    """

    spells: tuple[Spell, ...]
    strangers: tuple[str, ...]
    unread: tuple[str, ...] = ()

    def sentences(self, rota: Rota) -> tuple[str, ...]:
        """Everything that does not count in the feed of `rota`, each in one sentence."""
        return (*self.unread, *(stranger(text, rota) for text in self.strangers))


def read_feed(content: bytes, rota: Rota, named: tuple[NamedPerson, ...], now: datetime) -> CalendarReading:
    """The spells from two days before `now` (aware UTC) to 35 days after. Raises BadFeed."""
    calendar, unread = _understood(*_calendar(content))
    known, zone = _names(rota, named), ZoneInfo(rota.time_zone)
    unknown = _strangers(calendar, known)
    _leave_out_ended(calendar, now)
    _followed(calendar, now)
    found, broken = occurrences(calendar, now - BEFORE, now + AFTER)
    unread += tuple(_does_not_count(text, "repeats in a way that cannot be followed") for text in broken)
    try:
        spells = [spell for event in found if (spell := _spell(event, known, zone)) is not None]
    except Exception as error:  # noqa: BLE001 -- whatever a foreign parser stumbles over, the feed is bad
        raise BadFeed(f"an event cannot be read ({type(error).__name__})") from None
    if len(spells) > MAX_SPELLS:
        raise BadFeed(f"it names more than {MAX_SPELLS} times on call within five weeks")
    return CalendarReading(tuple(sorted(spells, key=lambda s: (s.start, s.end, str(s.person)))), unknown, unread)


def not_counted(content: bytes, rota: Rota, named: tuple[NamedPerson, ...]) -> tuple[str, ...]:
    """Sentences about the events, past ones too, that do not count, each once. Raises BadFeed."""
    calendar, unread = _understood(*_calendar(content))
    return CalendarReading((), _strangers(calendar, _names(rota, named)), unread).sentences(rota)


def feed_findings(policy: Policy, today: date | None = None) -> Iterator[PolicyFinding]:
    """What is wrong with the feeds that are files of the set: unreadable is an error, a stranger a warning.

    With `today` what they say around that day is read too."""
    files = {file.path: file.content for file in policy.files}
    for rota in policy.rotas.values():
        if rota.feed is None or rota.feed not in files:
            continue
        try:
            sentences = _unknown(files[rota.feed], rota, policy, today)
        except BadFeed as bad:
            yield PolicyFinding("error", rota.feed, 1, f"This feed cannot be used, {bad}: export it again.")
            continue
        for text in sentences:
            yield PolicyFinding("warning", rota.feed, 1, text)


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
        return not_counted(content, rota, policy.people)
    return read_feed(content, rota, policy.people, datetime.combine(today, time(), UTC)).sentences(rota)


def _followed(calendar: Calendar, now: datetime) -> None:
    try:
        why = trouble(calendar.walk("VEVENT"), now - BEFORE, now + AFTER)
    except Exception as error:  # noqa: BLE001 -- as below
        raise BadFeed(f"an event cannot be read ({type(error).__name__})") from None
    if why is not None:
        raise BadFeed(why)


def _calendar(content: bytes) -> tuple[Calendar, tuple[str, ...]]:
    """The calendar, and sentences about time zones that it defines otherwise than they are known. Raises BadFeed."""
    if len(content) > MAX_BYTES:
        raise BadFeed("it is larger than 1 MB")
    text = calendar_text(content)
    calendar = _parsed(text)
    own = _own_zones(calendar)
    said = tuple(
        f"The calendar defines the time zone {zone!r} otherwise than it is known; its own definition counts."
        for zone in own
    )
    return (_parsed(in_own_zones(text, own)) if own else calendar), said


def _own_zones(calendar: Calendar) -> tuple[str, ...]:
    try:
        return redefined(calendar)
    except BadFeed:
        raise
    except Exception as error:  # noqa: BLE001 -- as above
        raise BadFeed(f"a time zone of its own cannot be read ({type(error).__name__})") from None


def _parsed(text: str) -> Calendar:
    from icalendar import Calendar
    from icalendar.timezone import tzp

    try:
        with _PARSER, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `/vendor/Europe/London` is read as what it ends with
            tzp.use_default()  # forgets the zones that another calendar defined under the same names
            calendar = Calendar.from_ical(text)
        events = calendar.walk("VEVENT")
    except Exception as error:  # noqa: BLE001 -- as above
        raise BadFeed(f"it is no iCalendar ({type(error).__name__})") from None
    if calendar.name != "VCALENDAR":
        raise BadFeed("it is no iCalendar (no VCALENDAR)")
    method = str(calendar.get("METHOD", "PUBLISH")).upper()
    if method not in _CALENDARS:
        raise BadFeed(f"it is no calendar but a message about one (METHOD:{method[:20]!r})")
    if not events:
        raise BadFeed("it holds no event")
    _check_heading(calendar)
    if len(events) > MAX_EVENTS:
        raise BadFeed(f"it holds more than {MAX_EVENTS} events")
    return calendar


def _check_heading(calendar: Calendar) -> None:
    """What holds for the whole calendar. Raises BadFeed where it is not understood."""
    scale, zone = (str(calendar.get(name, "")).strip() for name in ("CALSCALE", "X-WR-TIMEZONE"))
    if scale.upper() not in ("", "GREGORIAN"):
        raise BadFeed(f"it counts days otherwise (CALSCALE:{scale[:20]!r})")
    try:
        ZoneInfo(zone or "UTC")
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise BadFeed(f"nobody knows its time zone (X-WR-TIMEZONE:{zone[:40]!r})") from None


def _does_not_count(text: str, why: str) -> str:
    return f"The event {text!r} {why}, so it does not count: correct it in the calendar."


def _understood(calendar: Calendar, said: tuple[str, ...]) -> tuple[Calendar, tuple[str, ...]]:
    """The calendar without the events that are not understood, and a sentence about each of them after those already `said`."""
    wrong: dict[str, None] = dict.fromkeys(said)
    gone: set[str] = set()
    events = [(event, _why_not(event)) for event in calendar.walk("VEVENT")]
    together = faults_between([event for event, why in events if why is None and _counts(event)])
    for event, alone in events:
        why = alone or together.get(str(event.get("UID", "")))
        if why is not None:
            wrong[_does_not_count(title(event), why)] = None
            gone.add(str(event.get("UID", "")) or str(id(event)))
    calendar.subcomponents = [
        part for part in calendar.subcomponents
        if part.name != "VEVENT" or not {str(part.get("UID", "")), str(id(part))} & gone
    ]  # fmt: skip
    return calendar, tuple(wrong)


def _leave_out_ended(calendar: Calendar, now: datetime) -> None:
    """Drops the repeating events that ended before what is read and have no exceptions of their own."""
    shared = Counter(str(event.get("UID", "")) for event in calendar.walk("VEVENT"))
    try:
        calendar.subcomponents = [
            part for part in calendar.subcomponents
            if part.name != "VEVENT" or shared[str(part.get("UID", ""))] > 1 or not has_ended(part, now - BEFORE)
        ]  # fmt: skip
    except Exception as error:  # noqa: BLE001 -- as below
        raise BadFeed(f"an event cannot be read ({type(error).__name__})") from None


def _why_not(event: Any) -> str | None:
    try:
        return fault(event) if _counts(event) else None
    except Exception:  # noqa: BLE001 -- a property that the parser could not read raises when it is looked at
        return "holds a time or a rule that cannot be read"


def _names(rota: Rota, named: tuple[NamedPerson, ...]) -> dict[str, Person]:
    """Texts that identify one of the rota's people; a name that two of them share identifies nobody."""
    found: dict[str, Person] = {}
    shared: set[str] = set()
    pairs = [(text, person) for person in rota.people for text in (person.user, str(person))]
    pairs += [(text, line.person) for line in named if line.person in rota.people for text in (line.label, line.name)]
    for text, person in pairs:
        if found.setdefault(folded(text), person) != person:
            shared.add(folded(text))
    return {text: person for text, person in found.items() if text not in shared}


def _person(event: Any, known: Mapping[str, Person]) -> Person | None:
    """Whom an event puts on call: by its title, or else the first attendee who has not declined."""
    invited = [(known.get(folded(str(one.params.get("CN", "")))), one) for one in listed(event.get("ATTENDEE"))]
    declined = {person for person, one in invited if str(one.params.get("PARTSTAT", "")).upper() in _NOT_COMING}
    coming = (person for person, one in invited if str(one.params.get("ROLE", "")).upper() != _TO_KNOW)
    meant = (known.get(folded(str(event.get("SUMMARY", "")))), *coming)
    return next((person for person in meant if person is not None and person not in declined), None)


def _strangers(calendar: Calendar, known: Mapping[str, Person]) -> tuple[str, ...]:
    events = [event for event in calendar.walk("VEVENT") if _counts(event) and _person(event, known) is None]
    return tuple(dict.fromkeys(title(event) for event in events))


def _spell(event: Any, known: Mapping[str, Person], zone: ZoneInfo) -> Spell | None:
    person = _person(event, known)
    if person is None or not _counts(event):
        return None
    start, end = (_real(moment, zone) for moment in (event.start, end_of(event)))
    return Spell(start, end, person) if start < end else None


def _real(moment: date, zone: ZoneInfo) -> datetime:
    if isinstance(moment, datetime):
        return at_wall(moment, zone).astimezone(UTC)
    return at_wall(datetime(moment.year, moment.month, moment.day), zone)  # noqa: DTZ001


def _counts(event: Any) -> bool:
    """Whether an event is neither cancelled nor, unless it is of whole days, marked as free."""
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return False
    free = str(event.get("TRANSP", "")).upper() == "TRANSPARENT"
    return not (free and isinstance(getattr(event.get("DTSTART"), "dt", None), datetime))
