"""The notification preview of a card: its first 110 characters, which a locked phone shows."""

from __future__ import annotations

from datetime import datetime

from bot.domain.case.ask import Ask
from bot.domain.case.model import Case
from bot.domain.workflow.asks.kinds import KINDS
from handlers.views.kit.context import ViewContext, span
from handlers.views.kit.escaping import cut, inline, one_line

GLANCE = 110


def glance(case: Case, scene: ViewContext) -> str:
    """Provider, runbook, duration and deadline of a request that waits for its decision."""
    ends_at = case.request.terms.ends_at
    lasting = span(case.request.seconds) if ends_at is None else f"until {scene.stamp(ends_at)}"
    return _glance(case, scene, "", lasting, case.approval.expires_at)


def ask_glance(case: Case, ask: Ask, scene: ViewContext) -> str:
    """The same of an ask after the yes, with what it is: the first word of its card."""
    seconds = ask.seconds or case.request.seconds
    what = KINDS[ask.kind].called.capitalize()
    if case.request.matter or case.sealed:
        return (
            inline(f"{what}: {one_line(case.request.title)}", 400)
            + f", by {scene.stamp(ask.due_at or ask.expires_at)}{scene.demo}"
        )
    return _glance(case, scene, f"{what}: ", span(seconds), ask.due_at or ask.expires_at)


def _glance(case: Case, scene: ViewContext, what: str, lasting: str, by: datetime) -> str:
    known = scene.policy.providers.get(case.request.provider)
    provider = what + cut(one_line(known.name if known else case.request.provider), 30)
    tail = f", {lasting}, by {scene.stamp(by)}"
    title = cut(one_line(case.request.title), max(GLANCE - len(provider) - 2 - len(tail), 12))
    return inline(f"{provider}: {title}", 400) + tail + scene.demo
