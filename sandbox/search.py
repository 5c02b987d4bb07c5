"""Finding messages and elements by what a person sees."""

import copy
from collections.abc import Callable, Iterable

from sandbox.hands import button_in, fields_of
from sandbox.seen import Seen
from sandbox.workspace import Json
from sandbox.world import Message, World


def newest_showing(world: World, user: str, wanted: str) -> Seen | None:
    """The newest message that this person sees and that holds this text or a button with this label."""

    def shows(message: Message) -> bool:
        seen = Seen(message)
        return wanted in seen.shown or wanted in seen.text or button_in(message.blocks, wanted) is not None

    return _newest(world, user, [c.id for c in world.conversations(user)], shows)


def newest_with_button(world: World, user: str, button: str, where: str = "") -> Seen | None:
    """The newest message that shows this button to this person, in the conversation `where` or in any."""
    places = [where] if where else [c.id for c in world.conversations(user)]
    return _newest(world, user, places, lambda message: button_in(message.blocks, button) is not None)


def visible_buttons(world: World, user: str) -> list[str]:
    """Every button label in this person's messages."""
    seen = (Seen(m) for place in world.conversations(user) for m in world.visible(place.id, user))
    return [label for message in seen for label in message.buttons]


def element_by_action(message: Seen, action_id: str) -> tuple[str, Json] | None:
    """A menu or picker of a message, by its action_id or label, with its block_id."""
    for label, block_id, element in fields_of(message.blocks):
        if action_id in (label, element.get("action_id")):
            return block_id, element
    return None


def _newest(world: World, user: str, places: Iterable[str], wanted: Callable[[Message], bool]) -> Seen | None:
    messages = [m for place in places for m in world.visible(place, user)]
    found = next((m for m in sorted(messages, key=lambda m: m.ts, reverse=True) if wanted(m)), None)
    return None if found is None else Seen(copy.deepcopy(found))
