"""The channel button, for people who cannot use commands (Slack Connect). Who may put it where (design, sections 5 and 6).

A channel has one button: posted again it moves, and the earlier message loses it.
"""

from __future__ import annotations

from collections.abc import Set

from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile

_BUTTON = "B-"


def button_of(channel: str) -> str:
    """What the messages with the button of a channel are about, in the place of a request's id."""
    return _BUTTON + channel


def is_button(about: str | None) -> bool:
    """Whether a message is a channel's button rather than about a request."""
    return about is not None and about.startswith(_BUTTON)


def refusal(policy: Policy, channel: str, person: Person, profile: Profile, parties: Set[str | None]) -> str | None:
    """Why the button does not go into this channel; None if it does. `parties`: ids of the providers of its members."""
    home = profile.person == person and person.team in policy.workspaces and policy.provider_of(person) is None
    if not home or profile.deleted or profile.is_bot or profile.is_guest or profile.is_stranger:
        return f"Only people of {policy.organisation} put the button into a channel. Write to {policy.contact}."
    names = sorted(policy.providers[p].name for p in parties if p is not None)
    if len(names) > 1:
        both = " and ".join(names)
        return f"This channel holds people of {both}: each would see the other's requests. Use a channel for each provider."
    if names and any(d.channel == channel for d in policy.domains.values()):
        return f"This is the channel of a domain and holds people of {names[0]}: remove them, or use their own channel."
    return None
