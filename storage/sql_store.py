"""`bot.ports.store.Store` over any backend: one object a subject, all over the same transactions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bot.clock import Clock
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from storage.cases.commit import carry_out, write
from storage.governance.campaigns import ReviewStore
from storage.queues import outbox
from storage.queues.executor_calls import CallStore
from storage.queues.inbox import InboxStore
from storage.queues.outbox import OutboxStore
from storage.session import Session, Upkeep
from storage.stores.agreement import AgreementStore
from storage.stores.anchors import AnchorStore
from storage.stores.cases import AbsenceStore, CaseHistoryStore, CaseStore
from storage.stores.clock_marks import ClockMarkStore
from storage.stores.epochs import EpochStore
from storage.stores.homes import HomeStore
from storage.stores.log import LogStore
from storage.stores.operator import OperatorStore
from storage.stores.overview import OverviewStore
from storage.stores.policies import PolicyStore
from storage.stores.signing import SigningStore
from storage.transactions import Transactions


class SqlStore:
    """The subjects, and the commit that changes several of them in one transaction. A backend's opener makes it."""

    def __init__(
        self, transactions: Transactions, clock: Clock, upkeep: Upkeep | None, check_schema: Callable[[Session], None],
        intake: Transactions | None = None,
    ) -> None:  # fmt: skip
        """`intake` writes incoming commands, if the worker writes on another connection."""
        self.transactions, self.intake = transactions, intake or transactions
        self.cases, self.history = CaseStore(transactions), CaseHistoryStore(transactions)
        self.absences, self.homes = AbsenceStore(transactions), HomeStore(transactions)
        self.inbox, self.outbox = InboxStore(transactions, clock, self.intake), OutboxStore(transactions, self.intake)
        self.calls = CallStore(transactions)
        self.policies = PolicyStore(transactions)
        self.log, self.anchors, self.epochs = LogStore(transactions), AnchorStore(transactions), EpochStore(transactions)
        self.operator = OperatorStore(transactions, upkeep)
        self.clock = ClockMarkStore(transactions)
        self.agreement = AgreementStore(transactions)
        self.reviews = ReviewStore(transactions)
        self.signing = SigningStore(transactions)
        self.overview = OverviewStore(transactions, check_schema, self.intake)

    async def commit(self, act: Transition) -> Case | None:
        return await self.transactions.write(lambda tx: carry_out(tx, act))

    async def commit_each(self, acts: Sequence[Transition]) -> Sequence[Exception | None]:
        return await self.transactions.write_each([partial(write, act=act) for act in acts])

    def timed(self, heard: Callable[[str, float], None]) -> None:
        """From now on `heard` is called after each transaction, with `read` or `write` and its seconds."""
        self.transactions.timed = self.intake.timed = heard

    async def free_leases(self) -> None:
        """Frees what a killed process had leased to send or to call. Only for the process that sends, at its start."""
        await self.transactions.write(lambda tx: _free_leases(tx.session))

    async def close(self) -> None:
        """Closes after everything under way is committed."""
        await self.transactions.close()


def _free_leases(session: Session) -> None:
    outbox.free_leases(session)
    session.run("free_calls")
