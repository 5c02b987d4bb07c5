"""One answer to whose people are whose: the loader's, the click's, and that of `doctor`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.authority.authorization import Refused, may_decide
from bot.domain.case.click import Refusal
from bot.domain.policy.people import Humans, Person
from bot.domain.policy.provider import provider_of
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from tests.bot.building import DEP1, HOME, NORTHGATE, OTHER, OWNER, PROV, case_of, policy, profile
from tests.conftest import EXAMPLE


def joined(*accounts: Person, users: tuple[str, str]) -> Humans:
    return Humans.joined([users], accounts)


@pytest.mark.parametrize("users", [(OWNER.user, "U0SECOND"), ("U0SECOND", OWNER.user)])
def test_an_account_in_the_workspace_of_a_provider_makes_the_human_theirs(users: tuple[str, str]) -> None:
    second = Person(PROV, "U0SECOND")
    base = replace(policy(), humans=joined(second, users=users))
    assert base.provider_of(OWNER) == NORTHGATE
    assert provider_of(base.providers.values(), base.humans, OWNER) == NORTHGATE
    refused = may_decide(case_of(policy()), case_of(policy()).approval, base, OWNER, profile(OWNER))
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.PARTY


def test_an_account_elsewhere_makes_nobody_a_providers() -> None:
    base = replace(policy(), humans=joined(Person(OTHER, "U0SECOND"), users=(OWNER.user, "U0SECOND")))
    assert base.provider_of(OWNER) is None


def test_accounts_are_joined_over_several_pairs() -> None:
    humans = Humans.joined([[OWNER.user, "U0A"], ["U0A", "U0B"]], [Person(PROV, "U0B")])
    assert provider_of([NORTHGATE], humans, OWNER) == NORTHGATE
    assert provider_of([NORTHGATE], humans, DEP1) is None


def test_the_loader_and_the_click_agree_on_an_account_in_a_providers_workspace() -> None:
    files = dict(read_folder(EXAMPLE))
    matrix = files["responsibility.yaml"].decode()
    pair = f"\nsame_person: [[U0OWNER, {PROV}/U0SECOND]]\n"
    loaded = load_files({**files, "responsibility.yaml": (matrix + pair).encode()})
    assert loaded.policy is None
    assert any("nobody of a provider decides" in finding.text for finding in loaded.errors)


def test_what_the_loader_lets_in_is_no_providers_at_the_click() -> None:
    files = dict(read_folder(EXAMPLE))
    matrix = files["responsibility.yaml"].decode() + f"\nsame_person: [[U0OWNER, {HOME}/U0SECOND]]\n"
    found = load_files({**files, "responsibility.yaml": matrix.encode()}).policy
    assert found is not None
    for domain in found.domains.values():
        assert found.provider_of(domain.owner) is None
