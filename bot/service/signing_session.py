"""Signing in at the page's own address, without a link of Slack's: the passkey names the person, then what waits for them is listed.

The passkey signs a statement of type `session`; what follows is a session of ten minutes of real time, bound to that passkey and over
as soon as the policy does not name it any more. A session lists and never acts: each decision has its own link and signature.
Source: signed-decisions.md, "The page".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta

import structlog

from bot.clock import Clock
from bot.decision_log.passkeys import check_signature
from bot.domain.authority.key_changes import stands_in_all
from bot.domain.authority.quorum import standing_yes
from bot.domain.authority.signatures import holder
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Passkey
from bot.domain.signing.assertion import Assertion, ExpectedKey, NotVerified, from_base64url, to_base64url, verify_assertion
from bot.domain.signing.statement import LIFETIME, Statement, challenge
from bot.ports.signing import Session
from bot.ports.store import Store
from bot.service.current_policy import CurrentPolicy
from bot.service.endorsements import Endorsements
from bot.service.queries import CaseQueries
from bot.service.signing_page import SigningPage, Told

LASTS = timedelta(minutes=10)
_OVER = Told(401, {"text": "Sign in with your passkey to see what waits for you."})
log = structlog.get_logger(__name__)


class SigningSessions:
    """One for each process; the sessions are in the database, so that any replica knows them."""

    def __init__(
        self, store: Store, clock: Clock, current: CurrentPolicy, queries: CaseQueries, page: SigningPage,
        endorsements: Endorsements,
    ) -> None:  # fmt: skip
        self._store, self._clock, self._current = store, clock, current
        self._queries, self._page, self._endorsements = queries, page, endorsements

    async def begin(self) -> Told:
        """The statement that a passkey signs to begin a session."""
        signing = self._current.policy.signing
        if signing is None:
            return Told(404, {"text": "Nothing is signed here."})
        nonce, head, not_after = (
            to_base64url(self._clock.salt()),
            await self._store.log.head(),
            self._clock.now() + LIFETIME,
        )
        data = Statement("session", head.origin, signing.rp_id, "", nonce, not_after, {}).to_bytes()
        await self._store.signing.begin_session(_digest(nonce), Session(not_after, statement=data))
        told = {
            "statement": to_base64url(data),
            "challenge": to_base64url(challenge(data)),
            "rp": signing.rp_id,
            "nonce": nonce,
        }
        return Told(200, told)

    async def finish(self, nonce: str, sent: Mapping[str, str]) -> Told:
        """Opens the session of whoever's passkey signed. `sent`: credential, authenticator_data, client_data, signature."""
        await self._current.refresh()
        begun = await self._store.signing.session(_digest(nonce), self._clock.now())
        if begun is None or not begun.statement:
            return _no("This took too long. Try again.")
        found = self._holder(sent["credential"])
        if found is None:
            return _no(f"This passkey does not count here. Write to {self._current.policy.contact} if it should.")
        person, key = found
        count = await self._verified(begun.statement, sent, key)
        if isinstance(count, Told):
            return count
        token, until = to_base64url(self._clock.salt()), self._clock.now() + LASTS
        session = Session(until, person=person, credential=key.id)
        if not await self._store.signing.open_session(_digest(nonce), _digest(token), session, count):
            return _no("This was used already. Try again.")
        return Told(200, {"ok": True}, session=token)

    async def waiting(self, token: str) -> Told:
        """What waits for whose session this is."""
        await self._current.refresh()
        session = await self._store.signing.session(_digest(token), self._clock.now()) if token else None
        if session is None or session.person is None or self._holder(session.credential) is None:
            return _OVER
        name = self._current.policy.name_of(session.person)
        found = await self._waits_for(session.person)
        return Told(200, {"name": name, "waiting": [{"title": title, "address": link} for title, link in found if link]})

    async def _waits_for(self, person: Person) -> list[tuple[str, str]]:
        """Title and address of each question, operator's act and change of the keys; no address where nothing is to be signed."""
        found = [
            (self._page.words.title(case), await self._page.address(case, ask, person))
            for case in await self._queries.read_waiting(person)
            for ask in case.asks
            if any(reached.person == person for reached in ask.reached)
            and standing_yes(case, ask, self._current.policy, person) is None
        ]
        acts, changes = await self._store.operator.unfinished(), await self._endorsements.theirs(person)
        found += [(f"{act.id}: an act of the host's operator", await self._page.act_address(act, person)) for act in acts]
        keys = "A change of the signing keys"
        return found + [(keys, await self._endorsements.address(change, person)) for change in changes]

    def _holder(self, credential: str) -> tuple[Person, Passkey] | None:
        """Whose a credential is, if it counts now: in the set in force, and in every earlier one that still binds."""
        policy, sets = self._current.policy, self._current.sets
        found = holder(policy, credential)
        if found is None or policy.signing is None or policy.provider_of(found[0].person) is not None:
            return None
        named, key = found
        counts = key.rp == policy.signing.rp_id and stands_in_all(sets.also_binding(self._clock.now()), named.person, key)
        return (named.person, key) if counts else None

    async def _verified(self, statement: bytes, sent: Mapping[str, str], key: Passkey) -> int | Told:
        """The key's sign count, or why the assertion proves nothing."""
        signing = self._current.policy.signing
        assert signing is not None
        parts = (from_base64url(sent[name]) for name in ("credential", "authenticator_data", "client_data", "signature"))
        expected = ExpectedKey(key.spki, key.rp, key.synced)
        judged = verify_assertion(Assertion(*parts), challenge(statement), expected, {signing.origin}, check_signature)
        if isinstance(judged, NotVerified):
            return _no(judged.sentence)
        known = await self._store.signing.count(key.id)
        if (known or judged.sign_count) and judged.sign_count <= known:
            log.error("signature.count_went_back", credential=key.id[:12])
            return _no("The passkey's counter went back: somebody may have copied it. Tell your security team.")
        return judged.sign_count


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _no(text: str) -> Told:
    return Told(409, {"ok": False, "text": text})
