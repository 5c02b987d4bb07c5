"""The high-water mark of time: one row, written every few seconds by the clock keeper.

The log's last entry is a mark as well, with every commit: whichever is greater counts, except right after an operator
accepted a clock that had gone back, where the log may step back with it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.failsafe.clock_jump import Mark
from storage.log.append import read_head
from storage.session import Session
from storage.values import moment, ms

_MS = timedelta(milliseconds=1)
_WAITING = (
    "shift_requests", "shift_steps", "shift_asks", "shift_grants", "shift_duties", "shift_absences", "shift_deadlines",
    "shift_calls", "shift_inbox", "shift_outbox",
)  # fmt: skip


def read(session: Session) -> Mark | None:
    """The mark as stored; where no bot kept the time yet, what the log knows of it; None where there is no entry."""
    row, head = session.row("time_mark"), read_head(session)
    if row is None:
        return None if head.ts is None else Mark(head.ts, timedelta(0), "", head.ts)
    high = moment(row["high_ms"])
    if head.ts is not None and not head.may_step_back:
        high = max(high, head.ts)
    jump = None if row["jump_ms"] is None else row["jump_ms"] * _MS
    return Mark(high, row["steady_ms"] * _MS, row["boot"], moment(row["offset_ms"]), jump)


def keep(session: Session, mark: Mark) -> None:
    """Writes the mark; a jump that is not accepted yet stays."""
    session.run(
        "keep_time_mark", high_ms=ms(mark.high), steady_ms=mark.steady // _MS, boot=mark.boot, offset_ms=ms(mark.offset),
        jump_ms=None if mark.jump is None else mark.jump // _MS,
    )  # fmt: skip


def wish(session: Session) -> bool:
    """An operator accepts the current jump; False if there is none."""
    return session.run("wish_time_accepted") == 1


def wished(session: Session) -> bool:
    """Whether an operator accepted the jump and the time is not set by it yet."""
    row = session.row("time_mark")
    return row is not None and bool(row["wished"])


def lift(session: Session, high: datetime, mark: Mark) -> None:
    """Accepts the clock as it is, `mark`; time had reached `high` before. If it steps back thereby, everything that
    waits moves with it: durations stay what they were, so that nothing lasts longer and nothing that was over opens again.
    """
    session.run("lift_time_jump")
    keep(session, mark)
    back = ms(mark.high) - ms(high)
    if back < 0:
        for name in _WAITING:
            session.run(name, by_ms=back)
