"""The sandbox serves an app that nobody here wrote: the official Bolt for JavaScript, over Socket Mode."""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.driver import Sandbox
from tests.sandbox.conftest import WORKSPACE
from tests.slack.watching import payload_complaints

CLIENT = Path(__file__).parents[2] / "tools" / "node" / "bolt_client.mjs"


@pytest.fixture
async def served() -> AsyncIterator[Sandbox]:
    people = copy.deepcopy(WORKSPACE)
    people["app"]["commands"] = [{"command": "/breakglass"}]
    people["settings"] = {}
    async with Sandbox(people) as sandbox:
        client = await asyncio.create_subprocess_exec(
            "node", str(CLIENT), env={**os.environ, **sandbox.environment}, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert client.stdout is not None
            assert await asyncio.wait_for(client.stdout.readline(), 60) == b"ready\n"
            yield sandbox
        finally:
            client.terminate()
            await asyncio.wait_for(client.communicate(), 30)


async def test_bolt_for_javascript_lives_in_the_sandbox(served: Sandbox) -> None:
    assert (await served.command("U0OWNER", "/breakglass", "now")).ok
    await served.wait_for(lambda: served.modal("U0OWNER"))
    refused = await served.submit("U0OWNER", {"Why": "no"})
    assert refused.errors == {"why": "Say more."}
    assert (await served.submit("U0OWNER", {"Why": "Sync stopped"})).ok
    said = await served.wait_for(lambda: served.find("U0OWNER", "You said Sync stopped"))
    assert (await served.press("U0OWNER", "Go", message=said)).ok
    await served.wait_for(lambda: served.find("U0OWNER", "You pressed Go"))
    await served.wait_for(lambda: (now := served.current(said)) is not None and now.text == "Gone")
    assert (await served.open_home("U0OWNER")).ok
    await served.wait_for(lambda: served.home("U0OWNER"))
    assert [line.name for line in served.timeline.of("call") if not line.ok] == []
    found = payload_complaints(served)
    assert not found, "\n".join(found)


async def test_it_comes_back_after_a_cut_and_waits_as_long_as_slack_says(served: Sandbox) -> None:
    served.cut_sockets()
    await served.wait_for(lambda: served.sockets > 0, 30)
    served.faults.rate_limit("views.open", 1, 1)
    assert (await served.command("U0OWNER", "/breakglass", "again")).ok
    await served.wait_for(lambda: served.modal("U0OWNER"), 20)
    limited, opened = served.timeline.of("call", "views.open")
    assert (limited.error, opened.ok) == ("ratelimited", True)
    assert opened.at - limited.at >= 1
