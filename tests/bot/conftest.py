"""The host of a running bot, for the commands that act beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.domain.policy.model import Policy
from bot.ports.records import StoredPolicy
from tests.bot.hosting import Host
from tests.database import url


@pytest.fixture
async def host(tmp_path: Path, example: Policy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(tmp_path / "countersign.db"))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    office = Host(tmp_path / "countersign.db", example)
    office.clock.at = SystemClock().now()
    await office.open()
    accepted = StoredPolicy(example.digest, office.clock.now(), example.files)
    await office.store.policies.accept(accepted, [])
    yield office
    await office.close()
