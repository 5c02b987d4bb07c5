"""What a click does. Judged purely; carried out once.

A decision counts iff it is allowed (`rights`), on the question as it now stands, and `now < expires_at`: whether or not
any timer ran. One no is final; the yeses are counted again at each (`quorum`). Every click that does not count changes
nothing, is answered with the reason, and leaves exactly one `decision.refused` (design, section 4; rules 1, 2, 3 and 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.authority.authorization import Allowed, Refused, may_decide, strongest
from bot.domain.authority.policy_rollout import allowed_by_all, met_by_all
from bot.domain.authority.quorum import Count, count
from bot.domain.case.ask import Ask, Vote
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import move_ask, move_request
from bot.domain.case.model import Case, Grant
from bot.domain.case.transition import OPERATOR, LogEvent, Transition, epoch_ms
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile
from bot.domain.timing import cooling_off, end_dates
from bot.domain.workflow import notifications
from bot.domain.workflow.refusals import closed, refuse
from bot.domain.workflow.timers import wake_at


def approve(
    case: Case, policy: Policy, click: Click, profile: Profile, now: datetime, scale: float, older: Sequence[Policy] = ()
) -> Transition:
    """One person's yes; at the quorum the grant opens in the same act, with the smallest time given.

    `older`: earlier sets that must allow the yes too (`motion`).
    """
    judged = judge(case, policy, click, profile, now)
    if isinstance(judged, Allowed) and not allowed_by_all(older, case, case.approval, click.person, profile):
        judged = Rejected(Refusal.UNAUTHORISED, "too_new", {})
    given = _given(case, click)
    if isinstance(judged, Allowed) and case.dated and end_dates.until(case, given) <= now:
        judged = Rejected(Refusal.STALE, "plain", {"text": "That day is over. Choose a later one, or approve all of it."})
    if isinstance(judged, Rejected):
        return refuse(case, policy, click, judged)
    vote = Vote(click.person, "yes", judged.roles[0], now, given, judged.on_behalf_of)
    ask = replace(case.approval, votes=(*case.approval.votes, vote))
    tally = count(case, ask, policy)
    if not (tally.met and met_by_all(older, case, ask)):
        return _more_wanted(case, policy, ask, vote, tally)
    opens_at = cooling_off.until(case, now)
    if opens_at is not None:
        return _cooling_off(case, policy, replace(ask, opens_at=opens_at), vote, tally)
    grant = _grant(case, tally, now, scale)
    if grant.not_after <= now:
        over = Rejected(
            Refusal.LATE, "plain", {"text": "The end that somebody gave has passed; nothing can open until it."}
        )
        return refuse(case, policy, click, over)
    after = cooling_off.opened(case.with_approval(ask), grant, click.person)
    drafts = (
        events.approved(after, policy, vote, tally),
        *grant_events.grant_opened(after, policy, click.person, grant),
    )
    return Transition(
        case,
        after,
        drafts,
        notifications.outcome(after, policy),
        wake_at(after, policy, now),
        case.approval.expires_at,
        refresh=True,
    )


def deny(case: Case, policy: Policy, click: Click, profile: Profile, now: datetime) -> Transition:
    """One person's no, with a reason: final."""
    judged = judge(case, policy, click, profile, now)
    if isinstance(judged, Rejected):
        return refuse(case, policy, click, judged)
    vote = Vote(click.person, "no", judged.roles[0], now, 0, judged.on_behalf_of)
    who = events.actor(policy, click.person)
    drafts = (events.denied(case, policy, who, vote.role, click.reason, judged.on_behalf_of),)
    votes = (*(v for v in case.approval.votes if v.person != click.person), vote)
    return _closed_by_no(case, policy, now, click.person, replace(case.approval, votes=votes), drafts, click.reason)


def stopped(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """Somebody named in the domain revokes what waits to be opened: a no, whether or not the question reached them."""
    who, domain = events.actor(policy, click.person), policy.domains[case.request.domain]
    vote = Vote(click.person, "no", strongest(domain, click.person), now, 0)
    drafts = (events.denied(case, policy, who, vote.role, click.reason or "Revoked before it opened", None),)
    votes = (*(v for v in case.approval.votes if v.person != click.person), vote)
    return _closed_by_no(case, policy, now, click.person, replace(case.approval, votes=votes), drafts, click.reason)


def deny_on_host(case: Case, policy: Policy, reason: str, now: datetime) -> Transition | Rejected:
    """Somebody on the host says no while Slack is down. Nobody can approve there."""
    no = closed(case, now)
    if no is not None:
        return no
    drafts = (events.denied(case, policy, OPERATOR, None, reason, None),)
    return _closed_by_no(case, policy, now, None, case.approval, drafts, reason)


def withdraw(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """The requester, or a lead of their provider, takes the request back."""
    provider = policy.providers.get(case.request.provider)
    theirs = click.person == case.request.requester or (provider is not None and provider.leads_include(click.person))
    if not theirs:
        text = f"Only the requester or a lead of their provider withdraws it. Write to {policy.contact} if that is wrong."
        return refuse(case, policy, click, Rejected(Refusal.UNAUTHORISED, "plain", {"text": text}))
    no = closed(case, now)
    if no is not None:
        return refuse(case, policy, click, no)
    request = replace(
        case.request, state=move_request(case.request.state, "withdraw"), closed_at=now, closed_by=click.person
    )
    ask = replace(case.approval, state=move_ask(case.approval.state, "no"), opens_at=None)
    after = replace(case, request=request).with_approval(ask)
    drafts = (events.withdrawn(after, policy, click.person),)
    return Transition(
        case, after, drafts, notifications.outcome(after, policy), None, case.approval.expires_at, refresh=True
    )


def judge(case: Case, policy: Policy, click: Click, profile: Profile, now: datetime) -> Allowed | Rejected:
    """Whether this click would count at `now`."""
    allowed = may_decide(case, case.approval, policy, click.person, profile)
    if isinstance(allowed, Refused):
        return Rejected(allowed.why, "plain", {"text": allowed.reason})
    no = closed(case, now)
    if no is not None:
        return no
    if click.version != case.approval.version:
        return Rejected(Refusal.STALE, "stale", {})
    earlier = case.approval.vote_of(click.person)
    if earlier is not None and click.action == "approve":
        tally = count(case, case.approval, policy)
        params: dict[str, object] = {"at": epoch_ms(earlier.at), "have": tally.have, "need": tally.need}
        return Rejected(Refusal.LOST, "repeat_yes", params)
    if click.action in ("approve", "less") and case.unverified():
        return Rejected(Refusal.STALE, "unverified", {"missing": list(case.unverified())})
    return allowed


def _closed_by_no(
    case: Case, policy: Policy, now: datetime, person: Person | None, ask: Ask, drafts: tuple[LogEvent, ...], reason: str
) -> Transition:
    request = replace(case.request, state=move_request(case.request.state, "deny"), closed_at=now, closed_by=person)
    after = replace(case, request=request).with_approval(replace(ask, state=move_ask(ask.state, "no"), opens_at=None))
    says = notifications.outcome(after, policy, reason)
    return Transition(case, after, drafts, says, None, case.approval.expires_at, refresh=True)


def _more_wanted(case: Case, policy: Policy, ask: Ask, vote: Vote, tally: Count) -> Transition:
    after = case.with_approval(ask)
    drafts = (events.approved(after, policy, vote, tally),)
    return Transition(case, after, drafts, (), wake_at(after, policy, vote.at), case.approval.expires_at, refresh=True)


def _cooling_off(case: Case, policy: Policy, ask: Ask, vote: Vote, tally: Count) -> Transition:
    """The quorum is met, and nothing opens yet; the requester hears when it will."""
    told = () if cooling_off.waits(case) else (notifications.to_requester("cooling", case),)
    return replace(_more_wanted(case, policy, ask, vote, tally), says=told)


def _given(case: Case, click: Click) -> int:
    """Seconds of policy that this yes gives: never more than was asked for."""
    if case.dated:
        return end_dates.given(case, click.until, click.seconds)
    return min(click.seconds or case.request.seconds, case.request.seconds)


def _grant(case: Case, tally: Count, now: datetime, scale: float) -> Grant:
    seconds = min(tally.seconds, case.request.seconds)
    if case.dated:
        return end_dates.grant(case, seconds, now)
    return Grant(seconds, now, now + timedelta(seconds=seconds / scale))
