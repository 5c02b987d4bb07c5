"""How Slack writes things down: message, view, channel and person objects as they are in responses and payloads."""

import copy

from sandbox.workspace import Channel, Json, User
from sandbox.world import Message, View, World


def user_in_payload(world: World, user_id: str) -> Json:
    """The person who acted, as interactivity payloads name them: id, username, name and their own team."""
    user = world.user(user_id) or User(user_id, user_id.lower(), user_id, world.workspace.app.team_id)
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}


def team_in_payload(world: World, team_id: str) -> Json:
    """A team as interactivity payloads name it."""
    for team in world.workspace.teams:
        if team.id == team_id:
            return {"id": team.id, "domain": team.domain or team.name.lower().replace(" ", "-")}
    return {"id": team_id, "domain": ""}


def channel_in_payload(channel: Channel) -> Json:
    """The place of a gesture; Slack calls a direct message `directmessage`."""
    name = "directmessage" if channel.is_im else "privategroup" if channel.is_private else channel.name
    return {"id": channel.id, "name": name}


def channel_object(world: World, channel: Channel) -> Json:
    """A conversation as `conversations.info` shows it."""
    app = world.workspace.app
    if channel.is_im:
        user = world.user(channel.im_user)
        return {
            "id": channel.id, "created": 1_700_000_000, "is_im": True, "is_org_shared": False, "user": channel.im_user,
            "is_archived": False, "is_user_deleted": bool(user and user.deleted), "priority": 0,
            "context_team_id": app.team_id,
        }  # fmt: skip
    teams = [channel.team_id, *channel.shared_with]
    return {
        "id": channel.id, "name": channel.name, "name_normalized": channel.name, "created": 1_700_000_000,
        "is_channel": not channel.is_private, "is_group": channel.is_private, "is_im": False, "is_mpim": False,
        "is_private": channel.is_private, "is_archived": channel.is_archived, "is_general": False,
        "is_shared": bool(channel.shared_with), "is_ext_shared": bool(channel.shared_with), "is_org_shared": False,
        "is_pending_ext_shared": False, "is_member": app.bot_user_id in channel.members,
        "context_team_id": app.team_id, "conversation_host_id": channel.team_id, "creator": app.bot_user_id,
        "shared_team_ids": teams, "connected_team_ids": list(channel.shared_with), "unlinked": 0,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }  # fmt: skip


def message_object(world: World, message: Message) -> Json:
    """A message as responses, history and button payloads show it."""
    app = world.workspace.app
    shown: Json = {"user": message.user, "type": "message", "ts": message.ts, "text": message.text}
    if message.client_msg_id:
        shown["client_msg_id"] = message.client_msg_id
    shown["team"] = message.team or app.team_id
    if message.bot_id:
        shown |= {"bot_id": message.bot_id, "app_id": message.app_id}
        shown["bot_profile"] = {
            "id": app.bot_id, "app_id": app.id, "name": app.name, "team_id": app.team_id, "deleted": False,
            "icons": {}, "updated": 1_700_000_000,
        }  # fmt: skip
    if message.blocks:
        shown["blocks"] = copy.deepcopy(message.blocks)
    if message.edited:
        shown["edited"] = {"user": message.bot_id or message.user, "ts": message.edited}
    if message.metadata:
        shown["metadata"] = copy.deepcopy(message.metadata)
    if message.broadcast:
        shown["subtype"] = "thread_broadcast"
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
    if not message.thread_ts or message.thread_ts == message.ts:
        shown |= _thread(world, message)
    return shown


def _thread(world: World, message: Message) -> Json:
    """What a thread's parent says about its replies."""
    replies = [m for m in world.messages.get(message.channel, []) if m.thread_ts == message.ts and m is not message]
    if not replies:
        return {}
    people = list(dict.fromkeys(m.user for m in replies))
    return {
        "thread_ts": message.ts, "reply_count": len(replies), "reply_users_count": len(people),
        "latest_reply": replies[-1].ts, "reply_users": people[:5], "is_locked": False, "subscribed": False,
    }  # fmt: skip


_TITLED = ("title", "submit", "close")


def view_object(world: World, view: View) -> Json:
    """A view as `views.open` answers and as submissions carry it, with the state entered so far."""
    app = world.workspace.app
    body = copy.deepcopy(view.body)
    shown: Json = {
        "id": view.id, "team_id": app.team_id, "type": view.type, "blocks": body.get("blocks", []),
        "private_metadata": body.get("private_metadata", ""), "callback_id": body.get("callback_id", ""),
        "state": {"values": copy.deepcopy(view.values)}, "hash": view.hash,
        "title": body.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
        "clear_on_close": body.get("clear_on_close", False), "notify_on_close": body.get("notify_on_close", False),
        "close": body.get("close"), "submit": body.get("submit"), "previous_view_id": view.previous or None,
        "root_view_id": view.root, "app_id": app.id, "external_id": body.get("external_id", ""),
        "app_installed_team_id": app.team_id, "bot_id": app.bot_id,
    }  # fmt: skip
    for key in _TITLED:
        if isinstance(shown[key], dict):
            shown[key].setdefault("emoji", True)
    return shown
