"""What follows from a change of policy is said in seven answers, whatever changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from bot.domain.governance.change_effects import effects
from bot.domain.policy.governance import Agreement, OwnerTerm
from bot.domain.policy.model import NamedPerson, Policy
from tests.bot.building import DEP1, DEP2, OWNER, RISK, policy, runbook, with_domain

PEOPLE = tuple(
    NamedPerson(name.lower(), person, name) for name, person in (("Olga", OWNER), ("Dev", DEP1), ("Kim", DEP2), ("Ruth", RISK))
)  # fmt: skip
RESET = runbook("unlock", kind="reset", title="Account unlock", sha256="a")
BASE = policy(people=PEOPLE, runbooks=[RESET])


def with_runbook(base: Policy = BASE, **changes: Any) -> Policy:
    return replace(base, digest="b", runbooks={"unlock": replace(RESET, sha256="b", **changes)})


def test_a_new_deputy_is_wider_and_who_decided_before_is_named() -> None:
    told = effects(with_domain(BASE, deputies=(DEP2,)), with_domain(BASE, deputies=(DEP2, DEP1)))
    assert told["Who decides"].startswith("Corporate directory: the owner Olga, once reached the deputies Kim and Dev, ")
    assert "(before: the owner Olga, once reached the deputies Kim, " in told["Who decides"]
    assert told["What needs a yes"] == "the same as before"
    assert (told["Wider"], told["Narrower"]) == ("what Dev may decide in Corporate directory", "nothing")
    assert told["From when"].startswith(
        "what is narrower, as soon as the bot has loaded the change; what is wider, only for requests filed 15 minutes after that"
    )
    assert told["Who is told"].startswith("the channel of Corporate directory, and Olga, Kim")
    assert told["What to do"] == "nothing"


def test_taking_away_counts_at_once_is_announced_to_nobody_and_asks_nobody() -> None:
    rules = Agreement(365 * 86400, 30 * 86400, "hold")
    base = replace(BASE, agreement=rules)
    told = effects(base, with_runbook(base, approvals=2))
    assert told["What needs a yes"] == "“Account unlock” needs 2 approvals (before: needs 1 approval)"
    assert told["Wider"] == "nothing"
    assert "Account unlock" in told["Narrower"]
    assert told["From when"] == "as soon as the bot has loaded it"
    assert told["Who is told"].startswith("nobody")
    assert told["What to do"] == "nothing"


def test_under_an_agreement_the_owner_confirms_what_gives_more() -> None:
    base = replace(BASE, agreement=Agreement(365 * 86400, 30 * 86400, "hold"))
    told = effects(base, with_runbook(base, right="autonomous", escalation=None))
    assert told["What needs a yes"] == "“Account unlock” needs no yes (before: needs 1 approval)"
    assert "only once it is confirmed" in told["From when"]
    assert told["What to do"] == "Olga confirms 1 row of the matrix, when Countersign asks"


def test_a_first_agreement_is_to_be_confirmed_and_a_later_owner_is_named() -> None:
    rules = Agreement(365 * 86400, 30 * 86400, "hold")
    assert effects(BASE, replace(BASE, digest="b", agreement=rules))["What to do"].startswith("Olga confirms 1 row")
    terms = (OwnerTerm(OWNER, None, date(2026, 12, 31)), OwnerTerm(DEP1, date(2027, 1, 1)))
    told = effects(BASE, with_domain(BASE, terms=terms))
    assert "the owner Olga and from 1 January 2027 Dev, " in told["Who decides"]


def test_of_a_long_change_the_first_few_are_named() -> None:
    many = {f"r{n}": runbook(f"r{n}", title=f"Right {n}") for n in range(12)}
    told = effects(replace(BASE, runbooks={}), replace(BASE, digest="b", runbooks=many))
    assert told["What needs a yes"].endswith("; and 4 more")
