"""Finds the cases with a due deadline and has the service judge them.

Deadlines are rows. APScheduler holds one interval job that only wakes this loop, so that a wake-up during a sweep sets an
event that is set already, and a restart simply catches up (design, section 9). Between two wake-ups the loop also wakes
for a deadline that it has seen coming.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clock import Clock
from bot.domain.case.transition import Transition
from bot.domain.errors import CountersignError, Stopped
from bot.ports.cases import Cases
from bot.ports.records import Deadline
from bot.service.approvals import ApprovalService

INTERVAL = 0.25  # seconds
_GROUP = 100  # read together, and committed together
_LAST = "~"  # sorts after every request id
log = structlog.get_logger(__name__)


class Sweeper:
    """Runs until stopped; `sweep` does everything that is due and returns the number of cases."""

    def __init__(
        self, service: ApprovalService, cases: Cases, clock: Clock, swept: Callable[[float, int], None] = lambda seconds, cases: None,
    ) -> None:  # fmt: skip
        self._service, self._cases, self._clock, self._swept = service, cases, clock, swept
        self._wake = asyncio.Event()
        self._looked = clock.now()  # when the last sweep began

    async def run(self, stop: asyncio.Event) -> None:
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(self._ring, "interval", seconds=INTERVAL, max_instances=1, coalesce=True, misfire_grace_time=None)
        scheduler.start()
        try:
            while not stop.is_set():
                self._wake.clear()
                coming = await self._sweep_safely()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), coming)
        finally:
            scheduler.shutdown(wait=False)

    async def sweep(self) -> int:
        """Judges everything that is due now, the most overdue first, in groups: while one group is written, the next is read
        and judged. Returns the number of cases."""
        await self._service.transactions.keep_rights()
        with contextlib.suppress(Stopped):  # looked at again once the log runs
            await self._service.contracts.look()
            await self._service.handovers.look()
            await self._service.agreements.look()
        self._looked = now = self._clock.now()
        last, seen = None, set[str]()
        writing: asyncio.Task[None] | None = None
        try:
            while due := await self._cases.due(now, _GROUP, last):
                acts = await self._judged(now, last, {d.case for d in due} - seen)
                seen.update(d.case for d in due)
                last = due[-1]
                if writing is not None:
                    await writing
                writing = asyncio.create_task(self._service.transactions.carry_out_due(acts, _failed))
        finally:
            if writing is not None:
                await asyncio.wait({writing})
        if writing is not None:
            writing.result()
        with contextlib.suppress(Stopped):  # the absence ends once the log runs again
            await self._service.absences.welcome_back()
        return len(seen)

    async def _judged(self, now: datetime, last: Deadline | None, fresh: set[str]) -> list[Transition]:
        """Reads and judges a group; if one of its cases cannot be read, judges and carries out each case alone."""
        try:
            found = await self._cases.due_cases(now, _GROUP, last)
        except CountersignError:
            raise
        except Exception:
            log.exception("sweep.not_read_together")
            await asyncio.gather(*(self._one(case_id) for case_id in fresh))
            return []
        return await self._service.transactions.judge_due([due for due in found if due.case.id in fresh], _failed)

    async def _ring(self) -> None:
        self._wake.set()

    async def _sweep_safely(self) -> float | None:
        """Returns the seconds to the next deadline if it precedes the next wake-up."""
        try:
            started = self._clock.monotonic()
            cases = await self.sweep()
            self._swept(self._clock.monotonic() - started, cases)
            return await self._coming()
        except CountersignError as error:
            log.error("sweep.failed", error=str(error))
            return None

    async def _coming(self) -> float | None:
        """Seconds to the next deadline after this sweep's; what failed is left to the next wake-up."""
        now = self._clock.now()
        found = await self._cases.due(now + timedelta(seconds=INTERVAL), 1, Deadline(self._looked, _LAST))
        return max(0.0, (found[0].at - now).total_seconds()) if found else None

    async def _one(self, case_id: str) -> None:
        with structlog.contextvars.bound_contextvars(request=case_id):
            try:
                await self._service.transactions.sweep(case_id)
            except Stopped:
                return
            except Exception:  # noqa: BLE001  # one case must not stop the others
                _failed(case_id)


def _failed(case_id: str) -> None:
    log.exception("sweep.case_failed", request=case_id)
