"""response_url: answers, replaces or deletes a gesture's message, five times within half an hour."""

import time

from sandbox.blocks import check_message, named
from sandbox.errors import SlackError
from sandbox.web_api.chat_methods import rewrite
from sandbox.workspace import Json
from sandbox.world import Message, ResponseUrl, World


def use(world: World, token: str) -> ResponseUrl:
    """Take one of the uses of a response_url. Raises `SlackError` with 404 once it is spent or old."""
    url = world.response_urls.get(token)
    settings = world.workspace.settings
    if url is None or time.time() - url.at > settings.response_url_seconds:
        raise SlackError("expired_url", status=404)
    if url.left <= 0:
        raise SlackError("used_url", status=404)
    url.left -= 1
    return url


def post_response(world: World, url: ResponseUrl, body: Json) -> None:
    """Do what the body asks for. Raises `SlackError` for blocks that Slack would refuse."""
    original = world.find(url.channel, url.message_ts) if url.message_ts else None
    if body.get("delete_original"):
        if original is not None:
            world.remove(original)
        return
    blocks = body.get("blocks")
    wrong = check_message(blocks) if blocks else []
    if wrong:
        raise SlackError("invalid_blocks", response_metadata={"messages": wrong})
    if not body.get("text") and not blocks:
        raise SlackError("no_text")
    if body.get("replace_original") and original is not None:
        rewrite(original, body.get("text", ""), named(blocks or []), "" if original.ephemeral else world.next_ts())
        world.touch()
        return
    app = world.workspace.app
    private = body.get("response_type", "ephemeral") != "in_channel"
    world.add(
        Message(
            world.next_ts(), _seen_where(world, url), app.bot_user_id, body.get("text", ""), named(blocks or []),
            bot_id=app.bot_id, app_id=app.id, team=app.team_id, seen_by=url.user if private else "",
            thread_ts=body.get("thread_ts", "") or url.thread_ts,
        )
    )  # fmt: skip


def _seen_where(world: World, url: ResponseUrl) -> str:
    """The conversation of the gesture; somebody who forged a click from outside it reads the answer at the app's."""
    channel = world.channel(url.channel)
    there = channel is not None and url.user in channel.members
    return url.channel if there else world.im(url.user).id
