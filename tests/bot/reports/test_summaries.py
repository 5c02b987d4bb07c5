"""The monthly figures for Slack are those of the printed report."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from bot.domain.errors import SettingsError
from bot.reports import monthly
from bot.reports.monthly import figure_rows, monthly_report
from bot.reports.summaries import Summaries


async def test_a_summary_has_every_figure_of_the_report(year: Path) -> None:
    printed = monthly_report(year, "provider", "birch", "2025-04")
    told = await Summaries(year).summary("provider", "birch", "2025-04")
    assert (told.title, told.flags, list(told.figures)) == (printed.title, printed.flags, figure_rows(printed.figures))


async def test_an_owner_is_named_by_workspace_and_id(year: Path) -> None:
    assert (await Summaries(year).summary("owner", "T0YEAR/U0OWNER02", "2025-04")).title.startswith("Owner Vault: Vault")
    with pytest.raises(SettingsError, match="owns no domain"):
        await Summaries(year).summary("owner", "T0OTHER/U0OWNER02", "2025-04")


async def test_reports_are_made_one_at_a_time_and_beside_the_event_loop(
    year: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy: list[int] = []
    under_way = 0

    def made(*words: object) -> object:
        nonlocal under_way
        under_way += 1
        busy.append(under_way)
        assert threading.current_thread() is not threading.main_thread()
        found = monthly_report(*words)  # type: ignore[arg-type]
        under_way -= 1
        return found

    monkeypatch.setattr(monthly, "monthly_report", made)
    both = Summaries(year)
    await asyncio.gather(*(both.summary("provider", name, "2025-04") for name in ("alder", "birch", "cedar")))
    assert busy == [1, 1, 1]
