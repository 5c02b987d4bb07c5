"""`matrix --diff`: folders and digests, the exit code says whether something differs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.ports.records import StoredPolicy
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from tests.bot.building import T0
from tests.bot.office import HandClock
from tests.conftest import EXAMPLE
from tests.database import open_store, url


def typed(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["matrix", "--diff", *words])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    """The example's policy, and one in which Dev is no deputy."""
    ignore = shutil.ignore_patterns("*.py", "__pycache__")
    one, other = (Path(shutil.copytree(EXAMPLE, tmp_path / name, ignore=ignore)) for name in ("one", "other"))
    path = one / "responsibility.yaml"
    path.write_text(path.read_text().replace("deputies: [dev, maeve]", "deputies: [maeve]"))
    return str(one), str(other)


def test_a_difference_is_1_and_a_sentence(two: tuple[str, str]) -> None:
    code, text, _ = typed(*two)
    assert code == 1
    assert "From now on Dev Rao may approve resets and emergency access of the Corporate directory, as a deputy.\n" in text
    for question in ("Who decides", "What needs a yes", "Wider", "Narrower", "From when", "Who is told", "What to do"):
        assert f"\n{question}: " in text
    code, text, _ = typed(*two, "--json")
    assert (code, json.loads(text)["differs"]) == (1, True)
    assert json.loads(text)["effects"]["Wider"].startswith("what Dev Rao may decide in Corporate directory")
    assert len(json.loads(text)["sentences"]) == 2


def test_no_difference_is_0_also_where_only_a_comment_changed(two: tuple[str, str]) -> None:
    same = Path(two[1] + "2")
    shutil.copytree(two[1], same)
    (same / "responsibility.yaml").write_text("# a comment\n" + (same / "responsibility.yaml").read_text())
    assert typed(two[1], str(same))[:2] == (0, "Nothing that the matrix says is different.\n")
    assert json.loads(typed(two[1], str(same), "--json")[1])["sentences"] == []


async def test_digests_name_what_the_bot_accepted(
    two: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    path = tmp_path / "countersign.db"
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(path))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    loaded = load_files(read_folder(Path(two[0]))).policy
    assert loaded is not None
    store = await open_store(path, HandClock(T0), "test.example/log")
    await store.policies.accept(StoredPolicy(loaded.digest, T0, loaded.files), [])
    await store.close()
    for digest in (loaded.digest, loaded.digest[:12], loaded.digest[:8].upper()):
        code, text, errors = await asyncio.to_thread(typed, digest, two[1])
        assert (code, errors) == (1, "")
        assert "Dev Rao" in text
    assert (await asyncio.to_thread(typed, loaded.digest, two[0]))[0] == 0
    code, _, errors = await asyncio.to_thread(typed, "0" * 12, two[1])
    assert (code, "never accepted" in errors) == (2, True)


def test_wrong_use_is_2(two: tuple[str, str]) -> None:
    assert typed(two[0], "nowhere")[0] == 2
    assert typed(two[0], "abcdef")[0] == 2
