"""ARCHITECTURE.md and CONTRIBUTING.md name what exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md")
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
TOPS = ("bot", "handlers", "storage", "runbooks")
_PATH = re.compile(r"`((?:[a-z_.]+/)+[A-Za-z_.]*|[A-Za-z_]+\.(?:md|toml))`")
_RECIPE = re.compile(r"^\*\*(.+?)\*\* \((\d) files?.*?\)\n((?:\d\. .+\n)+)", re.MULTILINE)


def paths(text: str) -> list[str]:
    """Everything in backticks that looks like a path from the root, or a page beside this one."""
    return sorted(set(_PATH.findall(text)))


@pytest.mark.parametrize(("page", "path"), [(page, path) for page in PAGES for path in paths((ROOT / page).read_text())])
def test_a_path_that_is_named_exists(page: str, path: str) -> None:
    assert exists(path), f"{page} names {path}"


def exists(path: str) -> bool:
    """Whether a path from the root exists; a folder alone (`views/`) may lie anywhere in a package of the product."""
    if (ROOT / path).exists():
        return True
    alone = path.count("/") == 1 and path.endswith("/")
    return alone and any(found.is_dir() for top in TOPS for found in (ROOT / top).rglob(path.rstrip("/")))


def test_a_path_that_does_not_exist_is_found() -> None:
    assert exists("bot/clock.py")
    assert exists("views/")
    assert not exists("bot/clocks.py")
    assert not exists("no_such_folder/")


def test_paths_are_found_in_the_pages() -> None:
    assert len(paths(TEXT)) > 50
    assert paths("see `bot/clock.py` and `bot/domain/`, not `yes/no` words") == ["bot/clock.py", "bot/domain/", "yes/no"]


def test_every_package_is_in_the_tree() -> None:
    tree = TEXT.split("## The path")[0]
    packages = {
        path.parent.relative_to(ROOT).as_posix()
        for top in ("bot", "bot/domain")
        for path in (ROOT / top).glob("*/__init__.py")
    }
    said = set(re.findall(r"[a-z_/]+", tree))
    missing = {p for p in packages if f"`{p}/`" not in tree and p.rsplit("/", 1)[-1] not in said}
    assert not missing


def test_recipes_are_short() -> None:
    recipes = _RECIPE.findall(TEXT)
    assert len(recipes) == 5
    for name, _files, steps in recipes:
        assert steps.count("\n") <= 6, name


def test_the_glossary_has_at_most_ten_words() -> None:
    glossary = TEXT.split("## Words of our own")[1]
    assert 5 <= glossary.count("\n| ") - 1 <= 10
