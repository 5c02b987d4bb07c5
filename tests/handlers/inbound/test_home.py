"""The App Home: what waits, in place; drawn again when it changes; nobody else's business."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from bot.domain.case.campaign import Campaign, CampaignChange
from bot.domain.case.model import Case, Duty
from bot.domain.case.transition import Transition
from bot.domain.errors import StorageError
from bot.domain.policy.people import Person
from bot.ports.commands import ReplyAddress, SetAbsence, ShowPage
from bot.service.queries import HOME_PAGE, AuditView, HomeContents
from handlers import ids
from handlers.inbound.home import Homes
from handlers.outbound.outbox_sender import OutboxSender
from handlers.views.home import home
from handlers.web_api.users import SlackDirectory
from sandbox.blocks import check_view
from tests.bot import parts
from tests.bot.building import DEP1, HOUR, OWNER, PE1, T0, case_of, policy
from tests.bot.office import Office, covered
from tests.handlers.fake_slack import HANG, FakeSlack, Reply
from tests.handlers.views.test_approval_card import scene
from tests.rules.test_view_limits import cases, forges_nothing, mrkdwn_in

BASE = policy()
OTHER = Person("T0HOME", "U0NOBODY")


def sheet(person: Person = OWNER, **how: Any) -> HomeContents:
    empty = HomeContents(person, 1, 1, len(how.get("waiting", ())), (), (), (), (), None)
    return replace(empty, **how)


def buttons(view: Any) -> list[tuple[str, str]]:
    return [(e["text"]["text"], e["value"]) for b in view["blocks"] if b["type"] == "actions" for e in b["elements"]]


def shown(view: Any) -> str:
    return "\n".join(b["text"]["text"] for b in view["blocks"] if "text" in b)


def test_what_is_due_is_named_with_its_time_and_nobody_who_owes_something_is_called_caught_up() -> None:
    duty = Duty("evidence", "session_recording", T0, T0 + 24 * HOUR, None)
    view = home(sheet(PE1, owing=(replace(case_of(BASE), duties=(duty,)),)), scene(), may_ask=True)
    assert "*Still due:* session recording, by " in shown(view)
    assert "all caught up" not in shown(view)
    assert "all caught up" in shown(home(sheet(PE1), scene(), may_ask=True))


@dataclass
class House:
    """A messenger before a fake Slack, and the Homes that follow every act."""

    office: Office
    slack: FakeSlack
    messenger: OutboxSender
    homes: Homes

    async def look(self, person: Person, page: int = 1) -> Any:
        """Opens a Home; the view that Slack was given last for this person."""
        await self.office.take_in(ShowPage(person, "home", str(page), ReplyAddress(person)))
        await self.office.worker.drain()
        await self.messenger.drain()
        return self.view(person)

    def view(self, person: Person) -> Any:
        calls = [c for c in self.slack.of("views.publish") if c.args["user_id"] == person.user]
        return calls[-1].args["view"] if calls else None

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        both = asyncio.gather(self.homes.run(stop), self.messenger.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(both, 20)


@pytest.fixture
async def house(office: Office) -> AsyncIterator[House]:
    async with FakeSlack() as slack:
        client = slack.client()
        messenger = parts.sender(office, client, covered, directory=SlackDirectory(client, office.clock))
        homes = parts.homes(office)
        office.service.transactions.committed = homes.changed
        yield House(office, slack, messenger, homes)


async def test_what_waits_is_listed_with_the_buttons_that_decide_it(house: House) -> None:
    case_id = await house.office.file(PE1, target="dc-7", reason="Sync stopped")
    view = await house.look(OWNER)
    assert check_view(view, "home") == []
    assert "dc-7" in shown(view)
    assert "Sync stopped" in shown(view)
    assert {("Approve", f"{case_id}:1"), ("Deny", f"{case_id}:1"), ("Ask someone else", f"{case_id}:1")} <= set(
        buttons(view)
    )


async def test_a_decision_anywhere_changes_the_homes_that_show_it_and_opens_no_other(house: House) -> None:
    case_id = await house.office.file(PE1)
    await house.look(OWNER)
    await house.look(PE1)
    async with house.watching():
        await house.office.click(OWNER, case_id)
        await house.slack.until(lambda: "Finished" in str(house.view(PE1)) and "Revoke" in str(house.view(OWNER)))
    assert not {"Approve", "Deny"} & {label for label, _ in buttons(house.view(OWNER))}
    assert ("Revoke", f"{case_id}:1") in buttons(house.view(OWNER))
    assert house.view(DEP1) is None  # never opened


async def test_after_a_restart_every_home_that_was_opened_lately_is_drawn_once(house: House) -> None:
    await house.look(OWNER)
    before = len(house.slack.of("views.publish"))
    async with house.watching():
        await house.slack.until(lambda: len(house.slack.of("views.publish")) > before)
    assert [c.args["user_id"] for c in house.slack.of("views.publish")[before:]] == [OWNER.user]


async def test_many_changes_that_wait_are_one_drawing(house: House) -> None:
    await house.look(OWNER)
    for _ in range(5):
        await house.office.store.homes.redraw([OWNER])
    waiting = house.office.rows("SELECT purpose FROM outbox WHERE done_ms IS NULL")
    assert [row["purpose"] for row in waiting] == ["home"]


async def test_five_hundred_open_items_are_paged_and_no_page_is_too_long(house: House) -> None:
    made = [case_of(BASE) for _ in range(500)]
    for number, case in enumerate(made):
        await house.office.store.commit(_filed(case, f"R-{number:08d}"))
    first = await house.look(OWNER)
    assert "Waiting for you (500)" in shown(first)
    assert len(first["blocks"]) <= 100
    assert sum(label == "Approve" for label, _ in buttons(first)) == HOME_PAGE
    later = next(value for label, value in buttons(first) if label == "Later")
    second = await house.look(OWNER, int(later))
    assert {"Earlier", "Later"} <= {label for label, _ in buttons(second)}
    decided = {value for label, value in buttons(first) if label == "Approve"}
    assert not decided & {value for label, value in buttons(second) if label == "Approve"}


async def test_a_page_that_is_gone_shows_the_last_one(house: House) -> None:
    await house.office.file(PE1)
    assert "Waiting for you (1)" in shown(await house.look(OWNER, 9))


async def test_somebody_elses_home_holds_nothing_of_it(house: House) -> None:
    case_id = await house.office.file(PE1, target="dc-7", reason="Sync stopped")
    view = await house.look(OTHER)
    assert case_id not in str(view)
    assert "dc-7" not in str(view)
    assert "You're all caught up." in shown(view)
    assert "Ask for approval" not in str(view)


async def test_who_is_away_reads_it_and_comes_back_with_one_button(house: House) -> None:
    await house.office.take_in(SetAbsence(OWNER, ReplyAddress(OWNER), seconds=3600))
    await house.office.worker.drain()
    view = await house.look(OWNER)
    assert "You are away" in shown(view)
    assert "I am back" in {label for label, _ in buttons(view)}


@settings(max_examples=max(settings().max_examples // 3, 20))
@given(cases())
def test_any_home_is_accepted_and_shows_nothing_forged(case: Case) -> None:
    many = tuple(replace(case, request=replace(case.request, id=f"R-{n:08d}")) for n in range(HOME_PAGE))
    for person in (OWNER, PE1):
        view = home(
            sheet(person, waiting=many, mine=many, live=many, owing=many, away_until=T0 + HOUR), scene(), may_ask=True
        )
        assert check_view(view, "home") == []
        marks = Counter(block["block_id"] for block in view["blocks"] if "block_id" in block)
        assert [mark for mark, times in marks.items() if times > 1] == []
        for text in mrkdwn_in(view["blocks"]):
            forges_nothing(text)


def test_every_button_of_a_home_has_a_listener() -> None:
    from handlers.inbound.buttons import ACTIONS

    view = home(sheet(waiting=(case_of(BASE),), pages=3, page=2), scene(), may_ask=True)
    pressed = {e["action_id"] for b in view["blocks"] if b["type"] == "actions" for e in b["elements"]}
    assert pressed <= set(ACTIONS)
    assert {ids.HOME_PAGE, ids.GO_AWAY, ids.ASK_HERE} <= pressed


def _filed(case: Case, id_: str) -> Any:
    from tests.storage.making import filing

    return filing(replace(case, request=replace(case.request, id=id_)))


def test_what_needs_a_decision_comes_first_sorted_by_deadline_and_reviews_after() -> None:
    urgent, calm = case_of(BASE, "emergency", target="dc-urgent"), case_of(BASE, "contain", target="dc-calm")
    calm = replace(calm, request=replace(calm.request, id="R-00000002"))
    late = replace(calm.approval, expires_at=calm.approval.expires_at + HOUR)
    review = replace(urgent.approval, kind="review", version=2, due_at=T0, reached=urgent.approval.reached)
    reviewed = replace(urgent, request=replace(urgent.request, id="R-00000003", target="dc-past"), asks=(review,))
    text = shown(home(sheet(waiting=(reviewed, calm.with_approval(late), urgent)), scene(BASE), may_ask=False))
    places = [text.index(word) for word in ("dc-urgent", "dc-calm", "*Reviews: less urgent*", "dc-past")]
    assert places == sorted(places)


def test_every_line_shows_its_target_cut_and_its_age() -> None:
    case = case_of(BASE, target="dc-" + "x" * 90)
    text = shown(home(sheet(mine=(case,), led=(case,)), scene(BASE), may_ask=False))
    assert text.count("*Target:*") == 0
    assert text.count(f"Target: dc-{'x' * 56}…, asked <!date^") == 2
    assert "^{ago}|" in text


def test_a_lead_sees_the_providers_open_requests_and_an_auditor_the_register_and_the_log() -> None:
    case = case_of(BASE, target="dc-led")
    led = shown(home(sheet(led=(case,)), scene(BASE), may_ask=False))
    assert "dc-led" in led
    audit = AuditView((), {"directory": 2}, 1234, 1200)
    text = shown(home(sheet(audit=audit), scene(BASE), may_ask=False))
    for said in ("*Exceptions register*", "No policy exception is open.", ": 2", "1,234 entries", "1,200 signed"):
        assert said in text


async def test_the_homes_of_a_lead_and_an_auditor_hold_what_they_watch(office: Office) -> None:
    lead = next(iter(BASE.providers["northgate"].leads))
    case = await office.file(PE1)
    person = Person(min(lead.teams), lead.user)
    assert [c.id for c in (await office.service.queries.read_home(person, office.clock.now())).led] == [case]
    auditor = BASE.auditors[0]
    found = (await office.service.queries.read_home(auditor, office.clock.now())).audit
    assert found is not None
    assert found.entries > 0
    assert (await office.service.queries.read_home(OWNER, office.clock.now())).audit is None


async def test_decisions_come_before_reviews_on_the_first_page(office: Office) -> None:
    first = await office.file(PE1, target="a")
    await office.click(OWNER, first)
    await office.click(PE1, first, "finish")
    await office.forward(timedelta(seconds=1))
    second = await office.file(PE1, target="b")
    waits = await office.store.homes.waiting(OWNER, 10)
    assert [one.id for one in waits][:1] == [second]


async def test_a_home_that_could_not_be_marked_is_marked_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = await house.office.file(PE1)
    await house.look(OWNER)
    async with house.watching():
        await house.slack.until(lambda: len(house.slack.of("views.publish")) > 1)
        redraw, refused = house.office.store.homes.redraw, asyncio.Event()

        async def full_disk(people: Any) -> None:
            monkeypatch.setattr(house.office.store.homes, "redraw", redraw)
            refused.set()
            raise StorageError("The disk is full.")

        monkeypatch.setattr(house.office.store.homes, "redraw", full_disk)
        await house.office.click(OWNER, case_id)
        await refused.wait()
        await house.slack.until(lambda: "Revoke" in str(house.view(OWNER)))


async def test_a_home_shows_what_a_campaign_still_asks(house: House) -> None:
    campaign = Campaign("V-00000001", OWNER, (), T0, 10, narrows=False)
    house.homes.changed(Transition(None, None, reviewed=CampaignChange(None, campaign)))
    assert house.homes._people == {OWNER}


async def test_a_home_shows_the_cases_that_begin_with_another(house: House) -> None:
    case = case_of(BASE)
    house.homes.changed(Transition(None, None, also=(Transition(None, case),)))
    assert OWNER in house.homes._people


async def test_homes_that_pile_up_while_slack_is_slow_are_drawn_once(house: House) -> None:
    await house.look(OWNER)
    house.slack.script["views.publish"].append(Reply(200, HANG))
    await house.office.store.homes.redraw([OWNER])
    before = len(house.slack.of("views.publish"))
    async with house.watching():
        await house.slack.until(lambda: len(house.slack.of("views.publish")) > before)
        for _ in range(9):  # each is queued behind the one that hangs
            house.homes.matrix_changed()
            await house.homes._redraw_changed()
            house.office.service.current.spoke.set()
            await asyncio.sleep(0.05)
        async with asyncio.timeout(10):
            while len(house.office.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL")) > 2:  # one is sent, one waits for it
                await asyncio.sleep(0.02)
        house.slack.released.set()
