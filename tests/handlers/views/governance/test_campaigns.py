"""A campaign's message: what is due until when, and no fact twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.case.campaign import Campaign, Item
from handlers.views.governance.campaigns import card, line
from handlers.views.kit.context import ViewContext
from tests.bot.building import OWNER, T0, policy

SCENE = ViewContext(policy(), T0 + timedelta(hours=1))


@pytest.mark.parametrize(("counted", "left"), [(0, "2 working days"), (1, "1 working day")])
def test_the_message_says_first_how_long_there_is_and_what_silence_does(counted: int, left: str) -> None:
    item = Item("autonomous", "unlock", ("directory",), "Unlock")
    text = card(Campaign("V-1", OWNER, (item,), T0, 2, narrows=True, counted=counted), SCENE).text
    assert text.splitlines()[1] == f"Answer within {left}. Rights without an answer are then narrowed."


def test_an_item_that_is_flagged_as_unused_says_so_once() -> None:
    flagged = line(Item("autonomous", "unlock", ("directory",), "Unlock", flags=("unused",)), SCENE)
    assert flagged == "*unused* · Unlock [unlock] (opens by itself)"
    assert (
        line(Item("autonomous", "unlock", ("directory",), "Unlock"), SCENE) == "Unlock [unlock] (opens by itself): not used"
    )
