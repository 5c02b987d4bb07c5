"""What happened so far, and what happens next if nobody answers: the engine's own timeline of a pending request, as lines.

What comes is drawn from `bot.domain.workflow.timeline`, which asks the engine itself, so it cannot promise what the engine would not do.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.case.ask import DIES_WITH_GRANT, Ask, Remark, Step
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.timing.steps import people_of
from bot.domain.workflow.timeline import Moment
from handlers.views import facts
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block
from handlers.views.kit.context import ViewContext, everyone, who
from handlers.views.kit.escaping import inline

SHOWN, NOTES_SHOWN = 15, 8
ABSENT = {
    "absent": "away",
    "deactivated": "account deactivated",
    "undeliverable": "Slack cannot deliver to them",
    "conflicted": "it is their own request, or about them",
    "no_passkey": "they have no passkey that counts; they may deny",
    "nobody": "nobody is on duty",
}
_WHY = {
    "already_asked": "already asked",
    "absent": "away, so the next are asked at once",
    "deactivated": "the account is gone, so the next are asked at once",
    "undeliverable": "Slack cannot deliver, so the next are asked at once",
    "conflicted": "it is their own request or about them, so the next are asked at once",
    "nobody": "nobody is on duty, so the next are asked at once",
    "no_passkey": "they may deny, but have no passkey that counts, so the next are asked at once",
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
    if moment.what == "hourly":
        return f"{at}the risk owner and the channel are told, and again every hour"
    if moment.what == "expire":
        return f"{at}it expires, and nothing opens"
    if moment.what == "skip":
        role = wording.ROLES[moment.role or "owner"]
        return f"{at}{role.capitalize()}: skipped ({_WHY.get(moment.why) or inline(moment.why.replace('_', ' '), 40)})"
    page = ", by page too" if moment.page else ""
    return f"{at}{everyone(moment.people)} will be {'asked' if moment.what == 'ask' else 'reminded'}{page}"


def so_far(case: Case, scene: ViewContext) -> list[str]:
    """What happened to a request so far, as its requester reads it, one line each, the newest last: while it is pending who is
    on it, who was skipped and why, what was escalated and asked; afterwards only what became of more time."""
    if not facts.pending(case):
        return _more_time(case, scene)
    ask = case.approval
    skipped = [_skipped(case, step, scene) for step in ask.steps if step.state == "skipped" and step.why in ABSENT]
    failed = [f"{who(r.person)} could not be reached in Slack." for r in ask.reached if r.failed]
    deputies = [f"{who(r.person)} is asked on behalf of the owner." for r in ask.reached if r.for_owner]
    told = [line for note in ask.notes if (line := _told(note, scene))]
    return [*skipped, *failed, *dict.fromkeys(deputies), *told[-NOTES_SHOWN:]]


def _skipped(case: Case, step: Step, scene: ViewContext) -> str:
    domain = scene.domain(case.request.domain)
    named = everyone(people_of(step.role, scene.policy, domain, scene.now)) if domain else ""
    role = wording.ROLES[step.role]
    return f"{role.capitalize()}{f' {named}' if named else ''}: skipped ({ABSENT.get(step.why, inline(step.why, 40))})."


def _told(note: Remark, scene: ViewContext) -> str:
    by, at = who(note.person), scene.at(note.at)
    match note.kind:
        case "hold":
            return f"*{by} is on it*, {at}."
        case "pass":
            return f"{by} asked someone else at {at}."
        case "push":
            return f"You escalated at {at}."
        case "question":
            return f"{at}: {by} has a question. The deadline still applies."
        case "answer":
            return f"You answered at {at}."
        case "advice":
            return f"{by} {'recommends it' if note.advice == 'for' else 'advises against it'} (no decision)."
        case _:
            return ""


def _more_time(case: Case, scene: ViewContext) -> list[str]:
    return [line for ask in case.later if ask.kind in DIES_WITH_GRANT for line in _prolonged(ask, scene)]


def _prolonged(ask: Ask, scene: ViewContext) -> list[str]:
    what = "Renewal" if ask.kind == "renewal" else "More time"
    if ask.state is AskState.OPEN:
        return [f"{what} asked for at {scene.at(ask.opened_at)}: {everyone(ask.asked) or 'nobody could be asked yet'}."]
    if ask.state is AskState.EXPIRED:
        return [f"{what} asked for at {scene.at(ask.opened_at)}: nobody answered."]
    last = ask.votes[-1]
    word = "approved" if ask.state is AskState.YES else "denied"
    return [f"{what} {word} by {facts.voter(last)} at {scene.at(last.at)}.", *facts.reason_of(ask, "denial")]
