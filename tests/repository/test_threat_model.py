"""The threat model's claims rest on tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security" / "threat-model.md").read_text()
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
NAMED = sorted(set(_TEST.findall(TEXT)))
WHO = ("A provider's engineer", "A provider's lead", "A provider that administers Slack", "A policy author",
       "The host's administrator", "A backup operator", "Somebody who hands an auditor an export")  # fmt: skip


def is_defined(file: str, name: str) -> bool:
    """Whether the file defines a test of this name."""
    path = ROOT / file
    return path.is_file() and re.search(rf"^\s*(async )?def {name}\(", path.read_text(), re.MULTILINE) is not None


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    assert is_defined(file, name), f"{file} has no {name}: name the test that shows it now"


def test_a_test_that_does_not_exist_is_found() -> None:
    assert is_defined("tests/repository/test_threat_model.py", "test_a_test_that_does_not_exist_is_found")
    assert not is_defined("tests/repository/test_threat_model.py", "test_nobody_wrote")
    assert not is_defined("tests/repository/test_nowhere.py", "test_nobody_wrote")


@pytest.mark.parametrize("who", WHO)
def test_everybody_has_a_section_with_tests_and_what_remains(who: str) -> None:
    section = next(part for part in TEXT.split("\n## ") if part.startswith(who))
    assert _TEST.search(section)
    assert "**Remains" in section


def test_every_row_names_its_test() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| they try")]
    assert rows
    assert [row for row in rows if not _TEST.search(row)] == []
