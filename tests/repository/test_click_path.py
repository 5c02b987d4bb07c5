"""How many of our files one click on **Approve** passes, from the signed HTTP request at the gate's socket to the commit.

Two figures, taken by tracing a real click: the way itself, which is every file that is on the call stack of the writes (of the
inbox row, and of the commit); and every file of which any function runs meanwhile, with the rules, the value types and the log.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from tests.bot.building import PE1, policy
from tests.bot.office import Office
from tests.handlers.transport.test_http import at_the_gate, click, door, interaction

ROOT = Path(__file__).parents[2]
OURS = tuple(f"{ROOT}/{folder}/" for folder in ("bot", "handlers", "storage", "runbooks"))
WRITES = ("storage/sqlite/driver.py", "storage/postgres/driver.py", "storage/cases/commit.py", "storage/log/append.py")
WAY, ALL = 25, 75


@dataclass
class Files:
    """The names of files of ours, from the root: on the way, and those of which any function ran."""

    way: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)
    watching: bool = False

    def seen(self, frame: FrameType, event: str, _argument: Any) -> None:
        name = frame.f_code.co_filename
        if not self.watching or event != "call" or not name.startswith(OURS):
            return
        self.ran.add(name.removeprefix(f"{ROOT}/"))
        if name.endswith(WRITES):
            caller: FrameType | None = frame
            while caller is not None:
                if caller.f_code.co_filename.startswith(OURS):
                    self.way.add(caller.f_code.co_filename.removeprefix(f"{ROOT}/"))
                caller = caller.f_back


@contextmanager
def traced() -> Iterator[Files]:
    """Traces this thread and every thread that starts within, as far as `watching` is set."""
    files = Files()
    threading.setprofile(files.seen)
    sys.setprofile(files.seen)
    try:
        yield files
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


async def approved(folder: Path) -> Files:
    """The files of one click that opens access."""
    with traced() as files:
        async with Office(folder / "countersign.db", policy()) as office:
            case_id = await office.file(PE1)
            async with at_the_gate(door(office).app, office.clock) as slack:
                files.watching = True
                assert await slack.post(interaction(click(case_id))) == (200, b"")
                await office.worker.drain()
                files.watching = False
            assert office.types(case_id)[-1] == "grant.opened"
    return files


async def test_a_click_passes_few_files_from_the_socket_to_the_commit(tmp_path: Path) -> None:
    files = await approved(tmp_path)
    assert (
        {"handlers/transport/http.py", "bot/service/transactions.py", "storage/queues/inbox.py"} <= files.way <= files.ran
    )
    assert len(files.way) <= WAY, "\n".join(sorted(files.way))
    assert len(files.ran) <= ALL, "\n".join(sorted(files.ran))
