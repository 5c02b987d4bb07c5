"""The tests mirror the tree: a module's test has its name, so that a reader finds one from the other."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPANNING = {"end_to_end", "repository", "rules", "slack"}  # what spans modules, by what it is about
TESTS = [
    path.relative_to(ROOT / "tests")
    for path in sorted((ROOT / "tests").rglob("*.py"))
    if path.relative_to(ROOT / "tests").parts[0] not in SPANNING
]


def is_mirrored(test: Path, root: Path) -> bool:
    """A test module's subject is a module, a package or a shipped file of the same name, in the same folder."""
    subject = test.stem.removeprefix("test_")
    return any(found.stem.lower() == subject for found in (root / test.parent).glob("*"))


@pytest.mark.parametrize("test", [path for path in TESTS if path.name.startswith("test_")], ids=str)
def test_a_test_has_the_name_of_its_subject(test: Path) -> None:
    assert is_mirrored(test, ROOT), (
        f"tests/{test} has no {test.parent}/{test.stem.removeprefix('test_')}: move it, or to tests/rules"
    )


@pytest.mark.parametrize("folder", sorted({path.parent for path in TESTS} - {Path()}), ids=str)
def test_a_folder_of_tests_has_the_name_of_a_package(folder: Path) -> None:
    assert (ROOT / folder).is_dir()


def test_a_test_without_a_subject_is_found(tmp_path: Path) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "clock.py").touch()
    assert is_mirrored(Path("bot/test_clock.py"), tmp_path)
    assert not is_mirrored(Path("bot/test_clocks.py"), tmp_path)
