"""What two clocks say together: whether the time can be trusted, and which time counts.

A jump is a wall clock that moves more than 60 s against the monotonic clock of the same boot, all small steps since the
anchor added up; or one that is more than 60 s behind the latest time ever used. After another boot
nothing else can be compared, so downtime is no jump, however long.

A clock that jumped gives nothing until an operator accepts it (`giving`); what takes away still works. And time never goes
back: while the wall clock is behind, the greatest time counts, and after a jump the monotonic clock carries it on, so that
nothing that ended is revived (design, section 5, rule 12).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one instant. `steady` is the monotonic one, which means something within one `boot` only."""

    wall: datetime
    steady: timedelta
    boot: str

    @property
    def offset(self) -> datetime:
        """The wall clock's time when the monotonic one was zero: it moves only when somebody sets the clock."""
        return self.wall - self.steady


@dataclass(frozen=True, slots=True)
class Mark:
    """How far time has come: `high` is the greatest time gone by, reached at `steady` of `boot`.

    `offset` is the anchor that readings of this boot are held against. `jump` is the first one that nobody accepted yet.
    """

    high: datetime
    steady: timedelta
    boot: str
    offset: datetime
    jump: timedelta | None = None


def begin(reading: Reading) -> Mark:
    """A first mark, or one after an operator accepted the clock."""
    return Mark(reading.wall, reading.steady, reading.boot, reading.offset)


def look(mark: Mark, reading: Reading) -> Mark:
    """The mark after another reading; its `high` is the time that counts now, and never less than before."""
    same_boot = reading.boot == mark.boot
    jump = mark.jump if mark.jump is not None else _jump(mark, reading)
    floor = mark.high
    if jump is not None and same_boot:
        floor += max(timedelta(0), reading.steady - mark.steady)
    offset = mark.offset if same_boot else reading.offset
    return Mark(max(reading.wall, floor), reading.steady, reading.boot, offset, jump)


def _jump(mark: Mark, reading: Reading) -> timedelta | None:
    if reading.boot == mark.boot and abs(moved := reading.offset - mark.offset) > TOLERANCE:
        return moved
    behind = reading.wall - mark.high
    return behind if behind < -TOLERANCE else None


# Texts about it.


def words(jump: timedelta) -> str:
    """`2 h 3 min ahead`, for a person."""
    minutes, seconds = divmod(round(abs(jump).total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")) if n][:2]
    return f"{' '.join(parts)} {'ahead' if jump > timedelta(0) else 'back'}"


def finding(jump: timedelta) -> str:
    """Why nothing is given, and what to do."""
    return (
        f"The clock jumped {words(jump)}, so nothing is approved or opened. Check the machine's time, then run"
        " `countersign doctor --accept-clock`."
    )
