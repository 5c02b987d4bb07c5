"""`/log/…` on the operators' address: the log as C2SP `tlog-tiles`, read only, for witnesses and monitors.

Immutable files (tiles, bundles, earlier checkpoints) may be cached for a year; the rest must be revalidated. Disclosures are
never served.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.domain.errors import KeyFileError, NoteError

ROOT = "/log/"
_KEPT = "public, max-age=31536000, immutable"
_TEXT, _BYTES = "text/plain; charset=utf-8", "application/octet-stream"


class LogTiles:
    """Serves paths below `/log/`. `file` returns a file of the stored tree, `vkeys` the verifier keys, one a line."""

    def __init__(self, file: Callable[[str], Awaitable[bytes | None]], vkeys: Callable[[], str]) -> None:
        self._file, self._vkeys = file, vkeys

    async def answer(self, path: str) -> web.Response:
        """The file, or 404 with a sentence."""
        name = path.removeprefix(ROOT)
        found = self._keys() if name == "log.vkey" else await self._file(name)
        if found is None:
            return web.Response(
                status=404, text="There is no such file of the log.\n", headers={"Cache-Control": "no-cache"}
            )
        kept = name.startswith(("tile/", "checkpoints/"))
        kind = _BYTES if name.startswith("tile/") else _TEXT
        return web.Response(body=found, headers={"Content-Type": kind, "Cache-Control": _KEPT if kept else "no-cache"})

    def _keys(self) -> bytes | None:
        try:
            return self._vkeys().encode() or None
        except (KeyFileError, NoteError):
            return None
