"""The asks that follow the yes, driven by the one engine: ratification, review, extension, renewal. A new kind is a row of `KINDS`.

- A review is open for two windows: at the end of the first it is *overdue*, which stands in the log and brings the risk
  owner. Silence never passes it.
- An extension is a new approval by the runbook's own ladder and quorum. It may only give less than asked, all time together
  stays within `max_duration`, and it ends with the grant. A no to it leaves the grant as it is.
An answer counts like any decision: from somebody with authority, on an open ask, before it closes (`rights`; rules 1, 2, 3,
7 and 9 of section 5). Design, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.authority.authorization import Allowed, Refused, may_decide
from bot.domain.authority.policy_rollout import allowed_by_all, met_by_all
from bot.domain.authority.quorum import count
from bot.domain.case.ask import Ask, AskKind, Remark, Vote
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import AskState, GrantState, move_ask
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition, epoch_ms
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Profile
from bot.domain.timing.escalation import Presence, advance
from bot.domain.timing.steps import deadline, freeze
from bot.domain.workflow import break_glass, filing_form, notifications, renewal, suspensions
from bot.domain.workflow.follow_up import LONGER, Effects
from bot.domain.workflow.refusals import refuse
from bot.domain.workflow.timers import later_stepped, wake_at

Answer = Callable[[Case, Ask, Policy, Vote, Click, Sequence[Policy]], Effects]


def answer(
    case: Case, ask: Ask, policy: Policy, click: Click, profile: Profile, now: datetime, older: Sequence[Policy] = ()
) -> Transition:
    """Somebody's answer to an ask after the yes. `older`: earlier sets that must allow a yes that gives, too."""
    judged = judge(case, ask, policy, click, profile, now)
    gives = isinstance(judged, Allowed) and click.action in ("approve", "restore")
    if gives and not allowed_by_all(older, case, ask, click.person, profile):
        judged = Rejected(Refusal.UNAUTHORISED, "too_new", {})
    if isinstance(judged, Allowed) and ask.kind == "renewal" and click.action == "approve":
        judged = renewal.outlived(case, ask, policy, now) or judged
    if isinstance(judged, Rejected):
        return refuse(case, policy, click, judged)
    yes = click.action in _YES
    given = min(click.seconds or ask.seconds, ask.seconds)
    vote = Vote(click.person, "yes" if yes else "no", judged.roles[0], now, given if yes else 0, judged.on_behalf_of)
    voted = replace(ask, votes=(*(v for v in ask.votes if v.person != click.person), vote))
    chore = KINDS[ask.kind][click.action](case, voted, policy, vote, click, older)
    return Transition(
        case, chore.case, chore.drafts, chore.says, wake_at(chore.case, policy, now), valid_before(case, ask), refresh=True
    )


def judge(case: Case, ask: Ask, policy: Policy, click: Click, profile: Profile, now: datetime) -> Allowed | Rejected:
    """Whether this answer would count at `now`."""
    allowed = may_decide(case, ask, policy, click.person, profile)
    if isinstance(allowed, Refused):
        return Rejected(allowed.why, "plain", {"text": allowed.reason})
    if click.action not in KINDS.get(ask.kind, {}):
        return Rejected(Refusal.STALE, "stale", {})
    if ask.kind == "right" and ask.steps[0].state == "waiting":
        return _no(
            Refusal.STALE, "The review of this right is not due yet, so there is nothing to answer. Nothing was changed."
        )
    if ask.state is AskState.OPEN and now < valid_before(case, ask):
        earlier = ask.vote_of(click.person)
        if earlier is not None and earlier.answer == "yes" and click.action == "approve":
            tally = count(case, ask, policy)
            params: dict[str, object] = {"at": epoch_ms(earlier.at), "have": tally.have, "need": tally.need}
            return Rejected(Refusal.LOST, "repeat_yes", params)
        return allowed
    if ask.state in (AskState.YES, AskState.NO):
        last = ask.votes[-1]
        return Rejected(Refusal.LOST, "answered_already", {"by": str(last.person), "at": epoch_ms(last.at)})
    return Rejected(Refusal.LATE, "closed_already", {"at": epoch_ms(valid_before(case, ask))})


def valid_before(case: Case, ask: Ask) -> datetime:
    """Until when an answer counts; an extension's or renewal's also only while the grant lasts."""
    if ask.kind in LONGER and case.grant is not None:
        return min(ask.expires_at, case.grant.not_after)
    return ask.expires_at


def extend(case: Case, policy: Policy, click: Click, presence: Presence, now: datetime) -> Transition:
    """The requester asks for `click.seconds` more."""
    no = may_extend(case, policy, click, now)
    if no is not None:
        return refuse(case, policy, click, no)
    runbook, grant = policy.runbooks[case.request.runbook], case.grant
    assert grant is not None
    ladder = policy.escalation_policies[runbook.escalation or ""]
    scale = case.request.terms.scale
    ask = Ask(
        "extension", max(a.version for a in case.asks) + 1, max(runbook.approvals, case.approval.need), runbook.requires, now,
        min(deadline(ladder, now, scale), grant.not_after), steps=freeze(runbook, ladder, now, scale, wide=False),
        seconds=click.seconds,
    )  # fmt: skip
    asked = case.with_ask(ask)
    who = events.actor(policy, click.person)
    draft = events.due(asked, policy, "extension.asked", who, None, seconds=click.seconds)
    chore = Effects(asked, (draft,)).then(later_stepped(asked, policy, advance(asked, ask, policy, presence, now)))
    return Transition(
        case, chore.case, chore.drafts, chore.says, wake_at(chore.case, policy, now), grant.not_after, refresh=True
    )


def may_extend(case: Case, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """Why more time cannot be asked for; None if it can. `click.seconds` 0: nothing was chosen yet."""
    grant, runbook = case.grant, policy.runbooks.get(case.request.runbook)
    if not policy.humans.same(click.person, case.request.requester):
        return _no(Refusal.UNAUTHORISED, f"Only the requester asks for more time. Write to {policy.contact}.")
    if grant is None or grant.state is not GrantState.OPEN or now >= grant.not_after:
        return _no(Refusal.LATE, "The approval has ended, so it cannot be extended. Ask again.")
    if runbook is None or runbook.escalation not in policy.escalation_policies:
        return _no(Refusal.STALE, "The policy has no such runbook any more. Ask again under another one.")
    if filing_form.not_asked_by(policy, runbook, click.person, now.date()):
        return _no(Refusal.UNAUTHORISED, f"Your provider may not ask for this any more. Write to {policy.contact}.")
    if any(a.kind == "extension" and a.state is AskState.OPEN for a in case.later):
        return _no(Refusal.LOST, "More time is already asked for. The people asked have it.")
    if not click.seconds <= room(case):
        return _no(Refusal.STALE, "Together that would be more than the runbook's maximum. Choose less.")
    if room(case) <= 0:
        return _no(Refusal.STALE, "The runbook's maximum is used up. Ask again for new access.")
    return None


def room(case: Case) -> int:
    """How many seconds of policy time an extension may still add; nothing to what ends on a date, for that is renewed."""
    return 0 if case.grant is None or case.dated else case.request.terms.max_duration - case.grant.seconds


def _accept(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    return _reviewed(case, ask, policy, vote, click, "yes", "review.passed")


def _flag(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    return _reviewed(case, ask, policy, vote, click, "no", "review.flagged")


def _reviewed(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, move: str, type_: str) -> Effects:
    notes = (*ask.notes, Remark("review", click.person, vote.at, click.reason)) if click.reason else ask.notes
    after = case.with_ask(replace(ask, state=move_ask(ask.state, move), notes=notes))
    draft = events.answered(after, policy, type_, vote, click.reason)
    return Effects(after, (draft,), notifications.channel_line(after, policy, type_))


def _longer(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    tally, grant = count(case, ask, policy), case.grant
    assert grant is not None
    if not (tally.met and met_by_all(older, case, ask)):
        after = case.with_ask(ask)
        return Effects(after, grant_events.extended(after, policy, vote, tally, None))
    more = min(tally.seconds, room(case))
    longer = replace(
        grant, seconds=grant.seconds + more, not_after=grant.not_after + case.request.terms.real(more), warned=False
    )
    after = replace(case, grant=longer).with_ask(replace(ask, state=move_ask(ask.state, "yes")))
    said = notifications.to_requester("extension", after, version=ask.version)
    return Effects(after, grant_events.extended(after, policy, vote, tally, longer), (said,))


def _not_longer(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    after = case.with_ask(replace(ask, state=move_ask(ask.state, "no")))
    draft = events.answered(after, policy, "extension.denied", vote, click.reason)
    said = notifications.to_requester("extension", after, version=ask.version, reason=click.reason)
    return Effects(after, (draft,), (said,))


def _no(why: Refusal, text: str) -> Rejected:
    return Rejected(why, "plain", {"text": text})


_YES = frozenset({"approve", "accept", "ratify", "restore", "keep"})
KINDS: Mapping[AskKind, Mapping[str, Answer]] = {
    "review": {"accept": _accept, "flag": _flag},
    "extension": {"approve": _longer, "deny": _not_longer},
    "renewal": {"approve": renewal.renewed, "deny": renewal.not_renewed},
    "ratification": {"ratify": break_glass.ratify, "reject": break_glass.reject},
    "restore": {"restore": suspensions.restore},
    "right": {"keep": suspensions.keep, "withdraw_right": suspensions.withdraw},
}
