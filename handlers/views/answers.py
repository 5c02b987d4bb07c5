"""The answers to an action: one named sentence each.

A sentence gets its parameters as JSON gave them back, so each reads them leniently. The text `plain` comes from the domain
and may name things from policy files: it is escaped like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bot.domain.workflow.identity_proof import said as verified_by
from handlers.views.drill import DRILL
from handlers.views.form_answers import FORM_SENTENCES, Params, contact, word
from handlers.views.governance.campaigns import REVIEW_SENTENCES
from handlers.views.governance.roster import ROSTER_SENTENCES
from handlers.views.kit import wording
from handlers.views.kit.blocks import Message, message, section
from handlers.views.kit.context import ViewContext
from handlers.views.kit.escaping import inline
from handlers.views.operator import OPERATOR_SENTENCES


def say(sentence: str, params: Params, scene: ViewContext) -> Message:
    """The message for a named sentence; one that this release does not know is still answered."""
    text = SENTENCES.get(sentence, _failed)(params, scene)
    return message(text, [section(text)])


def _plain(params: Params, scene: ViewContext) -> str:
    return inline(word(params, "text"), 2800) or _failed(params, scene)


def _lost(params: Params, scene: ViewContext) -> str:
    user = word(params, "by").rpartition("/")[2]
    by = f" by <@{user}>" if user.isascii() and user.isalnum() else ""
    state = wording.STATES.get(word(params, "state"), "decided")
    return f"This was already {state}{by}{_when(params, scene)}. Your click changed nothing."


def _late(params: Params, scene: ViewContext) -> str:
    return f"This expired{_when(params, scene)}. Nothing was opened, and your click changed nothing."


def _ended(params: Params, scene: ViewContext) -> str:
    user = word(params, "by").rpartition("/")[2]
    by = f" by <@{user}>" if user.isascii() and user.isalnum() else ""
    state = wording.STATES.get(word(params, "state"), "ended")
    return f"This is over already: {state}{by}{_when(params, scene)}. Your click changed nothing."


def _over(params: Params, scene: ViewContext) -> str:
    return (
        f"Your click came too late: the approval ended{_when(params, scene)}, and that is recorded."
        " There is nothing left to report; you can still submit evidence that is due."
    )


def _no_grant(_params: Params, _scene: ViewContext) -> str:
    return "Nothing was opened, so there is nothing to end. Your click changed nothing."


def _answered_already(params: Params, scene: ViewContext) -> str:
    user = word(params, "by").rpartition("/")[2]
    by = f" by <@{user}>" if user.isascii() and user.isalnum() else ""
    return f"This was already answered{by}{_when(params, scene)}. Your click changed nothing."


def _closed_already(params: Params, scene: ViewContext) -> str:
    return f"This closed{_when(params, scene)}. Your click changed nothing."


def _nothing_owed(_params: Params, _scene: ViewContext) -> str:
    return "Already received. Nothing is due from you."


def _stale(_params: Params, scene: ViewContext) -> str:
    return (
        "This message is out of date, so your click changed nothing."
        f" Use the newest card: `/{scene.prefix}countersign` shows what waits for you."
    )


def _again(_params: Params, _scene: ViewContext) -> str:
    return "Slack did not confirm your account just now, so nothing was decided. Press again."


def _clock_jumped(_params: Params, scene: ViewContext) -> str:
    return (
        "The clock of the bot's machine jumped, so no approval counts until an operator has confirmed it. Yours was not kept."
        f" You can still deny. Press again later, or write to {contact(scene)}."
    )


def _stopped(_params: Params, scene: ViewContext) -> str:
    return (
        "The decision log is stopped, so nothing can be approved now, and nothing was changed. Denying,"
        f" withdrawing, revoking and reporting the end still work. Write to {contact(scene)}."
    )


def _repeat_yes(params: Params, scene: ViewContext) -> str:
    have, need = _number(params, "have"), _number(params, "need")
    return f"You already said yes{_when(params, scene)}: {have} of {need} approvals. Another person is needed."


def _unverified(params: Params, scene: ViewContext) -> str:
    missing = inline(verified_by(_words(params, "missing")), 600)
    return (
        f"You can't approve yet. Waiting for {_requester(params)} to confirm: {missing}. Nothing was changed. The card tells you"
        " once it is done; you can still deny."
    )


def _requester(params: Params) -> str:
    user = word(params, "requester").rpartition("/")[2]
    return f"<@{user}>" if user.isascii() and user.isalnum() else "the requester"


def _refused_filing(params: Params, _scene: ViewContext) -> str:
    return f"*{inline(word(params, 'id'), 20)}* was not filed. {inline(word(params, 'text'), 2600)}"


def _unknown(params: Params, scene: ViewContext) -> str:
    named = inline(word(params, "id") or word(params, "argument"), 40)
    if not named:
        return f"Name the request, for example `/{scene.prefix}countersign show R-7K3M9QX2`."
    return f"There is no request {named} that you may see."


def _failed(_params: Params, scene: ViewContext) -> str:
    return f"This could not be carried out, and nothing was changed. Try again, or write to {contact(scene)}."


def _too_new(_params: Params, scene: ViewContext) -> str:
    return (
        "Your authority over this is new, and does not count for this request, which is older. Somebody whom the earlier policy"
        f" names must approve it. Write to {contact(scene)} if nobody else can answer."
    )


def _already_held(params: Params, scene: ViewContext) -> str:
    user = word(params, "by").rpartition("/")[2]
    somebody = f"<@{user}>" if user.isascii() and user.isalnum() else "Somebody"
    return f"{somebody} is on it already{_when(params, scene)}; this works once for each request. You may still decide."


def _already_passed(_params: Params, _scene: ViewContext) -> str:
    return "You asked someone else already. You may still decide."


def _already_pushed(_params: Params, _scene: ViewContext) -> str:
    return "You escalated this already; it works once for each request. Everybody asked has it."


def _drill(_params: Params, _scene: ViewContext) -> str:
    return f"{DRILL} This is a rehearsal: it is not decided, it gives nothing, and it ends by itself. Press “I am here”."


def _drill_over(params: Params, scene: ViewContext) -> str:
    return f"{DRILL} This rehearsal ended{_when(params, scene)}. There is nothing left to do."


def _drill_again(params: Params, scene: ViewContext) -> str:
    return f"{DRILL} You answered already{_when(params, scene)}. There is nothing left to do."


def _sealed_recorded(params: Params, _scene: ViewContext) -> str:
    id_ = inline(word(params, "id"), 20)
    return f"*{id_}* is recorded as *used without approval*. Somebody else of the domain reviews it."


def _away(params: Params, scene: ViewContext) -> str:
    ms = _number(params, "until")
    if not ms:
        return "You are back: questions come to you again."
    until = scene.at(datetime.fromtimestamp(ms / 1000, UTC))
    return f"You are away until {until}. {_deputies(params)} You may still decide. To end it: `/{scene.prefix}countersign away off`"


def _deputies(params: Params) -> str:
    """Who is asked meanwhile, by name."""
    users = [person.rpartition("/")[2] for person in _words(params, "deputies")]
    named = [f"<@{user}>" for user in users if user.isascii() and user.isalnum()]
    to = ", else to ".join(named) if named else "the first deputy present"
    return f"Questions to you go to {to}."


def _posted(_params: Params, _scene: ViewContext) -> str:
    return "Button posted. Pin it so people can find it."


def _post_again(_params: Params, scene: ViewContext) -> str:
    main = f"/{scene.prefix}countersign post"
    return f"Slack did not say who is in this channel, so nothing was posted. Invite the bot (`/invite`), then type `{main}` again."


def _provider_how(_params: Params, scene: ViewContext) -> str:
    return f"Write `/{scene.prefix}countersign provider suspend NAME reason`, with the provider's id."


def _away_how(_params: Params, scene: ViewContext) -> str:
    main = f"/{scene.prefix}countersign"
    return f"Say how long: `{main} away 2d`, `{main} away until 2026-12-01`, or `{main} away off`."


def _words(params: Params, key: str) -> list[str]:
    value = params.get(key)
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _number(params: Params, key: str) -> int:
    value = params.get(key, 0)
    return value if isinstance(value, int) else 0


def _when(params: Params, scene: ViewContext) -> str:
    """` at …` from milliseconds since 1970; empty where there are none."""
    ms = _number(params, "at")
    return f" at {scene.at(datetime.fromtimestamp(ms / 1000, UTC))}" if 0 < ms < 10**14 else ""


SENTENCES: Mapping[str, Callable[[Params, ViewContext], str]] = {
    "plain": _plain,
    "lost": _lost,
    "late": _late,
    "ended": _ended,
    "over": _over,
    "no_grant": _no_grant,
    "answered_already": _answered_already,
    "closed_already": _closed_already,
    "nothing_owed": _nothing_owed,
    "stale": _stale,
    "again": _again,
    "clock_jumped": _clock_jumped,
    "stopped": _stopped,
    "repeat_yes": _repeat_yes,
    "unverified": _unverified,
    "refused_filing": _refused_filing,
    "unknown": _unknown,
    "failed": _failed,
    "too_new": _too_new,
    "already_held": _already_held,
    "already_passed": _already_passed,
    "already_pushed": _already_pushed,
    "drill": _drill,
    "drill_over": _drill_over,
    "drill_again": _drill_again,
    "away": _away,
    "sealed_recorded": _sealed_recorded,
    "posted": _posted,
    "post_again": _post_again,
    "away_how": _away_how,
    "provider_how": _provider_how,
    **FORM_SENTENCES,
    **OPERATOR_SENTENCES,
    **REVIEW_SENTENCES,
    **ROSTER_SENTENCES,
}
