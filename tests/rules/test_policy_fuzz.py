"""Whatever is in the files, the loader answers and does not raise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder

FILES = ("responsibility.yaml", "emergency.md", "breakglass.md", "unlock.md", "exception.md", "targets.csv")
TOKENS = (
    "", "\n", "  ", "\t", ":", ": ", "- ", "[", "]", "{", "}", ",", "'", '"', "#", "&a ", "*a", "!!str ", "<<: ", "|\n", ">", "%YAML 1.1\n",
    "---\n", "...\n", "? ", "~", "null", "true", "-1", "0", "999999999999999999999", "1e999", ".nan", "U0PE1", "T0PROV/U0PE1", "/", "env:",
    "\x00", "\x85", "\u2028", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "\ufeff", "\\ud800", "owner", "(a+)+", "24:00",
)  # fmt: skip

GOVERNED = """
default_escalation: plain
agreement: {every: 365d, window: 30d, unconfirmed: hold}
review: {every: 180d, break_glass_every: 90d, window: 10 working days, silence: narrow}
signing: {rp_id: localhost, origin: 'http://localhost:3000'}
reports: monthly
"""

mutation = st.tuples(st.sampled_from(FILES), st.floats(0, 1), st.integers(0, 40), st.sampled_from(TOKENS))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(TOKENS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
quiet = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_answered(files: dict[str, bytes]) -> None:
    loaded = load_files(files, environment={})
    assert (loaded.policy is None) == bool(loaded.errors)
    for finding in loaded.findings:
        assert finding.line >= 1
        assert finding.text.isprintable(), finding
        assert finding.text.endswith((".", "?")), finding
        assert 0 < len(finding.text) < 1000
    assert list(loaded.findings) == sorted(loaded.findings, key=lambda f: (f.file.encode(), f.line))


@pytest.fixture
def organisation(organisation: dict[str, str]) -> dict[str, str]:
    """With every key at the top of the matrix."""
    matrix = organisation["responsibility.yaml"] + GOVERNED
    return organisation | {"responsibility.yaml": matrix}


@quiet
@given(st.sampled_from(FILES), st.binary(max_size=200))
def test_any_bytes(stored: dict[str, bytes], file: str, content: bytes) -> None:
    assert_answered(stored | {file: content})


@quiet
@given(st.lists(mutation, min_size=1, max_size=4))
def test_mutated_files(organisation: dict[str, str], mutations: list[tuple[str, float, int, str]]) -> None:
    files = dict(organisation)
    for file, place, length, token in mutations:
        start = int(place * len(files[file]))
        files[file] = files[file][:start] + token + files[file][start + length :]
    assert_answered({path: text.encode() for path, text in files.items()})


@quiet
@given(st.data())
def test_any_value_in_the_place_of_any_line(organisation: dict[str, str], data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(FILES[:5]))
    lines = organisation[file].splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    key, colon, _ = lines[number].partition(":")
    value: Any = data.draw(values)
    lines[number] = f"{key}{colon} {json.dumps(value)}"
    assert_answered({path: text.encode() for path, text in (organisation | {file: "\n".join(lines)}).items()})


@quiet
@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8).map(lambda t: t + ".md"), st.binary(max_size=50)))
def test_any_file_names(stored: dict[str, bytes], books: dict[str, bytes]) -> None:
    assert_answered(stored | books)


def test_the_folder_may_hold_anything(tmp_path: Path) -> None:
    for number, content in enumerate(
        (b"", b"---", b"---\n---\n", b"---\n[]\n---\nx", b"---\n- a\n---\nx", b"\xef\xbb\xbf")
    ):
        (tmp_path / f"b{number}.md").write_bytes(content)
        (tmp_path / "responsibility.yaml").write_bytes(content)
        assert_answered(dict(read_folder(tmp_path)))
