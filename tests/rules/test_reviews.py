"""Campaigns through the real service, worker and store: who is asked, what an answer does, whose silence narrows what."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.case.campaign import Campaign, Item
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.case.transition import Lane, Notification
from bot.domain.decision_log.verify.narrowed_rights import NarrowedRights
from bot.domain.policy.governance import ReviewRules
from bot.domain.policy.model import BreakGlass, NamedPerson
from bot.domain.policy.people import Person
from bot.ports.commands import AnswerReview, Press, ReplyAddress, ReviewAnswer, ShowPage
from bot.ports.records import OutboxRow
from handlers import ids
from handlers.inbound.campaigns import take_form
from handlers.outbound.message_kinds import NewMessage
from handlers.outbound.message_table import MESSAGE_KINDS
from handlers.views.governance import campaigns
from handlers.views.kit.blocks import Message
from handlers.views.kit.context import ViewContext
from sandbox.blocks import check_view
from storage.log.check import check_database
from tests.bot import parts
from tests.bot.building import (
    DAY,
    DEP1,
    DEP2,
    HOUR,
    LEAD,
    MACH,
    MDEP,
    OWNER,
    PE1,
    PE2,
    RISK,
    STRANGER,
    policy,
    runbook,
    with_domain,
)
from tests.bot.office import Office, covered
from tests.database import place
from tests.handlers.shapes import submit, view_of
from tests.handlers.views.test_approval_card import scene

pytestmark = pytest.mark.both

UNLOCK = runbook("unlock", kind="reset", right="autonomous", escalation=None, review_within=None, sha256="11" * 32)
GLASS = runbook("glass", right="immediate", break_glass=BreakGlass(4 * 3600, None), sha256="22" * 32)
RULES = ReviewRules(180 * 86400, 90 * 86400, 10, "narrow")
BASE = policy(
    runbooks=[UNLOCK, GLASS, runbook("emergency")], review=RULES, default_escalation="short",
    people=(NamedPerson("risk", RISK, "Rita Risk", page="env:RITA"),),
)  # fmt: skip
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class ReviewOffice(Office):
    """An office in which the loop of the reviews runs, too."""

    async def pass_days(self, days: float, every: timedelta | None = None) -> None:
        """Time passes, and everything runs: each hour in the morning, when reviews speak, and each fourth otherwise."""
        end = self.clock.at + days * DAY
        while self.clock.at < end:
            step = every or (HOUR if 6 <= self.clock.at.hour < 12 else 4 * HOUR)
            self.clock.at = min(end, self.clock.at + step)
            await self.look()

    async def look(self) -> None:
        await self.sweeper.sweep()
        await self.service.reviews.look()
        await self.deliver()

    async def campaigns(self, *, closed_too: bool = True) -> list[Campaign]:
        return list(await self.store.reviews.campaigns(100, closed_too=closed_too))

    async def of(self, person: Person) -> Campaign:
        return next(c for c in await self.campaigns() if c.owner == person)

    async def keep_people(self) -> None:
        """The owner keeps everybody who may ask."""
        campaign = await self.of(OWNER)
        await self.answer(OWNER, campaign, "keep", *(i.key for i in campaign.items if i.kind == "person"))

    async def answer(
        self,
        person: Person,
        campaign: Campaign,
        answer: Literal["keep", "narrow", "withdraw"],
        *keys: str,
        reason: str = "needed",
    ) -> None:
        chosen = tuple(ReviewAnswer(key, answer, reason) for key in keys or [i.key for i in campaign.unanswered])
        await self.take_in(AnswerReview(person, campaign.id, chosen, ReplyAddress(person, channel="D0")))
        await self.worker.drain()

    def entries(self, *types: str) -> list[dict[str, Any]]:
        return [entry for entry in self.log() if entry["type"] in types]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[ReviewOffice]:
    async with ReviewOffice(tmp_path / "countersign.db", BASE) as running:
        running.clock.at = MONDAY
        yield running
        assert check_database(place(running.path)).findings == ()


def item(campaign: Campaign, key: str) -> Item:
    found = campaign.item(key)
    assert found is not None
    return found


async def filed(office: Office, person: Person, book: str, **how: Any) -> tuple[RequestState, bool]:
    """The state of a fresh request, and whether a grant is open."""
    case = await office.case(await office.file(person, book, **how))
    return case.request.state, case.grant is not None and case.grant.state is GrantState.OPEN


async def test_without_the_key_nobody_is_asked_and_nothing_narrows(office: ReviewOffice) -> None:
    await office.adopt(replace(BASE, review=None))
    await office.pass_days(400, every=DAY)
    assert await office.campaigns() == []
    assert office.entries("campaign.opened", "right.narrowed") == []


async def test_a_campaign_gathers_the_owners_rights_and_the_people_who_may_ask(office: ReviewOffice) -> None:
    await office.look()
    campaign = await office.of(OWNER)
    assert {i.key for i in campaign.items} >= {"autonomous:unlock", "break_glass:glass"}
    assert {i.of for i in campaign.items if i.kind == "person"} >= {"T0PROV/U0PE1", "T0PROV/U0PE2", "T0HOME/U0SOC1"}
    assert [r.say.purpose for r in office.shown if r.say.to == OWNER] == ["campaign"]
    assert office.entries("campaign.opened")[0]["data"]["window"] == 10


async def test_a_silence_of_somebody_reached_narrows_after_the_whole_window_at_ten(office: ReviewOffice) -> None:
    await office.look()
    opened = await office.of(OWNER)
    assert (await filed(office, PE1, "unlock"))[1]
    await office.pass_days(14)
    assert office.entries("right.narrowed") == []
    await office.pass_days(3)
    fallen = [e for e in office.entries("right.narrowed") if e["data"]["id"] == opened.id]
    assert {e["data"]["by"] for e in fallen} == {"silence"}
    assert {datetime.fromisoformat(e["ts"]).hour for e in fallen} == {10}
    assert {datetime.fromisoformat(e["ts"]).weekday() for e in fallen} <= set(range(5))
    assert office.entries("campaign.closed")
    state, open_ = await filed(office, PE2, "unlock", target="srv-9")
    assert (state, open_) == (RequestState.PENDING, False)


async def test_a_narrowed_break_glass_opens_once_a_provider_with_the_risk_owner_paged(office: ReviewOffice) -> None:
    await office.look()
    await office.keep_people()
    await office.pass_days(17)
    case = await office.case(await office.file(PE1, "glass"))
    assert case.grant is not None
    assert any(r.person == RISK and r.paged for r in case.asks[0].reached)
    state, open_ = await filed(office, PE2, "glass", target="srv-2")
    assert (state, open_) == (RequestState.PENDING, False)  # an emergency is asked first, never refused


async def test_a_day_on_which_nobody_was_reached_does_not_count(office: ReviewOffice) -> None:
    await office.look()
    for person in (OWNER, DEP1, DEP2):
        await office.away(person, 14 * DAY)
    await office.pass_days(14)
    assert (await office.of(OWNER)).counted <= 1
    await office.pass_days(10)
    assert [e for e in office.entries("right.narrowed") if e["data"]["id"] == (await office.of(OWNER)).id] == []


async def test_a_message_that_slack_did_not_accept_counts_for_nobody(office: ReviewOffice) -> None:
    office.dead_letters = {OWNER, DEP1, DEP2, RISK}
    await office.look()
    await office.pass_days(20)
    assert (await office.of(OWNER)).counted == 0


async def test_while_the_bot_is_down_no_day_counts(office: ReviewOffice) -> None:
    await office.look()
    office.sleep(30 * DAY)
    await office.restart()
    await office.look()
    assert (await office.of(OWNER)).counted <= 1
    assert office.entries("right.narrowed") == []


async def test_a_keep_after_silence_lifts_it_and_is_announced(office: ReviewOffice) -> None:
    await office.look()
    await office.keep_people()
    await office.pass_days(17)
    campaign = await office.of(OWNER)
    assert not (await filed(office, PE1, "unlock", target="srv-8"))[1]
    await office.answer(OWNER, campaign, "keep", "autonomous:unlock")
    assert (await filed(office, PE1, "unlock"))[1]
    await office.deliver()
    told = [r.say for r in office.shown if r.say.data.get("what") == "kept_after_silence"]
    assert {s.to or s.channel for s in told} >= {OWNER, "C0DIRECTORY"}


async def test_an_owners_own_narrow_is_lifted_only_by_a_changed_file(office: ReviewOffice) -> None:
    await office.look()
    await office.answer(OWNER, await office.of(OWNER), "narrow", "autonomous:unlock")
    assert not (await filed(office, PE1, "unlock"))[1]
    await office.answer(OWNER, await office.of(OWNER), "keep", "autonomous:unlock")
    assert office.answers()[-1]["sentence"] == "review_answered"
    assert not (await filed(office, PE1, "unlock", target="srv-2"))[1]
    await office.adopt(replace(BASE, runbooks={**BASE.runbooks, "unlock": replace(UNLOCK, sha256="33" * 32)}))
    office.sleep(HOUR)
    assert (await filed(office, PE2, "unlock", target="srv-3"))[1]


async def test_a_silence_hangs_on_the_row_and_not_on_the_files_bytes(office: ReviewOffice) -> None:
    await office.look()
    await office.keep_people()
    await office.pass_days(17)
    await office.adopt(replace(BASE, runbooks={**BASE.runbooks, "unlock": replace(UNLOCK, sha256="33" * 32, body="2.")}))
    office.sleep(HOUR)
    assert not (await filed(office, PE1, "unlock"))[1]


async def test_withdrawn_is_refused_for_a_right_and_asks_first_for_break_glass(office: ReviewOffice) -> None:
    await office.look()
    await office.answer(OWNER, await office.of(OWNER), "withdraw", "autonomous:unlock", "break_glass:glass")
    act = office.form(PE1, "unlock")
    await office.take_in(act)
    await office.worker.drain()
    assert await office.store.cases.case(act.id) is None
    assert (await filed(office, PE1, "glass"))[0] is RequestState.PENDING


async def test_a_narrowed_person_asks_and_a_withdrawn_one_cannot(office: ReviewOffice) -> None:
    await office.look()
    campaign = await office.of(OWNER)
    mine = {i.of.rpartition("/")[2]: i.key for i in campaign.items if i.kind == "person"}
    await office.answer(OWNER, campaign, "narrow", mine["U0PE1"])
    await office.answer(OWNER, campaign, "withdraw", mine["U0PE2"])
    assert (await filed(office, PE1, "unlock"))[0] is RequestState.PENDING
    assert (await filed(office, PE1, "glass", target="srv-3"))[0] is RequestState.PENDING
    act = office.form(PE2, "emergency")
    await office.take_in(act)
    await office.worker.drain()
    assert await office.store.cases.case(act.id) is None


@pytest.mark.parametrize("how", ["narrow", "silence"])
async def test_what_a_narrowing_made_pending_refuses_no_emergency(office: ReviewOffice, how: str) -> None:
    await office.look()
    if how == "narrow":
        await office.answer(OWNER, await office.of(OWNER), "narrow", "autonomous:unlock", "break_glass:glass")
    else:
        await office.keep_people()
        await office.pass_days(16)
    for n in range(3):
        assert await filed(office, PE1, "unlock", target=f"a{n}") == (RequestState.PENDING, False)
    for n in range(4):
        state, _ = await filed(office, PE1, "glass", target=f"b{n}")
        assert state in (RequestState.PENDING, RequestState.OPENED)
    for n in range(3):
        assert await filed(office, PE1, "emergency", target=f"c{n}") == (RequestState.PENDING, False)
    for book in ("unlock", "emergency"):  # three that it did not make pending are as many as ever
        refused = await office.file(PE1, book, target="one more")
        assert office.log(refused)[-1]["data"]["reason_code"] == "too_many_pending"


async def test_flagged_items_are_kept_with_a_reason_only(office: ReviewOffice) -> None:
    await office.look()
    await office.answer(OWNER, await office.of(OWNER), "keep", "autonomous:unlock", reason="")
    assert office.answers()[-1]["sentence"] == "review_reason"
    assert item(await office.of(OWNER), "autonomous:unlock").answer == ""


@pytest.mark.parametrize("person", [PE1, LEAD, STRANGER, MACH, DEP1, RISK])
async def test_nobody_else_answers(office: ReviewOffice, person: Person) -> None:
    await office.look()
    await office.answer(person, await office.of(OWNER), "keep", "autonomous:unlock")
    assert item(await office.of(OWNER), "autonomous:unlock").answer == ""
    assert office.entries("decision.refused")[-1]["data"]["id"] == (await office.of(OWNER)).id


async def test_deputies_answer_for_an_owner_who_is_away(office: ReviewOffice) -> None:
    await office.look()
    await office.away(OWNER, 5 * DAY)
    await office.pass_days(0.2)
    await office.answer(DEP1, await office.of(OWNER), "keep", "autonomous:unlock")
    entry = office.entries("right.kept")[-1]
    assert (entry["who"], entry["data"]["role"], entry["on_behalf_of"]) == (DEP1, "deputies", OWNER)


async def test_the_risk_owner_is_asked_three_working_days_before_the_end(office: ReviewOffice) -> None:
    await office.look()
    await office.pass_days(8)  # Tuesday of the second week: six working days are over
    assert (await office.of(OWNER)).role_of(RISK) is None
    await office.pass_days(1)
    campaign = await office.of(OWNER)
    assert campaign.role_of(RISK) == "risk_owner"
    await office.answer(RISK, campaign, "keep", "autonomous:unlock")
    assert item(await office.of(OWNER), "autonomous:unlock").answer == "keep"


async def test_a_narrowing_waits_while_an_emergency_of_its_domain_is_pending(office: ReviewOffice) -> None:
    await office.adopt(replace(BASE, escalation_policies={
        id_: replace(one, expires_after=10 * 86400) for id_, one in BASE.escalation_policies.items()
    }))  # fmt: skip
    await office.look()
    await office.pass_days(15)
    urgent = await office.file(PE1, "emergency")
    assert await office.state(urgent) is RequestState.PENDING
    await office.pass_days(4)
    campaign = await office.of(OWNER)
    assert campaign.previewed_at is not None
    assert campaign.unanswered
    await office.click(OWNER, urgent, "deny")
    await office.pass_days(3)
    assert (await office.of(OWNER)).state == "closed"


async def test_what_falls_is_previewed_a_day_ahead_to_owner_lead_and_channel(office: ReviewOffice) -> None:
    await office.look()
    await office.pass_days(17)
    preview = [r for r in office.shown if r.say.data.get("what") == "falls_tomorrow"]
    assert {r.say.to or r.say.channel for r in preview} >= {OWNER, LEAD, "C0DIRECTORY"}
    fell = datetime.fromisoformat(office.entries("right.narrowed")[0]["ts"])
    assert fell - min(r.created_at for r in preview) >= DAY


async def test_an_owner_gets_at_most_one_governance_message_a_week(office: ReviewOffice) -> None:
    await office.look()
    for _ in range(30):
        await office.pass_days(7, every=8 * HOUR)
        open_ = [c for c in await office.campaigns(closed_too=False) if c.owner == OWNER]
        for campaign in open_:
            await office.answer(OWNER, campaign, "keep")
    sent = sorted(
        r.created_at
        for r in office.shown
        if r.say.to == OWNER and r.copy is None and r.say.purpose in ("campaign", "campaign_reminder")
    )
    assert len(sent) >= 3
    assert all(b - a >= 7 * DAY for a, b in pairwise(sent))


async def test_silence_keeps_where_the_policy_says_so(office: ReviewOffice) -> None:
    await office.adopt(replace(BASE, review=replace(RULES, silence="keep")))
    await office.look()
    await office.pass_days(20)
    assert (await office.of(OWNER)).state == "closed"
    assert office.entries("right.narrowed") == []
    assert (await filed(office, PE1, "unlock"))[1]


async def test_a_new_owner_begins_with_a_full_window(office: ReviewOffice) -> None:
    await office.look()
    await office.pass_days(12)
    await office.adopt(with_domain(BASE, owner=DEP1, deputies=(DEP2,)))
    await office.pass_days(5)
    campaign = await office.of(DEP1)
    assert campaign.counted < 5
    await office.answer(OWNER, campaign, "keep", "autonomous:unlock")
    assert item(await office.of(DEP1), "autonomous:unlock").answer == ""
    await office.answer(DEP1, campaign, "keep", "autonomous:unlock")
    assert item(await office.of(DEP1), "autonomous:unlock").answer == "keep"


async def test_two_answers_at_once_count_once(office: ReviewOffice) -> None:
    await office.look()
    campaign = await office.of(OWNER)
    chosen = (ReviewAnswer("autonomous:unlock", "narrow"),)
    act = AnswerReview(OWNER, campaign.id, chosen, ReplyAddress(OWNER, channel="D0"))
    await office.together(act, act)
    assert len(office.entries("right.narrowed")) == 1


# What people see.


async def drawn(office: ReviewOffice, purpose: str, campaign: Campaign, **data: Any) -> Message:
    row = OutboxRow(0, Notification(purpose, Lane.CARD, campaign.id, to=OWNER, data=data), 0, office.clock.at)
    job = await MESSAGE_KINDS[purpose].drawn(parts.rendering(office), row, None)
    assert isinstance(job, NewMessage)
    return job.message


async def test_the_message_has_the_figures_and_the_two_buttons(office: ReviewOffice) -> None:
    await office.file(PE1, "unlock")
    await office.look()
    await office.answer(OWNER, await office.of(OWNER), "keep")
    await office.pass_days(0.1)
    for _ in range(25):
        office.sleep(7 * DAY)
        await office.file(PE1, "unlock", target=f"srv-{office.clock.at:%j}")
    await office.look()
    campaign = await office.of(OWNER)
    said = await drawn(office, "campaign", campaign)
    assert "25 uses" in said.text
    labels = [e["text"]["text"] for b in said.blocks if b["type"] == "actions" for e in b["elements"]]
    easy = [i for i in campaign.items if i.easy]
    assert labels == [f"Review {len(campaign.items)}", f"Keep these {len(easy)}"]
    assert "autonomous:unlock" in {i.key for i in easy}
    await office.take_in(AnswerReview(OWNER, campaign.id, (), ReplyAddress(OWNER, channel="D0"), easy=True))
    await office.worker.drain()
    after = await office.of(OWNER)
    assert {i.key for i in after.items if i.answer == "keep"} == {i.key for i in easy}


async def test_the_form_asks_keep_narrow_or_withdraw_and_a_reason_where_it_is_flagged(office: ReviewOffice) -> None:
    await office.look()
    campaign = await office.of(OWNER)
    view = campaigns.form(campaign, "D0", ViewContext(office.service.current.policy, office.clock.at))
    assert check_view(view, "modal") == []
    inputs = [b for b in view["blocks"] if b["type"] == "input"]
    options = [[o["text"]["text"] for o in b["element"]["options"]] for b in inputs if "options" in b["element"]]
    assert options == [["Keep", "Narrow", "Withdraw"]] * len(campaign.items)
    flagged = [i for i in campaign.items if i.flags]
    assert len([b for b in inputs if b["element"]["type"] == "plain_text_input"]) == len(flagged)


async def test_a_form_is_sent_in_parts(office: ReviewOffice) -> None:
    await office.look()
    campaign = await office.of(OWNER)
    view = campaigns.form(campaign, "D0", ViewContext(office.service.current.policy, office.clock.at))
    edge = parts.edge(office, AsyncWebClient(), covered)
    n = next(n for n, i in enumerate(campaign.items) if i.key == "autonomous:unlock")
    keep = {"type": "radio_buttons", "selected_option": {"value": "keep"}}
    bare = await take_form(edge, submit(OWNER, view_of(view, {ids.review_choice(n): keep})))
    assert list(bare["errors"]) == [ids.review_reason(n)]
    empty = await take_form(edge, submit(OWNER, view_of(view, {})))
    assert "errors" in empty
    said = {ids.review_choice(n): keep, ids.review_reason(n): "for the night"}
    assert await take_form(edge, submit(OWNER, view_of(view, said), trigger_id="90.13.ef")) == {}
    await office.worker.drain()
    assert item(await office.of(OWNER), "autonomous:unlock").answer == "keep"
    assert len((await office.of(OWNER)).unanswered) == len(campaign.items) - 1


async def test_home_and_the_review_page_name_the_campaign(office: ReviewOffice) -> None:
    await office.look()
    found = await office.service.reviews.theirs(OWNER)
    assert [c.owner for c in found] == [OWNER]
    at_home = str(campaigns.at_home(found, scene(office.policy)))
    assert "Review: " in at_home
    assert "Corporate directory" in at_home
    assert "Answer within " in at_home
    assert await office.service.reviews.theirs(PE1) == []
    await office.take_in(ShowPage(OWNER, "review", "", ReplyAddress(OWNER, channel="D0")))
    await office.worker.drain()
    shown = await office.deliver()
    assert "campaign" in {row.say.purpose for row in shown}


async def test_the_card_of_a_break_glass_says_that_its_review_is_overdue(office: ReviewOffice) -> None:
    await office.look()
    await office.keep_people()
    await office.pass_days(17)
    case = await office.case(await office.file(PE1, "glass"))
    assert "Review overdue since" in campaigns.review_overdue(
        case, ViewContext(office.service.current.policy, office.clock.at)
    )


# What the log's check finds.


async def test_a_grant_that_opened_alone_under_a_narrowed_right_is_a_finding(office: ReviewOffice) -> None:
    await office.look()
    await office.answer(OWNER, await office.of(OWNER), "narrow", "autonomous:unlock")
    judge = NarrowedRights({r["ref"]: f"{r['team_id']}/{r['user_id']}" for r in office.rows("SELECT * FROM person")})
    for row in office.rows("SELECT data FROM log_entry ORDER BY idx"):
        assert list(judge.faults(json.loads(row["data"]), BASE)) == []
    assert [code for code, _ in judge.opened(UNLOCK, "p", "directory", glass=False)] == ["policy"]
    assert list(judge.opened(replace(UNLOCK, sha256="33" * 32), "p", "directory", glass=False)) == []


# Christmas, faster clocks, a stopped log.


async def test_christmas(office: ReviewOffice) -> None:
    """All owners away for 14 days, one gone for good, the bot down for three: no emergency needs a form, nothing narrows by a
    silence that was nobody's, and everything due is asked once afterwards."""
    everybody = (OWNER, DEP1, DEP2, MACH, MDEP)
    for person in everybody:
        await office.away(person, 14 * DAY)
    office.directory.gone.add(MACH)
    await office.pass_days(5)
    office.sleep(3 * DAY)
    await office.restart()
    assert (await filed(office, PE1, "glass"))[1]
    await office.pass_days(5)
    assert (office.entries("right.narrowed"), await office.campaigns()) == ([], [])
    await office.pass_days(4)
    assert [c.owner for c in await office.campaigns()].count(OWNER) == 1
    told = [r for r in office.shown if r.say.purpose == "campaign" and r.say.to == OWNER and r.copy is None]
    assert len(told) == 1
    assert (await office.of(OWNER)).counted <= 3


async def test_on_a_faster_clock_every_day_counts_and_nobodys_ten_oclock_is_kept(office: ReviewOffice) -> None:
    office.scale = 86_400
    office.put_together()
    await office.look()
    await office.keep_people()
    await office.pass_days(9 / 86_400, every=timedelta(milliseconds=250))
    assert office.entries("right.narrowed") == []
    await office.pass_days(4 / 86_400, every=timedelta(milliseconds=250))
    assert {e["data"]["of"] for e in office.entries("right.narrowed")} == {"unlock", "glass"}


async def test_a_stopped_log_and_a_doubted_clock_pause_the_window(office: ReviewOffice) -> None:
    await office.look()
    office.service.reviews.stopped = lambda: True
    await office.pass_days(20)
    assert (await office.of(OWNER)).counted == 0
    office.service.reviews.stopped = lambda: False
    await office.pass_days(3)
    assert 0 < (await office.of(OWNER)).counted <= 3


async def test_an_exception_is_renewed_no_more_or_ends_in_14_days(office: ReviewOffice) -> None:
    dated = runbook("waiver", kind="policy_exception", escalation="short", max_duration=90 * 86400, review_within=None)
    await office.adopt(replace(BASE, runbooks={**BASE.runbooks, "waiver": dated}))
    office.sleep(HOUR)
    until = (office.clock.at + 60 * DAY).date()
    ids_ = [await office.file(PE1, "waiver", target=t, until=until.isoformat()) for t in ("one", "two")]
    for case_id in ids_:
        await office.click(OWNER, case_id)
    await office.look()
    campaign = next(c for c in await office.campaigns() if any(i.kind == "exception" for i in c.items))
    assert campaign.owner == RISK  # the owner alone approved them
    await office.answer(RISK, campaign, "withdraw", f"exception:{ids_[0]}")
    await office.answer(RISK, campaign, "narrow", f"exception:{ids_[1]}")
    await office.look()
    first, second = [await office.case(case_id) for case_id in ids_]
    assert first.grant is not None
    assert first.grant.not_after <= office.clock.at + 14 * DAY
    assert second.grant is not None
    assert second.grant.not_after > office.clock.at + 50 * DAY
    await office.take_in(Press(PE1, ids_[1], 1, "renew", ReplyAddress(PE1, channel="D0"), until=until.isoformat()))
    await office.worker.drain()
    assert "ended the renewals" in str(office.answers()[-1])
