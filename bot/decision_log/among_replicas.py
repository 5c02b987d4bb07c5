"""What the other replicas mean for the store of this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.case.transition import Transition
from bot.domain.errors import Stopped, StorageError
from bot.domain.failsafe.clock_guard import gives


@dataclass(frozen=True, slots=True)
class AmongReplicas:
    """Whether this process `leads`, and whom it waits for before it gives (`unreported`, a sentence; empty where it waits for
    nobody). While it is `patient`, what gives is tried again instead of refused. `lost` is called when the database takes nothing
    any more, or its connection was replaced: from then on the others may have taken access away without it. `counts` is given
    what says how many acts this process keeps, for the others to know."""

    leads: Callable[[], bool] = lambda: True
    unreported: Callable[[], str] = lambda: ""
    patient: Callable[[], bool] = lambda: False
    may_call: Callable[[], bool] = lambda: True  # the lease is valid by this machine's clock: a call out may begin
    lost: Callable[[], None] = lambda: None
    counts: Callable[[Callable[[], int]], None] = lambda kept: None

    def hear_first(self, act: Transition) -> None:
        """Raises StorageError or Stopped where an act gives and somebody has not reported."""
        if (missing := self.unreported()) and gives(act):
            raise StorageError(missing) if self.patient() else Stopped(missing)
