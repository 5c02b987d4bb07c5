"""The log entries of campaigns. They belong to no case. Source: governance-contract.md, section 2."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.case.campaign import Campaign, Item
from bot.domain.case.transition import CLOCK, SYSTEM, FileDigest, LogEvent, Private, Value
from bot.domain.decision_log.entry import stamp
from bot.domain.decision_log.events import actor
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person

_TYPES = {"keep": "right.kept", "narrow": "right.narrowed", "withdraw": "right.withdrawn", "silence": "right.narrowed"}


def opened(campaign: Campaign, policy: Policy) -> LogEvent:
    data: dict[str, Value] = {
        "id": campaign.id, "owner": campaign.owner, "domains": campaign.domains, "window": campaign.window,
        "silence": "narrow" if campaign.narrows else "keep",
        "items": tuple(about(item) | _figures(item) for item in campaign.items),
    }  # fmt: skip
    return LogEvent("campaign.opened", SYSTEM, data=data, policy=_set(policy))


def answered(
    campaign: Campaign, item: Item, policy: Policy, role: str, reason: str, on_behalf_of: Person | None
) -> LogEvent:
    """Somebody's answer to one item; `silence`: it was narrowed by a silence before, and is kept now."""
    assert item.by is not None
    data = {"id": campaign.id, "by": "answer", "role": role} | about(item)
    before = campaign.item(item.key)
    if before is not None and before.answer == "silence":
        data["lifts"] = True
    private = (Private("reason", reason, item.by),) if reason else ()
    return LogEvent(
        _TYPES[item.answer], actor(policy, item.by), data=data, on_behalf_of=on_behalf_of, runbook=_runbook(item),
        policy=_set(policy), private=private,
    )  # fmt: skip


def fell_silent(campaign: Campaign, item: Item, policy: Policy, previewed_at: datetime) -> LogEvent:
    """Nobody who was reached answered within the whole window: the right is narrowed. `of_whom`: whose silence it is."""
    silent = tuple(asked.person for asked in campaign.asked if asked.role != "lead")
    data = about(item) | {
        "id": campaign.id, "by": "silence", "of_whom": silent, "counted": campaign.counted, "previewed_at": stamp(previewed_at),
    }  # fmt: skip
    return LogEvent("right.narrowed", CLOCK, data=data, runbook=_runbook(item), policy=_set(policy))


def attested(
    id_: str, policy: Policy, lead: Person, provider: str, stay: Sequence[str], gone: Sequence[str], until: datetime
) -> LogEvent:
    """A lead attested which people are still theirs (`people`) and which are not (`gone`); it counts until then."""
    data: dict[str, Value] = {
        "id": id_, "provider": provider, "people": tuple(map(Person.parse, stay)), "gone": tuple(map(Person.parse, gone)),
        "until": stamp(until),
    }  # fmt: skip
    return LogEvent("roster.attested", actor(policy, lead), data=data, policy=_set(policy))


def closed(campaign: Campaign, policy: Policy) -> LogEvent:
    """What was reviewed and the result of each item."""
    answers = [item.answer for item in campaign.items]
    data: dict[str, Value] = {
        "id": campaign.id, "owner": campaign.owner, "counted": campaign.counted,
        "kept": answers.count("keep"), "narrowed": answers.count("narrow"), "withdrawn": answers.count("withdraw"),
        "silent": answers.count("silence"), "unanswered": answers.count(""),
        "items": tuple(about(item) | {"answer": item.answer or "none"} for item in campaign.items),
    }  # fmt: skip
    return LogEvent("campaign.closed", SYSTEM, data=data, policy=_set(policy))


def about(item: Item) -> dict[str, Value]:
    """Which right it is. A person is a pseudonym, as everywhere."""
    of: Value = Person.parse(item.of) if item.kind == "person" else item.of
    data: dict[str, Value] = {"item": item.kind, "of": of, "domains": item.domains}
    return data | ({"row": item.row} if item.row else {})


def _figures(item: Item) -> dict[str, Value]:
    found = item.figures
    data: dict[str, Value] = {"uses": found.uses, "missing": found.missing, "used_by": found.by, "flags": item.flags}
    data |= {} if found.last_use is None else {"last_use": stamp(found.last_use)}
    data |= {} if found.out_of_hours is None else {"out_of_hours": found.out_of_hours}
    return data | ({} if found.first_press is None else {"first_press_seconds": found.first_press})


def _runbook(item: Item) -> FileDigest | None:
    return FileDigest(item.of, item.sha256) if item.sha256 else None


def _set(policy: Policy) -> FileDigest:
    return FileDigest(policy.organisation, policy.digest)
