"""The reader's own rows on the App Home: by column, with their letters, bounded, and no text of a policy file is markup."""

from __future__ import annotations

from bot.domain.governance.own_letters import own_letters
from bot.domain.policy.model import Runbook
from bot.domain.policy.people import Person
from handlers.views.governance.agreement import own_rows_at_home
from handlers.views.kit.context import ViewContext
from tests.bot.building import OWNER, STRANGER, T0, policy, runbook

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
