"""A merger: two domains get new owners on a date while requests are pending, grants are open and reviews are due.

Nothing is orphaned, both sides are informed, and the log says it. Source: governance-contract.md, sections 1 and 2.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.policy.governance import OwnerTerm, ReviewRules
from bot.domain.policy.people import Person
from storage.log.check import check_database
from tests.bot.building import DAY, HOUR, MACH, MINUTE, OWNER, PE1, PE2, RISK, SOC1, T0, home, policy, runbook
from tests.bot.governed import GovernedOffice
from tests.database import place
from tests.rules.test_governance_machine import PATIENT

INES, IGOR = home("U0INES"), home("U0IGOR")
FIRST = T0.date() + DAY * 9
LAST = FIRST - DAY
MIDNIGHT = T0.replace(hour=0) + 9 * DAY
BOOKS = [
    runbook("emergency", escalation="patient"),
    runbook("unlock", kind="reset", right="autonomous", escalation=None, review_within=None),
    runbook("token", kind="reset", domain="machines", escalation="patient", max_duration=20 * 86400, review_within=None),
    runbook(
        "waiver",
        kind="policy_exception",
        domain="machines",
        escalation="patient",
        max_duration=60 * 86400,
        review_within=None,
    ),
]
PLAIN = policy(
    runbooks=BOOKS, escalation_policies=[PATIENT], default_escalation="patient",
    review=ReviewRules(180 * 86400, 90 * 86400, 10, "narrow"),
)  # fmt: skip
NEW = {"directory": (OWNER, INES), "machines": (MACH, IGOR)}
BASE = replace(
    PLAIN,
    domains={
        id_: replace(
            PLAIN.domains[id_], risk_owner=RISK, terms=(OwnerTerm(was, None, LAST), OwnerTerm(now, FIRST))
        )
        for id_, (was, now) in NEW.items()
    },
)  # fmt: skip


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[GovernedOffice]:
    async with GovernedOffice(tmp_path / "countersign.db", BASE.on(T0.date())) as running:
        await running.begin(None)
        yield running
        assert check_database(place(running.path)).findings == ()


def told(office: GovernedOffice, person: Person) -> list[str]:
    rows = office.rows("SELECT data FROM outbox WHERE to_user = :u AND purpose = 'answer'", u=person.user)
    shown = [str(row.say.data.get("text")) for row in office.shown if row.say.to == person]
    return [*shown, *(str(row["data"]) for row in rows)]


async def test_everything_that_is_open_goes_over_on_the_day(office: GovernedOffice) -> None:
    opened = await office.file(PE1, "token", seconds=20 * 86400)
    await office.click(MACH, opened)
    until = (office.clock.at + 50 * DAY).date().isoformat()
    waiver = await office.file(PE1, "waiver", until=until, target="srv-7")
    await office.click(MACH, waiver)
    await office.pass_days(8)
    office.clock.at = MIDNIGHT - HOUR
    pending = [await office.file(PE2, "emergency"), await office.file(SOC1, "token", target="srv-9")]
    campaigns = {c.owner: c.id for c in await office.campaigns(closed_too=False)}
    assert {OWNER, MACH} <= campaigns.keys()
    office.clock.at = MIDNIGHT + MINUTE
    await office.look()

    handed = {e["data"]["domain"]: e["data"] for e in office.entries("domain.handed_over")}
    assert {id_: (data["from"], data["to"]) for id_, data in handed.items()} == NEW
    assert (handed["directory"]["asks"], handed["machines"]["asks"]) == ([pending[0]], [pending[1]])
    assert handed["machines"]["exceptions"] == [waiver]
    for was, now in NEW.values():
        assert any("directory" in text.lower() or "machines" in text.lower() for text in told(office, was))
        assert told(office, now)
    for case, now in zip(pending, (INES, IGOR), strict=True):
        assert now in (await office.case(case)).approval.asked
        await office.click(now, case)
        assert await office.state(case) is RequestState.APPROVED
    for case in (opened, waiver):
        grant = (await office.case(case)).grant
        assert grant is not None
        assert grant.state is GrantState.OPEN


async def test_the_reviews_that_are_due_are_the_new_owners_with_a_full_window(office: GovernedOffice) -> None:
    await office.pass_days(8)
    before = {c.owner: c for c in await office.campaigns(closed_too=False)}
    assert before[OWNER].counted > 3
    office.clock.at = MIDNIGHT + MINUTE
    await office.look()
    await office.pass_days(1)
    after = {c.id: c for c in await office.campaigns(closed_too=False)}
    for was, now in NEW.values():
        campaign = after[before[was].id]
        assert (campaign.owner, campaign.role_of(now)) == (now, "owner")
        assert campaign.counted <= 1
        await office.answer(was, campaign, "keep", campaign.unanswered[0].key)
        assert len((await office.store.reviews.campaign(campaign.id)).unanswered) == len(campaign.unanswered)  # type: ignore[union-attr]
        await office.answer(now, campaign, "keep")
    keys = [item.key for c in await office.campaigns() for item in c.items if c.state == "open"]
    assert keys == []
    await office.pass_days(10)
    assert office.entries("right.narrowed") == []


async def test_while_the_bot_was_down_the_hand_over_is_made_up_and_nobodys_silence_counts(office: GovernedOffice) -> None:
    pending = await office.file(PE2, "emergency")
    office.sleep(timedelta(days=12))
    await office.restart()
    await office.look()
    assert len(office.entries("domain.handed_over")) == 2
    assert INES in (await office.case(pending)).approval.asked or await office.state(pending) is RequestState.EXPIRED
    assert office.entries("right.narrowed") == []
