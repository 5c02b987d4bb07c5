"""The delay of policy changes, judged again in a stored log and in an export of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.domain.authority.policy_rollout import InForce, Sets
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.policy.model import Policy
from bot.evidence.check import check_export
from bot.evidence.stored_policy import policy_check
from bot.ports.commands import Press, ReplyAddress
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from tests.bot.building import DEP1, MINUTE, OWNER, PE1, home
from tests.bot.evidence.conftest import ORIGIN, RUNBOOK, Written, adopt, made
from tests.bot.evidence.signing import Scribe
from tests.bot.office import Office
from tests.conftest import EXAMPLE
from tests.database import url

HOW = {"fields": {"ticket": "INC1"}, "reason": "disk full"}


def example(**changes: tuple[str, str]) -> Policy:
    """The example organisation with one text replaced by another in its files."""
    files = dict(read_folder(EXAMPLE))
    for path, (old, new) in changes.items():
        name = {"matrix": "responsibility.yaml", "runbook": f"{RUNBOOK}.md"}[path]
        assert old.encode() in files[name], old
        files[name] = files[name].replace(old.encode(), new.encode(), 1)
    loaded = load_files(files)
    assert loaded.policy is not None, loaded.errors
    return loaded.policy


SAMIRA = home("U0CLIN")
TWO = {"runbook": ("approvals: 1", "approvals: 2")}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", example()) as opened:
        yield opened


async def forget(office: Office) -> None:
    """A bot that does not know any more what was in force before the set of now."""
    office.service.current.sets = Sets((InForce(office.service.current.policy, office.clock.now()),))


def both_ways(office: Office, tmp_path: Path) -> tuple[list[LogFinding], list[LogFinding]]:
    """What the database says, and what an export of it says, of the delay."""
    scribe = Scribe(ORIGIN)
    scribe.sign(office.path)
    out = made(Written(office.path, scribe, {}), tmp_path / "evidence")
    found = check_export(out, scribe.vkey).findings
    assert {finding.code for finding in found} <= {"delay"}
    return list(policy_check(office.place).findings), found


async def begin(office: Office, first: Policy, then: Policy, *, forgets: bool = True) -> None:
    """One set for an hour, then another."""
    await adopt(office, first)
    office.clock.at += timedelta(hours=1)
    await adopt(office, then)
    if forgets:
        await forget(office)


def codes(found: list[LogFinding]) -> list[str]:
    return [finding.code for finding in found]


async def test_a_yes_of_the_new_owner_of_a_runbook_that_moved_is_a_finding(office: Office, tmp_path: Path) -> None:
    await begin(office, example(), example(runbook=("domain: directory", "domain: clinical")))
    case = await office.file(PE1, RUNBOOK, target="dc-1", **HOW)
    await office.click(SAMIRA, case)
    assert "grant.opened" in office.types(case)
    stored, exported = both_ways(office, tmp_path)
    assert stored == exported
    assert codes(stored) == ["delay", "delay"]
    assert case in stored[0].text
    assert "had no authority" in stored[0].text
    assert "0 of 1 yeses" in stored[1].text


async def test_a_yes_of_a_new_owner_is_a_finding(office: Office, tmp_path: Path) -> None:
    await begin(office, example(), example(matrix=("owner: olga", "owner: samira")))
    await office.click(SAMIRA, await office.file(PE1, RUNBOOK, target="dc-1", **HOW))
    stored, exported = both_ways(office, tmp_path)
    assert stored == exported
    assert codes(stored) == ["delay", "delay"]


async def test_a_grant_on_fewer_yeses_than_the_set_before_demanded_is_a_finding(office: Office, tmp_path: Path) -> None:
    await begin(office, example(**TWO), example())
    await office.click(OWNER, await office.file(PE1, RUNBOOK, target="dc-1", **HOW))
    stored, exported = both_ways(office, tmp_path)
    assert stored == exported
    assert codes(stored) == ["delay"]
    assert "1 of 2 yeses" in stored[0].text


async def test_a_break_glass_that_the_set_before_did_not_know_is_a_finding(office: Office, tmp_path: Path) -> None:
    immediate = {"runbook": ("right: approval", "right: immediate")}
    glass = {"runbook": ("right: approval", "right: immediate\nbreak_glass: {ratify_within: 4h, quota: 2 per 30d}")}
    await begin(office, example(**immediate), example(**glass))
    fields = {"ticket": "INC1", "incident_reference": "INC1"}
    case = await office.file(PE1, RUNBOOK, target="dc-1", reason="disk full", fields=fields)
    assert "breakglass.opened" in office.types(case)
    stored, exported = both_ways(office, tmp_path)
    assert stored == exported
    assert codes(stored) == ["delay"]
    assert "without a yes" in stored[0].text


async def test_a_set_that_shortens_the_delay_is_no_way_around_it(office: Office, tmp_path: Path) -> None:
    short = example(matrix=("policy_delay: 15m", "policy_delay: 0s"))
    await begin(office, example(), short)
    office.clock.at += MINUTE
    text = ("owner: olga", "owner: samira")
    files = {f.path: f.content.replace(text[0].encode(), text[1].encode(), 1) for f in short.files}
    swapped = load_files(files).policy
    assert swapped is not None
    await adopt(office, swapped)
    await forget(office)
    await office.click(SAMIRA, await office.file(PE1, RUNBOOK, target="dc-1", **HOW))
    stored, exported = both_ways(office, tmp_path)
    assert stored == exported
    assert codes(stored) == ["delay", "delay"]


async def longer(office: Office, case: str, action: str, **how: Any) -> int:
    """Asks for more time on what is open; returns the version of that question."""
    await office.take_in(Press(PE1, case, 1, action, ReplyAddress(PE1, channel="D0"), **how))
    await office.worker.drain()
    return max(ask.version for ask in (await office.case(case)).asks)


@pytest.mark.parametrize("forgets", [True, False], ids=["let through", "refused"])
async def test_a_yes_to_more_time_of_somebody_new_is_a_finding(office: Office, tmp_path: Path, forgets: bool) -> None:
    await adopt(office, example())
    case = await office.file(PE1, RUNBOOK, target="dc-1", **HOW)
    await office.click(OWNER, case)
    office.clock.at += 5 * MINUTE
    await adopt(office, example(matrix=("owner: olga", "owner: samira")))
    if forgets:
        await forget(office)
    version = await longer(office, case, "extend", seconds=900)
    await office.click(SAMIRA, case, "approve", version)
    assert ("grant.extended" in office.types(case)) is forgets
    stored, exported = both_ways(office, tmp_path)
    assert stored == exported
    assert codes(stored) == (["delay", "delay"] if forgets else [])


async def test_more_time_on_fewer_yeses_than_the_set_before_demanded_is_a_finding(office: Office, tmp_path: Path) -> None:
    await adopt(office, example())
    case = await office.file(PE1, RUNBOOK, target="dc-1", **HOW)
    await office.click(OWNER, case)
    await adopt(office, example(**TWO))
    office.clock.at += 5 * MINUTE
    await adopt(office, example())
    await forget(office)
    await office.click(OWNER, case, "approve", await longer(office, case, "extend", seconds=900))
    stored, _ = both_ways(office, tmp_path)
    assert codes(stored) == ["delay"]
    assert "1 of 2 yeses" in stored[0].text


async def test_a_renewal_by_somebody_new_is_a_finding(office: Office, tmp_path: Path) -> None:
    await adopt(office, example())
    fields = {"due_date": "2026-03-01", "planned_date": "2026-03-20", "obstacle": "freeze"}
    until = (office.clock.at + timedelta(days=10)).date()
    day = until.isoformat()
    case = await office.file(PE1, "rotation-date-exception", target="s", reason="freeze", fields=fields, until=day)
    owner = office.policy.domains["machines"].owner
    await office.click(owner, case)
    assert "exception.opened" in office.types(case)
    await office.forward(timedelta(days=7))
    await adopt(office, example(matrix=("owner: mei", "owner: samira")))
    await forget(office)
    version = await longer(office, case, "renew", until=(until + timedelta(days=5)).isoformat())
    await office.click(SAMIRA, case, "approve", version)
    assert "exception.renewed" in office.types(case)
    assert codes(both_ways(office, tmp_path)[0]) == ["delay", "delay"]


async def test_what_the_bot_itself_lets_through_is_never_a_finding(office: Office, tmp_path: Path) -> None:
    await begin(
        office, example(**TWO), example(matrix=("deputies: [dev, maeve]", "deputies: [samira, dev]")), forgets=False
    )
    one = await office.file(PE1, RUNBOOK, target="dc-1", **HOW)
    await office.forward(6 * MINUTE)
    await office.click(OWNER, one)
    await office.click(SAMIRA, one)
    assert "grant.opened" not in office.types(one)
    await office.click(DEP1, one)
    assert "grant.opened" in office.types(one)
    await office.forward(20 * MINUTE)
    two = await office.file(PE1, RUNBOOK, target="dc-2", **HOW)
    await office.forward(6 * MINUTE)
    await office.click(SAMIRA, two)
    assert "grant.opened" in office.types(two)
    assert both_ways(office, tmp_path) == ([], [])


async def test_on_a_faster_clock_the_delay_is_as_much_shorter(office: Office, tmp_path: Path) -> None:
    office.scale = 60
    office.put_together()
    await begin(office, example(), example(matrix=("owner: olga", "owner: samira")))
    await office.click(SAMIRA, await office.file(PE1, RUNBOOK, target="dc-1", **HOW))
    office.clock.at += timedelta(seconds=16)
    await office.click(SAMIRA, await office.file(PE1, RUNBOOK, target="dc-2", **HOW))
    stored, exported = both_ways(office, tmp_path)
    assert stored == exported
    assert len({finding.text.split(":")[0] for finding in stored}) == 1


async def test_the_command_says_it_of_a_database_and_of_an_export(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin(office, example(), example(matrix=("owner: olga", "owner: samira")))
    await office.click(SAMIRA, await office.file(PE1, RUNBOOK, target="dc-1", **HOW))
    both_ways(office, tmp_path)
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(office.path))
    for options in ((), ("--export", str(tmp_path / "evidence"))):
        answer = CliRunner().invoke(app, ["log", "verify", "--json", *options])
        assert answer.exit_code == 1, answer.output
        assert [json.loads(line)["code"] for line in answer.stdout.splitlines()].count("delay") == 2
