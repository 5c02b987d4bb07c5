"""Notices changed policy files without a signal.

Two scans a second apart must agree before a set counts, so that a half-written or half-copied set is never judged.
With the scan every second, a change is noticed within 5 s (design, section 2). What vanishes or cannot be read is
part of what a scan sees; it never stops the watcher.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

from runbooks.parsing.folder import FileSet, read_folder


async def changes(
    folder: Path,
    *,
    every: float = 1.0,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    since: Mapping[str, bytes] | None = None,
) -> AsyncIterator[Mapping[str, bytes]]:
    """Yields each new set of files once two consecutive scans, `every` seconds apart, agree on it.

    `since` is the set that is known already; without it the first set is yielded too. A yielded set may be a bad one:
    give it to `load_files`, which also reports what could not be read.
    """
    known: Mapping[str, bytes] | None = since
    before: FileSet | None = None
    while True:
        now = await asyncio.to_thread(read_folder, folder)
        if now == before and now != known:
            known = now
            yield now
        before = now
        await sleep(every)
