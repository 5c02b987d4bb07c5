"""Which messages are governance messages, and when another may go to the same person."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.case.transition import Lane, Notification
from bot.domain.governance.weekly import counted, may_send
from tests.bot.building import OWNER, T0


def test_what_asks_without_a_request_counts_unless_its_reader_asked_for_it() -> None:
    says = [Notification(purpose, Lane.CARD, to=OWNER) for purpose in ("card", "agreement", "month", "roster", "answer")]
    says += [Notification("campaign", Lane.CARD, "V-1", to=OWNER, data={"wanted": True})]
    says += [Notification("campaign_reminder", Lane.CARD, "V-1", to=OWNER)]
    assert [say.purpose for say in counted(says)] == ["agreement", "month", "roster", "campaign_reminder"]


def test_two_are_a_week_of_policy_time_apart() -> None:
    assert may_send(None, T0, 1)
    assert not may_send(T0, T0 + timedelta(days=7) - timedelta(seconds=1), 1)
    assert may_send(T0, T0 + timedelta(days=7), 1)
    assert may_send(T0, T0 + timedelta(days=7) / 60, 60)
