"""Messages that are not about a request: the bot is late, a calendar is lost, the policy has changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from handlers.views.facts import sections
from handlers.views.form_answers import word
from handlers.views.kit.blocks import Message, message, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline

_SENTENCES, _LENGTH = 20, 300  # of a policy change that one message lists
Params = Mapping[str, object]


def calendar(data: Mapping[str, object], scene: ViewContext) -> Message:
    """The calendar of a rota cannot be used any more, so its fallback is on call; or it can again (`blind` false)."""
    rota = scene.policy.rotas.get(str(data.get("rota")))
    name = inline(str(data.get("rota")), 60)
    if not data.get("blind"):
        text = f"*The on-call calendar of {name} can be read again.* Whoever it names is on call."
    elif rota is not None and rota.fallback is not None:
        text = f"*The on-call calendar of {name} cannot be used.* {who(rota.fallback)} is on call until it can."
    else:
        text = f"*The on-call calendar of {name} cannot be used.* Nobody is on call: the rota has no fallback."
    return message(text, [section(text)])


def watchdog(data: Mapping[str, object], scene: ViewContext) -> Message:
    """`troubles`: a sentence each; none when it is over. `since`: milliseconds since 1970."""
    ms, found = data.get("since"), data.get("troubles")
    since = scene.at(datetime.fromtimestamp(ms / 1000, UTC)) if isinstance(ms, int) else "a while ago"
    troubles = [inline(str(t), 300) for t in found[:20]] if isinstance(found, list) else []
    if troubles:
        lines = ["*Countersign is late.*", *(f"• {t}" for t in troubles)]
        lines.append("Whoever runs it: look at `/readyz` and its log. If access is urgent, use your sealed path.")
    else:
        lines = [f"*Countersign is on time again.* It was late since {since}."]
    text = "\n".join(lines)
    return message(text, [section(text)])


def policy_gain(params: Params, scene: ViewContext) -> Message:
    """A change of policy that gives something: who gains, what changes, from when it counts. Rows queued by an earlier version have runbooks and rules instead of sentences."""
    ids = [person.rpartition("/")[2] for person in _words(params, "people")]
    named = ", ".join(f"<@{user}>" for user in ids if user.isascii() and user.isalnum())
    lines = [f"*The policy for {inline(word(params, 'domain'), 100)} has changed.*"]
    lines += [f"New or higher authority: {named}."] if named else []
    lines += _said(_words(params, "sentences")) or _rules(params)
    ms = params.get("counts_from")
    if isinstance(ms, int) and ms:
        when = scene.at(datetime.fromtimestamp(ms / 1000, UTC))
        lines.append(
            f"It counts for requests filed after {when}; until then an approval must be allowed by the old policy too."
        )
    else:
        lines.append("It counts from now on.")
    return message("\n".join(lines), sections(lines))


def _said(sentences: list[str]) -> list[str]:
    more = len(sentences) - _SENTENCES
    rest = [f"• and {more} more changes; `countersign matrix --diff` on the host prints all."] if more > 0 else []
    return [f"• {inline(sentence, _LENGTH)}" for sentence in sentences[:_SENTENCES]] + rest


def _rules(params: Params) -> list[str]:
    runbooks = _words(params, "runbooks")
    new = ["New, or easier to get: " + ", ".join(inline(r, 100) for r in runbooks) + "."] if runbooks else []
    return [*new, *(f"Easier: {inline(rule, 300)}." for rule in _words(params, "rules")[:20])]


def _words(params: Params, key: str) -> list[str]:
    value = params.get(key)
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []
