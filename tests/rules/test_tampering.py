"""Each way of tampering, done to a real database: `log verify` names it, and a bot that runs on it refuses to sign."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.background.log_rehasher import LogRehasher
from bot.domain.decision_log.verify.log import LogFinding
from bot.runtime.log_verification import TrustBase, verify
from tests.bot import tampering
from tests.bot.building import OWNER, PE1, policy
from tests.bot.stopping import StoppableOffice

NAMED = {
    "one_bit": "leaf",
    "one_bit_with_its_leaf": "root",
    "one_word_with_the_tree_rebuilt": "fork",
    "last_dropped": "rollback",
    "last_dropped_with_the_tree_rebuilt": "rollback",
    "middle_dropped_and_renumbered": "rollback",
    "swapped": "fork",
    "truncated": "rollback",
    "back_dated": "ts",
    "restored": "rollback",
}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[StoppableOffice]:
    """A log of two requests, signed twice; yesterday's file holds the first."""
    async with StoppableOffice(tmp_path / "countersign.db", policy()) as opened:
        first = await opened.file(PE1)
        await opened.signed()
        tampering.kept_for_later(opened.path)
        await opened.click(OWNER, first)
        await opened.file(PE1, target="srv-2")
        await opened.signed()
        yield opened


def test_every_way_is_tried() -> None:
    assert {way.__name__ for way in tampering.TAMPERINGS} == set(NAMED)


@pytest.mark.parametrize("way", tampering.TAMPERINGS, ids=lambda way: way.__name__)
async def test_it_is_named_and_a_bot_that_starts_on_it_signs_nothing(
    office: StoppableOffice, way: Callable[[Path], None]
) -> None:
    vouching = TrustBase(None, office.state_dir)
    assert verify(office.place, vouching).findings == ()
    await office.close()
    way(office.path)
    assert NAMED[way.__name__] in {finding.code for finding in verify(office.place, vouching).findings}
    memory = (office.state_dir / "log.memory").read_bytes()
    await office.open()
    await _watched(office)
    assert isinstance(await office.standing.signer.cover(), LogFinding)
    await office.click(OWNER, office.rows("SELECT id FROM request ORDER BY id DESC")[0][0])
    assert (office.state_dir / "log.memory").read_bytes() == memory


@pytest.mark.parametrize("way", [w for w in tampering.TAMPERINGS if w is not tampering.restored], ids=lambda w: w.__name__)
async def test_a_bot_under_which_it_is_done_signs_nothing_more(
    office: StoppableOffice, way: Callable[[Path], None]
) -> None:
    way(office.path)
    await _watched(office)
    await office.file(PE1, target="srv-3")
    signed = (office.state_dir / "log.memory").read_bytes()
    assert isinstance(await office.standing.signer.cover(), LogFinding)
    assert (office.state_dir / "log.memory").read_bytes() == signed


async def test_what_holds_is_written_down_with_size_and_root(office: StoppableOffice) -> None:
    found = verify(office.place, TrustBase(None, office.state_dir))
    await _watched(office)
    last = office.log()[-1]
    assert (last["type"], last["data"]) == ("log.verified", {"size": found.size, "root": found.root.hex()})


async def _watched(office: StoppableOffice) -> None:
    await LogRehasher(office.store, office.place, office.state_dir, office.standing.signer.stop).check()
