"""`countersign inbox` as somebody on the host types it, beside the running bot."""

from __future__ import annotations

import json

import pytest

from bot.cli.inbox.command import app
from bot.domain.decision_log.entry import disclosed
from storage.log.check import check_database
from tests.bot.building import OWNER
from tests.bot.hosting import Host
from tests.database import place
from tests.storage.making import attacker

pytestmark = pytest.mark.both

HOSTILE = '{"kind": "of a newer program\\u001b]0;owned\\u0007\\u202e"}'


async def spoiled(host: Host, *texts: str) -> list[int]:
    """Presses of the owner whose rows were changed to these texts, and that the bot has looked at."""
    case = await host.ask()
    for _ in texts:
        await host.take_in(host.press(OWNER, case))
    rows = [row["id"] for row in host.rows("SELECT id FROM inbox WHERE done_ms IS NULL ORDER BY id")]
    with attacker(host.place) as raw:
        for row_id, text in zip(rows, texts, strict=True):
            raw.execute("UPDATE inbox SET act = ? WHERE id = ?", (text, row_id))
    await host.worker.drain()
    return rows


async def quarantined(host: Host) -> int:
    return (await host.store.overview.lateness(host.clock.now())).unreadable.count


async def test_list_shows_whose_it_is_and_why_and_nothing_that_a_terminal_obeys(host: Host) -> None:
    first, second, third = await spoiled(host, "{", HOSTILE, "[]")
    code, text = await host.type("list", app=app)
    assert (code, await quarantined(host)) == (0, 3)
    assert text.isprintable()
    for part in (f"{first} ", "T0HOME/U0OWNER it is no JSON", f"{second} ", "of a newer program", "it is no object"):
        assert part in text
    code, text = await host.type("list", "--json", app=app)
    assert [row["id"] for row in json.loads(text)] == [first, second, third]


async def test_discard_ends_the_finding_is_logged_with_its_reason_and_answers_the_sender(host: Host) -> None:
    (row,) = await spoiled(host, HOSTILE)
    code, text = await host.type("discard", str(row), "--reason", "written by 9.9, which is gone", app=app)
    assert (code, f"Row {row} is discarded" in text) == (0, True)
    assert await quarantined(host) == 0
    [entry] = [e for e in host.log() if e["type"] == "decision.refused"]
    assert (entry["actor"]["kind"], entry["data"]["why"], entry["data"]["id"]) == ("operator", "discarded", str(row))
    shown = [disclosed(r["disclosure"]) for r in host.rows("SELECT disclosure FROM log_private")]
    assert ("reason", "written by 9.9, which is gone") in shown
    [told] = host.rows("SELECT to_user, data FROM outbox WHERE purpose = 'answer' AND data LIKE '%not carried out%'")
    assert told["to_user"] == "U0OWNER"
    assert check_database(place(host.path)).findings == ()
    assert await host.type("discard", str(row), "--reason", "again", app=app) == (
        1, f"No row {row} is in quarantine. See: countersign inbox list",
    )  # fmt: skip


@pytest.mark.parametrize("words", [("discard",), ("discard", "x", "--reason", "y"), ("discard", "1"),
                                   ("discard", "1", "--reason", " ")])  # fmt: skip
async def test_wrong_use_is_exit_2(host: Host, words: tuple[str, ...]) -> None:
    assert (await host.type(*words, app=app))[0] == 2


async def test_a_row_that_can_be_read_is_not_discarded(host: Host) -> None:
    await host.take_in(host.press(OWNER, await host.ask()))
    [row] = host.rows("SELECT id FROM inbox WHERE done_ms IS NULL")
    assert (await host.type("discard", str(row["id"]), "--reason", "no", app=app))[0] == 1
    assert host.rows("SELECT 1 FROM inbox WHERE done_ms IS NULL")


async def test_retry_lets_the_bot_read_once_more(host: Host) -> None:
    await spoiled(host, "{")
    code, said = await host.type("retry", app=app)
    assert (code, said.startswith("1 row is read again")) == (0, True)
    assert await quarantined(host) == 0
    await host.worker.drain()
    assert await quarantined(host) == 1


async def test_without_a_quarantine_the_list_says_so(host: Host) -> None:
    assert await host.type("list", app=app) == (0, "Every row of the inbox can be read.")
    assert await host.type("list", "--json", app=app) == (0, "[]")
