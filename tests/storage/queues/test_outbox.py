"""What is to be said: at least once, in lanes, each copy drawn to the newest version in the end."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.domain.case.model import Case
from bot.domain.case.transition import CLOCK, Lane, LogEvent, Notification, Transition
from bot.domain.errors import DiskRefuses
from bot.ports.database import Location
from bot.ports.records import INTERRUPTED, OutboxRow
from storage.sql_store import SqlStore
from storage.store import SqliteStore
from tests.storage.making import (
    MINUTE,
    MS,
    OWNER,
    PE1,
    SECOND,
    T0,
    HandClock,
    beside,
    count,
    denial,
    filing,
    new_case,
)


def say(purpose: str, lane: Lane = Lane.CARD, **how: object) -> Notification:
    return Notification(purpose, lane, **{"case": "R-1", "to": OWNER} | how)  # type: ignore[arg-type]


async def put(store: SqlStore, *says: Notification) -> None:
    await store.commit(Transition(None, None, says=says))


async def take(store: SqlStore, limit: int = 99, clock: HandClock | None = None) -> Sequence[OutboxRow]:
    now = T0 if clock is None else clock.at
    return tuple(await store.outbox.lease(now, now + 30 * SECOND, limit))


async def filed(store: SqlStore) -> Case:
    case = await store.commit(filing(new_case("R-1")))
    assert case is not None
    return case


async def shown(store: SqlStore) -> Case:
    """A case whose card and receipt are in Slack."""
    case = await filed(store)
    for n, outgoing in enumerate(await take(store)):
        await store.outbox.sent(outgoing, f"D{n}", "1.0", 0, ())
    return case


async def test_what_is_to_be_said_comes_back_as_it_was_meant(store: SqlStore) -> None:
    said = say("answer", Lane.URGENT, to=None, channel="C1", data={"why": "☃", "n": [1]}, key="k")
    await put(store, said)
    (outgoing,) = await take(store)
    assert (outgoing.say, outgoing.attempts, outgoing.created_at, outgoing.copy) == (said, 0, T0, None)


async def test_lanes_go_first_and_within_a_lane_the_oldest(store: SqlStore) -> None:
    await put(store, say("a", Lane.EDIT), say("b", Lane.REMINDER), say("c"), say("d", Lane.URGENT), say("e"))
    assert [o.say.purpose for o in await take(store, 3)] == ["d", "c", "e"]
    assert [o.say.purpose for o in await take(store, 3)] == ["b", "a"]


async def test_nobody_takes_what_another_holds_until_its_lease_runs_out(store: SqlStore, clock: HandClock) -> None:
    """A crash between commit and send lost the message (GoAlert)."""
    await put(store, say("a"))
    (first,) = await take(store)
    assert await take(store) == ()
    clock.at += 30 * SECOND - MS
    assert await take(store, clock=clock) == ()
    clock.at += MS
    (again,) = await take(store, clock=clock)
    assert (again.id, again.attempts) == (first.id, 1)


async def test_one_failure_is_tried_again_at_its_time(store: SqlStore, clock: HandClock) -> None:
    await put(store, say("a"), say("b"))
    first, second = await take(store)
    await store.outbox.release([(first, T0 + MINUTE, "ratelimited")])
    await store.outbox.sent(second, "D1", "1.0", 0, ())
    clock.at += MINUTE - MS
    assert await take(store, clock=clock) == ()
    clock.at += MS
    assert [o.say.purpose for o in await take(store, clock=clock)] == ["a"]


async def test_what_is_given_back_together_is_due_again_each_at_its_own_time(store: SqlStore, clock: HandClock) -> None:
    await put(store, say("a"), say("b"))
    first, second = await take(store)
    await store.outbox.release([(first, T0 + MINUTE, "waits"), (second, T0 + 2 * MINUTE, "waits longer")])
    for due in (("a", "waits"), ("b", "waits longer")):
        clock.at += MINUTE
        (found,) = await take(store, clock=clock)
        assert (found.say.purpose, found.error) == due
        await store.outbox.sent(found, "D1", "1.0", 0, ())


async def test_an_empty_lease_writes_nothing(sqlite_store: SqliteStore, path: Path) -> None:
    await put(sqlite_store, say("a"))
    await take(sqlite_store)
    with closing(sqlite3.connect(path)) as raw:
        before = raw.execute("PRAGMA data_version").fetchone()
        for _ in range(9):
            assert await take(sqlite_store) == ()
        assert raw.execute("PRAGMA data_version").fetchone() == before


async def test_a_posted_message_is_remembered_and_its_text_is_not_kept(store: SqlStore, place: Location) -> None:
    await filed(store)
    card, receipt = await take(store)
    await store.outbox.sent(card, "D1", "1.0", 0, [LogEvent("delivery.sent", CLOCK, "R-1", {"purpose": "card"})])
    await store.outbox.sent(receipt, "D2", "", 0, ())
    (copy,) = await store.outbox.copies("R-1")
    assert (copy.purpose, copy.to, copy.channel, copy.ts, copy.drawn) == ("card", OWNER, "D1", "1.0", 0)
    assert count(place, "outbox") == 0
    assert (await store.log.rows(3, 9))[0].type == "delivery.sent"
    assert await store.outbox.copies("R-2") == []


async def test_buttons_do_not_stay_live_after_a_decision_elsewhere(store: SqlStore) -> None:
    case = await shown(store)
    await store.commit(denial(case, says=()))
    redraws = await take(store)
    assert [(o.say.purpose, o.say.lane) for o in redraws] == [("card", Lane.EDIT), ("receipt", Lane.EDIT)]
    for outgoing in redraws:
        assert outgoing.copy is not None
        await store.outbox.sent(outgoing, outgoing.copy.channel, outgoing.copy.ts, 1, ())
    assert [copy.drawn for copy in await store.outbox.copies("R-1")] == [1, 1]
    assert await take(store) == ()


async def test_redraws_that_wait_for_the_same_copy_are_one(store: SqlStore, place: Location) -> None:
    await shown(store)
    for _ in range(5):
        case = await store.cases.case("R-1")
        await store.commit(Transition(case, case, refresh=True))
    assert count(place, "outbox") == 2


async def test_a_redraw_asked_for_while_one_is_under_way_comes_after_it(store: SqlStore) -> None:
    case = await shown(store)
    case = await store.commit(Transition(case, case, refresh=True))
    (card, receipt) = await take(store)
    await store.commit(Transition(case, case, refresh=True))
    assert await take(store) == ()  # never two of one copy at a time
    await store.outbox.sent(card, "D0", "1.0", 2, ())
    assert [o.copy.id for o in await take(store) if o.copy] == [1]
    await store.outbox.release([(receipt, T0, "timeout")])  # goes on for both
    assert [o.copy.id for o in await take(store) if o.copy] == [2]
    assert await take(store) == ()


async def test_a_card_that_was_drawn_before_the_decision_and_sent_after_it_is_redrawn(store: SqlStore) -> None:
    case = await filed(store)
    card, _ = await take(store)
    await store.commit(denial(case, says=()))
    await store.outbox.sent(card, "D1", "1.0", 0, ())
    (redraw,) = await take(store)
    assert redraw.copy is not None
    assert redraw.copy.drawn == 0
    await store.outbox.sent(redraw, "D1", "1.0", 1, ())
    assert await take(store) == ()


async def test_a_message_sent_twice_after_a_crash_is_two_copies_and_both_are_redrawn(
    store: SqlStore, clock: HandClock
) -> None:
    case = await filed(store)
    card, receipt = await take(store)
    await store.outbox.sent(receipt, "D2", "1.0", 0, ())
    clock.at += MINUTE
    (again,) = await take(store, clock=clock)
    await store.outbox.sent(again, "D1", "2.0", 0, ())
    await store.outbox.sent(card, "D1", "1.0", 0, ())  # the first one was not lost, only slow
    await store.commit(denial(case, says=()))
    assert sorted(o.copy.ts for o in await take(store, clock=clock) if o.copy and o.copy.channel == "D1") == ["1.0", "2.0"]


async def test_what_can_never_be_said_is_recorded_with_the_reason_and_without_its_text(
    store: SqlStore, place: Location
) -> None:
    """channel_not_found counted as sent (Iris)."""
    await put(store, say("answer", data={"reason": "Zanzibar"}))
    (outgoing,) = await take(store)
    await store.outbox.undeliverable(
        outgoing, "channel_not_found", [LogEvent("delivery.failed", CLOCK, data={"error": "x"})]
    )
    with beside(place) as raw:
        assert raw.execute("SELECT error, data FROM outbox").fetchall() == [("channel_not_found", "{}")]
    assert [row.type for row in await store.log.rows(1, 9)] == ["delivery.failed"]
    assert await take(store) == ()


async def test_a_copy_that_is_gone_is_not_redrawn_again(store: SqlStore) -> None:
    case = await shown(store)
    case = await store.commit(Transition(case, case, refresh=True))
    card, _ = await take(store)
    await store.outbox.undeliverable(card, "message_not_found", ())
    assert [copy.purpose for copy in await store.outbox.copies("R-1")] == ["receipt"]


async def test_a_later_message_replaces_the_unsent_earlier_one_of_its_key(store: SqlStore) -> None:
    await put(store, say("old", key="k"), say("other"), say("old", key="another"))
    await put(store, say("new", Lane.URGENT, data={"n": 2}, key="k"))
    assert [o.say.purpose for o in await take(store)] == ["new", "other", "old"]
    await put(store, say("newer", key="k"))  # the one before is being said
    assert [o.say.purpose for o in await take(store)] == ["newer"]


async def test_says_without_a_key_replace_nothing(store: SqlStore) -> None:
    await put(store, say("a"), say("a"))
    await put(store, say("a", to=PE1))
    assert len(await take(store)) == 3


async def test_what_a_killed_process_held_and_what_a_lease_ran_out_on_may_have_been_said(
    store: SqlStore, clock: HandClock
) -> None:
    await put(store, say("a"), say("b"))
    first, second = await take(store)
    assert (first.error, second.error) == ("", "")
    await store.outbox.release([(second, T0, "http_503")])
    await store.free_leases()
    assert [(o.say.purpose, o.error) for o in await take(store)] == [("a", INTERRUPTED), ("b", "http_503")]
    clock.at += MINUTE
    assert [o.error for o in await take(store, clock=clock)] == [INTERRUPTED, INTERRUPTED]


async def test_what_a_lease_took_whose_answer_was_lost_is_taken_by_the_next_one(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, say("a"), say("b"))
    write = store.outbox._db.write

    async def unanswered(work: Any) -> Any:
        await write(work)
        raise DiskRefuses("The database server was lost during a commit.")

    monkeypatch.setattr(store.outbox._db, "write", unanswered)
    with pytest.raises(DiskRefuses):
        await take(store, 1)
    monkeypatch.undo()
    found = await take(store)
    assert [(o.say.purpose, o.error, o.attempts) for o in found] == [("a", "", 0), ("b", "", 0)]
    assert await take(store) == ()


async def test_a_second_message_of_one_row_is_a_copy_of_its_own_and_is_redrawn(store: SqlStore) -> None:
    case = await filed(store)
    card, _ = await take(store)
    assert await store.outbox.direct_channel(OWNER) is None
    await store.commit(Transition(case, case, refresh=True))
    await store.outbox.found_again(card, "D1", "1.0", False)
    await store.outbox.sent(card, "D1", "2.0", 9, ())
    assert await store.outbox.direct_channel(OWNER) == "D1"
    assert [copy.ts for copy in await store.outbox.copies("R-1")] == ["1.0", "2.0"]


async def test_messages_about_open_questions_are_redrawn_and_no_others(store: SqlStore) -> None:
    case = await shown(store)
    assert await store.outbox.redrawn_for() == ""
    await store.outbox.redraw_open("a")
    await store.outbox.redraw_open("b")
    assert await store.outbox.redrawn_for() == "b"
    drawn = await take(store)
    assert sorted(o.copy.channel for o in drawn if o.copy) == ["D0", "D1"]
    for outgoing in drawn:
        await store.outbox.sent(outgoing, "", "", 9, ())
    await store.commit(denial(case, says=()))
    for outgoing in await take(store):
        await store.outbox.sent(outgoing, "", "", 9, ())
    await store.outbox.redraw_open("c")
    assert await take(store) == ()


async def test_a_copy_that_cannot_be_redrawn_now_is_kept(store: SqlStore) -> None:
    case = await shown(store)
    await store.commit(Transition(case, case, refresh=True))
    card, _ = await take(store)
    await store.outbox.undeliverable(card, "is_archived", ())
    assert len(await store.outbox.copies("R-1")) == 2
