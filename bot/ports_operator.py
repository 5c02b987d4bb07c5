"""What the operator's acts need of the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.case.operator_action import Hold, OperatorAction
from bot.domain.case.transition import Notification
from bot.domain.operator.erasure import SubjectRecord
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person


class OperatorStore(Protocol):
    """Acts and holds as they stand; `Store.commit` changes them (`Transition.operated`)."""

    async def operator_act(self, act_id: str) -> OperatorAction | None: ...
    async def unfinished_acts(self) -> Sequence[OperatorAction]:
        """Those that wait for people, for their end, or to be run; oldest first."""

    async def hold(self, hold_id: str) -> Hold | None:
        """A hold that stands; None where there is none of that id, or it is released."""

    async def holds_on(self, subject: Person) -> Sequence[Hold]:
        """The holds that stand on a subject, oldest first."""

    async def erasure_standing(self, subject: Person) -> SubjectRecord:
        """What speaks against erasing somebody."""

    async def erase(self, act: OperatorAction, policy: Policy, retention: timedelta) -> None:
        """Takes what is disclosed about the act's subject out of the database, and logs it; the act itself stays open.

        Raises NotDone where it is refused, NotYet where something about them is just being said or carried out.
        """

    async def erasure_report(self, act_id: str) -> tuple[int, Sequence[str]]:
        """How many of our messages still wait to be redrawn, and which could not be: channel, time stamp, Slack's word."""

    async def prunable(self, before: datetime) -> int:
        """How many more entries of before that moment can be emptied."""

    async def begin_pruning(self, act_id: str, before: datetime, policy: Policy) -> None:
        """Writes `log.pruned`; nothing is emptied yet. Raises NotDone where nothing could be."""

    async def empty_entries(self, limit: int) -> int:
        """Empties some of what the newest `log.pruned` allows; how many entries."""

    async def pruned(self) -> int:
        """Below which index entries are emptied."""

    async def rebuild(self) -> bool:
        """Writes the database anew, so that nothing deleted is left in it; False where it must be tried again."""

    async def last_checkpoint(self) -> str | None:
        """The newest signed note, whole; None before the first."""

    async def last_post(self) -> tuple[int, datetime | None]:
        """The checkpoint that the audit channel heard last: its size, and when; 0 and None before the first."""

    async def post_checkpoint(self, size: int, say: Notification) -> None:
        """The audit channel is to hear of the checkpoint of `size`."""

    async def empty_over(self, limit: int) -> int:
        """Free text of cases that are over and delivered leaves the state for `log_private`; how many cases."""

    async def shed(self) -> bool:
        """What was overwritten leaves the database's side files too; False where that must be tried again."""

    async def person_of(self, ref: str) -> Person | None:
        """Who stands behind a pseudonym; None where nobody does, or they were erased."""

    async def ref_of(self, person: Person) -> str | None:
        """The pseudonym of a person; None where the log never named them, or they were erased."""
