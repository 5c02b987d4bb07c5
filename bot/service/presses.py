"""Judges presses by the table of actions (`actions.ACTIONS`): reads the case, looks up what the row asks for.

A press that ids and the state of the case refuse is refused without a look-up: it is judged first as if the account were a
full one and everybody there, and what is refused then is refused for good.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace

from bot.clock import Clock
from bot.domain.authority.authorization import Allowed, Refused, named_roles
from bot.domain.case.click import Click, Proof, Refusal, Rejected
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.case.transition import LogEvent, Transition
from bot.domain.decision_log import events
from bot.domain.errors import LookupFailed
from bot.domain.operator import dual_control
from bot.domain.policy.people import Person, Profile
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import notifications
from bot.ports.commands import ConfirmOperatorAction, Press
from bot.ports.directory import Directory
from bot.ports.store import Store
from bot.service.accounts import account_of
from bot.service.actions import ACTIONS, Action, Situation, click_of, may_answer, refuse
from bot.service.current_policy import CurrentPolicy
from bot.service.transactions import TransactionRunner


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
    return why is not None and row.may is may_answer and ask is not None and ask.state is not AskState.OPEN


async def nobody_known(_person: Person) -> Profile | None:
    """Where nothing is decided while Slack is down."""
    return None


class Actions:
    """Judges presses by the table: reads the case, looks up what the row asks for, hands over what to commit."""

    def __init__(
        self, store: Store, directory: Directory, clock: Clock, scale: float, current: CurrentPolicy,
        transactions: TransactionRunner,
    ) -> None:  # fmt: skip
        self._store, self._directory, self._clock, self._scale = store, directory, clock, scale
        self._current, self._transactions = current, transactions
        self.last_answer: Callable[[Person], Awaitable[Profile | None]] = nobody_known

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

    async def press(self, press: Press, proof: Proof | None = None) -> Transition:
        """What a press comes to, judged on what is stored now; `proof` of one that was signed. Raises StorageError."""
        await self._current.refresh()
        case = await self._store.cases.case(press.case)
        if case is None:
            return self._unknown(press)
        row, act = ACTIONS[press.action], _carried_out(press, self._at_best(case, press, proof))
        if _why(act) is not None or not (row.account or row.presence):
            return act
        try:
            situation = await self._situation(case, press, proof)
        except LookupFailed:
            stored = await self.last_answer(press.person) if proof is not None else None
            if stored is None:
                said = notifications.answer(case.id, press.person, asdict(press.reply), "again")
                return Transition(None, None, says=(said,))
            unconfirmed = self._at_best(case, press, replace(proof, unconfirmed=True) if proof is not None else None)
            situation = replace(unconfirmed, looked_up=stored, present=await self._transactions.presence_for(case))
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

    def _at_best(self, case: Case, press: Press, proof: Proof | None = None) -> Situation:
        """The press as if the account were a full one and everybody there."""
        doubted, sets = self._clock.jumped() is not None, self._current.sets
        return Situation(
            case, replace(click_of(press), proof=proof), sets, self._clock.now(), self._scale, doubted,
            looked_up=Profile(press.person), present=Presence({}),
        )  # fmt: skip

    async def _situation(self, case: Case, press: Press, proof: Proof | None = None) -> Situation:
        """The press with everything that the row of the table asks for. Raises LookupFailed."""
        row, at_best = ACTIONS[press.action], self._at_best(case, press, proof)
        profile, presence = at_best.looked_up, at_best.present
        if row.account:
            profile = await account_of(self._directory, press.person, takes_away=row.takes_away)
        if row.presence and not press.opens_form:
            presence = await self._transactions.presence_for(case)
        return replace(at_best, looked_up=profile, present=presence)

    def _unknown(self, press: Press) -> Transition:
        who, data = events.actor(self._current.policy, press.person), {"action": press.action, "why": "stale"}
        says = (notifications.answer(None, press.person, asdict(press.reply), "unknown", id=press.case),)
        return Transition(None, None, (LogEvent("decision.refused", who, data=data),), says)

    async def confirm(self, act: ConfirmOperatorAction, proof: Proof | None = None) -> Transition:
        """What Confirm or Refuse comes to on an operator's act: the account is looked up at the click, then the domain judges.
        `proof` of one that was signed."""
        click = Click(act.person, act.answer, 0, asdict(act.reply), proof=proof)
        found = await self._store.operator.action(act.id)
        if found is None:
            no = Rejected(Refusal.STALE, "unknown_act", {"id": act.id})
            return dual_control.refuse_click(act.id, self._current.policy, click, no)
        try:
            profile = await account_of(self._directory, act.person, takes_away=act.answer == "refuse")
        except LookupFailed:
            return Transition(None, None, says=(notifications.answer(None, act.person, click.reply, "again"),))
        older = self._current.sets.also_binding(found.filed_at)
        return dual_control.press(found, self._current.policy, click, profile, self._clock.now(), older)
