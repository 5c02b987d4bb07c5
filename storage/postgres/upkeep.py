"""Keeps deleted text out of PostgreSQL's tables. What its write-ahead log and backups hold is the server's to expire."""

from __future__ import annotations

from storage.postgres.driver import PostgresDatabase, PostgresSession


class PostgresUpkeep:
    """`storage.session.Upkeep` on the writing connection."""

    def __init__(self, writer: PostgresDatabase) -> None:
        self._writer = writer

    async def shed(self) -> bool:
        """Nothing to do: the server has no side file of ours."""
        return True

    async def rebuild(self) -> bool:
        return await self._writer.run(_rebuild)


def _rebuild(session: PostgresSession) -> bool:
    session.raw.execute("VACUUM FULL")
    return True
