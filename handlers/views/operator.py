"""The messages of an operator's action: the card with **Confirm** and **Refuse**, and the notice without buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bot.domain.authority.authorization import confirming_roles
from bot.domain.case.model import Case
from bot.domain.case.operator_action import OperatorAction, OperatorActionState
from bot.domain.policy.people import Person
from handlers import ids
from handlers.views.kit.blocks import Message, actions, button, confirmed, link_button, message, section
from handlers.views.kit.context import ViewContext, everyone, who
from handlers.views.kit.escaping import inline, quote

_REASON_MAX = 2000
_OVER: Mapping[OperatorActionState, str] = {
    OperatorActionState.CONFIRMED: "Confirmed. It runs now.",
    OperatorActionState.REFUSED: "Refused. Nothing was changed.",
    OperatorActionState.EXPIRED: "Nobody confirmed it in time. Nothing was changed.",
    OperatorActionState.DONE: "Done.",
    OperatorActionState.FAILED: "It was confirmed and could not be done. Nothing was changed.",
}
_WORDS = {
    "refused": "refused",
    "expired": "over",
    "confirmed": "confirmed",
    "done": "confirmed and done",
    "failed": "confirmed",
}


def card(act: OperatorAction, reader: Person, scene: ViewContext) -> Message:
    """The card for somebody who may confirm; without buttons once it is over, or the policy gives its reader no say any more."""
    lines = _lines(act, scene)
    asked = confirming_roles(scene.policy, reader, ends_provider=act.kind == "provider_end")
    if act.state is not OperatorActionState.OPEN or scene.now >= act.expires_at or not asked:
        return _message(lines)
    lines.append(f"Without both it ends at {scene.at(act.expires_at)} and nothing changes. One *Refuse* is final.")
    sure = "The hold then protects nothing." if act.kind == "hold_release" else "It cannot be undone."
    buttons = actions(
        ids.BLOCK_OPERATOR,
        link_button("Confirm", ids.SIGN, act.id, scene.sign, "primary")
        if scene.sign
        else confirmed(button("Confirm", ids.CONFIRM, act.id, "primary"), "Confirm", sure),
        button("Refuse", ids.REFUSE, act.id, "danger"),
    )
    text = "\n".join(lines)
    return message(text, [section(text), buttons])


def told(act: OperatorAction, scene: ViewContext) -> Message:
    """The notice for owners, who do not confirm, and for everybody once it is closed."""
    return _message(_lines(act, scene))


def erased(case: Case) -> Message:
    """What replaces a message with typed text after an erasure."""
    return _message([f"{case.id}: what stood here was erased."])


def _lines(act: OperatorAction, scene: ViewContext) -> list[str]:
    lines = [f"*{inline(act.id, 20)} · Somebody on the host of Countersign wants {_what(act, scene)}.*"]
    if act.reason:
        lines += ["Why:", quote(act.reason, _REASON_MAX)]
    if act.state is OperatorActionState.OPEN:
        first = "an owner" if act.kind == "provider_end" else "an auditor"
        lines.append(f"It runs when {first} and a risk owner, two people, have confirmed it.")
    for answer, word in (("confirm", "Confirmed by"), ("refuse", "Refused by")):
        people = [v.person for v in act.voices if v.answer == answer]
        lines += [f"{word} {everyone(people)}."] if people else []
    if act.state is not OperatorActionState.OPEN:
        lines.append(f"*{_OVER[act.state]}*" + (f" {inline(act.result, 1500)}" if act.result else ""))
    return lines


def _what(act: OperatorAction, scene: ViewContext) -> str:
    if act.kind == "prune":
        before = scene.at(act.before) if act.before else "long ago"
        return (
            f"to empty the log's entries from before {before} (their hashes stay, and so does every proof of what remains)"
        )
    if act.kind == "new_epoch":
        return "to go on with a new epoch of the decision log: what was lost stays lost, and the log says so"
    if act.kind == "provider_end":
        return f"to end the provider *{scene.provider(act.hold)}*: what is pending expires, what is open ends, nothing new is filed"
    about = who(act.subject) if act.subject is not None else "somebody"
    if act.kind == "hold_release":
        return f"to release the hold {inline(act.hold, 20)} on {about}, so that what is about them can be erased again"
    return f"to erase everything that the decision log discloses about {about}"


def _message(lines: list[str]) -> Message:
    text = "\n".join(lines)
    return message(text, [section(text)])


def _late(params: Mapping[str, object], scene: ViewContext) -> str:
    return f"Nobody completed this in time: it ended{_when(params, scene)}. Nothing was changed."


def _lost(params: Mapping[str, object], scene: ViewContext) -> str:
    user = str(params.get("by", "")).rpartition("/")[2]
    by = f" by <@{user}>" if user.isascii() and user.isalnum() else ""
    word = _WORDS.get(str(params.get("state")), "decided")
    return f"This was already {word}{by}{_when(params, scene)}. Your click changed nothing."


def _again(params: Mapping[str, object], scene: ViewContext) -> str:
    return f"You confirmed this already{_when(params, scene)}. Another person is needed beside you."


def _unknown(_params: Mapping[str, object], _scene: ViewContext) -> str:
    return "There is no such act of an operator. Nothing was changed."


def _when(params: Mapping[str, object], scene: ViewContext) -> str:
    ms = params.get("at")
    return f" at {scene.at(datetime.fromtimestamp(ms / 1000, UTC))}" if isinstance(ms, int) and 0 < ms < 10**14 else ""


OPERATOR_SENTENCES: Mapping[str, Callable[[Mapping[str, object], ViewContext], str]] = {
    "act_late": _late,
    "act_lost": _lost,
    "act_again": _again,
    "unknown_act": _unknown,
}
