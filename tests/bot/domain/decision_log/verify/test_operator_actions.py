"""The acts of operators, judged again by the policy that they name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.decision_log.verify.operator_actions import OperatorActs
from bot.domain.policy.people import Humans
from tests.bot.building import AUDIT, OWNER, PE1, RISK, policy

BASE = replace(policy(), auditors=(AUDIT,))
PEOPLE = {"sub_a": str(AUDIT), "sub_r": str(RISK), "sub_o": str(OWNER), "sub_p": str(PE1)}
RUNS = {
    "erase": {"type": "privacy.erased", "data": {"subject": "sub_p", "digests": []}},
    "hold_release": {"type": "hold.released", "data": {"subject": "sub_p", "hold": "H-1"}},
    "prune": {"type": "log.pruned", "data": {"minimum": 256}},
}
ABOUT = {"erase": {"subject": "sub_p"}, "hold_release": {"subject": "sub_p", "hold": "H-1"}, "prune": {}}


def judged(acts: OperatorActs, entries: list[dict[str, Any]], base: Any = BASE) -> list[str]:
    return [code for entry in entries for code, _ in acts.faults(entry, base)]


def filed(act: str, **about: Any) -> dict[str, Any]:
    return {"type": "operator.filed", "data": {"act": act, "id": "O-1", **(ABOUT[act] | about)}}


def yes(ref: str, party: str = "home", *roles: str) -> dict[str, Any]:
    data = {"act": "x", "id": "O-1", "roles": list(roles)}
    return {"type": "operator.confirmed", "actor": {"kind": "person", "ref": ref, "party": party}, "data": data}


@pytest.mark.parametrize("act", list(RUNS))
def test_what_an_auditor_and_a_risk_owner_confirmed_is_well(act: str) -> None:
    assert judged(OperatorActs(PEOPLE), [filed(act), yes("sub_a"), yes("sub_r"), RUNS[act], RUNS[act]]) == []


@pytest.mark.parametrize("act", list(RUNS))
@pytest.mark.parametrize("voices", [[], [yes("sub_a")], [yes("sub_r")], [yes("sub_a"), yes("sub_a")]])
def test_what_ran_without_both_is_named(act: str, voices: list[dict[str, Any]]) -> None:
    assert judged(OperatorActs(PEOPLE), [filed(act), *voices, RUNS[act]]) == ["policy"]


def test_an_act_about_somebody_else_has_no_effect() -> None:
    entries = [filed("erase", subject="sub_o"), yes("sub_a"), yes("sub_r"), RUNS["erase"]]
    assert judged(OperatorActs(PEOPLE), entries) == ["policy"]


def test_one_human_with_two_accounts_is_one_voice() -> None:
    base = replace(BASE, humans=Humans.joined([[AUDIT.user, RISK.user]]))
    assert judged(OperatorActs(PEOPLE), [filed("prune"), yes("sub_a"), yes("sub_r"), RUNS["prune"]], base) == ["policy"]


@pytest.mark.parametrize(
    ("voice", "code"), [(yes("sub_o"), "policy"), (yes("sub_p"), "party"), (yes("sub_a", "northgate"), "party")]
)
def test_a_confirmation_of_somebody_else_is_named(voice: dict[str, Any], code: str) -> None:
    assert judged(OperatorActs(PEOPLE), [filed("prune"), voice]) == [code]


def test_erased_people_count_as_their_entries_claim() -> None:
    entries = [filed("prune"), yes("sub_x", "home", "auditor"), yes("sub_y", "home", "risk_owner"), RUNS["prune"]]
    assert judged(OperatorActs(PEOPLE), entries) == []


def test_after_a_pruning_it_is_unknown() -> None:
    assert judged(OperatorActs(PEOPLE, blind=True), [RUNS["erase"]]) == []
