"""How hard Hypothesis looks, and offices that several folders of tests open."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.domain.policy import Policy
from runbooks.folder import read_folder
from runbooks.loader import load_files
from tests.bot.building import policy
from tests.bot.office import Office

EXAMPLE = Path(__file__).parents[1] / "runbooks"

settings.register_profile("quick", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "thorough", deadline=None, max_examples=1500, stateful_step_count=80, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """An office of the small organisation, with a real store."""
    opened = await Office(tmp_path / "countersign.db", policy()).open()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def example() -> Policy:
    """The example organisation that ships, Example Health Trust."""
    loaded = load_files(read_folder(EXAMPLE))
    assert loaded.policy is not None
    return loaded.policy


@pytest.fixture
async def trust(tmp_path: Path, example: Policy) -> AsyncIterator[Office]:
    """An office of the example organisation, with a real store."""
    opened = await Office(tmp_path / "countersign.db", example).open()
    yield opened
    await opened.close()
