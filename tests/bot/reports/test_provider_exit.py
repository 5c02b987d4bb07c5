"""What a provider leaves behind: what was open and how it ended, what is owed, each with its entry."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli.report import app
from bot.domain.policy.model import Policy
from bot.reports.provider_exit import exit_record, lines, page
from tests.bot.building import DAY, HOUR, MINUTE, NORTHGATE, OWNER, PE1, PE2, SOC1, T0, policy, runbook
from tests.bot.hosting import Host
from tests.bot.office import Office


@pytest.fixture
def ending() -> Policy:
    legacy = runbook("legacy", kind="policy_exception", max_duration=90 * 86400, escalation="short", review_within=None)
    rotated = runbook("rotated", evidence=("session_log",), rotate_within=3600, review_within=None)
    base = policy(runbooks=[runbook("emergency"), runbook("box", domain="machines"), legacy, rotated])
    return replace(base, providers={**base.providers, "northgate": replace(NORTHGATE, contract_until=T0.date())})


async def test_what_was_open_at_the_end_is_listed_with_how_it_ended_and_its_entry(ending: Policy, tmp_path: Path) -> None:
    async with Office(tmp_path / "countersign.db", ending) as office:
        await office.sweeper.sweep()
        before = await office.file(PE1, "box", target="srv-0")
        await office.click(OWNER, before, "deny")
        office.clock.at = (T0 + DAY).replace(hour=0) - MINUTE
        pending, opened = await office.file(PE1), await office.file(PE2, "rotated")
        exception = await office.file(PE1, "legacy", until=str((T0 + 60 * DAY).date()))
        other = await office.file(SOC1)
        for case_id in (opened, exception):
            await office.click(OWNER, case_id)
        preview = await exit_record(office.store, ending, ending.providers["northgate"], office.clock.now())
        assert (preview.over, {c.id: c.now for c in preview.open})[0] is False
        assert {c.id for c in preview.open} >= {pending, opened, exception}
        office.clock.at += MINUTE
        await office.sweeper.sweep()
        record = await exit_record(office.store, ending, ending.providers["northgate"], office.clock.now() + HOUR)
        found = {c.id: c for c in record.open}
        assert other not in found
        assert (found[pending].was, found[pending].now) == ("pending", "expired")
        assert (found[opened].was, found[opened].now) == ("open", "lapsed")
        assert (found[exception].was, found[exception].now) == ("exception", "open")
        types = {entry["i"]: entry["type"] for entry in office.log()}
        assert types[found[pending].entry or 0] == "request.expired"
        assert types[found[opened].entry or 0] == "grant.lapsed"
        assert {(one.id, one.kind) for one in record.owed} == {(opened, "evidence"), (opened, "rotation")}
        assert ("U0PLEAD", "lead") in record.people
        assert ("emergency", "directory", "approval") in record.rights
        told = json.loads(json.dumps(record.as_json()))
        assert [one["id"] for one in told["rotations_owed"]] == [opened]
        assert "Northgate ended at" in "\n".join(lines(record))
        html = page(record)
        assert all(case_id in html for case_id in (pending, opened, exception))


async def test_what_an_end_in_the_past_ended_later_is_listed_and_what_people_ended_is_not(
    ending: Policy, tmp_path: Path
) -> None:
    living = replace(ending, providers={**ending.providers, "northgate": replace(NORTHGATE, contract_until=None)})
    async with Office(tmp_path / "countersign.db", living) as office:
        office.clock.at = T0 + 3 * DAY
        denied, pending = await office.file(PE2), await office.file(PE1, "legacy", until=str((T0 + 60 * DAY).date()))
        await office.click(OWNER, denied, "deny")
        opened = await office.file(PE2, "rotated")
        await office.click(OWNER, opened)
        await office.adopt(ending)
        await office.sweeper.sweep()
        office.clock.at += DAY + MINUTE
        await office.sweeper.sweep()
        record = await exit_record(office.store, ending, ending.providers["northgate"], office.clock.now() + HOUR)
        assert {c.id: (c.was, c.now) for c in record.open} == {pending: ("pending", "expired"), opened: ("open", "lapsed")}


async def test_the_command_prints_text_json_or_a_page(host: Host, tmp_path: Path) -> None:
    case_id = await host.ask()
    provider = (await host.case(case_id)).request.provider
    code, text = await host.type("exit", provider, app=app)
    assert (code, case_id in text) == (0, True)
    code, text = await host.type("exit", provider, "--json", app=app)
    assert [one["id"] for one in json.loads(text)["open"]] == [case_id]
    code, text = await host.type("exit", provider, "--html", str(tmp_path / "exit.html"), app=app)
    assert code == 0
    assert case_id in (tmp_path / "exit.html").read_text()
    assert (await host.type("exit", "nobody", app=app))[0] == 2
