"""`countersign demo --year` makes every report on a year that it writes itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.evidence.files import Export
from bot.reports.pack_check import check_pack


def test_the_year_is_written_and_every_report_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(tmp_path))
    done = CliRunner().invoke(app, ["demo", "--year", "--requests", "80", "--no-browser"])
    assert done.exit_code == 0, done.output
    assert check_pack(Export(tmp_path / "evidence"), None).findings == []
    made = {path.name for path in tmp_path.glob("*.html")}
    assert {"reviews.html", "exceptions.html", "alder-2025-06.html", "owner-vault-2025-06.html"} <= made
    assert "COUNTERSIGN_DATABASE_URL" in done.output
    shutil.rmtree(tmp_path)
