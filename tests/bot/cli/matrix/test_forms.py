"""The matrix as text, JSON and CSV says the same: one A an activity, never a provider's, contracts, dates and consent."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime

from bot.cli.matrix.forms import CSV_COLUMNS, as_json, lines, sheet
from bot.domain.governance.matrix import Consent
from bot.domain.policy.governance import OwnerTerm
from bot.domain.policy.model import Limit, NamedPerson, Policy
from tests.bot.building import DEP1, OWNER, RISK, T0, policy, runbook, with_domain

NOBODY_YET: dict[str, Consent] = {}
PEOPLE = (
    NamedPerson("olga", OWNER, "Olga Novak"),
    NamedPerson("ruth", RISK, "Ruth Adeyemi"),
    NamedPerson("dev", DEP1, "Dev Rao"),
)


def named(**changes: object) -> Policy:
    return policy(people=PEOPLE, **changes)


def sheet_rows(base: Policy, consents: dict[str, Consent] = NOBODY_YET) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sheet(base, consents))))


def test_json_keeps_what_it_had_and_has_one_a_an_activity_never_a_providers(example: Policy) -> None:
    data = json.loads(json.dumps(as_json(example, T0, NOBODY_YET)))
    assert {"organisation", "digest", "domains", "runbooks", "auditors"} <= set(data)
    ids = {str(p.person) for p in example.people if example.provider_of(p.person) is None}
    assert {r["id"] for r in data["runbooks"]} == set(example.runbooks)
    for row in data["runbooks"]:
        assert row["informed"]["I"][0]["channel"] == example.domains[row["domain"]].channel
        for activity in row["activities"]:
            (accountable,) = activity["letters"]["A"]
            assert accountable["id"] in ids


def test_csv_has_a_line_an_activity_with_one_a_that_is_no_providers(example: Policy) -> None:
    found = sheet_rows(example)
    assert tuple(found[0]) == CSV_COLUMNS
    assert len(found) == 6 * len(example.runbooks)
    home = {p.name for p in example.people if example.provider_of(p.person) is None}
    for row in found:
        (person, _) = row["A"].split("; ")[0].split(" (")
        assert person in home
        assert row["I"] == example.domains[row["domain"]].channel


def test_no_cell_starts_a_formula() -> None:
    base = with_domain(policy(), risk_statement="=1+1")
    assert all(row["risk_statement"] == "'=1+1" for row in sheet_rows(base) if row["domain"] == "directory")


def test_text_says_the_letters_under_each_runbook() -> None:
    text = "\n".join(lines(named(), T0, NOBODY_YET))
    book = text.split("  double: approval, 2 approvals; asked by Northgate, Watchfield\n")[1].split("\n  pair:")[0]
    assert book.splitlines() == [
        "      With authorisation: needs 2 approvals; at most 4 hours",
        "      Ask            R requester (Northgate), requester (Watchfield) · A Olga Novak (owner)",
        "      Execute        R requester (Northgate), requester (Watchfield) · A Olga Novak (owner)",
        "      Decide         R Dev Rao (deputy, once reached), U0DEP2 (deputy, once reached), U0ONC1 (on-call, once reached), "
        "U0ONC2 (on-call, once reached), Ruth Adeyemi (risk owner, required beside) · A Olga Novak (owner) · "
        "C lead (Northgate), lead (Watchfield)",
        "      Evidence       R requester (Northgate), requester (Watchfield) · A Olga Novak (owner)",
        "      Review         A Olga Novak (owner)",
        "      Residual risk  A Ruth Adeyemi (risk owner)",
        "      Review of what the owner alone approved: A Ruth Adeyemi (risk owner)",
        "      Informed       I C0DIRECTORY",
    ]


def test_a_standing_consent_says_who_kept_it_and_when_it_is_due() -> None:
    right = runbook(
        "unlock", right="autonomous", escalation=None, sha256="aa", limit=Limit(5, 7 * 86400), review_every=180 * 86400
    )
    consent = {"aa": Consent(OWNER, datetime(2026, 10, 2, tzinfo=UTC), datetime(2027, 4, 2, tzinfo=UTC))}
    base = named(runbooks=[right])
    says = "standing consent: Olga Novak, kept 2026-10-02, due 2027-04-02"
    assert f"      By itself: at most 4 hours, 5 in 7 days; {says}" in list(lines(base, T0, consent))
    assert {row["standing_consent"] for row in sheet_rows(base, consent)} == {says}
    (row,) = as_json(base, T0, consent)["runbooks"]  # type: ignore[misc]
    assert row["standing_consent"] == {
        "by": {"id": str(OWNER), "name": "Olga Novak"},
        "kept": "2026-10-02",
        "due": "2027-04-02",
    }
    taken = {"aa": Consent(taken_at=datetime(2026, 10, 2, tzinfo=UTC))}
    says = "standing consent: taken away by a review on 2026-10-02; needs a yes each time"
    assert f"      With authorisation: {says}; at most 4 hours" in list(lines(base, T0, taken))
    never = "standing consent: Olga Novak, not reviewed yet, reviewed every 180 days"
    assert never in "\n".join(lines(base, T0, NOBODY_YET))


def test_contract_dates_service_and_risk_statement_are_in_every_form() -> None:
    northgate = replace(policy().providers["northgate"], contract_from=date(2026, 1, 1), service="Runs the directory")
    base = with_domain(named(providers=[northgate, policy().providers["watchfield"]]), risk_statement="Two admins remain.")
    text = list(lines(base, T0, NOBODY_YET))
    assert "Northgate (northgate): contract NMI-1 from 2026-01-01 until 2027-03-31; service: Runs the directory" in text
    assert "  residual risk: Two admins remain." in text
    first = sheet_rows(base)[0]
    assert (first["contract_from"], first["contract_until"]) == ("2026-01-01; ", "2027-03-31; ")
    assert (first["services"], first["risk_statement"]) == ("Runs the directory; ", "Two admins remain.")
    data = json.loads(json.dumps(as_json(base, T0, NOBODY_YET)))
    assert data["providers"][0] == {
        "id": "northgate", "name": "Northgate", "contract": "NMI-1", "contract_from": "2026-01-01",
        "contract_until": "2027-03-31", "service": "Runs the directory",
    }  # fmt: skip
    assert data["domains"][0]["risk_statement"] == "Two admins remain."


def test_a_domain_that_nobody_owns_is_vacant_in_every_form() -> None:
    dated = with_domain(named(), terms=(OwnerTerm(OWNER, None, date(2026, 12, 31)),)).on(date(2027, 1, 1))
    text = "\n".join(lines(dated, T0, NOBODY_YET))
    assert "  owner        VACANT\n" in text
    assert "VACANT: nobody owns this domain; Ruth Adeyemi answers as risk owner" in text
    assert "owner until 2026-12-31: Olga Novak" in text
    assert {row["vacant"] for row in sheet_rows(dated) if row["domain"] == "directory"} == {"VACANT"}
    directory = json.loads(json.dumps(as_json(dated, T0, NOBODY_YET)))["domains"][0]
    assert (directory["vacant"], directory["owner"], directory["answers"]["name"]) == (True, None, "Ruth Adeyemi")
    assert directory["owners"] == [
        {"person": {"id": str(OWNER), "name": "Olga Novak"}, "from": None, "until": "2026-12-31"}
    ]  # fmt: skip
