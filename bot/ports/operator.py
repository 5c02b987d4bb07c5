"""Acts of an operator, holds, erasure and pruning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.case.operator_action import Hold, OperatorAction
from bot.domain.operator.erasure import SubjectRecord
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person


class OperatorRecords(Protocol):
    """Acts and holds as committed; `Store.commit` changes them (`Transition.operated`)."""

    async def action(self, act_id: str) -> OperatorAction | None:
        """One act; None where there is none of that id."""

    async def unfinished(self) -> Sequence[OperatorAction]:
        """Those that wait for people, for their end, or to be run; oldest first."""

    async def hold(self, hold_id: str) -> Hold | None:
        """A hold in force; None where there is none of that id, or it is released."""

    async def holds_on(self, subject: Person) -> Sequence[Hold]:
        """The holds in force on a subject, oldest first."""

    async def subject_record(self, subject: Person) -> SubjectRecord:
        """The reasons against erasing a person."""

    async def erase(self, act: OperatorAction, policy: Policy, retention: timedelta) -> None:
        """Deletes what is disclosed about the act's subject, and logs it; the act itself stays open.

        Raises NotDone where it is refused, NotYet where something about them is being sent or carried out.
        """

    async def erasure_report(self, act_id: str) -> tuple[int, Sequence[str]]:
        """How many of our messages still wait to be redrawn, and which could not be: channel, time stamp, Slack's error."""

    async def prunable(self, before: datetime) -> int:
        """How many more entries of before that moment can be emptied."""

    async def begin_pruning(self, act_id: str, before: datetime, policy: Policy) -> None:
        """Writes `log.pruned`; nothing is emptied yet. Raises NotDone where nothing could be."""

    async def empty_entries(self, limit: int) -> int:
        """Empties at most `limit` entries that the newest `log.pruned` allows; returns how many."""

    async def pruned(self) -> int:
        """The index below which entries are emptied."""

    async def rebuild(self) -> bool:
        """Rewrites the database, so that nothing deleted is left in it; False where it must be tried again."""

    async def empty_over(self, limit: int) -> int:
        """Moves free text of cases that are over and delivered out of the state, where `log_private` holds it; returns how many
        cases."""

    async def shed(self) -> bool:
        """Empties the database's side files of what was overwritten; False where it must be tried again."""

    async def person_of(self, ref: str) -> Person | None:
        """The person of a pseudonym; None where there is none, or they were erased."""

    async def ref_of(self, person: Person) -> str | None:
        """The pseudonym of a person; None where the log never named them, or they were erased."""
