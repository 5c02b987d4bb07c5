"""What a changed domain means, in sentences: who owns it when, who may approve what, who answers for the risk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.domain.authority.authorization import named_for
from bot.domain.governance import wording
from bot.domain.governance.sentences import Seen, Table, optional, replaced, silent, told
from bot.domain.policy.governance import OwnerTerm
from bot.domain.policy.model import Domain, Hours, Policy
from bot.domain.policy.people import Person

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def changed(old: Policy, new: Policy, before: Domain | None, after: Domain | None) -> Iterator[str]:
    """The sentences of one domain; None: it is not in that set."""
    if after is not None and before is not None:
        seen = Seen(old, new, after.name)
        yield from _owners(seen, before, after)
        yield from _deputies(seen, before, after)
        yield from told(DOMAIN, seen, before, after)
    elif after is not None:
        yield from _begins(Seen(old, new, after.name), after)
    elif before is not None:
        yield f"{before.name} is no longer a domain of this matrix: nothing can be asked for in it."


def may_approve(policy: Policy, domain: Domain) -> str:
    """`resets and policy exceptions of the Corporate directory`: what is decided in a domain."""
    found = [r.kind for r in policy.runbooks.values() if r.domain == domain.id and r.kind != "finding"]
    return f"{wording.kinds(found) or 'requests'} of the {domain.name}"


def _begins(seen: Seen, after: Domain) -> Iterator[str]:
    yield f"{after.name} is a new domain. {_owned(seen, after)}"
    what = may_approve(seen.new, after)
    if after.deputies:
        yield f"From now on {seen.people(after.deputies)} may approve {what} as deputies, once it has reached them."
    if after.risk_owner:
        yield f"{seen.person(after.risk_owner)} signs the residual risk of {after.name}."


def _owned(seen: Seen, domain: Domain) -> str:
    if domain.terms:
        return " ".join(_term(seen, term, domain) for term in domain.terms)
    return f"{seen.person(domain.owner)} owns it and may approve {may_approve(seen.new, domain)}."


def _terms(domain: Domain) -> tuple[OwnerTerm, ...]:
    return domain.terms or (OwnerTerm(domain.owner),)


def _owners(seen: Seen, before: Domain, after: Domain) -> Iterator[str]:
    """Owners by date, or one owner instead of another. An owner changed only by the date is no change of the policy."""
    was, now = _terms(before), _terms(after)
    if was == now:
        return
    if len(was) == 1 and len(now) == 1 and not after.terms:
        yield _instead(seen, was[0].person, now[0].person, after)
        return
    yield from (_term(seen, term, after) for term in now if term not in was)
    gone = dict.fromkeys(term.person for term in was if term.person not in {t.person for t in now})
    yield from (f"{seen.person(person)} no longer owns {after.name}." for person in gone)
    if now[-1].last is not None:
        first = wording.day(now[-1].last + timedelta(days=1))
        yield f"From {first} nobody owns {after.name}; the risk owner answers."


def _instead(seen: Seen, was: Person, now: Person, domain: Domain) -> str:
    if was == now:
        return f"{seen.person(now)} owns {domain.name} without an end."
    what = may_approve(seen.new, domain)
    gone = "" if was in named_for(seen.new, domain) else f" {seen.person(was)} may no longer approve there."
    return f"From now on {seen.person(now)} owns {domain.name} instead of {seen.person(was)} and may approve {what}.{gone}"


def _term(seen: Seen, term: OwnerTerm, domain: Domain) -> str:
    since = f"From {wording.day(term.first)} " if term.first else ""
    until = f" until {wording.day(term.last)} (that day included)" if term.last else ""
    what = may_approve(seen.new, domain)
    return f"{since}{seen.person(term.person)} owns {domain.name}{until} and may approve {what}."


def _deputies(seen: Seen, before: Domain, after: Domain) -> Iterator[str]:
    more = [p for p in after.deputies if p not in before.deputies]
    fewer = [p for p in before.deputies if p not in after.deputies and p not in {term.person for term in _terms(after)}]
    what = may_approve(seen.new, after)
    yield from (f"From now on {seen.person(p)} may approve {what}, as a deputy." for p in more)
    yield from (f"{seen.person(p)} may no longer approve {what} as a deputy." for p in fewer)
    first = after.deputies[:1]
    if first and before.deputies[:1] != first:
        yield f"{seen.person(first[0])} is now the first deputy of {after.name} and stands in when the owner is away."


def _risk_owner(seen: Seen, old: Person | None, new: Person | None) -> Iterator[str]:
    instead = f" instead of {seen.person(old)}" if old else ""
    if new is not None:
        yield f"From now on {seen.person(new)} signs the residual risk of {seen.subject}{instead}, and may approve once reached."
    elif old is not None:
        yield f"{seen.person(old)} no longer signs the residual risk of {seen.subject}: the owner does."


def _on_call(seen: Seen, old: str | None, new: str | None) -> Iterator[str]:
    rota = seen.new.rotas.get(new or "")
    if rota is None:
        yield f"Nobody is on call for {seen.subject} any more."
        return
    instead = f" instead of the rota “{old}”" if old else ""
    yield f"On call for {seen.subject} are now {seen.people(rota.people)} (rota “{new}”){instead}; they may approve once reached."


def _evidence(seen: Seen, old: Person | None, new: Person | None) -> Iterator[str]:
    instead = f" instead of {seen.person(old)}" if old else ""
    yield f"{seen.person(new) if new else 'The owner'} now answers for the evidence of {seen.subject}{instead}."


def hours_words(hours: Hours) -> str:
    """`Monday, Tuesday, 08:00 to 18:00, Europe/London`."""
    days = ", ".join(_DAYS[day] for day in sorted(hours.days))
    return f"{days}, {_clock(hours.start)} to {_clock(hours.end)}, {hours.time_zone}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def quoted(words: Sequence[object]) -> str:
    return f"“{words}”"


DOMAIN: Table = {
    "id": silent, "owner": silent, "terms": silent, "deputies": silent, "vacant": silent,  # `_owners` and `_deputies` say them
    "name": replaced("{subject} is the new name{instead}.", quoted),
    "channel": replaced("Outcomes of {subject} are now posted in {new}{instead}."),
    "risk_owner": _risk_owner,
    "on_call": _on_call,
    "evidence_owner": _evidence,
    "risk_statement": optional(
        "The residual risk of {subject} now reads {new}{instead}.",
        "The residual risk of {subject} is no longer stated; before: {old}.",
        quoted,
    ),
    "default_escalation": optional(
        "In {subject}, what names no escalation of its own is now escalated by {new}{instead}.",
        "{subject} has no escalation of its own any more; before {old}.",
        quoted,
    ),
    "hours": optional(
        "The working hours of {subject} are now {new}{instead}.", "{subject} has no working hours any more; before {old}.",
        hours_words,
    ),
}  # fmt: skip
