"""The channel button, and the receipt in its thread when no direct message reaches the requester.

Others read the channel too, so the receipt shows no target, reason or fields.
"""

from __future__ import annotations

from bot.domain.case.model import Case
from handlers import ids
from handlers.views import facts
from handlers.views.kit import wording
from handlers.views.kit.blocks import Message, actions, button, message, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline
from handlers.views.kit.take_away import withdraw
from handlers.views.receipt import status

DOOR = "door"


def door(scene: ViewContext) -> Message:
    """The message with the button."""
    said = f"Ask the owners at {inline(scene.policy.organisation, 100)} for access, a reset or an exception. Access opens only after they approve."
    return message(said, [section(said), actions(ids.BLOCK_DOOR, button(wording.SHORTCUT_NAME, ids.ASK_HERE, DOOR))])


def door_moved() -> Message:
    """The earlier message, once the button was posted again in its channel."""
    said = "The button has moved: use the newest one in this channel."
    return message(said, [section(said)])


def door_receipt(case: Case, scene: ViewContext) -> Message:
    """Id, title and state, with **Withdraw** while it is pending."""
    said = f"{who(case.request.requester)} {case.id} · {facts.heading(case)}\n{status(case, scene)}"
    value = ids.question(case.id, case.approval.version)
    row = [actions(ids.BLOCK_RECEIPT, withdraw(value))] if facts.pending(case) and case.finding is None else []
    return message(said, [section(said), *row])
