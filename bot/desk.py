"""The use cases: what arrives is judged by the domain and carried out once by the store.

Every act takes one line: read the case, look up the account, judge purely, commit. When somebody else was faster the
commit says Stale; then it is read and judged again, so that the loser is told what really happened (rule 3).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial

from bot.acts import CARDS, Act, Away, Beside, Decide, File, Post, Reach, Read, Reply, Tell
from bot.clock import Clock
from bot.domain import beside, deciding, doors, entries, filing, saying, sweeping
from bot.domain.deciding import Click, NoEffect
from bot.domain.errors import LookupFailed, Stale, TooLate
from bot.domain.escalation import Away as NotHere
from bot.domain.escalation import Presence, candidates
from bot.domain.motion import InForce, Sets
from bot.domain.people import Person, Profile
from bot.domain.policy import Kind, Policy, Runbook
from bot.domain.request import Case, Refusal
from bot.domain.rights import Allowed, Refused
from bot.domain.transition import Absence, Draft, Lane, Say, Transition
from bot.ports import Directory, Inbound, Outgoing, Store
from bot.reader import Reader

DECISION_AGE, CARD_AGE, PRESENCE_WAIT = 5.0, 60.0, 0.5  # seconds
DENIED_WITHIN, EXPIRED_WITHIN, WEEK = timedelta(hours=24), timedelta(hours=2), timedelta(days=7)
TRIES = 8
_OPEN, _CARDS = 1000, 5


class Desk(Reader):
    """One for each process. `spoke` is set when there is something to say, `arrived` when something came in."""

    def __init__(self, store: Store, directory: Directory, clock: Clock, scale: float, policy: Policy) -> None:
        super().__init__(store, Sets((InForce(policy, clock.now()),)))
        self.directory, self.clock, self.scale = directory, clock, scale
        self.spoke, self.arrived = asyncio.Event(), asyncio.Event()
        self._filing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def adopt(self, policy: Policy) -> None:
        """Puts a changed set in force and announces what it gives."""
        told = saying.announced(self.policy, policy, self.clock.now(), self.scale)
        self.sets = self.sets.then(policy, self.clock.now())
        if told:
            await self._commit(Transition(None, None, says=told))

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
        judged = await self._would(case, act)
        return Refused(judged.why, judged.sentence) if judged is not None else Allowed(())

    # What the worker carries out.

    async def carry_out(self, row: Inbound) -> None:
        """Carries out one inbox row, wholly and once."""
        act = row.act
        if isinstance(act, File):
            async with self._filing[self.policy.humans.key(act.person)]:  # the brakes count one filing at a time
                await self._until_fresh(lambda: self._file(act), row.id)
        elif isinstance(act, Decide | Reach | Beside):
            await self._until_fresh(lambda: self._decide(act), row.id)
        elif isinstance(act, Post):
            await self._commit(replace(await self._post(act), inbox=row.id))
        elif isinstance(act, Away):
            await self._away(act, row.id)
        else:
            await self._commit(replace(await self._answered(act), inbox=row.id))

    async def _answered(self, act: Read | Tell) -> Transition:
        """A page or a sentence; typed text also brings the newest waiting cards, with their buttons."""
        page = _page(act)
        if not (isinstance(act, Read) and act.page == "waiting" and act.argument == CARDS):
            return page
        cards = []
        for case in (await self.read_waiting(act.person))[:_CARDS]:
            reached = next(r for r in case.approval.reached if r.person == act.person)
            cards.append(saying.card(case, reached))
        return replace(page, says=(*page.says, *cards))

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
            form.requester, domain, provider.id if provider else "", form.runbook, form.target.strip(), now,
            denied_within=DENIED_WITHIN / self.scale, expired_within=EXPIRED_WITHIN / self.scale, week=WEEK / self.scale,
        )  # fmt: skip
        earlier = filing.Earlier(
            found.pending, found.same_pending, found.denied_by, found.expired_recently, found.asks_in_week,
            found.last_outcome or "",
        )  # fmt: skip
        presence = await self._presence(candidates(policy, domain))
        return filing.file(policy, form, earlier, presence, self.clock.now(), self.scale, form_view=act.form)

    async def _decide(self, act: Decide | Reach | Beside) -> Transition:
        click, policy = _click(act), self.policy
        case = await self.store.case(act.case)
        if case is None:
            who, data = entries.actor(policy, act.person), {"action": click.action, "why": "stale"}
            says = (saying.answer(None, act.person, click.reply, "unknown", id=act.case),)
            return Transition(None, None, (Draft("decision.refused", who, data=data),), says)
        if isinstance(act, Reach):
            return await self._reached(case, act)
        by_provider = self._by_provider(case, click)
        if by_provider is not None:
            return by_provider
        if click.action == "push":
            presence = await self._presence(candidates(policy, case.request.domain))
            return beside.push(case, policy, click, presence, self.clock.now())
        try:
            profile = await self.directory.profile(act.person, DECISION_AGE)
        except LookupFailed:
            return Transition(None, None, says=(saying.answer(case.id, act.person, click.reply, "again"),))
        if click.action == "pass":
            presence = await self._presence(candidates(policy, case.request.domain))
            return beside.pass_on(case, policy, click, profile, presence, self.clock.now())
        return self._judged(case, click, profile)

    async def _would(self, case: Case, act: Reach) -> NoEffect | None:
        """Why what the form is for would not count; None if it would. Raises LookupFailed."""
        click, now = _click(act), self.clock.now
        if act.action in ("answer", "push"):
            return beside.requester_may(case, self.policy, click, now())
        profile = await self.directory.profile(act.person, DECISION_AGE)
        judged = deciding.judge(case, self.policy, click, profile, now())
        return judged if isinstance(judged, NoEffect) else None

    async def _reached(self, case: Case, act: Reach) -> Transition:
        click = _click(act)
        try:
            no = await self._would(case, act)
        except LookupFailed:
            return Transition(None, None, says=(saying.answer(case.id, act.person, click.reply, "again"),))
        return Transition(None, None) if no is None else deciding.refuse(case, self.policy, click, no)

    def _by_provider(self, case: Case, click: Click) -> Transition | None:
        """What the requester and their leads do: none of it needs authority, so nobody is looked up."""
        now, policy = self.clock.now(), self.policy
        if click.action == "withdraw":
            return deciding.withdraw(case, policy, click, now)
        if click.action == "answer":
            return beside.answer(case, policy, click, now)
        if click.action in ("for", "against"):
            return beside.recommend(case, policy, click, now)
        return None

    def _judged(self, case: Case, click: Click, profile: Profile) -> Transition:
        now = self.clock.now()
        if click.action == "deny":
            return deciding.deny(case, self.policy, click, profile, now)
        if click.action == "question":
            return beside.question(case, self.policy, click, profile, now)
        if click.action == "hold":
            return beside.hold(case, self.policy, click, profile, now, self.scale)
        older = self.sets.also_binding(case.request.filed_at, self.scale)
        return deciding.approve(case, self.policy, click, profile, now, self.scale, older)

    async def _away(self, act: Away, inbox: int) -> None:
        """Notes an absence, and hands the open questions of an owner to the first deputy present."""
        now = self.clock.now()
        until = now + timedelta(seconds=act.seconds / self.scale) if act.seconds else None
        if act.until:
            until = now + (datetime.fromisoformat(act.until) - now) / self.scale
        draft = entries.absence(self.policy, act.person, until)
        params: dict[str, object] = {"until": round(until.timestamp() * 1000) if until else 0}
        says = (saying.answer(None, act.person, _where(act.reply), "away", **params),)
        await self._commit(Transition(None, None, (draft,), says, inbox=inbox, absence=Absence(act.person, until)))
        for domain in self.policy.domains.values():
            if until is not None and domain.owner == act.person:
                for case in await self.store.open_cases([domain.id], [], _OPEN):
                    await self._until_fresh(partial(self._stand_in, case.id), None)

    async def _stand_in(self, case_id: str) -> Transition | None:
        case = await self.store.case(case_id)
        if case is None:
            return None
        presence = await self._presence(candidates(self.policy, case.request.domain))
        return sweeping.stand_in(case, self.policy, presence, self.clock.now())

    async def _post(self, act: Post) -> Transition:
        """The channel button: put there by people of home only, and never where two providers meet (rule 11)."""
        told = partial(saying.answer, None, act.person, _where(act.reply))
        try:
            profile = await self.directory.profile(act.person, DECISION_AGE)
            found = await asyncio.gather(*(self._party(user) for user in await self.directory.members(act.channel)))
        except LookupFailed:
            return Transition(None, None, says=(told("post_again"),))
        no = doors.refusal(self.policy, act.channel, act.person, profile, frozenset(found) - {None})
        if no is not None:
            return Transition(None, None, says=(told("plain", text=no),))
        door = Say("door", Lane.CARD, channel=act.channel)
        return Transition(None, None, says=(door, told("posted")))

    async def _party(self, user: str) -> str | None:
        """The provider of a channel's member, by the team that Slack names."""
        profile = await self.directory.profile(Person("", user), CARD_AGE)
        provider = self.policy.provider_of(profile.person)
        return provider.id if provider else None

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
        """A card will never reach its person: the engine moves on if nobody else of the step was reached. A receipt that
        does not arrive stands under the channel button."""
        person, case_id = outgoing.say.to, outgoing.say.case
        if person is None or case_id is None:
            return

        async def judged() -> Transition | None:
            case = await self.store.case(case_id)
            if case is None:
                return None
            if outgoing.say.purpose == "receipt":
                say = saying.receipt_at_door(case, str(outgoing.say.data.get("door", "")))
                return Transition(None, None, says=(say,)) if say else None
            presence = await self._presence(candidates(self.policy, case.request.domain))
            return sweeping.card_failed(case, self.policy, presence, person, error, self.clock.now())

        await self._until_fresh(judged, None)

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
        """Who is away, whose account is gone. Whom Slack does not answer for in time counts as there: a card is tried."""
        listed = list(dict.fromkeys(people))
        away = await self.store.absences(self.clock.now())
        found = await asyncio.gather(*(self._account(person) for person in listed))
        absent: dict[Person, NotHere] = {person: "absent" for person in listed if person in away}
        gone: dict[Person, NotHere] = {
            person: "deactivated"
            for person, profile in zip(listed, found, strict=True)
            if profile is not None and profile.deleted
        }
        return Presence(absent | gone)

    async def _account(self, person: Person) -> Profile | None:
        try:
            return await asyncio.wait_for(self.directory.profile(person, CARD_AGE), PRESENCE_WAIT)
        except (LookupFailed, TimeoutError):
            return None


def _form(act: File) -> filing.Form:
    return filing.Form(
        act.id, act.person, act.runbook, act.target, act.reason, act.seconds, act.fields, act.subject, act.door
    )


def _click(act: Decide | Reach | Beside) -> Click:
    where = _where(act.reply)
    if isinstance(act, Decide):
        return Click(act.person, act.decision, act.version, where, act.reason, act.seconds)
    if isinstance(act, Beside):
        return Click(act.person, act.deed, act.version, where, act.text)
    return Click(act.person, act.action, act.version, where)


def _where(reply: Reply) -> dict[str, object]:
    return asdict(reply)


def _page(act: Read | Tell) -> Transition:
    if isinstance(act, Tell):
        says = (saying.answer(None, act.person, _where(act.reply), act.sentence, argument=act.argument),)
    else:
        data = {"reply": _where(act.reply), "page": act.page, "argument": act.argument}
        says = (Say("page", Lane.CARD, to=act.person, data=data),)
    return Transition(None, None, says=says)
