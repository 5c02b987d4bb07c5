"""What a line of an emergency file comes to when it is entered, on what the log has by then. No line overrides what is read here."""

from __future__ import annotations

from bot.clock import Clock
from bot.domain.case.operator_action import OperatorChange
from bot.domain.case.transition import Transition
from bot.domain.failsafe.late_entry import entered
from bot.domain.failsafe.revocation import Revocation
from bot.ports.cases import Cases
from bot.ports.operator import OperatorRecords


class LateLines:
    """Of the process that enters them: those of its own file, and those that other replicas hand in."""

    def __init__(self, cases: Cases, operator: OperatorRecords, clock: Clock) -> None:
        self._cases, self._operator, self._clock = cases, operator, clock

    async def act(self, line: Revocation) -> Transition | None:
        """The act that enters a line; None where nothing is left of it. Raises StorageError."""
        after = line.act.after
        act = entered(line, None if after is None else await self._cases.case(after.id), self._clock.now())
        known = act is not None and act.operated is not None and await self._has(act.operated)
        return None if known else act

    async def _has(self, change: OperatorChange) -> bool:
        """Whether the store knows an operator's act as a line leaves it: the line was entered before a kill."""
        after = change.after
        stored = await self._operator.action(after.id) if after is not None else None
        return stored is not None and stored.version >= (0 if change.before is None else change.before.version + 1)
