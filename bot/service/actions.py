"""THE TABLE: what each button on a card, a receipt or a reminder does. A new button is one row here.

A row says who is looked up at Slack before the press is judged (`account`: whoever pressed; `presence`: which of the people
whom the case could ask are away), whether the press would count (`may`, for a button that opens a form first), and what it
does (`carry_out`). Both are pure: they get everything read so far as a `Situation`. A look-up that fails is never a yes:
the person is asked to press again (design, section 4). What only takes away goes on without it (`takes_away`).

A press that ids and the state of the case refuse is refused without a look-up: it is judged first as if the account were a
full one and everybody there, and what is refused then is refused for good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TypeVar

from bot.clock import Clock
from bot.domain.authority.authorization import Allowed, Refused, named_roles
from bot.domain.authority.policy_rollout import Sets, strictest
from bot.domain.case.ask import Ask
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.case.transition import LogEvent, Transition
from bot.domain.decision_log import events
from bot.domain.errors import LookupFailed
from bot.domain.operator import dual_control
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Profile
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import (
    discussion,
    drill,
    grant_end,
    identity_proof,
    more_time,
    notifications,
    obligations,
    permit,
    refusals,
)
from bot.domain.workflow.asks import approval, engine, extension, renewal
from bot.domain.workflow.asks.closing import answered_or_late
from bot.domain.workflow.findings import handling
from bot.ports.commands import ConfirmOperatorAction, Press, read_day
from bot.ports.directory import Directory
from bot.ports.store import Store
from bot.service.accounts import account_of
from bot.service.current_policy import CurrentPolicy
from bot.service.transactions import TransactionRunner


@dataclass(frozen=True, slots=True)
class Situation:
    """What a press is judged on. `looked_up` and `present` are there for the rows that ask for them; `doubted`: the clock is."""

    case: Case
    click: Click
    sets: Sets
    now: datetime
    scale: float
    doubted: bool = False
    looked_up: Profile | None = None
    present: Presence | None = None

    @property
    def policy(self) -> Policy:
        """The set in force."""
        return self.sets.current

    @property
    def asking(self) -> Policy:
        """The set in force as it counts for whoever asks now: what it lately made easier counts later (`policy_rollout`)."""
        return strictest(self.policy, self.older(self.now))

    @property
    def profile(self) -> Profile:
        """The account of whoever pressed, in a row with `account`."""
        assert self.looked_up is not None
        return self.looked_up

    @property
    def presence(self) -> Presence:
        """Who is away, in a row with `presence`."""
        assert self.present is not None
        return self.present

    @property
    def ask(self) -> Ask:
        """The ask that the button belongs to; the request's own where no ask has the version that was seen."""
        return self.case.question(self.click.version) or self.case.approval

    def older(self, filed_at: datetime) -> tuple[Policy, ...]:
        """The earlier sets under which a yes on something of `filed_at` must be allowed too."""
        return self.sets.also_binding(filed_at)


CarryOut = Callable[[Situation], Transition]
May = Callable[[Situation], Rejected | None]
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Action:
    """One row. `may` is None where the button opens no form, `carry_out` where it does nothing but open one."""

    name: str
    carry_out: CarryOut | None = None
    may: May | None = None
    account: bool = False
    presence: bool = False
    takes_away: bool = False


def click_of(press: Press) -> Click:
    """The press as the domain takes it."""
    moment = datetime.fromisoformat(press.at) if press.at else None
    return Click(
        press.person, press.action, press.version, asdict(press.reply), press.text, press.seconds, press.name,
        read_day(press.until), moment,
    )  # fmt: skip


def refuse(s: Situation, no: Rejected) -> Transition:
    """Changes nothing, tells whoever pressed, leaves one entry."""
    return refusals.refuse(s.case, s.policy, s.click, no)


# Answers: what they do is in the row of the ask's kind (`asks.kinds`).


def _may_answer(s: Situation) -> Rejected | None:
    judged = engine.judge(s.case, s.ask, s.policy, s.click, s.profile, s.now)
    return judged if isinstance(judged, Rejected) else None


def _answer(s: Situation) -> Transition:
    return engine.answer(s.case, s.ask, s.policy, s.click, s.profile, s.now, s.older(s.ask.opened_at))


def _approve(s: Situation) -> Transition:
    given = _answer(s)
    return given if s.ask.kind != "approval" else replace(given, otherwise=refuse(s, refusals.DOUBTED))


def _about_the_request(carry_out: CarryOut) -> CarryOut:
    """A button of the request's own card: on a card of another ask there is none, so the engine refuses it there."""
    return lambda s: carry_out(s) if s.ask.kind in ("approval", "finding") else _answer(s)


def _hold(s: Situation) -> Transition:
    over = answered_or_late(s.case, s.ask, s.now) if s.ask.kind == "finding" else None
    if over is not None:
        return refuse(s, over)
    return discussion.hold(s.case, s.policy, s.click, s.profile, s.now, s.scale)


def _pass(s: Situation) -> Transition:
    return discussion.defer(s.case, s.policy, s.click, s.profile, s.presence, s.now)


def _here(s: Situation) -> Transition:
    return drill.here(s.case, s.policy, s.click, s.presence, s.now)


def _may_have_permit(s: Situation) -> Rejected | None:
    return permit.may_have(s.case, s.policy, s.click, s.now) or (permit.DOUBTED if s.doubted else None)


def _alone(judge: Callable[[Case, Policy, Click, datetime], _Result]) -> Callable[[Situation], _Result]:
    """What needs no authority: the requester, their leads, whoever owes something. Nobody is looked up."""
    return lambda s: judge(s.case, s.policy, s.click, s.now)


def _authorised(judge: Callable[[Case, Policy, Click, Profile, datetime], Transition]) -> CarryOut:
    """What needs authority: whoever pressed is looked up."""
    return lambda s: judge(s.case, s.policy, s.click, s.profile, s.now)


def _asking(judge: Callable[[Case, Policy, Click, Presence, datetime], Transition]) -> CarryOut:
    """The requester wants people asked: under the set as it counts for whoever asks now."""
    return lambda s: judge(s.case, s.asking, s.click, s.presence, s.now)


def _may_close(s: Situation) -> Rejected | None:
    return handling.may_be_closed(s.case, s.policy, s.click, s.profile, s.now)


def _may_ask(s: Situation) -> Rejected | None:
    """Of a finding, everybody with authority asks until it is closed; of a request while it is pending."""
    return discussion.may_take_part(s.case, s.policy, s.click, s.profile, s.now) if s.case.finding else _may_answer(s)


_NO = frozenset({"flag", "reject", "withdraw_right"})
_ROWS = (
    Action("approve", _approve, _may_answer, account=True),
    Action("less", None, _may_answer, account=True),  # its form sends `approve`
    Action("deny", _answer, _may_answer, account=True, takes_away=True),
    Action("withdraw", _alone(approval.withdraw)),
    Action("question", _about_the_request(_authorised(discussion.question)), _may_ask, account=True),
    Action("answer", _alone(discussion.answer), _alone(discussion.requester_may)),
    Action("hold", _about_the_request(_hold), account=True),
    Action("pass", _pass, account=True, presence=True),
    Action("push", _asking(discussion.escalate_now), _alone(discussion.requester_may), presence=True),
    Action("again", None, _alone(discussion.requester_may)),  # opens the filing form
    Action("for", _alone(discussion.recommend)),
    Action("against", _alone(discussion.recommend)),
    Action("finish", _alone(grant_end.give_back)),
    Action("unused", _alone(grant_end.give_back)),
    Action("revoke", _authorised(grant_end.revoke), account=True, takes_away=True),
    Action("permit", None, _may_have_permit),  # shows it, once
    Action("extend", _asking(more_time.extend), _alone(extension.may_extend), presence=True),
    Action("renew", _asking(more_time.renew), _alone(renewal.may_renew), presence=True),
    Action("evidence", _alone(obligations.hand_in), _alone(obligations.may_hand_in)),
    Action("attest", _alone(obligations.hand_in), _alone(obligations.may_hand_in)),
    Action("verify", _alone(identity_proof.attest), _alone(identity_proof.may_attest)),
    Action("here", _here, presence=True),
    Action("acknowledge", _answer, _may_answer, account=True),
    Action("close", _authorised(handling.close), _may_close, account=True),
    Action("share", _authorised(handling.share), account=True),
    Action("correct", _alone(handling.correct), _alone(handling.may_be_corrected)),
    *(
        Action(name, _answer, _may_answer, account=True, takes_away=name in _NO)
        for name in ("accept", "flag", "ratify", "reject", "restore", "keep", "withdraw_right")
    ),
)
ACTIONS: Mapping[str, Action] = {row.name: row for row in _ROWS}


def _carried_out(press: Press, situation: Situation) -> Transition:
    """What the press comes to in this situation."""
    row = ACTIONS[press.action]
    if press.opens_form or row.carry_out is None:
        no = row.may(situation) if row.may is not None else None
        return Transition(None, None) if no is None else refuse(situation, no)
    return row.carry_out(situation)


def _why(act: Transition) -> object:
    """Why the act is a refusal; None where it is none."""
    return next((entry.data.get("why") for entry in act.entries if entry.type == "decision.refused"), None)


def _for_good(row: Action, s: Situation, why: object) -> bool:
    """Whether no earlier press can change this refusal: of somebody who is not named for it, or of a question that is over."""
    if why in (Refusal.UNAUTHORISED, Refusal.PARTY):
        return not named_roles(s.policy, s.policy.domains.get(s.case.request.domain), s.click.person)
    ask = s.case.question(s.click.version)
    return why is not None and row.may is _may_answer and ask is not None and ask.state is not AskState.OPEN


class Actions:
    """Judges presses by the table: reads the case, looks up what the row asks for, hands over what to commit."""

    def __init__(
        self, store: Store, directory: Directory, clock: Clock, scale: float, current: CurrentPolicy,
        transactions: TransactionRunner,
    ) -> None:  # fmt: skip
        self._store, self._directory, self._clock, self._scale = store, directory, clock, scale
        self._current, self._transactions = current, transactions

    async def may_open(self, press: Press) -> Allowed | Refused:
        """Whether a press would count that opens a form. Raises LookupFailed."""
        await self._current.refresh()
        case = await self._store.cases.case(press.case)
        if case is None:
            return Refused(Refusal.STALE, "There is no such request.")
        may = ACTIONS[press.action].may
        if may is None:
            return Allowed(())
        no = may(self._at_best(case, press)) or may(await self._situation(case, press))
        return Refused(no.why, no.sentence) if no is not None else Allowed(())

    async def press(self, press: Press) -> Transition:
        """What a press comes to, judged on what is stored now. Raises StorageError."""
        await self._current.refresh()
        case = await self._store.cases.case(press.case)
        if case is None:
            return self._unknown(press)
        row, act = ACTIONS[press.action], _carried_out(press, self._at_best(case, press))
        if _why(act) is not None or not (row.account or row.presence):
            return act
        try:
            situation = await self._situation(case, press)
        except LookupFailed:
            return Transition(None, None, says=(notifications.answer(case.id, press.person, asdict(press.reply), "again"),))
        return _carried_out(press, situation)

    async def refused_at_once(self, press: Press) -> Transition | None:
        """The refusal of a press that can never count, whatever presses on the same request come before it; else None."""
        await self._current.refresh()
        case = await self._store.cases.case(press.case)
        if case is None:
            return None
        situation = self._at_best(case, press)
        act = _carried_out(press, situation)
        return act if _for_good(ACTIONS[press.action], situation, _why(act)) else None

    def _at_best(self, case: Case, press: Press) -> Situation:
        """The press as if the account were a full one and everybody there."""
        doubted, sets = self._clock.jumped() is not None, self._current.sets
        return Situation(
            case, click_of(press), sets, self._clock.now(), self._scale, doubted,
            looked_up=Profile(press.person), present=Presence({}),
        )  # fmt: skip

    async def _situation(self, case: Case, press: Press) -> Situation:
        """The press with everything that the row of the table asks for. Raises LookupFailed."""
        row, at_best = ACTIONS[press.action], self._at_best(case, press)
        profile, presence = at_best.looked_up, at_best.present
        if row.account:
            profile = await account_of(self._directory, press.person, takes_away=row.takes_away)
        if row.presence and not press.opens_form:
            presence = await self._transactions.presence_for(case)
        return replace(self._at_best(case, press), looked_up=profile, present=presence)

    def _unknown(self, press: Press) -> Transition:
        who, data = events.actor(self._current.policy, press.person), {"action": press.action, "why": "stale"}
        says = (notifications.answer(None, press.person, asdict(press.reply), "unknown", id=press.case),)
        return Transition(None, None, (LogEvent("decision.refused", who, data=data),), says)

    async def confirm(self, act: ConfirmOperatorAction) -> Transition:
        """What Confirm or Refuse comes to on an operator's act: the account is looked up at the click, then the domain judges."""
        click = Click(act.person, act.answer, 0, asdict(act.reply))
        found = await self._store.operator.action(act.id)
        if found is None:
            no = Rejected(Refusal.STALE, "unknown_act", {"id": act.id})
            return dual_control.refuse_click(act.id, self._current.policy, click, no)
        try:
            profile = await account_of(self._directory, act.person, takes_away=act.answer == "refuse")
        except LookupFailed:
            return Transition(None, None, says=(notifications.answer(None, act.person, click.reply, "again"),))
        return dual_control.press(found, self._current.policy, click, profile, self._clock.now())
