"""Every row of the table of actions has its button, and every form its reader."""

from __future__ import annotations

from bot.service.actions import ACTIONS as TABLE
from handlers import ids
from handlers.inbound.buttons import ACTIONS, BUTTON_FORMS, BUTTONS

FORM_WHILE_STOPPED = {"deny", "reject"}


def test_every_action_has_one_button_and_every_button_an_action() -> None:
    names = [button.action for button in BUTTONS]
    assert sorted([*names, "again"]) == sorted(TABLE)  # Ask again opens the filing form
    assert len({button.id for button in BUTTONS}) == len(BUTTONS)
    assert {button.id for button in BUTTONS} < ACTIONS.keys()


def test_a_button_with_a_form_asks_first_whether_the_press_would_count() -> None:
    for button in BUTTONS:
        assert button.opens_form == (button.form is not None or button.action == "permit")
        assert not button.opens_form or TABLE[button.action].may is not None
        assert button.form is None or TABLE[button.form.sends or button.action].carry_out is not None


def test_only_what_takes_something_away_opens_its_form_while_the_log_is_stopped() -> None:
    assert {b.action for b in BUTTONS if b.form is not None and b.form.while_stopped} == FORM_WHILE_STOPPED


def test_each_form_is_read_once() -> None:
    callbacks = [button.form.callback for button in BUTTONS if button.form is not None]
    assert len(set(callbacks)) == len(callbacks) == len(BUTTON_FORMS)
    assert ids.FORM_ASK not in callbacks
