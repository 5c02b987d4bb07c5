"""Somebody's own rows of the matrix: changed ones as sentences with **Dispute**, unchanged ones folded, **Confirm all N**.

A lead has **Acknowledge** instead, and none of their answers changes anything. The buttons carry the digest of what was shown.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.governance.own_letters import OwnLetters
from bot.domain.governance.wording import COLUMNS
from handlers import ids
from handlers.views.facts import sections
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, Message, actions, button, divider, input_block, message, modal, section
from handlers.views.kit.context import ViewContext
from handlers.views.kit.escaping import inline

_HOME_ROWS = 20
_SHOWN, _SENTENCES, _ROW = 12, 8, 2400  # rows with a button each, sentences of one, and how long these are together
REASON_MAX = 1000


@dataclass(frozen=True, slots=True)
class OwnRow:
    """One row as its reader sees it. `value`: what its button carries. `held`: what is new does not count yet."""

    name: str
    says: tuple[str, ...]
    value: str
    changed: bool
    state: str = ""
    held: bool = False
    disputed: bool = False  # by the reader, who may confirm it after all


@dataclass(frozen=True, slots=True)
class OwnMatrix:
    """The rows of one reader; `seen` is their digest, `left` on how many their answer is missing."""

    rows: tuple[OwnRow, ...]
    seen: str
    left: int
    lead: bool
    due: str = ""


def card(own: OwnMatrix, scene: ViewContext) -> Message:
    """The message, and the end of the page `matrix`."""
    left = f"{own.left} to confirm" if own.left else "all answered"
    text = f"Your part of the responsibility matrix: {_count(len(own.rows))}, {left}."
    return message(text, blocks(own, scene))


def over() -> Message:
    """The message once its reader has no row any more, or nobody is asked."""
    text = "You have no rows of the responsibility matrix to confirm any more."
    return message(text, [section(text)])


def blocks(own: OwnMatrix, scene: ViewContext) -> list[Block]:
    """At most 12 rows with a button each; the others by name."""
    changed = [row for row in own.rows if row.changed or row.disputed]
    folded = [row for row in own.rows if row not in changed]
    found: list[Block] = sections(
        [f"*Your part of the responsibility matrix of {inline(scene.policy.organisation, 100)}*", _head(own)]
    )
    found += [_row(row, lead=own.lead) for row in changed[:_SHOWN]]
    rest = [*changed[_SHOWN:], *folded]
    if rest:
        word = "Unchanged" if len(changed) <= _SHOWN else "Further"
        names = ", ".join(inline(row.name, 80) + row.state for row in rest)
        found += sections([f"{word}: {names[:2500]}."])
    return [*found, *_confirm(own)]


def at_home(own: OwnMatrix | None) -> list[Block]:
    """One line and the button on the App Home, while their answer is missing."""
    if own is None or not own.left:
        return []
    return [section(f"*Your part of the responsibility matrix*\n{_head(own)}"), *_confirm(own)]


def own_rows_at_home(found: Sequence[OwnLetters], scene: ViewContext) -> list[Block]:
    """The reader's rows of the matrix on the App Home, by column, with their letters; none where they have no part in it."""
    if not found:
        return []
    lines = [f"*Your rows of the responsibility matrix of {inline(scene.policy.organisation, 100)}*"]
    for column, words in COLUMNS.items():
        mine = [row for row in found[:_HOME_ROWS] if row.column == column]
        lines += [f"_{words}_", *(_home_row(row) for row in mine)] if mine else []
    more = len(found) - _HOME_ROWS
    lines += [f"… and {more} more: `/{scene.prefix}countersign matrix`"] if more > 0 else []
    return [divider(), *sections(lines)]


def _home_row(row: OwnLetters) -> str:
    return f"• {inline(row.runbook.title, 80)} ({inline(row.domain.name, 60)}): {'; '.join(row.letters)}"


def _confirm(own: OwnMatrix) -> list[Block]:
    label = f"Acknowledge {own.left}" if own.lead else f"Confirm all {own.left}"
    action = ids.MATRIX_ACKNOWLEDGE if own.lead else ids.MATRIX_CONFIRM
    return [actions(ids.BLOCK_MATRIX, button(label, action, own.seen, "primary"))] if own.left else []


def dispute_form(value: str, name: str, channel: str, *, lead: bool) -> Block:
    """Why a row is disputed, and what that does."""
    text: Block = {"type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": REASON_MAX}
    does = (
        "Your answer is recorded and sent to the owner. It changes nothing by itself."
        if lead
        else "From then on nothing opens under it without a yes, until its file changes or you confirm it."
    )
    parts = [section(f"*{inline(name, 150)}*\n{does}"), input_block(ids.REASON, wording.REASON, text)]
    metadata = json.dumps({"question": value, "channel": channel})
    return modal(ids.FORM_DISPUTE, "Dispute", parts, submit="Dispute", close=wording.CANCEL, metadata=metadata)


def _head(own: OwnMatrix) -> str:
    if not own.left:
        return f"{_count(len(own.rows))}. Nothing is due from you."
    due = f" by {own.due}" if own.due else ""
    if own.lead:
        return f"{_count(len(own.rows))}. Please acknowledge{due} that you have read them. Your answer is recorded; it blocks nothing."
    asked = f"Please confirm {own.left} of {_count(len(own.rows))}{due}."
    held = sum(row.held for row in own.rows)
    if held:
        return f"{asked} Until then what is new in {_count(held)} is not in force; that you gave no answer is recorded."
    return f"{asked} Without your answer nothing changes; that you gave none is recorded."


def _row(row: OwnRow, *, lead: bool) -> Block:
    shown = row.says[:_SENTENCES]
    said = [f"• {inline(sentence, _ROW // len(shown))}" for sentence in shown]
    more = [f"• and {len(row.says) - _SENTENCES} more"] if len(row.says) > _SENTENCES else []
    held = ["_Not in force until it is confirmed._"] if row.held else []
    text = "\n".join([f"*{inline(row.name, 150)}*{row.state}", *said, *more, *held])
    if row.disputed and not lead:
        return {**section(text), "accessory": button("Confirm", ids.MATRIX_CONFIRM, row.value)}
    return {**section(text), "accessory": button("Dispute", ids.MATRIX_DISPUTE, row.value)}


def _count(rows: int) -> str:
    return f"{rows} row" + ("" if rows == 1 else "s")


def disputed_value(key: str, digest: str) -> str:
    """What a **Dispute** button carries."""
    return f"{digest[:16]}:{key}"


def read_value(value: str) -> tuple[str, str]:
    """Key and beginning of the digest of the row that a button names."""
    digest, _, key = value.partition(":")
    return key, digest
