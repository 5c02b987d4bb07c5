"""What is stored of the matrix as an agreement. The rules are `bot.domain.governance.agreement`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.case.transition import LogEvent, Notification
from bot.domain.governance.agreement import Spoken, Standing
from bot.domain.policy.people import Person


class AgreementRecords(Protocol):
    """One row of the matrix has one state; a person has one answer on a row as it was at one time."""

    async def rows(self) -> Sequence[Standing]:
        """What is known of each row."""

    async def words(self) -> Sequence[Spoken]:
        """The answers on rows as they are now, the oldest first."""

    async def noted_by(self) -> str:
        """The digest of the set by which the rows were noted last; "" before the first."""

    async def set_before(self, digest: str) -> str:
        """The digest of the set that was accepted before this one; "" where it was the first."""

    async def last_message(self, person: Person) -> datetime | None:
        """When somebody got the last governance message, of whatever kind; None: never."""

    async def waiting(self) -> frozenset[Person]:
        """Whose message waits until a week has passed since their last governance message."""

    async def note(self, rows: Sequence[Standing], words: Sequence[Spoken], digest: str) -> None:
        """These are all rows now, noted by the set of this digest, with the words that still hold on them; everybody's message
        with their rows is redrawn."""

    async def write(
        self,
        rows: Sequence[Standing],
        words: Sequence[Spoken],
        entries: Sequence[LogEvent],
        says: Sequence[Notification],
        waiting: Collection[Person] = (),
    ) -> None:
        """Changes rows, adds words, logs, says and redraws everybody's message with their rows, in one transaction. The message
        of `waiting` waits; whoever is sent one waits no more. Raises Stopped, StorageError."""  # fmt: skip
