"""`countersign report evidence`, as somebody on the host types it."""

from __future__ import annotations

import filecmp
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.domain.errors import CountersignError
from tests.bot.cli.test_permit import case_id as case_id
from tests.bot.reports.conftest import year as year

pytestmark = pytest.mark.sqlite  # it reads the file of a log that was written once

YEAR = ("--from", "2020-01-01", "--to", "2099-12-31")


def type_(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return 2 if isinstance(done.exception, CountersignError) else done.exit_code, done.stdout, done.stderr


def types(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as raw:
        return [row[0] for row in raw.execute("SELECT type FROM log_entry ORDER BY idx")]


def test_a_pack_is_made_twice_alike_and_the_log_knows_of_both(case_id: str, tmp_path: Path) -> None:
    before = types(tmp_path / "countersign.db")
    for name in ("one", "two"):
        code, said, wrong = type_("report", "evidence", *YEAR, "--out", tmp_path / name)
        assert (code, wrong) == (0, ""), said
        assert type_("log", "verify", "--export", tmp_path / name)[0] == 0
    assert types(tmp_path / "countersign.db")[len(before) :] == ["log.exported", "log.exported"]
    names = [p.relative_to(tmp_path / "one").as_posix() for p in (tmp_path / "one").rglob("*") if p.is_file()]
    _, different, errors = filecmp.cmpfiles(tmp_path / "one", tmp_path / "two", names, shallow=False)
    assert (different, errors) == ([], [])
    assert case_id in (tmp_path / "one" / "requests.csv").read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "2026-13-01", "--to", "2026-12-31"), "is no day"),
        (("--from", "2026-12-31", "--to", "2026-01-01"), "is before"),
        ((*YEAR, "--provider", "nobody"), "knows no provider 'nobody'"),
        ((*YEAR, "--domain", "nothing"), "knows no domain 'nothing'"),
        ((*YEAR, "--framework", "cobit"), "'cobit'"),
    ],
)
def test_wrong_use_is_a_sentence_and_writes_nothing(
    case_id: str, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    code, said, wrong = type_("report", "evidence", *words, "--out", tmp_path / "out")
    assert code == 2
    assert says in " ".join((said + wrong).split())
    assert not (tmp_path / "out").exists()


def test_a_log_with_findings_is_refused_or_stamped(case_id: str, tmp_path: Path) -> None:
    assert type_("report", "evidence", *YEAR, "--out", tmp_path / "good")[0] == 0
    with closing(sqlite3.connect(tmp_path / "countersign.db")) as raw, raw:
        raw.execute("DELETE FROM log_private WHERE digest IN (SELECT digest FROM log_private LIMIT 1)")
    code, _, _ = type_("report", "evidence", *YEAR, "--out", tmp_path / "refused")
    assert code == 1
    assert [p.name for p in (tmp_path / "refused").iterdir()] == ["FINDINGS.txt"]
    code, _, _ = type_("report", "evidence", *YEAR, "--out", tmp_path / "stamped", "--with-findings")
    assert code == 1
    assert 'class="stamp"' in (tmp_path / "stamped" / "index.html").read_text()
    assert json.loads((tmp_path / "stamped" / "pack.json").read_text())["population"] == 1


@pytest.fixture
def of_the_year(year: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", f"sqlite:///{year}")
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(year.parent / "state"))


@pytest.mark.usefixtures("of_the_year")
@pytest.mark.parametrize("what", ["matrix", "reviews", "exceptions"])
def test_registers_are_printed_as_text_json_or_a_page(tmp_path: Path, what: str) -> None:
    code, said, wrong = type_("report", what)
    assert (code, wrong) == (0, "")
    assert said.strip()
    code, said, _ = type_("report", what, "--json")
    assert code == 0
    assert isinstance(json.loads(said), dict)
    code, said, _ = type_("report", what, "--html", tmp_path / "page.html")
    assert (code, said) == (0, f"Written to {tmp_path / 'page.html'}.\n")
    assert (tmp_path / "page.html").read_text().lstrip().lower().startswith("<!doctype html>")


@pytest.mark.usefixtures("of_the_year")
@pytest.mark.parametrize("what", ["reviews", "exceptions"])
def test_a_register_of_somebody_unknown_is_wrong_use(what: str) -> None:
    for option in ("--provider", "--domain"):
        code, said, wrong = type_("report", what, option, "nobody")
        assert code == 2
        assert "'nobody'" in said + wrong


@pytest.mark.usefixtures("of_the_year")
def test_the_reported_matrix_is_that_of_the_log_and_not_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIGN_RUNBOOKS_DIR", str(tmp_path / "nothing"))
    code, said, _ = type_("report", "matrix", "--json")
    assert code == 0
    assert json.loads(said)["organisation"] == "Example Large Organisation"


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize(
    "words",
    [
        ("provider", "alder", "--month", "2025-06"),
        ("owner", "owner-vault", "--month", "2025-06"),
        ("reviews",),
        ("exceptions",),
    ],
)
def test_a_report_over_a_log_with_findings_is_stamped(
    year: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], keys: bool
) -> None:
    """`keys`: on the bot's own host; else of a copy of the database alone."""
    shutil.copy(year, tmp_path / "copy.db")
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", f"sqlite:///{tmp_path / 'copy.db'}")
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(year.parent / "state" if keys else tmp_path / "none"))
    code, said, _ = type_("report", *words, "--json")
    assert (code, [flag for flag in json.loads(said)["flags"] if "This log" in flag]) == (0, [])
    with closing(sqlite3.connect(tmp_path / "copy.db")) as raw, raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("UPDATE log_entry SET data = CAST(replace(data, 'owner', 'ownex') AS BLOB) WHERE idx = 40")
    code, said, _ = type_("report", *words, "--json")
    assert code == 1
    assert json.loads(said)["flags"][0].startswith("This log has ")
    assert "\n! This log has " in type_("report", *words)[1]
