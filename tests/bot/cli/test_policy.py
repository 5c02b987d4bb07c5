"""`countersign explain` on the host of a bot: a right that a review narrowed is explained as it counts."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.domain.case.campaign import Campaign, CampaignChange, Consent
from bot.domain.case.transition import Transition
from runbooks.loader import load
from tests.bot.building import OWNER, T0
from tests.bot.office import Office
from tests.conftest import EXAMPLE
from tests.database import url

REVIEW = "\nreview: {every: 180d, window: 10 working days, silence: narrow}\ndefault_escalation: standard\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = Path(shutil.copytree(EXAMPLE, tmp_path / "policy", ignore=shutil.ignore_patterns("*.py", "__pycache__")))
    matrix = home / "responsibility.yaml"
    text = matrix.read_text()
    ladder = text.split("escalation_policies:\n  ")[1].split(":")[0]
    matrix.write_text(text + REVIEW.replace("standard", ladder))
    return home


async def narrowed(path: Path, folder: Path) -> None:
    policy = load(folder).policy
    assert policy is not None
    sha256 = policy.runbooks["account-unlock"].sha256
    word = Consent("autonomous", "account-unlock", "directory", "", sha256, "narrowed", own=True, at=T0, by=OWNER)
    async with Office(path, policy) as office:
        campaign = Campaign("V-00000001", OWNER, (), T0, 10, narrows=True)
        await office.store.commit(Transition(None, None, reviewed=CampaignChange(None, campaign, (word,))))


async def test_explain_says_since_when_a_right_is_narrowed_and_prints_the_ladder_it_has_now(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await narrowed(tmp_path / "countersign.db", folder)
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(tmp_path / "countersign.db"))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COUNTERSIGN_RUNBOOKS_DIR", str(folder))
    told = await asyncio.to_thread(CliRunner().invoke, app, ["explain", "account-unlock"])
    assert told.exit_code == 0, told.output
    assert "Since 2026-03-04 (narrowed in a review): each use needs a yes first." in told.output
    assert "approval: nothing happens before the yes" in told.output
    plain = await asyncio.to_thread(CliRunner().invoke, app, ["explain", "account-unlock", str(folder)])
    assert "narrowed" not in plain.output
    told = await asyncio.to_thread(CliRunner().invoke, app, ["explain", "account-unlock", "--json"])
    assert json.loads(told.output)["narrowed"].startswith("Since 2026-03-04")
