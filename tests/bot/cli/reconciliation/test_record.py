"""`countersign reconcile --record`: the result is in the log, and each access without a grant is a finding."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.clock import SystemClock
from bot.domain.case.lifecycle import FindingState
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.commands import Press, ReplyAddress
from bot.ports.records import StoredPolicy
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from storage.log.check import check_database
from tests.bot.building import HOUR, MINUTE
from tests.bot.office import HandClock, Office
from tests.conftest import EXAMPLE
from tests.database import place, url

pytestmark = pytest.mark.sqlite  # the command files by itself; on PostgreSQL the leader carries it out

T = TypeVar("T")
GLASS = "clinical-signin-outage"
HEADER = "runbook,person,target\n"
SAMIRA, PAVEL = Person("T0HOME", "U0CLIN"), Person("T0HOME", "U0PE1")
FIELDS = {"site": "All sites", "staff_affected": "900", "incident_reference": "INC77"}


@pytest.fixture
def policy() -> Policy:
    loaded = load_files(read_folder(EXAMPLE)).policy
    assert loaded is not None
    return loaded


@pytest.fixture
def ran(policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`ran(work, at)` runs `work(office)` on the installation that the command finds, its clock at `at`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(tmp_path / "countersign.db"))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    glass = policy.runbooks[GLASS]
    assert glass.break_glass is not None
    free = replace(glass, targets=(), break_glass=replace(glass.break_glass, quota=None))
    known = replace(policy, runbooks={**policy.runbooks, GLASS: free})

    def run(work: Callable[[Office], Awaitable[T]], at: datetime | None = None) -> T:
        async def opened() -> T:
            async with Office(tmp_path / "countersign.db", known, HandClock(at or SystemClock().now())) as office:
                if await office.store.policies.last() is None:
                    await office.store.policies.accept(StoredPolicy(policy.digest, office.clock.at, policy.files), [])
                return await work(office)

        return asyncio.run(opened())

    return run


def reconcile(lines: list[str], *more: str, as_of: datetime | None = None) -> tuple[int, dict[str, Any], str]:
    Path("access.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines))
    at = (as_of or SystemClock().now()).isoformat()
    done = CliRunner().invoke(
        app, ["reconcile", "access.csv", "--record", "--source", "pam", "--as-of", at, "--json", *more]
    )
    return done.exit_code, json.loads(done.stdout) if done.stdout else {}, done.stderr


async def glass(office: Office, target: str = "sso") -> str:
    return await office.file(PAVEL, GLASS, target=target, fields=FIELDS, seconds=3600)


async def nothing(_office: Office) -> None:
    """Only creates the database."""


def test_a_thousand_lines_with_thirty_unknown_are_thirty_findings_in_the_log(ran: Callable[..., Any]) -> None:
    ran(glass, SystemClock().now() - MINUTE)
    lines = [f"{GLASS},U0PE1,sso"] * 970 + [f"{GLASS},U0X{n},server {n}" for n in range(30)]
    code, said, _ = reconcile(lines)
    assert (code, said["lines"], said["access_without_grant"], len(said["findings"]), said["joined"]) == (
        1,
        1000,
        30,
        30,
        [],
    )

    async def look(office: Office) -> None:
        (entry,) = [e for e in office.log() if e["type"] == "reconciliation.recorded"]
        digest = hashlib.sha256(Path("access.csv").read_bytes()).hexdigest()
        data = entry["data"]
        assert (data["file"], data["source"]) == ({"sha256": digest}, "pam")
        assert data["domains"] == {"clinical": {"lines": 1000, "access_without_grant": 30, "grant_without_access": 0}}
        assert sorted(data["findings"]) == sorted(said["findings"])
        case = await office.case(said["findings"][0])
        assert (case.request.domain, case.request.state) == ("clinical", FindingState.OPEN)
        await office.sweeper.sweep()
        cards = office.rows("SELECT to_user FROM outbox WHERE purpose = 'card' AND case_id = :c", c=case.id)
        assert [row["to_user"] for row in cards] == ["U0CLIN"]

    ran(look)
    assert check_database(place(Path("countersign.db"))).findings == ()


def test_the_same_again_joins_what_is_open(ran: Callable[..., Any]) -> None:
    ran(nothing)
    lines = [f"{GLASS},U0X1,a", f"{GLASS},U0X2,b"]
    _, first, _ = reconcile(lines)
    _, second, _ = reconcile([*lines, f"{GLASS},U0X1,A", f"{GLASS},U0X3,c"])
    assert (len(first["findings"]), len(second["findings"])) == (2, 1)
    assert sorted(second["joined"]) == sorted(first["findings"])


def test_a_grant_that_opens_or_ends_while_the_list_is_read_is_no_difference(ran: Callable[..., Any]) -> None:
    now = SystemClock().now()

    async def before(office: Office) -> None:
        await glass(office, "ended meanwhile")

    async def meanwhile(office: Office) -> None:
        office.clock.drawn = office.keys = 1000  # another process: other ids
        await glass(office, "opened meanwhile")
        ended = (await office.store.cases.cases_of(PAVEL, 9))[-1].id
        await office.click(PAVEL, ended, "unused")

    ran(before, now - HOUR)
    ran(meanwhile, now - 5 * MINUTE)
    as_of = now - 10 * MINUTE
    code, said, _ = reconcile([f"{GLASS},U0PE1,ended meanwhile"], as_of=as_of)
    assert (code, said["findings"], said["unused_grants"]) == (0, [], [])
    code, said, _ = reconcile([f"{GLASS},U0PE1,opened meanwhile", f"{GLASS},U0PE1,ended meanwhile"], as_of=as_of)
    assert (code, said["findings"]) == (0, [])


def test_what_ended_before_the_list_and_is_still_there_is_a_finding(ran: Callable[..., Any]) -> None:
    now = SystemClock().now()

    async def over(office: Office) -> None:
        case_id = await glass(office, "left behind")
        office.clock.at = now - 30 * MINUTE
        await office.click(PAVEL, case_id, "unused")

    ran(over, now - HOUR)
    code, said, _ = reconcile([f"{GLASS},U0PE1,left behind"], as_of=now - 10 * MINUTE)
    assert (code, len(said["findings"])) == (1, 1)


def test_a_grant_without_access_is_reported_to_its_requester(ran: Callable[..., Any]) -> None:
    case_id = ran(glass, SystemClock().now() - HOUR / 2)
    code, said, _ = reconcile([], as_of=SystemClock().now() - MINUTE)
    assert (code, said["unused_grants"]) == (1, [case_id])
    rows = sqlite3.connect("countersign.db").execute("SELECT to_user FROM outbox WHERE purpose = 'no_access'").fetchall()
    assert rows == [("U0PE1",)]


@pytest.mark.parametrize("outcome", ["approved_elsewhere", "removed", "accepted"])
def test_it_is_closed_with_one_of_three_outcomes(ran: Callable[..., Any], outcome: str) -> None:
    ran(nothing)
    _, said, _ = reconcile([f"{GLASS},U0X1,a"])
    (case_id,) = said["findings"]

    async def handle(office: Office) -> None:
        await office.sweeper.sweep()
        for action, name in (("acknowledge", ""), ("close", ""), ("close", "nonsense"), ("close", outcome)):
            await office.take_in(Press(SAMIRA, case_id, 1, action, ReplyAddress(SAMIRA, channel="D0"), name=name))
            await office.worker.drain()
        case = await office.case(case_id)
        assert (case.request.state, case.finding and case.finding.outcome) == (FindingState.CLOSED, outcome)
        assert [e["data"] for e in office.log(case_id) if e["type"] == "finding.closed"] == [{"outcome": outcome}]

    ran(handle)
    assert check_database(place(Path("countersign.db"))).findings == ()


def test_nobody_closes_what_is_about_their_own_access(ran: Callable[..., Any]) -> None:
    ran(nothing)
    _, said, _ = reconcile([f"{GLASS},U0CLDEP1,a"])
    (case_id,) = said["findings"]
    deputy = Person("T0HOME", "U0CLDEP1")

    async def handle(office: Office) -> None:
        await office.sweeper.sweep()
        for who, action in ((SAMIRA, "acknowledge"), (deputy, "close")):
            await office.take_in(Press(who, case_id, 1, action, ReplyAddress(who, channel="D0"), name="accepted"))
            await office.worker.drain()
        assert await office.state(case_id) is FindingState.ACKNOWLEDGED

    ran(handle)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--record", "--as-of", "2026-01-01T00:00Z"], "--source"),
        (["--record", "--source", "pam"], "--as-of"),
        (["--record", "--source", "pam", "--as-of", "yesterday"], "--as-of"),
        (["--record", "--source", "pam", "--as-of", "2999-01-01T00:00Z"], "lies ahead"),
        (["--source", "pam"], "--record"),
    ],
)
def test_what_is_missing_or_wrong_is_exit_2(ran: Callable[..., Any], arguments: list[str], words: str) -> None:
    ran(nothing)
    Path("access.csv").write_text(HEADER)
    done = CliRunner().invoke(app, ["reconcile", "access.csv", *arguments])
    assert (done.exit_code, words in done.stderr) == (2, True)


def test_a_runbook_that_the_policy_does_not_know_is_exit_2_with_its_line(ran: Callable[..., Any]) -> None:
    ran(nothing)
    code, _, said = reconcile([f"{GLASS},U0X1,a", "nonsense,U0X1,a"])
    assert (code, "line 3" in said) == (2, True)


def test_doctor_and_matrix_say_when_each_domain_was_last_reconciled(
    ran: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIGN_RUNBOOKS_DIR", str(EXAMPLE))
    ran(nothing)
    before = CliRunner().invoke(app, ["doctor"]).stdout
    assert "reconcil" not in before
    reconcile([f"{GLASS},U0X1,a"])
    said = CliRunner().invoke(app, ["doctor"]).stdout
    assert "Clinical identity: reconciled 20" in said
    assert "Corporate directory: never reconciled." in said
    text = CliRunner().invoke(app, ["matrix"]).stdout
    assert "with the list of pam as of" in text
    assert text.splitlines()[-1] == "1 of 4 domains reconciled"
    found = json.loads(CliRunner().invoke(app, ["matrix", "--json"]).stdout)["domains"]
    runs = {d["id"]: d["reconciliation"] for d in found}
    assert (runs["clinical"]["access_without_grant"], runs["directory"]) == (1, None)
    assert "1 without a grant" in CliRunner().invoke(app, ["matrix", "--format", "html"]).stdout
