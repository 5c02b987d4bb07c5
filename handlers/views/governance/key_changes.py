"""A change of the signing keys: the notice that nobody has endorsed it, the page where it is endorsed, and that somebody has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.decision_log.enrolment import words as six_words
from bot.domain.authority.endorsement import WaitingChange
from bot.domain.authority.key_changes import stands
from bot.domain.policy.people import Person
from handlers import ids
from handlers.views.facts import sections
from handlers.views.kit.blocks import Message, actions, link_button, message
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline

_MOST, _LENGTH = 10, 300
_KNOW = "If you do not know of this change, have it taken back now: somebody may have added a key of their own."


def unendorsed(data: Mapping[str, object], link: str, scene: ViewContext) -> Message:
    """To every owner and auditor; with the link for whoever may endorse it."""
    lines = [
        "*A change of the policy touches the keys that sign decisions, and nobody has endorsed it.*",
        *_sentences(data),
    ]
    lines.append(f"Unendorsed it counts for requests filed after {_when(data, scene)}, and the log names it for ever.")
    lines.append(_KNOW)
    row = actions(ids.BLOCK_SIGN, link_button("Endorse", ids.SIGN, "endorse", link, "primary")) if link else None
    return message("\n".join(lines), [*sections(lines), row])


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
    """The page's text: what changes, the words of each added key, and what an endorsement does."""
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
    texts = [text for text in found if isinstance(text, str)] if isinstance(found, list) else []
    more = [f"• and {len(texts) - _MOST} more."] if len(texts) > _MOST else []
    return [f"• {inline(text, _LENGTH)}" for text in texts[:_MOST]] + more


def _when(data: Mapping[str, object], scene: ViewContext) -> str:
    ms = data.get("until")
    return scene.at(datetime.fromtimestamp(ms / 1000, UTC)) if isinstance(ms, int) and ms else "now on"
