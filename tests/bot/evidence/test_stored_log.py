"""Both checks of a stored log are made, and each one's findings and errors arrive."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.errors import StorageError
from bot.evidence.stored_log import verified_log
from bot.runtime.log_verification import TrustBase
from tests.bot.evidence.conftest import Written


def test_the_bytes_and_the_policy_are_both_judged(written: Written, tmp_path: Path) -> None:
    trust = TrustBase(None, tmp_path, remembers=False)
    checked, judged = verified_log(written.database, trust)
    assert {finding.code for finding in checked.findings} == {"signature"}  # no key is here
    assert judged.findings == ()
    with closing(sqlite3.connect(written.database)) as raw:
        raw.execute("DELETE FROM policy_file")
        raw.commit()
    assert {finding.code for finding in verified_log(written.database, trust)[1].findings} == {"policy"}


def test_a_database_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        verified_log(tmp_path / "none.db", TrustBase(None, tmp_path))
