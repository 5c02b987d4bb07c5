"""Nothing about a commit leaves before a checkpoint covers it: the messenger behind the gate, with a real signer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.decision_log.keys import LOG_KEY, make_keys, read_key, verify
from bot.decision_log.signer import Signer
from bot.decision_log.signer_memory import begin
from bot.domain.decision_log.signed_note import open_checkpoint
from bot.domain.decision_log.verify.log import LogFinding
from bot.ports.commands import ReplyAddress
from bot.ports.records import SignedCheckpoint
from handlers.inbound.payloads import ButtonPress
from storage.sqlite.lock import FileLock
from tests.bot import parts
from tests.bot.building import MINUTE, OWNER, PE1
from tests.bot.office import Office
from tests.handlers.fake_slack import Call, FakeSlack

pytestmark = pytest.mark.both

POST, CHANGE = "chat.postMessage", "chat.update"
HALT = LogFinding("fork", None, "The log's first 3 entries are not those that were signed.")


@dataclass
class Gate:
    """The gate, watched: what had been sent when it was asked, and what it says."""

    slack: FakeSlack
    answer: SignedCheckpoint | LogFinding
    asked: int = 0
    sent_before: int = 0

    async def cover(self) -> SignedCheckpoint | LogFinding:
        self.asked += 1
        self.sent_before = len(self.slack.of(POST)) + len(self.slack.of(CHANGE))
        return self.answer


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


def notes(calls: list[Call]) -> list[str]:
    found = (call.args.get("metadata") for call in calls)
    whole = (json.loads(one) if isinstance(one, str) else one for one in found if one)
    return [one["event_payload"]["note"] for one in whole if "note" in one["event_payload"]]


async def test_a_stopped_log_lets_no_message_out_and_loses_none(office: Office, slack: FakeSlack) -> None:
    gate = Gate(slack, HALT)
    await office.file(PE1)
    messenger = parts.sender(office, slack.client(), gate.cover)
    await messenger.drain()
    assert slack.calls == []
    waiting = office.rows("SELECT purpose FROM outbox WHERE done_ms IS NULL")
    assert {"card", "receipt"} <= {row["purpose"] for row in waiting}
    gate.answer = SignedCheckpoint(9, bytes(32), "a note\n")
    office.sleep(MINUTE)
    await messenger.drain()
    assert len(slack.of(POST)) >= 2


async def test_while_the_log_is_stopped_a_form_opens_only_where_it_takes_away(office: Office, slack: FakeSlack) -> None:
    edge = parts.edge(office, slack.client(), Gate(slack, HALT).cover)
    press = ButtonPress(PE1, "1.2", "ask", "", ReplyAddress(PE1), "1.2")
    await edge.open_view(press, {"type": "modal", "blocks": "of a request"})
    await edge.open_view(replace(press, trigger="1.3"), {"type": "modal", "blocks": "of a denial"}, takes_away=True)
    asking, denying = (json.dumps(call.args["view"]) for call in slack.of("views.open"))
    assert "of a request" not in asking
    assert "The decision log is stopped" in asking
    assert "of a denial" in denying


async def test_the_gate_is_asked_for_every_message_before_it_is_sent(office: Office, slack: FakeSlack) -> None:
    gate = Gate(slack, SignedCheckpoint(9, bytes(32), "a note\n"))
    await office.file(PE1)
    await parts.sender(office, slack.client(), gate.cover).drain()
    sent = len(slack.of(POST)) + len(slack.of(CHANGE))
    assert gate.asked >= sent > 0
    assert gate.sent_before < sent


async def test_decision_messages_carry_the_signed_checkpoint_that_covers_the_decision(
    office: Office, slack: FakeSlack, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    make_keys(state)
    begin(state, "test.example/log")
    signer = Signer(office.store.log, state, FileLock(state))
    messenger = parts.sender(office, slack.client(), signer.cover)
    case_id = await office.file(PE1)
    await messenger.drain()
    assert notes(slack.of(POST)) == []  # a question is no decision
    await office.click(OWNER, case_id, "deny")
    decided = max(i for i, entry in enumerate(office.log()) if entry["type"] == "request.denied")
    await messenger.drain()
    told = [*slack.of(POST), *slack.of(CHANGE)]
    key = read_key(state / LOG_KEY).vkey("test.example/log")
    checkpoints = [open_checkpoint(note, [key], verify) for note in notes(told)]
    assert len(checkpoints) >= 3  # the outcome, the owner's card, the receipt
    assert all(checkpoint.size > decided for checkpoint in checkpoints)
    short = checkpoints[0].root.hex()[:12]
    footers = [call.blocks[-1]["elements"][0]["text"] for call in told if notes([call])]
    assert f"Decision log: {checkpoints[0].size} entries, root `{short}`" in footers


async def test_only_outcomes_carry_the_footer(office: Office, slack: FakeSlack) -> None:
    signed = SignedCheckpoint(9, bytes(32), "a note\n")
    messenger = parts.sender(office, slack.client(), Gate(slack, signed).cover)
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id)
    await messenger.drain()
    seen = len(slack.calls)
    await office.forward(MINUTE * 55)  # the warning before the end
    await messenger.drain()
    warned = slack.calls[seen:]
    assert [call for call in warned if "the approval ends at" in str(call.args)]
    assert notes([call for call in warned if "the approval ends at" in str(call.args)]) == []
    seen = len(slack.calls)
    await office.forward(MINUTE * 10)  # it ends, and the review asks
    await messenger.drain()
    ended = slack.calls[seen:]
    assert notes([call for call in ended if "Accept" in call.buttons]) == []
    assert notes([call for call in ended if "*Ended*" in str(call.args)]) != []
