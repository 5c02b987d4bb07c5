"""A month's figures are posted once to owners and leads: on which day, to whom, over restarts, and never two messages a week."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.governance.month_posts import due_month, posts
from bot.domain.policy.people import Person
from bot.ports.commands import ShowPage
from bot.service.month_posts import MonthPosts
from tests.bot.building import LEAD, OWNER, SOCLEAD, policy
from tests.bot.office import Office


@pytest.mark.parametrize(
    ("day", "wanted"),
    [
        ("2026-08-01", None),  # a Saturday
        ("2026-08-02", None),
        ("2026-08-03", "2026-07"),
        ("2026-08-14", "2026-07"),
        ("2026-08-15", None),
        ("2026-01-01", "2025-12"),  # a Thursday
        ("2026-07-31", None),
    ],
)
def test_a_month_is_due_from_its_first_working_day_on(day: str, wanted: str | None) -> None:
    due = due_month(datetime.fromisoformat(f"{day}T09:00:00+00:00"), 1)
    assert due == (None if wanted is None else (wanted, wanted))


def test_on_a_faster_clock_a_month_is_thirty_days_of_policy() -> None:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    names = [due_month(at + timedelta(seconds=passed), 86_400) for passed in (0, 30, 60)]
    assert len({due[0] for due in names if due}) == 3
    assert {due[1] for due in names if due} == {"2026-03"}


def test_owners_and_leads_get_what_concerns_them() -> None:
    found = {(post.person, post.argument) for post in posts(policy(), "2026-07")}
    assert {(OWNER, "owner 2026-07"), (LEAD, "provider 2026-07"), (SOCLEAD, "provider 2026-07")} <= found
    assert {person for person, argument in found if argument.startswith("owner")} == {
        domain.owner for domain in policy().domains.values()
    }


MONTH = "2026-02"  # the offices open on Wednesday, 4 March 2026


class Taken:
    """The inbox's keys, as the store keeps them: each once."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.people: list[tuple[Person, str]] = []

    def posts(self) -> MonthPosts:
        service = self.office.service
        return MonthPosts(self.office.store, self.office.clock, 1, service.current, self.take_in)

    async def take_in(self, key: str, act: object, answer: object) -> None:
        assert isinstance(act, ShowPage)
        first = await self.office.store.inbox.take_in(key, act, {"n": len(self.people)})
        if first == {"n": len(self.people)}:
            self.people.append((act.person, act.argument))


async def test_nothing_is_posted_unless_the_policy_says_so(office: Office) -> None:
    taken = Taken(office)
    await taken.posts().look()
    assert taken.people == []


async def test_a_month_is_posted_once_also_over_a_restart(office: Office) -> None:
    await office.adopt(replace(office.policy, reports="monthly"))
    taken = Taken(office)
    for posting in (taken.posts(), taken.posts()):
        await posting.look()
        await posting.look()
    assert sorted(person.user for person, _ in taken.people) == sorted(
        post.person.user for post in posts(office.policy, MONTH)
    )


async def test_the_message_goes_out_and_counts_as_the_weeks_governance_message(office: Office) -> None:
    await office.adopt(replace(office.policy, reports="monthly"))
    await office.service.months.look()
    for row in await office.store.inbox.unfinished(100):
        await office.service.carry_out(row)
    assert await office.store.agreement.last_message(OWNER) == office.clock.now()
    taken = Taken(office)
    await taken.posts().look()
    assert taken.people == []


async def test_anyone_who_got_a_governance_message_this_week_waits_for_theirs(office: Office) -> None:
    await office.adopt(replace(office.policy, reports="monthly"))
    await office.store.commit(Transition(None, None, says=(Notification("agreement", Lane.CARD, to=OWNER),)))
    taken = Taken(office)
    posting = taken.posts()
    await posting.look()
    assert (LEAD, f"provider {MONTH}") in taken.people
    assert OWNER not in {person for person, _ in taken.people}
    await office.forward(timedelta(days=7))
    await posting.look()
    assert [argument for person, argument in taken.people if person == OWNER] == [f"owner {MONTH}"]
