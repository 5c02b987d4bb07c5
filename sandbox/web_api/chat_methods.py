"""Methods that post: chat.* and reactions.add, with the errors that Slack returns before a message is posted."""

import time
from typing import Any

from sandbox.blocks import check_message, check_view, named
from sandbox.errors import SlackError
from sandbox.shapes import message_object
from sandbox.web_api.api_call import Call, Method
from sandbox.web_api.people_methods import known_channel
from sandbox.workspace import Channel, Json
from sandbox.world import Message

TEXT_LIMIT = 40_000


def _place(call: Call) -> Channel:
    """Where a message goes: a channel, a direct message, or a person's id, which means the app's direct message."""
    call.needs("channel")
    wanted = call.text("channel")
    user = call.world.user(wanted)
    if user is not None:
        if not user.accepts_dms:
            raise SlackError("channel_not_found")
        if user.is_bot:
            raise SlackError("cannot_dm_bot")
        return call.world.im(user.id)
    named_channels = [c for c in call.world.workspace.channels if not c.is_im and wanted in (f"#{c.name}", c.name)]
    channel = known_channel(call, named_channels[0].id if named_channels else wanted)
    _may_post(call, channel)
    return channel


def _may_post(call: Call, channel: Channel) -> None:
    """The app is a member, or may post to public channels without being one."""
    if channel.is_archived:
        raise SlackError("is_archived")
    open_door = "chat:write.public" in call.app.scopes and not channel.is_private
    if call.app.bot_user_id not in channel.members and not open_door:
        raise SlackError("not_in_channel")
    person = call.world.user(channel.im_user) if channel.is_im else None
    if person is not None and not person.accepts_dms:
        raise SlackError("channel_not_found")


def checked_blocks(call: Call) -> list[Json]:
    """The blocks of a call, named; refuses them in Slack's words."""
    blocks = call.args.get("blocks")
    if blocks in (None, ""):
        return []
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    wrong = check_message(blocks)
    if wrong:
        raise SlackError("invalid_blocks", errors=wrong, response_metadata={"messages": wrong})
    return named(blocks)


def _content(call: Call) -> tuple[str, list[Json]]:
    """Text and blocks of a new message; at least one of them is not empty."""
    blocks = checked_blocks(call)
    text = call.text("text")
    if not text and not blocks:
        raise SlackError("no_text")
    if len(text) > TEXT_LIMIT:
        raise SlackError("msg_too_long")
    return text, blocks


def _limit(call: Call, channel: Channel) -> None:
    """About one message per second and channel, if the settings ask for it."""
    if not call.world.workspace.settings.limit_messages:
        return
    own = [m for m in call.world.messages.get(channel.id, []) if m.bot_id]
    if own and time.time() - float(own[-1].ts) < 1.0:
        raise SlackError("ratelimited", status=429, headers={"Retry-After": "1"})


def _from_app(call: Call, channel: Channel, text: str, blocks: list[Json], **rest: Any) -> Message:
    """A message by the app's bot user, not yet posted."""
    app = call.app
    return Message(
        call.world.next_ts(), channel.id, app.bot_user_id, text, blocks,
        bot_id=app.bot_id, app_id=app.id, team=app.team_id, **rest,
    )  # fmt: skip


def _thread_of(call: Call, channel: Channel) -> str:
    """The parent that `thread_ts` names; a reply's own ts leads to its parent, as in Slack."""
    ts = call.text("thread_ts")
    if not ts:
        return ""
    parent = call.world.find(channel.id, ts)
    if parent is None:
        raise SlackError("thread_not_found")
    return parent.thread_ts or parent.ts


def post_message(call: Call) -> Json:
    """A message for everybody in a conversation."""
    channel = _place(call)
    text, blocks = _content(call)
    _limit(call, channel)
    metadata = call.args.get("metadata") or None
    message = call.world.add(
        _from_app(
            call, channel, text, blocks, thread_ts=_thread_of(call, channel), metadata=metadata,
            broadcast=call.flag("reply_broadcast"),
        )
    )  # fmt: skip
    return {"channel": channel.id, "ts": message.ts, "message": message_object(call.world, message)}


def post_ephemeral(call: Call) -> Json:
    """A message that only one member of the conversation sees."""
    call.needs("user")
    channel = _place(call)
    if call.text("user") not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks = _content(call)
    thread = _thread_of(call, channel)
    message = _from_app(call, channel, text, blocks, seen_by=call.text("user"), thread_ts=thread)
    call.world.add(message)
    return {"message_ts": message.ts}


def _own_message(call: Call, refusal: str) -> Message:
    """A message that the app itself posted."""
    call.needs("channel", "ts")
    channel = known_channel(call, call.text("channel"))
    message = call.world.find(channel.id, call.text("ts"))
    if message is None or message.ephemeral:
        raise SlackError("message_not_found")
    if message.bot_id != call.app.bot_id:
        raise SlackError(refusal)
    if channel.is_archived:
        raise SlackError("is_archived")
    return message


def rewrite(message: Message, text: str, blocks: list[Json] | None, at: str) -> None:
    """Change what a message says; blocks that are not given stay, as `chat.update` documents."""
    message.text = text
    if blocks is not None:
        message.blocks = blocks
    message.edited = at
    message.warnings.clear()


def update(call: Call) -> Json:
    """Change one of the app's own messages."""
    message = _own_message(call, "cant_update_message")
    given = call.args.get("blocks")
    blocks = None if given is None else checked_blocks(call)
    text = call.text("text")
    if not text and not blocks and not ("text" not in call.args and message.blocks):
        raise SlackError("no_text")
    if len(text) > TEXT_LIMIT:
        raise SlackError("msg_too_long")
    if isinstance(call.args.get("metadata"), dict):
        message.metadata = call.args["metadata"]
    rewrite(message, text if "text" in call.args else message.text, blocks, call.world.next_ts())
    call.world.touch()
    shown = message_object(call.world, message)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def delete(call: Call) -> Json:
    """Delete one of the app's own messages."""
    message = _own_message(call, "cant_delete_message")
    call.world.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(call: Call) -> Json:
    """A link to a message; here it leads to the page."""
    call.needs("channel", "message_ts")
    channel = known_channel(call, call.text("channel"))
    ts = call.text("message_ts")
    if call.world.find(channel.id, ts) is None:
        raise SlackError("message_not_found")
    permalink = f"{call.world.base_url}/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": permalink}


def add_reaction(call: Call) -> Json:
    """Accepted and otherwise ignored: nothing here draws reactions."""
    call.needs("channel", "timestamp", "name")
    channel = known_channel(call, call.text("channel"))
    if call.world.find(channel.id, call.text("timestamp")) is None:
        raise SlackError("message_not_found")
    return {}


def validate(call: Call) -> Json:
    """Slack's verdict on blocks or a view, without showing them to anybody."""
    message, view = call.args.get("message"), call.args.get("view")
    wrong: list[str] = []
    if isinstance(message, dict):
        wrong += check_message(message.get("blocks"))
    if isinstance(view, dict):
        wrong += check_view(view, str(view.get("type")))
    if wrong:
        raise SlackError("invalid_blocks", response_metadata={"messages": wrong})
    return {}


_WRITE = ("chat:write",)
METHODS: dict[str, Method] = {
    "chat.postMessage": Method(post_message, _WRITE),
    "chat.postEphemeral": Method(post_ephemeral, _WRITE),
    "chat.update": Method(update, _WRITE),
    "chat.delete": Method(delete, _WRITE),
    "chat.getPermalink": Method(get_permalink),
    "blocks.validate": Method(validate),
    "reactions.add": Method(add_reaction, ("reactions:write",)),
}
