"""Governance messages in an owner's month: those that Slack accepted, and no others."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from bot.reports.governance_messages import governance_messages
from bot.reports.monthly import lines, monthly_report
from runbooks.loader import load
from storage.log.evidence import stored_log
from tests.bot.building import DEP1, OWNER
from tests.bot.evidence.conftest import adopt
from tests.bot.office import Office
from tests.conftest import EXAMPLE
from tests.database import place


async def test_deliveries_of_the_month_to_this_person_are_counted(tmp_path: Path) -> None:
    policy = load(EXAMPLE).policy
    assert policy is not None
    async with Office(tmp_path / "countersign.db", policy) as office:
        await adopt(office, policy)
        sent = [("agreement", OWNER), ("campaign", OWNER), ("card", OWNER), ("campaign_reminder", DEP1)]
        entries = [LogEvent("delivery.sent", SYSTEM, data={"purpose": what, "to": to}) for what, to in sent]
        await office.store.commit(Transition(None, None, tuple(entries)))
        day = office.clock.now().date()
        with stored_log(place(office.path)) as log:
            told = governance_messages(log, OWNER, day.replace(day=1), date(day.year, day.month, 28))
            assert told == {"governance_messages": 2, "governance_messages_a_week": 0.5}
            assert governance_messages(log, OWNER, date(2001, 1, 1), date(2001, 1, 31))["governance_messages"] == 0
        report = monthly_report(office.place, "owner", "olga", f"{day:%Y-%m}", stored_log)
    assert report.figures["governance_messages"] == 2
    assert any(line.startswith("Governance messages: 2, ") for line in lines(report))
