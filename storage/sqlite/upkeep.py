"""Keeps deleted text out of SQLite's files."""

from __future__ import annotations

from storage.sqlite.driver import SqliteDatabase, rebuild, shed


class SqliteUpkeep:
    """`storage.session.Upkeep` on the writing connection: the write-ahead log is what `shed` empties."""

    def __init__(self, writer: SqliteDatabase) -> None:
        self._writer = writer

    async def shed(self) -> bool:
        return await self._writer.run(shed)

    async def rebuild(self) -> bool:
        return await self._writer.run(rebuild)
