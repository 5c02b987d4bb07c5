"""The facts of a finding as mrkdwn: where, what, since when, and its state. A finding is not a request: it opens nothing."""

from __future__ import annotations

from bot.domain.case.lifecycle import FindingState
from bot.domain.case.model import NOBODY, Case
from handlers.views.kit import wording
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline, quote

_ROOM, _REPEATS = 5600, 5


def filer(case: Case, scene: ViewContext, limit: int = 80) -> str:
    """Who filed it, and on whose behalf."""
    request = case.request
    if request.requester == NOBODY:
        return f"The list of {inline(case.finding.source if case.finding else '', limit)}"
    if not request.provider:
        return f"{who(request.requester)} of {inline(scene.policy.organisation, limit)}"
    return f"{who(request.requester)} of *{scene.provider(request.provider, limit)}*"


def facts_of(case: Case, scene: ViewContext) -> list[str]:
    """Where, since when, what, and who saw it again."""
    request, finding = case.request, case.finding
    assert finding is not None
    lines = [f"*{wording.WHERE}:* {inline(request.target, 1100)}"]
    if request.subject is not None:
        lines.append(f"*{wording.WHOSE}:* {who(request.subject)}")
    late = " *Reported late.*" if case.late else ""
    lines.append(f"*{wording.NOTICED}:* {scene.at(finding.noticed_at)}{late}")
    lines += [f"*{inline(value.label, 80)}:* {inline(value.value, 400)}" for value in request.fields[:40]]
    lines += [f"*{wording.WHAT}:*", *quote(request.reason, _ROOM).split("\n")]
    for note in case.approval.noted("joined")[-_REPEATS:]:
        lines += [f"{who(note.person)} reported it again at {scene.at(note.at)}:", *quote(note.text, 400).split("\n")]
    return lines


def standing(case: Case, scene: ViewContext) -> str:
    """Who acknowledged it when, who closed it and how; empty while nobody has acknowledged it."""
    request, ask = case.request, case.approval
    if request.state is FindingState.OPEN or not ask.votes:
        return ""
    vote = ask.votes[-1]
    said = f"*Acknowledged* by {who(vote.person)} at {scene.at(vote.at)}."
    if request.state is not FindingState.CLOSED or request.closed_by is None or request.closed_at is None:
        return said
    how = wording.OUTCOMES.get(case.finding.outcome, "") if case.finding else ""
    closed = f"*Closed* by {who(request.closed_by)} at {scene.at(request.closed_at)}{': ' + how if how else ''}."
    done = "".join("\n" + quote(note.text, 1500) for note in case.approval.noted("closed"))
    return f"{said} {closed}{done}"


def silence(case: Case, scene: ViewContext) -> str:
    """What happens while nobody acknowledges it."""
    ends = case.request.expires_at
    if scene.now >= ends:
        return "Nobody has acknowledged it. The risk owner and the channel are reminded every hour until somebody does."
    return f"It does not expire. From {scene.at(ends)} on, the risk owner and the channel are reminded every hour."
