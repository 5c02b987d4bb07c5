"""The roster: a provider's lead says who of the people who may ask are still theirs, before their owner reviews them.

- Each lead is asked once a campaign about their people whom nobody has attested since the period began; an attestation counts for
  every open campaign, and for later ones until its date.
- It gives nothing and takes nothing away. Who is not theirs any more is flagged, so that the owner keeps them with a reason only.
Source: governance-contract.md, section 2; decision-log.md, `roster.attested`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain.case.campaign import Campaign, CampaignChange, Item
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.decision_log import review_events
from bot.domain.governance.campaigns import refuse, told, with_item
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person

MESSAGE = "roster"
LEFT = "no longer theirs"  # the flag of somebody who has left, as their lead says


def leads_of(policy: Policy, provider_id: str) -> Iterator[Person]:
    """A provider's leads, by their home account where they have one."""
    provider = policy.providers.get(provider_id)
    for ref in provider.leads if provider is not None else ():
        yield Person(min(ref.teams & frozenset(policy.workspaces) or ref.teams), ref.user)


def to_attest(campaign: Campaign, policy: Policy, lead: Person) -> list[Item]:
    """The people of this lead's provider who are not attested yet."""
    return [item for item in unspoken(campaign) if lead in leads_of(policy, item.provider)]


def unspoken(campaign: Campaign) -> list[Item]:
    """The people no lead has attested."""
    return [item for item in campaign.unanswered if item.kind == "person" and item.attested is None]


def leads_to_ask(campaign: Campaign, policy: Policy) -> tuple[Person, ...]:
    """The leads of people who are not attested, who were not asked yet."""
    asked = {one.person for one in campaign.asked if one.role == "lead"}
    providers = dict.fromkeys(item.provider for item in unspoken(campaign))
    return tuple(dict.fromkeys(lead for id_ in providers for lead in leads_of(policy, id_) if lead not in asked))


def message_to(campaign: Campaign, lead: Person) -> Notification:
    """The message that asks a lead about their people."""
    return Notification(MESSAGE, Lane.CARD, campaign.id, to=lead)


def known_of(campaigns: Iterable[Campaign]) -> dict[str, Item]:
    """By key, the people a lead has attested, each with the newest answer."""
    found: dict[str, Item] = {}
    spoken = [(item.attested, item) for campaign in campaigns for item in campaign.items if item.attested is not None]
    for _, item in sorted(spoken, key=lambda one: one[0]):
        found[item.key] = item
    return found


def with_known(campaign: Campaign, known: Mapping[str, Item]) -> Campaign:
    """The campaign with the attestations of the same people elsewhere."""
    for item in campaign.unanswered:
        word = known.get(item.key)
        if word is not None and word.attested is not None and item.attested is None:
            campaign = with_item(campaign, _spoken(item, word.attested, left=LEFT in word.flags))
    return campaign


def attest(
    campaign: Campaign, policy: Policy, click: Click, words: Mapping[str, bool], now: datetime, until: datetime
) -> Transition:
    """A lead said of each person (by key) whether they are still theirs. All of it counts, or nothing."""
    mine = {item.key: item for item in to_attest(campaign, policy, click.person)}
    if not words or not words.keys() <= mine.keys():
        mine_ever = any(click.person in leads_of(policy, i.provider) for i in campaign.items if i.kind == "person")
        why = Refusal.LOST if mine_ever else Refusal.UNAUTHORISED
        return refuse(campaign, policy, click, Rejected(why, "review_answered" if mine_ever else "review_not_yours", {}))
    after = campaign
    for key, stays in words.items():
        after = with_item(after, _spoken(mine[key], now, left=not stays))
    provider = next(iter(mine.values())).provider
    stay, gone = ([mine[k].of for k, stays in words.items() if stays is wanted] for wanted in (True, False))
    entry = review_events.attested(campaign.id, policy, click.person, provider, stay, gone, until)
    says = (told(campaign, click, "roster_taken", {"people": len(words), "left": len(gone)}),)
    return Transition(None, None, (entry,), says, refresh=True, reviewed=CampaignChange(campaign, after))


def _spoken(item: Item, at: datetime, *, left: bool) -> Item:
    return replace(item, attested=at, flags=(LEFT, *item.flags) if left else item.flags, easy=item.easy and not left)
