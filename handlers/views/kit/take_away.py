"""The buttons that take something away, each with a dialog that asks once: Withdraw, and Revoke in red."""

from __future__ import annotations

from handlers import ids
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, button, confirmed


def withdraw(value: str) -> Block:
    """**Withdraw** for the requester and their leads. `value`: the question (`ids.question`)."""
    return confirmed(button(wording.WITHDRAW, ids.WITHDRAW, value), wording.WITHDRAW, wording.WITHDRAW_MEANS, danger=True)


def revoke(value: str) -> Block:
    """**Revoke** for the people of the domain. `value` as in `withdraw`."""
    built = button(wording.REVOKE, ids.REVOKE, value, "danger")
    return confirmed(built, wording.REVOKE, wording.REVOKE_MEANS, danger=True)
