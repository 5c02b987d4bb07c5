"""What every message carries when it leaves."""

from __future__ import annotations

from bot.ports.commands import ReplyAddress
from bot.ports.records import SignedCheckpoint
from handlers.outbound.message_kinds import Dropped, MessageEdit, NewMessage, Published, Reply
from handlers.outbound.message_marks import finished
from handlers.outbound.shown_messages import digest
from handlers.views.checkpoint import UNSIGNED
from handlers.views.kit.blocks import message, section
from handlers.views.kit.context import ViewContext
from tests.bot.building import OWNER, T0, policy

SIGNED = SignedCheckpoint(7, bytes(32), "a note\n")
SCENE = ViewContext(policy(), T0)
SAID = message("Approved.", [section("Approved.")])


def test_a_decision_carries_the_checkpoint_and_what_it_shows_is_known_without_it() -> None:
    job = finished(MessageEdit("D1", "1.0", SAID), SCENE, SIGNED, mark="1-1", decision=True)
    assert isinstance(job, MessageEdit)
    assert "Decision log: 7 entries" in job.message.text
    assert job.message.note == "a note\n"
    assert job.digest == digest(SAID, True)


def test_a_new_message_carries_its_mark() -> None:
    job = finished(NewMessage("U1", SAID), SCENE, SIGNED, mark="1-1", decision=False)
    assert isinstance(job, NewMessage)
    assert (job.mark, job.message, job.digest) == ("1-1", SAID, digest(SAID, False))


def test_while_the_log_is_stopped_it_says_so_and_nothing_is_known() -> None:
    job = finished(MessageEdit("D1", "1.0", SAID), SCENE, None, mark="", decision=True)
    assert isinstance(job, MessageEdit)
    assert UNSIGNED in job.message.text
    assert job.digest == ""


def test_an_answer_carries_no_checkpoint() -> None:
    job = finished(Reply(ReplyAddress(OWNER), SAID), SCENE, SIGNED, mark="1-1", decision=True)
    assert job == Reply(ReplyAddress(OWNER), SAID)


def test_views_stay_as_they_are() -> None:
    for job in (Published("U1", {}), Dropped("no_longer_open")):
        assert finished(job, SCENE, SIGNED, mark="1-1", decision=True) is job
