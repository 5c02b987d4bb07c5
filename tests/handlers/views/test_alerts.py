"""The announcement of a changed policy: sentences, their number bounded, no text of a policy file is markup."""

from __future__ import annotations

from handlers.views.alerts import policy_gain
from handlers.views.kit.context import ViewContext
from tests.bot.building import T0, policy

SCENE = ViewContext(policy(), T0)
DATA = {
    "domain": "Directory",
    "people": ["T0HOME/U0DEP1"],
    "runbooks": ["Unlock"],
    "rules": ["Unlock: approvals"],
    "counts_from": 0,
}


def test_sentences_say_what_changes_in_place_of_keys() -> None:
    text = policy_gain({**DATA, "sentences": ["From now on Dev may approve resets of the Directory."]}, SCENE).text
    assert text.splitlines()[:3] == [
        "*The policy for Directory has changed.*",
        "New or higher authority: <@U0DEP1>.",
        "• From now on Dev may approve resets of the Directory.",
    ]
    assert "Easier:" not in text


def test_what_an_earlier_version_queued_is_still_said() -> None:
    text = policy_gain(DATA, SCENE).text
    assert "New, or easier to get: Unlock." in text
    assert "Easier: Unlock: approvals." in text


def test_many_long_sentences_fit_into_slacks_blocks() -> None:
    view = policy_gain({**DATA, "sentences": [f"{n} " + "x" * 290 for n in range(30)]}, SCENE)
    assert "and 10 more changes" in "".join(block["text"]["text"] for block in view.blocks)
    assert all(len(block["text"]["text"]) <= 3000 for block in view.blocks)


def test_a_sentence_holds_no_markup() -> None:
    text = policy_gain({**DATA, "sentences": ["“<!channel> *x*” is the new name."]}, SCENE).text
    assert "<!channel>" not in text
