"""Gestures by name and plain data, as the page and remote tests ask for them, and finding things by what they show."""

import copy
import dataclasses
import re
from collections.abc import Iterable
from typing import Any

from sandbox.blocks import elements_of
from sandbox.delivery import Outcome
from sandbox.errors import GestureError
from sandbox.gestures import Gestures
from sandbox.workspace import Json
from sandbox.world import Message, View, World


def label_of(element: Json) -> str:
    """What is written on a button."""
    text = element.get("text")
    return str(text.get("text", "")) if isinstance(text, dict) else ""


def buttons_of(blocks: Iterable[Json]) -> list[tuple[str, Json]]:
    """Every button with its block_id, in the order in which they are drawn."""
    kinds = ("button", "icon_button")
    return [(b["block_id"], e) for b in blocks for e in elements_of(b) if e.get("type") in kinds]


def fields_of(view_blocks: Iterable[Json]) -> list[tuple[str, str, Json]]:
    """Every input and menu: its label (or its section's text), its block_id, its element."""
    found = []
    for block in view_blocks:
        for element in elements_of(block):
            if element.get("type") not in ("button", "image", "overflow", "icon_button", "feedback_buttons"):
                title = block.get("label") or block.get("text") or element.get("placeholder") or {}
                found.append((str(title.get("text", "")), block["block_id"], element))
    return found


def button_in(blocks: list[Json], wanted: str) -> tuple[str, Json] | None:
    """The button with this text or action_id; emoji and spaces around the text do not count."""
    for block_id, element in buttons_of(blocks):
        plain = re.sub(r":[a-z0-9_+\-]+:", "", label_of(element)).strip()
        if wanted in (label_of(element), plain, element.get("action_id")):
            return block_id, element
    return None


def field_in(view: View, wanted: str) -> tuple[str, Json]:
    """The input with this label, block_id or action_id. Raises `GestureError` naming what there is."""
    fields = fields_of(view.blocks)
    for label, block_id, element in fields:
        if wanted in (label, block_id, element.get("action_id")):
            return block_id, element
    for label, block_id, element in fields:
        if label.replace("*", "").strip().lower() == wanted.lower():
            return block_id, element
    raise GestureError(f"no input {wanted!r}; there are: {', '.join(label for label, _, _ in fields)}")


class Hands:
    """Finds what a gesture means on the screen, performs it, and writes its outcome as JSON."""

    def __init__(self, world: World, gestures: Gestures) -> None:
        """Hands over one world."""
        self.world = world
        self.gestures = gestures

    def view(self, user_id: str, view_id: str = "") -> View:
        """The named view, or the form on top. Raises `GestureError` if there is none."""
        home = self.world.homes.get(user_id)
        if home is not None and view_id == home.id:
            return home
        view = self.world.views.get(view_id) if view_id else self.world.top(user_id)
        if view is None or view.user != user_id:
            raise GestureError(f"{user_id} has no open form" + (f" {view_id}" if view_id else ""))
        return view

    def message(self, channel: str, ts: str) -> Message:
        """A snapshot of a message. Raises `GestureError`."""
        message = self.world.find(channel, ts)
        if message is None:
            raise GestureError(f"no message {ts} in {channel}")
        return copy.deepcopy(message)

    async def change(self, user_id: str, view: View, block_id: str, element: Json, value: Any) -> Outcome | None:
        """Fill in an input; the app receives it at once where the block or element says so."""
        block = next(b for b in view.blocks if b["block_id"] == block_id)
        if block["type"] != "input" or block.get("dispatch_action"):
            return await self.gestures.click_in_view(user_id, view, block_id, element["action_id"], value)
        self.gestures.enter(user_id, view, block_id, element["action_id"], value)
        return None

    async def do(self, gesture: str, args: Json) -> Json:
        """Perform a gesture by its name. Raises `GestureError` for unknown names and arguments."""
        perform = getattr(self, f"_do_{gesture}", None)
        if perform is None:
            raise GestureError(f"no gesture {gesture!r}")
        try:
            outcome = await perform(**args)
        except TypeError as error:
            raise GestureError(f"{gesture}: {error}") from error
        return dataclasses.asdict(outcome) if isinstance(outcome, Outcome) else outcome or {}

    async def _do_command(self, user: str, command: str, text: str = "", channel: str = "", thread: str = "") -> Outcome:
        """Type a slash command."""
        return await self.gestures.command(user, command, text, channel, thread)

    async def _do_say(self, user: str, text: str, channel: str = "", thread: str = "") -> Outcome:
        """Write a message."""
        return await self.gestures.say(user, text, channel, thread)

    async def _do_click(
        self, user: str, channel: str, ts: str, block_id: str, action_id: str, value: Any = None
    ) -> Outcome:
        """Press or choose something in a message."""
        return await self.gestures.click(user, self.message(channel, ts), block_id, action_id, value)

    async def _do_click_in_view(
        self, user: str, view: str, block_id: str, action_id: str, value: Any = None, values: Json | None = None
    ) -> Outcome:
        """Press or choose something in a form or the App Home; `values` is what the page holds in its inputs."""
        found = self.view(user, view)
        self._take(user, found, values or {})
        return await self.gestures.click_in_view(user, found, block_id, action_id, value)

    def _take(self, user: str, view: View, values: Json) -> None:
        """Take over what the page holds in its inputs."""
        for block_id, actions in values.items():
            for action_id, value in actions.items():
                self.gestures.enter(user, view, block_id, action_id, value)

    async def _do_enter(self, user: str, view: str, values: Json) -> None:
        """Fill in inputs without telling the app."""
        self._take(user, self.view(user, view), values)

    async def _do_submit(self, user: str, view: str = "", values: Json | None = None) -> Outcome:
        """Send a form."""
        found = self.view(user, view)
        self._take(user, found, values or {})
        return await self.gestures.submit(user, found)

    async def _do_close(self, user: str, view: str = "", everything: bool = False) -> Outcome:
        """Close a form, or all of them."""
        return await self.gestures.close(user, self.view(user, view), everything=everything)

    async def _do_shortcut(self, user: str, callback_id: str) -> Outcome:
        """Use a global shortcut."""
        return await self.gestures.shortcut(user, callback_id)

    async def _do_message_shortcut(self, user: str, callback_id: str, channel: str, ts: str) -> Outcome:
        """Use a shortcut on a message."""
        return await self.gestures.message_shortcut(user, callback_id, channel, ts)

    async def _do_open_home(self, user: str, tab: str = "home") -> Outcome:
        """Look at the app."""
        return await self.gestures.open_home(user, tab)

    async def _do_read(self, user: str, channel: str) -> None:
        """Look at a conversation: nothing in it is unread any more."""
        place = self.gestures.place(self.gestures.person(user), channel)
        last = next(reversed(list(self.world.visible(place.id, user))), None)
        if last is not None and self.world.read.get((user, place.id)) != last.ts:
            self.world.read[(user, place.id)] = last.ts
            self.world.touch()

    async def _do_dismiss(self, user: str, channel: str, ts: str) -> None:
        """Dismiss an ephemeral message."""
        message = self.world.find(channel, ts)
        if message is None or message.seen_by != user:
            raise GestureError("only your own ephemeral messages can be dismissed")
        self.world.remove(message)

    async def _do_step(self, index: int, done: bool = True) -> None:
        """Tick a step of the script."""
        self.world.workspace.script[index].done = done
        self.world.touch()
