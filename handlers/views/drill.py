"""The messages of a drill. Every line begins with the word DRILL, and no button decides anything: there is one, *I am here*.

It is read on a phone at night by somebody who thinks that it is real until the first word. So the word comes first, and
in every line, for a notification shows any one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.domain.case.ask import Reached
from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from bot.domain.workflow.asks.drill import answered_at, hears, missed, waiting_for
from handlers import ids
from handlers.views import facts
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, Message, actions, button, message
from handlers.views.kit.context import ViewContext, everyone, who
from handlers.views.kit.escaping import inline

DRILL = "DRILL ·"
HERE = "I am here"


def card(case: Case, reader: Person, scene: ViewContext) -> Message:
    """The card as `reader` sees it."""
    mine = [r for r in case.approval.reached if hears(case, r.person) == reader]
    lines = [f"*{case.id} · {facts.heading(case)}*", "This is a rehearsal. Nothing is asked for, and nothing opens."]
    lines += [_asked_as(case, r, scene) for r in mine]
    waits = facts.pending(case) and bool(waiting_for(case, reader))
    lines += [f"Press “{HERE}”, so that it is known how fast it reached you."] if waits else []
    lines += [_ending(case, scene)]
    value = ids.question(case.id, case.approval.version)
    press = button(HERE, ids.HERE, value, "primary")
    return _message(lines, actions(ids.BLOCK_DRILL, press) if waits else None)


def reminder(case: Case, reader: Person, scene: ViewContext) -> Message:
    """In the thread under the card; afterwards that no answer is needed."""
    if not (facts.pending(case) and waiting_for(case, reader)):
        return _message([f"{case.id} · {facts.heading(case)}: {wording.NO_ANSWER_NEEDED}", _ending(case, scene)], None)
    return _message(
        [f"{who(reader)} {case.id} · {facts.heading(case)} still waits for “{HERE}”.", _ending(case, scene)], None
    )


def alarm(case: Case, role: str, why: str) -> Message:
    """A named person's account is gone: found out by the drill."""
    step = f"the {_role(role)} could not be asked ({inline(why, 40)})"
    return _message([f"{case.id} · {facts.heading(case)}: {step}. Check the responsibility matrix."], None)


def report(case: Case, scene: ViewContext, *, whole: bool) -> Message:
    """How it went: how many were reached, and who was slowest; `whole`: one line a person and a skipped step, too."""
    reached = case.approval.reached
    lost = missed(case)
    lines = [
        f"*{case.id} · {facts.heading(case)}*",
        f"{len(reached) - len(lost)} of {len(reached)} people were reached{_slowest(case)}.",
    ]
    if whole:
        lines += [_asked_as(case, r, scene) for r in reached]
        lines += [f"The {_role(s.role)} was skipped: {_why(s.why)}." for s in case.approval.steps if s.why]
    elif lost:
        lines.append(f"Not reached: {everyone(lost)}.")
    return _message([*lines, _ending(case, scene)], None)


def _asked_as(case: Case, reached: Reached, scene: ViewContext) -> str:
    role = f"{who(reached.person)}, as {_role(reached.role)}, was asked at {scene.at(reached.at)}"
    at = answered_at(case, reached)
    if at is not None:
        return f"{role} and answered after {_seconds(reached.at, at)}."
    if reached.failed:
        return f"{role}; Slack could not deliver it ({inline(reached.failed, 60)})."
    return f"{role}." if facts.pending(case) else f"{role} and did not answer."


def _ending(case: Case, scene: ViewContext) -> str:
    if facts.pending(case):
        return f"It ends at {scene.at(case.approval.expires_at)} at the latest, by itself."
    return f"It ended at {scene.at(case.request.closed_at or case.approval.expires_at)}. Nothing was opened."


def _slowest(case: Case) -> str:
    times = [(at, r) for r in case.approval.reached if (at := answered_at(case, r)) is not None]
    if not times:
        return ""
    at, slow = max(times, key=lambda found: found[0] - found[1].at)
    return f", the slowest, {who(slow.person)}, after {_seconds(slow.at, at)}"


def _seconds(start: datetime, end: datetime) -> str:
    """Real seconds between two moments, never scaled: they measure people."""
    return f"{max((end - start).total_seconds(), 0):.1f} s"


def _role(role: str) -> str:
    roles = {str(key): value for key, value in wording.ROLES.items()}
    return roles.get(role, inline(role, 40))


def _why(why: str) -> str:
    return inline(why.replace("_", " "), 40)


def _message(lines: Sequence[str], buttons: Block | None) -> Message:
    marked = list(_marked(lines))
    return message("\n".join(marked), [*facts.sections(marked), buttons])


def _marked(lines: Iterable[str]) -> Iterable[str]:
    return (f"{DRILL} {line}" for line in lines)
