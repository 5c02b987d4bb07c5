"""The payloads that Slack sends to an app: slash commands, button clicks, forms, shortcuts, events.

Each function returns plain data as Slack's reference of interaction payloads and of the Events API shows it. For
people of connected workspaces `user.team_id` is their own team; a message's `team` is the app's, a form's is theirs
and `view.app_installed_team_id` names the app's.
"""

import re
import secrets
import time

from sandbox.inputs import VALUE_KEYS, initial_values
from sandbox.shapes import channel_in_payload, message_object, team_in_payload, user_in_payload, view_object
from sandbox.workspace import Channel, Json, User
from sandbox.world import Message, View, World


def escaped(text: str) -> str:
    """What a person typed, with Slack's three characters escaped; mentions by id stay mentions."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"&lt;([@#][A-Z0-9]{3,}(?:\|[^&<>|]*)?)&gt;", r"<\1>", safe)


def with_mentions(world: World, text: str, *, named: bool) -> str:
    """`@name` becomes `<@U…>` (or `<@U…|name>`), as Slack's composer does for people it knows."""

    def mention(found: re.Match[str]) -> str:
        for user in world.workspace.users:
            if found[1].lower() in (user.name.lower(), user.id.lower()):
                return f"<@{user.id}|{user.name}>" if named else f"<@{user.id}>"
        return found[0]

    return re.sub(r"(?<![\w<])@([\w.\-]+)", mention, text)


def rich_text(text: str) -> list[Json]:
    """A person's message as the composer's rich text: words and mentions."""
    parts: list[Json] = []
    for part in re.split(r"(<@[A-Z0-9]+>)", text):
        if part.startswith("<@"):
            parts.append({"type": "user", "user_id": part[2:-1]})
        elif part:
            plain = part.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            parts.append({"type": "text", "text": plain})
    section = {"type": "rich_text_section", "elements": parts}
    return [{"type": "rich_text", "block_id": secrets.token_hex(3), "elements": [section]}]


def _common(world: World, user: User, team_id: str) -> Json:
    """What every interactive payload carries."""
    app = world.workspace.app
    return {
        "user": user_in_payload(world, user.id), "api_app_id": app.id, "token": app.verification_token,
        "team": team_in_payload(world, team_id), "enterprise": None, "is_enterprise_install": False,
    }  # fmt: skip


def slash_command(world: World, user: User, command: str, text: str, channel: Channel) -> Json:
    """A slash command, as the form fields that Slack posts."""
    app = world.workspace.app
    team = team_in_payload(world, app.team_id)
    place = channel_in_payload(channel)
    return {
        "token": app.verification_token, "team_id": team["id"], "team_domain": team["domain"],
        "channel_id": place["id"], "channel_name": place["name"], "user_id": user.id, "user_name": user.name,
        "command": command, "text": text, "api_app_id": app.id, "is_enterprise_install": "false",
        "response_url": world.new_response_url(user.id, channel.id), "trigger_id": world.new_trigger(user.id),
    }  # fmt: skip


def action(element: Json, block_id: str, value: Json | None) -> Json:
    """One entry of `actions`: which element, and what was chosen in it."""
    done: Json = {"action_id": element["action_id"], "block_id": block_id, "type": element["type"]}
    if element["type"] in ("button", "icon_button"):
        done["text"] = {"emoji": True, **element["text"]}
        done |= {k: element[k] for k in ("value", "style", "url") if k in element}
    elif element["type"] in VALUE_KEYS and value is not None:
        key = VALUE_KEYS[element["type"]][0]
        done[key] = value.get(key)
        if "placeholder" in element:
            done["placeholder"] = element["placeholder"]
    elif value is not None:
        done |= {k: v for k, v in value.items() if k != "type"}
    done["action_ts"] = f"{time.time():.6f}"
    return done


def message_action(
    world: World, user: User, channel: Channel, message: Message, entries: list[Json], values: Json | None = None
) -> Json:
    """A click in a message; an ephemeral one is named by its container only, as in Slack."""
    container: Json = {
        "type": "message", "message_ts": message.ts, "channel_id": channel.id, "is_ephemeral": message.ephemeral,
    }  # fmt: skip
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = {
        "type": "block_actions", **_common(world, user, world.workspace.app.team_id), "container": container,
        "trigger_id": world.new_trigger(user.id), "channel": channel_in_payload(channel),
    }  # fmt: skip
    if not message.ephemeral:
        payload["message"] = message_object(world, message)
    payload["state"] = {"values": {**initial_values(message.blocks), **(values or {})}}
    payload["response_url"] = world.new_response_url(user.id, channel.id, message)
    payload["actions"] = entries
    return payload


def view_action(world: World, user: User, view: View, entries: list[Json]) -> Json:
    """A click or choice in a modal or in the App Home."""
    return {
        "type": "block_actions", **_common(world, user, world.workspace.app.team_id),
        "container": {"type": "view", "view_id": view.id}, "trigger_id": world.new_trigger(user.id, view.id),
        "view": view_object(world, view), "actions": entries,
    }  # fmt: skip


def view_submission(world: World, user: User, view: View) -> Json:
    """A form that was sent."""
    return {
        "type": "view_submission", **_common(world, user, user.team_id),
        "trigger_id": world.new_trigger(user.id, view.id), "view": view_object(world, view), "response_urls": [],
    }  # fmt: skip


def view_closed(world: World, user: User, view: View, *, cleared: bool) -> Json:
    """A form that was closed; `cleared` says that the whole stack went with it."""
    return {
        "type": "view_closed", **_common(world, user, user.team_id),
        "view": view_object(world, view), "is_cleared": cleared,
    }  # fmt: skip


def shortcut(world: World, user: User, callback_id: str) -> Json:
    """A global shortcut."""
    return {
        "type": "shortcut", **_common(world, user, world.workspace.app.team_id), "callback_id": callback_id,
        "trigger_id": world.new_trigger(user.id), "action_ts": f"{time.time():.6f}",
    }  # fmt: skip


def message_shortcut(world: World, user: User, callback_id: str, channel: Channel, message: Message) -> Json:
    """A shortcut used on a message, which it carries whole."""
    return {
        "type": "message_action", **_common(world, user, world.workspace.app.team_id), "callback_id": callback_id,
        "trigger_id": world.new_trigger(user.id), "action_ts": f"{time.time():.6f}",
        "response_url": world.new_response_url(user.id, channel.id), "message_ts": message.ts,
        "channel": channel_in_payload(channel), "message": message_object(world, message),
    }  # fmt: skip


def event(world: World, inner: Json, channel: Channel | None = None) -> Json:
    """An event in the envelope of the Events API; its `event_id` stays the same when it is retried."""
    app = world.workspace.app
    return {
        "token": app.verification_token, "team_id": app.team_id, "context_team_id": app.team_id,
        "context_enterprise_id": None, "api_app_id": app.id, "event": inner, "type": "event_callback",
        "event_id": world.new_id("Ev0"), "event_time": int(time.time()),
        "authorizations": [{"enterprise_id": None, "team_id": app.team_id, "user_id": app.bot_user_id, "is_bot": True,
                            "is_enterprise_install": False}],
        "is_ext_shared_channel": bool(channel and channel.shared_with), "event_context": "4-sandbox",
    }  # fmt: skip


def message_event(world: World, message: Message, channel: Channel, kind: str = "message") -> Json:
    """What a person said, as `message` or `app_mention`."""
    user = world.user(message.user)
    inner: Json = {
        "type": kind, "user": message.user, "ts": message.ts, "client_msg_id": message.client_msg_id,
        "text": message.text, "team": user.team_id if user else message.team, "blocks": message.blocks,
        "channel": channel.id, "event_ts": message.ts,
    }  # fmt: skip
    if message.thread_ts:
        inner["thread_ts"] = message.thread_ts
    if kind == "message":
        inner["channel_type"] = "im" if channel.is_im else "group" if channel.is_private else "channel"
    if channel.shared_with:
        inner |= {"user_team": inner["team"], "source_team": inner["team"]}
    return event(world, inner, channel)
