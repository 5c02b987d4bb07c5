"""The brakes of section 4: what earlier requests say about a new one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.policy.people import Person
from bot.ports.records import FilingLimits
from storage.sql_store import SqlStore
from tests.storage.making import (
    DEPUTY,
    HOUR,
    MINUTE,
    MS,
    PE1,
    T0,
    approval,
    denial,
    expiry,
    filing,
    new_case,
)

FREE = FilingLimits({}, None, None, None, expired_recently=False, asks_in_week=0, last_outcome=None)


async def filed(store: SqlStore, case_id: str, **how: Any) -> Any:
    return await store.commit(filing(new_case(case_id, **how)))


async def asked(
    store: SqlStore, now: datetime = T0 + HOUR, target: str = "dc1", who: Person = PE1, **how: Any
) -> FilingLimits:
    return await store.history.filing_limits(who, "directory", "northgate", "admin", target, now, **how)


async def test_a_first_request_meets_no_brake(store: SqlStore) -> None:
    assert await asked(store) == FREE


async def test_pending_requests_count_per_human_and_domain(store: SqlStore) -> None:
    await filed(store, "R-1", target="a")
    await filed(store, "R-2", target="b", runbook="reset")
    await filed(store, "R-3", domain="machines")
    await filed(store, "R-4", requester=Person("T0HOME", PE1.user))
    await store.commit(denial(await filed(store, "R-5")))
    await filed(store, "R-6", requester=DEPUTY)
    assert (await asked(store)).pending == {"admin": 2, "reset": 1}
    assert (await asked(store, also=[DEPUTY.user, PE1.user])).pending == {"admin": 3, "reset": 1}


async def test_the_same_again_while_pending_names_the_open_one(store: SqlStore) -> None:
    await filed(store, "R-1", target="dc1-old")
    assert (await asked(store)).same_pending is None
    case = await filed(store, "R-2")
    assert (await asked(store)).same_pending == "R-2"
    assert (await asked(store, who=DEPUTY)).same_pending is None
    await store.commit(expiry(case))
    assert (await asked(store)).same_pending is None


async def test_a_denial_within_a_day_is_remembered_with_its_denier(store: SqlStore) -> None:
    await store.commit(denial(await filed(store, "R-1"), DEPUTY, T0))
    day = timedelta(hours=24)
    found = await asked(store, T0 + day - MS, who=Person("T0PROV", "U0ELSE"))
    assert (found.denied_by, found.denied_as) == (DEPUTY, "owner")
    assert (await asked(store, T0 + day)).denied_by is None
    assert (await asked(store, T0 + day / 60, denied_within=day / 60)).denied_by is None
    assert (await asked(store, target="dc2")).denied_by is None


async def test_an_expiry_within_two_hours_is_remembered(store: SqlStore) -> None:
    await store.commit(expiry(await filed(store, "R-1"), T0))
    assert (await asked(store, T0 + 2 * HOUR - MS)).expired_recently
    assert not (await asked(store, T0 + 2 * HOUR)).expired_recently
    assert not (await asked(store, T0 + MINUTE, expired_within=MINUTE)).expired_recently
    assert not (await asked(store, target="dc2")).expired_recently


async def test_the_line_of_history_counts_a_week_and_names_the_last_outcome(store: SqlStore) -> None:
    await store.commit(denial(await filed(store, "R-1"), at=T0))
    await store.commit(approval(await filed(store, "R-2", filed_at=T0 + HOUR), T0 + 2 * HOUR))
    await filed(store, "R-3", filed_at=T0 + 3 * HOUR, provider="watchfield")
    found = await asked(store, T0 + timedelta(days=7) - MS)
    assert (found.asks_in_week, found.last_outcome) == (2, "approved")
    assert (await asked(store, T0 + timedelta(days=7))).asks_in_week == 1


@pytest.mark.parametrize("typed", ["svc-ledger\u200b-07", "svc-ledger-07\u2060", "SVC-Ledger-07", " svc-ledger-07"])
async def test_targets_that_look_the_same_are_the_same_for_the_brakes(store: SqlStore, typed: str) -> None:
    case = await filed(store, "R-1", target="svc-ledger-07")
    assert (await asked(store, target=typed)).same_pending == "R-1"
    await store.commit(denial(case, DEPUTY, T0))
    assert (await asked(store, T0 + MINUTE, target=typed)).denied_by == DEPUTY
    await store.commit(expiry(await filed(store, "R-2", target=typed), T0))
    assert (await asked(store, T0 + MINUTE, target="svc-ledger-07")).expired_recently
