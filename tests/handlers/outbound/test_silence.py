"""How long Slack has answered nothing, by method."""

from __future__ import annotations

from handlers.outbound.silence import Silence

POST, HOME, UPDATE = "chat.postMessage", "views.publish", "chat.update"


def test_a_silence_counts_from_its_first_call_and_ends_with_any_answer() -> None:
    silence = Silence()
    assert silence.lasts(POST, 10.0) == 0.0
    silence.begins(HOME, 10.0, refused=False)
    silence.begins(POST, 50.0, refused=False)
    silence.begins(POST, 60.0, refused=False)
    assert silence.lasts(POST, 80.0) == 70.0
    assert silence.ends(UPDATE, 90.0) == 80.0
    assert silence.lasts(POST, 95.0) == 0.0


def test_a_refusal_ends_only_with_an_answer_to_the_same_method() -> None:
    silence = Silence()
    silence.begins(POST, 10.0, refused=True)
    assert silence.ends(HOME, 20.0) == 0.0
    assert silence.ends("answer", 30.0) == 0.0
    assert (silence.lasts(POST, 80.0), silence.lasts(HOME, 80.0)) == (70.0, 0.0)
    assert silence.ends(POST, 90.0) == 80.0
    assert silence.lasts(POST, 99.0) == 0.0
