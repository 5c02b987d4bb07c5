"""The messages about an operator's act, and its two buttons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.domain.case.operator_action import Confirmation, OperatorAction, OperatorActionState
from bot.domain.operator import dual_control
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from handlers import ids
from handlers.outbound.message_table import MESSAGE_KINDS
from handlers.views import operator as views
from sandbox.blocks import check_message
from tests.bot import parts
from tests.bot.building import DAY, HOME, HOUR, PE1, RISK, T0
from tests.bot.office import Office, covered
from tests.handlers.fake_slack import FakeSlack
from tests.handlers.views.test_approval_card import labels, scene

ACT = OperatorAction("O-7K3M9QX2", "erase", "she asked <!channel>", T0, T0 + DAY, subject=PE1)
AUDIT = Person(HOME, "U0AUDIT")


def test_the_message_says_what_about_whom_why_until_when_and_has_two_buttons() -> None:
    shown = views.card(ACT, RISK, scene(minutes=5))
    assert labels(shown) == ["Confirm", "Refuse"]
    for wanted in ("O-7K3M9QX2", f"<@{PE1.user}>", "she asked &lt;!channel&gt;", "an auditor and a risk owner, two people"):
        assert wanted in shown.text
    assert check_message([*shown.blocks]) == []
    [row] = [b for b in shown.blocks if b["type"] == "actions"]
    assert {e["value"] for e in row["elements"]} == {"O-7K3M9QX2"}


def test_once_it_is_over_it_has_no_buttons_and_says_how_it_ended() -> None:
    for state in (
        OperatorActionState.CONFIRMED,
        OperatorActionState.REFUSED,
        OperatorActionState.EXPIRED,
        OperatorActionState.DONE,
        OperatorActionState.FAILED,
    ):
        closed = replace(ACT, state=state, voices=(Confirmation(RISK, "confirm", T0),), result="It is done.", reason="")
        assert labels(views.card(closed, RISK, scene())) == []
        assert views._OVER[state] in views.card(closed, RISK, scene()).text
    assert labels(views.card(replace(ACT, expires_at=T0 + HOUR), RISK, scene(minutes=60))) == []
    assert labels(views.told(ACT, scene())) == []


def test_a_button_names_an_act_and_nothing_else() -> None:
    assert ids.read_act("O-7K3M9QX2") == "O-7K3M9QX2"
    assert [ids.read_act(v) for v in ("R-7K3M9QX2", "O-", "O-7K3M9QX2:1", "")] == [None] * 4


async def test_every_copy_loses_its_buttons_and_its_delivery_is_in_no_case(tmp_path: Path, example: Policy) -> None:
    async with FakeSlack() as slack, Office(tmp_path / "countersign.db", example) as office:
        now = office.clock.now()
        act = OperatorAction("O-7K3M9QX2", "prune", "old", now, now + DAY, before=now - 400 * DAY)
        await office.store.commit(dual_control.file(act, example))
        messenger = parts.sender(office, slack.client(), covered)
        await messenger.drain()
        asked = [call for call in slack.of("chat.postMessage") if call.buttons == ["Confirm", "Refuse"]]
        assert {call.args["channel"] for call in asked} == {"U0AUDIT", "U0RISK", "U0CSO"}
        office.sleep(DAY)
        expired = dual_control.expire(act, example, office.clock.now())
        assert expired is not None
        await office.store.commit(expired)
        await messenger.drain()
        redrawn = slack.of("chat.update")
        assert {call.args["channel"] for call in redrawn} > {"DU0AUDIT", "DU0RISK", "DU0CSO"}
        assert not any(call.buttons for call in redrawn)
        assert all("Nobody confirmed it in time" in call.args["text"] for call in redrawn)
        sent = [entry for entry in office.log() if entry["type"] == "delivery.sent"]
        assert sent
        assert not any("case" in entry for entry in sent)


async def test_a_message_that_was_under_way_while_it_ended_is_redrawn(tmp_path: Path, example: Policy) -> None:
    async with Office(tmp_path / "countersign.db", example) as office:
        now = office.clock.now()
        act = OperatorAction("O-7K3M9QX2", "prune", "old", now, now + DAY, before=now - 400 * DAY)
        await office.store.commit(dual_control.file(act, example))
        [leased] = [o for o in await office.store.outbox.lease(now, now + DAY, 50) if o.say.to == AUDIT]
        office.sleep(DAY)
        expired = dual_control.expire(act, example, office.clock.now())
        assert expired is not None
        await office.store.commit(expired)
        await office.store.outbox.sent(leased, "D0AUDIT", "1.0", 0, [])
        waits = office.rows("SELECT purpose FROM outbox WHERE copy_id IS NOT NULL AND done_ms IS NULL")
        assert [row["purpose"] for row in waits] == ["operator"]


def test_every_message_that_holds_what_somebody_typed_can_be_erased() -> None:
    """Redrawn from the case, or remembered to be blanked: a purpose that says typed text belongs into one of these."""
    remembered = {name for name, purpose in MESSAGE_KINDS.items() if purpose.remembered}
    assert remembered == {
        "answered", "executor",
    }  # fmt: skip
    redrawn = {name for name, purpose in MESSAGE_KINDS.items() if purpose.redraw is not None}
    assert {
        "card",
        "receipt",
        "lead",
        "ask",
        "used",
        "outcome",
        "question",
        "extension",
        "executor_alarm",
        "subject_before",
        "subject_after",
    } <= redrawn
