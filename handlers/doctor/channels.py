"""Checks each channel of the policy in Slack: that it exists, that the bot is a member, and which parties are members.

A provider sees its own requests only, so no channel holds people of two providers, and a domain's channel holds none
(design, section 5, rule 11). People belong to a provider by id, or by their workspace; the
latter must be asked for each person of a channel that is shared beyond the home workspace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.diagnostics import Diagnosis, error, listed, warning
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from handlers.doctor.lookups import Lookups, No
from handlers.views.kit.wording import BOT_NAME

_SHARED = ("is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared")


@dataclass(frozen=True, slots=True)
class PolicyChannel:
    """A channel of the policy, and whose it is: ids of domains and of providers."""

    id: str
    domains: tuple[str, ...]
    providers: tuple[str, ...]

    @property
    def part(self) -> str:
        whose = [*(f"domain `{d}`" for d in self.domains), *(f"provider `{p}`" for p in self.providers)]
        return f"the channel of {listed(whose)}"


@dataclass(slots=True)
class ChannelMembers:
    """The members of a channel by provider, as names to print; `unclear`: those whose look-up failed."""

    parties: dict[str, list[str]] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)


async def examine_channels(lookups: Lookups, policy: Policy, bot_user: str) -> list[Diagnosis]:
    found: list[Diagnosis] = []
    for place in places(policy):
        channel = await lookups.channel(place.id)
        if isinstance(channel, No):
            found.append(_not_shown(place, channel.word))
            continue
        found.extend(_state(place, channel))
        if not channel.get("is_archived"):
            found.extend(await _listeners(lookups, policy, place, channel, bot_user))
    return found


def places(policy: Policy) -> list[PolicyChannel]:
    """Every channel of the policy, once."""
    domains: dict[str, list[str]] = {}
    providers: dict[str, list[str]] = {}
    for domain in policy.domains.values():
        domains.setdefault(domain.channel, []).append(domain.id)
    for provider in policy.providers.values():
        if provider.channel is not None:
            providers.setdefault(provider.channel, []).append(provider.id)
    ids = dict.fromkeys((*domains, *providers))
    return [PolicyChannel(i, tuple(domains.get(i, ())), tuple(providers.get(i, ()))) for i in ids]


def _not_shown(place: PolicyChannel, word: str) -> Diagnosis:
    if word == "missing_scope":
        return warning(
            "channels", f"{place.id}, {place.part}, was not looked up: the app lacks channels:read or groups:read."
        )
    if word == "channel_not_found":
        return error(
            "channels",
            f"Slack does not show {place.id}, {place.part}: if it is private, write /invite @{BOT_NAME} in it, else copy"
            " the id from the foot of the channel's About tab into responsibility.yaml.",
        )
    return error("channels", f"Slack did not show {place.id}, {place.part} ({word}): run doctor again in a minute.")


def _state(place: PolicyChannel, channel: Mapping[str, Any]) -> Iterator[Diagnosis]:
    name = _name(place, channel)
    if channel.get("is_archived"):
        yield error(
            "channels",
            f"{name}, {place.part}, is archived: unarchive it in Slack, or name another channel in responsibility.yaml.",
        )
    elif not channel.get("is_member"):
        yield error(
            "channels",
            f"The bot is not in {name}, {place.part}: write /invite @{BOT_NAME} in #{channel.get('name') or place.id}.",
        )


async def _listeners(
    lookups: Lookups, policy: Policy, place: PolicyChannel, channel: Mapping[str, Any], bot_user: str
) -> list[Diagnosis]:
    members = await lookups.members(place.id)
    if isinstance(members, No):
        text = f"Slack did not say who is in {_name(place, channel)} ({members.word}): look at its members by hand."
        return [warning("channels", text)]
    shared = any(channel.get(key) for key in _SHARED)
    crowd = await _crowd(lookups, policy, [user for user in members if user != bot_user], shared)
    return list(_company(policy, place, _name(place, channel), crowd))


async def _crowd(lookups: Lookups, policy: Policy, users: list[str], shared: bool) -> ChannelMembers:
    crowd = ChannelMembers()
    by_workspace = shared and any(provider.workspaces for provider in policy.providers.values())
    for user in users:
        provider = policy.provider_of(Person("", user))
        if provider is None and by_workspace:
            account = await lookups.account(user)
            if isinstance(account, No):
                crowd.unclear.append(user)
                continue
            provider = policy.provider_of(account.profile.person)
        if provider is not None:
            crowd.parties.setdefault(provider.id, []).append(await _called(lookups, policy, user))
    return crowd


def _company(policy: Policy, place: PolicyChannel, name: str, crowd: ChannelMembers) -> Iterator[Diagnosis]:
    told = [f"{listed(people)} of {policy.providers[party].name}" for party, people in crowd.parties.items()]
    involved = dict.fromkeys((*place.providers, *crowd.parties))
    if place.domains and told:
        yield error(
            "channels",
            f"{name}, {place.part}, holds {'; '.join(told)}: nobody of a provider may listen in a domain's channel, so"
            " remove them from it, or name another channel.",
        )
    elif len(involved) > 1:
        both = listed(policy.providers[party].name for party in involved)
        holds = f" ({'; '.join(told)})" if told else ""
        yield error(
            "channels",
            f"{name}, {place.part}, is for people of two providers, {both}{holds}: a provider sees its own requests only,"
            " so give each a channel of its own.",
        )
    if crowd.unclear:
        yield warning(
            "channels",
            f"Slack did not say of which workspace {listed(crowd.unclear)} in {name} are: make sure that they belong to no"
            " other provider.",
        )


async def _called(lookups: Lookups, policy: Policy, user: str) -> str:
    """The display name from policy or Slack, else the id."""
    line = next((line.name for line in policy.people if line.person.user == user), None)
    if line is None:
        account = await lookups.account(user)
        line = None if isinstance(account, No) else account.profile.name
    return f"{line} ({user})" if line else user


def _name(place: PolicyChannel, channel: Mapping[str, Any]) -> str:
    name = channel.get("name")
    return f"#{name} ({place.id})" if name else place.id
