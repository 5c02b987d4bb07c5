"""The house stays one that fits in a head: how many modules a package has, how long they and their functions are.

Limits of the layout: `bot/` has at most 12 modules of its own beside its packages, `bot/domain/` only its errors; no package has
more than 25 modules, no module more than 300 lines outside SQL, no function more than 35, and half of them at most 8.
"""

from __future__ import annotations

import ast
import tomllib
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


def test_no_circle_is_looked_for_in_every_package_that_is_shipped() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (acyclic,) = (contract for contract in contracts if contract["type"] == "acyclic_siblings")
    assert set(acyclic["ancestors"]) == set(SHIPPED)


def test_the_service_holds_use_cases_and_hands_out_no_store_clock_or_policy() -> None:
    """Who needs one of these is given it (`bot.composition`)."""
    source = (ROOT / "bot" / "service" / "approvals.py").read_text()
    (service,) = (n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == "ApprovalService")
    own = {n.attr for n in ast.walk(service) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    own |= {n.name for n in service.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert "transactions" in own
    assert own & {"store", "clock", "policy", "scale", "directory"} == set()


def test_nothing_on_the_way_to_the_store_is_forwarded_unseen() -> None:
    """A method that can give access is written out: a new one cannot skip the fail-safe store."""
    hidden = [name_of(path) for path in modules(*SHIPPED) if "__getattr__" in path.read_text()]
    assert hidden == []


def idle(source: str) -> Iterator[int]:
    """Lines of statements that only compute a value, such as a text that nothing prints."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr):
            value = node.value
            parts = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
            joins = [
                part
                for part in parts
                if isinstance(part, ast.Call) and ast.unparse(part.func).endswith(("'.join", "format"))
            ]
            if joins or not all(
                isinstance(p, ast.Call | ast.Await | ast.Constant | ast.Yield | ast.YieldFrom) for p in parts
            ):
                yield node.lineno


def test_every_statement_does_something() -> None:
    assert [(name_of(path), line) for path in modules(*SHIPPED) for line in idle(path.read_text())] == []
    assert list(idle("say_json(a) if b else ', '.join(a)")) == [1]


def test_a_long_function_is_found_wherever_it_is_defined() -> None:
    source = "class A:\n    async def long(self):\n" + "        pass\n" * 35
    assert list(functions(source)) == [("long", 36)]
