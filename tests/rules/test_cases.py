"""The right value of each calendar in `tests/cases`; the other cases are tested where their part of the product is.

`body-tabs` handlers/views/test_approval_card.py · `env-newline` bot/test_settings.py · `evidence-ds-store`
bot/evidence/test_check.py · `vkey-bom` bot/evidence/test_prepare.py · `target-invisible` here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli import doctor_calendars
from bot.domain.policy.model import NamedPerson, PolicyFile
from bot.domain.policy.on_call import on_call
from bot.domain.policy.people import Person
from bot.domain.policy.rota import Rota
from runbooks.calendars.ical import feed_findings, prepare
from tests.bot.building import DEP1, OWNER, PE1, home, policy
from tests.bot.office import Office

CASES = Path(__file__).parents[1] / "cases"
AMIRA, LUCA, ZOE, JOSE = home("U0AMIRA"), home("U0LUCA"), home("U0ZOE"), home("U0JOSE")
NAMED = (
    NamedPerson("amira", AMIRA, "Amira Saleh"), NamedPerson("luca", LUCA, "Luca Moretti"),
    NamedPerson("zoe", ZOE, "Zoë Åström"), NamedPerson("jose", JOSE, "José Núñez"),
)  # fmt: skip
ZONE = "is in the time zone 'Customized Time Zone', which the calendar does not define and nobody knows"


def on_call_by(case: str, people: tuple[Person, ...], fallback: Person, when: datetime) -> tuple[Person | None, list[str]]:
    """Who is on call by the case's calendar, and what `check` says about it."""
    rota = Rota("security", "ical", people, "Europe/London", fallback=fallback, feed="calendar.ics")
    file = PolicyFile("calendar.ics", "", (CASES / case / "calendar.ics").read_bytes())
    base = policy(rotas=[rota], people=NAMED, files=(file,))
    ready = prepare(base, when)
    assert ready.bad == {}
    return on_call(ready.policy.rotas["security"], when), [f.text for f in feed_findings(base, when.date())]


@pytest.mark.parametrize(
    ("case", "people", "fallback", "day", "expected"),
    [
        ("feed-declined", (AMIRA, LUCA), AMIRA, 1, LUCA), ("feed-ended-rules", (AMIRA, LUCA), AMIRA, 8, LUCA),
        ("feed-fold-inside-letter", (ZOE, LUCA), LUCA, 1, ZOE), ("feed-name-nfd", (JOSE, LUCA), LUCA, 1, JOSE),
    ],
    ids=["feed-declined", "feed-ended-rules", "feed-fold-inside-letter", "feed-name-nfd"],
)  # fmt: skip
def test_case_feed(case: str, people: tuple[Person, ...], fallback: Person, day: int, expected: Person) -> None:
    assert on_call_by(case, people, fallback, datetime(2026, 12, day, 9, tzinfo=UTC)) == (expected, [])


async def test_case_feed_unknown_zone() -> None:
    when = datetime(2026, 12, 1, 9, tzinfo=UTC)
    person, [said] = on_call_by("feed-unknown-zone", (AMIRA, LUCA), AMIRA, when)
    assert ZONE in said
    assert person == AMIRA

    async def fetched(address: str) -> bytes:
        return (CASES / "feed-unknown-zone" / "calendar.ics").read_bytes()

    rota = Rota("security", "ical", (AMIRA, LUCA), "Europe/London", fallback=AMIRA, feed="https://calendar.example/x")
    found, _ = await doctor_calendars.examine(policy(rotas=[rota], people=NAMED), {}, {}, when, fetched)
    assert [ZONE in finding.text for finding in found] == [True]


TARGETS = json.loads((CASES / "target-invisible" / "input.json").read_text())


@pytest.mark.parametrize("targets", TARGETS.values(), ids=["invisible", "composed"])
async def test_case_target_invisible(office: Office, targets: list[str]) -> None:
    first, *others = targets
    opened = await office.file(PE1, target=first)
    for other in others:
        refused = await office.file(PE1, target=other)
        assert refused not in {row["id"] for row in office.rows("SELECT id FROM request")}
    await office.click(OWNER, opened, "deny")
    await office.forward(timedelta(minutes=1))
    again = await office.file(PE1, target=others[-1])
    await office.forward(timedelta(minutes=20))
    case = await office.case(again)
    assert {reached.person for reached in case.approval.reached} == {OWNER}
    assert DEP1 not in case.approval.asked
