"""Methods that open and change modals and the App Home: views.*, and the same moves for acknowledgements.

A trigger works once and for `trigger_seconds`; a stack holds at most three views; an update may name the hash it saw.
"""

import json
import time
from typing import Any

from sandbox.blocks import VIEW_BYTES, check_view, named
from sandbox.errors import SlackError
from sandbox.inputs import initial_values, kept_values
from sandbox.shapes import view_object
from sandbox.web_api.api_call import Call, Method
from sandbox.workspace import Json
from sandbox.world import Trigger, View, World

STACK_LIMIT = 3


def checked_view(view: Any, kind: str) -> Json:
    """A view body that Slack would accept, its blocks named. Raises `SlackError`."""
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: view"]})
    if len(json.dumps(view)) > VIEW_BYTES:
        raise SlackError("view_too_large")
    wrong = check_view(view, kind)
    if wrong:
        raise SlackError("invalid_arguments", response_metadata={"messages": wrong})
    return {**view, "blocks": named(view["blocks"])}


def _trigger(call: Call) -> Trigger:
    """Exchange the call's trigger. Raises `SlackError` for an unknown, used or old one."""
    call.needs("trigger_id")
    trigger = call.world.triggers.get(call.text("trigger_id"))
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if time.time() - trigger.at > call.world.workspace.settings.trigger_seconds:
        raise SlackError("expired_trigger_id")
    return trigger


def _free_external_id(world: World, body: Json, own: str = "") -> None:
    """An external id belongs to one view at a time."""
    wanted = body.get("external_id")
    others = [*world.views.values(), *world.homes.values()]
    if wanted and any(v.body.get("external_id") == wanted and v.id != own for v in others):
        raise SlackError("duplicate_external_id")


def new_view(world: World, user_id: str, body: Json, previous: str = "") -> View:
    """A fresh view for a person; a root view is its own root."""
    view_id = world.new_id("V")
    root = world.views[previous].root if previous in world.views else view_id
    view = View(view_id, body["type"], user_id, body, _hash(world), root, previous)
    view.values = initial_values(view.blocks)
    return view


def _hash(world: World) -> str:
    """A hash of Slack's looks: a time and a few letters."""
    return f"{int(time.time())}.{world.new_id('')[:8]}"


def open_view(call: Call) -> Json:
    """Open a modal for the person whose gesture gave the trigger."""
    trigger = _trigger(call)
    body = checked_view(call.args.get("view"), "modal")
    _free_external_id(call.world, body)
    trigger.used = True
    for old in list(call.world.stacks.get(trigger.user, [])):
        call.world.drop_view(old)
    view = new_view(call.world, trigger.user, body)
    call.world.views[view.id] = view
    call.world.stacks[trigger.user] = [view.id]
    call.world.touch()
    return {"view": view_object(call.world, view)}


def push_onto(world: World, user_id: str, body: Json) -> View:
    """Put a view on top of a person's stack. Raises `push_limit_reached` above three."""
    stack = world.stacks.setdefault(user_id, [])
    if len(stack) >= STACK_LIMIT:
        raise SlackError("push_limit_reached")
    _free_external_id(world, body)
    view = new_view(world, user_id, body, stack[-1] if stack else "")
    world.views[view.id] = view
    stack.append(view.id)
    world.touch()
    return view


def push_view(call: Call) -> Json:
    """Put a modal on top of the one in which the trigger's gesture was made."""
    trigger = _trigger(call)
    if trigger.view not in call.world.stacks.get(trigger.user, []):
        raise SlackError("not_found")
    body = checked_view(call.args.get("view"), "modal")
    view = push_onto(call.world, trigger.user, body)
    trigger.used = True
    return {"view": view_object(call.world, view)}


def replace_body(world: World, view: View, body: Json) -> None:
    """New blocks for a view; what was typed stays where block_id and action_id stay the same, as in Slack."""
    _free_external_id(world, body, view.id)
    view.values = kept_values(view.values, body["blocks"])
    view.body = body
    view.hash = _hash(world)
    view.errors, view.notice = {}, ""
    view.version += 1
    world.touch()


def update_view(call: Call) -> Json:
    """Change an open modal, found by its id or its external id."""
    view_id, external = call.text("view_id"), call.text("external_id")
    if not view_id and not external:
        call.needs("view_id")
    everyone = [*call.world.views.values(), *call.world.homes.values()]
    found = [v for v in everyone if v.id == view_id or (external and v.body.get("external_id") == external)]
    if not found:
        raise SlackError("not_found")
    view = found[0]
    if call.text("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")
    replace_body(call.world, view, checked_view(call.args.get("view"), view.type))
    return {"view": view_object(call.world, view)}


def publish_view(call: Call) -> Json:
    """Set a person's App Home."""
    call.needs("user_id", "view")
    user = call.world.user(call.text("user_id"))
    if user is None:
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] user_id does not exist"]})
    if not call.app.home_enabled:
        raise SlackError("not_enabled")
    body = checked_view(call.args.get("view"), "home")
    view = call.world.homes.get(user.id)
    if view is None:
        view = call.world.homes[user.id] = new_view(call.world, user.id, body)
        call.world.touch()
    else:
        if call.text("hash") and call.text("hash") != view.hash:
            raise SlackError("hash_conflict")
        replace_body(call.world, view, body)
    return {"view": view_object(call.world, view)}


METHODS: dict[str, Method] = {
    "views.open": Method(open_view),
    "views.push": Method(push_view),
    "views.update": Method(update_view),
    "views.publish": Method(publish_view),
}
