"""`countersign drill` as somebody on the host types it, beside the bot that has the same database open."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import drill
from bot.cli.main import app
from bot.clock import SystemClock
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.records import StoredPolicy
from storage.log.check import check_database
from storage.stores.cases import CaseStore
from tests.bot.building import HOME
from tests.bot.office import Office
from tests.database import open_store, place, url

pytestmark = pytest.mark.sqlite  # the command files by itself; on PostgreSQL the leader carries it out

RUNBOOK = "directory-admin-emergency"
OWNER, DEP1, ADMIN = Person(HOME, "U0OWNER"), Person(HOME, "U0DEP1"), Person(HOME, "U0ADMIN")


@dataclass
class Typed:
    """A command under way in a thread, as another process would be."""

    words: tuple[str, ...]
    task: asyncio.Task[Any] = field(init=False)
    printed: str = ""  # without what went to the error stream

    def __post_init__(self) -> None:
        self.task = asyncio.ensure_future(asyncio.to_thread(CliRunner().invoke, app, ["drill", *self.words]))

    async def done(self) -> tuple[int, str]:
        result = await self.task
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        self.printed = result.stdout
        return result.exit_code, result.output


class Host(Office):
    """An office of the example organisation whose clock is the machine's, a hundred times as fast."""

    async def type(self, *words: str) -> tuple[int, str]:
        return await Typed(words).done()

    async def started(self, *words: str) -> str:
        """A drill that nobody looks on; its id."""
        code, text = await self.type(RUNBOOK, "--no-wait", *words)
        assert code == 0, text
        return text.strip()

    async def tick(self) -> None:
        """The bot at work once, at the time of the machine."""
        self.clock.at = SystemClock().now()
        await self.sweeper.sweep()
        await self.deliver()

    async def until_over(self, case_id: str, *answering: Person) -> Case:
        """The bot at work until the drill has ended; `answering` answer as soon as they are asked."""
        async with asyncio.timeout(60):
            while True:
                await self.tick()
                case = await self.case(case_id)
                if case.request.closed_at is not None:
                    return case
                for person in answering:
                    if person in case.approval.asked and case.approval.vote_of(person) is None:
                        await self.here(person, case_id)
                await asyncio.sleep(0.05)

    async def newest(self) -> str:
        """The id of the drill that a command under way has started."""
        async with asyncio.timeout(30):
            while not (rows := self.rows("SELECT id FROM request WHERE drill <> '' ORDER BY filed_ms DESC LIMIT 1")):
                await asyncio.sleep(0.02)
        return str(rows[0]["id"])


@pytest.fixture
async def host(tmp_path: Path, example: Policy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(tmp_path / "countersign.db"))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COUNTERSIGN_TIME_SCALE", "100")
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:1/api/")
    monkeypatch.delenv("COUNTERSIGN_ME", raising=False)
    monkeypatch.setattr(drill, "POLL", 0.05)
    office = Host(tmp_path / "countersign.db", example, scale=100)
    office.clock.at = SystemClock().now()
    await office.open()
    await office.store.policies.accept(StoredPolicy(example.digest, office.clock.now(), example.files), [])
    yield office
    await office.close()


async def test_no_wait_prints_the_id_and_the_running_bot_asks(host: Host) -> None:
    case_id = await host.started()
    assert re.fullmatch(r"R-\w{8}", case_id)
    assert host.types(case_id) == ["drill.started"]
    assert host.log(case_id)[0]["actor"] == {"kind": "operator"}
    await host.tick()
    assert [(o.say.purpose, o.say.to) for o in host.shown] == [("card", OWNER)]
    assert json.loads((await host.type("identity-containment", "--no-wait", "--json"))[1])["id"].startswith("R-")


async def test_a_fast_drill_is_reported_person_by_person_and_exits_1_when_somebody_slept(host: Host) -> None:
    typed = Typed((RUNBOOK, "--fast"))
    case = await host.until_over(await host.newest(), OWNER, DEP1)
    code, text = await typed.done()
    assert code == 1
    lines = text.splitlines()
    assert lines[0].startswith(f"DRILL {case.id} has started")
    assert any(line.startswith("DRILL Olga Novak, as owner: reached after ") for line in lines)
    assert re.search(r"^person +role +asked at +delivered +reached after$", text, re.MULTILINE)
    assert re.search(r"^Olga Novak +owner +\d\d:\d\d:\d\d +yes +\d+\.\d s$", text, re.MULTILINE)
    assert re.search(r"^Maeve Brennan +deputy +\d\d:\d\d:\d\d +yes +not reached$", text, re.MULTILINE)
    assert f"2 of {len(case.approval.reached)} people were reached" in text
    assert "Not reached: " in lines[-1]
    assert check_database(place(host.path)).findings == ()


async def test_a_drill_in_which_everybody_answers_exits_0(host: Host) -> None:
    typed = Typed((RUNBOOK, "--fast", "--json"))
    everybody = [Person(HOME, u) for u in ("U0OWNER", "U0DEP1", "U0DEP2", "U0RISK", "U0ONC1", "U0ONC2", "U0ONC3", "U0ONC4")]
    case = await host.until_over(await host.newest(), *everybody)
    code, text = await typed.done()
    assert code == 0, text
    told = json.loads(typed.printed)
    assert (told["id"], told["asked"], told["reached"]) == (case.id, len(case.approval.reached), len(case.approval.reached))
    assert all(type(p["ms"]) is int and p["delivered"] for p in told["people"])
    assert case.approval.state == "yes"


async def test_only_me_sends_every_card_to_the_caller(host: Host) -> None:
    case_id = await host.started("--fast", "--only-me", "--me", f"{HOME}/U0ADMIN")
    await host.until_over(case_id)
    assert {o.say.to for o in host.shown} == {ADMIN}
    assert {o.say.purpose for o in host.shown} >= {"card", "reminder", "drill_report"}


async def test_only_me_wants_to_know_who_that_is(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, sentence in (
        ((), "say who you are, with --me PERSON or COUNTERSIGN_ME"),
        (("--me", "nobody"), "The policy names nobody by 'nobody'"),
        (("--me", "pavel"), "is of Northgate Managed Identity"),
        (("--me", "T0PROV/U0PE3"), "names nobody"),
    ):
        code, text = await host.type(RUNBOOK, "--only-me", *words)
        assert code == 2
        assert sentence in " ".join(text.replace("│", " ").split())
    assert host.rows("SELECT 1 FROM request") == []
    monkeypatch.setenv("COUNTERSIGN_ME", "dev")
    case = await host.case(await host.started("--only-me"))
    assert case.request.drill is not None
    assert case.request.drill.only_me == DEP1


async def test_what_cannot_be_drilled_is_refused(host: Host, tmp_path: Path) -> None:
    first = await host.started()
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "brand-new.md").write_text("---\n---\n")
    for words, code, sentence in (
        ((RUNBOOK,), 1, f"A drill of {RUNBOOK} is running: {first}."),
        (("account-unlock",), 1, "account-unlock has no escalation policy"),
        (("brand-new",), 1, "The bot has not loaded brand-new yet"),
        (("no-such",), 2, "There is no runbook 'no-such'. There are: "),
    ):
        got, text = await host.type(*words, "--no-wait")
        assert got == code
        assert sentence in " ".join(text.replace("│", " ").split())
    assert len(host.rows("SELECT 1 FROM request")) == 1


async def test_two_that_start_at_once_are_one(host: Host) -> None:
    """Processes of their own: the database lets one of them, whatever each of them read before."""
    command = [sys.executable, "-m", "bot", "drill", RUNBOOK, "--no-wait"]
    environment = {**os.environ, "PYTHONPATH": str(Path(drill.__file__).parents[2])}
    running = [await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE) for _ in range(3)]
    said = [(await process.communicate(), process.returncode) for process in running]
    assert sorted(code for _, code in said if code is not None) == [0, 1, 1]
    assert len(host.rows("SELECT 1 FROM request")) == 1
    assert all(b"is running" in errors for (_, errors), code in said if code)


async def test_what_the_database_refuses_is_said_as_the_drill_that_runs(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both had seen no drill when they began."""
    seen: list[str] = []
    really = CaseStore.running_drill

    async def late(store: CaseStore, runbook: str) -> str | None:
        seen.append(runbook)
        return None if len(seen) == 1 else await really(store, runbook)

    first = await host.started()
    monkeypatch.setattr(CaseStore, "running_drill", late)
    code, text = await host.type(RUNBOOK, "--no-wait")
    assert (code, len(seen)) == (1, 2)
    assert f"is running: {first}" in text


async def test_without_a_policy_there_is_a_sentence(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = await open_store(tmp_path / "bare.db", SystemClock(), state_dir=tmp_path / "bare")
    await bare.close()
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "bare"))
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(tmp_path / "bare.db"))
    code, text = await host.type(RUNBOOK)
    assert (code, text.startswith("The database holds no policy that this version can read")) == (1, True)


async def test_without_a_running_bot_it_says_so_and_in_the_end_gives_up(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill, "PATIENCE", timedelta(milliseconds=200))
    monkeypatch.setattr(drill, "GRACE", timedelta(milliseconds=100))
    code, text = await host.type(RUNBOOK, "--fast")
    assert code == 1
    assert "Nobody has been asked yet" in text
    assert "is past its end and nobody has closed it: start the bot" in text


async def test_requests_mark_a_drill_and_end_none(host: Host) -> None:
    case_id = await host.started()
    await host.tick()
    run = CliRunner()

    async def requests(*words: str) -> tuple[int, str]:
        done = await asyncio.to_thread(run.invoke, app, ["requests", *words])
        return done.exit_code, done.output

    assert re.search(rf"^{case_id} +pending until .* DRILL: ", (await requests("list"))[1], re.MULTILINE)
    [listed] = json.loads((await requests("list", "--json"))[1])
    assert (listed["drill"], listed["requester"]) == (True, None)
    code, text = await requests("show", case_id)
    assert text.startswith(f"DRILL · {case_id}")
    assert "It gives nothing." in text
    assert "DRILL Olga Novak, as owner: asked at" in text
    assert json.loads((await requests("show", case_id, "--json"))[1])["drill"] is True
    for word in ("deny", "revoke"):
        code, text = await requests(word, case_id, "--reason", "x")
        assert code == 1
        assert text.startswith(f"Nothing was changed. {case_id} is a DRILL, running until ")
        assert "countersign requests" not in text
    assert host.types(case_id) == ["drill.started", "step.fired"]
