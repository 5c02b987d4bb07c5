"""The printed schemas, judged by a foreign validator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

import runbooks
from runbooks.parsing.frontmatter import split
from runbooks.parsing.json_schema import DRAFT, schemas
from runbooks.parsing.yaml_positions import parse

EXAMPLE = Path(runbooks.__file__).parent


def front_matter(file: str, content: bytes) -> Any:
    return parse(file, split(file, content).head or "").value


def is_valid(name: str, value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schemas()[name]).is_valid(value))


def test_both_schemas_are_schemas_of_draft_2020_12_with_words_for_people() -> None:
    for schema in schemas().values():
        assert schema["$schema"] == DRAFT
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["title"].startswith("Countersign")
        for key, part in schema["properties"].items():
            assert part.get("description"), key
        assert '"null"' not in str(schema).replace("'", '"')


def test_the_example_organisation_fits() -> None:
    matrix = EXAMPLE / "responsibility.yaml"
    assert is_valid("matrix", front_matter("responsibility.yaml", matrix.read_bytes()))
    books = [path for path in EXAMPLE.glob("*.md") if path.name != "README.md"]
    assert books
    for path in books:
        assert is_valid("runbook", front_matter(path.name, path.read_bytes())), path.name


@pytest.mark.parametrize(
    ("name", "file", "old", "new"),
    [
        ("matrix", "responsibility.yaml", "owner: olga", "onwer: olga"),
        ("matrix", "responsibility.yaml", "deputies: [U0MDEP]", "deputies: []"),
        ("matrix", "responsibility.yaml", "deputies: [U0MDEP]", "deputies:"),
        ("matrix", "responsibility.yaml", "expires_after: 45m", "expires_after: 45"),
        ("matrix", "responsibility.yaml", "  machines:", "  Machines:"),
        ("matrix", "responsibility.yaml", "contract_until: 2027-03-31", "contract_until: soon"),
        ("runbook", "emergency.md", "approvals: 2", "approvals: 0"),
        ("runbook", "emergency.md", "max_duration: 4h\n", ""),
        ("runbook", "emergency.md", "kind: emergency_access", "kind: emergency"),
        ("runbook", "emergency.md", "targets: targets.csv", "targets: ../targets.csv"),
        ("runbook", "emergency.md", "type: number", "type: integer"),
    ],
)
def test_what_is_wrong_does_not_fit(organisation: dict[str, str], name: str, file: str, old: str, new: str) -> None:
    assert is_valid(name, front_matter(file, organisation[file].encode()))
    assert old in organisation[file]
    assert not is_valid(name, front_matter(file, organisation[file].replace(old, new).encode()))


@pytest.mark.parametrize(
    ("line", "fits"),
    [("due_within: 1h", True), ("right: approval", False), ("max_duration: 4h", False), ("approvals: 1", False)],
)
def test_a_finding_asks_for_no_access(line: str, fits: bool) -> None:
    text = "id: exposure\ntitle: Exposed\nkind: finding\ndomain: directory\nproviders: [northgate]\nescalation: urgent\n"
    assert is_valid("runbook", parse("exposure.md", f"{text}{line}\n").value) is fits
