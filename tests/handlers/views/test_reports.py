"""The month's figures in Slack: whom they concern, what everybody else reads, and what may be typed."""

from __future__ import annotations

import pytest

from bot.domain.errors import StorageError
from bot.domain.policy.people import Person
from bot.ports.reports import MonthSummary, Whose
from handlers.outbound.pages import PAGES
from handlers.views import reports
from handlers.views.reports import AskedReport
from tests.bot import parts
from tests.bot.building import AUDIT, DEP1, LEAD, OWNER, PE1, SOCLEAD, STRANGER, T0, policy
from tests.bot.office import Office
from tests.handlers.views.test_approval_card import scene

POLICY = policy()


class Made:
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Whose, str, str]] = []

    async def summary(self, whose: Whose, name: str, month: str) -> MonthSummary:
        self.asked.append((whose, name, month))
        return MonthSummary(f"{name}, {month}", ("<3 findings>",), (("Requests", "4"),))


@pytest.mark.parametrize(
    ("person", "provider", "owner"),
    [
        (LEAD, ["northgate"], []),
        (SOCLEAD, ["watchfield"], []),
        (OWNER, [], [str(OWNER)]),
        (AUDIT, ["northgate", "watchfield"], sorted({str(d.owner) for d in POLICY.domains.values()})),
        (DEP1, [], []),
        (PE1, [], []),
        (STRANGER, [], []),
        (Person("T0OTHER", LEAD.user), [], []),
        (Person("T0OTHER", OWNER.user), [], []),
    ],
)
def test_a_month_is_shown_to_whom_it_concerns(person: Person, provider: list[str], owner: list[str]) -> None:
    assert reports.names(POLICY, person, AskedReport("provider", "2026-11")) == provider
    assert reports.names(POLICY, person, AskedReport("owner", "2026-11")) == owner


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("provider", AskedReport("provider", f"{T0:%Y-%m}")),
        ("Owner 2026-02", AskedReport("owner", "2026-02")),
        ("owner  2026-02 ", AskedReport("owner", "2026-02")),
        ("", None),
        ("owner 2026-13", None),
        ("provider northgate", None),
        ("evidence", None),
    ],
)
def test_the_month_is_the_present_one_unless_another_is_typed(typed: str, wanted: AskedReport | None) -> None:
    assert reports.read(typed, T0) == wanted


async def test_the_figures_come_with_their_flags_first_and_escaped(office: Office) -> None:
    made = Made()
    told = await PAGES["report"](parts.rendering(office, reports=made), AUDIT, "provider 2026-02", scene(office.policy))
    assert made.asked == [("provider", "northgate", "2026-02"), ("provider", "watchfield", "2026-02")]
    lines = told.text.splitlines()
    assert lines[:3] == ["*northgate, 2026-02*", ":warning: &lt;3 findings&gt;", "Requests: 4"]


async def test_nobody_else_reads_a_figure_and_they_learn_whom_to_write_to(office: Office) -> None:
    made = Made()
    for person, typed in ((PE1, "provider"), (DEP1, "owner"), (STRANGER, "provider"), (LEAD, "owner")):
        told = await PAGES["report"](parts.rendering(office, reports=made), person, typed, scene(office.policy))
        assert "These figures are for the leads" in told.text
        assert office.policy.contact in told.text
    assert made.asked == []
    told = await PAGES["report"](parts.rendering(office, reports=made), LEAD, "owner", scene(office.policy))
    assert "Yours is `/countersign report provider`." in told.text


async def test_a_report_that_cannot_be_made_says_why(office: Office) -> None:
    class Broken(Made):
        async def summary(self, whose: Whose, name: str, month: str) -> MonthSummary:
            raise StorageError("The disk is gone.")

    told = await PAGES["report"](parts.rendering(office, reports=Broken()), OWNER, "owner", scene(office.policy))
    assert "The disk is gone." in told.text
