"""`countersign backup` and `restore`, rehearsed: beside an open store, from a damaged copy, onto a younger log, onto a fresh host."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.decision_log.signer_memory import recall, remember
from tests.bot.evidence.conftest import Written
from tests.bot.evidence.conftest import written as written
from tests.bot.evidence.conftest import written_once as written_once
from tests.bot.evidence.test_prepare import Host
from tests.end_to_end.installation import unpacked


class Machine(Host):
    """A host where any command is typed."""

    def run(self, *words: str) -> tuple[int, str]:
        done = self.type(*words)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def machine(written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    written.scribe.sign(written.database)
    return Machine(written, tmp_path, group="")


@pytest.mark.usefixtures("no_umask")
def test_a_backup_beside_an_open_database_is_verified_and_private(machine: Machine) -> None:
    with closing(sqlite3.connect(machine.written.database)) as raw:
        raw.execute("BEGIN")
        raw.execute("SELECT count(*) FROM log_entry").fetchone()
        code, said = machine.run("backup", "copy.db")
    assert (code, "is verified" in said, "The keys are not in it" in said) == (0, True, True), said
    copy = machine.home / "copy.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in machine.home.glob("copy.db*")) == ["copy.db"]
    assert machine.run("backup", "copy.db")[0] == 2  # nothing is overwritten


@pytest.mark.usefixtures("no_umask")
def test_keys_are_written_when_asked_and_go_into_an_empty_folder_only(machine: Machine) -> None:
    assert machine.run("backup", "copy.db", "--keys", "keys.tar")[0] == 0
    assert (machine.home / "keys.tar").stat().st_mode & 0o777 == 0o600
    code, said = machine.run("restore", "copy.db", "--keys", "keys.tar")
    assert (code, "has keys already" in said) == (2, True), said
    (machine.home / "state").rename(machine.home / "lost")
    machine.written.database.unlink()
    code, said = machine.run("restore", "copy.db", "--keys", "keys.tar")
    assert (code, "will start stopped" in said) == (0, True), said
    assert (machine.home / "state" / "log.key").read_bytes() == (machine.home / "lost" / "log.key").read_bytes()
    assert recall(machine.home / "state") is None  # the memory is in no backup


def test_a_damaged_copy_is_not_restored_and_the_database_stays(machine: Machine) -> None:
    machine.run("backup", "copy.db")
    with closing(sqlite3.connect(machine.home / "copy.db")) as raw, raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f'DROP TRIGGER "{name}"')
        raw.execute("UPDATE log_entry SET leaf = zeroblob(32) WHERE idx = 3")
    before = machine.written.database.read_bytes()
    code, said = machine.run("restore", "copy.db")
    assert (code, "nothing was restored" in said) == (1, True), said
    assert machine.written.database.read_bytes() == before
    code, said = machine.run("log", "verify", "--database", "copy.db")
    assert (code, "Next: change nothing." in said) == (1, True), said


def test_an_open_database_is_not_replaced_and_a_closed_one_is_kept(machine: Machine) -> None:
    machine.run("backup", "copy.db")
    with closing(sqlite3.connect(machine.written.database)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        code, said = machine.run("restore", "copy.db")
        assert (code, "stop the bot, then restore" in said) == (2, True), said
    code, said = machine.run("restore", "copy.db")
    assert (code, "countersign.db.before-restore" in said) == (0, True), said
    assert machine.written.database.with_name("countersign.db.before-restore").is_file()


def test_a_restored_log_that_is_older_than_what_was_signed_is_announced_as_stopped(machine: Machine) -> None:
    machine.run("backup", "copy.db")
    newest = recall(machine.home / "state")
    assert newest is not None
    remember(machine.home / "state", replace(newest, size=9_999))
    code, said = machine.run("restore", "copy.db")
    assert code == 0, said
    assert "9999 entries were signed, and the backup has" in said
    assert "countersign log new-epoch" in said
    code, said = machine.run("log", "verify")
    assert (code, "Next: set COUNTERSIGN_STATE_DIR to the folder" in said) == (1, True), said


def test_a_database_of_an_earlier_version_is_copied_as_it_is_verified_and_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", f"sqlite:///{tmp_path}/bot.db")
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    copy, before = tmp_path / "copy.db", version(tmp_path / "bot.db")
    done = CliRunner().invoke(app, ["backup", str(copy)])
    assert (done.exit_code, "is verified" in done.output) == (0, True), done.output
    assert sorted(path.name for path in tmp_path.glob("copy.db*")) == ["copy.db"]
    assert (version(copy), version(tmp_path / "bot.db")) == (before, before)
    assert CliRunner().invoke(app, ["backup", "verify", str(copy)]).exit_code == 0
    done = CliRunner().invoke(app, ["restore", str(copy)])
    assert (done.exit_code, version(tmp_path / "bot.db")) == (0, before), done.output


def version(database: Path) -> int:
    with closing(sqlite3.connect(database)) as raw:
        return int(raw.execute("SELECT max(version) FROM schema_version").fetchone()[0])
