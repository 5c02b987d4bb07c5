"""What two clocks say together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failsafe.clock_jump import TOLERANCE, Mark, Reading, begin, finding, look, words

T0 = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
SPANS = st.integers(0, 3 * 86_400_000).map(lambda n: timedelta(milliseconds=n))
STEPS = st.integers(-2 * 86_400_000, 2 * 86_400_000).map(lambda n: timedelta(milliseconds=n))


def reading(wall: timedelta, steady: timedelta | None = None, boot: str = "one") -> Reading:
    """Clocks that stood at T0 and at 1000 s."""
    return Reading(T0 + wall, 1000 * SECOND + (wall if steady is None else steady), boot)


def mark() -> Mark:
    return begin(reading(timedelta(0)))


@given(st.lists(SPANS, max_size=20))
def test_a_clock_that_keeps_pace_is_never_doubted(spans: list[timedelta]) -> None:
    seen, passed = mark(), timedelta(0)
    for span in spans:
        passed += span
        seen = look(seen, reading(passed))
        assert (seen.high, seen.jump) == (T0 + passed, None)


@given(st.lists(st.tuples(SPANS, STEPS, st.booleans()), max_size=20))
def test_time_never_goes_back_whatever_the_clock_and_the_machine_do(moves: list[tuple[timedelta, timedelta, bool]]) -> None:
    seen, wall, steady, boot = mark(), timedelta(0), timedelta(0), 1
    for passed, jumped, restarted in moves:
        wall, steady = wall + passed + jumped, steady + passed
        if restarted:
            boot, steady = boot + 1, timedelta(0)
        after = look(seen, reading(wall, steady, str(boot)))
        assert after.high >= max(seen.high, T0 + wall)
        assert seen.jump is None or after.jump == seen.jump, "a jump was forgotten that nobody accepted"
        seen = after


@given(SPANS, STEPS)
def test_it_is_doubted_exactly_when_it_moved_more_than_a_minute_against_the_monotonic_clock(
    passed: timedelta, jumped: timedelta
) -> None:
    seen = look(mark(), reading(passed + jumped, passed))
    assert seen.jump == (jumped if abs(jumped) > TOLERANCE else None)


def test_a_minute_is_no_jump_and_a_millisecond_more_is_one() -> None:
    ms = timedelta(milliseconds=1)
    for edge in (TOLERANCE, -TOLERANCE):
        assert look(mark(), reading(edge, timedelta(0))).jump is None
    for beyond in (TOLERANCE + ms, -TOLERANCE - ms):
        assert look(mark(), reading(beyond, timedelta(0))).jump == beyond


@given(st.integers(1, 59), st.sampled_from([1, -1]))
def test_small_steps_add_up(seconds: int, sign: int) -> None:
    seen, wall = mark(), timedelta(0)
    for _ in range(60 // seconds + 1):
        wall += sign * seconds * SECOND
        seen = look(seen, reading(wall, timedelta(0)))
    assert seen.jump is not None


@given(SPANS)
def test_downtime_of_days_with_another_boot_is_no_jump(down: timedelta) -> None:
    assert look(mark(), reading(down, timedelta(0), "two")).jump is None


def test_after_another_boot_a_clock_behind_the_mark_is_a_jump() -> None:
    seen = look(mark(), reading(-HOUR, timedelta(0), "two"))
    assert (seen.jump, seen.high) == (-HOUR, T0)


def test_a_restart_in_the_same_boot_notices_a_clock_set_ahead_meanwhile() -> None:
    assert look(mark(), reading(HOUR + DAY, HOUR)).jump == DAY


def test_while_the_clock_is_a_little_behind_time_stays_until_it_has_caught_up() -> None:
    seen = look(mark(), reading(-30 * SECOND, timedelta(0)))
    assert seen.high == T0
    assert look(seen, reading(-10 * SECOND, 20 * SECOND)).high == T0
    assert look(seen, reading(5 * SECOND, 35 * SECOND)).high == T0 + 5 * SECOND


def test_after_a_jump_back_the_monotonic_clock_carries_time_on() -> None:
    seen = look(mark(), reading(-HOUR, timedelta(0)))
    seen = look(seen, reading(-HOUR + 10 * SECOND, 10 * SECOND))
    assert seen.high == T0 + 10 * SECOND
    assert look(seen, reading(-HOUR + 12 * SECOND, 12 * SECOND)).high == T0 + 12 * SECOND


def test_a_clock_that_jumped_ahead_and_came_back_is_still_doubted_and_revives_nothing() -> None:
    seen = look(mark(), reading(DAY, timedelta(0)))
    seen = look(seen, reading(SECOND, SECOND))
    assert (seen.jump, seen.high) == (DAY, T0 + DAY + SECOND)


def test_after_a_jump_small_steps_of_the_next_boot_are_held_against_the_next_boot() -> None:
    seen = look(mark(), reading(DAY, timedelta(0), "two"))
    assert seen.jump is None
    assert look(seen, reading(DAY + HOUR, HOUR, "two")).jump is None


def test_a_jump_is_explained_with_what_to_do() -> None:
    assert words(timedelta(hours=2, minutes=3, seconds=5)) == "2 h 3 min ahead"
    assert words(-61 * SECOND) == "1 min 1 s back"
    assert "countersign doctor --accept-clock" in finding(DAY)
