"""Runs the operator actions that two people have confirmed, and expires those that nobody confirmed in time.

Each action is a row, so a restart resumes it. There is one job for each kind; it commits its own completion, or raises NotDone
with the sentence that is shown to everybody concerned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.background.loop import every
from bot.clock import Clock
from bot.domain.case.operator_action import ActKind, OperatorAction, OperatorActionState
from bot.domain.errors import NotDone, NotYet, Stale, Stopped
from bot.domain.operator import dual_control, erasure
from bot.domain.policy.model import Policy
from bot.ports.operator import OperatorRecords
from bot.service.current_policy import CurrentPolicy
from bot.service.transactions import TransactionRunner

Run = Callable[[OperatorAction], Awaitable[None]]
POLL = 0.5  # seconds
SOON, AGAIN = timedelta(seconds=2), timedelta(seconds=60)  # before a retry: of what waits, after a fault
PRUNED_TOGETHER = 4_096  # entries in one transaction
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JobContext:
    """What every job works with: the actions' records, the policy in force, the clock, and the runner that commits what is done."""

    records: OperatorRecords
    current: CurrentPolicy
    clock: Clock
    scale: float
    transactions: TransactionRunner

    @property
    def policy(self) -> Policy:
        """The set in force."""
        return self.current.policy

    def retention(self, filed_at: datetime) -> timedelta:
        """How long evidence of requesters and deciders is kept, in real time, judged for an act that was filed then."""
        return timedelta(seconds=self.current.sets.retention(filed_at) / self.scale)


class OperatorJobs:
    """Runs until stopped; `work` does what is due now and returns."""

    def __init__(self, context: JobContext, runs: Mapping[ActKind, Run], beat: Callable[[], None] = lambda: None) -> None:
        self._context, self._runs, self._beat = context, runs, beat
        self._not_before: dict[str, datetime] = {}
        self._to_shed = False

    async def run(self, stop: asyncio.Event) -> None:
        await every(POLL, self.work, stop, beat=self._beat, failed="operations.failed")

    async def work(self) -> None:
        """Runs everything that is due now, then empties the side files of what an act that ended held: a reason, a person.

        After a crash in between, or while a reader uses them, a later run empties them (`bot.background.housekeeper`).
        """
        for act in await self._context.records.unfinished():
            try:
                await self._one(act)
            except Stale:
                continue  # somebody was faster: the next run reads the new state
            except (NotYet, Stopped) as why:
                self._not_before[act.id] = self._context.clock.now() + SOON
                log.info("operation.waits", act=act.id, kind=act.kind, why=str(why))
            except Exception:
                self._not_before[act.id] = self._context.clock.now() + AGAIN
                log.exception("operation.failed", act=act.id, kind=act.kind)
        if self._to_shed:
            self._to_shed = not await self._context.records.shed()

    async def _one(self, act: OperatorAction) -> None:
        policy, now = self._context.policy, self._context.clock.now()
        if now < self._not_before.get(act.id, now):
            return
        expired = dual_control.expire(act, policy, now)
        if expired is not None:
            await self._context.transactions.commit(expired)
            self._to_shed = True
        elif act.state is OperatorActionState.CONFIRMED and act.kind in self._runs:
            await self._carried_out(act)

    async def _carried_out(self, act: OperatorAction) -> None:
        try:
            await self._runs[act.kind](act)
            log.info("operation.done", act=act.id, kind=act.kind)
        except NotDone as why:
            failed = dual_control.failed(act, self._context.policy, self._context.clock.now(), str(why))
            await self._context.transactions.commit(failed)
        self._to_shed = True


def releasing(context: JobContext) -> Run:
    """Releases a hold. Raises NotDone if it is released already."""

    async def run(act: OperatorAction) -> None:
        hold = await context.records.hold(act.hold)
        if hold is None:
            raise NotDone(f"The hold {act.hold} is released already.")
        await context.transactions.commit(dual_control.release(act, hold.subject, context.policy, context.clock.now()))

    return run


def ending(context: JobContext) -> Run:
    """Ends a provider. Raises NotDone if the policy does not name it any more."""

    async def run(act: OperatorAction) -> None:
        if act.hold not in context.policy.providers:
            raise NotDone("The policy does not name this provider any more.")
        await context.transactions.commit(dual_control.end_provider(act, context.policy, context.clock.now()))

    return run


def erasing(context: JobContext) -> Run:
    """Erases from the tables into the log, then rewrites the database file, then redraws the messages in Slack.

    Each part may be repeated, so a killed process's work is continued: an act with a result has left the tables already, and
    `rebuilt` holds the acts after which this process has rewritten the file. The outbox redraws the messages, so the job ends
    once Slack has taken or finally refused them, after a day at the latest.
    """
    rebuilt: set[str] = set()

    async def run(act: OperatorAction) -> None:
        if not act.result:
            await context.records.erase(act, context.policy, context.retention(act.filed_at))
            context.current.spoke.set()
        if act.id not in rebuilt:
            if not await context.records.rebuild():
                raise NotYet("Somebody reads the database; it is written anew once they are done.")
            rebuilt.add(act.id)
        waiting, failed = await context.records.erasure_report(act.id)
        if waiting:
            raise NotYet(f"{waiting} messages are still to be redrawn.")
        await context.transactions.commit(
            dual_control.ran(act, context.policy, context.clock.now(), erasure.result(failed))
        )

    return run


def pruning(context: JobContext) -> Run:
    """Enters `log.pruned` first, then empties old entries, PRUNED_TOGETHER in a transaction, so that no other writer waits long."""

    async def run(act: OperatorAction) -> None:
        assert act.before is not None  # every pruning has a date
        if not act.result:
            await context.records.begin_pruning(act.id, act.before, context.policy)
        while await context.records.empty_entries(PRUNED_TOGETHER):
            pass
        if not await context.records.shed():
            raise NotYet("Somebody reads the database; its side files are emptied once they are done.")
        result = f"The entries below {await context.records.pruned()} hold their hashes only."
        await context.transactions.commit(dual_control.ran(act, context.policy, context.clock.now(), result))

    return run
