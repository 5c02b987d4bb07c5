"""`python -m sandbox [--config FILE] [--port N]`: the look-alike alone, with a small example workspace by default."""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from sandbox.driver import Sandbox
from sandbox.workspace import Workspace

EXAMPLE = Path(__file__).parent / "example.json"


async def serve(workspace: Workspace, port: int) -> None:
    """Run until interrupted; print what an app needs to connect."""
    async with Sandbox(workspace, port) as sandbox:
        print(f"page     {sandbox.page_url}")
        for name, value in sandbox.environment.items():
            print(f"{name}={value}")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> int:
    """Read the arguments and the configuration; exit 2 with a sentence if either does not fit."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="a local Slack look-alike, loopback only")
    parser.add_argument("--config", type=Path, default=EXAMPLE, help="workspace as JSON (default: a small example)")
    parser.add_argument("--port", type=int, default=4390, help="port on 127.0.0.1 (default 4390; 0 picks a free one)")
    given = parser.parse_args()
    try:
        workspace = Workspace.from_dict(json.loads(given.config.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        print(f"{given.config}: {error}", file=sys.stderr)
        return 2
    try:
        asyncio.run(serve(workspace, given.port))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        print(f"port {given.port}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
