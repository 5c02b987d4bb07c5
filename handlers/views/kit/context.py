"""The context of a view besides the case: policy, the current time, and the time scale.

Times show in each reader's own zone by Slack's date markup. Where the clock runs faster than the wall's, every time and
every duration says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.case.model import Case
from bot.domain.policy.model import Domain, Policy
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import no_others
from bot.domain.workflow.timeline import Moment
from bot.service.current_policy import CurrentPolicy
from handlers.views.kit.escaping import inline

_NEAR = timedelta(hours=12)
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class ViewContext:
    """The moment at which something is drawn. `prefix` is that of the commands."""

    policy: Policy
    now: datetime
    scale: float = 1.0
    prefix: str = ""
    ahead: Mapping[str, Sequence[Moment]] = field(default_factory=dict)  # of a pending case, by its id, if nobody answers
    sign: str = (
        ""  # where the reader of a card signs a yes to it; "" where nothing is to be signed, or no key of theirs counts
    )
    binding: Callable[[datetime], Sequence[Policy]] = no_others  # the earlier sets that still bind what was asked for then

    def coming(self, case: Case) -> Sequence[Moment]:
        """The engine's coming steps of a case if nobody answers; nothing where they are not at hand."""
        return self.ahead.get(case.id, ())

    def at(self, moment: datetime) -> str:
        """A moment, in the reader's zone."""
        seconds = int(moment.timestamp())
        form = "{time}" if abs(moment - self.now) < _NEAR else "{date_short_pretty}, {time}"
        return f"<!date^{seconds}^{form}|{moment:%Y-%m-%d %H:%M} UTC>{self.demo}"

    def stamp(self, moment: datetime) -> str:
        """A moment as plain text, in UTC: for where no markup is shown."""
        return f"{moment:%H:%M} UTC" if abs(moment - self.now) < _NEAR else f"{moment:%-d %b %H:%M} UTC"

    def lasting(self, seconds: int) -> str:
        """A duration of policy, in words."""
        return span(seconds) + self.demo

    def length(self, case: Case) -> str:
        """How long what was asked for lasts: `for 1 hour`, or of an exception `until …`."""
        request, ends_at = case.request, case.request.terms.ends_at
        if ends_at is None:
            return f"for *{self.lasting(request.seconds)}*"
        return f"until *{self.day(ends_at, request.filed_at, request.seconds)}*"

    def day(self, ends_at: datetime, since: datetime, seconds: int) -> str:
        """The end of an exception that lasts `seconds` of policy from `since`, as a day in UTC, for so it was chosen; where
        the clock runs faster, with the moment at which it comes."""
        chosen = since + timedelta(seconds=seconds)
        return f"{chosen:%-d %b %Y}" + (f" (in this demo: {self._soon(ends_at)})" if self.demo else "")

    def _soon(self, moment: datetime) -> str:
        """A day in UTC; today, the time in the reader's zone."""
        if moment.date() != self.now.date():
            return f"{moment:%-d %b}"
        return f"<!date^{int(moment.timestamp())}^{{time}}|{moment:%Y-%m-%d %H:%M} UTC>"

    @property
    def demo(self) -> str:
        """The mark of a clock that runs faster than the wall's; nothing at its true pace."""
        return f" (demo clock {self.scale:g}×)" if self.scale > 1 else ""

    def domain(self, domain_id: str) -> Domain | None:
        return self.policy.domains.get(domain_id)

    def provider(self, provider_id: str, limit: int = 80) -> str:
        """The provider's name; its id once policy no longer knows it."""
        known = self.policy.providers.get(provider_id)
        return inline(known.name if known else provider_id, limit)


def drawn_now(current: CurrentPolicy, clock: Clock, scale: float, prefix: str) -> Callable[[], ViewContext]:
    """Returns the function that gives the context of the moment: the set in force and the time."""
    return lambda: ViewContext(current.policy, clock.now(), scale, prefix, binding=current.sets.also_binding)


def who(person: Person) -> str:
    """A person, from the id only; `-` is an erased person."""
    if person.user == "-":
        return "somebody (erased)"
    return f"<@{person.user}>"


def everyone(people: tuple[Person, ...] | list[Person], limit: int = 12) -> str:
    """Several people, each once; those beyond `limit` as a number."""
    listed = list(dict.fromkeys(who(p) for p in people))
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more


def span(seconds: int) -> str:
    """`5400` is `1 hour 30 minutes`."""
    parts, left = [], max(seconds, 0)
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}" + ("s" if count > 1 else ""))
    return " ".join(parts) or "0 seconds"
