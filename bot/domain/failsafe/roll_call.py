"""Who must report before anything is given again after the database was lost.

While it was lost every replica that was alive may have taken access away into its own emergency file. So the next leader
gives nothing until each of them has been seen again with an empty file, or an operator has excused it. A replica that stops or
dies while the database is there is nobody's to wait for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol


class Seen(Protocol):
    """What the database says of a replica: when it was last there, and how many lines its emergency file has."""

    @property
    def id(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def alive(self) -> bool: ...
    @property
    def beat_at(self) -> datetime: ...
    @property
    def emergency(self) -> int: ...
    @property
    def excused(self) -> bool: ...


class RollCall:
    """One for each process, `own` its id. `lost` is called while the database cannot be reached, `seen` whenever it can."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._alive: Mapping[str, Seen] = {}
        self._missing: dict[str, Seen] = {}
        self._since: dict[str, datetime] = {}  # the beat that does not count as a report: it may be of before the loss

    def lost(self) -> None:
        """Every replica that was alive must report."""
        self._missing |= self._alive
        self._since.clear()

    def seen(self, rows: Sequence[Seen]) -> tuple[str, ...]:
        """Takes note of who is there; returns those whom an operator has excused since the last look."""
        excused = []
        for row in rows:
            if row.id not in self._missing:
                continue
            since = self._since.setdefault(row.id, row.beat_at)
            if row.excused:
                excused.append(row.id)
            if row.excused or (row.beat_at > since and row.emergency == 0):
                del self._missing[row.id]
        self._alive = {row.id: row for row in rows if row.alive and row.id != self._own}
        return tuple(excused)

    @property
    def unreported(self) -> str:
        """A sentence that names whom to wait for; empty where nobody is."""
        if not self._missing:
            return ""
        names = ", ".join(f"{row.id} ({row.host})" for row in self._missing.values())
        return (
            f"Nothing opens: {names} has not reported since the database was lost. Start it, or go on without it:"
            f" countersign replicas excuse {next(iter(self._missing))} --reason TEXT"
        )
