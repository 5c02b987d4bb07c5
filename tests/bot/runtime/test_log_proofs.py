"""`log prove` and `log consistency`: accepted by a foreign tree, refused when forged, one sentence when there is none."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymerkle import InmemoryTree

from bot.decision_log.keys import verify
from bot.domain.decision_log.signed_note import Checkpoint, open_checkpoint, sign
from bot.domain.decision_log.tlog_proof import TlogProof
from bot.domain.decision_log.verify.log import LogFinding
from bot.runtime.log_proofs import Extended, extended, prove
from bot.settings import Settings
from tests.bot.decision_log.test_signer import ORIGIN, Log
from tests.database import url


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    opened = await Log(tmp_path).open()
    for _ in range(3):
        await opened.write(100)
        await opened.signer.cover()
    yield opened
    await opened.close()


@pytest.fixture
def settings(log: Log) -> Settings:
    return Settings(database_url=url(log.path), state_dir=log.state)


async def test_a_foreign_tree_accepts_the_proof_of_an_entry(log: Log, settings: Settings) -> None:
    tree = InmemoryTree(algorithm="sha256")
    for row in await log.store.log.rows(0, 301):
        tree.append_entry(row.data)
    for index in (0, 255, 256, 300):
        text = await prove(settings, index)
        assert isinstance(text, str)
        found = TlogProof.parse(text)
        assert found is not None
        signed = open_checkpoint(found.note, [log.key.vkey(ORIGIN)], verify)
        (row,) = await log.store.log.rows(index, 1)
        assert found.extra == row.data
        foreign = tree.prove_inclusion(index + 1, signed.size).serialize()["path"]
        assert [bytes.fromhex(step) for step in foreign[1:]] == list(found.path)
        assert tree.get_root(signed.size) == signed.root


async def test_an_entry_that_is_not_there_has_no_proof(settings: Settings) -> None:
    assert await prove(settings, 301) == LogFinding("index", None, "The log has no entry 301; the last is 300.")


async def test_each_stored_checkpoint_extends_the_ones_before(settings: Settings) -> None:
    for old, new in (("101", "201"), ("201", "301"), ("101", "301"), ("301", "301")):
        assert isinstance(await extended(settings, old, new, None), Extended)


async def test_what_does_not_extend_is_named(log: Log, settings: Settings, tmp_path: Path) -> None:
    forged = sign(Checkpoint(ORIGIN, 201, hashlib.sha256(b"x").digest()).text, [(log.key.vkey(ORIGIN), log.key.sign)])
    (tmp_path / "forged").write_text(str(forged))
    found = await extended(settings, "101", str(tmp_path / "forged"), None)
    assert isinstance(found, LogFinding)
    assert found.code == "fork"
    backwards = await extended(settings, "301", "101", None)
    assert isinstance(backwards, LogFinding)
    assert backwards.code == "rollback"


async def test_a_note_that_another_key_signed_is_named(log: Log, settings: Settings, tmp_path: Path) -> None:
    note = (await log.store.log.last_checkpoint() or "").replace("— ", "— x", 1)
    (tmp_path / "strange").write_text(note)
    found = await extended(settings, "101", str(tmp_path / "strange"), None)
    assert isinstance(found, LogFinding)
    assert found.code == "signature"
