"""Campaigns as use cases: what is due opens one, answers are carried out, and the clock runs its window.

`look` is called again and again by a loop of the running bot; nothing is due between two looks that a later one would not find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.case.campaign import PREFIX, Campaign, Consent, Item
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import AskState
from bot.domain.case.transition import Transition
from bot.domain.errors import Frozen, LookupFailed, Stale, Stopped
from bot.domain.governance import campaign_window, campaigns, roster, weekly
from bot.domain.governance.campaign_window import Look
from bot.domain.governance.campaigns import Answered
from bot.domain.governance.reviewed_rights import Known, UnderReview, under_review, unknown
from bot.domain.operator.dual_control import refuse_click
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Presence
from bot.domain.timing.steps import candidates
from bot.domain.workflow import notifications
from bot.domain.workflow.asks.right import due as right_due
from bot.domain.workflow.grant_end import shorten
from bot.ports.commands import AnswerReview
from bot.ports.directory import Directory
from bot.ports.store import Store
from bot.service.accounts import account_of
from bot.service.current_policy import CurrentPolicy
from bot.service.transactions import TransactionRunner

_OPEN, _RECENT, _EXCEPTIONS = 1000, 200, 10_000


class Reviews:
    """One for each process. `stopped` says whether the log takes nothing now: such a day counts for no window."""

    def __init__(
        self, store: Store, directory: Directory, clock: Clock, scale: float, current: CurrentPolicy,
        transactions: TransactionRunner,
    ) -> None:  # fmt: skip
        self._store, self._directory, self._clock, self._scale = store, directory, clock, scale
        self._current, self._transactions = current, transactions
        self.stopped: Callable[[], bool] = lambda: False
        self._spoiled: set[str] = set()  # campaigns of which a change could not be written

    @property
    def policy(self) -> Policy:
        """The set in force, with the owners of today."""
        return self._current.policy.on(self._clock.now().date())

    async def look(self) -> None:
        """Everything that is due now. Raises StorageError."""
        await self._current.refresh()
        found = await self._store.reviews.campaigns(_OPEN, closed_too=False)
        spoken = await self._spoken(found)
        for campaign in sorted(found, key=lambda one: campaign_window.turn(one, self.policy)):
            await self._advance(campaign, spoken)
        if self.policy.review is not None and not self._doubted():
            await self._open_due(found)
        await self._shorten()

    # What people do.

    async def answered(self, act: AnswerReview) -> Transition:
        """What an answer comes to, judged on what is stored now."""
        await self._current.refresh()
        click = Click(act.person, "review", 0, asdict(act.reply))
        campaign = await self._store.reviews.campaign(act.id)
        if campaign is None:
            return refuse_click(act.id, self.policy, click, Rejected(Refusal.STALE, "review_unknown", {}))
        if any(one.answer in ("stays", "left") for one in act.answers):
            return self._attested(campaign, act, click)
        takes_away = all(one.answer != "keep" for one in act.answers) and not act.easy
        try:
            profile = await account_of(self._directory, act.person, takes_away=takes_away)
        except LookupFailed:
            return Transition(None, None, says=(notifications.answer(None, act.person, click.reply, "again"),))
        answers = [Answered(o.key, o.answer, o.reason) for o in act.answers if o.answer != "stays" and o.answer != "left"]
        if act.easy:
            easy = (item for item in campaign.unanswered if item.easy)
            answers = [Answered(item.key, "keep", singly=False) for item in easy]
        return campaigns.answer(campaign, self.policy, click, answers, profile, self._clock.now())

    def _attested(self, campaign: Campaign, act: AnswerReview, click: Click) -> Transition:
        """A lead's answers about their people, which change no right."""
        now, rules = self._clock.now(), self.policy.review
        until = now + timedelta(seconds=rules.every if rules is not None else 0) / self._scale
        words = {one.key: one.answer == "stays" for one in act.answers if one.answer in ("stays", "left")}
        return roster.attest(campaign, self.policy, click, words, now, until)

    def may_open(self, campaign: Campaign, person: Person) -> bool:
        """Whether the policy lets a person answer any item of it."""
        policy = self.policy
        return any(campaigns.role_in(campaign, item, policy, person) is not None for item in campaign.items)

    async def theirs(self, person: Person) -> Sequence[Campaign]:
        """Open campaigns of which somebody may answer an item."""
        found = await self._store.reviews.campaigns(_OPEN, closed_too=False)
        policy = self.policy
        return [
            campaign for campaign in found
            if any(campaigns.role_in(campaign, item, policy, person) for item in campaign.unanswered)
        ]  # fmt: skip

    async def to_attest(self, lead: Person) -> Sequence[Campaign]:
        """Open campaigns that wait for this lead's answer about their people."""
        found = await self._store.reviews.campaigns(_OPEN, closed_too=False)
        return [campaign for campaign in found if roster.to_attest(campaign, self.policy, lead)]

    # What the clock does.

    async def _advance(self, campaign: Campaign, spoken: Mapping[str, Item]) -> None:
        look = replace(await self._seen(campaign), spoken=spoken)
        act = campaign_window.advance(campaign, self.policy, look)
        if act is None:
            return
        try:
            await self._transactions.commit(act)
            self._spoiled.discard(campaign.id)
        except (Stopped, Frozen):
            self._spoiled.add(campaign.id)
        except Stale:
            return  # somebody answered meanwhile; the next look reads that

    async def _seen(self, campaign: Campaign) -> Look:
        policy, now = self.policy, self._clock.now()
        people = [person for domain in campaign.domains for person in candidates(policy, domain)]
        presence = await self._transactions.presence([campaign.owner, *people], None)
        copies = await self._store.outbox.copies(campaign.id)
        spoiled = self._doubted() or self.stopped() or campaign.id in self._spoiled
        return Look(
            now, self._scale, _who(presence, "absent"), _who(presence, "deactivated"),
            frozenset(copy.to for copy in copies if copy.to is not None), await self._store.reviews.urgent_domains(),
            spoiled, await self._busy({campaign.owner, *people, *roster.leads_to_ask(campaign, policy)}),
        )  # fmt: skip

    async def _busy(self, people: Iterable[Person]) -> frozenset[Person]:
        """Who of them got a governance message within a week."""
        now = self._clock.now()
        last = {person: await self._store.reviews.last_message(person) for person in people}
        return frozenset(person for person, at in last.items() if not weekly.may_send(at, now, self._scale))

    async def _open_due(self, open_: Sequence[Campaign]) -> None:
        """Opens what is due: one campaign at a time for each person, and no right in two of them."""
        policy, now = self.policy, self._clock.now()
        taken, asked = {campaign.owner for campaign in open_}, {item.key for c in open_ for item in c.unanswered}
        known = await self._known(uses=False)
        if await self._noted_unknown(policy, known):
            known = await self._known(uses=False)
        found = under_review(policy, known, now, self._scale)
        if not any(one.due is not None and one.due <= now for one in found):
            return
        found = under_review(policy, await self._known(uses=True), now, self._scale)
        found = tuple(one for one in found if one.item.key not in asked)
        for reviewer in dict.fromkeys(one.reviewer for one in found if one.reviewer not in taken):
            await self._open(reviewer, found, policy)

    async def _open(self, reviewer: Person, found: Sequence[UnderReview], policy: Policy) -> None:
        now = self._clock.now()
        items = campaigns.due_of(found, reviewer, policy, now, self._scale)
        last = await self._store.reviews.last_message(reviewer)
        if not items or not weekly.may_send(last, now, self._scale) or not await self._somebody_is_there(items, policy):
            return
        id_ = PREFIX + self._clock.request_id().removeprefix("R-")
        try:
            await self._transactions.commit(campaigns.opened(id_, reviewer, items, policy, now))
        except (Stopped, Frozen, Stale):
            return  # the next look opens it

    async def _spoken(self, open_: Sequence[Campaign]) -> Mapping[str, Item]:
        """What leads said of people within the period of a review, where an open campaign lacks it."""
        if not any(roster.unspoken(campaign) for campaign in open_):
            return {}
        spoken = roster.known_of(await self._store.reviews.campaigns(_RECENT, closed_too=True))
        rules, now = self.policy.review, self._clock.now()
        since = now - timedelta(seconds=rules.every if rules is not None else 0) / self._scale
        return {key: item for key, item in spoken.items() if item.attested is not None and item.attested >= since}

    async def _somebody_is_there(self, items: Sequence[Item], policy: Policy) -> bool:
        """Whether anybody would read the message: nobody is asked for an answer while all are away."""
        domains = [policy.domains[domain] for item in items for domain in item.domains]
        people = {person for domain in domains for person in (domain.owner, *domain.deputies)}
        presence = await self._transactions.presence(people, None)
        if any(person not in presence.away for person in people):
            return True
        gone = all(presence.away[person] == "deactivated" for person in people)
        return gone and any(domain.risk_owner is not None for domain in domains)

    async def _known(self, *, uses: bool) -> Known:
        policy, now = self.policy, self._clock.now()
        rules = policy.review
        assert rules is not None
        spans = [rules.every, rules.break_glass_every, *(r.review_every or 0 for r in policy.runbooks.values())]
        since = now - timedelta(seconds=max(spans) / self._scale)
        consents = {(one.kind, one.of, one.domain): one for one in await self._store.reviews.consents()}
        exceptions = await self._store.cases.exceptions(_EXCEPTIONS, ended_too=False)
        live = [case for case in exceptions if case.grant is not None and now < case.grant.not_after]
        return Known(await self._store.reviews.uses(tuple(policy.domains), since) if uses else (), live, consents)

    async def _noted_unknown(self, policy: Policy, known: Known) -> bool:
        """What is there and was never seen: at the first look ever it is due, later it is due once its period has passed.
        Returns whether there was any."""
        now, first = self._clock.now(), not known.consents
        new = list(unknown(policy, known))
        if new:
            scheduled = await self._scheduled() if first else {}
            due = {item.key: scheduled.get(item.sha256, now) if first else None for item in new}
            await self._store.reviews.note([_noted(item, due[item.key], now) for item in new])
        gone = [
            (of, domain) for kind, of, domain in known.consents if kind == "person" and not _may_ask(policy, of, domain)
        ]
        if gone:
            await self._store.reviews.forget_people(gone)
        return bool(new or gone)

    async def _scheduled(self) -> dict[str, datetime]:
        """When the reviews of single rights were due before there were campaigns, by the file's SHA-256."""
        found: dict[str, datetime] = {}
        for right in await self._store.cases.system_cases():
            case = await self._store.cases.case(right.id) if right.kind == "right" else None
            if case is not None and right.state in (AskState.OPEN, AskState.EXPIRED):
                found[right.sha256] = right_due(case)
        return found

    async def _shorten(self) -> None:
        """Exceptions that a review withdrew end in 14 days: again until it is written."""
        for one in self._current.policy.standing.narrowed:
            case = await self._store.cases.case(one.of) if one.kind == "exception" and one.effect == "withdraw" else None
            act = None if case is None else shorten(case, self.policy, one.since, self._clock.now())
            if act is not None:
                try:
                    await self._transactions.commit(act)
                except (Stale, Stopped, Frozen):
                    continue

    def _doubted(self) -> bool:
        return self._clock.jumped() is not None


def _who(presence: Presence, why: str) -> frozenset[Person]:
    return frozenset(person for person, reason in presence.away.items() if reason == why)


def _may_ask(policy: Policy, of: str, domain: str) -> bool:
    user = of.rpartition("/")[2]
    asking = {id_ for runbook in policy.runbooks.values() if runbook.domain == domain for id_ in runbook.providers}
    listed = (policy.providers[id_].requesters for id_ in asking if id_ in policy.providers)
    return any(ref.user == user for refs in listed for ref in refs)


def _noted(item: Item, due: datetime | None, now: datetime) -> Consent:
    """What is known of a right that nobody has reviewed: when its review is due, or only since when it is there."""
    at = due or now
    return Consent(item.kind, item.of, item.domains[0], item.row, item.sha256, "due" if due else "seen", own=False, at=at)
