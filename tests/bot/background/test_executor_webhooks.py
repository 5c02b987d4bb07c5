"""Executors over real HTTP and the real store: what they are sent when, what their answers mean, and what survives a kill."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from bot.background import executor_webhooks
from bot.background.executor_webhooks import ExecutorWebhooks, read_answer
from bot.domain.decision_log.entry import stamp
from bot.domain.workflow.executor import Heard
from bot.http.client import Limits
from bot.ports.commands import Press, ReplyAddress
from bot.service.permits import PermitIssuer
from storage.log.check import check_database
from tests.bot import parts
from tests.bot.building import DEP1, HOUR, MINUTE, OWNER, PE1, policy
from tests.bot.office import Killed
from tests.bot.permitting import SignedOffice
from tests.bot.receiving import SECRET, Receiver
from tests.bot.service.test_permits import JumpyClock, claims_of, judged
from tests.bot.stopping import StoppableOffice
from tests.database import place

SECOND = timedelta(seconds=1)


class Ground:
    """A signed office, a system beside it, and what calls it; `restart` is a new process on what the old one left."""

    def __init__(self, office: SignedOffice, system: Receiver) -> None:
        self.office, self.system = office, system
        self._begin()

    def _begin(self) -> None:
        self.office.service.permits = self.office.issuer
        self.executors = parts.executors(self.office, self.system.environment, self.office.signer.cover, ExecutorWebhooks)

    async def restart(self) -> None:
        await self.executors.close()
        await self.office.restart()
        await self.office.store.free_leases()
        self._begin()

    async def killed(self, dies: str) -> None:
        """The process dies while it carries out the one row that waits, and comes back."""
        (row,) = await self.office.store.inbox.unfinished(10)
        self.office.mortal.dies = dies
        with pytest.raises(Killed):
            await self.office.service.carry_out(row)
        await self.restart()

    async def call(self, after: timedelta = timedelta()) -> None:
        """Time passes, and the calls that are due then are made and answered."""
        self.office.clock.at += after
        await self.executors.drain()

    async def approved(self, **how: Any) -> str:
        return await self.office.approved("executed", **how)

    def said(self, purpose: str) -> list[tuple[str, dict[str, Any]]]:
        rows = self.office.rows("SELECT * FROM outbox WHERE purpose = :p AND done_ms IS NULL ORDER BY id", p=purpose)
        return [(r["channel"] or r["to_user"], json.loads(r["data"])) for r in rows]

    def entries(self, case_id: str) -> list[tuple[str, dict[str, Any]]]:
        return [(e["type"], e["data"]) for e in self.office.log(case_id) if e["type"].startswith("executor.")]


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    async with SignedOffice(tmp_path / "countersign.db", policy(), JumpyClock()) as office, Receiver() as system:
        it = Ground(office, system)
        yield it
        await it.executors.close()
        assert check_database(place(office.path)).findings == ()


async def test_an_opening_and_a_closing_are_sent_signed_under_an_id_of_their_own(ground: Ground) -> None:
    office = ground.office
    case_id = await ground.approved(target="srv-7")
    await ground.call()
    grant = (await office.case(case_id)).grant
    assert grant is not None
    [(headers, body)] = ground.system.got
    told = json.loads(body)
    token = told["data"].pop("permit")
    assert told == {
        "type": "grant.open", "timestamp": stamp(office.clock.at),
        "data": {"request": case_id, "runbook": "executed", "requester": str(PE1), "target": "srv-7",
                 "not_after": stamp(grant.not_after)},
    }  # fmt: skip
    assert judged(office, token, audience="executed", runbook="executed") == ""
    assert headers["content-type"] == "application/json"
    sent = datetime.fromtimestamp(int(headers["webhook-timestamp"]), office.clock.at.tzinfo)
    assert headers["webhook-signature"] == Webhook(SECRET).sign(headers["webhook-id"], sent, body)
    await office.click(OWNER, case_id, "revoke")
    await ground.call()
    [revoked] = [e["i"] for e in office.log(case_id) if e["type"] == "grant.revoked"]
    assert int((await office.store.log.last_checkpoint() or "").split("\n")[1]) > revoked  # covered before it left
    closing = json.loads(ground.system.got[1][1])
    assert (closing["type"], closing["data"]["request"], closing["data"]["permit"]) == ("grant.close", case_id, None)
    assert ground.system.told[0][1] != ground.system.told[1][1]
    assert ground.entries(case_id) == [
        ("executor.opened", {"name": "grant.open"}),
        ("executor.closed", {"name": "grant.close", "closed_by": "executor"}),
    ]
    await ground.call(HOUR)
    assert len(ground.system.got) == 2


async def test_the_answer_is_recorded_with_what_the_system_wrote(ground: Ground) -> None:
    ground.system.answers = [{"state": "failed", "detail": "no such\nserver"}]
    case_id = await ground.approved()
    await ground.call()
    [(type_, data)] = ground.entries(case_id)
    assert (type_, data["name"]) == ("executor.failed", "grant.open")
    [digest] = [
        r["digest"] for r in ground.office.rows("SELECT digest FROM log_private WHERE digest = :d", d=data["digest"])
    ]
    assert digest == data["digest"]
    assert ground.said("executor") == [("U0PE1", {"word": "failed", "detail": "no such server"})]
    await ground.call(HOUR / 2)
    assert len(ground.system.got) == 1  # it was an answer


@pytest.mark.parametrize(("status", "body", "heard"), [
    (200, b"", Heard("opened")), (204, b" ", Heard("opened")), (200, b'{"state":"opened"}', Heard("opened")),
    (200, b'{"state":"failed","detail":"x\\u0000y\\ud800"}', Heard("failed", "x y?")),
    (200, b'{"state":"opened","detail":7}', Heard("opened")), (200, b'{"state":"closed"}', "not_understood"),
    (200, b"<html>", "not_understood"), (200, b'["opened"]', "not_understood"), (200, b"[" * 60_000, "not_understood"),
    (302, b"", "http_302"), (500, b"", "http_500"),
])  # fmt: skip
def test_only_an_answer_is_an_answer(status: int, body: bytes, heard: Heard | str) -> None:
    assert read_answer("open", status, body) == heard


async def test_what_is_not_answered_is_asked_again_after_5_s_doubling_to_10_min_under_the_same_id(ground: Ground) -> None:
    ground.system.usual = 503
    case_id = await ground.approved()
    waits = [0, 5, 10, 20, 40, 80, 160, 320, 600, 600]
    for n, wait in enumerate(waits):
        if wait:
            await ground.call(wait * SECOND - timedelta(milliseconds=1))
            assert len(ground.system.got) == n
            await ground.call(timedelta(milliseconds=1))
        else:
            await ground.call()
        assert len(ground.system.got) == n + 1
    assert len(set(ground.system.told)) == 1
    permits = [claims_of(json.loads(body)["data"]["permit"])["jti"] for _, body in ground.system.got]
    assert len(set(permits)) == len(waits)  # each attempt brings one that still holds
    ground.system.usual = ""
    await ground.call(600 * SECOND)
    assert ground.entries(case_id) == [("executor.opened", {"name": "grant.open"})]


async def test_an_open_is_never_sent_after_the_end_and_the_close_always_is(ground: Ground) -> None:
    case_id = await ground.approved()
    ground.office.sleep(HOUR)  # nobody looked, and nothing was sent
    await ground.call()
    assert ground.system.got == []
    await ground.office.sweeper.sweep()
    await ground.call(5 * SECOND)
    assert [kind for kind, _ in ground.system.told] == ["grant.close"]
    assert ground.entries(case_id)[-1][0] == "executor.closed"


async def test_a_close_waits_until_the_open_that_is_on_its_way_is_over(ground: Ground) -> None:
    office, system = ground.office, ground.system
    system.answers = [None]
    case_id = await ground.approved()
    opening = asyncio.ensure_future(ground.executors.drain())
    await system.arrived.wait()
    await office.click(OWNER, case_id, "revoke")
    assert not await office.store.calls.lease(office.clock.now(), office.clock.now() + MINUTE, 10)
    system.released.set()
    await opening
    await ground.call(SECOND)
    assert [kind for kind, _ in system.told] == ["grant.open", "grant.close"]
    assert [type_ for type_, _ in ground.entries(case_id)] == [
        "executor.closed"
    ]  # the open's answer came too late to count


async def test_more_time_is_sent_as_another_open(ground: Ground) -> None:
    office = ground.office
    case_id = await ground.approved()
    await ground.call()
    await office.take_in(Press(PE1, case_id, 1, "extend", ReplyAddress(PE1, channel="D0"), "more", seconds=3600))
    await office.worker.drain()
    more = (await office.case(case_id)).later[-1]
    await office.click(OWNER, case_id, "approve", more.version)
    await ground.call()
    first, second = (json.loads(body)["data"]["not_after"] for _, body in ground.system.got)
    assert datetime.fromisoformat(second) - datetime.fromisoformat(first) == HOUR
    assert ground.system.told[0][1] != ground.system.told[1][1]


async def test_a_close_that_fails_alarms_until_it_succeeds(ground: Ground) -> None:
    office, system = ground.office, ground.system
    case_id = await ground.approved()
    await ground.call()
    system.usual = {"state": "failed", "detail": "ldap: down"}
    await office.click(OWNER, case_id, "revoke")
    await ground.call()
    alarm = [("C0DIRECTORY", {"word": "failed"}), ("U0OWNER", {"word": "failed", "detail": "ldap: down"})]
    assert ground.said("executor_alarm") == alarm
    for _ in range(8):
        await ground.call(10 * MINUTE)
    assert ground.said("executor_alarm") == alarm * 2  # once an hour
    assert (await office.store.overview.backlog(office.clock.now())).unclosed.count == 1
    system.usual = {"state": "closed"}
    await ground.call(10 * MINUTE)
    assert ground.said("executor_alarm")[4:] == [
        ("C0DIRECTORY", {"word": "closed"}), ("U0OWNER", {"word": "closed", "detail": ""})
    ]  # fmt: skip
    assert (await office.store.overview.backlog(office.clock.now())).unclosed.count == 0
    assert [t for t, _ in ground.entries(case_id)] == [
        "executor.opened", "executor.failed", "executor.failed", "executor.closed"
    ]  # fmt: skip


async def test_a_close_that_failed_is_tried_again_under_a_new_id(ground: Ground) -> None:
    """Receivers that remember answers would repeat the old one for ever. No answer keeps the id."""
    office, system = ground.office, ground.system
    case_id = await ground.approved()
    system.answers = ["", {"state": "failed"}, 503, ConnectionError(), {"state": "failed"}, {"state": "closed"}]
    await ground.call()
    await office.click(OWNER, case_id, "revoke")
    await ground.call()
    await ground.call(MINUTE)
    await ground.restart()
    await ground.call(MINUTE)
    await ground.call(MINUTE)
    await ground.call(HOUR)
    ids = [f"msg_{case_id}_1", *[f"msg_{case_id}_1_1"] * 3, f"msg_{case_id}_1_2"]
    assert system.told[1:] == [("grant.close", one) for one in ids]
    assert ground.entries(case_id)[-1][0] == "executor.closed"


@pytest.mark.parametrize(("pieces", "word"), [
    (('{"state": "op', 'ened"}'), "opened"), ((" ", '{"state": "failed"}'), "failed"), (("", " ", ""), "opened"),
])  # fmt: skip
async def test_hook_answer_in_pieces(ground: Ground, pieces: tuple[str, ...], word: str) -> None:
    ground.system.answers = [pieces]
    case_id = await ground.approved()
    await ground.call()
    assert [type_ for type_, _ in ground.entries(case_id)] == [f"executor.{word}"]


async def test_hook_answer_in_pieces_that_refuses_the_end(ground: Ground) -> None:
    """Alarmed and tried again: never a confirmation that access is closed."""
    office, system = ground.office, ground.system
    system.answers = [('{"state": "op', 'ened"}'), (" ", '{"state": "failed", "detail": "account is locked"}')]
    case_id = await ground.approved()
    await ground.call()
    await office.click(OWNER, case_id, "revoke")
    await ground.call()
    assert [type_ for type_, _ in ground.entries(case_id)] == ["executor.opened", "executor.failed"]
    assert ground.said("executor_alarm")[1] == ("U0OWNER", {"word": "failed", "detail": "account is locked"})
    await ground.call(5 * SECOND)
    assert [type_ for type_, _ in ground.entries(case_id)][2:] == ["executor.closed"]


async def test_an_answer_without_end_or_too_large_is_no_answer(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor_webhooks, "LIMITS", Limits(seconds=0.2, size=65_536))
    ground.system.answers = ['{"state":"opened"' + " " * 70_000 + "}", ('{"state":"opened"}', " ", " ", " ")]
    case_id = await ground.approved()
    await ground.call()
    assert [row["error"] for row in ground.office.rows("SELECT error FROM executor_call")] == ["not_understood"]
    await ground.call(5 * SECOND)
    assert [row["error"] for row in ground.office.rows("SELECT error FROM executor_call")] == ["timeout"]
    assert ground.entries(case_id) == []


async def test_a_close_that_nobody_answers_alarms_after_a_minute(ground: Ground) -> None:
    office, system = ground.office, ground.system
    case_id = await ground.approved()
    await ground.call()
    system.usual = ConnectionError()
    await office.click(OWNER, case_id, "revoke")
    for wait in (0, 5, 10, 20):
        await ground.call(wait * SECOND)
    assert ground.said("executor_alarm") == []
    await ground.call(40 * SECOND)
    assert [where for where, _ in ground.said("executor_alarm")] == ["C0DIRECTORY", "U0OWNER"]
    assert ground.entries(case_id)[-1] == ("executor.failed", {"name": "grant.close"})


async def test_redirects_and_plain_http_to_elsewhere_are_not_followed(ground: Ground) -> None:
    ground.system.usual = 307
    await ground.approved()
    await ground.call()
    assert len(ground.system.got) == 1
    ground.executors._environment = {"URL": "http://pam.example/hook", "SECRET": SECRET}
    await ground.call(5 * SECOND)
    [row] = ground.office.rows("SELECT error FROM executor_call")
    assert row["error"] == "no_address"
    ground.executors._environment = {"URL": ground.system.url, "SECRET": "whsec_"}
    await ground.call(10 * SECOND)
    ground.executors._environment = {}
    await ground.call(20 * SECOND)
    assert len(ground.system.got) == 1
    [row] = ground.office.rows("SELECT attempts, error FROM executor_call")
    assert (row["attempts"], row["error"]) == (4, "no_address")


async def test_a_doubted_clock_opens_nothing_and_still_closes(ground: Ground) -> None:
    office = ground.office
    case_id = await ground.approved()
    assert isinstance(office.clock, JumpyClock)
    office.clock.jump = HOUR
    await ground.call()
    assert ground.system.got == []
    await office.click(OWNER, case_id, "revoke")
    await ground.call(5 * SECOND)
    assert [kind for kind, _ in ground.system.told] == ["grant.close"]


async def test_a_stopped_log_opens_nothing_and_closes_under_the_id_that_the_row_has_later(tmp_path: Path) -> None:
    async with StoppableOffice(tmp_path / "countersign.db", policy()) as office, Receiver() as system:
        case_id, unopened = await office.file(PE1, "executed"), await office.file(PE1, "executed", target="srv-2")
        await office.click(OWNER, case_id)
        executors = parts.executors(office, system.environment, office.standing.signer.cover, ExecutorWebhooks)
        office.service.permits = PermitIssuer(office.store, office.standing.signer.cover, office.state_dir, office.clock)
        await executors.drain()
        await office.click(OWNER, unopened)
        memory = office.state_dir / "log.memory"
        kept = memory.read_text()
        memory.unlink()
        await executors.drain()  # the signer is asked for the permit, and stops
        await office.click(OWNER, case_id, "revoke")
        system.answers = [503]
        for _ in range(3):
            office.clock.at += 10 * SECOND
            await executors.drain()
        assert "grant.revoked" not in office.types(case_id)
        assert system.told == [("grant.open", f"msg_{case_id}_0"), *[("grant.close", f"msg_{case_id}_1")] * 2]
        await executors.close()
        memory.write_text(kept)
        await office.restart()
        executors = parts.executors(office, system.environment, office.standing.signer.cover, ExecutorWebhooks)
        await executors.drain()
        assert ("grant.close", f"msg_{case_id}_1") == system.told[3]
        assert "grant.revoked" in office.types(case_id)
        assert office.types(case_id)[-1] == "executor.closed"
        await executors.close()


class TestKilled:
    """`kill -9` at each step: whatever was begun is found again, and an id lets the system recognise what it has seen."""

    @pytest.mark.parametrize("dies", ["before", "after"])
    async def test_at_the_opening(self, ground: Ground, dies: str) -> None:
        office = ground.office
        case_id = await office.file(PE1, "executed")
        await office.take_in(office.press(OWNER, case_id))
        await ground.killed(dies)
        await office.worker.drain()
        await ground.call()
        await ground.call(HOUR / 2)
        assert [kind for kind, _ in ground.system.told] == ["grant.open"]

    @pytest.mark.parametrize("dies", ["before", "after"])
    async def test_at_the_end_by_click(self, ground: Ground, dies: str) -> None:
        office = ground.office
        case_id = await ground.approved()
        await ground.call()
        await office.take_in(office.press(DEP1, case_id, "revoke"))
        await ground.killed(dies)
        await office.worker.drain()
        await ground.call()
        assert [kind for kind, _ in ground.system.told] == ["grant.open", "grant.close"]
        assert ground.entries(case_id)[-1][0] == "executor.closed"

    async def test_while_it_was_down_the_grant_ended_and_is_closed_first_thing(self, ground: Ground) -> None:
        case_id = await ground.approved()
        await ground.call()
        ground.office.sleep(24 * HOUR)
        await ground.restart()
        await ground.office.sweeper.sweep()
        await ground.call()
        assert [kind for kind, _ in ground.system.told] == ["grant.open", "grant.close"]
        assert ground.entries(case_id)[-1][0] == "executor.closed"

    @pytest.mark.parametrize("ends", [False, True])
    async def test_while_a_call_was_on_its_way(self, ground: Ground, ends: bool) -> None:
        """Leased and perhaps sent: nobody knows, so it is sent again under its id, or closed after the end."""
        office = ground.office
        case_id = await ground.approved()
        [lost] = await office.store.calls.lease(office.clock.now(), office.clock.now() + MINUTE, 10)
        await ground.call()
        assert ground.system.got == []
        if ends:
            await office.click(OWNER, case_id, "revoke")
        await ground.restart()
        await ground.call()
        assert lost.case == case_id
        assert [kind for kind, _ in ground.system.told] == ["grant.close" if ends else "grant.open"]

    @pytest.mark.parametrize("kind", ["grant.open", "grant.close"])
    @pytest.mark.parametrize("dies", ["before", "after"])
    async def test_between_the_answer_and_its_note(self, ground: Ground, kind: str, dies: str) -> None:
        office = ground.office
        case_id = await ground.approved()
        if kind == "grant.close":
            await ground.call()
            await office.click(OWNER, case_id, "revoke")
        judged_answer = office.service.transactions.heard

        async def dying(*words: Any) -> None:
            office.mortal.dies = dies
            await judged_answer(*words)

        office.service.transactions.heard = dying  # type: ignore[method-assign]
        with pytest.raises(Killed):
            await ground.executors.drain()
        await ground.restart()
        await ground.call()
        await ground.call(HOUR / 2)
        again = [id_ for told, id_ in ground.system.told if told == kind]
        assert len(again) == (2 if dies == "before" else 1)
        assert len(set(again)) == 1
        assert [t for t, _ in ground.entries(case_id)].count(
            kind.replace("grant", "executor").replace("open", "opened").replace("close", "closed")
        ) == 1
