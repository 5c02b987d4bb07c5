"""The window of a campaign as values: who is asked when, and which days count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.case.campaign import Asked, Campaign, Item
from bot.domain.governance.campaign_window import Look, advance, turn
from bot.domain.policy.governance import ReviewRules
from tests.bot.building import DAY, DEP1, OWNER, RISK, policy, with_domain

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
POLICY = policy(review=ReviewRules(180 * 86400, 90 * 86400, 10, "narrow"))


def campaign(**how: object) -> Campaign:
    asked = (Asked(OWNER, "owner", MONDAY),)
    item = Item("autonomous", "unlock", ("directory",), "Unlock")
    return replace(Campaign("V-1", OWNER, (item,), MONDAY, 10, True, asked), **how)  # type: ignore[arg-type]


def stepped(before: Campaign, look: Look, policy_: object = POLICY) -> Campaign:
    act = advance(before, policy_, look)  # type: ignore[arg-type]
    return before if act is None or act.reviewed is None else act.reviewed.after


def seen(now: datetime, **how: object) -> Look:
    return replace(Look(now, 1, accepted=frozenset({OWNER, DEP1})), **how)  # type: ignore[arg-type]


def test_the_risk_owner_is_asked_a_week_after_their_last_governance_message_and_no_day_counts_until_then() -> None:
    near = campaign(counted=7)
    busy = frozenset({RISK})
    held = stepped(near, seen(MONDAY, busy=busy))
    held = stepped(held, seen(MONDAY + DAY, busy=busy))
    assert (held.role_of(RISK), held.counted) == (None, 7)
    asked = stepped(held, seen(MONDAY + 2 * DAY))
    asked = stepped(asked, seen(MONDAY + 3 * DAY))
    assert (asked.role_of(RISK), asked.counted) == ("risk_owner", 8)


def test_the_oldest_campaign_has_its_turn_first_and_then_the_order_of_the_policy_decides() -> None:
    machines = replace(campaign(), items=(Item("autonomous", "box", ("machines",), "Box"),))
    older = replace(machines, opened_at=MONDAY - DAY)
    assert list(POLICY.domains)[:2] == ["directory", "machines"]
    assert sorted([machines, campaign(), older], key=lambda one: turn(one, POLICY)) == [older, campaign(), machines]


def test_a_new_owner_is_asked_a_week_after_their_last_one_and_the_old_owners_silence_counts_no_more() -> None:
    changed = with_domain(POLICY, owner=DEP1, deputies=())
    held = campaign(counted=5)
    for day in range(4):
        held = stepped(held, seen(MONDAY + day * DAY, busy=frozenset({DEP1})), changed)
    assert (held.owner, held.counted) == (OWNER, 5)
    asked = stepped(held, seen(MONDAY + 7 * DAY), changed)
    assert (asked.owner, asked.counted, asked.role_of(DEP1)) == (DEP1, 0, "owner")


def test_half_way_the_reviewer_is_reminded_unless_they_got_another_message_that_week() -> None:
    for busy, purposes in ((frozenset({OWNER}), []), (frozenset(), ["campaign_reminder"])):
        act = advance(campaign(counted=5), POLICY, seen(MONDAY, busy=busy))
        assert act is not None
        assert [say.purpose for say in act.says] == purposes
        assert act.reviewed is not None
        assert act.reviewed.after.reminded


def test_deputies_are_asked_for_a_reviewer_who_is_away_and_only_the_days_of_somebody_reached_count() -> None:
    away = seen(MONDAY, away=frozenset({OWNER}), accepted=frozenset({OWNER}))
    first = stepped(campaign(), away)
    assert first.role_of(DEP1) == "deputies"
    second = stepped(first, replace(away, now=MONDAY + DAY))
    assert second.counted == 0
    third = stepped(second, replace(away, now=MONDAY + 2 * DAY, accepted=frozenset({OWNER, DEP1})))
    assert stepped(third, replace(away, now=MONDAY + 3 * DAY)).counted == 1


def test_a_day_that_was_spoiled_for_a_moment_does_not_count() -> None:
    day = stepped(campaign(), seen(MONDAY))
    day = stepped(day, seen(MONDAY + timedelta(hours=1), spoiled=True))
    day = stepped(day, seen(MONDAY + timedelta(hours=2)))
    assert stepped(day, seen(MONDAY + DAY)).counted == 0
