"""Health, readiness and metrics over a real port, of a real store and real acts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from slack_sdk.errors import SlackApiError

from bot.decision_log.keys import make_keys
from bot.decision_log.permit_keys import jwks
from bot.demo.workspace import workspace
from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.errors import SettingsError, Stale, StorageError
from bot.domain.policy.model import Policy
from bot.http import operations_server as page
from bot.http.health import LATE, Health
from bot.http.metrics import Metrics, word
from bot.http.operations_server import OperationsServer
from handlers.web_api.client import ObservedClient
from sandbox.driver import Sandbox
from tests.bot.building import MINUTE, OWNER, PE1, STRANGER, T0, click, decide, profile
from tests.bot.office import HandClock, Office
from tests.database import connect

READY = (200, "ready\n")


class Watched:
    """An office whose commits are counted, and its page for operators."""

    def __init__(self, office: Office, *, socket_mode: bool = True) -> None:
        self.office, self.digest = office, "ab" * 32
        self.health = Health(office.clock, socket_mode=socket_mode)
        self.metrics = Metrics(office.clock)
        self.ops = OperationsServer(
            office.store, self.health, self.metrics, office.clock, lambda: self.digest, listen="127.0.0.1:0"
        )
        office.service.transactions.committed = self.metrics.committed

    async def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.ops.port}{path}"
        async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
            return answer.status, await answer.text()

    async def writes(self, lite: str, postgres: str) -> None:
        """Runs a statement on each writing connection, as the database at hand has it."""
        store, statement = self.office.store, lite if isinstance(self.office.place, Path) else postgres
        for transactions in (store.transactions, store.intake):
            await transactions.writer.run(lambda session: session.raw.execute(statement))  # type: ignore[union-attr]

    async def samples(self) -> dict[tuple[str, tuple[str, ...]], float]:
        """Every sample by its name and its labels' values."""
        status, text = await self.get("/metrics")
        assert status == 200
        found = [s for family in text_string_to_metric_families(text) for s in family.samples]
        return {(s.name.removeprefix("countersign_"), tuple(s.labels.values())): s.value for s in found}


@pytest.fixture
async def watched(office: Office) -> AsyncIterator[Watched]:
    it = Watched(office)
    await it.ops.start()
    yield it
    await it.ops.stop()


# Ready or not, and why.


async def test_governance_messages_are_counted_by_what_they_ask(watched: Watched) -> None:
    says = [Notification(purpose, Lane.CARD, to=OWNER) for purpose in ("agreement", "agreement", "card")]
    says.append(Notification("campaign", Lane.CARD, "V-1", to=OWNER, data={"wanted": True}))
    watched.metrics.committed(Transition(None, None, says=tuple(says)))
    found = {labels: n for (name, labels), n in (await watched.samples()).items() if name == "governance_messages_total"}
    assert found == {("agreement",): 2}


async def test_alive_is_said_even_while_nothing_is_ready(watched: Watched) -> None:
    assert await watched.get("/healthz") == (200, "alive\n")
    assert (await watched.get("/readyz"))[0] == 503


async def test_ready_comes_with_slacks_hello_and_goes_with_the_connection(watched: Watched) -> None:
    assert await watched.get("/readyz") == (503, "Slack has not said hello yet.\n")
    watched.health.up()
    assert await watched.get("/readyz") == READY
    watched.health.lost()
    assert await watched.get("/readyz") == (503, "The connection to Slack is lost; a new one is being made.\n")
    watched.health.up()
    assert await watched.get("/readyz") == READY


async def test_over_http_ready_comes_with_our_own_listener(office: Office) -> None:
    health = Health(office.clock, socket_mode=False)
    assert health.findings() == ("Nobody listens for Slack's requests yet.",)
    health.up()
    assert health.findings() == ()


@pytest.mark.parametrize("name", LATE)
async def test_a_part_that_is_silent_too_long_is_late_until_it_reports(watched: Watched, name: str) -> None:
    watched.health.up()
    beat = watched.health.part(name)
    watched.office.sleep(MINUTE)
    assert await watched.get("/readyz") == (503, f"The {name} has not been heard for 60 s.\n")
    beat()
    assert await watched.get("/readyz") == READY


async def test_a_part_that_died_is_named_however_it_died(watched: Watched) -> None:
    watched.health.up()
    watched.health.part("sweeper")

    async def dying() -> None:
        raise StorageError("gone")

    with pytest.raises(StorageError):
        await watched.health.watch("sweeper", dying())
    assert await watched.get("/readyz") == (503, "The sweeper has ended.\n")


async def test_a_database_that_takes_no_write_is_not_ready(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness that only reads says yes on a file made read-only."""
    watched.health.up()
    await watched.writes("PRAGMA query_only = ON", "SET default_transaction_read_only = on")
    status, text = await watched.get("/readyz")
    assert status == 503
    assert ("cannot be written to" if isinstance(watched.office.place, Path) else "takes no writes") in text
    await watched.writes("PRAGMA query_only = OFF", "SET default_transaction_read_only = off")
    assert (await watched.get("/readyz"))[0] == 503  # the answer counts for a second
    watched.office.sleep(MINUTE)
    assert await watched.get("/readyz") == READY


@pytest.mark.sqlite  # another program holds the whole file
async def test_a_database_that_another_program_holds_is_not_ready_and_nobody_waits_long(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "WAIT", 0.05)
    watched.health.up()
    with closing(connect(watched.office.path, begins=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers = await asyncio.gather(*(watched.get("/readyz") for _ in range(20)))
        assert {status for status, _ in answers} == {503}
        assert {text for _, text in answers} == {"The database took no write within 0 s.\n"}
        assert len(watched.office.store.transactions.group._waiting) == 0  # type: ignore[union-attr]  # asked once, not twenty times
        other.execute("ROLLBACK")
    monkeypatch.setattr(page, "WAIT", 6.0)
    assert (await watched.get("/readyz"))[0] == 200


async def test_a_migration_of_another_program_is_not_ready(watched: Watched) -> None:
    watched.health.up()
    with closing(connect(watched.office.path)) as newer, newer:
        newer.execute("INSERT INTO schema_version VALUES (999, 'later', 0)")
    status, text = await watched.get("/readyz")
    assert status == 503
    assert "The database is of version 999" in text
    with closing(connect(watched.office.path)) as newer, newer:
        newer.execute("DELETE FROM schema_version WHERE version = 999")


@pytest.mark.sqlite  # it reads the bytes of the journal
async def test_the_probe_really_writes_and_changes_nothing(watched: Watched) -> None:
    """Readiness that only begins a transaction says yes on a full disk."""
    before, wal = _dump(watched.office.path), watched.office.path.with_name("countersign.db-wal")
    written = wal.read_bytes()
    await watched.office.store.overview.prove_writable()
    assert wal.read_bytes() != written
    assert _dump(watched.office.path) == before


def _dump(path: Path) -> list[str]:
    with closing(connect(path)) as connection:
        return list(connection.iterdump())


# What is counted.


async def test_a_requests_way_is_counted_by_kind_and_outcome(watched: Watched) -> None:
    office = watched.office
    approved, denied = await office.file(PE1), await office.file(PE1, target="srv-2")
    await office.click(STRANGER, approved)
    await office.click(OWNER, approved)
    await office.click(OWNER, approved)
    await office.click(OWNER, denied, "deny")
    await office.file(PE1, target="")
    found = await watched.samples()
    assert found["requests_total", ("emergency_access", "filed")] == 2
    assert found["requests_total", ("emergency_access", "approved")] == 1
    assert found["requests_total", ("emergency_access", "denied")] == 1
    assert found["requests_total", ("other", "refused")] == 1
    assert found["decisions_total", ("approve",)] == 1
    assert found["decisions_total", ("deny",)] == 1
    assert found["refused_clicks_total", ("approve", "unauthorised")] == 1
    assert found["refused_clicks_total", ("approve", "lost")] == 1
    assert found["grants_total", ("open",)] == 1


async def test_a_drill_is_no_request_but_its_steps_are_measured(watched: Watched) -> None:
    office = watched.office
    await office.drill()
    await office.forward(MINUTE * 46)
    found = await watched.samples()
    assert [name for name in found if name[0] in ("requests_total", "decisions_total", "grants_total")] == []
    assert found["expiry_lateness_seconds_count", ()] == 0
    assert found["step_lateness_seconds_count", ()] == 5


async def test_what_failed_to_commit_is_not_counted(watched: Watched) -> None:
    case = await watched.office.case(await watched.office.file(PE1))
    stale = replace(case, request=replace(case.request, version=99))
    act = decide(stale, watched.office.policy, click(OWNER), profile(OWNER), T0)
    with pytest.raises(Stale):
        await watched.office.service.transactions.commit(act)
    assert ("decisions_total", ("approve",)) not in await watched.samples()


async def test_a_step_that_fires_late_shows_how_late(watched: Watched) -> None:
    office = watched.office
    case_id = await office.file(PE1)
    office.sleep(MINUTE * 5 + MINUTE / 2)  # the reminder of minute 3 and the deputies of minute 5
    await office.sweeper.sweep()
    found = await watched.samples()
    at_filing = found["step_lateness_seconds_bucket", ("0.05",)]
    assert at_filing == 1
    assert found["step_lateness_seconds_sum", ()] >= 30
    assert found["step_lateness_seconds_bucket", ("60.0",)] > at_filing
    fired = len([e for e in office.log() if e["type"] == "step.fired"])
    assert found["step_lateness_seconds_count", ()] == fired
    await office.click(STRANGER, case_id)
    await office.click(OWNER, case_id)
    assert (await watched.samples())["step_lateness_seconds_count", ()] == fired


async def test_an_expiry_shows_how_late_and_a_lapse_is_counted(watched: Watched) -> None:
    office = watched.office
    await office.file(PE1)
    lapsing = await office.file(PE1, target="srv-2")
    await office.click(OWNER, lapsing)
    office.sleep(MINUTE * 47)
    await office.sweeper.sweep()
    found = await watched.samples()
    assert found["expiry_lateness_seconds_sum", ()] == 120
    assert found["requests_total", ("emergency_access", "expired")] == 1
    office.sleep(MINUTE * 60)
    await office.sweeper.sweep()
    assert (await watched.samples())["grants_total", ("lapsed",)] == 1


async def test_what_waits_and_for_how_long_is_read_at_each_scrape(watched: Watched) -> None:
    office = watched.office
    await office.file(PE1)
    await office.take_in(office.form(PE1, target="srv-2"))
    office.sleep(MINUTE * 4)
    found = await watched.samples()
    assert found["waiting", ("inbox",)] == 1
    assert found["oldest_seconds", ("inbox",)] == 240
    assert found["waiting", ("outbox_urgent",)] >= 2
    assert found["oldest_seconds", ("outbox_urgent",)] == 240
    assert found["oldest_seconds", ("outbox_edit",)] == 0
    assert found["waiting", ("deadlines",)] == 1
    assert found["oldest_seconds", ("deadlines",)] == 60
    assert found["log_entries", ()] == len(office.log())
    await office.worker.drain()
    office.sleep(MINUTE)
    assert (await watched.samples())["waiting", ("inbox",)] == 0


async def test_every_lane_has_its_numbers_from_the_start(watched: Watched) -> None:
    found = await watched.samples()
    for lane in Lane:
        assert found["waiting", (f"outbox_{lane.name.lower()}",)] == 0


async def test_policy_build_and_readiness_are_in_the_metrics(watched: Watched) -> None:
    watched.health.part("worker")
    found = await watched.samples()
    assert found["ready", ()] == 0
    assert found["silence_seconds", ("worker",)] == 0
    watched.health.up()
    watched.digest = "ef" * 32
    found = await watched.samples()
    assert found["ready", ()] == 1
    assert [labels for name, labels in found if name == "policy_info"] == [("ef" * 32,)]
    assert [name for name, _ in found if name == "build_info"]


async def test_deliveries_and_sweeps_and_calls_are_timed(watched: Watched) -> None:
    watched.metrics.delivered("block_actions", "ok", 0.004)
    watched.metrics.delivered("refused", "forged", 0.001)
    watched.metrics.swept(0.02, 3)
    watched.metrics.slack_called("chat.postMessage", "ratelimited", 0.3)
    found = await watched.samples()
    assert found["deliveries_total", ("refused", "forged")] == 1
    assert found["ack_seconds_count", ("block_actions",)] == 1
    assert ("ack_seconds_count", ("refused",)) not in found
    assert found["sweep_seconds_sum", ()] == 0.02
    assert found["slack_calls_total", ("chat.postMessage", "ratelimited")] == 1


async def test_a_database_that_cannot_be_read_takes_only_its_own_numbers_away(watched: Watched) -> None:
    watched.metrics.swept(0.02)
    assert (await watched.samples())["database_readable", ()] == 1

    async def broken(*_: Any) -> None:
        raise StorageError("The database file is damaged.")

    watched.ops._backlog = page.OneAtATime(broken, watched.office.clock)  # type: ignore[arg-type]
    found = await watched.samples()
    assert found["database_readable", ()] == 0
    assert found["sweep_seconds_count", ()] == 1
    assert not [labels for name, labels in found if name == "waiting"]


async def test_no_person_no_request_and_no_text_is_in_any_label(watched: Watched) -> None:
    office = watched.office
    case_id = await office.file(PE1, reason="Jane's laptop", target="srv-secret")
    for person in (STRANGER, OWNER, OWNER):
        await office.click(person, case_id)
    watched.metrics.slack_called(f"chat/{case_id}", "U0OWNER has left", 0.1)
    watched.metrics.delivered(case_id, PE1.user, 0.1)
    await office.deliver()
    watched.health.up()
    _, text = await watched.get("/metrics")
    for secret in (case_id, case_id.lower(), "U0", "T0HOME", "srv-secret", "Jane", "laptop", "emergency runbook"):
        assert secret not in text


@pytest.mark.parametrize("text", ["R-00000001", "U0OWNER", "olga.novak", "two words", "", "A", None, 7, "x" * 41, "a\nb"])
def test_a_label_that_is_no_small_word_is_other(text: object) -> None:
    assert word(text) == "other"


@pytest.mark.parametrize("text", ["ok", "ratelimited", "channel_not_found", "http_503", "status_404"])
def test_a_small_word_is_a_label(text: str) -> None:
    assert word(text) == text


async def test_the_client_reports_every_call_and_its_result(example: Policy) -> None:
    told: list[tuple[str, str]] = []
    async with Sandbox(workspace(example, 1)) as slack:
        client = ObservedClient(slack.bot_token, base_url=slack.api_url, report=lambda m, r, s: told.append((m, r)))
        await client.auth_test()
        with pytest.raises(SlackApiError):
            await client.users_info(user="U0NOBODY")
    with pytest.raises(aiohttp.ClientError):
        await client.auth_test()
    assert told == [("auth.test", "ok"), ("users.info", "user_not_found"), ("auth.test", "network")]


# The page itself.


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/", "GET", 404), ("/metrics/", "GET", 404), ("/readyz", "POST", 405), ("/healthz", "HEAD", 200)],
)
async def test_only_three_pages_and_only_reading(watched: Watched, path: str, method: str, status: int) -> None:
    assert (await watched.get(path, method))[0] == status


async def test_an_address_that_is_taken_names_its_setting(watched: Watched) -> None:
    office = watched.office
    listen = f"127.0.0.1:{watched.ops.port}"
    second = OperationsServer(office.store, watched.health, watched.metrics, office.clock, lambda: "", listen=listen)
    with pytest.raises(SettingsError, match=r"^COUNTERSIGN_OPS_LISTEN: 127\.0\.0\.1:\d+ cannot be used"):
        await second.start()


def test_the_clock_of_silence_is_the_monotonic_one() -> None:
    """A wall clock that jumps makes no part late."""

    class Jumping(HandClock):
        def monotonic(self) -> float:
            return 1000.0

    clock = Jumping()
    health = Health(clock, socket_mode=True)
    health.part("worker")
    health.up()
    clock.at = T0 + MINUTE * 600
    assert health.findings() == ()


async def test_the_permits_keys_are_given_out_and_nothing_private(office: Office, tmp_path: Path) -> None:
    make_keys(tmp_path)
    ops = OperationsServer(
        office.store, Health(office.clock, socket_mode=True), Metrics(office.clock), office.clock, lambda: "",
        listen="127.0.0.1:0", jwks=lambda: json.dumps(jwks(tmp_path, office.clock.now())),
    )  # fmt: skip
    await ops.start()
    try:
        url = f"http://127.0.0.1:{ops.port}/.well-known/jwks.json"
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as answer:
                assert (answer.status, answer.content_type) == (200, "application/jwk-set+json")
                [key] = (await answer.json(content_type=None))["keys"]
                assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
            (tmp_path / "permit.key").unlink()
            async with session.get(url) as answer:
                assert answer.status == 503
    finally:
        await ops.stop()
