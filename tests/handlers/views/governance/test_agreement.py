"""The reader's own rows on the App Home: by column, with their letters, bounded, and no text of a policy file is markup."""

from __future__ import annotations

from bot.domain.governance.own_letters import own_letters
from bot.domain.policy.model import Runbook
from bot.domain.policy.people import Person
from handlers.views.governance.agreement import OwnMatrix, OwnRow, blocks, own_rows_at_home
from handlers.views.kit.context import ViewContext
from tests.bot.building import OWNER, STRANGER, T0, policy, runbook

SCENE = ViewContext(policy(), T0)
UNLOCK = runbook("unlock", right="autonomous", title="Unlock <!here>")


def shown(*books: Runbook, person: Person = OWNER) -> str:
    base = policy(runbooks=books)
    blocks = own_rows_at_home(tuple(own_letters(base, person)), ViewContext(base, T0))
    return "\n".join(block["text"]["text"] for block in blocks if block["type"] == "section")


def test_each_column_has_its_rows_with_the_readers_letters() -> None:
    lines = shown(runbook("emergency"), UNLOCK).splitlines()
    assert lines == [
        "*Your rows of the responsibility matrix of Example Health Trust*",
        "_By itself_",
        "• Unlock &lt;!here&gt; (Corporate directory): A, answers for it",
        "_With authorisation_",
        "• The emergency runbook (Corporate directory): A, answers for it",
    ]


def test_many_rows_are_cut_with_the_command_that_shows_the_rest() -> None:
    text = shown(*(runbook(f"book{n}") for n in range(25)))
    assert text.count("• ") == 20
    assert text.endswith("… and 5 more: `/countersign matrix`")


def test_who_has_no_part_sees_nothing() -> None:
    assert shown(UNLOCK, person=STRANGER) == ""


def test_one_long_sentence_is_shown_whole_and_many_are_cut_so_that_they_fit() -> None:
    long = "Northgate may " + "ask again and " * 40 + "end."
    one, many = (OwnRow("Unlock", (long,) * count, "v", changed=True) for count in (1, 8))
    text, cut = (blocks(OwnMatrix((row,), "seen", 1, lead=False), SCENE)[-2]["text"]["text"] for row in (one, many))
    assert long in text
    assert len(cut) < 3000
    assert "…" in cut


def test_the_head_says_what_to_do_until_when_and_what_silence_does() -> None:
    for held, then in (
        (True, "Until then what is new in 1 row is not in force"),
        (False, "Without your answer nothing changes"),
    ):
        rows = (OwnRow("Unlock", ("It is new.",), "v", changed=True, held=held),)
        shown = blocks(OwnMatrix(rows, "seen", 1, lead=False, due="31 Dec 2026"), SCENE)
        text = "\n".join(block["text"]["text"] for block in shown if block["type"] == "section")
        assert f"Please confirm 1 of 1 row by 31 Dec 2026. {then}" in text
        assert ("_Not in force until it is confirmed._" in text) is held
