"""Payloads as Slack's reference shows them: slash command, block_actions, view_submission, shortcut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.policy.people import Person

HOOK = "https://hooks.slack.com/commands/T0HOME/1/abc"


def slash(person: Person, name: str, text: str = "", **changes: Any) -> dict[str, Any]:
    plain = {
        "token": "x", "team_id": person.team, "team_domain": "home", "channel_id": "C0ANY", "channel_name": "any",
        "user_id": person.user, "user_name": "somebody", "command": name, "text": text, "api_app_id": "A1",
        "is_enterprise_install": "false", "response_url": HOOK, "trigger_id": "12.34.ab",
    }  # fmt: skip
    return {**plain, **changes}


def click(person: Person, action_id: str, value: str = "", **changes: Any) -> dict[str, Any]:
    plain = {
        "type": "block_actions",
        "user": {"id": person.user, "username": "somebody", "name": "somebody", "team_id": person.team},
        "api_app_id": "A1", "token": "x", "team": {"id": "T0HOME", "domain": "home"}, "enterprise": None,
        "is_enterprise_install": False,
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "D0CARD", "is_ephemeral": False},
        "trigger_id": "56.78.cd", "channel": {"id": "D0CARD", "name": "directmessage"},
        "message": {"type": "message", "ts": "1.2", "text": "…"}, "state": {"values": {}},
        "response_url": HOOK.replace("commands", "actions"),
        "actions": [{"action_id": action_id, "block_id": "decide", "type": "button", "value": value,
                     "text": {"type": "plain_text", "text": "?", "emoji": True}, "action_ts": "1.3"}],
    }  # fmt: skip
    return {**plain, **changes}


def view_of(view: Mapping[str, Any], entered: Mapping[str, Any], view_id: str = "V0FORM") -> dict[str, Any]:
    """A view as submissions carry it. `entered`: action_id to a state value, or to a text."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        element = block.get("element")
        if element is not None:
            held = entered.get(element["action_id"], _initial(element))
            state = held if isinstance(held, Mapping) else {"type": element["type"], "value": held}
            values[block["block_id"]] = {element["action_id"]: state}
    return {
        "id": view_id, "team_id": "T0HOME", "type": "modal", "hash": "1.x", "root_view_id": view_id,
        "app_installed_team_id": "T0HOME", "state": {"values": values}, **view,
    }  # fmt: skip


def picked(value: str) -> dict[str, Any]:
    return {"type": "static_select", "selected_option": {"text": {"type": "plain_text", "text": "?"}, "value": value}}


def submit(person: Person, view: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    plain = {
        "type": "view_submission", "team": {"id": "T0HOME", "domain": "home"}, "enterprise": None,
        "user": {"id": person.user, "username": "somebody", "name": "somebody", "team_id": person.team},
        "api_app_id": "A1", "token": "x", "trigger_id": "90.12.ef", "view": dict(view), "response_urls": [],
    }  # fmt: skip
    return {**plain, **changes}


def choose(person: Person, view: Mapping[str, Any], runbook: str) -> dict[str, Any]:
    """Another runbook was chosen in the form: a block_actions payload without channel or response_url."""
    body = click(person, "runbook", view=dict(view), container={"type": "view", "view_id": view["id"]})
    body["actions"] = [{**picked(runbook), "action_id": "runbook", "block_id": "runbook", "action_ts": "1.3"}]
    return {k: v for k, v in body.items() if k not in ("channel", "message", "response_url", "state")}


def shortcut(person: Person, callback_id: str = "ask") -> dict[str, Any]:
    return {
        "type": "shortcut", "user": {"id": person.user, "username": "somebody", "team_id": person.team},
        "team": {"id": "T0HOME", "domain": "home"}, "callback_id": callback_id, "trigger_id": "1.2.gh", "action_ts": "1.3",
        "token": "x", "enterprise": None, "is_enterprise_install": False,
    }  # fmt: skip


def _initial(element: Mapping[str, Any]) -> Any:
    if "initial_option" in element:
        return {"type": element["type"], "selected_option": element["initial_option"]}
    return element.get("initial_value")
