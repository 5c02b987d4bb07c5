"""The use cases: what arrives is judged by the domain and carried out once by the store.

Every act takes one line: read the case, look up the account, judge purely, commit. When somebody else was faster the
commit says Stale; then it is read and judged again, so that the slower person gets the real outcome (rule 3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial

import structlog

from bot.clock import Clock
from bot.decision_log.host_acts import HostActs
from bot.domain.case.click import Refusal, Rejected
from bot.domain.case.transition import SYSTEM, Lane, Notification, Transition, Visit
from bot.domain.decision_log import events
from bot.domain.errors import LookupFailed, Stopped
from bot.domain.governance.campaigns import message_to
from bot.domain.policy import channel_posting
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Presence
from bot.domain.timing.steps import candidates
from bot.domain.workflow import (
    filing,
    notifications,
)
from bot.ports.commands import (
    CARDS,
    AnswerMatrix,
    AnswerReview,
    Command,
    ConfirmOperatorAction,
    FileRequest,
    PostButton,
    Press,
    RecordSealedUse,
    SaySentence,
    SetAbsence,
    ShowPage,
    SignAnswer,
    SuspendProvider,
)
from bot.ports.directory import Directory
from bot.ports.host_commands import ActOnHost
from bot.ports.records import InboxRow
from bot.ports.store import Store
from bot.ports.tracing import request_of
from bot.service.absences import Absences
from bot.service.accounts import DECISION_AGE
from bot.service.agreements import Agreements
from bot.service.contracts import Contracts
from bot.service.current_policy import CurrentPolicy
from bot.service.endorsements import Endorsements
from bot.service.filing import Filing, form_of
from bot.service.handovers import Handovers
from bot.service.month_posts import MonthPosts
from bot.service.outage import Outage
from bot.service.permits import Permit, PermitIssuer
from bot.service.presses import Actions
from bot.service.providers import Providers
from bot.service.queries import CaseQueries
from bot.service.reviews import Reviews
from bot.service.sealed_use import recorded
from bot.service.signed_answers import SignedAnswers, answered
from bot.service.signing_page import SigningPage
from bot.service.signing_session import SigningSessions
from bot.service.transactions import CARD_AGE, TransactionRunner

_CARDS, _OWED = 5, 10
log = structlog.get_logger(__name__)


class ApprovalService:
    """One for each process: puts the use cases together, and hands each row of the inbox to the one that carries it out.
    `arrived` is set when something came in."""

    def __init__(self, store: Store, directory: Directory, clock: Clock, scale: float, policy: Policy) -> None:
        self._inbox, self._directory, self._clock, self._scale = store.inbox, directory, clock, scale
        self.current = CurrentPolicy(store, clock, scale, policy)
        self.transactions = TransactionRunner(store, directory, clock, scale, self.current)
        self.contracts = Contracts(store, clock, scale, self.current, self.transactions)
        self.handovers = Handovers(store, clock, self.current, self.transactions)
        self.agreements = Agreements(store, directory, clock, scale, self.current)
        self.queries = CaseQueries(store, self.current)
        self.absences = Absences(store, clock, scale, self.current, self.transactions, self.queries)
        self.filing = Filing(store, clock, scale, self.current, self.transactions)
        self.actions = Actions(store, directory, clock, scale, self.current, self.transactions)
        self.providers = Providers(store, directory, clock, self.current)
        self.reviews = Reviews(store, directory, clock, scale, self.current, self.transactions)
        self.months = MonthPosts(store, clock, scale, self.current, self.take_in)
        self.outage = Outage(store, directory, clock, self.current, self.transactions)
        self.actions.last_answer = self.outage.last_answer
        self.endorsements = Endorsements(store, directory, clock, scale, self.current)
        self.signed = SignedAnswers(store, clock, self.current, self.actions, self.endorsements)
        self.signing = SigningPage(store, clock, self.current, self.take_in, self.endorsements)
        self.sessions = SigningSessions(store, clock, self.current, self.queries, self.signing, self.endorsements)
        self.arrived = asyncio.Event()
        self.permits: PermitIssuer | None = None
        self.host_acts: HostActs | None = None

    # What the edge asks before it acknowledges.

    async def take_in(self, key: str, act: Command, answer: Mapping[str, object]) -> Mapping[str, object]:
        """Writes the act down durably, once a key; returns the answer that the first one got."""
        with self.transactions.tracing.span(
            "take in", request_of(act), begins=isinstance(act, FileRequest), command=act.kind
        ):
            first = await self._inbox.take_in(key, act, answer)
        self.arrived.set()
        return first

    async def permit(self, case_id: str, person: Person | None = None) -> Permit | Rejected:
        """A fresh permit for somebody who may have it (`may_open`), else for the runbook's executor. Raises CountersignError."""
        if self.permits is None:
            return Rejected(Refusal.STALE, "failed", {})
        policy = self.current.policy
        return await self.permits.issue(case_id, policy, SYSTEM if person is None else events.actor(policy, person))

    # What the worker carries out.

    async def carry_out(self, row: InboxRow) -> None:
        """Carries out one inbox row, wholly and once; what a stopped log does not let through is answered with a sentence, after
        which no replica carries it out."""
        if not row.refused:
            try:
                await self._carried_out(row)
                return
            except Stopped as stopped:
                log.warning("act.while_stopped", inbox=row.id, kind=row.act.kind, reason=str(stopped))
                await self._inbox.settle(row.id)
        await self.transactions.commit(replace(_for_page(while_stopped(row.act), row), inbox=row.id))

    async def refuse_at_once(self, row: InboxRow) -> bool:
        """Refuses a press that can never count, without waiting for what else concerns its request; False for all else."""
        refused = await self.actions.refused_at_once(row.act) if isinstance(row.act, Press) else None
        if refused is None:
            return False
        try:
            await self.transactions.commit(replace(refused, inbox=row.id))
        except Stopped:
            return False
        return True

    async def _carried_out(self, row: InboxRow) -> None:
        act = row.act
        if isinstance(act, FileRequest):
            await self.filing.carry_out(act, row.id)
        elif isinstance(act, Press):
            await self.transactions.retry_on_conflict(lambda: self.actions.press(act), row.id)
        elif isinstance(act, SignAnswer):
            await self.transactions.retry_on_conflict(lambda: self.signed.press(act, row.key), row.id)
        elif isinstance(act, PostButton):
            await self.transactions.commit(replace(await self._post(act), inbox=row.id))
        elif isinstance(act, SetAbsence):
            await self.absences.carry_out(act, row.id)
        elif isinstance(act, RecordSealedUse):
            await self.transactions.retry_on_conflict(lambda: self._sealed(act), row.id)
        elif isinstance(act, AnswerMatrix):
            await self.transactions.commit(replace(await self.agreements.answered(act), inbox=row.id))
        elif isinstance(act, SuspendProvider):
            await self.transactions.retry_on_conflict(lambda: self.providers.suspend(act), row.id)
        elif isinstance(act, AnswerReview):
            await self.transactions.retry_on_conflict(lambda: self.reviews.answered(act), row.id)
        elif isinstance(act, ActOnHost):
            await self._on_host(act, row.id)
        elif isinstance(act, ConfirmOperatorAction):
            await self.current.refresh()
            await self.transactions.retry_on_conflict(lambda: self.actions.confirm(act), row.id)
        else:
            await self.transactions.commit(replace(await self._answered(act), inbox=row.id))

    async def _on_host(self, act: ActOnHost, inbox_id: int) -> None:
        if self.host_acts is None:
            await self._inbox.refuse(inbox_id, "other: This process carries out no commands of a host.")
        else:
            await self.host_acts.carry_out(act, inbox_id)

    async def _sealed(self, act: RecordSealedUse) -> Transition:
        async def presence() -> Presence:
            return await self.transactions.presence(candidates(self.current.policy, act.domain), None)

        return await recorded(self._directory, self.current.policy, act, presence, self._clock.now, self._scale)

    async def _answered(self, act: ShowPage | SaySentence) -> Transition:
        """A page or a sentence; typed text also brings the newest waiting cards, with their buttons."""
        page = page_of(act)
        if isinstance(act, ShowPage) and act.page == "review":
            return replace(page, says=(*page.says, *await self._owed_by(act.person)))
        if not (isinstance(act, ShowPage) and act.page == "waiting" and act.argument == CARDS):
            return page
        cards: list[Notification] = []
        for case in (await self.queries.read_waiting(act.person))[:_CARDS]:
            cards += notifications.cards_again(case, act.person)
        return replace(page, says=(*page.says, *cards))

    async def _owed_by(self, person: Person) -> list[Notification]:
        """The newest cards of what somebody owes, with their buttons."""
        cards = [
            say
            for case in await self.queries.read_reviews(person)
            for say in notifications.reviews_again(case, self.current.policy, person)
        ]
        return [
            *(message_to(campaign, person, wanted=True) for campaign in await self.reviews.theirs(person)),
            *cards[:_OWED],
            *(notifications.owed(case, person) for case in (await self.queries.read_owing(person))[:_OWED]),
        ]

    async def give_up(self, row: InboxRow, tell: SaySentence | None) -> None:
        """Finishes a row that cannot be carried out, and answers its author if there is an address for the answer; a filing is
        refused, with an entry."""
        if isinstance(row.act, ActOnHost):
            await self._inbox.refuse(row.id, "other: The leader could not carry it out; see its log.")
            return
        if isinstance(row.act, FileRequest):
            act = filing.given_up(self.current.policy, form_of(row.act), row.act.form)
        else:
            act = page_of(tell) if tell else Transition(None, None)
        await self.transactions.commit(replace(_for_page(act, row), inbox=row.id))

    async def _post(self, act: PostButton) -> Transition:
        """The channel button: put there by people of the organisation only, and never where two providers meet (rule 11)."""
        told = partial(notifications.answer, None, act.person, asdict(act.reply))
        try:
            profile = await self._directory.profile(act.person, DECISION_AGE)
            found = await asyncio.gather(*(self._party(user) for user in await self._directory.members(act.channel)))
        except LookupFailed:
            return Transition(None, None, says=(told("post_again"),))
        no = channel_posting.refusal(self.current.policy, act.channel, act.person, profile, frozenset(found) - {None})
        if no is not None:
            return Transition(None, None, says=(told("plain", text=no),))
        door = Notification("door", Lane.CARD, channel_posting.button_of(act.channel), channel=act.channel)
        return Transition(None, None, says=(door, told("posted")))

    async def _party(self, user: str) -> str | None:
        """The provider of a channel's member, by the team that Slack names."""
        profile = await self._directory.profile(Person("", user), CARD_AGE)
        provider = self.current.policy.provider_of(profile.person)
        return provider.id if provider else None


def _for_page(act: Transition, row: InboxRow) -> Transition:
    """Answers the signer on the page when the command cannot be carried out."""
    return answered(act, row.act, row.key, "") if isinstance(row.act, SignAnswer) else act


def while_stopped(act: Command) -> Transition:
    """The sentence for what a stopped log does not let through; it leaves no entry."""
    if isinstance(act, FileRequest):
        params: dict[str, object] = {"id": act.id}
        says = filing.told(None, act.person, "stopped", params, act.form)
    else:
        says = (notifications.answer(getattr(act, "case", None), act.person, _reply_to(act), "stopped"),)
    return Transition(None, None, says=says)


def _reply_to(act: Command) -> dict[str, object]:
    return {} if isinstance(act, FileRequest | SignAnswer | ActOnHost) else asdict(act.reply)


def page_of(act: ShowPage | SaySentence) -> Transition:
    """Saying a sentence or showing a page; nothing else changes. A look at the Home tab is noted too."""
    if isinstance(act, SaySentence):
        says = (notifications.answer(None, act.person, asdict(act.reply), act.sentence, argument=act.argument),)
    elif act.page == "home":
        visit = Visit(act.person, int(act.argument) if act.argument.isdecimal() else 1)
        return Transition(None, None, says=(notifications.home(act.person),), visit=visit)
    elif act.page == "month":
        says = (Notification("month", Lane.REMINDER, to=act.person, data={"argument": act.argument}),)
    else:
        data = {"reply": asdict(act.reply), "page": act.page, "argument": act.argument}
        says = (Notification("page", Lane.CARD, to=act.person, data=data),)
    return Transition(None, None, says=says)
