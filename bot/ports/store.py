"""The store: one commit over all subjects, and each subject's port. Who needs one subject asks for that port alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.ports.agreement import AgreementRecords
from bot.ports.cases import Absences, CaseHistory, Cases, Homes
from bot.ports.clock_marks import ClockMarks
from bot.ports.log import AnchorRecords, DecisionLog
from bot.ports.operator import OperatorRecords
from bot.ports.overview import Overview
from bot.ports.policies import Policies
from bot.ports.queues import ExecutorCalls, Inbox, Outbox
from bot.ports.reviews import ReviewRecords
from bot.ports.signing import SigningRecords


class Commits(Protocol):
    """Carries transitions out: state by compare-and-swap, log entries and messages in one durable transaction.

    A transaction runs to its end even if its caller is cancelled.
    """

    async def commit(self, act: Transition) -> Case | None:
        """Commits one act, wholly or not at all; returns the case as stored, with its new version.

        Raises Stale (the case is no longer `act.before`, a filing's id exists, or `act.inbox` is already finished),
        TooLate (the transaction began at or after `act.valid_before`), Frozen (it gives, and the clock is doubted),
        EntryError (a value cannot be written into the log), Stopped (the log takes nothing).
        """

    async def commit_each(self, acts: Sequence[Transition]) -> Sequence[Exception | None]:
        """Commits acts of different cases together: None for each that is committed, else what `commit` would raise.
        One that is refused undoes only itself."""


class Store(Commits, Protocol):
    """Durable state by subject. Every method of every part is one transaction."""

    @property
    def cases(self) -> Cases: ...
    @property
    def history(self) -> CaseHistory: ...
    @property
    def absences(self) -> Absences: ...
    @property
    def homes(self) -> Homes: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def calls(self) -> ExecutorCalls: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def log(self) -> DecisionLog: ...
    @property
    def anchors(self) -> AnchorRecords: ...
    @property
    def agreement(self) -> AgreementRecords: ...
    @property
    def reviews(self) -> ReviewRecords: ...
    @property
    def signing(self) -> SigningRecords: ...
    @property
    def operator(self) -> OperatorRecords: ...
    @property
    def clock(self) -> ClockMarks: ...
    @property
    def overview(self) -> Overview: ...
