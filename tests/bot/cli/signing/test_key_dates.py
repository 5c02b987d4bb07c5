"""Since when a passkey counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.cli.signing.key_dates import counts_from, said
from bot.domain.policy.model import Policy
from bot.ports.records import StoredPolicy
from tests.bot.building import OWNER, T0
from tests.bot.passkeys import OWNERS, signed_policy

KEY = OWNERS.passkey()
KEYED, KEYLESS = signed_policy(), signed_policy(keys={})
LATER, UNTIL = T0 + timedelta(hours=1), T0 + timedelta(hours=73)


def stored(policy: Policy, hours: int, *, binds: bool = False) -> tuple[StoredPolicy, Policy]:
    return StoredPolicy(f"set {hours}", T0 + timedelta(hours=hours), (), UNTIL if binds else None), policy


def test_a_key_of_the_first_set_counts_since_its_acceptance() -> None:
    unsigned = replace(KEYLESS, signing=None)
    assert counts_from([stored(KEYED, 1), stored(unsigned, 0, binds=True)], OWNER, KEY) == LATER
    assert counts_from([stored(KEYED, 1)], OWNER, KEY) == LATER


def test_an_added_key_counts_once_the_set_before_binds_no_longer() -> None:
    sets = [stored(KEYED, 2), stored(KEYED, 1), stored(KEYLESS, 0, binds=True)]
    assert counts_from(sets, OWNER, KEY) == UNTIL
    assert said(UNTIL, T0) == f"counts from {UNTIL:%Y-%m-%d %H:%M} UTC"
    assert said(UNTIL, UNTIL) == f"counts since {UNTIL:%Y-%m-%d %H:%M} UTC"


def test_a_key_that_the_bot_has_not_accepted_is_named() -> None:
    assert counts_from([stored(KEYLESS, 1), stored(KEYED, 0)], OWNER, KEY) is None
    assert "not in the set" in said(None, T0)
