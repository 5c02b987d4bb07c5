"""A question waits only for whom it is theirs to answer: neither Home nor `/countersign review` lists it for who is barred."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.policy.model import Suspended, TakenAway
from bot.domain.policy.people import Humans, Person
from bot.ports.commands import ReplyAddress, ShowPage
from handlers.views.home import home
from handlers.views.kit.context import ViewContext
from tests.bot.building import DEP1, OWNER, PE1, RISK, policy, with_domain
from tests.bot.office import Office

pytestmark = pytest.mark.both

ALONE = with_domain(policy(), deputies=(), risk_owner=None, on_call=None)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", ALONE) as running:
        yield running


async def waits_for(office: Office, person: Person) -> tuple[int, list[str], bool]:
    """How many things wait in somebody's Home, what `review` lists, and whether Home offers an answer."""
    await office.service.current.refresh()
    sheet = await office.service.queries.read_home(person, office.clock.now())
    listed = [case.id for case in await office.service.queries.read_reviews(person)]
    drawn = str(home(sheet, ViewContext(office.service.current.policy, office.clock.now()), may_ask=False))
    return sheet.waits, listed, "In order" in drawn or "Approve" in drawn or "Accept" in drawn


async def reviewed(office: Office) -> str:
    """A grant that the owner alone approved, which is over: the review asks them, for there is nobody else."""
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id)
    await office.click(PE1, case_id, "finish")
    await office.forward(timedelta(seconds=1))
    return case_id


async def test_a_review_of_the_owners_own_yes_is_listed_for_nobody_barred_from_it(office: Office) -> None:
    case_id = await reviewed(office)
    assert await waits_for(office, OWNER) == (1, [case_id], True)
    await office.adopt(with_domain(ALONE, deputies=(DEP1,)))
    assert await waits_for(office, OWNER) == (0, [], False)
    await office.together(ShowPage(OWNER, "review", "", ReplyAddress(OWNER, channel="D0")))
    assert not office.rows(
        "SELECT 1 FROM outbox WHERE purpose LIKE 'ask.%' AND CAST(json_extract(data, '$.wanted') AS INTEGER) = 1"
    )


async def test_a_second_account_of_the_only_approver_is_barred_too(office: Office) -> None:
    both = replace(with_domain(ALONE, owner=RISK), humans=Humans.joined([[OWNER.user, RISK.user]]))
    case_id = await reviewed(office)
    await office.adopt(with_domain(ALONE, deputies=(DEP1,)))
    assert (await waits_for(office, OWNER))[0] == 0
    await office.adopt(both)
    assert case_id
    assert (await waits_for(office, RISK))[:2] == (0, [])


@pytest.mark.parametrize("why", ["suspended", "requester"])
async def test_a_pending_request_is_not_listed_for_who_is_barred_from_it(office: Office, why: str) -> None:
    case_id = await office.file(PE1)
    assert await waits_for(office, OWNER) == (1, [], True)
    if why == "suspended":
        standing = TakenAway(suspended=frozenset({Suspended("directory", OWNER, "R-00000002")}))
        office.service.current.sets = office.service.current.sets.with_current(replace(ALONE, standing=standing))
    else:
        await office.adopt(replace(ALONE, humans=Humans.joined([[PE1.user, OWNER.user]])))
    sheet = await office.service.queries.read_home(OWNER, office.clock.now())
    assert (sheet.waits, case_id in [case.id for case in await office.service.queries.read_waiting(OWNER)]) == (0, False)
