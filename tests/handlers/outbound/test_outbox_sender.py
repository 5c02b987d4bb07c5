"""Everything written to be said is said, or recorded as undeliverable with the reason; nobody waits for somebody else."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.case.model import Case
from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.policy.model import NamedPerson
from bot.domain.policy.people import Person
from bot.ports.commands import CARDS, ReplyAddress, ShowPage
from bot.ports.records import SignedCheckpoint
from handlers.outbound.api_calls import usable
from handlers.outbound.delivery import SILENT
from handlers.outbound.outbox_sender import OutboxSender
from handlers.web_api.errors import REFUSED, UNANSWERED
from handlers.web_api.users import SlackDirectory
from storage.sqlite.driver import QUERIES
from tests.bot import parts
from tests.bot.building import DEP1, DEP2, MINUTE, OWNER, PE1, PE2, SOC1, policy, runbook
from tests.bot.office import Office, covered
from tests.handlers.fake_slack import BROKEN, HANG, LOST, Call, FakeSlack, limited, refusal
from tests.handlers.fake_slack import Reply as Told

POST, UPDATE, EPHEMERAL = "chat.postMessage", "chat.update", "chat.postEphemeral"


@dataclass
class Post:
    """The real messenger between a real store and a fake Slack."""

    office: Office
    slack: FakeSlack
    messenger: OutboxSender

    def to(self, person: Person | str, method: str = POST) -> list[Call]:
        place = person if isinstance(person, str) else person.user
        return [c for c in self.slack.of(method) if c.args.get("channel") in (place, f"D{place}")]

    def entries(self, type_: str) -> list[dict[str, Any]]:
        return [e["data"] | {"case": e.get("case")} for e in self.office.log() if e["type"] == type_]

    def outbox(self) -> list[tuple[str, str | None, bool]]:
        rows = self.office.rows("SELECT purpose, error, done_ms IS NOT NULL AS done FROM outbox ORDER BY id")
        return [(r["purpose"], r["error"], bool(r["done"])) for r in rows]

    def waiting(self) -> list[str]:
        return [purpose for purpose, _, done in self.outbox() if not done]

    async def say(self, *says: Notification) -> None:
        await self.office.store.commit(Transition(None, None, says=says))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(self.messenger.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, 20)


@pytest.fixture
async def post(office: Office) -> AsyncIterator[Post]:
    async with FakeSlack() as slack:
        yield Post(office, slack, parts.sender(office, slack.client(), covered))


async def test_what_is_to_be_said_is_signed_while_it_is_drawn(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id, began = await post.office.file(PE1), asyncio.Event()
    read = post.office.store.cases.case

    async def cover() -> SignedCheckpoint:
        began.set()
        return await covered()

    async def case(which: str) -> Case | None:
        await asyncio.wait_for(began.wait(), 5)
        return await read(which)

    messenger = parts.sender(post.office, post.slack.client(), cover)
    monkeypatch.setattr(post.office.store.cases, "case", case)
    await messenger.drain()
    assert [call.args["channel"] for call in post.to(OWNER)]
    assert (await read(case_id)) is not None


async def test_a_card_and_a_receipt_are_posted_kept_and_logged(post: Post) -> None:
    case_id = await post.office.file(PE1)
    await post.messenger.drain()
    (card,), (receipt,) = post.to(OWNER), post.to(PE1)
    assert (card.buttons[:2], receipt.buttons[:1]) == (["Approve", "Deny"], ["Withdraw"])
    copies = await post.office.store.outbox.copies(case_id)
    assert {("card", OWNER, "DU0OWNER"), ("receipt", PE1, "DU0PE1")} <= {(c.purpose, c.to, c.channel) for c in copies}
    for purpose, person in (("card", OWNER), ("receipt", PE1)):
        assert {"purpose": purpose, "to": person, "case": case_id} in post.entries("delivery.sent")
    assert post.waiting() == []


async def test_a_yes_reaches_everybody_who_must_know_and_changes_every_copy(post: Post) -> None:
    case_id = await post.office.file(PE1, target="dc-secret", reason="why-secret")
    await post.messenger.drain()
    await post.office.click(OWNER, case_id)
    await post.messenger.drain()
    _receipt, outcome = post.to(PE1)
    assert "Approved" in outcome.args["text"]
    assert "thread_ts" not in outcome.args
    assert outcome.buttons == ["Finished", "Not used", "Permit"]
    (announced,) = post.to("C0DIRECTORY")
    assert announced.args["text"].startswith(f"{case_id} · 🚨 The emergency runbook: approved by <@U0OWNER>, until")
    assert "secret" not in json.dumps(announced.args)
    redrawn = {c.args["channel"]: c for c in post.slack.of(UPDATE)}
    kept = {c.channel for c in await post.office.store.outbox.copies(case_id) if c.purpose in ("card", "receipt", "lead")}
    assert set(redrawn) == kept
    for call in (redrawn["DU0OWNER"], redrawn["DU0PE1"]):
        assert "*Approved* by <@U0OWNER>" in json.dumps(call.blocks)
        assert not {"Approve", "Deny", "Withdraw"} & set(call.buttons)
    assert post.waiting() == []


async def test_a_deactivated_owner_gets_no_message_and_the_next_are_asked_at_once(post: Post) -> None:
    case_id = await post.office.file(PE1)
    post.office.directory.gone.add(OWNER)
    await post.messenger.drain()
    assert post.to(OWNER) == []
    assert len(post.to(DEP1)) == len(post.to(DEP2)) == 1
    failed = {"purpose": "card", "to": OWNER, "error": "deactivated", "case": case_id}
    assert post.entries("delivery.failed") == [failed]


@pytest.mark.parametrize("word", ["channel_not_found", "user_not_found", "cannot_dm_bot", "is_archived", "invalid_blocks"])
async def test_slacks_final_error_is_recorded_and_the_engine_moves_on(post: Post, word: str) -> None:
    post.slack.always["U0OWNER"] = refusal(word)
    await post.office.file(PE1)
    await post.messenger.drain()
    assert [e["error"] for e in post.entries("delivery.failed")] == [word]
    assert len(post.to(OWNER)) == 1
    assert len(post.to(DEP1)) == 1
    assert ("card", word, True) in post.outbox()


async def test_a_look_up_that_fails_does_not_keep_the_card_back(post: Post) -> None:
    await post.office.file(PE1)
    post.office.directory.silent.update({OWNER, PE1})
    await post.messenger.drain()
    assert len(post.to(OWNER)) == len(post.to(PE1)) == 1


async def test_a_rate_limit_is_honoured_in_full_and_others_go_on(post: Post) -> None:
    post.slack.always["U0OWNER"] = limited(30)
    await post.office.file(PE1)
    await post.messenger.drain()
    assert (len(post.to(OWNER)), len(post.to(PE1))) == (1, 1)
    del post.slack.always["U0OWNER"]
    post.office.sleep(timedelta(seconds=29))
    await post.messenger.drain()
    assert len(post.to(OWNER)) == 1
    post.office.sleep(timedelta(seconds=1))
    await post.messenger.drain()
    assert len(post.to(OWNER)) == 2
    assert post.entries("delivery.failed") == []
    assert post.waiting() == []


@pytest.mark.parametrize(
    "trouble", [BROKEN, LOST, refusal("internal_error"), refusal("invalid_auth"), Told(200, "no json")]
)
async def test_what_could_not_be_said_now_is_said_later_and_later(post: Post, trouble: Told) -> None:
    post.slack.always["U0OWNER"] = trouble
    await post.office.file(PE1)
    tried = []
    for seconds in (0, 1, 1, 1, 4):  # backs off: after 1, 2, 4 … seconds
        post.office.sleep(timedelta(seconds=seconds))
        await post.messenger.drain()
        tried.append(len(post.to(OWNER)))
    assert tried == [1, 2, 2, 3, 4]
    del post.slack.always["U0OWNER"]
    post.office.sleep(MINUTE)
    await post.messenger.drain()
    assert "Approve" in post.to(OWNER)[-1].buttons
    assert post.waiting() == []


async def test_when_slack_is_back_everything_that_waited_for_it_goes_at_once(post: Post) -> None:
    places = ("U0OWNER", "U0PE1", "U0PLEAD")
    post.slack.always.update(dict.fromkeys(places, BROKEN))
    await post.office.file(PE1)
    for _ in range(8):  # pauses grow to a minute
        await post.messenger.drain()
        post.office.sleep(MINUTE)
    await post.messenger.drain()
    assert len(post.waiting()) == 3
    for place in places:
        del post.slack.always[place]
    await post.say(Notification("watchdog", Lane.URGENT, channel="C0DIRECTORY", data={"since": 0, "troubles": ["late"]}))
    await post.messenger.drain()
    assert post.waiting() == []
    assert "Approve" in post.to(OWNER)[-1].buttons


def test_the_store_and_the_messenger_mean_the_same_by_a_silence() -> None:
    assert set(re.findall(r"'(\w+)'", QUERIES["slack_is_back"])) == UNANSWERED | {"pager"}


async def test_after_a_day_it_is_given_up_with_the_reason(post: Post) -> None:
    post.slack.always["C0DIRECTORY"] = BROKEN
    case_id = await post.office.file(PE1)
    await post.office.click(OWNER, case_id)
    await post.messenger.drain()
    post.office.sleep(timedelta(hours=24, seconds=1))
    await post.messenger.drain()
    failed = {"purpose": "announce", "channel": "C0DIRECTORY", "error": "http_503", "case": case_id}
    assert post.entries("delivery.failed") == [failed]
    assert post.waiting() == []


async def test_one_place_that_hangs_delays_nobody_else(post: Post) -> None:
    post.slack.always["U0OWNER"] = Told(200, HANG)
    await post.office.file(PE1)
    async with post.running():
        await post.slack.until(lambda: post.to(OWNER))
        await post.say(*(Notification("answer", Lane.CARD, to=DEP1, data={"sentence": "again", "n": n}) for n in range(30)))
        post.office.service.current.spoke.set()
        await post.slack.until(lambda: len(post.to(DEP1)) == 30)
        assert len(post.to(OWNER)) == 1
        post.slack.released.set()


async def test_no_more_than_a_few_calls_are_under_way_and_the_urgent_find_room(post: Post) -> None:
    people = [Person("T0HOME", f"U0X{n}") for n in range(40)]
    for person in people:
        post.slack.always[person.user] = Told(200, HANG)
    await post.say(*(Notification("answer", Lane.CARD, to=p, data={"sentence": "again"}) for p in people))
    async with post.running():
        await post.slack.until(lambda: len(post.slack.of(POST)) == 12)
        await post.say(*(Notification("answer", Lane.URGENT, to=p, data={"sentence": "again"}) for p in people[30:36]))
        post.office.service.current.spoke.set()
        await post.slack.until(lambda: len(post.slack.of(POST)) == 16)
        post.slack.always.clear()
        post.slack.released.set()
        await post.slack.until(lambda: len({c.args["channel"] for c in post.slack.of(POST)}) == 40)
    assert post.slack.most_at_once == 16


async def test_one_conversation_gets_one_new_message_a_second(post: Post) -> None:
    messenger = parts.sender(post.office, post.slack.client(), covered, pace=1)
    for number in range(6):
        await post.office.file(PE1, target=f"t-{number}") if number < 3 else None
    counts = []
    for _ in range(4):
        await messenger.drain()
        counts.append((len(post.to(OWNER)), len(post.to(PE1))))
        post.office.sleep(timedelta(seconds=1))
    assert counts == [(1, 1), (2, 2), (3, 3), (3, 3)]
    assert post.waiting() == []


async def test_a_card_drawn_before_and_noted_after_a_decision_is_drawn_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await post.office.file(PE1)
    store, noted = post.office.store, post.office.store.outbox.sent

    async def decide_first(*args: Any, **how: Any) -> None:
        monkeypatch.setattr(store.outbox, "sent", noted)
        await post.office.click(OWNER, case_id)
        await noted(*args, **how)

    monkeypatch.setattr(store.outbox, "sent", decide_first)
    await post.messenger.drain()
    (redrawn,) = post.to(OWNER, UPDATE)
    assert "*Approved*" in json.dumps(redrawn.blocks)
    assert "Approve" not in redrawn.buttons


async def test_a_reminder_is_a_reply_under_the_card_that_mentions_its_reader(post: Post) -> None:
    case_id = await post.office.file(PE1)
    await post.messenger.drain()
    card = next(c for c in await post.office.store.outbox.copies(case_id) if c.purpose == "card")
    await post.office.forward(3 * MINUTE)
    await post.messenger.drain()
    reminder = post.to(OWNER)[-1]
    assert (reminder.args["channel"], reminder.args["thread_ts"]) == (card.channel, card.ts)
    assert reminder.args["text"].startswith(f"<@U0OWNER> {case_id}")


async def test_nobody_is_disturbed_for_what_is_already_decided(post: Post) -> None:
    case_id = await post.office.file(PE1)
    await post.messenger.drain()
    await post.office.forward(5 * MINUTE)  # a reminder and the deputies' cards wait
    await post.office.click(OWNER, case_id)
    before = len(post.to(OWNER))
    await post.messenger.drain()
    assert len(post.to(OWNER)) == before
    assert post.to(DEP1) == []
    assert {(p, e) for p, e, done in post.outbox() if e} == {
        (purpose, "no_longer_open") for purpose in ("reminder", "card", "taken")
    }
    assert post.entries("delivery.failed") == []


def answer(url: str = "", channel: str = "", **data: Any) -> Notification:
    reply = {"person": {"team": "T0HOME", "user": "U0OWNER"}, "response_url": url, "channel": channel}
    return Notification("answer", Lane.CARD, to=OWNER, data={"reply": reply, "sentence": "again", **data})


async def test_an_answer_goes_to_the_address_that_slack_gave(post: Post) -> None:
    await post.say(answer(post.slack.hook("one"), "C0ANY"))
    await post.messenger.drain()
    (call,) = post.slack.calls
    assert call.method == "hook/one"
    assert (call.args["response_type"], call.args["replace_original"]) == ("ephemeral", False)
    assert call.args["text"].startswith("Slack did not confirm your account")


@pytest.mark.parametrize(
    "trouble",
    [Told(404, {"ok": False, "error": "used_url"}), Told(500, "x"), LOST, Told(307, "x", {"Location": "/hook/two"})],
)
async def test_where_the_address_is_dead_the_answer_is_for_its_author_alone_in_the_channel(
    post: Post, trouble: Told
) -> None:
    post.slack.script["hook/one"].append(trouble)
    await post.say(answer(post.slack.hook("one"), "C0ANY"))
    await post.messenger.drain()
    (call,) = post.slack.of(EPHEMERAL)
    assert (call.args["channel"], call.args["user"]) == ("C0ANY", "U0OWNER")
    assert post.slack.of("hook/two") == []
    assert post.waiting() == []


async def test_an_old_address_is_not_tried_and_no_channel_means_a_direct_message(post: Post) -> None:
    await post.say(answer(post.slack.hook("one")))
    post.office.sleep(26 * MINUTE)
    await post.messenger.drain()
    assert [(c.method, c.args["channel"]) for c in post.slack.calls] == [(POST, "U0OWNER")]


@pytest.mark.parametrize(
    ("url", "takes"),
    [
        ("https://hooks.slack.com/actions/T1/2/x", True), ("http://127.0.0.1:8642/response/T1/x", True),
        ("https://user:pw@hooks.slack.com/x", False), ("https://hooks.slack.com@evil.example/x", False),
        ("ftp://hooks.slack.com/x", False), ("http://", False), ("http://[", False), ("", False), ("/etc/passwd", False),
    ],
)  # fmt: skip
def test_an_address_is_looked_at_before_it_is_called(url: str, takes: bool) -> None:
    assert usable(url) is takes


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://x/", "http://", "http://user:pw@127.0.0.1/x", "nonsense"])
async def test_only_a_plain_web_address_is_called(post: Post, url: str) -> None:
    post.slack.script[EPHEMERAL].append(refusal("user_not_in_channel"))
    await post.say(answer(url, "C0ANY"))
    await post.messenger.drain()
    assert [c.method for c in post.slack.calls] == [EPHEMERAL, POST]


async def test_a_line_about_a_message_names_its_request(post: Post) -> None:
    case_id = await post.office.file(PE1)
    post.slack.always["U0OWNER"] = refusal("channel_not_found")
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        await post.messenger.drain()
    assert {line["request"] for line in lines if line["event"] == "message.undeliverable"} == {case_id}


async def test_an_address_for_answers_is_never_logged(post: Post) -> None:
    url = post.slack.hook("very-secret")
    post.slack.script["hook/very-secret"].append(LOST)
    post.slack.always["U0OWNER"] = refusal("channel_not_found")
    with structlog.testing.capture_logs() as lines:
        await post.say(answer(url))
        await post.messenger.drain()
    assert lines
    assert "very-secret" not in str(lines)
    assert all("very-secret" not in str(entry) for entry in post.office.log())


async def test_the_last_page_of_the_form_says_who_is_asked(post: Post) -> None:
    case_id = await post.office.file(PE1, form="V0FORM")
    post.office.sleep(timedelta(seconds=1))
    await post.messenger.drain()
    (call,) = post.slack.of("views.update")
    assert call.args["view_id"] == "V0FORM"
    assert f"*{case_id}* is filed." in json.dumps(call.args["view"])
    assert "Asked: <@U0OWNER>" in json.dumps(call.args["view"])


async def test_the_last_page_waits_until_the_acknowledgement_has_drawn_its_own(post: Post) -> None:
    await post.office.file(PE1, form="V0FORM")
    await post.messenger.drain()
    assert post.slack.of("views.update") == []
    assert post.waiting() == ["form"]


async def test_a_form_that_was_closed_is_quietly_recorded(post: Post) -> None:
    post.slack.script["views.update"].append(refusal("not_found"))
    await post.office.file(PE1, form="V0FORM")
    post.office.sleep(timedelta(seconds=1))
    await post.messenger.drain()
    assert ("form", "not_found", True) in post.outbox()
    assert post.entries("delivery.failed") == []


async def test_a_refused_filing_is_said_in_the_form_and_by_message(post: Post) -> None:
    await post.office.file(PE1)
    await post.office.file(PE1, form="V0FORM")
    post.office.sleep(timedelta(seconds=1))
    await post.messenger.drain()
    assert "was not filed" in json.dumps(post.slack.of("views.update")[0].args["view"])
    assert any("was not filed" in c.args["text"] for c in post.to(PE1))


async def test_a_purpose_that_nobody_knows_is_recorded_not_repeated(post: Post) -> None:
    await post.say(Notification("of_a_later_release", Lane.CARD, to=OWNER))
    await post.messenger.drain()
    assert post.outbox() == [("of_a_later_release", "unknown_purpose", True)]


async def test_a_message_that_is_gone_is_not_redrawn_for_ever(post: Post) -> None:
    case_id = await post.office.file(PE1)
    await post.messenger.drain()
    before = {copy.id for copy in await post.office.store.outbox.copies(case_id)}
    post.slack.script[UPDATE].append(refusal("message_not_found"))
    await post.office.click(OWNER, case_id)
    await post.messenger.drain()
    assert len(before - {copy.id for copy in await post.office.store.outbox.copies(case_id)}) == 1
    assert post.waiting() == []


async def test_a_stop_finishes_what_is_under_way_and_gives_the_rest_back(post: Post) -> None:
    messenger = parts.sender(post.office, post.slack.client(), covered, pace=60)
    for number in range(3):
        await post.office.file(PE1, target=f"t-{number}")
    stop = asyncio.Event()
    task = asyncio.create_task(messenger.run(stop))
    await post.slack.until(lambda: post.to(OWNER) and post.to(PE1))
    stop.set()
    await asyncio.wait_for(task, 10)
    assert (len(post.to(OWNER)), len(post.to(PE1))) == (1, 1)
    assert sorted(p for p in post.waiting() if p != "lead") == ["card", "card", "receipt", "receipt"]
    leased = post.office.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL AND leased_until_ms > 0")
    assert leased == []


async def test_it_wakes_when_something_is_written(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.outbound.outbox_sender.POLL", 600)
    async with post.running():
        await post.slack.until(lambda: True)
        await post.office.file(PE1)
        await post.slack.until(lambda: post.to(OWNER))


async def test_it_looks_by_itself_where_nobody_rings(post: Post) -> None:
    async with post.running():
        await post.say(answer(channel="C0ANY"))
        await post.slack.until(lambda: post.slack.of(EPHEMERAL))


async def test_a_store_that_fails_for_a_moment_stops_nothing(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, broken = post.office.store.outbox.lease, [1, 1]

    async def lease(*args: Any) -> Any:
        if broken:
            broken.pop()
            raise OSError("disk")
        return await whole(*args)

    monkeypatch.setattr(post.office.store.outbox, "lease", lease)
    await post.office.file(PE1)
    async with post.running():
        await post.slack.until(lambda: post.to(OWNER))


async def read(post: Post, person: Person, page: Any, argument: str = "") -> str:
    await post.office.take_in(ShowPage(person, page, argument, ReplyAddress(person, "", "C0ANY")))
    await post.office.worker.drain()
    await post.messenger.drain()
    call = post.slack.of(EPHEMERAL)[-1]
    return str(call.args["text"]) + json.dumps(call.blocks, ensure_ascii=False)


async def test_a_provider_sees_its_own_requests_only(post: Post) -> None:
    case_id = await post.office.file(PE1, target="dc-secret", reason="why-secret")
    for page, argument in (("show", case_id), ("queue", ""), ("mine", ""), ("waiting", ""), ("matrix", "")):
        shown = await read(post, SOC1, page, argument)
        assert "secret" not in shown
        assert "U0PE1" not in shown
        assert page == "show" or case_id not in shown
    assert "There is no request" in await read(post, SOC1, "show", case_id)
    assert "dc-secret" in await read(post, PE1, "show", case_id.lower().replace("r-", ""))
    assert case_id in await read(post, PE1, "queue")
    assert case_id in await read(post, OWNER, "waiting")
    assert "The buttons are on the cards" in await read(post, OWNER, "waiting")


async def test_a_list_shows_neither_target_nor_reason(post: Post) -> None:
    await post.office.file(PE1, target="dc-secret", reason="why-secret")
    for person, page in ((PE1, "mine"), (OWNER, "queue"), (OWNER, "waiting")):
        assert "secret" not in await read(post, person, page)


async def test_the_matrix_is_of_ones_own_side(post: Post) -> None:
    shown = await read(post, OWNER, "matrix")
    assert "owner <@U0OWNER>, deputies <@U0DEP1>, <@U0DEP2>, on-call now <@U0ONC1>, risk owner <@U0RISK>" in shown
    assert "<@U0MACH>" in shown
    assert "You may not ask for anything here" in await read(post, Person("T0ELSE", "U0OUT"), "matrix")


async def test_the_matrix_of_a_provider_names_only_what_it_may_ask_for(post: Post) -> None:
    ours = [runbook("shared"), runbook("theirs", domain="machines", providers=("northgate",))]
    await post.office.adopt(policy(runbooks=ours))
    theirs, own = await read(post, PE1, "matrix"), await read(post, SOC1, "matrix")
    assert "The theirs runbook" in theirs
    assert "<@U0MACH>" in theirs
    assert "The shared runbook" in own
    assert "theirs" not in own
    assert "<@U0MACH>" not in own


async def test_whoami_prints_lines_to_paste(post: Post) -> None:
    directory = SlackDirectory(post.slack.client(), post.office.clock)
    post.messenger = parts.sender(post.office, post.slack.client(), directory=directory)
    post.slack.users["U0OWNER"] = {"real_name": "Olga Novak"}
    post.slack.users["U0DEP1"] = {"real_name": "Olga <!channel> `x`: O'Hara"}
    post.slack.users["U0PE3"] = {"real_name": "Pia", "team_id": "T0PROV"}
    post.slack.users["U0DEP2"] = {"id": "U0SOMEBODYELSE"}  # no answer
    shown = await read(post, OWNER, "whoami", "U0DEP1 U0PE3 U0DEP2")
    code = shown.split("```")[1].strip().split("\n")
    assert code == [
        "olga: {id: U0OWNER, name: Olga Novak}",
        'olga2: {id: U0DEP1, name: "Olga channel x O’Hara"}',
        "pia: {id: T0PROV/U0PE3, name: Pia}",
        "u0dep2: {id: U0DEP2, name: U0DEP2}",
    ]


async def test_help_names_what_can_be_typed_and_says_what_is_unknown(post: Post) -> None:
    shown = await read(post, OWNER, "help", "dance")
    assert "There is no “dance” here." in shown
    assert "/countersign queue" in shown


TROUBLES: list[Callable[[], Told]] = [
    lambda: BROKEN,
    lambda: LOST,
    lambda: limited(7),
    lambda: refusal("internal_error"),
    lambda: refusal("channel_not_found"),
    lambda: Told(200, "nonsense"),
]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([POST, UPDATE]), st.sampled_from(range(len(TROUBLES)))), max_size=12), st.booleans()
)
def test_nothing_is_lost_whatever_slack_does(
    tmp_path_factory: pytest.TempPathFactory, script: list[tuple[str, int]], approve: bool
) -> None:
    async def played() -> None:
        office = await Office(tmp_path_factory.mktemp("lost") / "c.db", policy()).open()
        async with FakeSlack() as slack:
            post = Post(office, slack, parts.sender(office, slack.client(), covered))
            for method, trouble in script:
                slack.script[method].append(TROUBLES[trouble]())
            case_id = await office.file(PE1)
            await post.messenger.drain()
            await office.click(OWNER, case_id, "approve" if approve else "deny")
            for _ in range(40):
                await post.messenger.drain()
                office.sleep(timedelta(seconds=30))
            _judge(post)
        await office.close()

    asyncio.run(_within(played))


def _judge(post: Post) -> None:
    """Nothing waits; what failed has its reason; everybody who got any message learned how it ended."""
    assert post.waiting() == []
    assert all(error for _, error, done in post.outbox() if done)
    failed = [e["error"] for e in post.entries("delivery.failed")]
    assert all(error == "channel_not_found" for error in failed)


async def _within(work: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(60):
        await work()


async def reviewing(post: Post) -> str:
    """A finished request whose review waits for the first deputy, for the owner alone approved it."""
    case_id = await post.office.file(PE1)
    await post.office.click(OWNER, case_id)
    await post.messenger.drain()
    await post.office.click(PE1, case_id, "finish")
    await post.office.sweeper.sweep()
    return case_id


async def test_a_review_waits_for_the_morning_of_its_reader_and_its_deadline_does_not(post: Post) -> None:
    post.office.directory.special[DEP1] = {"time_zone": "America/New_York"}  # 04:00 there
    case_id = await reviewing(post)
    before = (await post.office.case(case_id)).asks[-1]
    await post.messenger.drain()
    assert post.to(DEP1) == []
    assert ("ask.2", "held until the morning", False) in post.outbox()
    post.office.sleep(timedelta(hours=4, minutes=59))
    await post.messenger.drain()
    assert post.to(DEP1) == []
    post.office.sleep(MINUTE)
    await post.messenger.drain()
    assert len(post.to(DEP1)) == 1
    assert (await post.office.case(case_id)).asks[-1].due_at == before.due_at


async def test_a_review_that_its_reader_asks_to_see_waits_for_no_morning(post: Post) -> None:
    post.office.directory.special[DEP1] = {"time_zone": "America/New_York"}
    await reviewing(post)
    await post.office.together(ShowPage(DEP1, "waiting", CARDS, ReplyAddress(DEP1, channel="D0")))
    await post.messenger.drain()
    assert [c.buttons for c in post.to(DEP1)] == [["Accept", "Flag"]]


async def test_a_faster_clock_has_no_nights(post: Post) -> None:
    post.office.directory.special[DEP1] = {"time_zone": "America/New_York"}
    post.office.scale = 15
    post.messenger = parts.sender(post.office, post.slack.client())
    await reviewing(post)
    await post.messenger.drain()
    assert len(post.to(DEP1)) == 1


async def test_a_review_whose_reader_is_gone_is_put_to_the_next(post: Post) -> None:
    post.slack.always["U0DEP1"] = refusal("user_not_found")
    await reviewing(post)
    await post.messenger.drain()
    assert len(post.to(DEP2)) == 1


@pytest.mark.parametrize("word", sorted(REFUSED))
async def test_a_refused_token_pages_after_a_minute_whatever_still_works_without_it(post: Post, word: str) -> None:
    office = post.office
    await office.adopt(policy(people=(NamedPerson("olga", OWNER, "Olga", "env:PAGE_OLGA"),)))
    post.slack.script[POST].extend([refusal(word)] * 100)
    case_id = await office.file(PE1)
    await post.messenger.drain()
    office.sleep(timedelta(seconds=SILENT - 1))
    reply = {"response_url": post.slack.hook("asker"), "channel": ""}
    await post.say(Notification("answer", Lane.URGENT, to=PE1, data={"sentence": "again", "reply": reply}))
    await post.messenger.drain()
    assert len(post.slack.of("hook/asker")) == 1
    assert not any(r.paged for r in (await office.case(case_id)).approval.reached)
    office.sleep(timedelta(seconds=2))
    await office.store.outbox.slack_is_back(office.clock.now())
    await post.messenger.drain()
    assert [r.person for r in (await office.case(case_id)).approval.reached if r.paged] == [OWNER]
    post.slack.script[POST].clear()
    await office.store.outbox.slack_is_back(office.clock.now())
    await post.messenger.drain()
    assert "Approve" in post.to(OWNER)[-1].buttons


async def test_slack_is_silent_after_a_minute_of_failures_and_not_at_the_first_one_after_an_idle_hour(post: Post) -> None:
    office = post.office
    await office.adopt(policy(people=(NamedPerson("olga", OWNER, "Olga", "env:PAGE_OLGA"),)))
    await office.file(PE1)
    await post.messenger.drain()
    office.sleep(timedelta(hours=1))
    post.slack.script[POST].extend([BROKEN] * 100)
    case_id = await office.file(PE2, target="srv-2")
    await post.messenger.drain()
    assert not any(r.paged for r in (await office.case(case_id)).approval.reached)
    office.sleep(timedelta(seconds=SILENT + 1))
    await post.messenger.drain()
    assert [r.person for r in (await office.case(case_id)).approval.reached if r.paged] == [OWNER]


@pytest.mark.parametrize(("word", "kept"), [("is_archived", 1), ("msg_too_long", 1), ("message_not_found", 0)])
async def test_a_message_that_cannot_be_redrawn_now_is_redrawn_at_the_next_change_unless_it_is_gone(
    post: Post, word: str, kept: int
) -> None:
    case_id = await post.office.file(PE1)
    await post.messenger.drain()
    post.slack.always["DU0PE1"] = refusal(word)
    await post.office.click(OWNER, case_id, "hold")
    await post.messenger.drain()
    post.slack.always.clear()
    before = len(post.to(PE1, UPDATE))
    await post.office.click(OWNER, case_id)
    await post.messenger.drain()
    assert len([c for c in post.to(PE1, UPDATE)[before:] if c.args["ts"] == post.to(PE1, UPDATE)[0].args["ts"]]) == kept
