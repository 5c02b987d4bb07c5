"""What happens next if nobody answers: the engine's own timeline of a pending request, as lines.

It is drawn from `bot.domain.workflow.timeline`, which asks the engine itself, so it cannot promise what the engine would not do.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.workflow.timeline import Moment
from handlers.views import facts
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block
from handlers.views.kit.context import ViewContext, everyone
from handlers.views.kit.escaping import inline

SHOWN = 15
_WHY = {
    "already_asked": "everybody of it is asked already",
    "absent": "away, so the next are asked at once",
    "deactivated": "the account is gone, so the next are asked at once",
    "undeliverable": "Slack cannot deliver, so the next are asked at once",
    "conflicted": "it is their own request or about them, so the next are asked at once",
    "nobody": "nobody is on duty, so the next are asked at once",
}


def lines(moments: Sequence[Moment], scene: ViewContext) -> list[str]:
    """One line a moment under a heading; nothing where nothing is to come."""
    if not moments:
        return []
    *before, last = moments
    cut = [f"… and {len(before) - SHOWN} more steps"] if len(before) > SHOWN else []
    told = [_line(m, scene) for m in before[:SHOWN]]
    return ["*What happens next if nobody answers*", *told, *cut, _line(last, scene)]


def blocks(moments: Sequence[Moment], scene: ViewContext) -> list[Block]:
    """The same as sections."""
    return facts.sections(lines(moments, scene))


def _line(moment: Moment, scene: ViewContext) -> str:
    at = f"• {scene.at(moment.at)}: "
    if moment.what == "expire":
        return f"{at}it expires, and nothing opens"
    if moment.what == "skip":
        role = wording.ROLES[moment.role or "owner"]
        return (
            f"{at}the step for the {role} is left out ({_WHY.get(moment.why) or inline(moment.why.replace('_', ' '), 40)})"
        )
    page = ", by page too" if moment.page else ""
    return f"{at}{everyone(moment.people)} {'asked' if moment.what == 'ask' else 'reminded'}{page}"
