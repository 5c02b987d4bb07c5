"""A pack of the example log, and its parts."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from bot.decision_log.keys import LOG_KEY, read_key, vkey_lines
from bot.demo.year.writing import ORIGIN, YEAR, write_year
from bot.domain.decision_log.signed_note import read_vkey
from bot.evidence.folder import Folder
from bot.reports.contents import Options
from bot.reports.monthly import newest_policy
from bot.reports.pack import write_pack
from bot.reports.reading import Scope
from runbooks.loader import load_files
from storage.log.evidence import settled_evidence
from tests.bot.evidence.conftest import Written
from tests.bot.evidence.conftest import written as written
from tests.bot.evidence.conftest import written_once as written_once

ALL = Scope(date(2000, 1, 1), date(2100, 1, 1))


def packed(written: Written, out: Path, options: Options | None = None) -> Path:
    """Writes a pack of everything, or what the options say."""
    with settled_evidence(written.database) as log, Folder(out) as folder:
        digest = log.newest_policy()
        policy = load_files({f.path: f.content for f in log.policy(digest or "")}).policy
        scribe = written.scribe
        key = (read_vkey(scribe.vkey), scribe.signature)
        write_pack(log, options or Options(ALL), folder, key, scribe.vkey, policy)
    return out


@pytest.fixture
def pack(written: Written, tmp_path: Path) -> Path:
    return packed(written, tmp_path / "pack")


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a small year of a large organisation; its keys lie beside it, in `state`. Read it only."""
    home = tmp_path_factory.mktemp("year")
    asyncio.run(write_year(home / "countersign.db", home / "state", 600))
    return home / "countersign.db"


def year_packed(year: Path, out: Path) -> Path:
    """A pack of a whole year that `write_year` wrote, and of everything since."""
    key, state = read_key(year.parent / "state" / LOG_KEY), year.parent / "state"
    with settled_evidence(year) as log, Folder(out) as folder:
        options = Options(Scope(date(YEAR, 1, 1), ALL.last))
        write_pack(log, options, folder, (key.vkey(ORIGIN), key.sign), vkey_lines(state, ORIGIN), newest_policy(log))
    return out


@pytest.fixture(scope="session")
def year_pack(year: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of the year. Read it only."""
    return year_packed(year, tmp_path_factory.mktemp("packed") / "pack")
