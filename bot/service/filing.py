"""Filing: what a person may ask for, the validation of a form, and the request that results.

What counts several filings (the limits on one person, a provider's break-glass debt, a runbook's limit) takes one filing at a time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.case.ask import Brake
from bot.domain.case.transition import Transition
from bot.domain.governance import narrowing
from bot.domain.policy.model import Kind, Runbook
from bot.domain.policy.people import Person
from bot.domain.timing import waking
from bot.domain.timing.steps import candidates
from bot.domain.workflow import autonomous_rights, break_glass, filing, filing_form
from bot.domain.workflow.findings import filing as findings
from bot.ports.commands import FileRequest, read_day
from bot.ports.records import BreakGlassUsage
from bot.ports.store import Store
from bot.service.current_policy import CurrentPolicy
from bot.service.transactions import TransactionRunner

DENIED_WITHIN, EXPIRED_WITHIN, WEEK = timedelta(hours=24), timedelta(hours=2), timedelta(days=7)


def form_of(act: FileRequest) -> filing_form.Form:
    """What a person filed."""
    return filing_form.Form(
        act.id, act.person, act.runbook, act.target, act.reason, act.seconds, act.fields, act.subject, act.door,
        read_day(act.until), datetime.fromisoformat(act.noticed_at) if act.noticed_at else None,
        act.by_host,
    )  # fmt: skip


class Filing:
    """One for each process: it holds the locks that order filings."""

    def __init__(
        self, store: Store, clock: Clock, scale: float, current: CurrentPolicy, transactions: TransactionRunner
    ) -> None:
        self._store, self._clock, self._scale, self._current = store, clock, scale, current
        self._transactions = transactions
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def carry_out(self, act: FileRequest, inbox: int) -> None:
        """Files what was sent, or refuses it with the reason. Raises Stopped, StorageError."""
        async with AsyncExitStack() as one_at_a_time:
            for whose in self._waits_for(act):
                await one_at_a_time.enter_async_context(self._locks[whose])
            await self._transactions.retry_on_conflict(lambda: self._judged(act), inbox)

    def runbooks_for(self, person: Person, kind: Kind | None) -> tuple[Runbook, ...]:
        """What this person may ask for, by title; of the kind `finding` what they may report."""
        if kind == "finding":
            found = (
                r for r in self._current.policy.runbooks.values() if findings.may_file(self._current.policy, r, person)
            )
            return tuple(sorted(found, key=lambda r: r.title))
        provider = filing_form.provider_asking(self._current.policy, person)
        mine = [
            r for r in self._current.asking.runbooks.values()
            if provider is not None and provider.id in r.providers and r.kind != "finding" and kind in (None, r.kind)
        ]  # fmt: skip
        return tuple(sorted(mine, key=lambda r: r.title))

    def waits_to_count(self, person: Person, kind: Kind | None) -> bool:
        """Whether the set in force has something that this person may ask for only later: it is not confirmed, or its delay runs."""
        provider = filing_form.provider_asking(self._current.policy, person)
        books = self._current.policy.runbooks.values()
        return provider is not None and any(
            provider.id in r.providers and r.kind != "finding" and kind in (None, r.kind) for r in books
        )

    def check(self, act: FileRequest) -> tuple[filing_form.FieldError, ...]:
        """Everything wrong with a form, each at its field; brakes are the worker's."""
        if self._reports(act):
            return findings.check(self._current.policy, form_of(act), self._clock.now())
        return filing_form.check(self._current.asking, form_of(act), self._clock.now().date())

    def _reports(self, act: FileRequest) -> bool:
        """Whether a form is about a finding. What lately became easier counts at once: it gives nothing."""
        runbook = self._current.policy.runbooks.get(act.runbook)
        return runbook is not None and runbook.kind == "finding"

    async def _finding(self, act: FileRequest) -> Transition:
        """A new finding, or a repeat that joins the one that is not closed."""
        form, policy = form_of(act), self._current.policy
        domain = policy.runbooks[form.runbook].domain
        same = await self._store.cases.open_finding(domain, form.target)
        presence = await self._transactions.presence(candidates(policy, domain), "finding")
        return findings.file(policy, form, same, presence, self._clock.now(), self._scale, form_view=act.form)

    def _waits_for(self, act: FileRequest) -> Iterator[str]:
        """Whose filings wait for each other: one human's, and where a quota or limit counts, a whole provider's too."""
        yield self._current.policy.humans.key(act.person)
        runbook, provider = (
            self._current.asking.runbooks.get(act.runbook),
            filing_form.provider_asking(self._current.policy, act.person),
        )
        if self._reports(act):
            yield f"findings {self._current.policy.runbooks[act.runbook].domain}"
        if runbook is not None and (runbook.break_glass or runbook.limit) and provider is not None:
            yield f"provider {provider.id}"

    async def _judged(self, act: FileRequest) -> Transition:
        await self._current.refresh()
        if self._reports(act):
            return await self._finding(act)
        form, policy, now = form_of(act), self._current.asking, self._clock.now()
        runbook = policy.runbooks.get(form.runbook)
        provider = filing_form.provider_asking(policy, form.requester)
        domain = runbook.domain if runbook else ""
        found = await self._store.history.filing_limits(
            form.requester, domain, provider.id if provider else "", form.runbook, form.target.strip(), now,
            denied_within=DENIED_WITHIN / self._scale, expired_within=EXPIRED_WITHIN / self._scale, week=WEEK / self._scale,
            also=policy.humans.accounts(form.requester),
        )  # fmt: skip
        glass = await self._glass(runbook, provider.id if provider else "")
        pending, waiting = narrowing.pending(self._current.policy, policy, found.pending, form.requester)
        earlier = filing.Earlier(
            pending, found.same_pending, found.denied_by, found.expired_recently, found.asks_in_week,
            found.last_outcome or "", glass.opened, glass.overdue, await self._used(runbook, provider.id if provider else ""),
            waiting,
        )  # fmt: skip
        presence = await self._transactions.presence(candidates(policy, domain), runbook.kind if runbook else None)
        filed = filing.file(policy, form, earlier, presence, self._clock.now(), self._scale, form_view=act.form)
        return replace(filed, otherwise=filing.refused_by_clock(policy, form, act.form))

    async def used(self, person: Person, runbook: Runbook) -> tuple[str | None, str]:
        """The form's note on the runbook's limit: why it is used up, or how much is used."""
        provider = filing_form.provider_asking(self._current.policy, person)
        if runbook.limit is None or provider is None:
            return None, ""
        used = await self._used(runbook, provider.id)
        spent = autonomous_rights.spent(runbook.limit, used, self._scale)
        return spent, "" if spent else autonomous_rights.left(runbook.limit, used)

    async def _used(self, runbook: Runbook | None, provider: str) -> autonomous_rights.Used:
        if runbook is None or runbook.limit is None:
            return autonomous_rights.Used()
        since = self._clock.now() - timedelta(seconds=runbook.limit.per / self._scale)
        return await self._store.history.uses(provider, runbook.id, since)

    async def brake(self, person: Person, runbook: Runbook) -> Brake | None:
        """Whether nobody would be paged for a request of this person now, because they have woken enough of the domain."""
        now = self._clock.now()
        whose = waking.of_requester(self._current.policy, person, runbook.domain, now, self._scale)
        return waking.brake(*await self._store.history.wakings(whose), now, self._scale)

    async def glass_debt(self, person: Person, runbook: Runbook) -> str | None:
        """Why a break-glass of this person would open nothing before a yes; None if it opens at once, or is none."""
        provider = filing_form.provider_asking(self._current.policy, person)
        runbook = narrowing.narrowed(self._current.policy, runbook, person)
        found = await self._glass(runbook, provider.id if provider else "")
        return break_glass.debt(runbook, found.opened, found.overdue)

    async def _glass(self, runbook: Runbook | None, provider: str) -> BreakGlassUsage:
        if runbook is None or runbook.break_glass is None:
            return BreakGlassUsage(0, overdue=False)
        now, window = self._clock.now(), timedelta(seconds=break_glass.window_of(runbook.break_glass) / self._scale)
        return await self._store.history.break_glass_usage(provider, runbook.domain, now, now - window)
