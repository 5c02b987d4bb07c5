"""Endorsing a change of the signing keys: whose page it is, the statement of type `policy`, and what a signature comes to.

The statement says `from` and `to`, the digests of the two sets. It counts if it is signed with a key that counts already, by the owner
or risk owner of a domain that the change touches, as the set before names them, who gains nothing by the change.
Source: signed-decisions.md, "Changes of the keys".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from bot.clock import Clock
from bot.decision_log.passkeys import check_signature
from bot.domain.authority.authorization import Refused, may_endorse
from bot.domain.authority.endorsement import Became, Given, WaitingChange, counting_passkeys, digests_of
from bot.domain.case.click import Proof, Refusal, Rejected
from bot.domain.case.transition import SYSTEM, Endorsed, FileDigest, LogEvent, Transition, Value
from bot.domain.decision_log import events
from bot.domain.policy.people import Person
from bot.domain.signing import decision
from bot.domain.signing.assertion import to_base64url
from bot.domain.signing.statement import Statement
from bot.domain.workflow import key_notices, notifications
from bot.ports.directory import Directory
from bot.ports.signing import Link
from bot.ports.store import Store
from bot.service.accounts import account_of
from bot.service.current_policy import CurrentPolicy


class Endorsements:
    """One for each process."""

    def __init__(self, store: Store, directory: Directory, clock: Clock, scale: float, current: CurrentPolicy) -> None:
        self._store, self._directory, self._clock, self._scale, self._current = store, directory, clock, scale, current
        self._redrawn: set[int] = set()  # copies whose redraw was asked for; one that Slack refuses is not tried for ever

    async def became(self, id_: str) -> tuple[Became, tuple[Given, ...]]:
        """What has become of a change, and who endorsed it since it was loaded. Raises StorageError."""
        await self._current.refresh()
        found = self._current.became(id_)
        given = await self._store.policies.endorsed_by(*digests_of(id_))
        return found, tuple(one for one in given if found.since is None or one.at >= found.since)

    async def look(self) -> None:
        """Redraws the messages that ask to endorse a change which waits no longer: whatever ended it, no message says that it
        waits. Raises StorageError."""
        asking = [copy for copy in await self._store.policies.asking_to_endorse() if copy.id not in self._redrawn]
        if not asking:
            return
        await self._current.refresh()
        over = [copy.id for copy in asking if self._current.became(copy.case).outcome != "waits"]
        if over:
            await self._store.policies.redraw(over)
            self._redrawn |= set(over)
            self._current.spoke.set()

    async def waiting(self, id_: str) -> WaitingChange | None:
        """The change of this id, while it waits. Raises StorageError."""
        await self._current.refresh()
        return next((change for change in self._current.key_changes if change.id == id_), None)

    async def theirs(self, person: Person) -> tuple[WaitingChange, ...]:
        """The changes that this person may endorse with a key of theirs."""
        await self._current.refresh()
        return tuple(change for change in self._current.key_changes if self._may(change, person))

    async def address(self, change: WaitingChange, person: Person) -> str:
        """The address at which this person endorses it; "" for somebody who may not, or has no key that counts."""
        signing = self._current.policy.signing
        if signing is None or not self._may(change, person):
            return ""
        token = await self._store.signing.link(Link(person, change.id, 0), to_base64url(self._clock.salt()))
        return f"{signing.origin}/d#{token}"

    async def carried_out(
        self, change: WaitingChange, answer: decision.Answer, statement: Statement | None, known: decision.Known
    ) -> tuple[Transition, decision.Counts | Rejected]:
        """What a signed endorsement comes to, and the judgement of its signature. Raises LookupFailed."""
        policy = self._current.policy
        judged = decision.judge(answer, known, statement, policy, change.binding, "required", check_signature)
        if isinstance(judged, decision.Counts):
            no = await self._refusal(change, answer.person)
            judged = judged if no is None else no
        if isinstance(judged, Rejected):
            return self._refused(answer, judged), judged
        return self._endorsed(change, answer.person, judged.proof), judged

    def _may(self, change: WaitingChange, person: Person) -> bool:
        keys = counting_passkeys(self._current.sets, person, "required", self._clock.now())
        return bool(keys) and bool(change.for_domains(person)) and self._current.policy.provider_of(person) is None

    async def _refusal(self, change: WaitingChange, person: Person) -> Rejected | None:
        """Why this person's endorsement does not count. Raises LookupFailed."""
        policy = self._current.policy
        if not change.for_domains(person):
            return _no(Refusal.UNAUTHORISED, "You cannot endorse this: you gain by it, or it is not of your domains.")
        allowed = may_endorse(policy, person, await account_of(self._directory, person, takes_away=False))
        return _no(allowed.why, allowed.reason) if isinstance(allowed, Refused) else None

    def _refused(self, answer: decision.Answer, no: Rejected) -> Transition:
        policy = self._current.policy
        who = decision.proven_by(answer, policy, check_signature)
        actor = events.actor(policy, who or answer.person)
        draft = LogEvent("decision.refused", actor, data={"action": "endorse", "why": str(no.why)}, policy=self._named())
        said = notifications.answer(None, answer.person, {}, "plain", text=str(no.params["text"]))
        return Transition(None, None, (draft if who else replace(draft, actor=SYSTEM),), (said,))

    def _endorsed(self, change: WaitingChange, person: Person, proof: Proof) -> Transition:
        now, domains = self._clock.now(), tuple(sorted(change.for_domains(person)))
        complete = not set(change.lacking) - set(domains)
        until = self._until(change, now) if complete else None
        data: dict[str, Value] = {"from": change.old.digest, "to": change.new.digest, "domains": domains}
        draft = LogEvent("policy.endorsed", events.actor(self._current.policy, person), data=data, policy=self._named())
        doubted = notifications.answer(None, person, {}, "clock_jumped")
        return Transition(
            None, None, events.signed((draft,), person, proof), key_notices.endorsed(change, person, until),
            endorsed=Endorsed(change.old.digest, change.new.digest, domains, until),
            otherwise=Transition(None, None, says=(doubted,)), refresh=True,
        )  # fmt: skip

    def _until(self, change: WaitingChange, now: datetime) -> datetime:
        """Until when the set before binds once the change is endorsed."""
        sets = self._current.sets.endorsed(change.old.digest, change.new.digest, now, self._scale).sets
        wanted = (change.old.digest, change.new.digest)
        return next(was.until or now for was, new in pairwise(sets) if (was.policy.digest, new.policy.digest) == wanted)

    def _named(self) -> FileDigest:
        return FileDigest(self._current.policy.organisation, self._current.policy.digest)


def _no(why: Refusal, text: str) -> Rejected:
    return Rejected(why, "plain", {"text": text})
