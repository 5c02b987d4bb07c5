"""A year of a large organisation through the real service and store: every campaign, agreement, hand-over and contract end happens on
its day and once, nobody gets two governance messages in a week, and the records agree with a recount in SQL.

Three providers, twelve domains, forty runbooks; seeded. Ten weeks of it run with every test; the whole year with `make governed-year`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest

from bot.domain.case.campaign import Campaign
from bot.domain.policy.governance import Agreement, OwnerTerm, ReviewRules
from bot.domain.policy.model import BreakGlass, Domain, Policy
from bot.domain.policy.people import Person, Ref
from bot.domain.policy.provider import Provider
from storage.log.check import check_database
from tests.bot.building import DAY, HOME, home, policy, runbook
from tests.bot.governed import WEEK, GovernedOffice
from tests.database import place

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)  # a Monday
DAYS = 365 if os.environ.get("GOVERNED_YEAR") else 70
HANDED_OVER = {2: date(2026, 2, 2), 7: date(2026, 3, 1)}  # domain: the new owner's first day
ENDS = {"p2": date(2026, 3, 6)}  # a contract's last day
RISK_OWNERS = (home("URISK0"), home("URISK1"))


def owner(n: int) -> Person:
    return home(f"UOWNER{n}")


def domain(n: int) -> Domain:
    first = HANDED_OVER.get(n)
    terms = () if first is None else (OwnerTerm(owner(n), None, first - DAY), OwnerTerm(home(f"UNEW{n}"), first))
    return Domain(
        f"d{n}", f"Domain {n}", owner(n), f"C{n}", (home(f"UDEP{n}A"), home(f"UDEP{n}B")), RISK_OWNERS[n % 2], terms=terms
    )


def provider(n: int) -> Provider:
    people = tuple(Ref(f"UP{n}A{i}", frozenset({HOME})) for i in range(3))
    lead = (Ref(f"UP{n}LEAD", frozenset({HOME})),)
    return Provider(
        f"p{n}",
        f"Provider {n}",
        f"K-{n}",
        ENDS.get(f"p{n}"),
        None,
        frozenset(),
        members=people,
        requesters=people,
        leads=lead,
    )


def book(n: int) -> Any:
    how: dict[str, Any] = {"domain": f"d{n % 12}", "providers": (f"p{n % 3}", f"p{(n + 1) % 3}"), "sha256": f"{n:064x}"}
    if n % 4 == 0:
        return runbook(f"unlock{n}", kind="reset", right="autonomous", escalation=None, review_within=None, **how)
    if n % 4 == 1:
        return runbook(f"glass{n}", right="immediate", break_glass=BreakGlass(4 * 3600, None), **how)
    return runbook(f"emergency{n}", **how)


YEAR = policy(
    domains=[domain(n) for n in range(12)], providers=[provider(n) for n in range(3)], runbooks=[book(n) for n in range(40)],
    default_escalation="short", review=ReviewRules(120 * 86400, 60 * 86400, 10, "narrow"), digest="02" * 32,
    agreement=Agreement(300 * 86400, 30 * 86400, "warn"),
)  # fmt: skip
BEFORE = replace(YEAR, agreement=None, review=None, digest="01" * 32)
NEVER = {owner(5), home("UDEP5A"), home("UDEP5B")}  # they answer nothing


class YearOffice(GovernedOffice):
    """People ask, answer, go away and come back as a seed says."""

    found: list[Campaign]

    async def live(self, days: int, chance: random.Random) -> None:
        for _ in range(days):
            await self.pass_days(1)
            if self.clock.at.weekday() < 5:
                await self._people_ask(chance)
                await self._people_answer(chance)
            if chance.random() < 0.05:
                await self.away(owner(chance.randrange(12)), chance.randint(1, 14) * DAY)

    async def _people_ask(self, chance: random.Random) -> None:
        current: Policy = self.service.current.policy
        for _ in range(2):
            found = chance.choice(list(current.runbooks.values()))
            asker = chance.choice(current.providers[found.providers[0]].requesters)
            case = await self.file(home(asker.user), found.id, target=f"srv-{self.keys}")
            if self.rows("SELECT 1 FROM request WHERE id = :i AND state = 'pending'", i=case):
                await self.click(current.domains[found.domain].owner, case)

    async def _people_answer(self, chance: random.Random) -> None:
        for campaign in await self.campaigns(closed_too=False):
            if campaign.owner not in NEVER and chance.random() < 0.2:
                await self.answer(campaign.owner, campaign, "narrow" if chance.random() < 0.05 else "keep")
        people = dict.fromkeys(d.owner for d in self.service.current.policy.domains.values())
        for person in (*people, *RISK_OWNERS):
            if person not in NEVER and chance.random() < 0.1 and person in self.governance_messages():
                await self.speak(person, "confirmed")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YearOffice]:
    """The organisation after its year; `found` are its campaigns."""
    office = YearOffice(tmp_path_factory.mktemp("governed") / "countersign.db", YEAR.on(START.date()))
    office.clock.at = START
    with asyncio.Runner() as runner:
        runner.run(office.open())
        runner.run(office.begin(BEFORE))
        runner.run(office.live(DAYS, random.Random(2026)))
        office.found = runner.run(office.campaigns())
        yield office
        runner.run(office.close())


pytestmark = [pytest.mark.timeout(1200), pytest.mark.sqlite]  # one file serves the whole module


def test_each_hand_over_is_made_on_its_day_and_once(lived: YearOffice) -> None:
    found = [(e["data"]["domain"], at(e).date()) for e in lived.entries("domain.handed_over")]
    assert sorted(found) == sorted((f"d{n}", day) for n, day in HANDED_OVER.items())


def test_everything_of_a_provider_ends_with_its_contract_and_nothing_opens_after_it(lived: YearOffice) -> None:
    end = datetime.combine(ENDS["p2"] + DAY, datetime.min.time(), UTC)
    sql = "SELECT g.opened_ms, g.ended_ms, g.state FROM access_grant g JOIN request r ON r.id = g.case_id WHERE r.provider = 'p2'"
    grants = lived.rows(sql)
    assert grants
    assert all(row["opened_ms"] < end.timestamp() * 1000 and row["state"] != "open" for row in grants)
    pending = "SELECT count(*) AS n FROM request WHERE provider = 'p2' AND state = 'pending'"
    assert lived.rows(pending)[0]["n"] == 0


def test_every_owner_confirms_once_and_is_asked_again_only_for_what_changed(lived: YearOffice) -> None:
    confirmed = Counter(row["row"] for e in lived.entries("matrix.confirmed") for row in e["data"]["rows"])
    assert set(confirmed) >= {f"emergency{n}" for n in range(40) if n % 4 > 1 and n % 12 not in (5, *HANDED_OVER)}
    overdue = {e["data"]["asked"] for e in lived.entries("matrix.overdue")}
    assert overdue >= {owner(5)}
    asked = Counter(row.say.to for row in lived.shown if row.say.purpose == "agreement" and row.copy is None)
    untouched = [owner(n) for n in range(12) if n not in HANDED_OVER]
    assert {person: asked[person] for person in untouched} == dict.fromkeys(untouched, 1 if DAYS < 300 else 2)


def test_each_owner_is_asked_about_each_right_once_a_period_and_each_item_is_answered_once(lived: YearOffice) -> None:
    found = lived.found
    for n in (n for n in range(12) if n not in HANDED_OVER):
        opened = sorted(c.opened_at for c in found if c.owner == owner(n))
        assert opened, f"owner {n} was never asked"
        assert opened[0] - START < 3 * WEEK
        assert all(two - one >= WEEK for one, two in pairwise(opened))
    answers = Counter(
        (e["data"]["id"], e["data"]["item"], str(e["data"]["of"]))
        for e in lived.entries("right.kept", "right.narrowed", "right.withdrawn")
    )
    assert set(answers.values()) == {1}
    keys = [item.key + str(item.domains) for c in found if c.state == "open" for item in c.items]
    assert len(keys) == len(set(keys))


def test_a_silence_narrows_the_rights_of_the_owner_who_never_answers_and_nobody_elses(lived: YearOffice) -> None:
    silent = [e for e in lived.entries("right.narrowed") if e["data"]["by"] == "silence"]
    assert {d for e in silent for d in e["data"]["domains"]} >= {"d5"}
    assert all(at(e).hour == 10 and at(e).weekday() < 5 for e in silent)


def test_nobody_gets_two_governance_messages_in_a_week(lived: YearOffice) -> None:
    messages = lived.governance_messages()
    assert len(messages) >= 14
    for person, times in messages.items():
        assert all(two - one >= WEEK for one, two in pairwise(times)), person


def test_the_records_agree_with_a_recount_in_sql(lived: YearOffice) -> None:
    sql = "SELECT json_extract(data, '$.data.id') AS id, type, count(*) AS n FROM log_entry WHERE type LIKE 'right.%' GROUP BY 1, 2"
    counted = {(row["id"], row["type"]): row["n"] for row in lived.rows(sql)}
    for row in lived.rows("SELECT data FROM log_entry WHERE type = 'campaign.closed'"):
        data = json.loads(row["data"])["data"]
        assert data["kept"] == counted.get((data["id"], "right.kept"), 0)
        assert data["narrowed"] + data["silent"] == counted.get((data["id"], "right.narrowed"), 0)
        assert data["unanswered"] == 0
    opened, closed = ({e["data"]["id"] for e in lived.entries(f"campaign.{what}")} for what in ("opened", "closed"))
    assert closed <= opened
    assert {c.id for c in lived.found if c.state == "open"} == opened - closed
    assert check_database(place(lived.path)).findings == ()


def at(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["ts"])
