"""The use cases: what arrives is judged by the domain and carried out once by the store.

Every act takes one line: read the case, look up the account, judge purely, commit. When somebody else was faster the
commit says Stale; then it is read and judged again, so that the loser is told what really happened (rule 3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace

from bot.acts import Act, Decide, File, Reach, Read, Reply, Tell
from bot.clock import Clock, read_request_id
from bot.domain import deciding, entries, filing, saying, sweeping
from bot.domain.deciding import Click, NoEffect
from bot.domain.errors import LookupFailed, Stale, TooLate
from bot.domain.escalation import Away, Presence, candidates
from bot.domain.people import Person, Profile
from bot.domain.policy import Kind, Policy, Runbook
from bot.domain.request import Case, Refusal
from bot.domain.rights import Allowed, Refused, named_for
from bot.domain.transition import Draft, Lane, Say, Transition
from bot.ports import Directory, Inbound, Outgoing, Store

DECISION_AGE, CARD_AGE, PRESENCE_WAIT = 5.0, 60.0, 0.5  # seconds
TRIES = 8
_PAGE = 25


class Desk:
    """One for each process. `spoke` is set when there is something to say, `arrived` when something came in."""

    def __init__(self, store: Store, directory: Directory, clock: Clock, scale: float, policy: Policy) -> None:
        self.store, self.directory, self.clock, self.scale = store, directory, clock, scale
        self.policy = policy
        self.spoke, self.arrived = asyncio.Event(), asyncio.Event()

    # What the edge asks before it acknowledges.

    async def take_in(self, key: str, act: Act, answer: Mapping[str, object]) -> Mapping[str, object]:
        """Writes the act down durably, once a key; returns the answer that the first one got."""
        first = await self.store.take_in(key, act, answer)
        self.arrived.set()
        return first

    def runbooks_for(self, person: Person, kind: Kind | None) -> tuple[Runbook, ...]:
        """What this person may ask for, by title."""
        provider = filing.provider_asking(self.policy, person)
        mine = [
            r for r in self.policy.runbooks.values()
            if provider is not None and provider.id in r.providers and kind in (None, r.kind)
        ]  # fmt: skip
        return tuple(sorted(mine, key=lambda r: r.title))

    def check_filing(self, act: File) -> tuple[filing.FieldError, ...]:
        """Everything wrong with a form, each at its field; brakes are the worker's."""
        return filing.check(self.policy, _form(act), self.clock.now().date())

    async def may_open(self, act: Reach) -> Allowed | Refused:
        """Whether this person would be heard if they said no. Raises LookupFailed."""
        case = await self.store.case(act.case)
        if case is None:
            return Refused(Refusal.STALE, "There is no such request.")
        profile = await self.directory.profile(act.person, DECISION_AGE)
        judged = deciding.judge(case, self.policy, _click(act, "deny"), profile, self.clock.now())
        return judged if isinstance(judged, Allowed) else Refused(judged.why, judged.sentence)

    # What the worker carries out.

    async def carry_out(self, row: Inbound) -> None:
        """Carries out one inbox row, wholly and once."""
        act = row.act
        if isinstance(act, File):
            await self._until_fresh(lambda: self._file(act), row.id)
        elif isinstance(act, Decide | Reach):
            await self._until_fresh(lambda: self._decide(act), row.id)
        else:
            await self._commit(replace(_page(act), inbox=row.id))

    async def give_up(self, row: Inbound, tell: Tell | None) -> None:
        """A row that cannot be carried out is finished; its author is told where there is a place to tell them."""
        act = _page(tell) if tell else Transition(None, None)
        await self._commit(replace(act, inbox=row.id))

    async def _file(self, act: File) -> Transition:
        form, policy, now = _form(act), self.policy, self.clock.now()
        runbook = policy.runbooks.get(form.runbook)
        provider = filing.provider_asking(policy, form.requester)
        domain = runbook.domain if runbook else ""
        found = await self.store.brakes(
            form.requester, domain, provider.id if provider else "", form.runbook, form.target.strip(), now
        )
        earlier = filing.Earlier(found.pending, found.same_pending, found.denied_by, found.expired_recently)
        presence = await self._presence(candidates(policy, domain))
        return filing.file(policy, form, earlier, presence, self.clock.now(), self.scale, form_view=act.form)

    async def _decide(self, act: Decide | Reach) -> Transition:
        action = "deny" if isinstance(act, Reach) else act.decision
        click, policy = _click(act, action), self.policy
        case = await self.store.case(act.case)
        if case is None:
            who, data = entries.actor(policy, act.person), {"action": action, "why": "stale"}
            says = (saying.answer(None, act.person, click.reply, "unknown", id=act.case),)
            return Transition(None, None, (Draft("decision.refused", who, data=data),), says)
        if action == "withdraw":
            return deciding.withdraw(case, policy, click, self.clock.now())
        try:
            profile = await self.directory.profile(act.person, DECISION_AGE)
        except LookupFailed:
            return Transition(None, None, says=(saying.answer(case.id, act.person, click.reply, "again"),))
        return self._judged(case, act, click, profile)

    def _judged(self, case: Case, act: Decide | Reach, click: Click, profile: Profile) -> Transition:
        now = self.clock.now()
        if isinstance(act, Reach):
            judged = deciding.judge(case, self.policy, click, profile, now)
            no_effect = isinstance(judged, NoEffect)
            return deciding.refuse(case, self.policy, click, judged) if no_effect else Transition(None, None)  # type: ignore[arg-type]
        if click.action == "deny":
            return deciding.deny(case, self.policy, click, profile, now)
        return deciding.approve(case, self.policy, click, profile, now, self.scale)

    # What the clock and the messenger bring.

    async def sweep(self, case_id: str) -> None:
        """Everything that is due on a case now."""
        await self._until_fresh(lambda: self._sweep(case_id), None)

    async def _sweep(self, case_id: str) -> Transition | None:
        case = await self.store.case(case_id)
        if case is None:
            return None
        presence = await self._presence(candidates(self.policy, case.request.domain))
        cards = [c for c in await self.store.copies(case_id) if c.purpose == "card"]
        return sweeping.sweep(case, self.policy, presence, self.clock.now(), len(cards))

    async def undelivered(self, outgoing: Outgoing, error: str) -> None:
        """A card will never reach its person: the engine moves on if nobody else of the step was reached."""
        person, case_id = outgoing.say.to, outgoing.say.case
        if person is None or case_id is None:
            return

        async def judged() -> Transition | None:
            case = await self.store.case(case_id)
            if case is None:
                return None
            presence = await self._presence(candidates(self.policy, case.request.domain))
            return sweeping.card_failed(case, self.policy, presence, person, error, self.clock.now())

        await self._until_fresh(judged, None)

    # What people read.

    async def read_case(self, person: Person, text: str) -> Case | None:
        """A case by its id, read leniently; None where there is none that this person may see."""
        case_id = read_request_id(text)
        case = await self.store.case(case_id) if case_id else None
        return case if case is not None and self._may_see(person, case) else None

    async def read_queue(self, person: Person) -> Sequence[Case]:
        """All open asks of my domains, or of my provider."""
        provider = self.policy.provider_of(person)
        if provider is not None:
            return await self.store.open_cases([], [provider.id], _PAGE)
        domains = self.policy.domains.values()
        mine = [d.id for d in domains if person in named_for(self.policy, d) or person in self.policy.auditors]
        return await self.store.open_cases(mine, [], _PAGE)

    async def read_mine(self, person: Person) -> Sequence[Case]:
        return await self.store.cases_of(person, _PAGE)

    async def read_waiting(self, person: Person) -> Sequence[Case]:
        return await self.store.waiting_for(person, _PAGE)

    def _may_see(self, person: Person, case: Case) -> bool:
        provider = self.policy.provider_of(person)
        if provider is not None or person == case.request.requester:
            return person == case.request.requester or (provider is not None and provider.id == case.request.provider)
        domain = self.policy.domains.get(case.request.domain)
        return person in self.policy.auditors or (domain is not None and person in named_for(self.policy, domain))

    # How an act is carried out.

    async def _until_fresh(self, judge: Callable[[], Awaitable[Transition | None]], inbox: int | None) -> None:
        """Judges and commits; judges again while somebody else was faster. Raises Stale after many tries."""
        for attempt in range(TRIES):
            act = await judge()
            if act is None:
                return
            try:
                await self._commit(replace(act, inbox=inbox))
                return
            except (Stale, TooLate):
                if attempt == TRIES - 1:
                    raise

    async def _commit(self, act: Transition) -> None:
        await self.store.commit(act)
        self.spoke.set()

    async def _presence(self, people: Iterable[Person]) -> Presence:
        """Whose account is gone. Somebody whom Slack does not answer for in time counts as there: a card is tried."""
        listed = list(dict.fromkeys(people))
        found = await asyncio.gather(*(self._account(person) for person in listed))
        gone: dict[Person, Away] = {
            person: "deactivated"
            for person, profile in zip(listed, found, strict=True)
            if profile is not None and profile.deleted
        }
        return Presence(gone)

    async def _account(self, person: Person) -> Profile | None:
        try:
            return await asyncio.wait_for(self.directory.profile(person, CARD_AGE), PRESENCE_WAIT)
        except (LookupFailed, TimeoutError):
            return None


def _form(act: File) -> filing.Form:
    return filing.Form(act.id, act.person, act.runbook, act.target, act.reason, act.seconds, act.fields, act.subject)


def _click(act: Decide | Reach, action: str) -> Click:
    reason = act.reason if isinstance(act, Decide) else ""
    return Click(act.person, action, act.version, _where(act.reply), reason)


def _where(reply: Reply) -> dict[str, object]:
    return asdict(reply)


def _page(act: Read | Tell) -> Transition:
    if isinstance(act, Tell):
        says = (saying.answer(None, act.person, _where(act.reply), act.sentence, argument=act.argument),)
    else:
        data = {"reply": _where(act.reply), "page": act.page, "argument": act.argument}
        says = (Say("page", Lane.CARD, to=act.person, data=data),)
    return Transition(None, None, says=says)
