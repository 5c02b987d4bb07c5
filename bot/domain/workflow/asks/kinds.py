"""THE TABLE: what differs between the kinds of asks. Everything else is the same for all of them (`engine`).

A new kind is one row here, its name in `case.ask.AskKind`, its pure functions in a module of this package, and its view.
Who is asked and when is the ask's own data: its frozen steps, `requires`, `need`, `expires_at`, `due_at` and `warn_at`, which
whoever opens the ask sets (`timing.steps`). Rules below this package read the sets of kinds next to `AskKind`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from bot.domain.case.ask import Ask, AskKind, Vote
from bot.domain.case.click import Click, Rejected
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy
from bot.domain.workflow.asks import (
    approval,
    closing_exception,
    drill,
    extension,
    finding,
    lift,
    ratification,
    renewal,
    restore,
    review,
    right,
)
from bot.domain.workflow.asks.closing import answered_or_late
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.providers import asking_rights

CarryOut: TypeAlias = Callable[[Case, Ask, Policy, Vote, Click, Sequence[Policy]], Effects | Rejected]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to an ask: whether it is a yes (`here`: it decides nothing), what it does, and the text that says it was given
    ("": its outcome says it).

    `carry_out` gets the case, the ask with the new vote in it, the policy, the vote, the click, and the earlier policy sets
    that still bind. `gives`: it opens, prolongs or restores something, so each of those sets must allow the vote, too.
    """

    vote: Literal["yes", "no", "here"]
    carry_out: CarryOut
    gives: bool = False
    said: str = ""


def _asked_for(case: Case, ask: Ask, click: Click) -> int:
    return min(click.seconds or ask.seconds, ask.seconds)


def _nothing_more(case: Case, ask: Ask, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    return None


def _as_they_are(effects: Effects, policy: Policy, now: datetime) -> Effects:
    return effects


@dataclass(frozen=True, slots=True)
class AskRules:
    """One row. Entry types are of decision-log.md; "": none is written.

    Judging an answer:
    - `answers`: by the button's action. `forms`: buttons that only open a form before one of them, judged alike.
    - `closed`: why the ask takes no answer at `now`; `hindered`: why this answer does not count although the ask is open.
    - `given`: the seconds of policy time that a yes gives.
    Stepping and silence:
    - `follows_shifts`: once it was put to on-call, a change of shift puts it to the next person.
    - `moves_on`: its next step fires at once when the owner is absent and nobody who was asked is there.
    - `begins`: the entry that its first step writes, where its opening wrote none.
    - `overdue`: the entry and the channel's line when `warn_at` passes; "": the silent are warned instead.
    - `warned`: what it does when `warn_at` passes, in the place of both.
    - `expired`: what its end without an answer does, where that is more than closing it. The last argument is the number of
      its cards that Slack accepted.
    - `asked_again`: it must be answered, so the same is asked again when it closes without an answer.
    - `after_steps`: what else follows the steps that fired.
    Said to people:
    - `called`: what it is called.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    forms: frozenset[str] = frozenset()
    closed: Callable[[Case, Ask, datetime], Rejected | None] = answered_or_late
    hindered: Callable[[Case, Ask, Policy, Click, datetime], Rejected | None] = _nothing_more
    given: Callable[[Case, Ask, Click], int] = _asked_for
    follows_shifts: bool = False
    moves_on: bool = False
    begins: str = ""
    overdue: str = ""
    warned: Callable[[Case, Ask, Policy, datetime], Effects] | None = None
    expired: Callable[[Case, Ask, Policy, datetime, int], Effects] | None = None
    asked_again: bool = False
    after_steps: Callable[[Effects, Policy, datetime], Effects] = _as_they_are
    called: str = "question"

    def said(self, vote: str) -> str:
        """The word for an answer that was given; "" where the outcome says it."""
        return next((answer.said for answer in self.answers.values() if answer.vote == vote), "")


KINDS: Mapping[AskKind, AskRules] = {
    "approval": AskRules(
        {"approve": Answer("yes", approval.approve, gives=True), "deny": Answer("no", approval.deny)},
        forms=frozenset({"less", "question"}), closed=approval.closed, hindered=approval.hindered, given=approval.given,
        follows_shifts=True, moves_on=True, expired=approval.expired, called="request",
    ),
    "drill": AskRules(expired=drill.expired, after_steps=drill.after_steps),  # answered by `drill.here`, which decides nothing
    "extension": AskRules(
        {
            "approve": Answer("yes", extension.prolong, gives=True, said="More time approved"),
            "deny": Answer("no", extension.deny, said="More time denied"),
        },
        hindered=asking_rights.hindered, called="extension",
    ),
    "renewal": AskRules(
        {
            "approve": Answer("yes", renewal.renew, gives=True, said="Renewed"),
            "deny": Answer("no", extension.deny, said="Renewal denied"),
        },
        called="renewal",
    ),
    "review": AskRules(
        {"accept": Answer("yes", review.accept, said="Accepted"), "flag": Answer("no", review.flag, said="Flagged")},
        overdue="review.overdue", called="review",
    ),
    "ratification": AskRules(
        {
            "ratify": Answer("yes", ratification.ratify, said="Ratified"),
            "reject": Answer("no", ratification.reject, said="Rejected"),
        },
        overdue="breakglass.unratified", called="ratification",
    ),
    "restore": AskRules(
        {"restore": Answer("yes", restore.restore, gives=True, said="Restored")},
        overdue="authority.overdue", asked_again=True, called="restoring of authority",
    ),
    "finding": AskRules(
        {"acknowledge": Answer("here", finding.acknowledge)},
        forms=frozenset({"question"}), follows_shifts=True, moves_on=True, warned=finding.unacknowledged, called="finding",
    ),
    "closing": AskRules(
        {"close_exception": Answer("yes", closing_exception.close, said="Closed")},
        overdue="exception.overdue", asked_again=True, called="exception of an ended contract",
    ),
    "lift": AskRules(  # it never expires: silence lifts nothing
        {"lift": Answer("yes", lift.lift, gives=True, said="Suspension lifted")}, called="suspension of a provider",
    ),
    "right": AskRules(
        {"keep": Answer("yes", right.keep, said="Kept"), "withdraw_right": Answer("no", right.withdraw, said="Withdrawn")},
        closed=right.not_due, begins="review.due", overdue="review.overdue", asked_again=True, called="review of a right",
    ),
}  # fmt: skip
