"""Ratification, extension, renewal, Restore and Keep under a runbook that demands a signature."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.case.ask import AskKind
from bot.domain.case.lifecycle import AskState
from bot.ports.commands import Press, ReplyAddress
from storage.log.check import check_database
from tests.bot.building import DAY, DEP1, HOUR, OWNER, PE1
from tests.bot.office import Office
from tests.bot.passkeys import signature_findings, signed_policy, signs, with_words
from tests.database import place


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    policy = signed_policy()
    books = policy.runbooks
    renewable = replace(
        books["emergency"], id="dated", kind="policy_exception", max_duration=90 * 86_400, default_duration=86_400,
        review_within=None,
    )  # fmt: skip
    unlock = replace(books["unlock"], review_every=30 * 86_400)
    changed = replace(policy, runbooks={**books, "dated": renewable, "unlock": unlock})
    async with Office(tmp_path / "countersign.db", changed) as opened:
        yield with_words(opened)


async def version_of(office: Office, case_id: str, kind: AskKind) -> int:
    """The newest open ask of a kind; the sweeper puts it to people first."""
    await office.sweeper.sweep()
    case = await office.case(case_id)
    return next(ask.version for ask in reversed(case.asks) if ask.kind == kind and ask.state is AskState.OPEN)


async def assert_answered(office: Office, case_id: str, kind: AskKind, press: str, verdict: str, type_: str) -> None:
    """A press in Slack counts for nothing, a signature does, and its entry says so."""
    version = await version_of(office, case_id, kind)
    await office.click(OWNER, case_id, press, version)
    ask = (await office.case(case_id)).question(version)
    assert ask is not None
    assert ask.votes == ()
    told = await signs(office, OWNER, case_id, verdict, version=version)
    assert told.body["ok"] is True, told.body
    entry = next(e for e in reversed(office.log(case_id)) if e["type"] == type_)
    assert entry["data"]["signed"] is True
    assert len(entry["data"]["statement"]) == 64
    assert check_database(place(office.path)).findings == ()
    assert signature_findings(office) == []


async def test_a_ratification_is_signed(office: Office) -> None:
    case_id = await office.file(PE1, "glass")
    await assert_answered(office, case_id, "ratification", "ratify", "ratify", "breakglass.ratified")


async def test_an_extension_is_signed(office: Office) -> None:
    case_id = await office.file(PE1, seconds=1800)
    await office.sweeper.sweep()
    assert (await signs(office, OWNER, case_id)).body["ok"] is True
    await office.take_in(Press(PE1, case_id, 1, "extend", ReplyAddress(PE1, channel="D0"), seconds=900))
    await office.worker.drain()
    await assert_answered(office, case_id, "extension", "approve", "extend", "request.approved")
    grant = (await office.case(case_id)).grant
    assert grant is not None
    assert grant.seconds == 2700


async def test_a_renewal_is_signed_and_its_statement_names_the_day(office: Office) -> None:
    until = (office.clock.now() + timedelta(days=8)).date()
    case_id = await office.file(PE1, "dated", until=str(until))
    await office.sweeper.sweep()
    assert (await signs(office, OWNER, case_id)).body["ok"] is True
    entry = next(e for e in office.log(case_id) if e["type"] == "request.approved")
    assert entry["data"]["until"] == str(until)
    await office.forward(7 * DAY, every=6 * HOUR)
    later = str((office.clock.now() + timedelta(days=20)).date())
    await office.take_in(Press(PE1, case_id, 1, "renew", ReplyAddress(PE1, channel="D0"), until=later))
    await office.worker.drain()
    await assert_answered(office, case_id, "renewal", "approve", "renew", "request.approved")


async def test_less_of_an_exception_is_an_earlier_day(office: Office) -> None:
    until, earlier = ((office.clock.now() + timedelta(days=days)).date() for days in (8, 3))
    case_id = await office.file(PE1, "dated", until=str(until))
    await office.sweeper.sweep()
    assert (await signs(office, OWNER, case_id, until=str(earlier))).body["ok"] is True
    grant = (await office.case(case_id)).grant
    assert grant is not None
    assert grant.not_after.date() == earlier
    assert signature_findings(office) == []


async def test_restoring_an_authority_is_signed(office: Office) -> None:
    case_id = await office.file(PE1, "cooling", subject=DEP1)
    await office.sweeper.sweep()
    assert (await signs(office, OWNER, case_id)).body["ok"] is True
    await office.forward(HOUR)
    suspension = next(row["id"] for row in office.rows("SELECT id FROM request WHERE matter = 'suspension'"))
    await assert_answered(office, suspension, "restore", "restore", "restore", "authority.restored")


async def test_keeping_a_right_is_signed(office: Office) -> None:
    await office.service.transactions.keep_rights()
    right = next(row["id"] for row in office.rows("SELECT id FROM request WHERE matter = 'right'"))
    await office.forward(31 * DAY, every=12 * HOUR)
    await assert_answered(office, right, "right", "keep", "keep", "right.kept")
