"""Both checks of a stored log are made, and each one's findings and errors arrive."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.errors import StorageError
from bot.evidence.stored_log import verified_log
from bot.runtime.log_verification import TrustBase
from tests.bot.evidence.conftest import Written
from tests.bot.evidence.test_prepare import Host


def test_the_bytes_and_the_policy_are_both_judged(written: Written, tmp_path: Path) -> None:
    trust = TrustBase(None, tmp_path, remembers=False)
    checked, judged = verified_log(written.database, trust)
    assert {finding.code for finding in checked.findings} == {"signature"}  # no key is here
    assert judged.findings == ()
    with closing(sqlite3.connect(written.database)) as raw:
        raw.execute("DELETE FROM policy_file")
        raw.commit()
    assert {finding.code for finding in verified_log(written.database, trust)[1].findings} == {"policy"}


def test_the_newest_entries_alone_are_verified_and_what_was_not_read_is_said(written: Written, tmp_path: Path) -> None:
    written.scribe.sign(written.database)
    host = Host(written, tmp_path)
    assert host.type("export", "--out", "q").returncode == 0
    done = host.type("verify", "--new")
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = done.stdout.splitlines()
    assert re.fullmatch(r"OK: \d+ entries after the last check verified, no problems found", first)
    assert re.fullmatch(r"The first \d+ were verified before and not read again, nor was policy judged: .*", second)
    with closing(sqlite3.connect(written.database)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("UPDATE log_head SET size = size - 1")
        raw.commit()
    done = host.type("verify", "--new")
    assert done.returncode == 1
    assert "head -: The head says" in done.stdout


def test_a_database_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        verified_log(tmp_path / "none.db", TrustBase(None, tmp_path))
