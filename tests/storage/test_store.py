"""Acts on a real database: what commits, what is stale, what comes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.case.ask import Vote
from bot.domain.case.lifecycle import AskState, RequestState
from bot.domain.case.model import Case, Drill
from bot.domain.case.transition import OPERATOR, SYSTEM, Actor, Lane, LogEvent, Notification, Private, Transition
from bot.domain.errors import EntryError, IllegalMove, SettingsError, Stale, StorageError, TooLate
from bot.domain.policy.people import Person
from bot.ports.commands import Press, ReplyAddress
from bot.ports.database import Location
from bot.ports.records import Deadline
from storage.opening import open_database
from storage.sql_store import SqlStore
from tests.storage.making import (
    DEPUTY,
    MINUTE,
    MS,
    OWNER,
    PE1,
    T0,
    HandClock,
    approval,
    count,
    denial,
    expiry,
    filing,
    lapse,
    new_case,
)


async def filed(store: SqlStore, case_id: str = "R-1", **how: object) -> Case:
    stored = await store.commit(filing(new_case(case_id, **how)))
    assert stored is not None
    return stored


async def due(store: SqlStore, now: datetime, limit: int, after: Deadline | None = None) -> list[str]:
    """Ids of the cases that are due; the same cases are found whole, in the same order."""
    ids = [deadline.case for deadline in await store.cases.due(now, limit, after)]
    assert [found.case.id for found in await store.cases.due_cases(now, limit, after)] == ids
    return ids


async def test_a_filed_case_is_read_back_as_it_was_filed(store: SqlStore) -> None:
    stored = await filed(store, subject=DEPUTY)
    assert await store.cases.case("R-1") == stored == new_case("R-1", subject=DEPUTY)
    assert await store.cases.case("R-2") is None


async def test_every_part_of_a_case_survives_a_restart(place: Location, clock: HandClock) -> None:
    store = await open_database(place, clock)
    approved = await store.commit(approval(await filed(store)))
    assert approved is not None
    lapsed = await store.commit(lapse(approved, T0 + 31 * MINUTE))
    await store.close()
    store = await open_database(place, clock)
    assert await store.cases.case("R-1") == lapsed
    assert lapsed is not None
    assert lapsed.request.version == 2
    await store.close()


async def test_times_finer_than_a_millisecond_come_back_as_they_are_stored(store: SqlStore) -> None:
    fine = timedelta(microseconds=1500)
    stored = await filed(store, filed_at=T0 + fine)
    assert stored.request.filed_at == T0 + MS
    assert await store.cases.case("R-1") == stored
    approved = await store.commit(approval(stored, T0 + MINUTE + fine))
    assert approved == await store.cases.case("R-1")


async def test_a_case_judged_on_an_older_version_is_stale_and_writes_nothing(store: SqlStore, place: Location) -> None:
    case = await filed(store)
    await store.commit(denial(case))
    before = [count(place, table) for table in ("log_entry", "outbox", "vote", "log_private")]
    with pytest.raises(Stale):
        await store.commit(approval(case, says=(Notification("x", Lane.CARD, "R-1", to=PE1),)))
    assert [count(place, table) for table in ("log_entry", "outbox", "vote", "log_private")] == before
    stored = await store.cases.case("R-1")
    assert stored is not None
    assert stored.request.state is RequestState.DENIED


async def test_an_id_that_exists_is_filed_once(store: SqlStore) -> None:
    await filed(store)
    with pytest.raises(Stale):
        await store.commit(filing(new_case("R-1", reason="another")))
    stored = await store.cases.case("R-1")
    assert stored is not None
    assert stored.request.reason == "disk: full"


async def test_what_was_filed_never_changes(store: SqlStore) -> None:
    case = await filed(store)
    with pytest.raises(IllegalMove):
        await store.commit(replace(denial(case), after=replace(case, request=replace(case.request, seconds=9999))))
    with pytest.raises(IllegalMove):
        await store.commit(replace(denial(case), after=case.with_approval(replace(case.approval, steps=()))))
    assert await store.cases.case("R-1") == case


async def test_what_changes_in_place_is_written(store: SqlStore) -> None:
    case = await filed(store)
    ask = case.approval
    steps = (ask.steps[0], replace(ask.steps[1], state="skipped", why="absent"))
    reached = (replace(ask.reached[0], failed="user_not_found"),)
    stored = await store.commit(Transition(case, case.with_approval(replace(ask, version=2, steps=steps, reached=reached))))
    assert stored is not None
    assert (stored.approval.version, stored.approval.steps, stored.approval.reached) == (2, steps, reached)
    assert await store.cases.case("R-1") == stored


async def test_two_approvers_at_once_and_one_wins(store: SqlStore, place: Location) -> None:
    case = await filed(store)
    acts = [approval(case) if n % 2 else denial(case, Person("T0HOME", f"U{n}")) for n in range(100)]
    outcomes = await asyncio.gather(*(store.commit(act) for act in acts), return_exceptions=True)
    assert sum(isinstance(o, Case) for o in outcomes) == 1
    assert sum(isinstance(o, Stale) for o in outcomes) == 99
    stored = await store.cases.case("R-1")
    assert stored is not None
    assert stored.request.version == 1
    assert len(stored.approval.votes) == count(place, "vote") == 1


async def test_a_hundred_filings_of_one_id_and_one_wins(store: SqlStore, place: Location) -> None:
    acts = [filing(new_case("R-1", reason=f"reason {n}")) for n in range(100)]
    outcomes = await asyncio.gather(*(store.commit(act) for act in acts), return_exceptions=True)
    assert sum(isinstance(o, Case) for o in outcomes) == 1
    assert count(place, "request") == 1
    assert [row.type for row in await store.log.rows(0, 10)] == ["log.opened", "request.filed", "step.fired"]


async def test_a_late_approval_does_not_revive_an_expired_request(store: SqlStore, clock: HandClock) -> None:
    case = await filed(store)
    clock.at = case.request.expires_at
    with pytest.raises(TooLate):
        await store.commit(approval(case, valid_before=case.request.expires_at))
    clock.at -= MS
    assert await store.commit(approval(case, valid_before=case.request.expires_at)) is not None


async def test_the_deadline_is_judged_when_the_transaction_begins_not_when_it_was_asked_for(
    store: SqlStore, clock: HandClock
) -> None:
    case = await filed(store)
    waiting = asyncio.ensure_future(store.commit(approval(case, valid_before=T0 + MINUTE)))
    clock.at = T0 + MINUTE
    with pytest.raises(TooLate):
        await waiting


async def test_an_act_finishes_its_inbox_row_and_a_second_one_is_stale(store: SqlStore, place: Location) -> None:
    case = await filed(store)
    await store.inbox.take_in(
        "trigger-1", Press(OWNER, "R-1", 1, "deny", ReplyAddress(OWNER), text="not now"), {"ok": True}
    )
    (row,) = await store.inbox.unfinished(10)
    await store.commit(denial(case, inbox=row.id))
    assert await store.inbox.unfinished(10) == []
    entries = count(place, "log_entry")
    with pytest.raises(Stale):
        await store.commit(Transition(None, None, (LogEvent("policy.rejected", SYSTEM),), inbox=row.id))
    assert count(place, "log_entry") == entries


async def test_a_wrong_value_undoes_only_its_own_act(store: SqlStore, place: Location) -> None:
    wrong = filing(new_case("R-1"), entries=(LogEvent("request.filed", OPERATOR, "R-1", {"x": 2**53}),))
    half = filing(new_case("R-2", reason="half a \ud83d character"))
    good = filing(new_case("R-3"))
    outcomes = await asyncio.gather(*(store.commit(act) for act in (wrong, half, good)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [EntryError, EntryError, Case]
    assert count(place, "request") == 1
    assert count(place, "person") == 2
    assert [row.case for row in await store.log.rows(1, 10)] == ["R-3", "R-3"]


async def test_entries_alone_change_no_case(store: SqlStore) -> None:
    case = await filed(store)
    refused = LogEvent("decision.refused", Actor("person", DEPUTY), "R-1", {"action": "approve", "why": "unauthorised"})
    assert await store.commit(Transition(None, None, (refused,))) is None
    assert await store.cases.case("R-1") == case
    assert await due(store, T0 + 10 * MINUTE, 5) == ["R-1"]


async def test_entries_on_a_version_count_only_on_that_version(store: SqlStore) -> None:
    case = await filed(store)
    entry = LogEvent("decision.refused", Actor("person", DEPUTY), "R-1")
    assert await store.commit(Transition(case, None, (entry,))) == case
    await store.commit(denial(case))
    with pytest.raises(Stale):
        await store.commit(Transition(case, None, (entry,)))


async def test_a_deadline_is_moved_and_dropped_with_its_act(store: SqlStore) -> None:
    case = await filed(store)
    await filed(store, "R-2")
    assert await due(store, T0 + 10 * MINUTE - MS, 5) == []
    assert await due(store, T0 + 10 * MINUTE, 5) == ["R-1", "R-2"]
    moved = replace(case, asks=case.asks)
    stored = await store.commit(Transition(case, moved, wake_at=T0 + 20 * MINUTE))
    assert await due(store, T0 + HOUR_AND_MORE, 5) == ["R-2", "R-1"]
    assert await due(store, T0 + HOUR_AND_MORE, 1) == ["R-2"]
    assert stored is not None
    await store.commit(denial(stored))
    assert await due(store, T0 + HOUR_AND_MORE, 5) == ["R-2"]


async def test_what_is_due_is_read_on_from_behind_any_case(store: SqlStore) -> None:
    for n in (3, 1, 2):
        await filed(store, f"R-{n}")
    late = T0 + 10 * MINUTE
    assert await due(store, late, 2) == ["R-1", "R-2"]
    assert await due(store, late, 2, Deadline(late, "R-2")) == ["R-3"]
    assert await due(store, late, 2, Deadline(late, "R-3")) == []
    assert await due(store, late, 2, Deadline(late - MS, "R-9")) == ["R-1", "R-2"]


HOUR_AND_MORE = timedelta(hours=2)


async def test_open_cases_come_by_domain_or_provider_the_next_to_expire_first(store: SqlStore) -> None:
    await filed(store, "R-1", expires_at=T0 + 30 * MINUTE)
    await filed(store, "R-2", expires_at=T0 + 10 * MINUTE, domain="machines")
    await filed(store, "R-3", expires_at=T0 + 20 * MINUTE, provider="watchfield")
    await store.commit(denial(await filed(store, "R-4")))

    async def ids(domains: list[str], providers: list[str], limit: int = 9) -> list[str]:
        return [case.id for case in await store.cases.open_cases(domains, providers, limit)]

    assert await ids(["directory", "machines"], ["northgate"]) == ["R-2", "R-3", "R-1"]
    assert await ids(["machines"], []) == ["R-2"]
    assert await ids([], ["watchfield"]) == ["R-3"]
    assert await ids(["directory", "machines"], [], 1) == ["R-2"]
    assert await ids([], []) == []


async def test_old_requests_do_not_vanish_from_the_history(store: SqlStore) -> None:
    await store.commit(denial(await filed(store, "R-1")))
    await store.commit(expiry(await filed(store, "R-2", filed_at=T0 + MINUTE)))
    await filed(store, "R-3", filed_at=T0 + 2 * MINUTE, requester=Person("T0HOME", PE1.user))
    assert [case.id for case in await store.cases.cases_of(PE1, 9)] == ["R-2", "R-1"]
    assert [case.id for case in await store.cases.cases_of(PE1, 1)] == ["R-2"]


async def test_what_waits_for_a_person_is_pending_and_has_reached_them(store: SqlStore) -> None:
    await filed(store, "R-1", expires_at=T0 + 30 * MINUTE)
    await filed(store, "R-2", expires_at=T0 + 10 * MINUTE)
    await store.commit(denial(await filed(store, "R-3")))
    answered, closed = await filed(store, "R-4"), await filed(store, "R-5")
    await store.commit(Transition(answered, answered.with_approval(replace(answered.approval, state=AskState.YES))))
    gone = replace(closed.request, state=RequestState.WITHDRAWN)
    await store.commit(Transition(closed, replace(closed, request=gone)))
    assert [case.id for case in await store.cases.waiting_for(OWNER, 9)] == ["R-2", "R-1"]
    assert await store.cases.waiting_for(Person("T0PROV", OWNER.user), 9) == []
    assert await store.cases.waiting_for(DEPUTY, 9) == []


async def test_the_store_opens_for_reading_beside_the_one_that_writes(
    store: SqlStore, place: Location, clock: HandClock
) -> None:
    case = await filed(store)
    other = await open_database(place, clock, read_only=True)
    assert await other.cases.case("R-1") == case
    with pytest.raises(StorageError, match="reading only"):
        await other.commit(denial(case))
    await other.close()


async def test_a_log_keeps_its_origin(place: Location, clock: HandClock) -> None:
    store = await open_database(place, clock)
    head = await store.log.head()
    await store.close()
    assert head.origin == "countersign.local/00000000"  # the first four bytes of the clock's salt
    with pytest.raises(SettingsError, match=r"countersign\.local/00000000"):
        await open_database(place, clock, "other.example/log")
    await (await open_database(place, clock, head.origin)).close()
    await (await open_database(place, clock)).close()


async def test_an_origin_is_a_name(place: Location, clock: HandClock) -> None:
    with pytest.raises(SettingsError, match="COUNTERSIGN_LOG_ORIGIN"):
        await open_database(place, clock, "a name with blanks")


async def test_a_private_value_is_nowhere_but_in_the_deletable_table_and_the_case(store: SqlStore, place: Location) -> None:
    answer = LogEvent("request.denied", OPERATOR, "R-1", private=(Private("answer", "Zanzibar", OWNER),))
    await store.commit(Transition(None, None, (answer,)))
    rows = await store.log.rows(0, 9)
    assert not any(b"Zanzibar" in (row.data or b"") or b"U0OWNER" in (row.data or b"") for row in rows)
    assert count(place, "log_private") == 1


DRILLED: dict[str, object] = {"provider": "", "requester": Person("-", "-"), "target": "", "reason": ""}


@pytest.mark.parametrize("drill", [Drill(), Drill(fast=True), Drill(only_me=DEPUTY), Drill(True, OWNER)])
async def test_a_drill_is_read_back_as_it_was_started(place: Location, clock: HandClock, drill: Drill) -> None:
    store = await open_database(place, clock)
    case = await filed(store, drill=drill, **DRILLED)
    vote = Vote(OWNER, "here", "owner", T0 + MINUTE, 0)
    answered = case.with_approval(replace(case.approval, votes=(vote,)))
    stored = await store.commit(Transition(case, answered, wake_at=T0 + 10 * MINUTE))
    await store.close()
    store = await open_database(place, clock)
    assert await store.cases.case("R-1") == stored
    assert stored is not None
    assert (stored.request.drill, stored.approval.votes) == (drill, (vote,))
    await store.close()


async def test_a_drill_is_in_no_queue_no_brake_and_no_history(store: SqlStore) -> None:
    await filed(store, drill=Drill(), **DRILLED)
    assert await store.cases.open_cases(["directory"], ["northgate", ""], 10) == []
    assert await store.cases.waiting_for(OWNER, 10) == []
    found = await store.history.filing_limits(PE1, "directory", "northgate", "admin", "", T0 + MINUTE)
    assert (found.pending, found.same_pending, found.asks_in_week, found.last_outcome) == ({}, None, 0, None)
    [listed] = await store.cases.requests(10, closed_too=False)
    assert listed.drill


async def test_one_drill_of_a_runbook_runs_at_a_time(store: SqlStore, place: Location) -> None:
    assert await store.cases.running_drill("admin") is None
    first = await filed(store, drill=Drill(), **DRILLED)
    assert await store.cases.running_drill("admin") == "R-1"
    with pytest.raises(StorageError):
        await filed(store, "R-2", drill=Drill(fast=True), **DRILLED)
    assert count(place, "request") == 1
    await filed(store, "R-3", drill=Drill(), runbook="other", **DRILLED)
    await filed(store, "R-4")
    await store.commit(expiry(first))
    assert await store.cases.running_drill("admin") is None
    await filed(store, "R-5", drill=Drill(), **DRILLED)


async def test_no_row_of_a_grant_is_ever_written_for_a_drill(store: SqlStore, place: Location) -> None:
    case = await filed(store, drill=Drill(), **DRILLED)
    with pytest.raises(IllegalMove, match="never gives access"):
        await store.commit(approval(case))
    assert count(place, "access_grant") == 0
    assert (await store.cases.case("R-1")) == case
