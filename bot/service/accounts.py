"""The account of the person who clicked, looked up at the click.

A yes needs a fresh answer of Slack's. A no does not: where Slack fails or limits `users.info`, what only takes away still works
with the last profile known, else with the ids of the signed payload, by which the policy names people and parties.
"""

from __future__ import annotations

import asyncio

from bot.domain.errors import LookupFailed
from bot.domain.policy.people import Person, Profile
from bot.ports.directory import Directory

DECISION_AGE = 5.0  # seconds
PATIENCE = 1.0  # seconds that taking away waits for Slack: the form of a no must open within three


async def account_of(directory: Directory, person: Person, *, takes_away: bool) -> Profile:
    """The profile by which a click is judged. Raises LookupFailed, unless the click `takes_away`."""
    if not takes_away:
        return await directory.profile(person, DECISION_AGE)
    try:
        return await asyncio.wait_for(directory.profile(person, DECISION_AGE), PATIENCE)
    except (LookupFailed, TimeoutError):
        return directory.last_known(person) or Profile(person, person.user)
