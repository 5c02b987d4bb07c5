"""How the demo begins and ends: a busy port says what to type next, and Ctrl-C while it starts is quiet."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def demo(port: int, **environment: str) -> subprocess.Popen[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_", "MAKE"))}
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--no-browser", "--port", str(port)], cwd=ROOT, text=True,
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
