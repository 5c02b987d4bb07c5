"""The checkpoint that a decision led to, on its message: size and the beginning of the root for people, the
whole note for programs. A convenience, not an anchor: a holder of the bot's token can edit both (decision-log.md, "Anchors").
"""

from __future__ import annotations

from dataclasses import replace

from bot.ports.records import SignedCheckpoint
from handlers.views.kit.blocks import TEXT_MAX, Message, context, message, section
from handlers.views.kit.escaping import cut, escape

DIGITS = 12  # of the root, in hex
UNSIGNED = "The decision log is stopped: no checkpoint covers this yet."
_BLOCKS = 50


def with_checkpoint(said: Message, signed: SignedCheckpoint) -> Message:
    """The message with the checkpoint's footer and note."""
    short = signed.root.hex()[:DIGITS]
    footer = f"Decision log: {signed.size} entries, root {short}"
    return replace(_with(said, footer, footer.replace(short, f"`{short}`")), note=signed.note)


def posted(note: str) -> Message:
    """The message to the audit channel: a complete checkpoint."""
    shown = "The newest checkpoint of the decision log. It can be edited in Slack, so it proves nothing by itself."
    text = f"{shown}\n```\n{escape(note)}```"
    return replace(message(text, [section(text)]), note=note)


def unsigned(said: Message) -> Message:
    """Messages sent while the log is stopped contain this line."""
    return _with(said, UNSIGNED, UNSIGNED)


def _with(said: Message, footer: str, formatted: str) -> Message:
    text = f"{cut(said.text, TEXT_MAX - len(footer) - 1)}\n{footer}"
    return replace(said, text=text, blocks=(*said.blocks[: _BLOCKS - 1], context(formatted)))
