"""A disk that fails at each statement of an act in turn: nothing of it is left, and afterwards it is carried out whole (rule 4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.errors import StorageError
from bot.ports.commands import ReplyAddress, SetAbsence
from storage.log.check import check_database
from tests.bot.building import DAY, DEP1, HOUR, MINUTE, OWNER, PE1, policy
from tests.bot.office import LEASE, Office
from tests.database import place
from tests.rules.failing import fail_after

pytestmark = pytest.mark.sqlite  # a disk that fails at a chosen statement

Act = Callable[[], Awaitable[object]]


async def carried_out(office: Office, act: Any) -> Act:
    await office.take_in(act)
    (row,) = await office.store.inbox.unfinished(10)
    return lambda: office.service.carry_out(row)


async def filing(office: Office) -> tuple[Act, str]:
    return await carried_out(office, office.form(PE1, "contain")), "step.fired"


async def a_yes(office: Office) -> tuple[Act, str]:
    case_id = await office.file(PE1)
    await office.deliver()
    return await carried_out(office, office.press(OWNER, case_id)), "grant.opened"


async def a_no(office: Office) -> tuple[Act, str]:
    case_id = await office.file(PE1)
    await office.deliver()
    return await carried_out(office, office.press(OWNER, case_id, "deny")), "request.denied"


async def a_step(office: Office) -> tuple[Act, str]:
    await office.file(PE1)
    await office.deliver()
    office.sleep(5 * MINUTE)
    return office.sweeper.sweep, "step.fired"


async def an_expiry(office: Office) -> tuple[Act, str]:
    await office.file(PE1)
    await office.deliver()
    office.sleep(DAY)
    return office.sweeper.sweep, "request.expired"


async def a_lapse(office: Office) -> tuple[Act, str]:
    await office.click(OWNER, await office.file(PE1))
    office.sleep(DAY)
    return office.sweeper.sweep, "review.due"


async def a_return(office: Office) -> tuple[Act, str]:
    await office.away(OWNER, HOUR)
    await office.click(DEP1, await office.file(PE1))
    return await carried_out(office, SetAbsence(OWNER, ReplyAddress(OWNER))), "absence.cleared"


async def a_lost_card(office: Office) -> tuple[Act, str]:
    await office.file(PE1)
    now = office.clock.now()
    card = next(o for o in await office.store.outbox.lease(now, now + LEASE, 9) if o.say.purpose == "card")
    return lambda: office.service.transactions.undelivered(card, "user_not_found"), "step.fired"


ACTS = [filing, a_yes, a_no, a_step, an_expiry, a_lapse, a_return, a_lost_card]


BESIDE = {"contract_grace"}  # when contracts were last looked at: the sweeper writes it in a transaction of its own, first


def everything(office: Office) -> list[Any]:
    found = office.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    names = [row["name"] for row in found if row["name"] not in BESIDE]
    return [(name, [tuple(row) for row in office.rows(f"SELECT * FROM {name}")]) for name in names]


async def attempt(act: Act) -> None:
    """The sweeper writes down what failed and goes on; everybody else is notified."""
    with capture_logs():
        try:
            await act()
        except StorageError:
            return


@pytest.mark.parametrize("prepare", ACTS, ids=lambda f: f.__name__)
async def test_rule_4_an_act_is_never_split_at_whichever_statement_the_disk_fails(
    tmp_path: Path, prepare: Callable[[Office], Awaitable[tuple[Act, str]]]
) -> None:
    path = tmp_path / "c.db"
    async with Office(path, policy()) as office:
        act, told = await prepare(office)
        before, statements = everything(office), 0
        while True:
            failing = fail_after(office.store, statements)
            await attempt(act)
            if failing.left >= 0:
                break
            assert everything(office) == before, f"something stands after {statements} statements"
            statements += 1
        assert statements > 5
        new = office.log(start=len(dict(before)["log_entry"]))
        assert told in [entry["type"] for entry in new]
    assert check_database(place(path)).findings == ()
