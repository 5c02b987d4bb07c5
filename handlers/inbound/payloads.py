"""Parses Slack's JSON into values, once. Pure.

A person is the pair (team, user) of a signed payload: `user.team_id` where Slack sends it, else the payload's team. What
has another shape is a PayloadError with a sentence, never a crash. One key an act: `event_id` for events, `trigger_id` for
the rest, with the kind before it (design, sections 1 and 9).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bot.domain.errors import CountersignError
from bot.domain.policy.people import Person
from bot.ports.commands import ReplyAddress

Body: TypeAlias = Mapping[str, Any]
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_TEAM = re.compile(r"[TE][A-Z0-9]{2,20}")
_CHANNEL = re.compile(r"[CDG][A-Z0-9]{2,20}")
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^<>]*)?>")
_MARKUP = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


class PayloadError(CountersignError):
    """Slack sent something that this release does not understand; try once more, or type the command."""


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A slash command: `name` without slash, prefix kept; `text` as it was typed."""

    person: Person
    key: str
    name: str
    text: str
    reply: ReplyAddress
    trigger: str
    mentioned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """A button that was pressed, or a choice made in a form. `sheet` is the form that contains it, if any."""

    person: Person
    key: str
    action: str
    value: str
    reply: ReplyAddress
    trigger: str
    sheet: FormState | None = None
    message: str = ""  # ts of the message that contains the button


@dataclass(frozen=True, slots=True)
class FormState:
    """The state of a form: the values by action_id, and the block_id of each input."""

    id: str
    hash: str
    callback: str
    metadata: str
    entered: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted form."""

    person: Person
    key: str
    sheet: FormState
    reply: ReplyAddress


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A global shortcut, or one of a message; `message_shortcut` reads the message's contents."""

    person: Person
    key: str
    callback: str
    reply: ReplyAddress
    trigger: str


def command(body: Body) -> SlashCommand:
    """A slash command; its fields are at the top level of the payload."""
    who = Person(_id(body, "team_id", _TEAM), _id(body, "user_id", _USER))
    name, text = _text(body, "command"), _text(body, "text")
    if not name.startswith("/"):
        raise PayloadError("This is no command. Type it again.")
    reply = ReplyAddress(who, _address(body), _place(body.get("channel_id")))
    trigger = _trigger(body)
    mentioned = tuple(dict.fromkeys(_MENTION.findall(text)))
    return SlashCommand(who, f"command:{trigger}", name[1:], typed(text), reply, trigger, mentioned)


def press(body: Body) -> ButtonPress:
    """A button that was pressed. Raises PayloadError for every other element: only a button can carry a decision."""
    found = choice(body)
    if _first(body.get("actions")).get("type") not in (None, "button"):
        raise PayloadError("This button is not from this app. Nothing was changed.")
    return found


def choice(body: Body) -> ButtonPress:
    """The first action of a block_actions payload, a button or a choice in a form; Slack sends one at a time."""
    who, trigger = person(body), _trigger(body)
    action = _first(body.get("actions"))
    sheet = sheet_of(body) if isinstance(body.get("view"), Mapping) else None
    reply = ReplyAddress(who, _address(body), _channel(body))
    key = f"action:{trigger}"
    return ButtonPress(who, key, _text(action, "action_id"), _entered(action) or "", reply, trigger, sheet, _standing(body))


def submission(body: Body) -> Submission:
    who = person(body)
    return Submission(who, f"submission:{_trigger(body)}", sheet_of(body), ReplyAddress(who))


def shortcut(body: Body) -> Shortcut:
    who, trigger = person(body), _trigger(body)
    reply = ReplyAddress(who, _address(body), _channel(body))
    return Shortcut(who, f"shortcut:{trigger}", _text(body, "callback_id"), reply, trigger)


@dataclass(frozen=True, slots=True)
class DirectMessage:
    """A direct message that a person sent to the bot."""

    person: Person
    key: str
    reply: ReplyAddress


def direct_message(body: Body) -> DirectMessage | None:
    """A message that a person typed to us; None for our own, for edits and for everything else that Slack sends."""
    event = _object(body, "event")
    if event.get("channel_type") != "im" or event.get("subtype") or event.get("bot_id"):
        return None
    team = event.get("user_team") or event.get("team")
    who = Person(str(team) if _matches(_TEAM, team) else _team(body), _id(event, "user", _USER))
    return DirectMessage(who, f"event:{_text(body, 'event_id')}", ReplyAddress(who, "", _place(event.get("channel"))))


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """A person opened the App Home."""

    person: Person
    key: str


def home_opened(body: Body) -> HomeOpened | None:
    """The App Home that was opened; None where it was the messages tab."""
    event = _object(body, "event")
    if event.get("tab", "home") != "home":
        return None
    return HomeOpened(Person(_team(body), _id(event, "user", _USER)), f"event:{_text(body, 'event_id')}")


def person(body: Body) -> Person:
    """Who acted, in an interactive payload."""
    user = _object(body, "user")
    if _matches(_TEAM, user.get("team_id")):
        return Person(user["team_id"], _id(user, "id", _USER))
    return Person(_team(body), _id(user, "id", _USER))


def sheet_of(body: Body) -> FormState:
    """Parses the form in a payload. Raises PayloadError."""
    view = _object(body, "view")
    state = view.get("state")
    values = state.get("values") if isinstance(state, Mapping) else None
    entered: dict[str, str] = {}
    for inputs in values.values() if isinstance(values, Mapping) else ():
        for action_id, value in inputs.items() if isinstance(inputs, Mapping) else ():
            found = _entered(value) if isinstance(value, Mapping) else None
            if isinstance(action_id, str) and found is not None:
                entered[action_id] = found
    return FormState(
        _text(view, "id"), _text(view, "hash"), _text(view, "callback_id"), _text(view, "private_metadata"), entered,
        _places(view.get("blocks")),
    )  # fmt: skip


def typed(text: str) -> str:
    """Unescapes Slack's text: mentions and links become their labels, entities their characters."""

    def shown(found: re.Match[str]) -> str:
        sign, target, label = found[1], found[2], found[3]
        return (sign if sign in ("@", "#") else "") + (label or target)

    return _MARKUP.sub(shown, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _places(blocks: object) -> dict[str, str]:
    places: dict[str, str] = {}
    for block in blocks if isinstance(blocks, list) else ():
        element = block.get("element") if isinstance(block, Mapping) else None
        if isinstance(element, Mapping) and isinstance(block.get("block_id"), str):
            places[str(element.get("action_id", ""))] = block["block_id"]
    return places


def _entered(value: Body) -> str | None:
    """The value of one input of any type; None where it is empty."""
    for key in ("value", "selected_user", "selected_date", "selected_date_time"):
        if isinstance(value.get(key), str | int) and not isinstance(value[key], bool):
            return whole(str(value[key]))
    chosen = value.get("selected_option")
    if isinstance(chosen, Mapping) and isinstance(chosen.get("value"), str):
        return whole(str(chosen["value"]))
    return None


def whole(text: str) -> str:
    """Replaces lone surrogates and NUL, which databases and logs cannot hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def _team(body: Body) -> str:
    """The payload's team; an installation for a whole organisation sends it in other places."""
    team, view = body.get("team"), body.get("view")
    found = (
        team.get("id") if isinstance(team, Mapping) else team,
        body.get("team_id"),
        view.get("team_id") if isinstance(view, Mapping) else None,
    )
    for one in found:
        if _matches(_TEAM, one):
            return str(one)
    raise PayloadError("Slack did not say in which workspace this happened. Try once more.")


def _channel(body: Body) -> str:
    channel, container = body.get("channel"), body.get("container")
    if isinstance(channel, Mapping):
        return _place(channel.get("id"))
    return _place(container.get("channel_id")) if isinstance(container, Mapping) else ""


def _standing(body: Body) -> str:
    container = body.get("container")
    ts = container.get("message_ts") if isinstance(container, Mapping) else None
    return ts if isinstance(ts, str) else ""


def _address(body: Body) -> str:
    """The address for answers, if it is one. It is a secret: it is never logged or shown."""
    url = body.get("response_url")
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""


def _trigger(body: Body) -> str:
    trigger = _text(body, "trigger_id")
    if not trigger:
        raise PayloadError("Slack sent no trigger. Try once more.")
    return trigger


def _first(actions: object) -> Body:
    if not isinstance(actions, list) or not actions or not isinstance(actions[0], Mapping):
        raise PayloadError("Slack did not say which button this was. Press it again.")
    return actions[0]


def _place(value: object) -> str:
    return str(value) if _matches(_CHANNEL, value) else ""


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _id(body: Body, key: str, pattern: re.Pattern[str]) -> str:
    value = body.get(key)
    if not _matches(pattern, value):
        raise PayloadError("Slack did not say who this was. Try once more.")
    return str(value)


def _object(body: Body, key: str) -> Body:
    value = body.get(key)
    if not isinstance(value, Mapping):
        raise PayloadError("Slack sent something that cannot be read. Try once more.")
    return value


def _text(body: Body, key: str) -> str:
    value = body.get(key, "")
    if not isinstance(value, str):
        raise PayloadError("Slack sent something that cannot be read. Try once more.")
    return whole(value)
