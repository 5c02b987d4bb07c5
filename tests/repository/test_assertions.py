"""Every test can fail by what it sees: it asserts, or calls a function of the tests that does.

Calls are followed by name through the functions in tests/. A method that shipped code has as well proves nothing, since the call may
go there; a function counts where the file defines it or imports it from tests. NAMED fail by themselves.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[2]
# pytest's and playwright's own, hypothesis' state machines, and the waiters of the sandbox and of the tests, which end in an error.
NAMED = {"raises", "warns", "fail", "expect", "run_state_machine_as_test", "wait_for", "until"}
PARTS = ("bot", "handlers", "storage", "runbooks", "sandbox", "bench")
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function, nested ones and methods included."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def own(tree: ast.AST) -> set[str]:
    """The names that a file of tests defines or imports from tests."""
    imports = (
        node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests.")
    )
    return {f.name for f in functions(tree)} | {alias.name for node in imports for alias in node.names}


def called(function: Function, plain: set[str], ambiguous: set[str]) -> set[str]:
    """The names of the functions that this one calls, those left out that may be shipped code's."""
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    methods = {call.attr for call in calls if isinstance(call, ast.Attribute)} - ambiguous
    names = {call.id for call in calls if isinstance(call, ast.Name)}
    return methods | {name for name in names if name in plain or name in NAMED}


def asserts(function: Function) -> bool:
    """Whether the function itself holds an assertion."""
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Name) and node.id == "AssertionError")
        for node in ast.walk(function)
    )


def without_assertion(sources: Iterable[str], shipped: Iterable[str] = ()) -> list[str]:
    """The tests from which no assertion is reached."""
    ambiguous = {f.name for source in shipped for f in functions(ast.parse(source))} - NAMED
    trees = [ast.parse(source) for source in sources]
    reached = [(f, called(f, plain, ambiguous)) for tree in trees for plain in [own(tree)] for f in functions(tree)]
    helpers = [(f.name, calls) for f, calls in reached if not f.name.startswith("test_")]
    known = NAMED | {f.name for f, _ in reached if asserts(f) and not f.name.startswith("test_")}
    while more := {name for name, calls in helpers if calls & known} - known:
        known |= more
    return [f.name for f, calls in reached if f.name.startswith("test_") and not (asserts(f) or calls & known)]


def test_every_test_reaches_an_assertion() -> None:
    tests, shipped = sorted((ROOT / "tests").rglob("*.py")), [p for part in PARTS for p in (ROOT / part).rglob("*.py")]
    found = without_assertion((path.read_text() for path in tests), (path.read_text() for path in shipped))
    assert not found, "\n".join(found)


def test_a_test_that_only_calls_is_found() -> None:
    helpers = "def seen(x):\n    assert x\ndef looked(x):\n    seen(x)\ndef run(x):\n    assert x\n"
    here = f"{helpers}def test_a():\n    looked(1)\ndef test_b():\n    print(1)\ndef test_c():\n    bot.run()\ndef test_d():\n    run(1)\n"
    assert without_assertion([here], ["def run():\n    pass\n"]) == ["test_b", "test_c"]
