"""Rule 11, first sentence: a provider sees its own requests only."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy.people import Person, Ref
from tests.bot.building import (
    COLLEAGUE,
    DEP1,
    HOME,
    LEAD,
    NAMESAKE,
    OWNER,
    PE1,
    PE2,
    PE3,
    PROV,
    SOC1,
    SOCLEAD,
    STRANGER,
    policy,
    with_domain,
)
from tests.bot.office import Office

NORTHGATE = [PE1, PE2, PE3, LEAD, COLLEAGUE, Person(PROV, "U0OWNER")]
WATCHFIELD = [SOC1, SOCLEAD]


@given(
    filings=st.lists(st.tuples(st.sampled_from([PE1, PE2, PE3, SOC1]), st.sampled_from(["emergency", "token", "contain"])),
                     min_size=1, max_size=6),
    decided=st.booleans(),
)  # fmt: skip
def test_rule_11_through_every_reading_a_provider_sees_its_own_requests_only(
    tmp_path_factory: pytest.TempPathFactory, filings: list[tuple[Person, str]], decided: bool
) -> None:
    async def story() -> None:
        async with Office(tmp_path_factory.mktemp("sight") / "c.db", policy()) as office:
            cases: dict[str, str] = {}
            for n, (person, book) in enumerate(filings):
                case_id = await office.file(person, book, target=f"srv-{n}")
                if office.types(case_id)[0] == "request.filed":
                    cases[case_id] = "watchfield" if person == SOC1 else "northgate"
            if decided:
                await office.click(OWNER, next(iter(cases)), "deny")
            for party, people in (("northgate", NORTHGATE), ("watchfield", WATCHFIELD)):
                for person in people:
                    service = office.service
                    for found in (
                        await service.queries.read_queue(person),
                        await service.queries.read_mine(person),
                        await service.queries.read_waiting(person),
                    ):
                        assert {case.request.provider for case in found} <= {party}
                    sheet = await service.queries.read_home(person, office.clock.now())
                    at_home = (*sheet.waiting, *sheet.mine, *sheet.live, *sheet.owing)
                    assert {case.request.provider for case in at_home} <= {party}
                    for case_id, whose in cases.items():
                        assert (await service.queries.read_case(person, case_id) is not None) == (whose == party)
                        assert (await service.queries.read_case(person, case_id.lower()) is not None) == (whose == party)
            for person in (STRANGER, NAMESAKE):
                assert not list(await office.service.queries.read_queue(person))
                assert [await office.service.queries.read_case(person, c) for c in cases] == [None] * len(cases)

    asyncio.run(story())


@pytest.mark.parametrize(("who", "whose"), [*product([OWNER, DEP1], ["northgate", "watchfield"])])
async def test_rule_11_anyone_who_changes_sides_sees_from_then_on_what_the_new_side_sees(
    office: Office, who: Person, whose: str
) -> None:
    mine = {"northgate": await office.file(PE1, "contain"), "watchfield": await office.file(SOC1, "contain")}
    other = next(p for p in mine if p != whose)
    provider = office.policy.providers[whose]
    hired = replace(provider, members=(*provider.members, Ref(who.user, frozenset({HOME}))))
    without = with_domain(office.policy, owner=PE1 if who == OWNER else OWNER, deputies=())
    await office.adopt(replace(without, providers={**office.policy.providers, whose: hired}))
    assert await office.service.queries.read_case(who, mine[other]) is None
    assert {case.id for case in await office.service.queries.read_queue(who)} == {mine[whose]}
    assert {case.id for case in await office.service.queries.read_waiting(who)} <= {mine[whose]}
