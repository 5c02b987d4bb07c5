"""`countersign demo` on a machine whose environment names a proxy: nothing for this machine goes there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

LONGEST = 60.0  # seconds until the page's address must be printed


@pytest.mark.parametrize("exempt", ["", "127.0.0.1,localhost"])
async def test_demo_behind_proxy(tmp_path: Path, exempt: str) -> None:
    visits: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(await reader.readline())
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert "http://127.0.0.1" in await printed(tmp_path, address, exempt)
    assert visits == []


async def printed(home: Path, proxy: str, exempt: str) -> str:
    """What the demo prints up to the steps of its script, which follow the page's address."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
    named = {name: proxy for base in ("http", "https", "all") for name in (f"{base}_proxy", f"{base.upper()}_PROXY")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0",
        env={**kept, **named, "NO_PROXY": exempt, "no_proxy": exempt, "TMPDIR": str(home)},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    lines = ""
    try:
        async with asyncio.timeout(LONGEST):
            while "  1. " not in lines and (line := await process.stdout.readline()):
                lines += line.decode()
        files = [path for path in home.rglob("*") if path.is_file() and "runbooks" not in path.parts]
        assert files, "the demo keeps its state below TMPDIR"
        assert not [path for path in files if path.stat().st_mode & 0o077]
        process.send_signal(signal.SIGINT)
        lines += (await asyncio.wait_for(process.stdout.read(), LONGEST)).decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    return lines
