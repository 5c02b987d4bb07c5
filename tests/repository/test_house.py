"""The house stays one that fits in a head: how many modules a package has, how long they and their functions are.

Limits of the layout: `bot/` has at most 12 modules of its own beside its packages, `bot/domain/` only its errors; no package has
more than 25 modules, no module more than 300 lines outside SQL, no function more than 35, and half of them at most 8.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("bot", "handlers", "storage", "runbooks", "sandbox")
MODULES, LINES, FUNCTION, MEDIAN = 25, 300, 35, 8


def modules(*roots: str) -> list[Path]:
    """Every module under these folders; what node installed there is not ours."""
    return sorted(path for root in roots for path in (ROOT / root).rglob("*.py") if "node_modules" not in path.parts)


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Every function's name and length in lines, from `def` to its last line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def name_of(path: Path) -> str:
    """A module as the lists above name it."""
    return path.relative_to(ROOT).as_posix()


def beside(package: Path) -> list[str]:
    """The modules of a package's own folder."""
    return sorted(path.name for path in package.glob("*.py") if path.name != "__init__.py")


def test_bot_has_few_modules_beside_its_packages() -> None:
    assert len(beside(ROOT / "bot")) <= 12, beside(ROOT / "bot")


def test_the_domain_has_its_errors_beside_its_packages() -> None:
    assert beside(ROOT / "bot" / "domain") == ["errors.py"]


@pytest.mark.parametrize("package", sorted({str(path.parent.relative_to(ROOT)) for path in modules(*SHIPPED)}))
def test_a_package_has_at_most_25_modules(package: str) -> None:
    assert len(beside(ROOT / package)) <= MODULES


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {name_of(path): path.read_text().count("\n") for path in modules(*SHIPPED, "bench", "docs", "tools")}
    assert [name for name, length in lengths.items() if length > LINES] == []


def test_no_function_is_longer_than_35_lines() -> None:
    found = [
        (f"{name_of(path)} {name}", length)
        for path in modules(*SHIPPED, "bench", "docs", "tools")
        for name, length in functions(path.read_text())
    ]
    assert [name for name, length in found if length > FUNCTION] == []


def test_half_of_the_functions_have_at_most_8_lines() -> None:
    assert median(length for path in modules(*SHIPPED) for _, length in functions(path.read_text())) <= MEDIAN


def test_a_long_function_is_found_wherever_it_is_defined() -> None:
    source = "class A:\n    async def long(self):\n" + "        pass\n" * 35
    assert list(functions(source)) == [("long", 36)]
