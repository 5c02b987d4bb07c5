"""What is under review, whose it is, when it is due, and its figures.

A provider may do without prior consent: what an autonomous or a break-glass right opens, what a live exception leaves off, and
whatever the people who may ask come to ask. Each is its domain's owner's to review; what the owner alone approved or ratified
is its risk owner's. What a review narrowed needs consent each time, so it is under review no more until its file changes.
Source: governance-contract.md, section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

from bot.domain.case.campaign import Consent, Figures, Item, Use
from bot.domain.case.model import Case
from bot.domain.governance import narrowing, working_days
from bot.domain.policy.governance import ItemKind, ReviewRules
from bot.domain.policy.model import Domain, Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.provider import Provider
from bot.domain.policy.row import row_of

YEAR = 365 * 86_400  # seconds of policy time in which an answer to one item by itself is remembered
Key = tuple[ItemKind, str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows: openings of access, live exceptions, and the last answer on each right."""

    uses: Sequence[Use]
    exceptions: Sequence[Case]
    consents: Mapping[Key, Consent]


@dataclass(frozen=True, slots=True)
class UnderReview:
    """One right: who reviews it, as which item, and when; `due` None: it is not known yet since when it is there."""

    reviewer: Person
    item: Item
    due: datetime | None


def under_review(policy: Policy, known: Known, now: datetime, scale: float) -> tuple[UnderReview, ...]:
    """Everything that is under review now, domain by domain; nothing without the key `review`."""
    rules = policy.review
    if rules is None:
        return ()
    found = [
        _judged(policy, rules, known, item, now, scale)
        for item in (*_rights(policy), *_exceptions(policy, known), *_people(policy))
    ]
    return tuple(one for one in found if one is not None)


def unknown(policy: Policy, known: Known) -> Iterator[Item]:
    """What is there and was never seen before, one item a domain."""
    for item in (*_rights(policy), *_exceptions(policy, known), *_people(policy)):
        for domain in item.domains:
            if (item.kind, item.of, domain) not in known.consents:
                yield replace(item, domains=(domain,))


def every(policy: Policy, item: Item) -> int:
    """How often an item is reviewed, in seconds of policy time."""
    rules, runbook = policy.review, policy.runbooks.get(item.of)
    assert rules is not None
    if item.kind == "break_glass":
        return rules.break_glass_every
    own = runbook.review_every if item.kind == "autonomous" and runbook is not None else None
    return own or rules.every


def reviewer_of(policy: Policy, item: Item) -> Person | None:
    """Whose answer is asked for: the owner of today, or the risk owner of what the owner alone approved."""
    domain = policy.domains.get(item.domains[0])
    if domain is None:
        return None
    return domain.risk_owner if item.alone is not None and item.alone == domain.owner else domain.owner


# What there is.


def _rights(policy: Policy) -> Iterator[Item]:
    for runbook in policy.runbooks.values():
        kind: ItemKind = "autonomous" if runbook.right == "autonomous" else "break_glass"
        if runbook.domain not in policy.domains or (kind == "break_glass" and runbook.break_glass is None):
            continue
        if runbook.sha256 not in policy.standing.withdrawn and narrowing.of_right(policy, runbook) is None:
            yield _right(kind, runbook)


def _right(kind: ItemKind, runbook: Runbook) -> Item:
    providers = ", ".join(sorted(runbook.providers))
    return Item(kind, runbook.id, (runbook.domain,), runbook.title, providers, row_of(runbook), runbook.sha256)


def _exceptions(policy: Policy, known: Known) -> Iterator[Item]:
    for case in known.exceptions:
        request = case.request
        if request.domain in policy.domains and narrowing.of_exception(policy, case.id) is None:
            yield Item("exception", case.id, (request.domain,), request.title, request.provider)


def _people(policy: Policy) -> Iterator[Item]:
    for provider in policy.providers.values():
        owners: dict[Person, list[str]] = {}
        for domain in _asked_in(policy, provider):
            owners.setdefault(domain.owner, []).append(domain.id)
        for person in _requesters(provider):
            for domains in owners.values():
                open_ = tuple(d for d in domains if narrowing.of_person(policy, d, person) is None)
                if open_:
                    yield Item("person", str(person), open_, policy.name_of(person), provider.id)


def _asked_in(policy: Policy, provider: Provider) -> Iterator[Domain]:
    ids = {r.domain for r in policy.runbooks.values() if provider.id in r.providers}
    yield from (domain for id_, domain in policy.domains.items() if id_ in ids)


def _requesters(provider: Provider) -> Iterator[Person]:
    """One account for each requester: of the provider's own workspace where the file allows it."""
    for ref in provider.requesters:
        own = sorted(ref.teams & provider.workspaces) or sorted(ref.teams)
        yield Person(own[0], ref.user)


# What is known of it.


def _judged(
    policy: Policy, rules: ReviewRules, known: Known, item: Item, now: datetime, scale: float
) -> UnderReview | None:
    consents = [known.consents.get((item.kind, item.of, domain)) for domain in item.domains]
    there = [consent for consent in consents if consent is not None]
    last = max(there, key=lambda consent: consent.at, default=None)
    period = timedelta(seconds=every(policy, item) / scale)
    since = last.at if last is not None and last.effect == "kept" else now - period
    uses = [use for use in known.uses if _uses(item, use, policy) and use.at > since]
    figures = _figures(uses, policy.domains[item.domains[0]], since)
    alone = _alone(policy, item, uses, known)
    flags = tuple(_flags(item, figures, last))
    item = replace(item, figures=figures, flags=flags, alone=alone, easy=_easy(item, last, flags, now, scale))
    reviewer = reviewer_of(policy, item)
    if reviewer is None:
        return None
    due = None if len(there) < len(consents) else min(_due(consent, period) for consent in there)
    return UnderReview(reviewer, item, due)


def _due(consent: Consent, period: timedelta) -> datetime:
    return consent.at if consent.effect == "due" else consent.at + period


def _uses(item: Item, use: Use, policy: Policy) -> bool:
    if item.kind == "person":
        user = item.of.rpartition("/")[2]
        return use.domain in item.domains and user in policy.humans.accounts(use.requester)
    return item.kind in ("autonomous", "break_glass") and use.runbook == item.of


def _figures(uses: Sequence[Use], domain: Domain, since: datetime) -> Figures:
    pressed = [
        (use.pressed_at - use.sent_at).total_seconds()
        for use in uses
        if use.pressed_at is not None and use.sent_at is not None
    ]
    outside = None if domain.hours is None else sum(working_days.out_of_hours(use.at, domain.hours) for use in uses)
    return Figures(
        since, len(uses), max((use.at for use in uses), default=None), tuple(dict.fromkeys(use.requester for use in uses)),
        outside, sum(use.missing for use in uses), round(median(pressed)) if pressed else None,
    )  # fmt: skip


def _flags(item: Item, figures: Figures, last: Consent | None) -> Iterable[str]:
    """Why it needs a reason to be kept."""
    if figures.uses == 0 and item.kind != "exception":
        yield "unused"
    if figures.missing:
        yield "evidence missing"
    if figures.out_of_hours:
        yield "used out of hours"
    if last is not None and last.effect == "kept" and last.row != item.row:
        yield "changed"


def _easy(item: Item, last: Consent | None, flags: Sequence[str], now: datetime, scale: float) -> bool:
    if last is None or last.effect != "kept" or last.row != item.row or flags or last.singly_at is None:
        return False
    return now - last.singly_at <= timedelta(seconds=YEAR / scale)


def _alone(policy: Policy, item: Item, uses: Sequence[Use], known: Known) -> Person | None:
    """The owner, where every approval or ratification of it is theirs alone and the domain has another to review it."""
    domain = policy.domains[item.domains[0]]
    if item.kind == "exception":
        case = next(case for case in known.exceptions if case.id == item.of)
        voters = {v.person for ask in case.asks for v in ask.votes if v.answer == "yes"}
    elif item.kind == "break_glass":
        voters = {person for use in uses for person in use.ratified_by}
    else:
        return None
    humans, other = policy.humans, domain.risk_owner
    mine = bool(voters) and all(humans.same(voter, domain.owner) for voter in voters)
    return domain.owner if mine and other is not None and not humans.same(other, domain.owner) else None
