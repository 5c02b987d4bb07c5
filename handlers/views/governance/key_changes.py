"""A change of the signing keys: the notice that nobody has endorsed it, the page where it is endorsed, and that somebody has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.decision_log.enrolment import words as six_words
from bot.domain.authority.endorsement import Became, Given, Outcome, WaitingChange
from bot.domain.authority.key_changes import stands
from bot.domain.policy.people import Person
from handlers import ids
from handlers.views.facts import sections
from handlers.views.kit.blocks import Message, actions, link_button, message
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline

_MOST, _LENGTH = 10, 300
_KNOW = "If you do not know of this change, have it reverted now: somebody may have added a key of their own."


def asked(became: Became, given: Sequence[Given], link: str, scene: ViewContext) -> Message:
    """To every owner and auditor: what has become of a change that was to be endorsed, and who endorsed it; while it waits, with the
    link for everybody who may endorse it."""
    until = scene.at(became.until) if became.until is not None else "now on"
    lines = [_status(became.outcome, until, partly=bool(given))]
    lines += _bullets(became.what.sentences if became.what is not None else ())
    lines += [_endorsement(one, scene) for one in given]
    if became.outcome == "waits":
        lines.append(f"Unendorsed it counts for requests filed after {until}, and the log names it for ever.")
    if became.outcome != "taken_back":
        lines.append(_KNOW)
    row = actions(ids.BLOCK_SIGN, link_button("Endorse", ids.SIGN, "endorse", link, "primary")) if link else None
    return message("\n".join(lines), [*sections(lines), row])


def _status(outcome: Outcome, until: str, *, partly: bool) -> str:
    """The first line; `partly`: somebody has endorsed it for a domain of theirs."""
    if outcome == "endorsed":
        return "*A change of the keys that sign decisions is endorsed.*"
    if outcome == "taken_back":
        return "*A change of the keys that sign decisions was taken back.* It needs no endorsement any more."
    if outcome == "counts":
        lacks = "not everybody who had to has endorsed it" if partly else "nobody has endorsed it"
        return f"*A change of the keys that sign decisions counts since {until}, and {lacks}.* The log names it for ever."
    if outcome == "over":
        return "*A change of the keys that sign decisions waits for no endorsement any more.*"
    lacks = "another domain has to endorse it too" if partly else "nobody has endorsed it"
    return f"*A change of the policy touches the keys that sign decisions, and {lacks}.*"


def _endorsement(given: Given, scene: ViewContext) -> str:
    names = [scene.policy.domains[id_].name if id_ in scene.policy.domains else id_ for id_ in given.domains]
    domains = ", ".join(inline(name, 100) for name in names)
    return f"{who(given.by)} endorsed it for {domains}, {scene.at(given.at)}."


def endorsed(data: Mapping[str, object], scene: ViewContext) -> Message:
    """Somebody endorsed it. Raises ValueError for data that names nobody."""
    by = who(Person.parse(str(data.get("by"))))
    lines = [f"*{by} endorsed a change of the keys that sign decisions.*", *_sentences(data)]
    lines.append(
        f"It counts for requests filed after {_when(data, scene)}."
        if data.get("until")
        else "Another domain has to endorse it too."
    )
    lines.append(_KNOW)
    return message("\n".join(lines), sections(lines))


def words(change: WaitingChange, scene: ViewContext) -> str:
    """The page's text: what changes, the six words of each added key, and what an endorsement does."""
    domains = ", ".join(inline(_domain(change, id_), 100) for id_ in change.what.domains)
    lines = [
        f"*A change of the keys that sign decisions* in {domains}",
        *(f"• {inline(one, _LENGTH)}" for one in change.what.sentences),
    ]
    lines += _added(change)
    lines += [
        f"From the policy `{change.old.digest[:16]}` to `{change.new.digest[:16]}`.",
        f"Without an endorsement it counts for requests filed after {scene.at(change.until)}. Endorsed, it counts like any other change.",
        "Endorse it only if you know of it, and if the words of each key are those that its holder reads out to you.",
    ]  # fmt: skip
    return "\n\n".join(lines)


def _added(change: WaitingChange) -> list[str]:
    """The six words of each key that the set before did not have."""
    return [
        f"{inline(named.name, 100)}, {inline(key.label or 'key without a label', 100)}: "
        f"{six_words(str(named.person), key.rp, key.id, key.spki)}"
        for named in change.new.people
        for key in named.passkeys
        if not stands(change.old, named.person, key)
    ]


def _domain(change: WaitingChange, id_: str) -> str:
    found = change.new.domains.get(id_) or change.old.domains.get(id_)
    return found.name if found is not None else id_


def _sentences(data: Mapping[str, object]) -> list[str]:
    found = data.get("sentences")
    return _bullets([text for text in found if isinstance(text, str)] if isinstance(found, list) else [])


def _bullets(texts: Sequence[str]) -> list[str]:
    more = [f"• and {len(texts) - _MOST} more."] if len(texts) > _MOST else []
    return [f"• {inline(text, _LENGTH)}" for text in texts[:_MOST]] + more


def _when(data: Mapping[str, object], scene: ViewContext) -> str:
    ms = data.get("until")
    return scene.at(datetime.fromtimestamp(ms / 1000, UTC)) if isinstance(ms, int) and ms else "now on"
