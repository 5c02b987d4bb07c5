"""Whom a name on the command line means."""

from __future__ import annotations

import pytest

from bot.domain.authority.person_lookup import named
from bot.domain.policy.model import NamedPerson
from bot.domain.policy.people import Person
from tests.bot.building import AUDIT, DEP1, HOME, ONC2, OWNER, STRANGER, policy, with_domain

BASE = policy(people=(NamedPerson("olga", OWNER, "Olga Novak"),))


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("olga", OWNER), ("U0OWNER", OWNER), (f"{HOME}/U0OWNER", OWNER), ("U0DEP1", DEP1), ("U0ONC2", ONC2),
        ("U0AUDIT", AUDIT), ("Olga Novak", None), ("u0owner", None), ("", None), (str(STRANGER), None), ("U0PE1", None),
    ],
)  # fmt: skip
def test_a_label_an_id_or_both_ids_name_a_person_of_the_policy(text: str, person: Person | None) -> None:
    assert named(BASE, text) == person


def test_an_id_that_two_workspaces_share_names_nobody_without_its_team() -> None:
    twin = Person("T0SECOND", "U0DEP1")
    base = with_domain(BASE, "machines", owner=twin)
    assert named(base, "U0DEP1") is None
    assert named(base, "T0SECOND/U0DEP1") == twin
