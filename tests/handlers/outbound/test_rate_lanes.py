"""What is sent next: lanes, then age; one at a time and about one a second for each place; nobody waits for another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.case.transition import Lane, Notification
from bot.ports.records import OutboxRow
from handlers.outbound.rate_lanes import HELD, HELD_UNPACED, Called, Lanes, Spot
from tests.bot.building import OWNER, T0

POST = "chat.postMessage"


def row(number: int, lane: Lane = Lane.CARD, age: int = 0) -> OutboxRow:
    return OutboxRow(number, Notification("card", lane, to=OWNER), 0, T0 - timedelta(seconds=age))


def lanes(pace: float = 1.0) -> Lanes:
    return Lanes({POST: pace})


def taken(some: Lanes, now: float) -> int | None:
    found = some.take(now)
    return found[0].id if found else None


def test_the_urgent_go_first_then_the_oldest() -> None:
    some = lanes()
    for number, lane, age in ((1, Lane.EDIT, 9), (2, Lane.CARD, 1), (3, Lane.CARD, 5), (4, Lane.URGENT, 0)):
        some.offer(row(number, lane, age), Spot(POST, f"U{number}"), 0)
    assert [taken(some, 0) for _ in range(5)] == [4, 3, 2, 1, None]


def test_one_place_gets_one_at_a_time_and_one_a_second() -> None:
    some, spot = lanes(), Spot(POST, "U1")
    for number in (1, 2, 3):
        assert some.offer(row(number), spot, 0) is None
    assert taken(some, 0) == 1
    assert taken(some, 5) is None  # the first is still on its way
    some.done(spot, 0.03, Called(0.01, 0.02))
    assert (taken(some, 0.9), some.next_at(0.9)) == (None, 1.02)
    assert taken(some, 1.02) == 2


def test_a_pause_is_kept_between_an_answer_and_the_next_call_but_a_slow_answer_is_not_waited_for_twice() -> None:
    some, spot = lanes(), Spot(POST, "U1")
    for number in (1, 2, 3):
        some.offer(row(number), spot, 0)
    for began, ended, free in ((0.0, 0.05, 1.05), (2.0, 2.5, 3.08)):
        some.take(began)
        some.done(spot, ended, Called(began, ended))
        assert some.next_at(ended) == free


def test_what_needed_no_call_costs_its_place_no_time() -> None:
    some, spot = lanes(), Spot(POST, "U1")
    for number in (1, 2):
        some.offer(row(number), spot, 0)
    assert taken(some, 0) == 1
    some.done(spot, 0, None)
    assert taken(some, 0) == 2


def test_a_redraw_has_no_pace() -> None:
    some, spot = lanes(), Spot("chat.update", "D1")
    for number in (1, 2):
        some.offer(row(number), spot, 0)
    assert taken(some, 0) == 1
    some.done(spot, 0, Called(0, 0))
    assert taken(some, 0) == 2


def test_what_finds_no_room_goes_back_with_its_turn_and_the_urgent_pass() -> None:
    some, spot = lanes(), Spot(POST, "U1")
    back = [some.offer(row(number), spot, 0) for number in range(HELD + 3)]
    assert back[:HELD] == [None] * HELD
    assert [(b[0].id, b[1]) for b in back[HELD:] if b] == [(HELD, 2.0), (HELD + 1, 3.0), (HELD + 2, 4.0)]
    passed = some.offer(row(99, Lane.URGENT), spot, 0)
    assert passed is not None
    assert passed[0].id == HELD - 1
    assert taken(some, 0) == 99


def test_a_redraw_without_room_is_not_due_again_at_once() -> None:
    """Leased and given back in every round, many redraws of one conversation kept the database busy and the bot slow."""
    some, spot = lanes(), Spot("chat.update", "D1")
    back = [some.offer(row(number), spot, 0) for number in range(HELD_UNPACED + 3)]
    assert back[:HELD_UNPACED] == [None] * HELD_UNPACED
    turns = [b[1] for b in back[HELD_UNPACED:] if b]
    assert turns == sorted(turns)
    assert len(turns) == 3
    assert all(0 < turn < 1 for turn in turns)


def test_a_redraw_that_can_wait_goes_last_in_its_lane() -> None:
    some, spot = lanes(), Spot("chat.update", "D1")
    some.offer(row(1, Lane.EDIT, age=9), spot, 0, calm=True)
    some.offer(row(2, Lane.EDIT), spot, 0)
    some.offer(row(3, Lane.HOME), Spot("views.publish", "U1"), 0)
    order = []
    while (number := taken(some, 0)) is not None:
        order.append(number)
        some.done(spot, 0, Called(0, 0))
    assert order == [2, 1, 3]
    for number in range(HELD_UNPACED):
        some.offer(row(10 + number, Lane.EDIT), spot, 0, calm=number == 0)
    back = some.offer(row(99, Lane.EDIT), spot, 0)
    assert back is not None
    assert back[0].id == 10


def test_what_is_queued_and_not_drawn_yet_replaces_a_later_one_of_its_key() -> None:
    def home(number: int, lane: Lane = Lane.HOME, key: str = "home:a") -> OutboxRow:
        return replace(row(number, lane), say=Notification("home", lane, key=key))

    some, spot = lanes(), Spot("views.publish", "U1")
    some.offer(home(1), spot, 0)
    assert some.holds_another(home(2))
    assert not some.holds_another(home(1))
    assert not some.holds_another(home(2, Lane.CARD))  # somebody looks at it
    assert not some.holds_another(home(2, key="home:b"))
    assert not some.holds_another(row(2, Lane.HOME))
    assert taken(some, 0) == 1
    assert not some.holds_another(home(2))  # it is being drawn


def test_an_emergency_is_not_sent_back_behind_what_was_sent_back_before_it() -> None:
    some, spot = lanes(), Spot(POST, "U1")
    for number in range(60):
        some.offer(row(number, Lane.REMINDER), spot, 0)
    back = [some.offer(row(100 + number, Lane.URGENT), spot, 0) for number in range(HELD + 3)]
    assert [b[0].say.lane for b in back[:HELD] if b] == [Lane.REMINDER] * HELD
    assert [(b[0].id, b[1]) for b in back[HELD:] if b] == [(100 + HELD, 2.0), (101 + HELD, 3.0), (102 + HELD, 4.0)]
    later = some.offer(row(999, Lane.CARD), spot, 0)
    assert later is not None
    assert later[1] == 5.0  # behind the emergencies, before the reminders


def test_a_crowded_place_does_not_keep_another_waiting() -> None:
    some = lanes()
    for number in range(50):
        some.offer(row(number, Lane.URGENT), Spot(POST, "U1"), 0)
    some.offer(row(77, Lane.EDIT), Spot(POST, "U2"), 0)
    assert [taken(some, 0), taken(some, 0)] == [0, 77]


def test_a_paused_place_gives_back_what_it_held_and_the_others_go_on() -> None:
    some, slow, other = lanes(), Spot(POST, "U1"), Spot(POST, "U2")
    for number in (1, 2, 3):
        some.offer(row(number), slow, 0)
    some.offer(row(9), other, 0)
    assert taken(some, 0) == 1
    assert [r.id for r in some.pause(slow, 30, everywhere=False)] == [2, 3]
    some.done(slow, 0, Called(0, 0))
    assert taken(some, 0) == 9
    sent_back = some.offer(row(4), slow, 1)
    assert sent_back is not None
    assert sent_back[1] >= 30


def test_a_paused_method_pauses_everywhere() -> None:
    some = lanes()
    for number in (1, 2):
        some.offer(row(number), Spot("chat.update", f"D{number}"), 0)
    some.offer(row(3), Spot(POST, "U3"), 0)
    some.pause(Spot("chat.update", "D1"), 10, everywhere=True)
    assert taken(some, 0) == 3
    some.offer(row(4), Spot("chat.update", "D4"), 9)
    assert taken(some, 9.5) is None
    assert taken(some, 10) == 4


def test_a_message_that_settles_waits_and_lets_the_next_go() -> None:
    some, spot = lanes(0), Spot("views.update", "V1")
    some.offer(row(1), spot, 0, earliest=0.4)
    some.offer(row(2), spot, 0)
    assert taken(some, 0) == 2
    some.done(spot, 0, Called(0, 0))
    assert (taken(some, 0.3), some.next_at(0.3)) == (None, 0.4)
    assert taken(some, 0.4) == 1


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(list(Lane))), min_size=1, max_size=80))
def test_nothing_is_lost_and_no_place_is_hurried(offers: list[tuple[int, Lane]]) -> None:
    """Everything offered is taken in the end, at most once a second to a place, and in time for how crowded it is."""
    some, now = lanes(), 0.0
    waiting = [(0.0, row(number, lane), Spot(POST, f"U{place}")) for number, (place, lane) in enumerate(offers)]
    everything, heard = list(waiting), dict[Spot, list[float]]()
    spoken: list[int] = []
    while len(spoken) < len(offers):
        assert now < 3 * len(offers) + 10
        for entry in [w for w in waiting if w[0] <= now]:
            waiting.remove(entry)
            back = some.offer(entry[1], entry[2], now)
            assert some.holds(entry[1]) is (back is None or back[0].id != entry[1].id)
            if back is not None:
                assert not some.holds(back[0])
                waiting.append((back[1], back[0], entry[2]))
        while (found := some.take(now)) is not None:
            spoken.append(found[0].id)
            heard.setdefault(found[1], []).append(now)
            some.done(found[1], now, Called(now, now))
        now += 0.25
    assert sorted(spoken) == list(range(len(offers)))
    for times in heard.values():
        assert all(later - earlier >= 1 for earlier, later in pairwise(times))
        assert times[-1] <= len(times)
    assert len(some) == 0
    assert not any(some.holds(offered[1]) for offered in everything)
