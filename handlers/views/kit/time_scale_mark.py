"""The mark of a clock that runs faster than the wall's: once on each message, at the first time or duration that it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handlers.views.kit.blocks import Block, Message
from handlers.views.kit.context import ViewContext


def marked_once(message: Message, scene: ViewContext) -> Message:
    """Removes repeated marks from a message's text and blocks. At scale 1 nothing changes."""
    if not scene.demo:
        return message
    return replace(message, text=_first(message.text, scene.demo), blocks=_once(message.blocks, scene.demo))


def _once(blocks: tuple[Block, ...], mark: str) -> tuple[Block, ...]:
    seen = False

    def cleared(value: Any) -> Any:
        nonlocal seen
        if isinstance(value, dict):
            return {key: cleared(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [cleared(inner) for inner in value]
        if not isinstance(value, str) or mark not in value:
            return value
        kept = value.replace(mark, "") if seen else _first(value, mark)
        seen = True
        return kept

    return tuple(cleared(block) for block in blocks)


def _first(text: str, mark: str) -> str:
    head, found, tail = text.partition(mark)
    return head + found + tail.replace(mark, "")
