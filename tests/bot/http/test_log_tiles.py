"""The log over HTTP: exactly the files of an export, what a checkpoint covers, and never a disclosure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from bot.domain.decision_log.inclusion_proof import proven_root
from bot.domain.decision_log.merkle_tree import leaf_hash
from bot.domain.decision_log.signed_note import read_checkpoint
from bot.domain.decision_log.tlog_proof import TlogProof
from bot.domain.policy.model import Policy
from bot.http.health import Health
from bot.http.metrics import Metrics
from bot.http.operations_server import OperationsServer
from tests.bot.evidence.conftest import ORIGIN, Written, made
from tests.bot.evidence.conftest import written as written  # fixtures of the neighbour
from tests.bot.evidence.conftest import written_once as written_once
from tests.bot.evidence.signing import Scribe
from tests.bot.office import Office

KEPT = "public, max-age=31536000, immutable"


class Site:
    def __init__(self, ops: OperationsServer, office: Office) -> None:
        self.ops, self.office = ops, office

    async def get(self, path: str, method: str = "GET") -> tuple[int, bytes, str, str]:
        url = f"http://127.0.0.1:{self.ops.port}/log/{path}"
        async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
            headers = answer.headers
            return answer.status, await answer.read(), headers["Content-Type"], headers.get("Cache-Control", "")


@pytest.fixture
async def site(written: Written, example: Policy) -> AsyncIterator[Site]:
    async with Office(written.database, example) as office:
        health, metrics = Health(office.clock, socket_mode=True), Metrics(office.clock)
        ops = OperationsServer(
            office.store, health, metrics, office.clock, lambda: "", listen="127.0.0.1:0", vkeys=lambda: written.scribe.vkey
        )
        await ops.start()
        yield Site(ops, office)
        await ops.stop()


async def test_every_file_of_the_export_is_served_byte_for_byte(site: Site, written: Written, tmp_path: Path) -> None:
    exported = made(written, tmp_path / "export")
    for path in sorted(p for part in ("tile", "checkpoints") for p in (exported / part).rglob("*") if p.is_file()):
        name = path.relative_to(exported).as_posix()
        kind = "application/octet-stream" if name.startswith("tile/") else "text/plain; charset=utf-8"
        assert await site.get(name) == (200, path.read_bytes(), kind, KEPT), name
    for name in ("checkpoint", "log.vkey"):
        told = (200, (exported / name).read_bytes(), "text/plain; charset=utf-8", "no-cache")
        assert await site.get(name) == told


async def test_a_narrower_partial_tile_is_the_beginning_of_the_wider(site: Site) -> None:
    whole = (await site.get("tile/0/000"))[1]
    assert (await site.get("tile/0/000.p/3"))[1] == whole[:96]


async def test_a_proof_carries_the_entry_and_leads_to_the_checkpoint(site: Site) -> None:
    note = read_checkpoint((await site.get("checkpoint"))[1].decode())
    for index in (0, 7, 255, 256, note.size - 1):
        status, text, _, cache = await site.get(f"proof/{index}.tlog-proof")
        proof = TlogProof.parse(text.decode())
        assert (status, cache) == (200, "no-cache")
        assert proof is not None
        assert proof.extra is not None
        assert proven_root(index, note.size, leaf_hash(proof.extra), proof.path) == note.root


async def test_what_no_checkpoint_covers_is_not_served(site: Site, written: Written) -> None:
    size = written.scribe.sign(written.database)
    await site.office.store.commit(Transition(None, None, (LogEvent("log.verified", SYSTEM),)))
    width = size % 256
    assert (await site.get(f"tile/entries/001.p/{width}"))[0] == 200
    assert (await site.get(f"tile/entries/001.p/{width + 1}"))[0] == 404
    assert (await site.get(f"proof/{size}.tlog-proof"))[0] == 404
    Scribe(ORIGIN).sign(written.database)
    assert (await site.get(f"proof/{size}.tlog-proof"))[0] == 200


@pytest.mark.parametrize(
    "path",
    ["", "disclosures.jsonl", "tile/0/0", "tile/0/001", "tile/1/000", "tile/4/000.p/1", "tile/0/000.p/0", "checkpoints/1",
     "checkpoints/x", "proof/-1.tlog-proof", "proof/01.tlog-proof", "proof/x.tlog-proof", "proof/1",
     "policy", "ocsf.ndjson", "tile/entries/..%2f..%2fcheckpoint", "checkpoints/99999999999999999999"],
)  # fmt: skip
async def test_anything_else_is_404(site: Site, path: str) -> None:
    status, _, _, cache = await site.get(path)
    assert (status, cache) == (404, "no-cache")


async def test_nothing_is_written_over_http(site: Site) -> None:
    assert (await site.get("checkpoint", "HEAD"))[0] == 200
    for method in ("POST", "PUT", "DELETE"):
        assert (await site.get("checkpoint", method))[0] == 405


async def test_a_log_that_nobody_signed_yet_serves_nothing(office: Office) -> None:
    assert [await office.store.log.file(name) for name in ("checkpoint", "tile/0/000.p/1", "proof/0.tlog-proof")] == [
        None
    ] * 3
