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
from bot.domain.policy.model import Policy
from bot.ports.records import StoredPolicy
from runbooks.loader import load
from tests.bot.building import OWNER, T0
from tests.bot.governed import GovernedOffice
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


async def explained(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(path))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(path.parent / "state"))
    monkeypatch.setenv("COUNTERSIGN_RUNBOOKS_DIR", str(folder))
    told = await asyncio.to_thread(CliRunner().invoke, app, ["explain", "account-unlock"])
    assert told.exit_code == 0, told.output
    return told.output


def agreed(folder: Path) -> Policy:
    """The folder's policy, with the matrix as an agreement."""
    matrix = folder / "responsibility.yaml"
    matrix.write_text(matrix.read_text() + "\nagreement: {every: 365d, window: 30d, unconfirmed: hold}\n")
    policy = load(folder).policy
    assert policy is not None
    return policy


async def test_a_disputed_row_is_explained_as_it_counts(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, policy = tmp_path / "countersign.db", agreed(folder)
    async with GovernedOffice(path, policy) as office:
        await office.begin(None)
        told = await explained(path, folder, monkeypatch)
        assert "Until then nobody may ask for it. Afterwards:" in told
        assert "may execute now" in told
        await office.speak(policy.domains["directory"].owner, "confirmed")
        assert "Since" not in await explained(path, folder, monkeypatch)
        await office.speak(policy.domains["directory"].owner, "disputed", "account-unlock")
        told = await explained(path, folder, monkeypatch)
    assert "Since 2026-03-04 (disputed by Olga Novak): nothing opens under it without a yes." in told
    assert "approval: nothing happens before the yes" in told


async def test_a_change_that_waits_to_be_confirmed_is_explained_as_it_counts_until_then(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, later = tmp_path / "countersign.db", Path(shutil.copytree(folder, tmp_path / "later"))
    runbook = folder / "account-unlock.md"
    text = runbook.read_text().replace("right: autonomous", "right: approval\nescalation: standard")
    runbook.write_text(
        "\n".join(line for line in text.split("\n") if not line.startswith(("review_every", "limit", "tell")))
    )
    old, new = agreed(folder), agreed(later)
    async with GovernedOffice(path, old) as office:
        await office.begin(None)
        await office.speak(old.domains["directory"].owner, "confirmed")
        await office.store.policies.accept(StoredPolicy(old.digest, T0, old.files), [])
        await office.follow(old, new)
        told = await explained(path, later, monkeypatch)
    assert (
        "New or changed since 2026-03-04, and not confirmed by Olga Novak yet: until then the stricter of old and new counts."
        in told
    )
    assert "approval: nothing happens before the yes" in told
