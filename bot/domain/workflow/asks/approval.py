"""The approval: the question whether the request may be executed, and every way in which it closes.

One no is final. The yeses are counted again at each (`quorum`): at the quorum the grant opens in the same act, with the
smallest time that any of them gave, or waits for its time (`cooling_off`). Withdrawing, a no on the host, and revoking what
waits to open close it without an answer to the ask. Design, section 4; rules 1, 2, 3 and 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.authority.authorization import strongest
from bot.domain.authority.policy_rollout import met_by_all
from bot.domain.authority.quorum import Count, count
from bot.domain.case.ask import Ask, Vote
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import move_ask, move_request
from bot.domain.case.model import NOBODY, Case, Grant
from bot.domain.case.transition import OPERATOR, LogEvent, Transition, Value
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.timing import cooling_off, end_dates
from bot.domain.workflow import notifications, refusals
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.providers import asking_rights
from bot.domain.workflow.refusals import refuse


def closed(case: Case, ask: Ask, now: datetime) -> Rejected | None:
    """Why the request takes no answer at `now`; None while it is open."""
    return refusals.closed(case, now)


def hindered(case: Case, ask: Ask, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """No yes is possible before every method of the subject's verification is attested, and none for a requester who may not ask any
    more; None: it is."""
    gone = asking_rights.hindered(case, ask, policy, click, now)
    if gone is not None or click.action not in ("approve", "less") or not case.unverified():
        return gone
    missing: list[Value] = [*case.unverified()]
    return Rejected(Refusal.STALE, "unverified", {"missing": missing, "requester": str(case.request.requester)})


def given(case: Case, ask: Ask, click: Click) -> int:
    """Seconds of policy that this yes gives: never more than was asked for."""
    if case.dated:
        return end_dates.given(case, click.until, click.seconds)
    return min(click.seconds or case.request.seconds, case.request.seconds)


def approve(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects | Rejected:
    """One person's yes; at the quorum the grant opens."""
    if case.dated and end_dates.until(case, vote.seconds) <= vote.at:
        return refusals.no(Refusal.STALE, "That day is over. Choose a later one, or approve all of it.")
    tally = count(case, ask, policy)
    if not (tally.met and met_by_all(older, case, ask)):
        return _counted(case, policy, ask, vote, tally)
    opens_at = cooling_off.until(case, vote.at)
    if opens_at is not None:
        told = () if cooling_off.waits(case) else (notifications.to_requester("cooling", case),)
        return replace(_counted(case, policy, replace(ask, opens_at=opens_at), vote, tally), says=told)
    grant = _grant(case, tally, vote.at)
    if grant.not_after <= vote.at:
        return refusals.no(Refusal.LATE, "The end that somebody gave has passed; nothing can open until it.")
    after = cooling_off.opened(case.with_approval(ask), grant, click.person)
    drafts = (
        events.approved(after, policy, vote, tally),
        *grant_events.grant_opened(after, policy, click.person, grant),
    )
    return Effects(after, drafts, notifications.outcome(after, policy))


def deny(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """One person's no, with a reason: final."""
    who = events.actor(policy, click.person)
    draft = events.denied(case, policy, who, vote.role, click.reason, vote.on_behalf_of)
    return _denied(case, policy, vote.at, click.person, ask, draft, click.reason)


def expired(case: Case, ask: Ask, policy: Policy, now: datetime, delivered: int, reason: str = "") -> Effects:
    """The request expires. `delivered`: how many of the cards Slack accepted. `reason`: why before its time, where nobody
    was too late with an answer."""
    request = replace(case.request, state=move_request(case.request.state, "expire"), closed_at=now)
    closed_ask = replace(ask, state=move_ask(ask.state, "expire"), opens_at=None)
    after = replace(case, request=request).with_approval(closed_ask.because("revocation", NOBODY, now, reason))
    draft = events.expired(after, policy, delivered, now - ask.expires_at, reason)
    return Effects(after, (draft,), notifications.outcome(after, policy, reason))


def stopped(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """Somebody named in the domain revokes what waits to be opened: a no, whether or not the question reached them."""
    who, domain = events.actor(policy, click.person), policy.domains[case.request.domain]
    vote = Vote(click.person, "no", strongest(domain, click.person), now, 0)
    draft = events.denied(case, policy, who, vote.role, click.reason or "Revoked before it opened", None)
    votes = (*(v for v in case.approval.votes if v.person != click.person), vote)
    ask = replace(case.approval, votes=votes)
    return _final(case, _denied(case, policy, now, click.person, ask, draft, click.reason))


def deny_on_host(case: Case, policy: Policy, reason: str, now: datetime) -> Transition | Rejected:
    """A denial on the host while Slack is down. Nobody can approve there."""
    no = refusals.closed(case, now)
    if no is not None:
        return no
    draft = events.denied(case, policy, OPERATOR, None, reason, None)
    return _final(case, _denied(case, policy, now, None, case.approval, draft, reason))


def withdraw(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """The requester, or a lead of their provider, takes the request back."""
    provider = policy.providers.get(case.request.provider)
    theirs = click.person == case.request.requester or (provider is not None and provider.leads_include(click.person))
    if not theirs:
        text = (
            f"Only the requester or a lead of their provider can withdraw it. Write to {policy.contact} if that is wrong."
        )
        return refuse(case, policy, click, refusals.no(Refusal.UNAUTHORISED, text))
    no = refusals.closed(case, now)
    if no is not None:
        return refuse(case, policy, click, no)
    request = replace(
        case.request, state=move_request(case.request.state, "withdraw"), closed_at=now, closed_by=click.person
    )
    ask = replace(case.approval, state=move_ask(case.approval.state, "no"), opens_at=None)
    after = replace(case, request=request).with_approval(ask)
    drafts = (events.withdrawn(after, policy, click.person),)
    return _final(case, Effects(after, drafts, notifications.outcome(after, policy)))


def _final(case: Case, effects: Effects) -> Transition:
    """The request is closed without a grant: nothing is due on it any more."""
    expires_at = case.approval.expires_at
    return Transition(case, effects.case, effects.drafts, effects.says, None, expires_at, refresh=True)


def _denied(
    case: Case, policy: Policy, now: datetime, person: Person | None, ask: Ask, draft: LogEvent, reason: str
) -> Effects:
    request = replace(case.request, state=move_request(case.request.state, "deny"), closed_at=now, closed_by=person)
    ask = ask.because("denial", person or NOBODY, now, reason)
    after = replace(case, request=request).with_approval(replace(ask, state=move_ask(ask.state, "no"), opens_at=None))
    return Effects(after, (draft,), notifications.outcome(after, policy, reason))


def _counted(case: Case, policy: Policy, ask: Ask, vote: Vote, tally: Count) -> Effects:
    """The yes counts, and nothing opens yet."""
    after = case.with_approval(ask)
    return Effects(after, (events.approved(after, policy, vote, tally),))


def _grant(case: Case, tally: Count, now: datetime) -> Grant:
    if case.dated:
        return end_dates.grant(case, min(tally.seconds, case.request.seconds), now)
    return cooling_off.grant(case, tally, now)
