"""The message at the end of an absence: what others decided in that person's place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.workflow.asks.kinds import KINDS
from bot.ports.records import DecidedFor
from handlers.views.kit import wording
from handlers.views.kit.blocks import Message, message, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline

_LINES = 15  # of at most some 180 characters: what a section and a complete plain text hold


def returned(decided: Sequence[DecidedFor], since: datetime, scene: ViewContext) -> Message:
    """A line for each answer: request, title, who answered, the result. Never target, reason or fields."""
    lines = [f"*You are back.* Since {scene.at(since)}, this was answered on your behalf:"]
    lines += [_line(one) for one in decided[:_LINES]]
    if len(decided) > _LINES:
        lines.append(f"… and {len(decided) - _LINES} more: the log has them.")
    lines.append(f"`/{scene.prefix}countersign show ID` opens one of them.")
    text = "\n".join(lines)
    return message(text, [section(text)])


def _line(one: DecidedFor) -> str:
    title = inline(one.title, 60)
    return f"• {inline(one.case, 20)} · {title}: {who(one.by)} said {inline(one.answer, 3)} ({_outcome(one)})"


def _outcome(one: DecidedFor) -> str:
    word = str(one.state if one.kind == "approval" else one.ask_state)
    said = wording.CAME_OF_IT.get((one.kind, word)) or KINDS[one.kind].said(word).lower()
    return said or wording.STATES.get(word, word)
