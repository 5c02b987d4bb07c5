"""The example in docs/executor_receiver.py, run unchanged and called by the real executors."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from bot.background.executor_webhooks import ExecutorWebhooks, message, signed
from bot.clock import SystemClock
from bot.decision_log.permit_keys import jwks
from tests.bot import parts
from tests.bot.building import OWNER, policy
from tests.bot.office import HandClock
from tests.bot.permitting import SignedOffice
from tests.bot.receiving import SECRET
from tests.end_to_end.ground import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The example, listening; what it prints is in `said`."""
    port = free_port()
    told = {"WEBHOOK_SECRET": SECRET, "AUDIENCE": "executed", "JWKS": str(tmp_path / "keys.json"), "PYTHONPATH": str(ROOT)}
    with (tmp_path / "said").open("w") as said:
        words = [sys.executable, str(ROOT / "docs" / "executor_receiver.py"), str(port)]
        process = subprocess.Popen(words, env={**os.environ, **told}, cwd=tmp_path, stdout=said, stderr=subprocess.DEVNULL)
        yield f"http://127.0.0.1:{port}/"
        process.kill()
        process.wait()


async def post(address: str, id_: str, body: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session:
        for _ in range(600):
            try:
                headers = signed(SECRET, id_, body, SystemClock().now())
                async with session.post(address, data=body, headers=headers) as answer:
                    return answer.status, await answer.text()
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)
    raise AssertionError("the receiver does not listen")


async def test_it_opens_and_closes_once_and_believes_only_what_is_signed_and_permitted(
    address: str, tmp_path: Path
) -> None:
    clock = HandClock(SystemClock().now())
    async with SignedOffice(tmp_path / "countersign.db", policy(), clock) as office:
        (tmp_path / "keys.json").write_text(json.dumps(jwks(office.state, clock.now())))
        office.service.permits = office.issuer
        executors = parts.executors(office, {"URL": address, "SECRET": SECRET}, office.signer.cover, ExecutorWebhooks)
        assert (await post(address, "msg_hello", '{"type":"hello","data":{}}'))[0] == 200
        case_id = await office.approved("executed", target="srv-7")
        await executors.drain()
        case = await office.case(case_id)
        assert case.calls[0].state == "opened"
        assert f"{case.request.requester} executed srv-7: open until" in (tmp_path / "said").read_text()
        body = json.dumps(message(case, case.calls[0], "no.such.permit", clock.now()))
        assert "opened" in (await post(address, f"msg_{case_id}_0", body))[1]  # the same id again is not done again
        assert "failed" in (await post(address, "msg_other", body))[1]  # and without a permit nothing opens
        async with aiohttp.ClientSession() as session:
            forged = signed("whsec_" + "x" * 32, "msg_forged", body, clock.now())
            async with session.post(address, data=body, headers=forged) as answer:
                assert answer.status == 401
        await office.click(OWNER, case_id, "revoke")
        await executors.drain()
        assert (await office.case(case_id)).calls[1].state == "closed"
        permit = (await office.permit(await office.approved("executed", target="srv-8"))).token
        late = json.dumps(message(case, case.calls[0], permit, clock.now()))
        assert "failed" in (await post(address, "msg_late", late))[1]  # whatever opens after the close came too late
        await executors.close()
    assert [line.rpartition(": ")[2][:4] for line in (tmp_path / "said").read_text().splitlines()] == ["open", "clos"]
