"""The requests of the page for signing: the person of a link, the question's text, a statement to sign, and the result of an assertion.

A link reads and never acts. Statements are handed out for the answers that the question takes from this person now; the page
shows exactly the text whose salted digest is in the statement (`shown`). An assertion is written into the inbox, once for
each statement, and the page waits for what it comes to.
Source: signed-decisions.md, "The page".
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from bot.clock import Clock
from bot.domain.authority.authorization import Allowed, Refused, standing
from bot.domain.authority.endorsement import WaitingChange, is_key_change
from bot.domain.authority.signatures import demanded, keys_of, may_sign
from bot.domain.case.ask import Ask
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.case.operator_action import OperatorAction, is_act
from bot.domain.errors import EntryError
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Signing
from bot.domain.signing.assertion import from_base64url, to_base64url
from bot.domain.signing.decision import CHOICES, OPENED_BY, Choice, Issued
from bot.domain.signing.statement import LIFETIME, Statement, challenge, read_statement
from bot.domain.workflow.asks.closing import takes_yes, valid_before
from bot.ports.commands import Command, SignAnswer, read_day
from bot.ports.signing import Link
from bot.ports.store import Store
from bot.service import signing_acts
from bot.service.current_policy import CurrentPolicy
from bot.service.endorsements import Endorsements
from bot.service.signing_acts import Matter, of_act, of_keys

PATIENCE, _LOOK = 20.0, 0.01  # seconds: that the page waits for what an assertion came to; between two looks
TakeIn = Callable[[str, Command, Mapping[str, object]], Awaitable[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Told:
    """What the page is answered: an HTTP status and JSON; `session`: the token of a session that begins."""

    status: int
    body: Mapping[str, object]
    session: str = ""


class Words(Protocol):
    """The sentences of the page; made by the views."""

    def card(self, case: Case, ask: Ask, reader: Person) -> str:
        """The card of a question as one reader sees it, as plain text."""

    def act(self, act: OperatorAction) -> str:
        """The card of an operator's act, as plain text."""

    def keys(self, change: WaitingChange) -> str:
        """What a change of the signing keys does, as plain text."""

    def title(self, case: Case) -> str:
        """What a list calls a request; never its target or reason."""

    def answer(self, told: Mapping[str, object]) -> str:
        """The sentence that a press is answered with."""

    def less(self, case: Case) -> Sequence[tuple[str, str]]:
        """Shorter times to choose from: seconds and words."""

    def label(self, ask: Ask, choice: Choice) -> str:
        """What the button of a choice is called."""


@dataclass(frozen=True, slots=True)
class _Opened:
    link: Link
    case: Case
    ask: Ask
    signing: Signing


class SigningPage:
    """`take_in` writes into the inbox. `words` are set by the composition root."""

    words: Words

    def __init__(
        self, store: Store, clock: Clock, current: CurrentPolicy, take_in: TakeIn, endorsements: Endorsements
    ) -> None:
        self._store, self._clock, self._current, self._take_in = store, clock, current, take_in
        self._endorsements = endorsements

    @property
    def signing(self) -> Signing | None:
        """The policy's key `signing`; None where nothing is signed."""
        return self._current.policy.signing

    async def address(self, case: Case, ask: Ask, person: Person) -> str:
        """The address at which this person answers; "" where the question needs no signature, or no key of theirs counts."""
        policy = self._current.policy
        older = self._current.sets.also_binding(ask.opened_at)
        demand = demanded(case, ask.kind, policy, older)
        able = demand != "none" and may_sign(policy, person, demand, older)
        if policy.signing is None or not able or not self._open(case, ask):
            return ""
        token = await self._store.signing.link(Link(person, case.id, ask.version), to_base64url(self._clock.salt()))
        return f"{policy.signing.origin}/d#{token}"

    # What the page asks for.

    async def read(self, token: str) -> Told:
        """The question behind a link."""
        if (matter := await self._matter(token)) is not None:
            return Told(200, matter.body)
        found = await self._opened(token)
        if isinstance(found, Told):
            return found
        link, case, ask = found.link, found.case, found.ask
        body = {"case": case.id, "words": self.words.card(case, ask, link.person), "open": False}
        if not self._open(case, ask):
            return Told(200, body)
        choices = [
            {"verdict": one.verdict, "label": self.words.label(ask, one), "yes": one.yes}
            for one in CHOICES.get(ask.kind, ())
            if not one.yes or takes_yes(case, ask, self._current.policy, link.person)
        ]
        body |= {"open": True, "choices": choices, "less": [], "until": ""}
        if ask.kind == "approval":
            latest = (case.request.filed_at + timedelta(seconds=case.request.seconds)).date()
            body |= {"until": str(latest)} if case.dated else {"less": [list(one) for one in self.words.less(case)]}
        return Told(200, body)

    async def statement(self, token: str, verdict: str, seconds: int = 0, until: str = "") -> Told:
        """A fresh statement of this verdict: its bytes, the text that is shown, and whose keys may sign it."""
        if (matter := await self._matter(token)) is not None:
            return await self._of_matter(matter)
        found = await self._opened(token)
        if isinstance(found, Told):
            return found
        case, ask, link, policy = found.case, found.ask, found.link, self._current.policy
        if not self._open(case, ask):
            return _no("This question is closed. Nothing is left to sign.")
        choice = next((one for one in CHOICES.get(ask.kind, ()) if one.verdict == verdict), None)
        allowed = standing(case, ask, policy, link.person, takes_away=choice is not None and not choice.yes)
        if choice is None:
            return _no("This question cannot be answered that way. Reload the page.")
        if isinstance(allowed, Refused):
            return _no(allowed.reason)
        if choice.yes and not takes_yes(case, ask, policy, link.person):
            return _no("Your approval is not needed now. Reload the page to see what it waits for.")
        given = _given(case, ask, choice, seconds, until)
        if given is None:
            return _no("Choose a time that is shorter than what was asked for.")
        about = {"verdict": verdict, "need": ask.need, "role": allowed.roles[0], **given}
        return await self._issued(found, allowed, about)

    async def sign(self, token: str, sent: Mapping[str, str]) -> Told:
        """What an assertion comes to. `sent`: statement, credential, authenticator_data, client_data, signature, and a reason."""
        link = await self._store.signing.linked(token)
        if link is None:
            return _NO_LINK
        act = SignAnswer(
            link.person, link.case, link.version, sent["statement"], sent["credential"], sent["authenticator_data"],
            sent["client_data"], sent["signature"], sent.get("reason", "").strip(),
        )  # fmt: skip
        made = _read(act)
        if made is not None and made.about.get("verdict") == "deny" and not act.text:
            return _no("Give a reason: the requester reads it, and the decision log keeps it.")
        digest = hashlib.sha256(json.dumps([token, dict(sorted(sent.items()))]).encode()).hexdigest()
        key = f"sign:{digest if made is None else made.nonce}"
        first = await self._take_in(key, act, {"assertion": digest})
        if first.get("assertion") != digest:  # another assertion over the same statement: judged, and refused
            key = f"{key}:{digest}"
            await self._take_in(key, act, {"assertion": digest})
        return await self._outcome(key)

    async def _outcome(self, key: str) -> Told:
        end = self._clock.monotonic() + PATIENCE
        while (told := await self._store.signing.answer(key)) is None:
            if self._clock.monotonic() >= end:
                return Told(
                    202,
                    {
                        "ok": False,
                        "text": "Your answer was received, and takes longer than usual. Reload the page in a minute to see what came of it.",
                    },
                )
            await asyncio.sleep(_LOOK)
        if told.get("ok"):
            return Told(200, {"ok": True, "text": "Signed, and written into the decision log."})
        return Told(409, {"ok": False, "text": self.words.answer(told)})

    async def act_address(self, act: OperatorAction, person: Person) -> str:
        """The address at which this person confirms an operator's act; "" where it is not signed."""
        return await signing_acts.address(self._store, self._current, self._clock, act, person)

    async def _matter(self, token: str) -> Matter | None:
        """What a link leads to that is no request: an operator's act, or a change of the signing keys that waits."""
        link = await self._store.signing.linked(token)
        if link is not None and is_act(link.case):
            act = await self._store.operator.action(link.case)
            return None if act is None else of_act(link, act, self.words.act(act), self._current.policy, self._clock.now())
        if link is not None and is_key_change(link.case):
            change = await self._endorsements.waiting(link.case)
            words = _ENDORSED if change is None else self.words.keys(change)
            return of_keys(link, change, words, self._current.policy)
        return None

    async def _of_matter(self, matter: Matter) -> Told:
        if not matter.open:
            return _no("This question is closed. Nothing is left to sign.")
        salt, nonce, link = self._clock.salt(), to_base64url(self._clock.salt()), matter.link
        signer, head = await self._store.signing.ref(link.person), await self._store.log.head()
        not_after = self._clock.now() + LIFETIME
        made = matter.make(signer, head.origin, salt, nonce, not_after)
        issued = Issued(link.person, link.case, link.version, made.to_bytes(), not_after)
        return await self._handed_out(made, issued, matter.words, salt)

    async def _opened(self, token: str) -> _Opened | Told:
        await self._current.refresh()
        link, signing = await self._store.signing.linked(token), self.signing
        case = await self._store.cases.case(link.case) if link is not None else None
        ask = case.question(link.version) if case is not None and link is not None else None
        if link is None or case is None or ask is None or signing is None:
            return _NO_LINK
        return _Opened(link, case, ask, signing)

    async def _issued(self, found: _Opened, allowed: Allowed, about: dict[str, str | int]) -> Told:
        link, case, ask, policy = found.link, found.case, found.ask, self._current.policy
        ends = await self._store.signing.ends(link, OPENED_BY.get(ask.kind, ""), ask.opened_at)
        salt, nonce = self._clock.salt(), to_base64url(self._clock.salt())
        words = self.words.card(case, ask, link.person)
        shown = to_base64url(hashlib.sha256(salt + words.encode()).digest())
        about |= {"case": case.id, "asked": ends.asked, "version": ask.version, "seen": ends.seen, "shown": shown}
        about |= {"policy": policy.digest, "runbook": case.request.runbook_sha256}
        if allowed.on_behalf_of is not None and (owner := await self._store.signing.ref(allowed.on_behalf_of)):
            about |= {"on_behalf_of": owner}
        not_after = self._clock.now() + LIFETIME
        made = Statement("decision", ends.log, found.signing.rp_id, ends.signer, nonce, not_after, about)
        issued = Issued(link.person, case.id, ask.version, made.to_bytes(), not_after)
        return await self._handed_out(made, issued, words, salt)

    async def _handed_out(self, made: Statement, issued: Issued, words: str, salt: bytes) -> Told:
        await self._store.signing.issue(made.nonce, issued)
        keys = [key.id for key in keys_of(self._current.policy, issued.person) if key.rp == made.rp]
        data = issued.data
        return Told(200, {
            "statement": to_base64url(data), "challenge": to_base64url(challenge(data)), "rp": made.rp, "keys": keys,
            "words": words, "salt": to_base64url(salt), "text": json.dumps(json.loads(data), indent=1),
            "not_after": made.not_after.isoformat(),
        })  # fmt: skip

    def _open(self, case: Case, ask: Ask) -> bool:
        waits = case.request.waits or ask.kind != "approval"
        return ask.state is AskState.OPEN and waits and self._clock.now() < valid_before(case, ask)


_ENDORSED = "This change of the signing keys does not wait for an endorsement any more."
_NO_LINK = Told(404, {"text": "This link leads nowhere. Open the newest message from Countersign."})


def _no(text: str) -> Told:
    return Told(409, {"ok": False, "text": text})


def _given(case: Case, ask: Ask, choice: Choice, seconds: int, until: str) -> dict[str, str | int] | None:
    """The time that a statement grants: `seconds`, or of an exception `until`; none where the answer gives none. None where the
    wish is longer than what was asked for."""
    if not choice.yes or ask.kind not in ("approval", "extension", "renewal"):
        return {}
    asked = case.request.seconds if ask.kind == "approval" else ask.seconds
    if case.dated:
        last = _last_day(case, ask, asked)
        day = read_day(until) if until else last
        return {"until": str(day)} if day is not None and case.request.filed_at.date() <= day <= last else None
    return {"seconds": seconds or asked} if 0 <= seconds <= asked else None


def _last_day(case: Case, ask: Ask, asked: int) -> date:
    since = case.request.filed_at if ask.kind == "approval" else ask.opened_at
    return (since + timedelta(seconds=asked)).date()


def _read(act: SignAnswer) -> Statement | None:
    try:
        return read_statement(from_base64url(act.statement))
    except (ValueError, EntryError):
        return None
