"""Policy exceptions on the real service, worker, sweeper and store: over restarts and downtime, and their register."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.exception_register import COLUMNS
from bot.cli.main import app
from bot.clock import SystemClock
from bot.domain.policy.people import Person
from bot.ports.commands import Press, ReplyAddress
from storage.log.check import check_database
from tests.bot.building import AUDIT, DAY, DEP1, HOUR, MACH, OWNER, PE1, SOC1, STRANGER, policy, runbook
from tests.bot.office import Office
from tests.database import place, url

pytestmark = pytest.mark.both

EXCEPTION = runbook(
    "exception", kind="policy_exception", max_duration=90 * 86400, escalation="short", review_within=None, risk="medium"
)  # fmt: skip


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    opened = Office(tmp_path / "countersign.db", policy(runbooks=[EXCEPTION]))
    opened.clock.at = SystemClock().now().replace(hour=9, minute=0)
    async with opened:
        yield opened


def in_days(office: Office, days: int) -> str:
    return (office.clock.at + timedelta(days=days)).date().isoformat()


async def opened(office: Office, days: int = 40, who: Person = PE1, target: str = "=cmd()") -> str:
    case_id = await office.file(who, "exception", until=in_days(office, days), target=target, seconds=0)
    await office.click(OWNER, case_id)
    return case_id


async def renew(office: Office, case_id: str, days: int) -> None:
    act = Press(PE1, case_id, 1, "renew", ReplyAddress(PE1, channel="D0"), until=in_days(office, days))
    await office.take_in(act)
    await office.worker.drain()


async def until(office: Office, case_id: str) -> datetime:
    grant = (await office.case(case_id)).grant
    assert grant is not None
    return grant.not_after


async def test_an_exception_lives_through_restarts_with_its_date_its_reminder_and_its_terms(office: Office) -> None:
    case_id = await opened(office)
    before = await office.case(case_id)
    await office.restart()
    assert await office.case(case_id) == before
    assert before.grant is not None
    assert before.grant.remind_at is not None
    assert before.request.terms.risk == "medium"


async def test_an_exception_whose_date_came_while_the_bot_was_down_ends_first_thing(office: Office) -> None:
    case_id = await opened(office, 4)
    office.sleep(30 * DAY)
    assert await office.service.queries.read_exceptions(OWNER, office.clock.at) == []
    await office.restart()
    await office.sweeper.sweep()
    assert office.types(case_id)[-1] == "exception.ended"
    assert check_database(place(office.path)).findings == ()


async def test_a_renewal_is_asked_for_decided_and_survives_a_restart(office: Office) -> None:
    case_id = await opened(office)
    first = await until(office, case_id)
    office.sleep(31 * DAY)
    await office.sweeper.sweep()
    await renew(office, case_id, 60)
    await office.restart()
    await office.click(OWNER, case_id, version=2)
    assert (await until(office, case_id)).replace(microsecond=0) == first + timedelta(days=51)
    assert [t for t in office.types(case_id) if t.startswith(("renewal", "exception"))] == [
        "exception.opened", "renewal.asked", "exception.renewed",
    ]  # fmt: skip
    assert check_database(place(office.path)).findings == ()


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({"max_renewals": 0}, 40), ({"providers": ("watchfield",)}, 40), ({"max_duration": 20 * 86400}, 40),
        ({"max_duration": 50 * 86400}, 50),
    ],
)  # fmt: skip
async def test_what_the_policy_takes_away_before_the_yes_to_a_renewal_counts(
    office: Office, changes: dict[str, Any], days: int
) -> None:
    case_id = await opened(office)
    end = await until(office, case_id)
    await renew(office, case_id, 60)
    await office.adopt(policy(runbooks=[replace(EXCEPTION, **changes)], digest="ee" * 32))
    await office.click(OWNER, case_id, version=2)
    expected = end if days == 40 else office.clock.at + days * DAY
    assert await until(office, case_id) == expected
    assert office.types(case_id)[-1] == ("decision.refused" if days == 40 else "exception.renewed")


async def test_reminders_are_said_once_however_often_the_sweeper_looks(office: Office) -> None:
    await opened(office)
    await office.forward(39 * DAY, every=6 * HOUR)
    said = office.rows("SELECT to_user FROM outbox WHERE purpose = 'expiring' ORDER BY id")
    assert [row["to_user"] for row in said] == ["U0PE1", "U0OWNER"] * 2


async def test_the_register_is_seen_by_the_domain_the_provider_and_auditors_only(office: Office) -> None:
    mine, other = await opened(office, 40), await opened(office, 20, SOC1)
    now = office.clock.at

    async def seen(person: Person) -> list[str]:
        return [case.id for case in await office.service.queries.read_exceptions(person, now)]

    assert await seen(OWNER) == await seen(DEP1) == await seen(AUDIT) == [other, mine]
    assert await seen(PE1) == [mine]
    assert await seen(SOC1) == [other]
    assert await seen(MACH) == await seen(STRANGER) == []


class TestTheRegisterOnTheHost:
    @pytest.fixture(autouse=True)
    async def host(self, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(office.path))

    async def type(self, *words: str) -> tuple[int, str]:
        done = await asyncio.to_thread(CliRunner().invoke, app, ["exceptions", *words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout

    async def test_is_text_json_or_csv_and_nothing_in_it_is_run(self, office: Office) -> None:
        case_id = await opened(office)
        code, text = await self.type()
        assert (code, case_id in text, "cmd" in text) == (0, True, False)
        code, text = await self.type("--json")
        (one,) = json.loads(text)
        assert (code, one["id"], one["target"], tuple(one)) == (0, case_id, "=cmd()", COLUMNS)
        code, text = await self.type("--csv")
        head, line = csv.reader(io.StringIO(text))
        assert (code, tuple(head)) == (0, COLUMNS)
        assert dict(zip(head, line, strict=True))["target"] == "'=cmd()"

    async def test_shows_what_holds_and_all_that_ever_did_if_asked(self, office: Office) -> None:
        case_id = await opened(office)
        await office.click(PE1, case_id, "finish")
        assert (await self.type())[1].strip() == "No exception is open."
        code, text = await self.type("--all", "--json")
        assert (code, [(one["id"], one["state"]) for one in json.loads(text)]) == (0, [(case_id, "finished")])

    async def test_still_shows_of_one_that_is_over_what_only_the_log_keeps(self, office: Office) -> None:
        case_id = await opened(office, target="srv-9")
        await office.click(PE1, case_id, "finish")
        await office.deliver()
        assert await office.store.operator.empty_over(10) == 1
        (one,) = json.loads((await self.type("--all", "--json"))[1])
        assert (one["id"], one["target"]) == (case_id, "srv-9")

    async def test_never_shows_one_as_open_whose_date_has_come_though_no_timer_ran(self, office: Office) -> None:
        office.clock.at -= 30 * DAY
        await opened(office, 4)
        assert json.loads((await self.type("--json"))[1]) == []
        (one,) = json.loads((await self.type("--json", "--all"))[1])
        assert one["state"] == "lapsed"

    async def test_wants_one_format_and_a_database(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        assert (await self.type("--json", "--csv"))[0] == 2
        monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", "sqlite:///nowhere.db")
        assert (await self.type())[0] == 2
