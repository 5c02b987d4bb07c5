"""The channel button, and the receipt that stands under it where no direct message reaches the requester.

The channel holds more people than the requester: neither target, reason nor fields stand here.
"""

from __future__ import annotations

from bot.domain.request import Case
from handlers import names
from handlers.views import facts, wording
from handlers.views.blocks import Message, actions, button, message, section
from handlers.views.receipt import status
from handlers.views.safe import inline
from handlers.views.scene import Scene, who

DOOR = "door"


def door(scene: Scene) -> Message:
    """The message with the button."""
    said = f"Ask the owners at {inline(scene.policy.organisation, 100)} for access, a reset or an exception. Nothing opens before their yes."
    return message(said, [section(said), actions(names.BLOCK_DOOR, button(wording.SHORTCUT_NAME, names.ASK_HERE, DOOR))])


def door_receipt(case: Case, scene: Scene) -> Message:
    """Id, title and state, with **Withdraw** while it is pending."""
    said = f"{who(case.request.requester)} {case.id} · {facts.heading(case)}\n{status(case, scene)}"
    value = names.question(case.id, case.approval.version)
    row = [actions(names.BLOCK_RECEIPT, button(wording.WITHDRAW, names.WITHDRAW, value))] if facts.pending(case) else []
    return message(said, [section(said), *row])
