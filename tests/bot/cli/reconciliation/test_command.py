"""`countersign reconcile`: who has access now, held against the open grants."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.clock import SystemClock
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.records import StoredPolicy
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from tests.bot.building import HOUR
from tests.bot.office import HandClock, Office
from tests.conftest import EXAMPLE
from tests.database import url

GLASS, TARGET = "clinical-signin-outage", "clinical-sso-prod"
HEADER = "runbook,person,target\n"


@pytest.fixture
def policy() -> Policy:
    loaded = load_files(read_folder(EXAMPLE)).policy
    assert loaded is not None
    return loaded


@pytest.fixture
def grants(policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Person]:
    """One open grant, one that was revoked, and one whose time is over though no sweeper saw it; the open one's id and holder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(tmp_path / "countersign.db"))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    asker = next(p.person for p in policy.people if p.name.startswith("Pavel"))
    fields = {"site": "All sites", "staff_affected": "900", "incident_reference": "INC77"}

    async def work() -> str:
        now = SystemClock().now()
        glass = policy.runbooks[GLASS]
        assert glass.break_glass is not None
        free = replace(glass, targets=(), break_glass=replace(glass.break_glass, quota=None))
        open_ = replace(policy, runbooks={GLASS: free})
        async with Office(tmp_path / "countersign.db", open_, HandClock(now - 2 * HOUR)) as office:
            await office.store.policies.accept(StoredPolicy(policy.digest, now, policy.files), [])
            await office.file(asker, GLASS, target="over", fields=fields, seconds=3600)
            office.clock.at = now
            revoked = await office.file(asker, GLASS, target="revoked", fields=fields)
            await office.click(asker, revoked, "unused")
            return await office.file(asker, GLASS, target=TARGET, fields=fields)

    return asyncio.run(work()), asker


def reconcile(text: str | bytes, *more: str) -> tuple[int, str, str]:
    Path("access.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    done = CliRunner().invoke(app, ["reconcile", "access.csv", *more])
    return done.exit_code, done.stdout, done.stderr


def test_lists_that_agree_are_0(grants: tuple[str, Person]) -> None:
    _, asker = grants
    for person in (asker.user, str(asker), f"T0OTHER/{asker.user}"):
        line = f'{GLASS},{person},"{TARGET}"\n'
        assert reconcile(HEADER + line + "\n" + line) == (0, "2 accesses, 1 open grants: they agree.\n", "")


def test_both_differences_are_1(grants: tuple[str, Person]) -> None:
    case_id, asker = grants
    text = "\ufeff" + HEADER + f"{GLASS},{asker.user},over\n{GLASS},U0NOBODY,{TARGET}\n"
    code, said, _ = reconcile(text)
    assert code == 1
    assert [line.split("  ")[:2] for line in said.splitlines()] == [
        ["access without grant", f"line 2: {GLASS}, {asker.user}, over"],
        ["access without grant", f"line 3: {GLASS}, U0NOBODY, {TARGET}"],
        ["grant without access", said.splitlines()[2].split("  ")[1]],
    ]
    assert case_id in said.splitlines()[2]
    code, said, _ = reconcile(text, "--json")
    told = json.loads(said)
    assert code == 1
    assert told["access_without_grant"][1] == {"line": 3, "runbook": GLASS, "person": "U0NOBODY", "target": TARGET}
    [alone] = told["grant_without_access"]
    assert (alone["request"], alone["person"], alone["target"]) == (case_id, str(asker), TARGET)


@pytest.mark.parametrize(("text", "line"), [
    ("", "line 1"), ("runbook,target,person\n", "line 1"), (HEADER + "a,U0X\n", "line 2"), (HEADER + "a,U0X,b\na,bob,c\n", "line 3"),
    (HEADER + ",U0X,b\n", "line 2"), (HEADER + "a,U0X,\n", "line 2"), (HEADER + 'a,U0X,"b\n', "line 2"),
    (HEADER + 'a,U0X,"b" c\n', "line 2"), (b"runbook,person,target\na,U0X,\xff\n", "UTF-8"),
])  # fmt: skip
def test_a_bad_file_is_2_and_names_the_line(grants: tuple[str, Person], text: str | bytes, line: str) -> None:
    code, said, why = reconcile(text)
    assert (code, said) == (2, "")
    assert line in why
    assert why.count("\n") == 1


@pytest.mark.sqlite  # a database that is not there is a missing file
def test_no_file_and_no_database_are_2(grants: tuple[str, Person], tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["reconcile", "nothing.csv"]).exit_code == 2
    (tmp_path / "countersign.db").rename(tmp_path / "gone.db")
    assert reconcile(HEADER)[0] == 2
