"""Campaigns: how one opens, what an answer does, and what ends it.

- One message and one form for everything that one person reviews. An item is answered once; what is unused or flagged is kept
  with a reason only. **Keep these N** answers what is unchanged, unflagged and was answered singly within a year.
- The reviewer answers; their deputies once the message reached them because the reviewer was not there; the risk owner once
  asked, three working days before the end. Whoever alone approved something does not keep it. A provider's person never answers.
- A *Keep* after a silence lifts what the silence narrowed, and is announced. What somebody narrowed themselves stays so.
How the window runs: `campaign_window`. Source: governance-contract.md, section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.authority.authorization import Refused, may_record, suspended
from bot.domain.case.campaign import Answer, Asked, Campaign, CampaignChange, Consent, Effect, Item, ReviewRole
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.transition import FileDigest, Lane, LogEvent, Notification, Transition, Value
from bot.domain.decision_log import events, review_events
from bot.domain.governance.reviewed_rights import UnderReview, every, reviewer_of
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile, Ref

ITEMS_MAX = 60  # in one campaign; the rest comes in the next
MESSAGE, NOTICE = "campaign", "campaign_notice"
_AHEAD = 30 * 86_400  # seconds of policy time: what is due so soon is asked about together
_EFFECTS: dict[Answer, Effect] = {
    "keep": "kept", "narrow": "narrowed", "withdraw": "withdrawn", "silence": "narrowed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answered:
    """What somebody chose for one item, with the reason they wrote. `singly`: it was looked at by itself."""

    key: str
    answer: Literal["keep", "narrow", "withdraw"]
    reason: str = ""
    singly: bool = True


# Opening.


def due_of(found: Iterable[UnderReview], reviewer: Person, policy: Policy, now: datetime, scale: float) -> tuple[Item, ...]:
    """The items of a campaign that must open now, flagged ones first; none while nothing of this person's is due."""
    mine = [one for one in found if one.reviewer == reviewer and one.due is not None]
    if not any(one.due is not None and one.due <= now for one in mine):
        return ()
    soon = [one.item for one in mine if one.due is not None and one.due <= now + _ahead(policy, one.item, scale)]
    return tuple(sorted(soon, key=lambda item: (not item.flags, item.easy, item.domains, item.kind, item.of)))[:ITEMS_MAX]


def _ahead(policy: Policy, item: Item, scale: float) -> timedelta:
    return timedelta(seconds=min(_AHEAD, every(policy, item) // 4) / scale)


def opened(id_: str, reviewer: Person, items: Sequence[Item], policy: Policy, now: datetime) -> Transition:
    """A campaign begins: its reviewer gets the message."""
    rules = policy.review
    assert rules is not None
    campaign = Campaign(
        id_, reviewer, tuple(items), now, rules.window_days, rules.silence == "narrow", (Asked(reviewer, "owner", now),)
    )
    entry = review_events.opened(campaign, policy)
    return Transition(None, None, (entry,), (message_to(campaign, reviewer),), reviewed=CampaignChange(None, campaign))


def message_to(campaign: Campaign, person: Person, *, wanted: bool = False) -> Notification:
    """The campaign's one message to somebody; `wanted`: they asked for it, so it waits for no morning and no week."""
    return Notification(MESSAGE, Lane.CARD, campaign.id, to=person, data={"wanted": True} if wanted else {})


def notices(
    campaign: Campaign, policy: Policy, what: str, keys: Sequence[str], *, owner: bool = True
) -> Iterator[Notification]:
    """A sentence to the reviewer, the leads of the providers concerned, and the channels of the domains; `what` names it."""
    data = {"what": what, "items": tuple(keys)}
    found = [item for key in keys if (item := campaign.item(key)) is not None]
    domains = dict.fromkeys(domain for item in found for domain in item.domains)
    providers = {name for item in found for name in item.provider.split(", ")}
    people = [campaign.owner] if owner else []
    people += [lead for id_, one in policy.providers.items() if id_ in providers for lead in _leads(one.leads)]
    yield from (Notification(NOTICE, Lane.CARD, campaign.id, to=person, data=data) for person in dict.fromkeys(people))
    channels = dict.fromkeys(policy.domains[domain].channel for domain in domains if domain in policy.domains)
    yield from (Notification(NOTICE, Lane.CARD, campaign.id, channel=channel, data=data) for channel in channels)


def _leads(refs: Iterable[Ref]) -> Iterator[Person]:
    yield from (Person(min(ref.teams), ref.user) for ref in refs if ref.teams)


# Answers.


def answer(
    campaign: Campaign, policy: Policy, click: Click, answers: Sequence[Answered], profile: Profile, now: datetime
) -> Transition:
    """Somebody sent the form, or pressed **Keep these N**. All of it counts, or nothing and the answer gives the reason."""
    role, after, consents, entries, lifted = "", campaign, [], [], []
    for one in {one.key: one for one in answers}.values():
        judged = judge(campaign, policy, click.person, one, profile)
        if isinstance(judged, Rejected):
            return refuse(campaign, policy, click, judged)
        role, item = judged
        item = replace(item, answer=one.answer, by=click.person, at=now)
        behalf = campaign.owner if role == "deputies" else None
        entries.append(review_events.answered(campaign, item, policy, role, one.reason, behalf))
        lifted += [item.key] if item.answer == "keep" and _silent(campaign, item) else []
        consents += consents_of(campaign, item, now, own=True, singly=one.singly)
        after = with_item(after, item)
    if not entries:
        return refuse(campaign, policy, click, Rejected(Refusal.LOST, "review_answered", {}))
    after, closing = closed(after, policy, now)
    says = list(notices(after, policy, "kept_after_silence", lifted)) if lifted else []
    less = [one.key for one in answers if one.answer != "keep"]
    says += notices(after, policy, "answered", less, owner=click.person != campaign.owner) if less else ()
    says.append(told(campaign, click, "review_taken", {"items": len(entries), "left": len(after.unanswered)}))
    return Transition(
        None, None, (*entries, *closing), tuple(says), refresh=True,
        reviewed=CampaignChange(campaign, after, tuple(consents), widens=bool(lifted)),
    )  # fmt: skip


def judge(
    campaign: Campaign, policy: Policy, person: Person, chosen: Answered, profile: Profile
) -> tuple[ReviewRole, Item] | Rejected:
    """Whether this answer to one item would count, and in which role."""
    item = campaign.item(chosen.key)
    if item is None:
        return Rejected(Refusal.STALE, "review_unknown", {})
    allowed = may_record(policy, item.domains[0], person, profile)
    if isinstance(allowed, Refused):
        return Rejected(allowed.why, "plain", {"text": allowed.reason})
    role = role_in(campaign, item, policy, person)
    if role is None:
        return _no(policy, "This review is not yours to answer, or it has not reached you.")
    if chosen.answer == "keep":
        no = _not_kept(item, policy, person, chosen)
        if no is not None:
            return no
    taken = item.answer not in ("", "silence") or (item.answer == "silence" and chosen.answer != "keep")
    if taken or (campaign.state == "closed" and item.answer != "silence"):
        return Rejected(Refusal.LOST, "review_answered", {})
    return role, item


def role_in(campaign: Campaign, item: Item, policy: Policy, person: Person) -> ReviewRole | None:
    """In which role somebody answers an item now; None: not at all."""
    domain = policy.domains.get(item.domains[0])
    if domain is None:
        return None
    if person == reviewer_of(policy, item):
        return "owner"
    reached = campaign.role_of(person)
    if person in domain.deputies and reached == "deputies":
        return "deputies"
    if person == domain.owner and item.alone is not None:
        return "owner"  # they may still take away what they alone approved
    return "risk_owner" if person == domain.risk_owner and reached == "risk_owner" else None


def _not_kept(item: Item, policy: Policy, person: Person, chosen: Answered) -> Rejected | None:
    if item.alone is not None and policy.humans.same(item.alone, person):
        return _no(policy, "You alone approved or ratified this, so somebody else keeps it. You may narrow or withdraw it.")
    if any(suspended(policy, domain, person) is not None for domain in item.domains):
        return _no(policy, "Your authority here is suspended, so you keep nothing. You may narrow or withdraw.")
    if item.flags and not chosen.reason.strip():
        return Rejected(Refusal.STALE, "review_reason", {"title": item.title, "flags": ", ".join(item.flags)})
    return None if chosen.singly or item.easy else Rejected(Refusal.STALE, "review_singly", {"title": item.title})


def _silent(campaign: Campaign, item: Item) -> bool:
    before = campaign.item(item.key)
    return before is not None and before.answer == "silence"


def with_item(campaign: Campaign, item: Item) -> Campaign:
    """The campaign with `item` in the place of the one with its key."""
    return replace(campaign, items=tuple(item if one.key == item.key else one for one in campaign.items))


def consents_of(campaign: Campaign, item: Item, now: datetime, *, own: bool, singly: bool) -> list[Consent]:
    """What is known of the right from now on, in each of its domains."""
    return [
        Consent(
            item.kind, item.of, domain, item.row, item.sha256, _EFFECTS[item.answer], own, now, item.by,
            now if singly and item.answer == "keep" else None, campaign.id,
        )
        for domain in item.domains
    ]  # fmt: skip


def seen(campaign: Campaign, item: Item, now: datetime) -> list[Consent]:
    """A silence that keeps: the right is asked about again once its period has passed."""
    return [
        Consent(item.kind, item.of, domain, item.row, item.sha256, "seen", own=False, at=now, campaign=campaign.id)
        for domain in item.domains
    ]


def closed(campaign: Campaign, policy: Policy, now: datetime) -> tuple[Campaign, tuple[LogEvent, ...]]:
    """The campaign ends with its last answer, once; the log has the results."""
    if campaign.state == "closed" or campaign.unanswered:
        return campaign, ()
    return ended(campaign, policy, now)


def ended(campaign: Campaign, policy: Policy, now: datetime) -> tuple[Campaign, tuple[LogEvent, ...]]:
    """The campaign ends as it is."""
    after = replace(campaign, state="closed", closed_at=now)
    return after, (review_events.closed(after, policy),)


# Refusals.


def refuse(campaign: Campaign, policy: Policy, click: Click, no: Rejected) -> Transition:
    """Changes nothing, answers the person, writes one entry."""
    data: dict[str, Value] = {"action": click.action, "why": str(no.why), "id": campaign.id}
    set_ = FileDigest(policy.organisation, policy.digest)
    entry = LogEvent("decision.refused", events.actor(policy, click.person), data=data, policy=set_)
    return Transition(None, None, (entry,), (told(campaign, click, no.sentence, no.params),))


def told(campaign: Campaign, click: Click, sentence: str, params: dict[str, object]) -> Notification:
    """An answer to the person who pressed."""
    data = {"reply": click.reply, "sentence": sentence, **params}
    return Notification("answer", Lane.CARD, None, to=click.person, data=data)


def _no(policy: Policy, text: str) -> Rejected:
    return Rejected(Refusal.UNAUTHORISED, "plain", {"text": f"{text} Write to {policy.contact} if that is wrong."})
