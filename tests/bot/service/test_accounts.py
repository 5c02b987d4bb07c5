"""Whom Slack does not answer about may take away, and never gives."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.domain.errors import LookupFailed
from bot.domain.policy.people import Person, Profile
from bot.service.accounts import PATIENCE, account_of
from tests.bot.building import OWNER
from tests.bot.office import HandDirectory


async def test_a_yes_needs_a_fresh_answer_even_where_somebody_is_known() -> None:
    directory = HandDirectory(silent={OWNER}, known={OWNER: Profile(OWNER, "Olga")})
    with pytest.raises(LookupFailed):
        await account_of(directory, OWNER, takes_away=False)


async def test_taking_away_goes_by_slacks_answer_then_by_the_last_one_then_by_the_ids() -> None:
    directory = HandDirectory(gone={OWNER})
    assert (await account_of(directory, OWNER, takes_away=True)).deleted
    directory.silent = {OWNER}
    assert await account_of(directory, OWNER, takes_away=True) == Profile(OWNER, OWNER.user)
    directory.known[OWNER] = Profile(OWNER, "Olga", is_guest=True)
    assert await account_of(directory, OWNER, takes_away=True) == Profile(OWNER, "Olga", is_guest=True)


async def test_a_look_up_that_hangs_leaves_time_to_open_the_form_of_a_no() -> None:
    class Hanging(HandDirectory):
        async def profile(self, person: Person, max_age: float) -> Profile:
            await asyncio.Event().wait()
            raise AssertionError

    began = time.monotonic()
    assert await account_of(Hanging(), OWNER, takes_away=True) == Profile(OWNER, OWNER.user)
    assert time.monotonic() - began < PATIENCE + 1
