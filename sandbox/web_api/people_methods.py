"""Methods about tokens, people, teams and conversations: auth.*, apps.*, users.*, dnd.*, team.*, conversations.*."""

import datetime
import secrets
import time
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.errors import SlackError
from sandbox.shapes import channel_object, message_object
from sandbox.web_api.api_call import Call, Method
from sandbox.workspace import Channel, Json, Team, User


def auth_test(call: Call) -> Json:
    """Who the token is."""
    app = call.app
    team = _team(call, app.team_id)
    bot = call.world.user(app.bot_user_id)
    return {
        "url": f"{call.world.base_url}/", "team": team.name, "user": bot.name if bot else "", "team_id": team.id,
        "user_id": app.bot_user_id, "bot_id": app.bot_id, "is_enterprise_install": False,
    }  # fmt: skip


def connections_open(call: Call) -> Json:
    """A WebSocket address for Socket Mode, good for one connection."""
    ticket = secrets.token_hex(8)
    call.world.tickets.add(ticket)
    base = call.world.base_url.replace("http://", "ws://", 1)
    return {"url": f"{base}/link?ticket={ticket}&app_id={call.app.id}"}


def _team(call: Call, team_id: str) -> Team:
    """A team by its id."""
    for team in call.world.workspace.teams:
        if team.id == team_id:
            return team
    raise SlackError("team_not_found")


def _user(call: Call, argument: str = "user") -> User:
    """The person an argument names."""
    user = call.world.user(call.text(argument))
    if user is None:
        raise SlackError("user_not_found")
    return user


def user_object(call: Call, user: User) -> Json:
    """A person as `users.info` shows them; `is_stranger` says that nobody here shares a channel with them."""
    offset = datetime.datetime.now(ZoneInfo(user.tz)).utcoffset() or datetime.timedelta()
    foreign = user.team_id != call.app.team_id
    profile = {
        "title": user.title, "real_name": user.real_name, "real_name_normalized": user.real_name,
        "display_name": user.display_name, "display_name_normalized": user.display_name, "team": user.team_id,
        "avatar_hash": "g0", "image_24": "", "image_48": "", "image_72": "", "status_text": "", "status_emoji": "",
    }  # fmt: skip
    if user.email and "users:read.email" in call.app.scopes:
        profile["email"] = user.email
    shown: Json = {
        "id": user.id, "team_id": user.team_id, "name": user.name, "deleted": user.deleted, "color": "9f69e7",
        "real_name": user.real_name, "tz": user.tz, "tz_label": user.tz, "tz_offset": int(offset.total_seconds()),
        "profile": profile, "is_admin": user.is_admin, "is_owner": False, "is_primary_owner": False,
        "is_restricted": user.is_restricted, "is_ultra_restricted": user.is_ultra_restricted, "is_bot": user.is_bot,
        "is_app_user": False, "updated": 1_700_000_000, "is_email_confirmed": True,
        "who_can_share_contact_card": "EVERYONE",
    }  # fmt: skip
    if foreign or user.is_stranger:
        shown["is_stranger"] = user.is_stranger or not call.world.shares_a_channel(user.id)
    return shown


def users_info(call: Call) -> Json:
    """One person."""
    call.needs("user")
    return {"user": user_object(call, _user(call))}


def users_list(call: Call) -> Json:
    """The people of the app's team, a page at a time."""
    here = [u for u in call.world.workspace.users if u.team_id == call.app.team_id]
    page, cursor = _page(call, here, 200)
    return {
        "members": [user_object(call, u) for u in page],
        "cache_ts": int(time.time()),
        "response_metadata": {"next_cursor": cursor},
    }


def dnd_info(call: Call) -> Json:
    """Whether this person's notifications are held back now; a running window ends in eight hours."""
    user = _user(call)
    now = int(time.time())
    start, end = (now - 3600, now + 8 * 3600) if user.dnd else (1, 1)
    return {"dnd_enabled": user.dnd, "next_dnd_start_ts": start, "next_dnd_end_ts": end}


def team_info(call: Call) -> Json:
    """The app's team, or another one that it is connected with."""
    team = _team(call, call.text("team") or call.app.team_id)
    return {"team": {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": {}}}


def _page(call: Call, items: list[Any], default: int) -> tuple[list[Any], str]:
    """A page of a list and the cursor of the next one."""
    limit = call.number("limit", default, 1000)
    cursor = call.text("cursor")
    if cursor and not cursor.isdigit():
        raise SlackError("invalid_cursor")
    start = int(cursor or 0)
    following = str(start + limit) if start + limit < len(items) else ""
    return items[start : start + limit], following


def _knows(call: Call, channel: Channel) -> bool:
    """Whether the app can see that this conversation exists."""
    app = call.app
    hidden = channel.is_private and app.bot_user_id not in channel.members
    return app.team_id in (channel.team_id, *channel.shared_with) and not hidden


def known_channel(call: Call, channel_id: str) -> Channel:
    """The conversation, if the app can see it. Raises `channel_not_found`."""
    channel = call.world.channel(channel_id)
    if channel is None or not _knows(call, channel):
        raise SlackError("channel_not_found")
    return channel


def conversations_list(call: Call) -> Json:
    """The conversations that the app can see, of the wanted types."""
    return _channels(call, [c for c in call.world.workspace.channels if _knows(call, c)])


def users_conversations(call: Call) -> Json:
    """The conversations in which the app (or the given person) is a member."""
    who = call.text("user") or call.app.bot_user_id
    seen = [c for c in call.world.workspace.channels if _knows(call, c) and who in c.members]
    return _channels(call, seen)


def _channels(call: Call, channels: list[Channel]) -> Json:
    """A page of conversations, filtered by `types` and `exclude_archived`."""
    types = (call.text("types") or "public_channel").split(",")
    wanted = [c for c in channels if _type(c) in types and not (call.flag("exclude_archived") and c.is_archived)]
    page, cursor = _page(call, wanted, 100)
    shown = [channel_object(call.world, c) for c in page]
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


def _type(channel: Channel) -> str:
    """The name that `types` uses for this conversation."""
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


def conversations_info(call: Call) -> Json:
    """One conversation."""
    call.needs("channel")
    channel = known_channel(call, call.text("channel"))
    shown = channel_object(call.world, channel)
    if call.flag("include_num_members"):
        shown["num_members"] = len(channel.members)
    return {"channel": shown}


def conversations_members(call: Call) -> Json:
    """The ids of a conversation's members, a page at a time."""
    call.needs("channel")
    page, cursor = _page(call, known_channel(call, call.text("channel")).members, 100)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def conversations_open(call: Call) -> Json:
    """The direct message with one person."""
    ids = [u for u in call.text("users").split(",") if u]
    if call.text("channel"):
        return {"channel": channel_object(call.world, known_channel(call, call.text("channel")))}
    if not ids:
        raise SlackError("users_list_not_supplied")
    if len(ids) > 1:
        raise SlackError("not_supported")
    user = call.world.user(ids[0])
    if user is None or not user.accepts_dms:
        raise SlackError("user_not_found")
    if user.deleted:
        raise SlackError("user_disabled")
    if user.id == call.app.bot_user_id:
        raise SlackError("cannot_dm_bot")
    channel = call.world.im(user.id)
    shown = channel_object(call.world, channel) if call.flag("return_im") else {"id": channel.id}
    return {"no_op": True, "already_open": True, "channel": shown}


def _readable(call: Call) -> Channel:
    """A conversation whose messages the app may read."""
    call.needs("channel")
    channel = known_channel(call, call.text("channel"))
    scope = "im:history" if channel.is_im else "groups:history" if channel.is_private else "channels:history"
    if scope not in call.app.scopes:
        raise SlackError("missing_scope", needed=scope, provided=",".join(call.app.scopes))
    if call.app.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def conversations_history(call: Call) -> Json:
    """The messages of a conversation without its threads' replies, newest first."""
    channel = _readable(call)
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9999999999"
    inside = call.flag("inclusive")
    shown = [
        m
        for m in reversed(list(call.world.visible(channel.id)))
        if (not m.thread_ts or m.thread_ts == m.ts or m.broadcast)
        and ((float(oldest) < float(m.ts) < float(latest)) or (inside and m.ts in (oldest, latest)))
    ]
    limit = call.number("limit", 100, 999)
    return {
        "messages": [message_object(call.world, m) for m in shown[:limit]],
        "has_more": len(shown) > limit, "pin_count": 0,
    }  # fmt: skip


def conversations_replies(call: Call) -> Json:
    """A thread, its parent first."""
    channel = _readable(call)
    call.needs("ts")
    ts = call.text("ts")
    if call.world.find(channel.id, ts) is None:
        raise SlackError("thread_not_found")
    thread = [m for m in call.world.visible(channel.id) if ts in (m.ts, m.thread_ts)]
    limit = call.number("limit", 1000, 1000)
    return {"messages": [message_object(call.world, m) for m in thread[:limit]], "has_more": len(thread) > limit}


_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
METHODS: dict[str, Method] = {
    "auth.test": Method(auth_test),
    "api.test": Method(lambda call: {"args": {k: v for k, v in call.args.items() if k != "token"}}),
    "apps.connections.open": Method(connections_open, app_level=True),
    "users.info": Method(users_info, ("users:read",)),
    "users.list": Method(users_list, ("users:read",)),
    "users.conversations": Method(users_conversations, _READ),
    "dnd.info": Method(dnd_info, ("dnd:read",)),
    "team.info": Method(team_info, ("team:read",)),
    "conversations.open": Method(conversations_open, ("im:write", "channels:manage", "groups:write", "mpim:write")),
    "conversations.info": Method(conversations_info, _READ),
    "conversations.members": Method(conversations_members, _READ),
    "conversations.list": Method(conversations_list, _READ),
    "conversations.history": Method(conversations_history, ("channels:history", "groups:history", "im:history")),
    "conversations.replies": Method(conversations_replies, ("channels:history", "groups:history", "im:history")),
}
