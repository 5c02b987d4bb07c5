"""A machine whose wall clock can be set, beside a monotonic one that nobody can set."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.clock import SteadyClock
from tests.bot.office import HandClock


class _Machine(HandClock):
    steady: float = 5000.0

    def monotonic(self) -> float:
        return self.steady


class JumpyClock(SteadyClock):
    """Setting `at` lets time pass on both clocks, as an Office does; `jump` sets the wall clock alone."""

    def __init__(self, machine: _Machine | None = None, boot: str = "boot-1") -> None:
        self.machine = machine or _Machine()
        super().__init__(self.machine, boot)

    @property
    def at(self) -> datetime:
        return self.machine.at

    @at.setter
    def at(self, moment: datetime) -> None:
        self.machine.steady += (moment - self.machine.at).total_seconds()
        self.machine.at = moment

    @property
    def boot(self) -> str:
        return self._boot

    def jump(self, delta: timedelta) -> None:
        self.machine.at += delta

    def reborn(self, boot: str = "boot-1") -> JumpyClock:
        """What a new process finds, in this boot or in another."""
        if boot != self._boot:
            self.machine.steady = 0.0
        return JumpyClock(self.machine, boot)
