"""How the demo begins and ends: a busy port says what to type next, and Ctrl-C while it starts is quiet."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.demo.run import play
from bot.demo.workspace import script
from bot.settings import Settings

ROOT = Path(__file__).parents[3]


def demo(port: int, *options: str, **environment: str) -> subprocess.Popen[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_", "MAKE"))}
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--no-browser", "--port", str(port), *options], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=kept | environment,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "again"),
    [({}, "countersign demo --port 0"), ({"MAKELEVEL": "1"}, 'make demo DEMO="--port 0"')],
)
def test_a_busy_port_says_what_to_type_next(environment: dict[str, str], again: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        _, said = demo(taken.getsockname()[1], **environment).communicate(timeout=60)
    assert said.strip().endswith(f"Try: {again}")


@pytest.mark.parametrize("after", [0.3, 1.0, 2.5])
def test_ctrl_c_while_it_starts_is_quiet(after: float) -> None:
    started = demo(0)
    time.sleep(after)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert said == ""


@pytest.mark.parametrize("reviews", [False, True])
async def test_ctrl_c_while_the_first_request_is_filed_is_quiet(
    reviews: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def stopped_once_ready(_: Settings, *, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        ready()
        asyncio.get_running_loop().call_later(0.2, stop.set)
        await stop.wait()

    monkeypatch.setattr("bot.demo.run.serve", stopped_once_ready)
    async with asyncio.timeout(15):  # the request alone would be waited for longer
        await play(0, browser=False, reviews=reviews)
    assert capsys.readouterr() == ("", "")


def test_a_review_is_with_the_owner_on_a_clock_where_a_day_lasts_thirty_seconds() -> None:
    started = demo(0, "--reviews")
    assert started.stdout is not None
    told = list[str]()
    for line in started.stdout:
        told.append(line)
        if "delivery.sent" in line and "purpose=campaign" in line:
            break
    started.send_signal(signal.SIGINT)
    _, faults = started.communicate(timeout=60)
    assert faults == ""
    assert f"demo clock {24 * 60 * 60 // 30}×" in told[1]
    assert [line.strip() for line in told if line.startswith("  1. ")] == [f"1. {script(reviews=True)[0]['text']}"]
    opened = [line for line in told if "campaign.opened" in line]
    assert opened
    assert all("silence=narrow" in line and "window=2" in line for line in opened)
