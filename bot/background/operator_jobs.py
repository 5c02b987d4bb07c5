"""Runs the operator actions that two people have confirmed, and expires those that nobody confirmed in time.

Each action is a row, so a restart resumes it. There is one job for each kind; it commits its own completion, or raises NotDone
with the sentence that is shown to everybody concerned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bot.background.loop import every
from bot.domain.case.operator_action import ActKind, OperatorAction, OperatorActionState
from bot.domain.errors import NotDone, NotYet, Stale, Stopped
from bot.domain.operator import dual_control, erasure
from bot.service.approvals import ApprovalService

Run = Callable[[OperatorAction], Awaitable[None]]
POLL = 0.5  # seconds
SOON, AGAIN = timedelta(seconds=2), timedelta(seconds=60)  # before a retry: of what waits, after a fault
PRUNED_TOGETHER = 4_096  # entries in one transaction
log = structlog.get_logger(__name__)


class OperatorJobs:
    """Runs until stopped; `work` does what is due now and returns."""

    def __init__(self, desk: ApprovalService, runs: Mapping[ActKind, Run], beat: Callable[[], None] = lambda: None) -> None:
        self._desk, self._runs, self._beat = desk, runs, beat
        self._not_before: dict[str, datetime] = {}
        self._to_shed = False

    async def run(self, stop: asyncio.Event) -> None:
        await every(POLL, self.work, stop, beat=self._beat, failed="operations.failed")

    async def work(self) -> None:
        """Runs everything that is due now, then empties the side files of what an act that ended held: a reason, a person.

        After a crash in between, and beside a reader, a later look empties them (`bot.background.housekeeper`).
        """
        for act in await self._desk.store.operator.unfinished():
            try:
                await self._one(act)
            except Stale:
                continue  # somebody was faster: the next run reads the new state
            except (NotYet, Stopped) as why:
                self._not_before[act.id] = self._desk.clock.now() + SOON
                log.info("operation.waits", act=act.id, kind=act.kind, why=str(why))
            except Exception:
                self._not_before[act.id] = self._desk.clock.now() + AGAIN
                log.exception("operation.failed", act=act.id, kind=act.kind)
        if self._to_shed:
            self._to_shed = not await self._desk.store.operator.shed()

    async def _one(self, act: OperatorAction) -> None:
        policy, now = self._desk.policy, self._desk.clock.now()
        if now < self._not_before.get(act.id, now):
            return
        expired = dual_control.expire(act, policy, now)
        if expired is not None:
            await self._desk.transactions.commit(expired)
            self._to_shed = True
        elif act.state is OperatorActionState.CONFIRMED and act.kind in self._runs:
            await self._carried_out(act)

    async def _carried_out(self, act: OperatorAction) -> None:
        try:
            await self._runs[act.kind](act)
            log.info("operation.done", act=act.id, kind=act.kind)
        except NotDone as why:
            failed = dual_control.failed(act, self._desk.policy, self._desk.clock.now(), str(why))
            await self._desk.transactions.commit(failed)
        self._to_shed = True


def releasing(desk: ApprovalService) -> Run:
    """Releases a hold. Raises NotDone if it is released already."""

    async def run(act: OperatorAction) -> None:
        hold = await desk.store.operator.hold(act.hold)
        if hold is None:
            raise NotDone(f"The hold {act.hold} is released already.")
        await desk.transactions.commit(dual_control.release(act, hold.subject, desk.policy, desk.clock.now()))

    return run


def ending(desk: ApprovalService) -> Run:
    """Ends a provider. Raises NotDone if the policy does not name it any more."""

    async def run(act: OperatorAction) -> None:
        if act.hold not in desk.policy.providers:
            raise NotDone("The policy does not name this provider any more.")
        await desk.transactions.commit(dual_control.end_provider(act, desk.policy, desk.clock.now()))

    return run


def retention(desk: ApprovalService, filed_at: datetime) -> timedelta:
    """How long evidence of requesters and deciders is kept, in real time, judged for an act that was filed then."""
    return timedelta(seconds=desk.current.sets.retention(filed_at) / desk.scale)


def erasing(desk: ApprovalService) -> Run:
    """Erases from the tables into the log, then rewrites the database file, then redraws the messages in Slack.

    Each part may be repeated, so a killed process's work is continued: an act with a result has left the tables already, and
    `rebuilt` holds the acts after which this process has rewritten the file. The outbox redraws the messages, so the job ends
    once Slack has taken or finally refused them, after a day at the latest.
    """
    rebuilt: set[str] = set()

    async def run(act: OperatorAction) -> None:
        store = desk.store
        if not act.result:
            await store.operator.erase(act, desk.policy, retention(desk, act.filed_at))
            desk.current.spoke.set()
        if act.id not in rebuilt:
            if not await store.operator.rebuild():
                raise NotYet("Somebody reads the database; it is written anew once they are done.")
            rebuilt.add(act.id)
        waiting, failed = await store.operator.erasure_report(act.id)
        if waiting:
            raise NotYet(f"{waiting} messages are still to be redrawn.")
        await desk.transactions.commit(dual_control.ran(act, desk.policy, desk.clock.now(), erasure.result(failed)))

    return run


def pruning(desk: ApprovalService) -> Run:
    """Enters `log.pruned` first, then empties old entries, PRUNED_TOGETHER in a transaction, so that no other writer waits long."""

    async def run(act: OperatorAction) -> None:
        assert act.before is not None  # every pruning has a date
        store = desk.store
        if not act.result:
            await store.operator.begin_pruning(act.id, act.before, desk.policy)
        while await store.operator.empty_entries(PRUNED_TOGETHER):
            pass
        if not await store.operator.shed():
            raise NotYet("Somebody reads the database; its side files are emptied once they are done.")
        result = f"The entries below {await store.operator.pruned()} hold their hashes only."
        await desk.transactions.commit(dual_control.ran(act, desk.policy, desk.clock.now(), result))

    return run
