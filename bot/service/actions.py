"""THE TABLE: what each button on a card, a receipt or a reminder does. A new button is one row here.

A row says who is looked up at Slack before the press is judged (`account`: the person who pressed; `presence`: which of the people
whom the case could ask are away), whether the press would count (`may`, for a button that opens a form first), and what it
does (`carry_out`). Both are pure: they get everything read so far as a `Situation`. A look-up that fails is never a yes:
the person is asked to press again (design, section 4). What only takes away works without it (`takes_away`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TypeVar

from bot.domain.authority.policy_rollout import Sets, strictest
from bot.domain.case.ask import Ask
from bot.domain.case.click import Click, Rejected
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Profile
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import (
    discussion,
    drill,
    grant_end,
    identity_proof,
    more_time,
    obligations,
    permit,
    refusals,
)
from bot.domain.workflow.asks import approval, engine, extension, renewal
from bot.domain.workflow.asks.closing import answered_or_late
from bot.domain.workflow.findings import handling
from bot.domain.workflow.slack_down import host_filing
from bot.ports.commands import Press, read_day


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
        """The set in force as it counts for a new request: what it lately made easier counts later (`policy_rollout`)."""
        return strictest(self.policy, self.older(self.now))

    @property
    def profile(self) -> Profile:
        """The account of the person who pressed, in a row with `account`."""
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
    """Changes nothing, answers the person who pressed, writes one entry."""
    return refusals.refuse(s.case, s.policy, s.click, no)


# Answers: what they do is in the row of the ask's kind (`asks.kinds`).


def may_answer(s: Situation) -> Rejected | None:
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


def _shortest_hold(s: Situation) -> Policy:
    """The set in force with the shortest `hold` of all that bind the ask: a longer one counts after the delay of changes."""
    return replace(s.policy, hold=min(policy.hold for policy in (s.policy, *s.older(s.ask.opened_at))))


def _hold(s: Situation) -> Transition:
    over = answered_or_late(s.case, s.ask, s.now) if s.ask.kind == "finding" else None
    if over is not None:
        return refuse(s, over)
    return discussion.hold(s.case, _shortest_hold(s), s.click, s.profile, s.now, s.scale)


def _pass(s: Situation) -> Transition:
    return discussion.defer(s.case, s.policy, s.click, s.profile, s.presence, s.now)


def _here(s: Situation) -> Transition:
    return drill.here(s.case, s.policy, s.click, s.presence, s.now)


def _may_have_permit(s: Situation) -> Rejected | None:
    return permit.may_have(s.case, s.policy, s.click, s.now) or (permit.DOUBTED if s.doubted else None)


def _alone(judge: Callable[[Case, Policy, Click, datetime], _Result]) -> Callable[[Situation], _Result]:
    """What needs no authority: the requester, their leads, people who owe evidence. Nobody is looked up."""
    return lambda s: judge(s.case, s.policy, s.click, s.now)


def _authorised(judge: Callable[[Case, Policy, Click, Profile, datetime], Transition]) -> CarryOut:
    """What needs authority: the person who pressed is looked up."""
    return lambda s: judge(s.case, s.policy, s.click, s.profile, s.now)


def _asking(judge: Callable[[Case, Policy, Click, Presence, datetime], Transition]) -> CarryOut:
    """The requester wants people asked: under the set as it counts for a new request."""
    return lambda s: judge(s.case, s.asking, s.click, s.presence, s.now)


def _may_close(s: Situation) -> Rejected | None:
    return handling.may_be_closed(s.case, s.policy, s.click, s.profile, s.now)


def _may_ask(s: Situation) -> Rejected | None:
    """Of a finding, everybody with authority asks until it is closed; of a request while it is pending."""
    return discussion.may_take_part(s.case, s.policy, s.click, s.profile, s.now) if s.case.finding else may_answer(s)


_NO = frozenset({"flag", "reject", "withdraw_right"})
_ROWS = (
    Action("approve", _approve, may_answer, account=True),
    Action("less", None, may_answer, account=True),  # its form sends `approve`
    Action("deny", _answer, may_answer, account=True, takes_away=True),
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
    Action("was_not_me", _alone(host_filing.was_not_me)),
    Action("revoke", _authorised(grant_end.revoke), account=True, takes_away=True),
    Action("permit", None, _may_have_permit),  # shows it, once
    Action("extend", _asking(more_time.extend), _alone(extension.may_extend), presence=True),
    Action("renew", _asking(more_time.renew), _alone(renewal.may_renew), presence=True),
    Action("evidence", _alone(obligations.hand_in), _alone(obligations.may_hand_in)),
    Action("attest", _alone(obligations.hand_in), _alone(obligations.may_hand_in)),
    Action("verify", _alone(identity_proof.attest), _alone(identity_proof.may_attest)),
    Action("here", _here, presence=True),
    Action("acknowledge", _answer, may_answer, account=True),
    Action("close", _authorised(handling.close), _may_close, account=True),
    Action("share", _authorised(handling.share), account=True),
    Action("correct", _alone(handling.correct), _alone(handling.may_be_corrected)),
    *(
        Action(name, _answer, may_answer, account=True, takes_away=name in _NO)
        for name in ("accept", "flag", "ratify", "reject", "restore", "keep", "withdraw_right", "lift", "close_exception")
    ),
)
ACTIONS: Mapping[str, Action] = {row.name: row for row in _ROWS}
