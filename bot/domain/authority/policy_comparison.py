"""Every key of a policy, and whether a change of it is stricter, easier or neutral. The tables are the code.

A new key of a dataclass in `bot.domain.policy` is one row here; without a row its change counts as easier, and a test
says that the row is missing. Compared are values, never bytes: a reformatted file changes nothing. Design, sections 2 and 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.authority.comparison_rules import (
    Change,
    Rule,
    Table,
    above,
    allows,
    at_least,
    at_most,
    demands,
    easier,
    gained_beside,
    judged_beside,
    limit,
    may,
    neutral,
    once_set,
    only,
    optional,
    party,
    ranked,
    stricter_of,
    unknown,
)
from bot.domain.policy.model import FieldSpec, NamedPerson
from bot.domain.policy.people import Humans

Specs = tuple[FieldSpec, ...]


def _looser_choice(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(item for item in new if item in old) or old


FIELD: Table = {
    "name": neutral(),  # fields are paired by it
    "label": neutral(),
    "hint": neutral(),
    "type": unknown("its type"),
    "required": Rule(lambda old, _new: "easier" if old else "stricter", lambda old, new: old or new, "no longer required"),
    "pattern": Rule(
        lambda old, _new: "stricter" if old is None else "easier", lambda old, new: new or old, "its pattern"
    ),  # both have to match: see `_both`
    "matcher": neutral(),
    "minimum": above("its minimum"),
    "maximum": at_most("its maximum"),
    "options": Rule(
        lambda old, new: "stricter" if new and set(new) <= set(old) else "easier", _looser_choice, "its options"
    ),
    "earliest": above("its earliest day"),
    "latest": at_most("its latest day"),
}


def _judge_fields(old: Specs, new: Specs) -> Change:
    after = {spec.name: spec for spec in new}
    lost = any(spec.name not in after for spec in old)
    return "easier" if lost or any(easier(FIELD, s, after[s.name]) for s in old if s.name in after) else "stricter"


def _both_fields(old: Specs, new: Specs) -> Specs:
    """Each field in the stricter value of both, an old pattern as well as the new one; a field that was required stays required."""
    before = {spec.name: spec for spec in old}
    kept = tuple(_both(before[spec.name], spec) if spec.name in before else spec for spec in new)
    return (*kept, *(spec for spec in old if spec.name not in {s.name for s in new}))


def _both(old: FieldSpec, new: FieldSpec) -> FieldSpec:
    merged = stricter_of(FIELD, old, new)
    if old.pattern is None or old.pattern == new.pattern:
        return merged
    one, other = old.matcher or _nothing, (new.matcher or _nothing) if new.pattern is not None else _anything
    return replace(merged, matcher=lambda text: one(text) and other(text))


def _nothing(_text: str) -> bool:
    """A pattern without its matcher fits nothing."""
    return False


def _anything(_text: str) -> bool:
    return True


BREAK_GLASS: Table = {
    "ratify_within": at_most("time to ratify"),
    "quota": limit("quota"),
    "overdue_since": neutral(),  # of no file: an act sets it
}

RUNBOOK: Table = {
    "id": neutral(),  # runbooks are paired by it
    "title": neutral(),
    "body": neutral(),
    "sha256": neutral(),
    "kind": unknown("kind"),
    "domain": judged_beside("another domain decides"),
    "providers": allows("providers that may ask"),
    "right": ranked("right", ("autonomous", "immediate", "approval")),
    "max_duration": at_most("longest duration"),
    "default_duration": at_most("default duration"),
    "approvals": at_least("approvals"),
    "requires": demands("required roles"),
    "escalation": Rule(lambda old, _new: "neutral" if old is None else "easier", lambda old, _new: old, "escalation"),
    "evidence": demands("evidence"),
    "rotate_within": at_most("rotation"),
    "review_within": at_most("review after use"),
    "audience": unknown("system that accepts the permit"),
    "fields": Rule(_judge_fields, _both_fields, "fields of the form"),
    "limit": limit("limit"),
    "review_every": at_most("review of the right"),
    "tell": ranked("how the owner hears of a use", ("daily", "each")),
    "break_glass": optional(BREAK_GLASS, "break-glass"),
    "risk": ranked("risk", ("low", "medium", "high")),
    "max_renewals": at_most("renewals"),
    "subject_verification": demands("verification of the subject"),
    "targets": only("targets"),
    "executor": unknown("executor"),
    "signature": ranked("signature", ("none", "required", "device_bound")),
    "not_before": at_least("wait before it opens"),
    "due_within": at_most("time to report"),
}

PROVIDER: Table = {
    "id": neutral(),
    "name": neutral(),
    "contract": neutral(),  # a reference for people; its dates are compared
    "contract_from": above("beginning of the contract"),
    "service": neutral(),
    "contract_until": at_most("end of the contract"),
    "channel": judged_beside("channel"),
    "workspaces": party(),
    "members": party(),
    "requesters": may("who may ask"),
    "leads": may("leads"),
}

DOMAIN: Table = {
    "id": neutral(),
    "name": neutral(),
    "owner": judged_beside("owner"),
    "channel": judged_beside("channel"),
    "deputies": Rule(
        lambda old, new: "stricter" if set(new) <= set(old) and new[:1] == old[:1] else "easier",
        lambda _old, new: new,
        "deputies",
    ),  # the first one acts for the owner
    "risk_owner": judged_beside("risk owner"),
    "on_call": Rule(lambda _old, new: "stricter" if new is None else "easier", lambda _old, new: new, "on-call rota"),
    "terms": judged_beside("owners by date"),
    "vacant": neutral(),  # follows from `terms` and the day
    "evidence_owner": judged_beside("who answers for evidence"),
    "risk_statement": judged_beside("risk statement"),
    "default_escalation": judged_beside("default escalation"),
    "hours": judged_beside("working hours"),
}

ROTA: Table = {  # a rota says when, only `people` says who
    "id": neutral(),
    "source": neutral(),
    "people": gained_beside("people on call"),
    "time_zone": neutral(),
    "shifts": neutral(),
    "fallback": neutral(),
    "page": judged_beside("where pages go"),
    "feed": neutral(),
    "overrides": neutral(),
    "spells": neutral(),
}

LADDER: Table = {
    "id": neutral(),
    "expires_after": at_most("time to answer"),
    "steps": unknown("steps"),
    "hours": unknown("hours"),
}


PERSON: Table = {
    "label": neutral(),
    "person": neutral(),  # lines are paired by it
    "name": neutral(),
    "page": Rule(lambda old, _new: "neutral" if old is None else "easier", lambda _old, new: new, "where pages go"),
    "passkeys": gained_beside("passkeys"),
}


def _judge_people(old: tuple[NamedPerson, ...], new: tuple[NamedPerson, ...]) -> Change:
    before, after = {line.person: line for line in old}, {line.person: line for line in new}
    lines = [NamedPerson("", person, "") for person in {*before, *after}]
    pairs = ((before.get(line.person, line), after.get(line.person, line)) for line in lines)
    return "easier" if any(easier(PERSON, one, other) for one, other in pairs) else "neutral"


def _judge_humans(old: Humans, new: Humans) -> Change:
    """One human less is stricter: two accounts that were one count as two again."""
    split = any(not any(group <= joined for joined in new.groups) for group in old.groups)
    return "easier" if split or not old.placed <= new.placed else "stricter"


POLICY: Table = {
    "organisation": neutral(),
    "contact": neutral(),
    "workspaces": gained_beside("home workspaces"),
    "people": Rule(_judge_people, lambda _old, new: new, "pages or passkeys of people"),
    "providers": neutral(),  # these five are compared one by one, by `PARTS`
    "domains": neutral(),
    "rotas": neutral(),
    "escalation_policies": neutral(),
    "runbooks": neutral(),
    "auditors": gained_beside("auditors"),
    "humans": Rule(_judge_humans, lambda _old, new: new, "accounts of one person"),
    "files": neutral(),
    "digest": neutral(),
    "policy_delay": at_least("delay of changes"),
    "hold": at_most("how long On it holds"),
    "retention": at_least("retention"),
    "standing": neutral(),
    "agreement": once_set("agreement"),
    "review": once_set("reviews of rights"),
    "default_escalation": once_set("default escalation"),
    "reports": neutral(),
    "report_thresholds": neutral(),
    "signing": once_set("signing"),
}

PARTS: Mapping[str, Table] = {
    "providers": PROVIDER, "domains": DOMAIN, "rotas": ROTA, "escalation_policies": LADDER, "runbooks": RUNBOOK,
}  # fmt: skip
