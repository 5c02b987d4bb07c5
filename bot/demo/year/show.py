"""`countersign demo --year`: writes the year into a new folder, makes every report on it, and opens the evidence pack's page.

Nothing leaves this machine. The folder stays, so that every other command can be tried on it.
"""

from __future__ import annotations

import tempfile
import webbrowser
from datetime import date
from pathlib import Path

from bot.demo.year.organisation import PROVIDERS
from bot.demo.year.writing import ORIGIN, WHOLE, YEAR, write_year
from bot.ports.database import Location
from bot.reports import monthly, paper
from bot.reports.contents import Options
from bot.reports.prepare import packed
from bot.reports.reading import Scope
from bot.reports.registers import exceptions_paper, reviews_paper
from bot.settings import Settings
from bot.terminal import say

_MONTH = f"{YEAR}-06"
_OWNER = "owner-vault"
_OFTEN = 50_000  # entries between two lines of progress


async def show_year(requests: int = WHOLE, *, browser: bool) -> Path:
    """Returns the folder. Raises StorageError, SettingsError."""
    home = Path(tempfile.mkdtemp(prefix="countersign-year-"))
    settings = Settings(
        _env_file=None, database_url=f"sqlite:///{home / 'year.db'}", state_dir=home / "state", log_origin=ORIGIN
    )
    say(f"Writing a year of a large organisation with {requests:,} requests to {home} …", flush=True)
    written = await write_year(home / "year.db", home / "state", requests, said=_progress)
    say(f"{written:,} entries are written and signed. Verifying them and making the reports …", flush=True)
    report = await packed(
        settings, Options(Scope(date(YEAR, 1, 1), date(YEAR, 12, 31))), home / "evidence", with_findings=False
    )
    say(report.text)
    for file in _pages(settings.database, home):
        say(f"Written: {file}")
    say("Try the commands on it: set COUNTERSIGN_DATABASE_URL, COUNTERSIGN_STATE_DIR and COUNTERSIGN_LOG_ORIGIN to")
    say(f"  sqlite:///{home / 'year.db'}   {home / 'state'}   {ORIGIN}")
    if browser:
        webbrowser.open((home / "evidence" / "index.html").as_uri())
    return home


def _pages(place: Location, home: Path) -> list[Path]:
    months = [monthly.monthly_report(place, "provider", provider, _MONTH) for provider in PROVIDERS]
    months.append(monthly.monthly_report(place, "owner", _OWNER, _MONTH))
    named = zip((*PROVIDERS, _OWNER), map(monthly.page, months), strict=True)
    pages = {f"{name}-{_MONTH}.html": text for name, text in named}
    pages["reviews.html"] = paper.page(reviews_paper(place, None, None))
    pages["exceptions.html"] = paper.page(exceptions_paper(place, None, None))
    for name, text in pages.items():
        (home / name).write_text(text, encoding="utf-8")
    return [home / name for name in pages]


def _progress(written: int) -> None:
    if written % _OFTEN == 0:
        say(f"  {written:,} entries", flush=True)
