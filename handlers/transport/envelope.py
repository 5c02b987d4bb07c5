"""Parses and validates one payload from HTTP or Socket Mode. Pure.

Over HTTP events are JSON and the rest is a form, a command's fields at the top or one field `payload` of JSON; over Socket
Mode an envelope says which of these its payload is. Both transports validate the same shape: a field that is missing, too deep, or of another type where bolt and our listeners read it is refused here, so that neither raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl

from handlers.transport.signature import NotAuthentic

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
DEPTH, FIELDS = 64, 100

NOT_UTF8 = NotAuthentic("not_utf8", 400, "The body is not UTF-8.")
NOT_JSON = NotAuthentic("not_json", 400, "The payload is not JSON.")
NOT_A_FORM = NotAuthentic("not_a_form", 400, "The form cannot be read.")
TOO_DEEP = NotAuthentic("too_deep", 400, "The payload is nested too deeply.")
WRONG_SHAPE = NotAuthentic("wrong_shape", 400, "The payload has another shape than Slack's.")

_TEXT: tuple[type, ...] = (str,)
_OBJECT: tuple[type, ...] = (dict,)
_EITHER: tuple[type, ...] = (dict, str)
_FLAG: tuple[type, ...] = (bool, str)

# A field that is present has one of these types; `*` is every member of a list or an object. Null is always allowed.
_SHAPE: Mapping[str, tuple[type, ...]] = {
    "type": _TEXT, "token": _TEXT, "challenge": _TEXT, "command": _TEXT, "text": _TEXT, "trigger_id": _TEXT,
    "callback_id": _TEXT, "action_id": _TEXT, "block_id": _TEXT, "event_id": _TEXT, "api_app_id": _TEXT,
    "response_url": _TEXT, "team_id": _TEXT, "user_id": _TEXT, "channel_id": _TEXT, "enterprise_id": _TEXT,
    "is_enterprise_install": _FLAG, "ssl_check": _TEXT,
    "team": _EITHER, "team.id": _TEXT, "team.enterprise_id": _TEXT, "enterprise": _EITHER, "enterprise.id": _TEXT,
    "user": _EITHER, "user.id": _TEXT, "user.team_id": _TEXT, "channel": _EITHER, "channel.id": _TEXT,
    "item": _OBJECT, "message": _OBJECT, "previous_message": _OBJECT, "container": _OBJECT, "container.channel_id": _TEXT,
    "actions": (list,), "actions.*": _OBJECT, "actions.*.action_id": _TEXT, "actions.*.block_id": _TEXT,
    "actions.*.type": _TEXT, "actions.*.value": _TEXT,
    "view": _OBJECT, "view.id": _TEXT, "view.hash": _TEXT, "view.type": _TEXT, "view.callback_id": _TEXT,
    "view.private_metadata": _TEXT, "view.team_id": _TEXT, "view.app_installed_team_id": _TEXT,
    "view.blocks": (list,), "view.blocks.*": _OBJECT, "view.state": _OBJECT, "view.state.values": _OBJECT,
    "view.state.values.*": _OBJECT, "view.state.values.*.*": _OBJECT,
    "authorizations": (list,), "authorizations.*": _OBJECT, "authorizations.*.team_id": _TEXT,
    "authorizations.*.enterprise_id": _TEXT, "authorizations.*.is_enterprise_install": _FLAG,
    "response_urls": (list,), "response_urls.*": _OBJECT, "response_urls.*.response_url": _TEXT,
    "event": _OBJECT, "event.type": _TEXT, "event.subtype": _TEXT, "event.user": _EITHER, "event.channel": _EITHER,
    "event.item": _OBJECT, "event.message": _OBJECT, "event.previous_message": _OBJECT, "event.bot_id": _TEXT,
    "event.user.id": _TEXT, "event.channel.id": _TEXT, "event.team": _EITHER, "event.user_team": _TEXT,
    "function_data": _OBJECT, "function_data.inputs": _OBJECT, "event.inputs": _OBJECT,
    "bot_access_token": _TEXT, "event.bot_access_token": _TEXT,
}  # fmt: skip

# What bolt looks up without asking whether it is there.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "block_actions": ("actions.*.action_id",), "view_submission": ("view.type", "view.callback_id"),
    "view_closed": ("view.type", "view.callback_id"), "shortcut": ("callback_id",), "message_action": ("callback_id",),
    "block_suggestion": ("action_id",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Payload:
    """`kind` is a word for metrics: command, event, url_verification, ssl_check, or the type of an interaction."""

    kind: str
    body: dict[str, Any]


KINDS = frozenset(
    {
        "command", "event", "url_verification", "ssl_check", "app_rate_limited", "block_actions", "view_submission",
        "view_closed", "shortcut", "message_action", "block_suggestion",
    }
)  # fmt: skip


def opened(content_type: str, body: str) -> Payload | NotAuthentic:
    """Parses a body whose signature was verified."""
    return _event(body) if content_type == JSON else _form(body)


def enveloped(kind: object, payload: object) -> Payload | NotAuthentic:
    """Parses the payload of a Socket Mode envelope of this `kind`."""
    found = _whole(payload)
    if isinstance(found, NotAuthentic):
        return found
    if kind == "events_api":
        return _callback(found)
    if kind == "interactive":
        return _act(found)
    return Payload("command", found) if kind == "slash_commands" and "command" in found else WRONG_SHAPE


def _event(body: str) -> Payload | NotAuthentic:
    found = _object(body)
    return found if isinstance(found, NotAuthentic) else _callback(found)


def _callback(found: dict[str, Any]) -> Payload | NotAuthentic:
    type_ = found.get("type")
    if type_ == "event_callback":
        event = found.get("event")
        whole = isinstance(event, dict) and isinstance(event.get("type"), str) and isinstance(found.get("event_id"), str)
        return Payload("event", found) if whole else WRONG_SHAPE
    if type_ == "url_verification":
        return Payload(type_, found) if isinstance(found.get("challenge"), str) else WRONG_SHAPE
    return Payload(type_, found) if type_ == "app_rate_limited" else WRONG_SHAPE


def _form(body: str) -> Payload | NotAuthentic:
    try:
        pairs = parse_qsl(body, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=FIELDS)
    except UnicodeDecodeError:
        return NOT_UTF8
    except ValueError:
        return NOT_A_FORM
    fields: dict[str, Any] = dict(pairs)
    if len(fields) != len(pairs):
        return NOT_A_FORM
    if "payload" in fields:
        return _interaction(fields["payload"])
    if not _fits(fields):
        return WRONG_SHAPE
    if "command" in fields:
        return Payload("command", fields)
    return Payload("ssl_check", fields) if fields.get("ssl_check") == "1" else WRONG_SHAPE


def _interaction(text: str) -> Payload | NotAuthentic:
    found = _object(text)
    return found if isinstance(found, NotAuthentic) else _act(found)


def _act(found: dict[str, Any]) -> Payload | NotAuthentic:
    type_ = found.get("type")
    if not isinstance(type_, str) or not isinstance(found.get("user"), dict):
        return WRONG_SHAPE
    if type_ == "block_actions" and not found.get("actions"):
        return WRONG_SHAPE
    if any(value is None for path in _NEEDED.get(type_, ()) for value in _at(found, path.split("."), missing=True)):
        return WRONG_SHAPE
    return Payload(type_ if type_ in KINDS else "other", found)


def _object(text: str) -> dict[str, Any] | NotAuthentic:
    """A JSON object of the right shape."""
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        return TOO_DEEP
    except ValueError:
        return NOT_JSON
    return _whole(found)


def _whole(found: object) -> dict[str, Any] | NotAuthentic:
    """An object of the right shape, without what is null at its top."""
    if not isinstance(found, dict):
        return WRONG_SHAPE
    found = {key: value for key, value in found.items() if value is not None}  # bolt takes what is there for an object
    return _trouble(found) or (found if _fits(found) else WRONG_SHAPE)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _trouble(found: object) -> NotAuthentic | None:
    """A payload that is nested too deeply, or text with a lone surrogate."""
    waiting = [(found, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEPTH:
            return TOO_DEEP
        if isinstance(value, str):
            if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
                return WRONG_SHAPE
        elif isinstance(value, float) and not isfinite(value):
            return NOT_JSON  # Python reads NaN where JSON has none
        elif isinstance(value, dict):
            waiting += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]
    return None


def _fits(found: dict[str, Any]) -> bool:
    for path, types in _SHAPE.items():
        for value in _at(found, path.split(".")):
            if value is not None and not isinstance(value, types):
                return False
    return not any(value is None for path in ("actions", "authorizations") for value in _at(found, [path, "*"]))


def _at(value: Any, path: list[str], *, missing: bool = False) -> Iterator[Any]:
    """Yields all values at a path; with `missing`, None where the path ends early."""
    if not path:
        yield value
    elif path[0] == "*":
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for one in inner:
            yield from _at(one, path[1:], missing=missing)
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:], missing=missing)
    elif missing:
        yield None
