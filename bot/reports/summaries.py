"""The monthly figures for Slack: one report at a time, on a thread, with an entry that was written a moment ago.

What makes a report is imported when somebody asks for the first one: an idle bot does without it.
"""

from __future__ import annotations

import asyncio

from bot.ports.database import Location
from bot.ports.reports import MonthSummary, Whose


class Summaries:
    """`bot.ports.reports.MonthReports` of the log in a database."""

    def __init__(self, place: Location) -> None:
        self._place = place
        self._one = asyncio.Lock()

    async def summary(self, whose: Whose, name: str, month: str) -> MonthSummary:
        async with self._one:
            return await asyncio.to_thread(_summary, self._place, whose, name, month)


def _summary(place: Location, whose: Whose, name: str, month: str) -> MonthSummary:
    from bot.reports.monthly import figure_rows, monthly_report
    from storage.log.evidence import stored_log

    report = monthly_report(place, whose, name, month, stored_log)
    return MonthSummary(report.title, report.flags, tuple(figure_rows(report.figures)))
