"""The executor's reports, on receipts and cards and in its alarms.

Only its own answer lets us say that access is open or closed; without it there is the approval, and what is not confirmed.
"""

from __future__ import annotations

from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Case
from bot.domain.workflow import executor
from handlers.views.kit.blocks import Message, message, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline, quote


def standing(case: Case, scene: ViewContext) -> str:
    """One sentence on what the system confirmed; empty where none is asked."""
    if case.grant is None:
        return ""
    if case.grant.state is GrantState.OPEN:
        return _opening(case, scene)
    call = executor.last(case, "close")
    if call is None:
        return ""
    if call.state == "closed" and call.answered_at is not None:
        return f"The system confirmed at {scene.at(call.answered_at)} that access is closed."
    if call.alarmed_at is not None:
        return "*The system has not closed the access.* Close it by hand; Countersign keeps asking."
    return "The system has not confirmed yet that access is closed."


def _opening(case: Case, scene: ViewContext) -> str:
    call = executor.last(case, "open")
    if call is None:
        return ""
    if call.state == "opened" and call.answered_at is not None:
        return f"The system confirmed at {scene.at(call.answered_at)} that access is open."
    if call.state == "failed":
        return "The system could not open the access."
    return "The system has not confirmed yet that access is open."


def answered(case: Case, word: str, detail: str, scene: ViewContext) -> Message:
    """To the requester: the executor's report about the opening, with its time. It is not redrawn."""
    call = executor.last(case, "open")
    at = f" at {scene.at(call.answered_at)}" if call is not None and call.answered_at is not None else ""
    said = f"the system confirmed{at} that it opened the access."
    if word != "opened":
        said = f"the system reported{at} that it could not open the access."
    return _with_detail(f"{who(case.request.requester)} {case.id} · {inline(case.request.title, 200)}: {said}", detail)


def alarm(case: Case, detail: str, scene: ViewContext) -> Message:
    """To the domain's channel, without `detail`, and to the owner: a close that does not succeed, or at last did."""
    call = executor.last(case, "close")
    if call is not None and call.state == "closed":
        said = "the system has now confirmed that access is closed."
    else:
        ended = scene.at(case.grant.ended_at or case.grant.not_after) if case.grant is not None else ""
        said = f"the approval ended at {ended}, and the system has not closed the access. Close it by hand; Countersign keeps asking."
    return _with_detail(f"{case.id} · {inline(case.request.title, 200)}: {said}", detail)


def _with_detail(line: str, detail: str) -> Message:
    text = line + ("\n" + quote(detail, 600) if detail.strip() else "")
    return message(text, [section(text)])
