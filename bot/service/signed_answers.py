"""Carries out what was signed on the page: the signature is judged first, then the answer like any other press.

The result is stored under the key of its inbox row, so that a repeat gets the first answer, and a reply that was lost is found
again. A refusal changes nothing and leaves one `decision.refused`, in the name of the key's person; of nobody where it
proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from bot.clock import Clock
from bot.decision_log.passkeys import check_signature
from bot.domain.authority.authorization import named_for
from bot.domain.authority.endorsement import is_key_change
from bot.domain.authority.signatures import demanded
from bot.domain.case.ask import Ask
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.model import Case
from bot.domain.case.operator_action import is_act
from bot.domain.case.transition import SYSTEM, LogEvent, Notification, SignedAnswer, Transition
from bot.domain.decision_log import events
from bot.domain.errors import EntryError, LookupFailed
from bot.domain.operator import dual_control
from bot.domain.policy.people import Person
from bot.domain.signing import decision
from bot.domain.signing.assertion import Assertion, from_base64url
from bot.domain.signing.statement import Statement, read_statement
from bot.domain.workflow import key_notices, notifications
from bot.ports.commands import ConfirmOperatorAction, Press, ReplyAddress, SignAnswer, read_day
from bot.ports.store import Store
from bot.service.current_policy import CurrentPolicy
from bot.service.endorsements import Endorsements
from bot.service.presses import Actions

_GONE = Rejected(
    Refusal.STALE, "plain", {"text": "This question is not asked any more. Open the newest message from Countersign."}
)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """A row of the inbox, read: the answer, and its statement; None where its bytes are none."""

    answer: decision.Answer
    statement: Statement | None


class SignedAnswers:
    """Judges signed answers on what is stored now."""

    def __init__(
        self, store: Store, clock: Clock, current: CurrentPolicy, actions: Actions, endorsements: Endorsements
    ) -> None:
        self._store, self._clock, self._current, self._actions = store, clock, current, actions
        self._endorsements = endorsements

    async def press(self, act: SignAnswer, key: str) -> Transition:
        """What a signed answer comes to. `key` is that of its inbox row. Raises StorageError."""
        await self._current.refresh()
        if is_act(act.case):
            return await self._confirm(act, key)
        if is_key_change(act.case):
            return await self._endorse(act, key)
        found, case = _read(act), await self._store.cases.case(act.case)
        ask = case.question(act.version) if case is not None else None
        if case is None:
            return answered(_say(act, "There is no such request."), act, key, "")
        if ask is None:
            return answered(self._refused(found.answer, case, _GONE, act), act, key, "")
        judged, known = await self._judged(found, case, ask, key)
        nonce = "" if known.issued is None or known.issued.used_by else (found.statement.nonce if found.statement else "")
        if isinstance(judged, Rejected):
            return answered(self._refused(found.answer, case, judged, act), act, key, nonce)
        done = await self._actions.press(_press(act, judged, ask), judged.proof)
        if done.after is not None and judged.statement.about.get("verdict") != "deny":
            copies = key_notices.copies(done.after, self._current.policy, act.person, judged.statement)
            done = replace(done, says=(*done.says, *copies))
        return answered(done, act, key, nonce, judged)

    async def _judged(
        self, found: _Read, case: Case, ask: Ask, key: str
    ) -> tuple[decision.Counts | Rejected, decision.Known]:
        signing, statement = self._store.signing, found.statement
        issued = await signing.issued(statement.nonce) if statement else None
        seen = str(statement.about.get("seen", "")) if statement else ""
        since = await signing.since(case.id, seen)
        count = await signing.count(found.answer.credential)
        known = decision.Known(issued, since or (), count, key, self._clock.now())
        policy, older = self._current.policy, self._current.sets.also_binding(ask.opened_at)
        demand = demanded(case, ask.kind, policy, older)
        return decision.judge(found.answer, known, statement, policy, older, demand, check_signature), known

    async def _confirm(self, act: SignAnswer, key: str) -> Transition:
        """A signed Confirm of an operator's act."""
        found, filed = _read(act), await self._store.operator.action(act.case)
        if filed is None:
            return answered(_say(act, "There is no such act of an operator."), act, key, "")
        issued = await self._store.signing.issued(found.statement.nonce) if found.statement else None
        count = await self._store.signing.count(found.answer.credential)
        known = decision.Known(issued, (), count, key, self._clock.now())
        policy, older = self._current.policy, self._current.sets.also_binding(filed.filed_at)
        judged = decision.judge(found.answer, known, found.statement, policy, older, "required", check_signature)
        nonce = "" if issued is None or issued.used_by or found.statement is None else found.statement.nonce
        if isinstance(judged, Rejected):
            who = decision.proven_by(found.answer, policy, check_signature)
            told = dual_control.refuse_click(filed.id, policy, Click(who or act.person, "confirm", 0, {}), judged)
            entries = told.entries if who else tuple(_nobody(draft) for draft in told.entries)
            return answered(replace(_say(act, str(judged.params["text"])), entries=entries), act, key, nonce)
        press = ConfirmOperatorAction(act.person, filed.id, "confirm", ReplyAddress(act.person))
        return answered(await self._actions.confirm(press, judged.proof), act, key, nonce, judged)

    async def _endorse(self, act: SignAnswer, key: str) -> Transition:
        """A signed endorsement of a change of the signing keys."""
        found, change = _read(act), await self._endorsements.waiting(act.case)
        if change is None:
            return answered(_say(act, "This change does not wait for an endorsement any more."), act, key, "")
        issued = await self._store.signing.issued(found.statement.nonce) if found.statement else None
        count = await self._store.signing.count(found.answer.credential)
        known = decision.Known(issued, (), count, key, self._clock.now())
        nonce = "" if issued is None or issued.used_by or found.statement is None else found.statement.nonce
        try:
            done, judged = await self._endorsements.carried_out(change, found.answer, found.statement, known)
        except LookupFailed:
            return answered(Transition(None, None, says=(_again(act),)), act, key, nonce)
        return answered(done, act, key, nonce, judged if isinstance(judged, decision.Counts) else None)

    def _refused(self, answer: decision.Answer, case: Case, no: Rejected, act: SignAnswer) -> Transition:
        policy = self._current.policy
        who = decision.proven_by(answer, policy, check_signature)
        draft = events.decision_refused(case, policy, who or act.person, "sign", no.why)
        told = _say(act, str(no.params["text"]), case.id)
        alarms = self._alarms(case, who) if no.params.get("alarm") else ()
        log.warning("signature.refused", request=case.id, why=str(no.why), proven=who is not None)
        return replace(told, entries=(draft if who else _nobody(draft),), says=(*told.says, *alarms))

    def _alarms(self, case: Case, who: Person | None) -> tuple[Notification, ...]:
        """A passkey may have been copied: everybody named in the domain and the auditors are notified."""
        policy = self._current.policy
        domain = policy.domains.get(case.request.domain)
        named: Sequence[Person] = named_for(policy, domain) if domain is not None else ()
        name = policy.name_of(who) if who is not None else "somebody"
        text = (
            f"The passkey of {name} has a counter that went back: somebody may have copied it. Its signature was refused"
            f" ({case.id}). Remove the key from the policy, and enrol another."
        )
        people = dict.fromkeys((*named, *policy.auditors))
        return tuple(notifications.answer(None, person, {}, "plain", text=text) for person in people)


def answered(act: Transition, sign: SignAnswer, key: str, nonce: str, judged: decision.Counts | None = None) -> Transition:
    """The act with its answer for the page; the signer gets the answer there and not in Slack too."""
    told = next((say for say in act.says if say.purpose == "answer" and say.to == sign.person), None)
    says = tuple(say for say in act.says if say is not told)
    params = {name: value for name, value in told.data.items() if name != "reply"} if told is not None else {}
    changes = (act.after, act.operated, act.endorsed)
    counts = judged is not None and any(change is not None for change in changes)
    credential, count = (judged.proof.credential, judged.count) if judged is not None else ("", 0)
    doubted = any(entry.data.get("account") == "unconfirmed" for entry in act.entries)
    unconfirmed = (sign.case, sign.version, sign.person) if doubted else None
    signed = SignedAnswer(key, nonce, {"ok": counts, **params}, credential, count, unconfirmed)
    otherwise = None if act.otherwise is None else answered(act.otherwise, sign, key, nonce)
    return replace(act, says=says, signed=signed, otherwise=otherwise)


def _read(act: SignAnswer) -> _Read:
    try:
        data = from_base64url(act.statement)
        parts = (from_base64url(part) for part in (act.credential, act.authenticator_data, act.client_data, act.signature))
        assertion = Assertion(*parts)
    except ValueError:
        data, assertion = b"", Assertion(b"", b"", b"", b"")
    try:
        statement = read_statement(data)
    except EntryError:
        statement = None
    wanted = "confirm" if is_act(act.case) else "policy" if is_key_change(act.case) else "decision"
    if statement is not None and statement.type != wanted:
        statement = None
    return _Read(decision.Answer(act.person, act.case, act.version, data, act.credential, assertion), statement)


def _press(act: SignAnswer, judged: decision.Counts, ask: Ask) -> Press:
    """The button that matches the statement's verdict, with the time that it grants."""
    about = judged.statement.about
    choice = next(one for one in decision.CHOICES[ask.kind] if one.verdict == about["verdict"])
    until = str(about.get("until", ""))
    seconds = 0 if read_day(until) else int(about.get("seconds", 0))
    until = until if choice.yes and ask.kind == "approval" else ""
    return Press(
        act.person, act.case, act.version, choice.action, ReplyAddress(act.person), act.text, seconds=seconds, until=until
    )


def _say(act: SignAnswer, text: str, case_id: str | None = None) -> Transition:
    return Transition(None, None, says=(notifications.answer(case_id, act.person, {}, "plain", text=text),))


def _again(act: SignAnswer) -> Notification:
    return notifications.answer(None, act.person, {}, "again")


def _nobody(draft: LogEvent) -> LogEvent:
    return replace(draft, actor=SYSTEM)
