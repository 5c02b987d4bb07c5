"""Who somebody is, and which accounts are one human."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy.people import Humans, Person, Ref

USERS = st.sampled_from([f"U{n}" for n in range(8)])
PAIRS = st.lists(st.lists(USERS, min_size=2, max_size=2), max_size=8)


def test_a_person_is_written_as_team_and_user_and_read_back() -> None:
    assert str(Person("T0HOME", "U0OWNER")) == "T0HOME/U0OWNER"
    assert Person.parse("T0HOME/U0OWNER") == Person("T0HOME", "U0OWNER")


@pytest.mark.parametrize("text", ["", "U0OWNER", "T0HOME/", "/U0OWNER", "/"])
def test_what_is_not_team_and_user_is_no_person(text: str) -> None:
    with pytest.raises(ValueError, match="TEAM/USER"):
        Person.parse(text)


def test_the_same_user_id_in_another_workspace_is_another_account() -> None:
    assert Person("T0HOME", "U0OWNER") != Person("T0OTHER", "U0OWNER")


def test_a_ref_matches_its_user_in_its_teams_only() -> None:
    ref = Ref("U0PE1", frozenset({"T0HOME", "T0PROV"}))
    assert ref.matches(Person("T0PROV", "U0PE1"))
    assert not ref.matches(Person("T0OTHER", "U0PE1"))
    assert not ref.matches(Person("T0HOME", "U0PE2"))


def test_equal_user_ids_are_one_human_whatever_the_team() -> None:
    assert Humans().same(Person("T0HOME", "U0A"), Person("T0PROV", "U0A"))
    assert not Humans().same(Person("T0HOME", "U0A"), Person("T0HOME", "U0B"))


@given(pairs=PAIRS, a=USERS, b=USERS)
def test_same_person_joins_transitively(pairs: list[list[str]], a: str, b: str) -> None:
    reachable = {a}
    for _ in pairs:
        for pair in pairs:
            if reachable & set(pair):
                reachable |= set(pair)
    humans = Humans.joined(pairs)
    assert humans.same(Person("T0HOME", a), Person("T0PROV", b)) == (b in reachable)


@given(pairs=PAIRS, a=USERS)
def test_one_human_has_one_key_in_whatever_order_the_pairs_are(pairs: list[list[str]], a: str) -> None:
    person = Person("T0HOME", a)
    assert Humans.joined(pairs).key(person) == Humans.joined(reversed(pairs)).key(person)
