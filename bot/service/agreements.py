"""The matrix as an agreement, as use cases: owners are asked, their words are kept, and what is not confirmed may be held.

What is known of the rows is read once and kept in step, so that a look without anything due reads nothing. `bases` are the sets
under which open rows counted last. The rules are `bot.domain.governance.agreement`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.authority.authorization import Refused, may_record
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.transition import Lane, LogEvent, Notification, Transition
from bot.domain.decision_log import matrix_events
from bot.domain.errors import LookupFailed
from bot.domain.governance import agreement, agreement_words, weekly
from bot.domain.governance.agreement import MatrixRow, Spoken, Standing
from bot.domain.governance.own_rows import about_rows_of
from bot.domain.operator.dual_control import refuse_click
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.policy.provider import Provider
from bot.domain.workflow import notifications
from bot.ports.commands import AnswerMatrix
from bot.ports.directory import Directory
from bot.ports.store import Store
from bot.service.accounts import account_of
from bot.service.current_policy import CurrentPolicy

_CHANGED = (
    "The matrix has changed since this was shown. Look at it again with `matrix`, and answer there. Nothing was changed."
)
_NOT_YOURS = "Only owners, risk owners and leads of providers answer for the matrix. Nothing was changed."
_ALREADY = "You answered this already. Nothing was changed."
_DOUBTED = "The bot's clock jumped, and nothing is confirmed until an operator has confirmed it. Nothing was changed."


class Agreements:
    """One for each process; `_one` orders changes of the rows."""

    def __init__(self, store: Store, directory: Directory, clock: Clock, scale: float, current: CurrentPolicy) -> None:
        self._store, self._directory, self._clock, self._scale = store, directory, clock, scale
        self._current = current
        self._one = asyncio.Lock()
        self._rows: dict[str, Standing] = {}
        self._words: list[Spoken] = []
        self._noted = ""  # the set by which `_rows` are
        self.bases: Mapping[str, Policy] = {}
        self._waiting: frozenset[Person] = frozenset()  # leads whose message waits until a week has passed
        self.sent: Callable[[int], None] = lambda messages: None  # called with the number of queued messages
        self.changed: Callable[[], None] = lambda: None  # is notified that rows or answers changed
        current.confirmed = self.as_counted

    async def follow(self, old: Policy | None, policy: Policy) -> None:
        """Notes the rows of a set that is in force from now on; `old`: the set by which they were noted last. Once for each."""
        async with self._one:
            known = {row.key: row for row in await self._store.agreement.rows()}
            if policy.agreement is not None and await self._store.agreement.noted_by() != policy.digest:
                rows = agreement.adopted(old, policy, known, self._clock.now())
                self._rows, self._noted = (
                    {row.key: row for row in rows},
                    "",
                )  # they hold at once, also while nothing is written
                self._words = list(await self._store.agreement.words())
                same = agreement.carried(old, policy, known, self._words)
                await self._store.agreement.note(rows, same, policy.digest)
            await self._read(policy)

    async def _read(self, policy: Policy) -> None:
        self._rows = {row.key: row for row in await self._store.agreement.rows()}
        self._words = list(await self._store.agreement.words())
        self._waiting = await self._store.agreement.waiting()
        self._noted = policy.digest
        self.changed()

    def wanted(self) -> tuple[str, ...]:
        """The digests of the sets that `bases` has to hold."""
        return tuple(dict.fromkeys(row.base for row in self._rows.values() if row.open and row.base))

    def as_counted(self, policy: Policy) -> Policy:
        """The set without what is disputed, and under `hold` without what is not confirmed yet."""
        if policy.agreement is None or not self._rows:
            return policy
        now = agreement.matrix_rows(self._current.policy)
        held: dict[str, Policy | None] = {}
        if policy.agreement.unconfirmed == "hold":
            unconfirmed = (row for row in self._rows.values() if row.open and row.base != policy.digest)
            held = {row.key: self._base(row, policy) for row in unconfirmed}
        disputes = [row.key for row in now.values() if agreement.disputed(self._words, row)]
        return agreement.as_counted(policy, held, disputes) if held or disputes else policy

    def _base(self, row: Standing, policy: Policy) -> Policy | None:
        """The set under which a row counted last. One that this program cannot read leaves emergencies with a yes."""
        found = self.bases.get(row.base)
        return found if found is not None or not row.base else agreement.with_a_yes(policy)

    def state(self, key: str) -> Standing | None:
        """What is known of a row."""
        return self._rows.get(key)

    def said(self, row: MatrixRow) -> Sequence[Spoken]:
        """The answers on a row as it is now."""
        return [word for word in self._words if (word.key, word.digest) == (row.key, row.digest)]

    def settled(self, row: MatrixRow, person: Person) -> bool:
        """Whether somebody has answered a row, in the present round."""
        known = self._rows.get(row.key)
        mine = (word for word in self.said(row) if word.person == person)
        renewed = known.asked_at if known is not None and not known.open else None
        return any(renewed is None or word.at >= renewed for word in mine)

    # What the clock does.

    async def look(self) -> None:
        """Sends the requests for agreement that are due now, and logs those that nobody answered. Raises StorageError, Stopped."""
        policy, now = self._current.policy, self._clock.now()
        if policy.agreement is None or self._noted != policy.digest or self._clock.jumped() is not None:
            return
        due = list(agreement.due_rows(policy, self._rows.values(), now, self._scale))
        late = [r for r in self._rows.values() if r.due_at is not None and r.due_at <= now and not r.overdue]
        if not due and not late and not self._waiting:
            return
        async with self._one:
            rows = agreement.matrix_rows(policy)
            await self._tell_waiting(now)
            if due:
                await self._ask(policy, [rows[row.key] for row in due if row.key in rows], now)
            if late:
                await self._enter_overdue(policy, [rows[row.key] for row in late if row.key in rows], now)

    async def _ask(self, policy: Policy, due: Sequence[MatrixRow], now: datetime) -> None:
        """One message to each person who has to agree; a person who got one within a week gets it with the next."""
        leads = {p for row in due for p, _ in _leads(policy, row)}
        busy = await self._busy({p for row in due for p, _ in agreement.agreeing(policy, row)} | leads, now)
        ready = [row for row in due if not busy & {p for p, _ in agreement.agreeing(policy, row)}]
        if not ready:
            return
        assert policy.agreement is not None
        until = now + timedelta(seconds=policy.agreement.window / self._scale)
        rows = [replace(self._rows[row.key], asked_at=now, due_at=until, overdue=False) for row in ready]
        told = dict.fromkeys(
            person for row in ready for person, _ in (*agreement.agreeing(policy, row), *_leads(policy, row))
        )
        await self._send(rows, [person for person in told if person not in busy], busy & set(told))

    async def _tell_waiting(self, now: datetime) -> None:
        if self._waiting:
            ready = self._waiting - await self._busy(self._waiting, now)
            await self._send([], sorted(ready, key=str))

    async def _busy(self, people: Iterable[Person], now: datetime) -> set[Person]:
        """Who of them got a governance message within a week."""
        last = {person: await self._store.agreement.last_message(person) for person in people}
        return {person for person, at in last.items() if not weekly.may_send(at, now, self._scale)}

    async def _send(self, rows: Sequence[Standing], people: Sequence[Person], waiting: Collection[Person] = ()) -> None:
        if rows or people:
            says = [Notification("agreement", Lane.CARD, about_rows_of(person), to=person) for person in people]
            await self._write(rows, [], [], says, waiting)
            self.sent(len(says))

    async def _enter_overdue(self, policy: Policy, late: Sequence[MatrixRow], now: datetime) -> None:
        """The rows stay as they are: silence neither widens nor narrows. The risk owners are notified."""
        rows = [replace(self._rows[row.key], overdue=True) for row in late]
        silent: dict[Person, list[MatrixRow]] = {}
        for row in late:
            for person, _ in agreement.agreeing(policy, row):
                if not self.settled(row, person):
                    silent.setdefault(person, []).append(row)
        entries = [
            matrix_events.overdue(policy, person, agreement_words.pairs(mine), agreement.set_digest(mine))
            for person, mine in silent.items()
        ]
        says = [say for person, mine in silent.items() for say in agreement_words.to_risk_owners(policy, person, mine)]
        await self._write(rows, [], entries, says)

    # What people do.

    async def answered(self, act: AnswerMatrix) -> Transition:
        """Carries out an answer. A replay finds it stored already."""
        policy, click = self._current.policy, Click(act.person, "matrix", 0, asdict(act.reply))
        mine = agreement.own_rows(policy, act.person)
        if policy.agreement is None or not mine:
            return refuse_click("", policy, click, Rejected(Refusal.UNAUTHORISED, "plain", {"text": _NOT_YOURS}))
        no = await self._refused(policy, act, mine)
        if no is not None:
            return no
        async with self._one:
            return await self._said(policy, act, mine)

    async def _refused(self, policy: Policy, act: AnswerMatrix, mine: Sequence[MatrixRow]) -> Transition | None:
        """Why an account may not answer now: it is not what the policy takes it for, or the clock is doubted."""
        if act.word == "confirmed" and self._clock.jumped() is not None:
            return _told(act, _DOUBTED)
        if policy.provider_of(act.person) is not None:
            return None  # a lead, whose answer is only recorded
        try:
            profile = await account_of(self._directory, act.person, takes_away=act.word == "disputed")
        except LookupFailed:
            return Transition(None, None, says=(notifications.answer(None, act.person, asdict(act.reply), "again"),))
        allowed = may_record(policy, mine[0].domain, act.person, profile)
        if isinstance(allowed, Refused):
            click = Click(act.person, "matrix", 0, asdict(act.reply))
            return refuse_click("", policy, click, Rejected(allowed.why, "plain", {"text": allowed.reason}))
        return None

    async def _said(self, policy: Policy, act: AnswerMatrix, mine: Sequence[MatrixRow]) -> Transition:
        chosen = [row for row in mine if act.row in ("", row.key)]
        if agreement.set_digest(chosen if act.row else mine) != act.seen:
            return _told(act, _CHANGED)
        lead = policy.provider_of(act.person) is not None
        if lead != (act.word == "acknowledged") and act.word != "disputed":
            return _told(act, _NOT_YOURS)
        new = [row for row in chosen if not self._has_said(act, row)]
        if not new:
            return _told(act, _ALREADY)
        now = self._clock.now()
        words = [
            Spoken(r.key, r.digest, act.person, agreement_words.role_of(policy, r, act.person), act.word, now) for r in new
        ]
        replaced = {(word.key, word.digest, word.person) for word in words}
        kept = [word for word in self._words if (word.key, word.digest, word.person) not in replaced]
        rows = [self._after(policy, row, [*kept, *words], now) for row in new if row.key in self._rows]
        await self._write(
            rows, words, [agreement_words.entry_of(policy, act, new)], agreement_words.to_others(policy, act, new)
        )
        return _told(act, agreement_words.sentence(policy, act, new))

    def _has_said(self, act: AnswerMatrix, row: MatrixRow) -> bool:
        """Whether that answer is stored already; Confirm all leaves rows that the same person disputes."""
        mine = next((word for word in self.said(row) if word.person == act.person), None)
        if mine is None:
            return False
        return (mine.word == act.word and self.settled(row, act.person)) or (mine.word == "disputed" and act.row == "")

    def _after(self, policy: Policy, row: MatrixRow, words: Sequence[Spoken], now: datetime) -> Standing:
        known = self._rows[row.key]
        since = known.asked_at if not known.open else None
        if not agreement.is_agreed(policy, row, words, since):
            return known
        return replace(known, open=False, base=policy.digest, agreed_at=now, asked_at=None, due_at=None, overdue=False)

    async def _write(
        self, rows: Sequence[Standing], words: Sequence[Spoken], entries: Sequence[LogEvent], says: Sequence[Notification],
        waiting: Collection[Person] = (),
    ) -> None:  # fmt: skip
        await self._store.agreement.write(rows, words, entries, says, waiting)
        await self._read(self._current.policy)
        self._current.spoke.set()


def _leads(policy: Policy, row: MatrixRow) -> Iterable[tuple[Person, str]]:
    runbook = policy.runbooks.get(row.runbook)
    listed: list[Provider] = [policy.providers[id_] for id_ in runbook.providers] if runbook else []
    for provider in listed:
        for ref in provider.leads:
            yield Person(min(ref.teams & frozenset(policy.workspaces) or ref.teams), ref.user), "lead"


def _told(act: AnswerMatrix, text: str) -> Transition:
    return Transition(None, None, says=(notifications.answer(None, act.person, asdict(act.reply), "plain", text=text),))
