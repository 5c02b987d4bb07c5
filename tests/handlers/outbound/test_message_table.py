"""The table of message kinds: a row that misses its case, recipient or place draws nothing, whatever its kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.case.transition import Lane, Notification
from bot.ports.records import MessageCopy, OutboxRow
from handlers.outbound.message_kinds import NOTHING_TO_DRAW, ViewUpdate
from handlers.outbound.message_table import MESSAGE_KINDS, REFRESH, kind_of, spot
from handlers.outbound.rate_lanes import Spot
from tests.bot import parts
from tests.bot.building import OWNER
from tests.bot.office import Office

_COPY = MessageCopy(7, "CS-0000-0000", "card", OWNER, "D0OWNER", "1.2", 1)


def row(purpose: str, copy: MessageCopy | None = None) -> OutboxRow:
    return OutboxRow(1, Notification(purpose, Lane.CARD), 0, datetime(2026, 3, 2, 12, tzinfo=UTC), copy)


@pytest.mark.parametrize("purpose", sorted(set(MESSAGE_KINDS) - {"form"}))
async def test_a_row_without_case_recipient_and_place_draws_nothing(office: Office, purpose: str) -> None:
    context = parts.rendering(office)
    assert await MESSAGE_KINDS[purpose].drawn(context, row(purpose), None) == NOTHING_TO_DRAW


async def test_a_form_is_drawn_without_a_case(office: Office) -> None:
    drawn = await MESSAGE_KINDS["form"].drawn(parts.rendering(office), row("form"), None)
    assert isinstance(drawn, ViewUpdate)


@pytest.mark.parametrize("purpose", ["card", "reminder", "of_a_later_release"])
async def test_a_copy_whose_case_is_gone_is_not_redrawn(office: Office, purpose: str) -> None:
    assert await REFRESH.drawn(parts.rendering(office), row(purpose, _COPY), None) == NOTHING_TO_DRAW


def test_a_copy_is_edited_where_it_was_posted_and_a_new_message_goes_by_its_kind() -> None:
    assert kind_of(row("card", _COPY)) is REFRESH
    assert spot(row("card", _COPY)) == Spot("chat.update", "D0OWNER")
    assert kind_of(row("ask.3")) is MESSAGE_KINDS["ask"]
    assert kind_of(row("of_a_later_release")) is None
    assert spot(row("form")).method == "views.update"
    assert spot(row("card")).method == "chat.postMessage"


def test_messages_that_can_be_redrawn_are_kept_and_those_that_show_typed_text_are_remembered() -> None:
    redrawn = {purpose for purpose, kind in MESSAGE_KINDS.items() if kind.redraw is not None}
    assert redrawn == {
        "card", "receipt", "operator", "operator_told", "lead", "used", "ask", "door_receipt", "outcome", "body", "announce",
        "question", "ending", "expiring", "owed", "suspended", "restored", "executor_alarm", "extension", "cooling",
        "verified", "subject_before", "subject_after", "campaign", "reminder", "deadline", "ask_reminder", "no_access",
        "campaign_reminder", "agreement", "roster", "door", "filed_by_host", "key_change",
    }  # fmt: skip
    assert not any(kind.remembered for purpose, kind in MESSAGE_KINDS.items() if purpose in redrawn)


def test_of_the_channels_lines_only_the_state_is_kept_and_redrawn() -> None:
    kind = MESSAGE_KINDS["announce"]
    state, event = (replace(row("announce").say, data={"state": s}) for s in ("approved", "review.overdue"))
    assert kind.kept(replace(row("announce"), say=state))
    assert not kind.kept(replace(row("announce"), say=event))
