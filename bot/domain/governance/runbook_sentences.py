"""What a changed runbook means, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.governance import wording
from bot.domain.governance.matrix import ROLE_WORDS
from bot.domain.governance.sentences import (
    Say,
    Seen,
    Table,
    gained_and_lost,
    optional,
    plain_words,
    replaced,
    silent,
    told,
)
from bot.domain.policy.model import BreakGlass, FieldSpec, Limit, Policy, Right, Role, Runbook

_HOW_MANY = {1: "one person", 2: "two people", 3: "three people"}


def changed(old: Policy, new: Policy, before: Runbook | None, after: Runbook | None) -> Iterator[str]:
    """The sentences of one runbook; None: it is not in that set."""
    if after is not None and before is not None:
        yield from told(RUNBOOK, Seen(old, new, f"“{after.title}”", _providers(new, after.providers)), before, after)
        yield from _right(old, new, before, after)
    elif after is not None:
        yield _begins(new, after)
    elif before is not None:
        asked = _providers(old, before.providers)
        yield f"“{before.title}” is gone: {asked} can no longer ask for it."


def _providers(policy: Policy, ids: Sequence[str]) -> str:
    return wording.joined([policy.providers[id_].name if id_ in policy.providers else id_ for id_ in ids])


def _begins(new: Policy, after: Runbook) -> str:
    who, domain = _providers(new, after.providers), new.domains[after.domain]
    owner = wording.person(new, domain.owner)
    lasts = f", for at most {wording.lasting(after.max_duration)}" if after.max_duration else ""
    if after.kind == "finding":
        return (
            f"From now on {who} must report “{after.title}” in {domain.name} at once; {owner} is asked to acknowledge it."
        )
    if after.right == "autonomous":
        return f"From now on {who} may do “{after.title}” in {domain.name} without asking first{lasts}; {owner} is told afterwards."
    if after.break_glass is not None:
        opens = _glass(f"In an emergency {who}", f"“{after.title}”", after.break_glass)
        return f"From now on {who} may ask for “{after.title}” in {domain.name}{lasts}. {opens}"
    return f"From now on {who} may ask for “{after.title}” in {domain.name}{lasts}; nothing happens before {_yeses(after)}."


def _yeses(runbook: Runbook) -> str:
    """`two people have said yes, the risk owner among them`."""
    among = wording.joined([f"the {ROLE_WORDS[role]}" for role in runbook.requires])
    have = "has" if runbook.approvals == 1 else "have"
    return f"{_how_many(runbook.approvals)} {have} said yes{f', {among} among them' if among else ''}"


def _how_many(count: int) -> str:
    return _HOW_MANY.get(count, f"{count} people")


def _right(old: Policy, new: Policy, before: Runbook, after: Runbook) -> Iterator[str]:
    """The change of a right names who may do what, and whose yes is no longer needed, or needed again."""
    if before.right == after.right:
        return
    who, owner = _providers(new, after.providers), wording.person(new, new.domains[after.domain].owner)
    said: dict[Right, str] = {
        "autonomous": f"From now on {who} may do “{after.title}” without asking first; {owner} is told afterwards.",
        "approval": f"From now on {who} may no longer do “{after.title}” without a yes: nothing happens before it."
        if before.right == "autonomous"
        else f"“{after.title}” no longer asks everybody at once: {owner} is asked first, the others in turn.",
        "immediate": f"“{after.title}” now asks and pages everybody of {new.domains[after.domain].name} at once.",
    }
    yield said[after.right]


def _glass(who: str, subject: str, glass: BreakGlass) -> str:
    quota = f", {_limit(glass.quota)} at most" if glass.quota else ""
    within = wording.lasting(glass.ratify_within)
    return f"{who} may open {subject} at once, before any yes{quota}; that must be ratified within {within}."


def _limit(limit: Limit) -> str:
    times = "once" if limit.count == 1 else f"{limit.count} times"
    return f"{times} in {wording.lasting(limit.per)}"


def _domain(seen: Seen, old: str, new: str) -> Iterator[str]:
    after, before = seen.new.domains[new], seen.old.domains.get(old)
    was = f"{before.name} ({seen.person(before.owner)})" if before else old
    yield f"{seen.subject} is now decided in {after.name} ({seen.person(after.owner)}) instead of {was}."


def _asking(seen: Seen, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    more, fewer = [x for x in new if x not in old], [x for x in old if x not in new]
    if more:
        yield f"From now on {_providers(seen.new, more)} may ask for {seen.subject}."
    if fewer:
        yield f"{_providers(seen.old, fewer)} may no longer ask for {seen.subject}."


def _approvals(seen: Seen, old: int, new: int) -> Iterator[str]:
    yield f"{seen.subject} now needs the yes of {_how_many(new)} instead of {_how_many(old)}."


def _roles(_seen: Seen, listed: list[Role]) -> str:
    return wording.joined([ROLE_WORDS[role] for role in listed])


def _escalation(seen: Seen, old: str | None, new: str | None) -> Iterator[str]:
    known = seen.new.escalation_policies.get(new or "")
    ends = f": without an answer it expires after {wording.lasting(known.expires_after)}" if known else ""
    instead = f" instead of “{old}”" if old else ""
    yield (
        f"{seen.subject} is now escalated by “{new}”{instead}{ends}." if new else f"{seen.subject} is no longer escalated."
    )


def _form(seen: Seen, old: Sequence[FieldSpec], new: Sequence[FieldSpec]) -> Iterator[str]:
    before, after = {f.name: f for f in old}, {f.name: f for f in new}
    for name, spec in after.items():
        if name not in before:
            must = ", which must be filled in" if spec.required else ""
            yield f"The form of {seen.subject} now also asks for “{spec.label}”{must}."
        elif before[name] != spec:
            yield f"The form of {seen.subject} asks differently for “{spec.label}”{_field(before[name], spec)}."
    yield from (f"The form of {seen.subject} no longer asks for “{f.label}”." for n, f in before.items() if n not in after)


def _field(old: FieldSpec, new: FieldSpec) -> str:
    if old.required != new.required:
        return ": it must be filled in now" if new.required else ": it may be left empty now"
    if old.options != new.options:
        return f": one may choose {wording.joined(new.options)}" if new.options else ": anything may be written"
    return ""


def _break_glass(seen: Seen, old: BreakGlass | None, new: BreakGlass | None) -> Iterator[str]:
    if new is None:
        yield f"{seen.subject} can no longer be opened before a yes in an emergency (break-glass)."
        return
    if old is None:
        yield f"From now on, in an emergency, {_glass(seen.askers, seen.subject, new)}"
        return
    if old.ratify_within != new.ratify_within:
        was, now = wording.lasting(old.ratify_within), wording.lasting(new.ratify_within)
        yield f"An emergency opening of {seen.subject} must be ratified within {now} instead of {was}."
    if old.quota != new.quota:
        was = _limit(old.quota) if old.quota else "any number of times"
        now = _limit(new.quota) if new.quota else "any number of times"
        yield f"In an emergency {seen.subject} may now be opened before any yes {now} instead of {was}."


def _targets(seen: Seen, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    if not new:
        yield f"{seen.subject} may now be asked for any target; before only for those of a list."
    elif not old:
        yield f"{seen.subject} may now be asked for {len(new)} listed targets only; before for any."
    else:
        yield from _listed_targets(seen, old, new)


_listed_targets = gained_and_lost(
    "{subject} may now also be asked for {names}.",
    "{subject} may no longer be asked for {names}.",
    lambda _seen, listed: wording.joined(
        [*map(str, listed[:8]), *([f"{len(listed) - 8} more"] if len(listed) > 8 else [])]
    ),
)


def _executor(seen: Seen, old: object, new: object) -> Iterator[str]:
    if new is None:
        yield f"{seen.subject} is no longer opened and closed by a system; a person does it."
    elif old is None:
        yield f"{seen.subject} is now opened and closed by a system."
    else:
        yield f"{seen.subject} is now opened and closed by another system."


def _tell(seen: Seen, old: str, new: str) -> Iterator[str]:
    how = "each use at once instead of once a day" if new == "each" else "all uses once a day instead of each at once"
    yield f"The owner is now told of {seen.subject}: {how}."


_limited: Say = optional(
    "{subject} may be used {new}{instead}.", "{subject} may now be used any number of times; before {old}.", _limit
)

RUNBOOK: Table = {
    "id": silent, "sha256": silent, "right": silent,  # a right's sentence names both parties: `_right`
    "title": replaced("{subject} is the new name{instead}.", lambda title: f"“{title}”"),
    "body": lambda seen, old, new: iter((f"The instructions of {seen.subject} change.",)),
    "kind": replaced("{subject} now counts among the {new}{instead}.", lambda kind: wording.KINDS[kind]),
    "domain": _domain,
    "providers": _asking,
    "max_duration": replaced("{subject} may last up to {new}{instead}.", wording.lasting),
    "default_duration": replaced("{subject} lasts {new}{instead} where nobody chooses.", wording.lasting),
    "approvals": _approvals,
    "requires": gained_and_lost(
        "{subject} now also needs the yes of the {names}.",
        "The yes of the {names} is no longer required for {subject}.",
        _roles,
    ),
    "escalation": _escalation,
    "evidence": gained_and_lost(
        "After {subject} {names} must now be handed in.", "After {subject} {names} need no longer be handed in.", plain_words
    ),
    "rotate_within": optional(
        "After {subject} the credential must be changed within {new}{instead}.",
        "After {subject} the credential need no longer be changed; before within {old}.",
        wording.lasting,
    ),
    "review_within": optional(
        "Each use of {subject} must be reviewed within {new}{instead}.",
        "Uses of {subject} are no longer reviewed; before within {old}.",
        wording.lasting,
    ),
    "audience": replaced("Permits of {subject} are now accepted by the system {new}{instead}."),
    "fields": _form,
    "limit": _limited,
    "review_every": optional(
        "Whether {subject} stays allowed is now reviewed every {new}{instead}.",
        "Whether {subject} stays allowed is no longer reviewed; before every {old}.",
        wording.lasting,
    ),
    "tell": _tell,
    "break_glass": _break_glass,
    "risk": replaced("The risk of {subject} is now rated {new}{instead}."),
    "max_renewals": replaced("{subject} may be renewed {new} times{instead}."),
    "subject_verification": gained_and_lost(
        "Before a yes to {subject} the person's identity must now be verified by {names}.",
        "Before a yes to {subject} the person's identity need no longer be verified by {names}.",
        plain_words,
    ),
    "targets": _targets,
    "executor": _executor,
    "due_within": optional(
        "{subject}: it must now be reported within {new}{instead} of being noticed.",
        "{subject}: a report is never late any more; until now it was after {old}.",
        wording.lasting,
    ),
    "not_before": optional(
        "{subject} now opens {new}{instead} after the request at the earliest.",
        "{subject} now opens as soon as the yes is there; before {old} after the request at the earliest.",
        wording.lasting,
    ),
    "signature": lambda seen, old, new: iter(
        (f"A yes to {seen.subject} must now be signed with {'a passkey of one device' if new == 'device_bound' else 'a passkey'}.",)
        if new != "none"
        else (f"A yes to {seen.subject} need no longer be signed with a passkey.",)
    ),
}  # fmt: skip
