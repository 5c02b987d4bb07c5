"""What one person sees, as JSON for the page and for tests in other processes."""

import dataclasses

from sandbox.shapes import view_object
from sandbox.workspace import SLACKBOT, Channel, Json, User
from sandbox.world import Message, View, World

SHOWN = 300


def directory(world: World) -> Json:
    """Who and what there is, the same for everybody."""
    workspace, app = world.workspace, world.workspace.app
    return {
        "teams": [dataclasses.asdict(t) for t in workspace.teams],
        "users": [_user(world, u) for u in workspace.users],
        "app": {"id": app.id, "name": app.name, "bot_user_id": app.bot_user_id, "team_id": app.team_id,
                "home": app.home_enabled, "description": app.description},
        "commands": [dataclasses.asdict(c) for c in app.commands],
        "shortcuts": [dataclasses.asdict(s) for s in app.shortcuts],
        "banner": workspace.banner, "start": dict(workspace.start), "script": [dataclasses.asdict(s) for s in workspace.script],
    }  # fmt: skip


def _user(world: World, user: User) -> Json:
    """A person as the page lists them."""
    foreign = user.team_id != world.workspace.app.team_id
    return {**dataclasses.asdict(user), "shown_name": user.shown_name, "is_foreign": foreign}


def screen(world: World, user_id: str) -> Json:
    """A person's sidebar, messages, open forms and App Home."""
    places = world.conversations(user_id)
    home = world.homes.get(user_id)
    return {
        "user": user_id, "version": world.version,
        "conversations": [_conversation(world, c, user_id) for c in places],
        "views": [view_on_screen(world, world.views[v]) for v in world.stacks.get(user_id, [])],
        "home": view_on_screen(world, home) if home else None,
    }  # fmt: skip


def _conversation(world: World, channel: Channel, user_id: str) -> Json:
    """One entry of the sidebar with its messages; unread counts what others said since it was last looked at."""
    messages = list(world.visible(channel.id, user_id))[-SHOWN:]
    last = world.read.get((user_id, channel.id), "")
    unread = [m for m in messages if m.ts > last and m.user not in (user_id, SLACKBOT)]
    return {
        "id": channel.id, "name": channel.name, "is_im": channel.is_im, "is_private": channel.is_private,
        "is_archived": channel.is_archived, "topic": channel.topic, "shared_with": list(channel.shared_with),
        "members": list(channel.members), "unread": len(unread),
        "messages": [message_on_screen(m, user_id) for m in messages],
    }  # fmt: skip


def message_on_screen(message: Message, user_id: str = "") -> Json:
    """A message as drawn; `warning` says that this person's last click in it got lost."""
    shown = dataclasses.asdict(message)
    shown["ephemeral"] = message.ephemeral
    shown["warning"] = user_id in shown.pop("warnings")
    return shown


def view_on_screen(world: World, view: View) -> Json:
    """A form or App Home as drawn: Slack's object, with complaints, notice and whether it waits."""
    return {
        **view_object(world, view), "errors": dict(view.errors), "notice": view.notice, "busy": view.busy,
        "version": view.version,
    }  # fmt: skip
