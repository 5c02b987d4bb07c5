"""Runs an erasure: out of the tables and into the log, out of the file, out of our messages in Slack; then it is done.

Each part may be repeated: what a killed process began is gone on with. The messages are redrawn by the outbox like all
others, so the end comes when Slack has taken them or refused them for good, after a day at the latest.
"""

from __future__ import annotations

from datetime import timedelta

from bot.background.operator_jobs import Run
from bot.domain.case.operator_action import OperatorAction
from bot.domain.errors import NotYet
from bot.domain.operator import dual_control
from bot.domain.operator import erasure as rules
from bot.service.approvals import ApprovalService


def retention(desk: ApprovalService) -> timedelta:
    """How long the evidence of whoever asked or decided is kept, in real time."""
    return timedelta(seconds=desk.policy.retention / desk.scale)


def erasing(desk: ApprovalService) -> Run:
    """Erases. An act that has a result already has left the tables; `rebuilt` are those after which this process has
    written the database anew."""
    rebuilt: set[str] = set()

    async def run(act: OperatorAction) -> None:
        store = desk.store
        if not act.result:
            await store.erase(act, desk.policy, retention(desk))
            desk.spoke.set()
        if act.id not in rebuilt:
            if not await store.rebuild():
                raise NotYet("Somebody reads the database; it is written anew once they are done.")
            rebuilt.add(act.id)
        waiting, failed = await store.erasure_report(act.id)
        if waiting:
            raise NotYet(f"{waiting} messages are still to be redrawn.")
        await desk.carry(dual_control.ran(act, desk.policy, desk.clock.now(), rules.result(failed)))

    return run
