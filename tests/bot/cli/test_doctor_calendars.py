"""Calendars as `doctor`, `check`, `explain` and `matrix` see them."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

import runbooks
from bot.background.calendar_feeds import KEEP, key_of
from bot.cli.doctor import DoctorEnvironment
from bot.cli.doctor import examine as examined
from bot.cli.doctor_calendars import examine, known
from bot.cli.main import app
from bot.clock import SystemClock
from bot.ports.records import CachedCalendar
from bot.settings import Settings
from runbooks.calendars.ical import BadFeed
from tests.bot.background.test_calendar_feeds import ALWAYS, SECRET, organisation
from tests.bot.building import MINUTE, ONC1, T0
from tests.database import open_store, place, url
from tests.runbooks.calendars.test_ical import feed

WHERE = {"ROTA": SECRET}
ADDRESS = "https://calendar.example/rota.ics"


def answering(body: bytes | None) -> Callable[[str], object]:
    async def fetch(address: str) -> bytes:
        assert address == SECRET
        if body is None:
            raise BadFeed("its address answers with status 404")
        return body

    return fetch


@pytest.mark.parametrize(
    ("body", "kept", "severity", "says"),
    [
        (feed(ALWAYS), {}, None, ""),
        (feed(ALWAYS.replace("tomas", "Mallory")), {}, "warning", "names nobody of rota `security`"),
        (None, {"security": b"old"}, "warning", "status 404; what it said when it could be read counts for 7 days"),
        (None, {}, "error", "status 404; nobody but its `fallback` is on call"),
        (b"<html>", {}, "error", "it is no iCalendar"),
    ],
)
async def test_doctor_asks_every_calendar_and_says_what_follows(
    body: bytes | None, kept: dict[str, bytes], severity: str | None, says: str
) -> None:
    found, bodies = await examine(organisation(), WHERE, kept, T0, answering(body))  # type: ignore[arg-type]
    assert [f.severity for f in found] == ([severity] if severity else [])
    assert all(says in f.text and SECRET not in f.text for f in found)
    assert bodies.get("security") == (body if body and severity != "error" else kept.get("security"))


async def test_what_the_bot_kept_counts_on_the_host_too_while_it_is_not_too_old(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    assert await known(place(path), organisation(), WHERE, T0) == {}
    await keep(path, SECRET, T0)
    assert await known(place(path), organisation(), WHERE, T0 + KEEP) == {"security": feed(ALWAYS)}
    assert await known(place(path), organisation(), WHERE, T0 + KEEP + MINUTE) == {}
    assert await known(place(path), organisation(), {"ROTA": ADDRESS}, T0) == {}


async def test_a_file_that_is_no_database_has_no_calendar(tmp_path: Path) -> None:
    (tmp_path / "bot.db").write_bytes(b"no database")
    assert await known(tmp_path / "bot.db", organisation(), WHERE, T0) == {}


@pytest.fixture
def fed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example organisation whose security rota is a calendar at an address."""
    folder = tmp_path / "runbooks"
    shutil.copytree(Path(runbooks.__file__).parent, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    matrix = folder / "responsibility.yaml"
    rota = f'  security:\n    source: ical\n    people: [tomas, grace]\n    time_zone: UTC\n    feed: "{ADDRESS}"\n'
    text, changed = re.subn(r"  security:\n    source: static\n(?:    .*\n)+?(?=    fallback)", rota, matrix.read_text())
    assert changed == 1
    matrix.write_text(text)
    monkeypatch.chdir(tmp_path)
    return folder


async def keep(path: Path, address: str, at: datetime) -> None:
    store = await open_store(path, SystemClock())
    await store.policies.keep_calendar(key_of(address), CachedCalendar(feed(ALWAYS), at), at - KEEP)
    await store.close()


def on_call(*words: str) -> list[str]:
    done = CliRunner().invoke(app, ["explain", "directory-admin-emergency", *words, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)["moments"]
    return [p["id"] for m in told if m["after"] == 600 for p in m["people"]]


def test_explain_draws_with_the_calendar_that_the_bot_kept(fed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(Path("countersign.db")))
    assert on_call() == ["T0HOME/U0ONC2"]  # nothing is known yet: the fallback
    asyncio.run(keep(Path("countersign.db"), ADDRESS, datetime.now(UTC)))
    assert on_call() == [str(ONC1)]
    assert on_call("--at", "2030-12-25T03:00") == [str(ONC1)]


def test_check_is_content_with_an_address_and_fetches_nothing(fed: Path) -> None:
    done = CliRunner().invoke(app, ["check", str(fed)])
    assert (done.exit_code, "security" in done.output) == (0, False), done.output


@pytest.mark.parametrize(
    ("written", "value", "says"),
    [
        ("http://calendar.example/a.ics", "", "write"),
        ("http://localhost:x@calendar.example/a.ics", "", "This address is neither https nor on this machine"),
        ("env:ROTA", "", "The environment variable ROTA is not set"),
        ("env:ROTA", "http://calendar.example/", "The environment variable ROTA holds no `https://` address"),
        ("env:ROTA", "a.ics", "The environment variable ROTA holds no `https://` address"),
    ],
)
def test_check_says_what_is_wrong_with_an_address(
    fed: Path, monkeypatch: pytest.MonkeyPatch, written: str, value: str, says: str
) -> None:
    matrix = fed / "responsibility.yaml"
    matrix.write_text(matrix.read_text().replace(ADDRESS, written))
    monkeypatch.setenv("ROTA", value)
    done = CliRunner().invoke(app, ["check", str(fed)])
    (line,) = [line for line in done.output.splitlines() if "feed" in line or "address" in line]
    assert says in line


async def test_doctor_as_a_whole_names_a_calendar_that_cannot_be_reached(fed: Path) -> None:
    matrix = fed / "responsibility.yaml"
    matrix.write_text(matrix.read_text().replace(ADDRESS, "http://127.0.0.1:1/rota.ics"))
    report = await examined(Settings(), DoctorEnvironment({}, SystemClock()))
    assert [f.text.split(";")[0] for f in report.findings if f.area == "feeds"] == [
        "The calendar of rota `security` cannot be used, its address cannot be reached (ClientConnectorError)"
    ]
