"""The checkpoint that a decision led to, on the message that tells it: size and the beginning of the root for people, the
whole note for programs. A convenience, no anchor: whoever holds the bot's token can edit both (decision-log.md, "Anchors").
"""

from __future__ import annotations

from dataclasses import replace

from bot.ports import Signed
from handlers.views.blocks import TEXT_MAX, Message, context
from handlers.views.safe import cut

DIGITS = 12  # of the root, in hex
UNSIGNED = "The decision log is stopped: no checkpoint covers this yet."
_BLOCKS = 50


def with_checkpoint(message: Message, signed: Signed) -> Message:
    """The message with the checkpoint's footer and note."""
    short = signed.root.hex()[:DIGITS]
    footer = f"Decision log: {signed.size} entries, root {short}"
    return replace(_with(message, footer, footer.replace(short, f"`{short}`")), note=signed.note)


def unsigned(message: Message) -> Message:
    """What is said while the log is stopped says so."""
    return _with(message, UNSIGNED, UNSIGNED)


def _with(message: Message, footer: str, formatted: str) -> Message:
    text = f"{cut(message.text, TEXT_MAX - len(footer) - 1)}\n{footer}"
    return replace(message, text=text, blocks=(*message.blocks[: _BLOCKS - 1], context(formatted)))
