"""After a loss of the database nothing is given until everybody who was alive has reported, or was excused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.domain.failsafe.roll_call import RollCall

T0 = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    id: str
    host: str = "host-2"
    alive: bool = True
    beat_at: datetime = T0
    emergency: int = 0
    excused: bool = False

    def later(self, seconds: float, **how: object) -> Row:
        return replace(self, beat_at=self.beat_at + timedelta(seconds=seconds), **how)  # type: ignore[arg-type]


OWN, OTHER, DEAD = Row("A", "host-1"), Row("B"), Row("C", alive=False)


def lost_with(*rows: Row) -> RollCall:
    roll = RollCall("A")
    roll.seen(rows)
    roll.lost()
    return roll


def test_while_the_database_is_there_nobody_is_waited_for() -> None:
    roll = RollCall("A")
    roll.seen([OWN, OTHER])
    roll.seen([OWN, replace(OTHER, alive=False)])  # it died, and had nothing to take away without the database
    assert roll.unreported == ""


def test_after_a_loss_anyone_who_was_alive_must_report_with_an_empty_file() -> None:
    roll = lost_with(OWN, OTHER, DEAD)
    assert "B (host-2) has not reported" in roll.unreported
    assert "C" not in roll.unreported.replace("COUNTERSIGN", "")
    roll.seen([OWN, OTHER.later(0.9)])  # perhaps a beat of before the loss
    assert roll.unreported
    roll.seen([OWN, OTHER.later(1.9, emergency=2)])
    assert roll.unreported  # it is there, and its file is not handed in yet
    roll.seen([OWN, OTHER.later(2.9)])
    assert roll.unreported == ""


def test_one_that_does_not_come_back_is_waited_for_until_it_is_excused_and_that_is_said_once() -> None:
    roll = lost_with(OWN, OTHER)
    assert roll.seen([OWN, replace(OTHER, alive=False)]) == ()
    roll.lost()  # a second loss forgets nobody
    assert roll.seen([OWN, replace(OTHER, alive=False)]) == ()
    assert "countersign replicas excuse B --reason TEXT" in roll.unreported
    assert roll.seen([OWN, replace(OTHER, alive=False, excused=True)]) == ("B",)
    assert roll.unreported == ""
    assert roll.seen([OWN, replace(OTHER, alive=False, excused=True)]) == ()
