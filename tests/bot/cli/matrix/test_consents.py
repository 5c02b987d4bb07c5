"""Who kept an autonomous right last is read from the bot's database."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.matrix.consents import read_consents
from bot.domain.governance.matrix import Consent
from tests.bot.building import DAY, OWNER, SHA, T0, policy, runbook
from tests.bot.office import Office

RIGHT = runbook("unlock", kind="reset", right="autonomous", escalation=None, review_within=None, review_every=10 * 86400)


async def test_a_kept_right_says_by_whom_when_and_when_it_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "countersign.db"
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    async with Office(path, policy(runbooks=[RIGHT])) as office:
        await office.sweeper.sweep()
        assert await read_consents() == {SHA: Consent(None, None, T0 + 10 * DAY)}
        office.clock.at = T0 + 10 * DAY
        await office.sweeper.sweep()
        (known,) = await office.store.cases.system_cases()
        await office.click(OWNER, known.id, "keep")
        kept = T0 + 10 * DAY
        assert await read_consents() == {SHA: Consent(OWNER, kept, kept + 10 * DAY)}
