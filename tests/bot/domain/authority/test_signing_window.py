"""Keys first, the demand in a later change: the window in which nobody could say yes is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.authority.policy_rollout import InForce, Sets
from bot.domain.authority.signing_window import change_windows, windows
from bot.domain.policy.model import Policy
from bot.domain.policy.signing import Signing
from tests.bot.building import T0
from tests.bot.passkeys import ORIGIN, RP, signed_policy

KEYED = signed_policy()
WITHOUT = replace(signed_policy("none", {}), digest="old")


def said(sets: Sets, new: Policy, at: datetime, scale: float) -> tuple[str, ...]:
    """About the runbooks of the domain whose people hold keys."""
    return tuple(text for text in change_windows(sets, new, at, scale) if "token" not in text)


DEMANDED = replace(KEYED, digest="new")


def test_a_demand_in_the_same_change_as_its_keys_names_the_window() -> None:
    sets = Sets((InForce(WITHOUT, T0),))
    texts = said(sets, DEMANDED, T0, 1)
    until = T0 + timedelta(hours=72)
    assert texts
    assert any(f"before {until:%Y-%m-%d %H:%M} UTC" in text for text in texts)


def test_keys_that_count_already_leave_no_window() -> None:
    earlier = replace(KEYED, digest="keys", runbooks=WITHOUT.runbooks)
    assert said(Sets((InForce(earlier, T0),)), DEMANDED, T0, 1) == ()


def test_a_second_change_before_the_keys_count_names_the_window_too() -> None:
    keys = replace(KEYED, digest="keys", runbooks=WITHOUT.runbooks)
    sets = Sets((InForce(WITHOUT, T0),)).then(keys, T0, 1)
    assert said(sets, DEMANDED, T0 + timedelta(hours=1), 1)
    assert said(sets, DEMANDED, T0 + timedelta(hours=73), 1) == ()


def test_the_first_set_with_keys_counts_at_once() -> None:
    unsigned = replace(WITHOUT, signing=None, people=())
    assert said(Sets((InForce(unsigned, T0),)), DEMANDED, T0, 1) == ()


def test_without_anybody_who_could_ever_sign_there_is_no_end() -> None:
    nobody = replace(DEMANDED, people=(), signing=Signing(RP, ORIGIN))
    assert {one.until for one in windows(Sets((InForce(nobody, T0),)), T0)} == {None}
