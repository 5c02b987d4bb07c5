"""Block Kit, as far as we use it. Every builder keeps Slack's limits by cutting with an ellipsis.

Whoever builds mrkdwn passes text that is already safe (`views.safe`); plain text needs no escaping. Limits: message 50
blocks and about 13,000 characters, modal 100 blocks, section 3,000, header 150, button 75, value 2,000, option 75 / 150,
title and buttons of a modal 24, private_metadata 3,000 (slack.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from handlers.views.kit.escaping import cut, cut_mrkdwn, one_line, tame

Block: TypeAlias = dict[str, Any]
TEXT_MAX, SECTION_MAX, OPTION_MAX, OPTIONS_MAX = 3900, 3000, 150, 100


@dataclass(frozen=True, slots=True)
class Message:
    """A message: complete plain `text`, and the blocks that show it. `note`: the signed checkpoint that it carries."""

    text: str
    blocks: tuple[Block, ...]
    note: str = ""


def message(text: str, blocks: Sequence[Block | None]) -> Message:
    """A message within Slack's limits; None among the blocks is nothing."""
    return Message(cut_mrkdwn(text, TEXT_MAX), tuple(b for b in blocks if b is not None)[:50])


def plain(text: str, limit: int) -> Block:
    """Plain text: what is not empty, on one line."""
    return {"type": "plain_text", "text": cut(one_line(text) or "–", limit), "emoji": False}


def mrkdwn(text: str, limit: int = SECTION_MAX) -> Block:
    """Formatted text. `verbatim`: Slack makes no links or mentions of its own out of it."""
    return {"type": "mrkdwn", "text": cut_mrkdwn(text, limit), "verbatim": True}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def context(text: str, block_id: str = "") -> Block:
    return _named({"type": "context", "elements": [mrkdwn(text)]}, block_id)


def alert(text: str, block_id: str) -> Block:
    """A warning; in forms only."""
    return _named({"type": "alert", "text": mrkdwn(text), "level": "warning"}, block_id)


def divider() -> Block:
    return {"type": "divider"}


def markdown(text: str) -> Block:
    """A runbook's body as written; at most 12,000 characters."""
    return {"type": "markdown", "text": cut(tame(text, tab="\t") or "–", 12_000)}


def button(label: str, action_id: str, value: str, style: str = "") -> Block:
    built: Block = {"type": "button", "text": plain(label, 75), "action_id": action_id, "value": value[:2000]}
    return built | {"style": style} if style else built


def link_button(label: str, action_id: str, value: str, url: str, style: str = "") -> Block:
    """A button that opens an address; Slack sends its payload too."""
    return button(label, action_id, value, style) | {"url": url}


def confirmed(built: Block, title: str, text: str, *, danger: bool = False) -> Block:
    """Adds a confirmation dialog to the button, for actions that cannot be undone. `danger`: in red."""
    asks: Block = {
        "title": plain(title, 100), "text": plain(text, 300), "confirm": plain(title, 30), "deny": plain("Cancel", 30),
    }  # fmt: skip
    return built | {"confirm": asks | ({"style": "danger"} if danger else {})}


def actions(block_id: str, *buttons: Block) -> Block:
    return _named({"type": "actions", "elements": list(buttons[:25])}, block_id)


def option(label: str, value: str) -> Block:
    return {"text": plain(label, 75), "value": option_value(value)}


def option_value(value: str) -> str:
    """The value as it travels: itself, or its digest where Slack has no room for it."""
    if 0 < len(value) <= OPTION_MAX:
        return value
    return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def choice_of(value: str, offered: Sequence[str]) -> str:
    """The offered value behind an option's; the option's own where none of them is meant."""
    return next((one for one in offered if option_value(one) == value), value)


def select(action_id: str, choices: Mapping[str, str], chosen: str = "", placeholder: str = "") -> Block:
    """A select from values to labels; more than 100 are put into groups of 100. At most 10,000."""
    options = [option(label, value) for value, label in choices.items()][: OPTIONS_MAX**2]
    built: Block = {"type": "static_select", "action_id": action_id}
    if len(options) <= OPTIONS_MAX:
        built["options"] = options
    else:
        groups = [options[at : at + OPTIONS_MAX] for at in range(0, len(options), OPTIONS_MAX)]
        built["option_groups"] = [{"label": _span(group), "options": group} for group in groups]
    if chosen in choices:
        built["initial_option"] = option(choices[chosen], chosen)
    return built | {"placeholder": plain(placeholder, 150)} if placeholder else built


def input_block(
    block_id: str, label: str, element: Block, *, optional: bool = False, hint: str = "", dispatch: bool = False
) -> Block:
    """A labelled input. `dispatch`: a change is sent at once."""
    built: Block = {
        "type": "input", "block_id": block_id[:255], "label": plain(label, 2000), "element": element,
        "optional": optional,
    }  # fmt: skip
    if hint:
        built["hint"] = plain(hint, 2000)
    return built | {"dispatch_action": True} if dispatch else built


def modal(
    callback_id: str, title: str, blocks: Sequence[Block], *, submit: str = "", close: str = "Close", metadata: str = ""
) -> Block:
    """A form or a page of one."""
    assert len(metadata) <= 3000, "private_metadata holds 3,000 characters"
    built: Block = {
        "type": "modal", "callback_id": callback_id, "title": plain(title, 24), "close": plain(close, 24),
        "blocks": list(blocks[:100]), "private_metadata": metadata,
    }  # fmt: skip
    return built | {"submit": plain(submit, 24)} if submit else built


def _span(group: Sequence[Block]) -> Block:
    first, last = (group[at]["text"]["text"] for at in (0, -1))
    return plain(f"{cut(first, 35)} – {cut(last, 35)}", 75)


def _named(block: Block, block_id: str) -> Block:
    return block | {"block_id": block_id[:255]} if block_id else block
