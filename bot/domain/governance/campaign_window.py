"""How a campaign's window runs, and what falls at its end.

- *Whose silence?* Only that of somebody reached. A working day counts when the bot ran in its working time, Slack had accepted
  the message, and the reviewer or a deputy to whom it went was neither away nor gone at any look of that day. A doubted clock and a
  stopped log spoil the day too, so they pause the window.
- Half-way the reviewer is reminded, unless they got another governance message that week. Three days before the end the risk
  owner is asked. A new owner begins with a full window. Who got a governance message within a week is asked a week after it; no
  day counts while a new owner or the risk owner is still to be asked for that reason.
- After the last whole day, in working time, everybody concerned is notified of what will fall. It falls at 10:00 of a working day of the domain, a day later at
  the earliest, item by item, and waits while an emergency of that domain is pending or open.
- Silence never widens, and open grants continue: what is narrowed counts at the next filing.
Source: governance-contract.md, section 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.case.campaign import Asked, Campaign, CampaignChange, Consent, Item, ReviewRole
from bot.domain.case.transition import Lane, LogEvent, Notification, Transition
from bot.domain.decision_log import review_events
from bot.domain.governance import roster, working_days
from bot.domain.governance.campaigns import consents_of, ended, message_to, notices, seen, with_item
from bot.domain.governance.reviewed_rights import reviewer_of
from bot.domain.policy.model import Domain, Policy
from bot.domain.policy.people import Person

RISK_OWNER_BEFORE = 3  # working days before the end


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a campaign found. `away`: who is away, `gone`: whose account is; `accepted`: whose message Slack took;
    `urgent`: domains with an emergency that is pending or open; `spoiled`: the clock is doubted or the log is stopped;
    `busy`: who got a governance message within a week; `spoken`: people a lead has attested, by the key of their item."""

    now: datetime
    scale: float
    away: frozenset[Person] = frozenset()
    gone: frozenset[Person] = frozenset()
    accepted: frozenset[Person] = frozenset()
    urgent: frozenset[str] = frozenset()
    spoiled: bool = False
    busy: frozenset[Person] = frozenset()
    spoken: Mapping[str, Item] = field(default_factory=dict)

    def here(self, person: Person) -> bool:
        return person not in self.away and person not in self.gone


def turn(campaign: Campaign, policy: Policy) -> tuple[datetime, int]:
    """What campaigns are looked at by: the oldest first, then in the policy's order of domains. A risk owner who is asked once a week
    is thereby asked about what has waited longest."""
    places = {id_: place for place, id_ in enumerate(policy.domains)}
    return campaign.opened_at, min((places.get(id_, len(places)) for id_ in campaign.domains), default=len(places))


def advance(campaign: Campaign, policy: Policy, look: Look) -> Transition | None:
    """What is due on an open campaign; None: nothing changes."""
    if campaign.state == "closed":
        return None
    after, says = campaign, list[Notification]()
    joining = list(_joining(campaign, policy, look))
    for person, role in joining:
        if person not in look.busy:
            after = _asked(after, person, role, look)
            says.append(message_to(after, person))
    waits = any(person in look.busy and role != "deputies" for person, role in joining)
    after = _with_leads(after, policy, look, says)
    after = _counted(after, policy, replace(look, spoiled=look.spoiled or waits))
    if not after.reminded and 2 * after.counted >= after.window and after.counted < after.window:
        after = replace(after, reminded=True)
        if after.owner not in look.busy:
            says.append(_reminder(after))
    entries, consents = list[LogEvent](), list[Consent]()
    if after.counted >= after.window:
        after, fallen = _over(after, policy, look, says)
        entries, consents = fallen
    if after == campaign:
        return None
    return Transition(
        None, None, tuple(entries), tuple(says), reviewed=CampaignChange(campaign, after, tuple(consents)),
        refresh=bool(entries) or after.asked != campaign.asked or after.items != campaign.items,
    )  # fmt: skip


# Who is asked.


def _joining(campaign: Campaign, policy: Policy, look: Look) -> Iterator[tuple[Person, ReviewRole]]:
    """The new recipients of the message, each once."""
    have = {asked.person for asked in campaign.asked}
    for item in campaign.unanswered:
        for person, role in _for_item(campaign, item, policy, look):
            if person not in have and policy.provider_of(person) is None:
                have.add(person)
                yield person, role


def _for_item(campaign: Campaign, item: Item, policy: Policy, look: Look) -> Iterator[tuple[Person, ReviewRole]]:
    reviewer, domain = reviewer_of(policy, item), policy.domains.get(item.domains[0])
    if reviewer is None or domain is None:
        return
    yield reviewer, "owner"
    deputies = () if reviewer != domain.owner else domain.deputies
    if not look.here(reviewer):
        yield from ((deputy, "deputies") for deputy in deputies if look.here(deputy))
    nobody = reviewer in look.gone and all(deputy in look.gone for deputy in deputies)
    if domain.risk_owner is not None and (nobody or campaign.counted >= max(campaign.window - RISK_OWNER_BEFORE, 0)):
        yield domain.risk_owner, "risk_owner"


def _asked(campaign: Campaign, person: Person, role: ReviewRole, look: Look) -> Campaign:
    """Another person is asked; a person who takes over as reviewer begins with a full window."""
    asked = (*campaign.asked, Asked(person, role, look.now))
    if role != "owner":
        return replace(campaign, asked=asked)
    return replace(
        campaign, asked=asked, owner=person, counted=0, day=0, day_counts=False, reminded=False, previewed_at=None
    )


def _with_leads(campaign: Campaign, policy: Policy, look: Look, says: list[Notification]) -> Campaign:
    """The leads' attestations of the people under review, and the leads who are asked about theirs now."""
    after = roster.with_known(campaign, look.spoken)
    for lead in roster.leads_to_ask(after, policy):
        if lead not in look.busy:
            after = replace(after, asked=(*after.asked, Asked(lead, "lead", look.now)))
            says.append(roster.message_to(after, lead))
    return after


def _reminder(campaign: Campaign) -> Notification:
    return Notification("campaign_reminder", Lane.REMINDER, campaign.id, to=campaign.owner)


# Which days count.


def _counted(campaign: Campaign, policy: Policy, look: Look) -> Campaign:
    """The day of this look, and the one before where it is over."""
    hours = working_days.hours_of(_first_domain(campaign, policy))
    today = working_days.number(look.now, hours, look.scale)
    if campaign.day and campaign.day != today:
        more = 1 if campaign.day_counts else 0
        campaign = replace(campaign, counted=min(campaign.counted + more, campaign.window), day=0, day_counts=False)
    if not working_days.works(look.now, hours, look.scale):
        return campaign
    good = _reached(campaign, look) and not look.spoiled
    if campaign.day == 0:
        return replace(campaign, day=today, day_counts=good)
    return replace(campaign, day_counts=False) if campaign.day_counts and not good else campaign


def _reached(campaign: Campaign, look: Look) -> bool:
    """Whether the message has reached the reviewer or a deputy who is present."""
    mine = (asked.person for asked in campaign.asked if asked.role in ("owner", "deputies"))
    return any(person in look.accepted and look.here(person) for person in mine)


def _first_domain(campaign: Campaign, policy: Policy) -> Domain | None:
    return next((policy.domains[id_] for id_ in campaign.domains if id_ in policy.domains), None)


# The end.

_Fallen = tuple[list[LogEvent], list[Consent]]


def _over(campaign: Campaign, policy: Policy, look: Look, says: list[Notification]) -> tuple[Campaign, _Fallen]:
    """The window is over: silence keeps, or what falls is announced, and falls."""
    if not campaign.narrows:
        after, entries = ended(campaign, policy, look.now)
        return after, (list(entries), [one for item in campaign.unanswered for one in seen(campaign, item, look.now)])
    keys = [item.key for item in campaign.unanswered]
    if campaign.previewed_at is None:
        if not working_days.works(look.now, working_days.hours_of(_first_domain(campaign, policy)), look.scale):
            return campaign, ([], [])
        says += notices(campaign, policy, "falls_tomorrow", keys)
        return replace(campaign, previewed_at=look.now), ([], [])
    return _fallen(campaign, policy, look, says)


def _fallen(campaign: Campaign, policy: Policy, look: Look, says: list[Notification]) -> tuple[Campaign, _Fallen]:
    assert campaign.previewed_at is not None
    after, entries, consents = campaign, list[LogEvent](), list[Consent]()
    for item in campaign.unanswered:
        if not look.spoiled and _falls(item, campaign.previewed_at, policy, look):
            silent = replace(item, answer="silence", at=look.now)
            entries.append(review_events.fell_silent(campaign, silent, policy, campaign.previewed_at))
            consents += consents_of(campaign, silent, look.now, own=False, singly=False)
            after = with_item(after, silent)
    if not entries:
        return campaign, ([], [])
    says += notices(after, policy, "narrowed", [item.key for item in after.items if item not in campaign.items])
    says += _to_risk_owners(after, campaign, policy)
    if not after.unanswered:
        after, closing = ended(after, policy, look.now)
        entries += closing
    return after, (entries, consents)


def _falls(item: Item, previewed_at: datetime, policy: Policy, look: Look) -> bool:
    if any(domain in look.urgent for domain in item.domains):
        return False
    hours = working_days.hours_of(policy.domains.get(item.domains[0]))
    return working_days.falls_now(look.now, previewed_at, hours, look.scale)


def _to_risk_owners(after: Campaign, before: Campaign, policy: Policy) -> Iterator[Notification]:
    """The risk owner is notified of the exceptions that are not renewed any more."""
    fallen = [item for item in after.items if item not in before.items and item.kind == "exception"]
    for item in fallen:
        domain = policy.domains.get(item.domains[0])
        if domain is not None and domain.risk_owner is not None:
            data = {"what": "narrowed", "items": (item.key,)}
            yield Notification("campaign_notice", Lane.CARD, after.id, to=domain.risk_owner, data=data)
