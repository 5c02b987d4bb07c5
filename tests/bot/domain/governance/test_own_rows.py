"""The name under which a person's own rows of the matrix are kept."""

from __future__ import annotations

from bot.domain.governance.own_rows import about_rows_of, is_about_rows
from tests.bot.building import OWNER, RISK


def test_each_person_has_a_name_of_their_own_that_names_nobody() -> None:
    assert about_rows_of(OWNER) != about_rows_of(RISK)
    assert OWNER.user not in about_rows_of(OWNER)
    assert is_about_rows(about_rows_of(OWNER))
    assert not any(map(is_about_rows, (None, "R-1", "V-1", "O-1")))
