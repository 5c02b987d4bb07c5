"""Block Kit as Slack validates it: which blocks may appear where, and how long everything may be.

`check_message` and `check_view` return what Slack would answer in `response_metadata.messages`; an empty list means
accepted. `named` gives every block and element the id that Slack would give it.
"""

import copy
import secrets
from collections.abc import Iterator
from typing import Any

from sandbox.elements import ACCESSORY, IN_ACTIONS, IN_CONTEXT_ACTIONS, IN_INPUT
from sandbox.rules import Report, Rule, anything, boolean, integer, listed, one_of, plain, record, string, text, typed
from sandbox.workspace import Json

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_TOTAL = 13_000
VIEW_BYTES = 250_000


def _in_context(value: Any, path: str, report: Report) -> None:
    """A context holds texts and small images."""
    if isinstance(value, dict) and value.get("type") == "image":
        record({"type": one_of("image"), "alt_text": string(2000)}, {"image_url": string(3000), "slack_file": anything})(
            value, path, report
        )
    else:
        text(3000)(value, path, report)


def _section(value: Json, path: str, report: Report) -> None:
    """A section needs text, fields, or both."""
    if "text" not in value and "fields" not in value:
        report.bad(path, "must define either text or fields")


_RICH_LEAVES = frozenset({"text", "link", "user", "usergroup", "channel", "emoji", "broadcast", "date", "color"})
_RICH_GROUPS = frozenset({"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"})


def _rich(value: Any, path: str, report: Report) -> None:
    """A part of a rich text: a group with elements, or a leaf of a known type."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind in _RICH_GROUPS:
        listed(_rich, 1000, 0)(value.get("elements"), f"{path}/elements", report)
    elif kind not in _RICH_LEAVES:
        report.bad(f"{path}/type", f"unsupported type: {kind}")


def _cell(value: Any, path: str, report: Report) -> None:
    """A cell of a table."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "rich_text":
        listed(_rich, 100)(value.get("elements"), f"{path}/elements", report)
    elif kind == "raw_text":
        record({"type": one_of("raw_text"), "text": string(3000)}, {})(value, path, report)
    else:
        report.bad(f"{path}/type", f"unsupported type: {kind}")


def _block(kind: str, required: dict[str, Rule], optional: dict[str, Rule], also: Rule = anything) -> Rule:
    """A block of this type; every block may carry a block_id."""
    return record({"type": one_of(kind), **required}, {"block_id": string(255), **optional}, also)


_COLUMN = record({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})

BLOCKS: dict[str, Rule] = {
    "section": _block("section", {}, {
        "text": text(3000), "fields": listed(text(2000), 10), "accessory": ACCESSORY, "expand": boolean}, _section),
    "header": _block("header", {"text": text(150, plain)}, {"level": integer(1, 6)}),
    "divider": _block("divider", {}, {}),
    "context": _block("context", {"elements": listed(_in_context, 10)}, {}),
    "context_actions": _block("context_actions", {"elements": listed(IN_CONTEXT_ACTIONS, 5)}, {}),
    "actions": _block("actions", {"elements": listed(IN_ACTIONS, 25)}, {}),
    "input": _block("input", {"label": text(2000, plain), "element": IN_INPUT}, {
        "hint": text(2000, plain), "optional": boolean, "dispatch_action": boolean}),
    "image": _block("image", {"alt_text": string(2000)}, {
        "image_url": string(3000), "slack_file": anything, "title": text(2000, plain)}),
    "rich_text": _block("rich_text", {"elements": listed(_rich, 1000)}, {}),
    "markdown": _block("markdown", {"text": string(12_000)}, {}),
    "table": _block("table", {"rows": listed(listed(_cell, 20), 100)}, {"column_settings": listed(_COLUMN, 20, 0)}),
    "alert": _block("alert", {"text": text(3000)}, {
        "level": one_of("default", "info", "warning", "error", "success")}),
}  # fmt: skip

_MESSAGE = typed(BLOCKS, frozenset(BLOCKS) - {"alert"})
_MODAL = typed(BLOCKS, frozenset(BLOCKS) - {"markdown", "table", "context_actions"})
_HOME = typed(BLOCKS, frozenset(BLOCKS) - {"markdown", "table", "context_actions", "alert"})


def elements_of(block: Json) -> Iterator[Json]:
    """The interactive elements of a block, in the order in which they are drawn."""
    for key in ("accessory", "element"):
        if isinstance(block.get(key), dict):
            yield block[key]
    if block.get("type") in ("actions", "context_actions"):
        yield from (e for e in block.get("elements", []) if isinstance(e, dict))


def _unique(blocks: list[Json], path: str, report: Report) -> None:
    """No block_id twice in a surface, no action_id twice in a block."""
    seen: set[str] = set()
    for i, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            report.bad(f"{path}/{i}/block_id", f"block_id {block_id} already exists")
        if block_id:
            seen.add(block_id)
        actions = [e["action_id"] for e in elements_of(block) if e.get("action_id")]
        for action in sorted({a for a in actions if actions.count(a) > 1}):
            report.bad(f"{path}/{i}", f"action_id {action} already exists")


def _letters(value: Any) -> int:
    """How many characters of text an object shows."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_letters(v) for v in value.values() if isinstance(v, dict | list))
    return sum(_letters(v) for v in value) if isinstance(value, list) else 0


def check_message(blocks: Any) -> list[str]:
    """What Slack finds wrong with a message's blocks."""
    report = Report()
    listed(_MESSAGE, MESSAGE_BLOCKS, 0)(blocks, "/blocks", report)
    if not report.messages:
        _unique(blocks, "/blocks", report)
        if _letters(blocks) > MESSAGE_TOTAL:
            report.bad("/blocks", f"total text must be less than {MESSAGE_TOTAL + 1} characters")
    return report.messages


_VIEW_COMMON: dict[str, Rule] = {
    "private_metadata": string(3000, 0), "callback_id": string(255, 0), "external_id": string(255, 0),
}  # fmt: skip
_VIEWS: dict[str, Rule] = {
    "modal": record(
        {"type": one_of("modal"), "title": text(24, plain), "blocks": listed(_MODAL, VIEW_BLOCKS, 0)},
        {"close": text(24, plain), "submit": text(24, plain), "clear_on_close": boolean, "notify_on_close": boolean,
         "submit_disabled": boolean, **_VIEW_COMMON},
    ),
    "home": record({"type": one_of("home"), "blocks": listed(_HOME, VIEW_BLOCKS, 0)}, _VIEW_COMMON),
}  # fmt: skip


def check_view(view: Any, kind: str) -> list[str]:
    """What Slack finds wrong with a view of this kind (`modal` or `home`)."""
    report = Report()
    typed(_VIEWS, frozenset({kind}))(view, "/view", report)
    if not report.messages:
        _unique(view["blocks"], "/view/blocks", report)
        inputs = any(b["type"] == "input" for b in view["blocks"])
        if kind == "modal" and inputs and "submit" not in view:
            report.bad("/view", "missing required field: submit")
    return report.messages


def named(blocks: list[Json]) -> list[Json]:
    """A copy in which every block has a block_id and every element an action_id, as Slack stores them."""
    stored = copy.deepcopy(blocks)
    for block in stored:
        block.setdefault("block_id", secrets.token_urlsafe(4)[:5])
        for element in elements_of(block):
            if element.get("type") != "image":
                element.setdefault("action_id", secrets.token_urlsafe(4)[:5])
    return stored
