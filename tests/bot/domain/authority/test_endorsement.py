"""Which passkeys count, and from when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.authority.endorsement import Endorsement, became, counting_passkeys, key_change_id
from bot.domain.authority.policy_rollout import InForce, Sets
from bot.domain.policy.model import Policy
from bot.domain.policy.signing import Passkey, Signature
from tests.bot.building import HOUR, MINUTE, OWNER, T0, policy
from tests.bot.domain.authority.test_key_changes import OLD, SIGNING, keys, passkey, signed_policy

DAYS3 = timedelta(hours=72)
RISKS = {"risk": passkey("r")}
ADDED = signed_policy(people=keys(owner=passkey("new"), **RISKS), digest="ee" * 32)


def rolled(*policies: Policy, scale: float = 1.0) -> Sets:
    """Each set an hour after the one before it."""
    sets = Sets((InForce(policies[0], T0),))
    for n, one in enumerate(policies[1:], 1):
        sets = sets.then(one, T0 + n * HOUR, scale)
    return sets


def counting(sets: Sets, asked_at: datetime, signature: Signature = "required") -> list[str]:
    return [key.id for key in counting_passkeys(sets, OWNER, signature, asked_at)]


def test_the_keys_of_the_first_set_count_at_once() -> None:
    assert counting(rolled(OLD), T0) == ["o"]
    assert counting(rolled(policy(), OLD), T0) == ["o"]  # no earlier set had keys


def test_an_added_key_waits_for_the_unendorsed_delay() -> None:
    sets = rolled(OLD, ADDED)
    assert counting(sets, T0 + HOUR + DAYS3 - MINUTE) == []
    assert counting(sets, T0 + HOUR + DAYS3) == ["new"]


def test_the_delay_follows_the_clock_of_the_policy() -> None:
    assert rolled(OLD, ADDED, scale=3600).sets[0].until == T0 + HOUR + timedelta(seconds=72)


def test_a_shorter_unendorsed_delay_is_a_change_that_waits_for_the_longer_one() -> None:
    hasty = replace(ADDED, signing=replace(SIGNING, unendorsed_delay=86400))
    more = replace(hasty, people=keys(owner=passkey("more"), **RISKS))
    assert rolled(OLD, hasty, more).sets[1].until == T0 + 2 * HOUR + DAYS3


def test_an_endorsed_key_counts_after_the_delay_of_every_change() -> None:
    sets = rolled(OLD, ADDED).endorsed(OLD.digest, ADDED.digest, T0 + HOUR + MINUTE, 1.0)
    assert counting(sets, T0 + HOUR + 14 * MINUTE) == []
    assert counting(sets, T0 + HOUR + 15 * MINUTE) == ["new"]


def test_a_late_endorsement_counts_from_its_own_moment() -> None:
    sets = rolled(OLD, ADDED).endorsed(OLD.digest, ADDED.digest, T0 + 9 * HOUR, 1.0)
    assert counting(sets, T0 + 9 * HOUR - MINUTE) == []
    assert counting(sets, T0 + 9 * HOUR) == ["new"]


def test_an_endorsement_after_the_delay_or_of_another_change_moves_nothing() -> None:
    sets = rolled(OLD, ADDED)
    assert sets.endorsed(OLD.digest, ADDED.digest, T0 + 100 * HOUR, 1.0) == sets
    assert sets.endorsed(OLD.digest, "ff" * 32, T0 + 2 * HOUR, 1.0) == sets


def test_a_removed_key_stops_counting_at_once() -> None:
    removed = signed_policy(people=keys(**RISKS), digest="ee" * 32)
    assert counting(rolled(OLD, removed), T0) == []


@pytest.mark.parametrize(("key", "ids"), [(passkey("o", synced=True), []), (passkey("o"), ["o"])])
def test_a_synced_key_counts_for_nothing_device_bound(key: Passkey, ids: list[str]) -> None:
    sets = rolled(signed_policy(people=keys(owner=key)))
    assert counting(sets, T0, "device_bound") == ids
    assert counting(sets, T0) == ["o"]


def test_a_change_endorsed_for_another_time_it_was_made_or_not_for_every_domain_still_waits() -> None:
    sets, now = rolled(OLD, ADDED), T0 + 2 * HOUR
    id_ = key_change_id(OLD.digest, ADDED.digest)
    whole = became(sets, (), id_, now).what
    assert whole is not None
    given = [Endorsement(OLD.digest, ADDED.digest, domain, now) for domain in whole.domains]
    assert became(sets, given, id_, now).outcome == "endorsed"
    assert became(sets, given[1:], id_, now).outcome == "waits"
    assert became(sets, [replace(one, at=T0) for one in given], id_, now).outcome == "waits"
    assert became(rolled(OLD, ADDED, OLD), (), id_, now).outcome == "taken_back"
    assert became(rolled(OLD, ADDED, OLD, ADDED), (), id_, now + 2 * HOUR).outcome == "waits"
    assert became(sets, (), id_, T0 + HOUR + DAYS3).outcome == "counts"
    assert became(rolled(ADDED), (), id_, now).outcome == "over"
