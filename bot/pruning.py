"""Runs a pruning: `log.pruned` first, then the bytes, some thousand entries at a time, so that nobody waits long."""

from __future__ import annotations

from bot.background.operator_jobs import Run
from bot.domain.case.operator_action import OperatorAction
from bot.domain.errors import NotYet
from bot.domain.operator import dual_control
from bot.service.approvals import ApprovalService

MANY = 4_096  # entries in one transaction


def pruning(desk: ApprovalService) -> Run:
    """Empties old entries. An act that has a result already has written its minimum down."""

    async def run(act: OperatorAction) -> None:
        assert act.before is not None  # a pruning has one
        store = desk.store
        if not act.result:
            await store.begin_pruning(act.id, act.before, desk.policy)
        while await store.empty_entries(MANY):
            pass
        if not await store.shed():
            raise NotYet("Somebody reads the database; its side files are emptied once they are done.")
        result = f"The entries below {await store.pruned()} hold their hashes only."
        await desk.carry(dual_control.ran(act, desk.policy, desk.clock.now(), result))

    return run
