"""What the command line prints of policy."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.cli.printing.policy import matrix, matrix_lines, timeline, timeline_lines
from bot.domain.policy.model import NamedPerson, Policy
from bot.domain.policy.signing import Signature
from bot.domain.workflow.timeline import Timeline, explain
from tests.bot.building import HERE, OWNER, T0, away, policy


@pytest.fixture
def named() -> Policy:
    return policy(people=(NamedPerson("olga", OWNER, "Olga Novak"),))


def told(base: Policy, runbook_id: str) -> Timeline:
    return explain(base, base.runbooks[runbook_id], T0, HERE, 1)


def test_the_matrix_says_who_answers_for_what(named: Policy) -> None:
    lines = list(matrix_lines(named, T0))
    assert lines[0] == f"Example Health Trust · policy {named.digest[:12]}"
    assert "Corporate directory (directory)" in lines
    assert "  owner        Olga Novak (U0OWNER)" in lines
    assert "  deputies     U0DEP1, U0DEP2" in lines
    assert "  on call now  U0ONC1 until Wed 2026-03-04 12:00 UTC, then U0ONC2" in lines
    assert "  risk owner   U0RISK" in lines
    assert "  double: approval, 2 approvals; asked by Northgate, Watchfield" in lines
    assert "  unlock: autonomous; asked by Northgate, Watchfield" in lines


def test_a_role_that_a_domain_lacks_has_no_line(named: Policy) -> None:
    text = "\n".join(matrix_lines(named, T0))
    machines = text.split("Machines (machines)")[1]
    assert "risk owner" not in machines
    assert "on call" not in machines


def test_the_matrix_as_json_names_ids_and_digests(named: Policy) -> None:
    data = json.loads(json.dumps(matrix(named, T0)))
    (directory, machines) = data["domains"]
    assert directory["owner"] == {"id": "T0HOME/U0OWNER", "name": "Olga Novak"}
    assert directory["on_call_now"]["id"] == "T0HOME/U0ONC1"
    assert (directory["on_call_until"], directory["on_call_next"]["id"]) == ("2026-03-04T12:00:00.000Z", "T0HOME/U0ONC2")
    assert (machines["on_call_now"], machines["risk_owner"]) == (None, None)
    assert {r["id"]: r["approvals"] for r in data["runbooks"]}["double"] == 2
    assert data["digest"] == named.digest


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ("none", ""),
        ("required", " signed with a passkey"),
        ("device_bound", " signed with a passkey that cannot be synced"),
    ],
)
def test_matrix_and_explain_say_what_a_yes_is_signed_with(named: Policy, signature: Signature, words: str) -> None:
    runbooks = {id_: replace(book, signature=signature) for id_, book in named.runbooks.items()}
    signed = replace(named, runbooks=runbooks)
    assert f"  double: approval, 2 approvals{words}; asked by Northgate, Watchfield" in list(matrix_lines(signed, T0))
    assert f"needs 1 approval{words}; filed at" in "\n".join(
        timeline_lines(signed, signed.runbooks["emergency"], told(named, "emergency"))
    )
    assert {row["signature"] for row in json.loads(json.dumps(matrix(signed, T0)))["runbooks"]} == {signature}


def test_a_timeline_reads_like_what_will_happen(named: Policy) -> None:
    lines = list(timeline_lines(named, named.runbooks["emergency"], told(named, "emergency")))
    assert lines == [
        "The emergency runbook (emergency) · Corporate directory",
        "approval: nothing happens before the yes",
        "needs 1 approval; filed at 2026-03-04T09:00:00.000Z",
        "on call: U0ONC1 until Wed 2026-03-04 12:00 UTC, then U0ONC2",
        "       +0m  asks Olga Novak (U0OWNER)",
        "       +3m  reminds Olga Novak (U0OWNER)",
        "       +5m  asks U0DEP1, U0DEP2",
        "      +10m  asks U0ONC1, by page too",
        "      +15m  asks U0RISK",
        "      +45m  expires: nothing opens",
        "a yes is possible from +0m on",
    ]


def test_required_roles_and_skipped_steps_are_reported(named: Policy) -> None:
    strict = "\n".join(timeline_lines(named, named.runbooks["double"], told(named, "double")))
    assert "needs 2 approvals, the risk owner among them" in strict
    assert "risk owner: skipped, already asked" in strict


def test_a_quorum_that_nobody_could_bring_is_reported(named: Policy) -> None:
    gone = away(**dict.fromkeys(("U0OWNER", "U0DEP1", "U0DEP2", "U0ONC1", "U0ONC2", "U0RISK"), "deactivated"))  # type: ignore[arg-type]
    never = explain(named, named.runbooks["emergency"], T0, gone, 1)
    assert "too few people are ever asked to approve it" in "\n".join(
        timeline_lines(named, named.runbooks["emergency"], never)
    )


def test_what_a_reset_wants_beside_the_yes_is_reported(named: Policy) -> None:
    lines = [*timeline_lines(named, named.runbooks["verified"], told(named, "verified"))]
    lines += timeline_lines(named, named.runbooks["cooling"], told(named, "cooling"))
    assert "before a yes the requester attests: manager callback" in lines
    assert "whenever the yes comes, nothing opens before +30m" in lines


def test_an_autonomous_right_has_no_timeline(named: Policy) -> None:
    lines = list(timeline_lines(named, named.runbooks["unlock"], told(named, "unlock")))
    assert lines[-1] == "autonomous: may execute now; the owner is told"


def test_a_timeline_as_json_counts_seconds_from_the_filing(named: Policy) -> None:
    data = json.loads(json.dumps(timeline(named, named.runbooks["emergency"], told(named, "emergency"))))
    assert [m["after"] for m in data["moments"]] == [0, 180, 300, 600, 900, 2700]
    assert data["earliest_yes"] == data["filed_at"] == "2026-03-04T09:00:00.000Z"
    assert data["moments"][3]["page"] is True
    assert data["moments"][0]["people"] == [{"id": "T0HOME/U0OWNER", "name": "Olga Novak"}]
