"""Messages of before a change of policy that the bot did not see happen: once it is back none offers what a press would not get.

The judge is the bot's own: each button is pressed on paper (nothing is committed) by the reader of its message.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import pytest

from bot.domain.case.operator_action import OperatorAction
from bot.domain.operator import dual_control
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Ref
from bot.ports.commands import Press, ReplyAddress
from handlers.inbound.buttons import BUTTONS
from handlers.views.kit import wording
from tests.bot.building import (
    AUDIT,
    DEP1,
    DEP2,
    HOME,
    HOUR,
    MINUTE,
    NORTHGATE,
    OWNER,
    PE1,
    PE2,
    RISK,
    home,
    with_domain,
)  # fmt: skip
from tests.bot.office import Office
from tests.handlers.fake_slack import Call
from tests.rules.test_messages_end import POST, Screens, screens_of

NEW_OWNER = home("U0ANNA")
NAMES = {button.id: button for button in BUTTONS}


@pytest.fixture
async def screens(office: Office) -> AsyncIterator[Screens]:
    async for made in screens_of(office):
        yield made


def on_screen(screens: Screens) -> Iterator[tuple[Person, Call]]:
    """Every direct message of a person of the home workspace, as it is now."""
    for posted in screens.slack.of(POST):
        user = str(posted.args["channel"]).removeprefix("D")
        if user.startswith("U"):
            yield Person(HOME, user), screens.last(screens.ts_of(posted))


async def dead_buttons(screens: Screens) -> list[str]:
    """Buttons whose press by the message's reader would be refused."""
    found = []
    for reader, call in on_screen(screens):
        for button in (e for b in call.blocks if b["type"] == "actions" for e in b["elements"]):
            known, (case, _, version) = NAMES.get(button["action_id"]), str(button["value"]).partition(":")
            if known is None or not version.isdecimal():
                continue
            press = Press(
                reader, case, int(version), known.action, ReplyAddress(reader, channel="D0"), "why",
                opens_form=known.opens_form,
            )  # fmt: skip
            act = await screens.office.service.actions.press(press)
            found += [
                f"{reader.user} {button['text']['text']} {e.data}" for e in act.entries if e.type == "decision.refused"
            ]
    return found


async def comes_back(screens: Screens, changed: Policy) -> None:
    """The bot was down, the files were changed, and it starts again: another sender, another keeper of Homes."""
    sets = screens.office.service.current.sets.then(changed, screens.office.clock.now(), 1)
    screens.office.policy = changed
    await screens.office.restart()
    screens.office.service.current.sets = sets
    again = Screens(screens.office, screens.slack)
    screens.sender, screens.homes = again.sender, again.homes
    await screens.settled()


async def many_messages(screens: Screens) -> None:
    """Pending and reminded, open and shortly before its end, to be ratified."""
    office = screens.office
    opened = await office.file(PE2, target="srv-open", seconds=1800)
    await screens.settled()
    await office.click(OWNER, opened)
    await office.file(PE2, "glass", target="srv-glass")
    await office.file(PE2, "pair", target="srv-asked")
    pending = await office.file(PE1, target="srv-pending")
    await screens.settled()
    await office.click(OWNER, pending, "pass")
    await screens.settled()
    await office.forward(24 * MINUTE)
    await screens.settled()
    labels = {label for _, call in on_screen(screens) for label in call.buttons}
    assert {"Approve", "Revoke", "Extend", "Permit", "Recommend", "Withdraw", "Ratify"} <= labels, labels
    assert await dead_buttons(screens) == []


def _another_owner(base: Policy) -> Policy:
    return with_domain(base, owner=NEW_OWNER)


def _fewer_deputies(base: Policy) -> Policy:
    return with_domain(base, deputies=(DEP2,))


def _nobody_left(base: Policy) -> Policy:
    return with_domain(base, owner=NEW_OWNER, deputies=(), on_call=None, risk_owner=None)


def _no_runbook(base: Policy) -> Policy:
    kept = {id_: book for id_, book in base.runbooks.items() if id_ not in ("emergency", "contain", "pair")}
    return replace(base, runbooks=kept)


def _shorter(base: Policy) -> Policy:
    books = {id_: replace(book, max_duration=900, default_duration=900) for id_, book in base.runbooks.items()}
    return replace(base, runbooks=books)


def _another_lead(base: Policy) -> Policy:
    here = frozenset({HOME})
    changed = replace(NORTHGATE, leads=(Ref("U0OTHERLEAD", here),), requesters=NORTHGATE.requesters[:1])
    return replace(base, providers={**base.providers, "northgate": changed})


def _no_domain(base: Policy) -> Policy:
    domains = {id_: domain for id_, domain in base.domains.items() if id_ != "directory"}
    return replace(_no_runbook(base), domains=domains)


CHANGES: tuple[Callable[[Policy], Policy], ...] = (
    _another_owner, _fewer_deputies, _nobody_left, _no_runbook, _shorter, _another_lead, _no_domain,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_after_a_change_while_the_bot_was_down_no_message_offers_a_press_that_is_refused(
    screens: Screens, change: Callable[[Policy], Policy]
) -> None:
    await many_messages(screens)
    await comes_back(screens, replace(change(screens.office.policy), digest="e" * 64))
    assert await dead_buttons(screens) == []


async def test_whoever_no_longer_decides_is_not_reminded_of_an_answer(screens: Screens) -> None:
    office = screens.office
    case = await office.file(PE1)
    await office.click(OWNER, case, "pass")
    await screens.settled()
    ts = await screens.say("reminder", case, DEP1)
    assert "still waits for your answer" in screens.last(ts).args["text"]
    await comes_back(screens, replace(_fewer_deputies(office.policy), digest="e" * 64))
    assert screens.last(ts).args["text"].endswith(wording.SOMEBODY_ELSE)


async def test_a_card_to_confirm_an_act_of_the_host_loses_its_buttons_with_its_readers_role(screens: Screens) -> None:
    office = screens.office
    now = office.clock.now()
    act = OperatorAction("O-7K3M9QX2", "erase", "She asked.", now, now + HOUR, subject=PE1)
    await office.store.commit(dual_control.file(act, office.policy))
    await screens.settled()
    cards = {reader: call for reader, call in on_screen(screens) if "Confirm" in call.buttons}
    assert {AUDIT, RISK} <= set(cards)
    await comes_back(screens, replace(office.policy, auditors=(home("U0AUDIT2"),), digest="e" * 64))
    confirming = {reader for reader, call in on_screen(screens) if "Confirm" in call.buttons}
    assert AUDIT not in confirming
    assert RISK in confirming


async def test_a_start_without_a_change_redraws_nothing(screens: Screens) -> None:
    await many_messages(screens)
    await comes_back(screens, screens.office.policy)
    before = len(screens.slack.calls)
    await comes_back(screens, screens.office.policy)
    assert len(screens.slack.calls) == before
