"""Drawings of campaigns: the message, the reminder, and the notices to lead, channel and risk owner."""

from __future__ import annotations

from bot.domain.case.campaign import Campaign
from handlers.outbound.message_kinds import NO_LONGER_OPEN, Job, NewMessage, Outgoing, present
from handlers.views.governance import campaigns, roster
from handlers.views.kit.blocks import Message


async def campaign_message(out: Outgoing) -> Message:
    """The campaign as it is now."""
    return campaigns.card(await _campaign(out), out.scene())


async def new_campaign(out: Outgoing) -> Job:
    campaign, to = await _campaign(out), out.to
    return NewMessage(to.user, campaigns.card(campaign, out.scene()), drawn=campaign.version)


async def reminder_message(out: Outgoing) -> Message:
    """What is left of the campaign; afterwards that nothing is."""
    return campaigns.reminder(await _campaign(out))


async def roster_message(out: Outgoing) -> Message:
    """What is left for the lead to say."""
    return roster.card(await _campaign(out), out.to, out.scene())


async def new_roster(out: Outgoing) -> Job:
    campaign = await _campaign(out)
    if not roster.asked_about(campaign, out.to, out.scene()):
        return NO_LONGER_OPEN
    return NewMessage(out.to.user, await roster_message(out), drawn=campaign.version)


async def reminder(out: Outgoing) -> Job:
    campaign, to = await _campaign(out), out.to
    if campaign.state == "closed":
        return NO_LONGER_OPEN
    return NewMessage(to.user, await reminder_message(out), drawn=campaign.version)


async def notice(out: Outgoing) -> Job:
    """What is announced: to a person, or in the channel of a domain."""
    listed = out.row.say.data.get("items")
    keys = [key for key in listed if isinstance(key, str)] if isinstance(listed, list | tuple) else []
    return NewMessage(out.place, campaigns.notice(await _campaign(out), out.text("what"), keys, out.scene()))


async def _campaign(out: Outgoing) -> Campaign:
    return present(await out.context.store.reviews.campaign(out.row.say.case or ""))
