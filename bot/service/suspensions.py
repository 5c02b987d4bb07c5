"""The reviews of autonomous rights that a changed set begins and ends."""

from __future__ import annotations

from datetime import datetime

from bot.clock import Clock
from bot.domain.case.lifecycle import AskState
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.workflow import suspensions
from bot.domain.workflow.asks.right import due
from bot.ports.store import Store


async def reviews(store: Store, policy: Policy, clock: Clock, scale: float) -> list[Transition]:
    """What a changed set begins and ends: every autonomous right with `review_every` has one live case, unless the set gathers
    reviews in campaigns (`review`). A right whose file
    changed keeps the day of its next review; one that was withdrawn stays so under the same bytes."""
    rights = [m for m in await store.cases.system_cases() if m.kind == "right"]
    acts, first = [], dict[str, datetime]()
    for right in rights:
        gathered = policy.review is not None
        if right.state is AskState.OPEN and (
            gathered or suspensions.stale(policy.runbooks.get(right.runbook), right.sha256)
        ):
            case = await store.cases.case(right.id)
            if case is not None:
                first[right.runbook] = due(case)
                acts.append(suspensions.end(case, policy))
    if policy.review is not None:
        return acts
    live = {(m.runbook, m.sha256) for m in rights if m.state in (AskState.OPEN, AskState.NO)}
    for runbook in policy.runbooks.values():
        if not suspensions.stale(runbook, runbook.sha256) and (runbook.id, runbook.sha256) not in live:
            case_id = clock.request_id()
            acts.append(suspensions.begin(policy, runbook, case_id, clock.now(), scale, first.get(runbook.id)))
    return acts
