"""What happened to a request so far, as its requester reads it: who is on it, who was skipped and why, what was escalated,
asked and prolonged. One line for each; the newest last."""

from __future__ import annotations

from bot.domain.case.ask import DIES_WITH_GRANT, Ask, Remark, Step
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.timing.steps import people_of
from handlers.views import facts
from handlers.views.kit import wording
from handlers.views.kit.context import ViewContext, everyone, who
from handlers.views.kit.escaping import inline

SHOWN = 8
ABSENT = {
    "absent": "away",
    "deactivated": "account deactivated",
    "undeliverable": "Slack cannot deliver to them",
    "conflicted": "it is their own request, or about them",
    "nobody": "nobody is on duty",
}


def lines(case: Case, scene: ViewContext) -> list[str]:
    """For the receipt. While the request is pending everything, afterwards only what became of more time."""
    if not facts.pending(case):
        return _more_time(case, scene)
    ask = case.approval
    skipped = [_skipped(case, step, scene) for step in ask.steps if step.state == "skipped" and step.why in ABSENT]
    failed = [f"{who(r.person)} could not be reached in Slack." for r in ask.reached if r.failed]
    deputies = [f"{who(r.person)} is asked on behalf of the owner." for r in ask.reached if r.for_owner]
    told = [line for note in ask.notes if (line := _told(note, scene))]
    return [*skipped, *failed, *dict.fromkeys(deputies), *told[-SHOWN:]]


def _skipped(case: Case, step: Step, scene: ViewContext) -> str:
    domain = scene.domain(case.request.domain)
    named = everyone(people_of(step.role, scene.policy, domain, scene.now)) if domain else ""
    role = wording.ROLES[step.role]
    return f"{role.capitalize()}{f' {named}' if named else ''} skipped: {ABSENT.get(step.why, inline(step.why, 40))}."


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
            return f"{by} has a question, {at}. The deadline still applies."
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
