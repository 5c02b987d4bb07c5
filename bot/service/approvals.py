"""The use cases: what arrives is judged by the domain and carried out once by the store.

Every act takes one line: read the case, look up the account, judge purely, commit. When somebody else was faster the
commit says Stale; then it is read and judged again, so that the loser is told what really happened (rule 3).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from bot.clock import Clock
from bot.domain.authority.authorization import Allowed, Refused
from bot.domain.authority.policy_rollout import strictest
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.model import Case
from bot.domain.case.transition import Lane, LogEvent, Notification, Transition
from bot.domain.decision_log import events
from bot.domain.errors import LookupFailed, Stopped
from bot.domain.operator import dual_control
from bot.domain.policy import channel_posting
from bot.domain.policy.model import Kind, Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Presence
from bot.domain.timing.steps import candidates
from bot.domain.workflow import (
    autonomous_rights,
    break_glass,
    filing,
    filing_form,
    notifications,
)
from bot.ports.commands import (
    CARDS,
    Command,
    ConfirmOperatorAction,
    FileRequest,
    PostButton,
    Press,
    RecordSealedUse,
    SaySentence,
    SetAbsence,
    ShowPage,
)
from bot.ports.directory import Directory
from bot.ports.records import BreakGlassUsage, InboxRow
from bot.ports.store import Store
from bot.service.absences import Absences
from bot.service.accounts import DECISION_AGE, account_of
from bot.service.actions import ACTIONS, Situation, click_of, refuse
from bot.service.command_mapping import form_of, page_of, where, while_stopped
from bot.service.permits import Permit, PermitIssuer
from bot.service.sealed_use import recorded
from bot.service.transactions import CARD_AGE

DENIED_WITHIN, EXPIRED_WITHIN, WEEK = timedelta(hours=24), timedelta(hours=2), timedelta(days=7)
_CARDS, _OWED = 5, 10
log = structlog.get_logger(__name__)


class ApprovalService(Absences):
    """One for each process. `spoke` is set when there is something to say, `arrived` when something came in."""

    def __init__(self, store: Store, directory: Directory, clock: Clock, scale: float, policy: Policy) -> None:
        super().__init__(store, directory, clock, scale, policy)
        self.arrived = asyncio.Event()
        self.permits: PermitIssuer | None = None
        self._filing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def adopt(self, policy: Policy) -> None:
        """Puts a changed set in force that is stored and announced already."""
        self.sets = self.sets.then(policy, self.clock.now(), self.scale)
        self.spoke.set()
        await self.store.cases.wake_on_call(self.clock.now())

    async def reread(self, policy: Policy) -> None:
        """The same set, its feeds read anew. Somebody else may be on call now: open questions are looked at again."""
        self.sets = self.sets.with_current(policy)
        await self.store.cases.wake_on_call(self.clock.now())

    @property
    def asking(self) -> Policy:
        """The set in force as it counts for whoever asks now: what it lately made easier counts later (`motion`)."""
        return strictest(self.policy, self.sets.also_binding(self.clock.now()))

    # What the edge asks before it acknowledges.

    async def take_in(self, key: str, act: Command, answer: Mapping[str, object]) -> Mapping[str, object]:
        """Writes the act down durably, once a key; returns the answer that the first one got."""
        first = await self.store.inbox.take_in(key, act, answer)
        self.arrived.set()
        return first

    def runbooks_for(self, person: Person, kind: Kind | None) -> tuple[Runbook, ...]:
        """What this person may ask for, by title."""
        provider = filing_form.provider_asking(self.policy, person)
        mine = [
            r for r in self.asking.runbooks.values()
            if provider is not None and provider.id in r.providers and kind in (None, r.kind)
        ]  # fmt: skip
        return tuple(sorted(mine, key=lambda r: r.title))

    def check_filing(self, act: FileRequest) -> tuple[filing_form.FieldError, ...]:
        """Everything wrong with a form, each at its field; brakes are the worker's."""
        return filing_form.check(self.asking, form_of(act), self.clock.now().date())

    async def may_open(self, press: Press) -> Allowed | Refused:
        """Whether a press would count that opens a form. Raises LookupFailed."""
        await self.stand()
        case = await self.store.cases.case(press.case)
        if case is None:
            return Refused(Refusal.STALE, "There is no such request.")
        may = ACTIONS[press.action].may
        no = may(await self._situation(case, press)) if may is not None else None
        return Refused(no.why, no.sentence) if no is not None else Allowed(())

    async def permit(self, case_id: str, person: Person) -> Permit | Rejected:
        """A fresh permit for somebody who may have it (`may_open`). Raises CountersignError."""
        if self.permits is None:
            return Rejected(Refusal.STALE, "failed", {})
        return await self.permits.issue(case_id, self.policy, events.actor(self.policy, person))

    # What the worker carries out.

    async def carry_out(self, row: InboxRow) -> None:
        """Carries out one inbox row, wholly and once; what a stopped log does not let through is answered with a sentence."""
        try:
            await self._carried_out(row)
        except Stopped as stopped:
            log.warning("act.while_stopped", inbox=row.id, kind=row.act.kind, reason=str(stopped))
            await self._commit(replace(while_stopped(row.act), inbox=row.id))

    async def _carried_out(self, row: InboxRow) -> None:
        act = row.act
        if isinstance(act, FileRequest):
            async with AsyncExitStack() as one_at_a_time:  # brakes, quota and limit count one filing at a time
                for whose in self._whose_filings(act):
                    await one_at_a_time.enter_async_context(self._filing[whose])
                await self._retry_on_conflict(lambda: self._file(act), row.id)
        elif isinstance(act, Press):
            await self._retry_on_conflict(lambda: self._pressed(act), row.id)
        elif isinstance(act, PostButton):
            await self._commit(replace(await self._post(act), inbox=row.id))
        elif isinstance(act, SetAbsence):
            await self.away(act, row.id)
        elif isinstance(act, RecordSealedUse):
            await self._retry_on_conflict(lambda: self._sealed(act), row.id)
        elif isinstance(act, ConfirmOperatorAction):
            await self.stand()
            await self._retry_on_conflict(lambda: self._confirmed(act), row.id)
        else:
            await self._commit(replace(await self._answered(act), inbox=row.id))

    async def _sealed(self, act: RecordSealedUse) -> Transition:
        async def presence() -> Presence:
            return await self._presence(candidates(self.policy, act.domain), None)

        return await recorded(self.directory, self.policy, act, presence, self.clock.now, self.scale)

    def _whose_filings(self, act: FileRequest) -> Iterator[str]:
        """Whose filings wait for each other: one human's, and where a quota or limit counts, a whole provider's too."""
        yield self.policy.humans.key(act.person)
        runbook, provider = self.asking.runbooks.get(act.runbook), filing_form.provider_asking(self.policy, act.person)
        if runbook is not None and (runbook.break_glass or runbook.limit) and provider is not None:
            yield f"provider {provider.id}"

    async def _answered(self, act: ShowPage | SaySentence) -> Transition:
        """A page or a sentence; typed text also brings the newest waiting cards, with their buttons."""
        page = page_of(act)
        if isinstance(act, ShowPage) and act.page == "review":
            return replace(page, says=(*page.says, *await self._owed_by(act.person)))
        if not (isinstance(act, ShowPage) and act.page == "waiting" and act.argument == CARDS):
            return page
        cards: list[Notification] = []
        for case in (await self.read_waiting(act.person))[:_CARDS]:
            cards += notifications.cards_again(case, act.person)
        return replace(page, says=(*page.says, *cards))

    async def _owed_by(self, person: Person) -> list[Notification]:
        """The newest cards of what somebody owes, with their buttons."""
        cards = [say for case in await self.read_reviews(person) for say in notifications.reviews_again(case, person)]
        return [*cards[:_OWED], *(notifications.owed(case, person) for case in (await self.read_owing(person))[:_OWED])]

    async def give_up(self, row: InboxRow, tell: SaySentence | None) -> None:
        """A row that cannot be carried out is finished; its author is told where there is a place to tell them."""
        act = page_of(tell) if tell else Transition(None, None)
        await self._commit(replace(act, inbox=row.id))

    async def _file(self, act: FileRequest) -> Transition:
        await self.stand()
        form, policy, now = form_of(act), self.asking, self.clock.now()
        runbook = policy.runbooks.get(form.runbook)
        provider = filing_form.provider_asking(policy, form.requester)
        domain = runbook.domain if runbook else ""
        found = await self.store.history.filing_limits(
            form.requester, domain, provider.id if provider else "", form.runbook, form.target.strip(), now,
            denied_within=DENIED_WITHIN / self.scale, expired_within=EXPIRED_WITHIN / self.scale, week=WEEK / self.scale,
            also=policy.humans.accounts(form.requester),
        )  # fmt: skip
        glass = await self._glass(runbook, provider.id if provider else "")
        earlier = filing.Earlier(
            found.pending, found.same_pending, found.denied_by, found.expired_recently, found.asks_in_week,
            found.last_outcome or "", glass.opened, glass.overdue, await self._used(runbook, provider.id if provider else ""),
        )  # fmt: skip
        presence = await self._presence(candidates(policy, domain), runbook.kind if runbook else None)
        filed = filing.file(policy, form, earlier, presence, self.clock.now(), self.scale, form_view=act.form)
        return replace(filed, otherwise=filing.refused_by_clock(policy, form, act.form))

    async def used(self, person: Person, runbook: Runbook) -> tuple[str | None, str]:
        """What the form says of the runbook's limit: why nothing is left of it, and else how much is used."""
        provider = filing_form.provider_asking(self.policy, person)
        if runbook.limit is None or provider is None:
            return None, ""
        used = await self._used(runbook, provider.id)
        spent = autonomous_rights.spent(runbook.limit, used, self.scale)
        return spent, "" if spent else autonomous_rights.left(runbook.limit, used)

    async def _used(self, runbook: Runbook | None, provider: str) -> autonomous_rights.Used:
        if runbook is None or runbook.limit is None:
            return autonomous_rights.Used()
        since = self.clock.now() - timedelta(seconds=runbook.limit.per / self.scale)
        return await self.store.history.uses(provider, runbook.id, since)

    async def glass_debt(self, person: Person, runbook: Runbook) -> str | None:
        """Why a break-glass of this person would open nothing before a yes; None if it opens at once, or is none."""
        provider = filing_form.provider_asking(self.policy, person)
        found = await self._glass(runbook, provider.id if provider else "")
        return break_glass.debt(runbook, found.opened, found.overdue)

    async def _glass(self, runbook: Runbook | None, provider: str) -> BreakGlassUsage:
        if runbook is None or runbook.break_glass is None:
            return BreakGlassUsage(0, overdue=False)
        now, window = self.clock.now(), timedelta(seconds=break_glass.window_of(runbook.break_glass) / self.scale)
        return await self.store.history.break_glass_usage(provider, runbook.domain, now, now - window)

    async def _pressed(self, press: Press) -> Transition:
        await self.stand()
        case = await self.store.cases.case(press.case)
        if case is None:
            return self._unknown(press)
        try:
            situation = await self._situation(case, press)
        except LookupFailed:
            return Transition(None, None, says=(notifications.answer(case.id, press.person, where(press.reply), "again"),))
        row = ACTIONS[press.action]
        if press.opens_form or row.carry_out is None:
            no = row.may(situation) if row.may is not None else None
            return Transition(None, None) if no is None else refuse(situation, no)
        return row.carry_out(situation)

    async def _situation(self, case: Case, press: Press) -> Situation:
        """Everything that the row of the table asks for. Raises LookupFailed."""
        row, profile, presence = ACTIONS[press.action], None, None
        if row.account:
            profile = await account_of(self.directory, press.person, takes_away=row.takes_away)
        if row.presence and not press.opens_form:
            presence = await self.presence_for(case)
        doubted = self.clock.jumped() is not None
        return Situation(
            case, click_of(press), self.sets, self.clock.now(), self.scale, doubted, looked_up=profile, present=presence
        )

    def _unknown(self, press: Press) -> Transition:
        who, data = events.actor(self.policy, press.person), {"action": press.action, "why": "stale"}
        says = (notifications.answer(None, press.person, where(press.reply), "unknown", id=press.case),)
        return Transition(None, None, (LogEvent("decision.refused", who, data=data),), says)

    async def _confirmed(self, act: ConfirmOperatorAction) -> Transition:
        """Confirm or Refuse of an operator's act: the account is looked up at the click, then the domain judges."""
        click = Click(act.person, act.answer, 0, where(act.reply))
        found = await self.store.operator.action(act.id)
        if found is None:
            no = Rejected(Refusal.STALE, "unknown_act", {"id": act.id})
            return dual_control.refuse_click(act.id, self.policy, click, no)
        try:
            profile = await account_of(self.directory, act.person, takes_away=act.answer == "refuse")
        except LookupFailed:
            return Transition(None, None, says=(notifications.answer(None, act.person, click.reply, "again"),))
        return dual_control.press(found, self.policy, click, profile, self.clock.now())

    async def _post(self, act: PostButton) -> Transition:
        """The channel button: put there by people of home only, and never where two providers meet (rule 11)."""
        told = partial(notifications.answer, None, act.person, where(act.reply))
        try:
            profile = await self.directory.profile(act.person, DECISION_AGE)
            found = await asyncio.gather(*(self._party(user) for user in await self.directory.members(act.channel)))
        except LookupFailed:
            return Transition(None, None, says=(told("post_again"),))
        no = channel_posting.refusal(self.policy, act.channel, act.person, profile, frozenset(found) - {None})
        if no is not None:
            return Transition(None, None, says=(told("plain", text=no),))
        door = Notification("door", Lane.CARD, channel=act.channel)
        return Transition(None, None, says=(door, told("posted")))

    async def _party(self, user: str) -> str | None:
        """The provider of a channel's member, by the team that Slack names."""
        profile = await self.directory.profile(Person("", user), CARD_AGE)
        provider = self.policy.provider_of(profile.person)
        return provider.id if provider else None
