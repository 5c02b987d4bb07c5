"""An installation that commit 90f2304 left in the middle of its work, with its log stopped, is opened by the program of today.

What the old program went on to do by itself with the same installation is recorded beside it: today's must do the same.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.end_to_end.installation import Upgraded, give_memory_back, prepared
from tests.slack.watching import complaints

PAVEL, PRIYA = "U0PE1", "U0PE2"
OLGA, DEV, SAMIRA, RUTH, ANSELM = "U0OWNER", "U0DEP1", "U0CLIN", "U0RISK", "U0AUDIT"
# The old bot left buttons to somebody who had answered, and to somebody whose authority is suspended.
FREED = {("Approve", "D00VAULT", "half"), ("Ratify", "D00CLDEP2", "break_glass")}
TAKEN_AWAY = [("request.denied", "to_deny"), ("grant.revoked", "to_revoke"), ("request.withdrawn", "to_withdraw")]
FOLLOWS = ("review.due",)  # what the log enters with a line of the emergency file


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Upgraded]:
    upgraded = prepared(tmp_path)
    async with upgraded.sandbox:
        yield upgraded
        assert await upgraded.stop() == 0
        found = complaints(upgraded.sandbox)
    assert not found, "\n".join(found)


async def started(bot: Upgraded) -> Upgraded:
    """On the day of the old bot's death, 5 s after it, with its memory back in its place."""
    give_memory_back(bot)
    bot.at = timedelta(seconds=5)
    await bot.start()
    await bot.quiet()
    return bot


def lines_of(bot: Upgraded) -> list[str]:
    return [line for line in (bot.home / "state" / "emergency.jsonl").read_text().splitlines() if line.strip()]


async def verified(bot: Upgraded) -> None:
    code, out = await bot.command("log", "verify")
    assert (code, "no problems found" in out) == (0, True), out


@pytest.mark.timeout(300)
async def test_for_forty_days_nobody_is_asked_narrowed_or_ended_as_the_old_program_would_not_have(bot: Upgraded) -> None:
    await started(bot)
    assert [entry for entry in bot.fresh() if entry[0] not in FOLLOWS][:3] == TAKEN_AWAY  # before anything else
    assert lines_of(bot) == []
    for day in bot.kept["future"]:
        if day["days"]:
            bot.remember()
            await bot.move_to(timedelta(days=day["days"]))
            await bot.quiet()
        expected = Counter((kind, bot.names.get(case, case)) for kind, case in day["entries"])
        await bot.until(lambda wanted=expected: not wanted - Counter(bot.fresh()))
        await bot.quiet()
        assert Counter(bot.fresh()) == expected, day["days"]
        asked = Counter(tuple(ask) for ask in day["asks"])
        shown = Counter({(button, *ask): n for button in {ask[0] for ask in asked} for ask, n in bot.asked(button).items()})
        assert (shown - asked, set(asked - shown) - FREED) == (Counter(), set()), day["days"]
    await verified(bot)


async def test_what_was_taken_in_or_left_unsent_is_carried_out_once(bot: Upgraded) -> None:
    await started(bot)
    assert {name: bot.state(name) for name in bot.cases if name not in ("suspension", "sealed_in_inbox")} == {
        "reset": ("approved", "open"), "exception": ("approved", "open"), "dated_pending": ("pending", ""),
        "break_glass": ("opened", "open"), "reviewed": ("approved", "finished"), "denied": ("denied", ""),
        "escalated": ("pending", ""), "half": ("pending", ""), "contained": ("pending", ""), "questioned": ("pending", ""),
        "autonomous": ("opened", "open"), "open": ("approved", "open"), "unsaid": ("pending", ""),
        "to_revoke": ("approved", "revoked"), "to_deny": ("denied", ""), "to_withdraw": ("withdrawn", ""),
        "yes_unsaid": ("approved", "open"), "in_inbox": ("approved", "open"), "filed_in_inbox": ("pending", ""),
    }  # fmt: skip
    done = Counter(bot.fresh())
    for once in (
        ("request.approved", "in_inbox"), ("grant.opened", "in_inbox"), ("request.held", "questioned"),
        ("request.pushed", "half"), ("request.filed", "filed_in_inbox"), ("sealed_use.recorded", "sealed_in_inbox"),
        ("absence.set", ""), ("decision.refused", "half"),
    ):  # fmt: skip
        assert done[once] == 1, once
    asked = bot.asked("Approve")
    assert {place: asked[place, "unsaid"] for place in ("D00OWNER", "D00DEP2", "D00ONC1")} == dict.fromkeys(
        ("D00OWNER", "D00DEP2", "D00ONC1"), 1
    )
    assert max(asked.values()) == 1
    posted = bot.posted_since()
    assert len([m for m in posted if m.channel == "D00PE2" and bot.cases["yes_unsaid"] in m.text + m.shown]) == 2
    assert [m.buttons for m in posted if m.channel == "C0DIRECTORY" and m.buttons] == [["Ask for approval"]]
    assert {m.channel for m in posted} == {
        "D00PE1", "D00PE2", "D00SOC1", "D00SOC2", "D00SOCLEAD", "D00OWNER", "D00DEP2", "D00ONC1", "D00VDEP2", "C0DIRECTORY",
    }  # fmt: skip
    await verified(bot)


async def test_a_no_whose_form_was_still_to_be_opened_decides_nothing(bot: Upgraded) -> None:
    [(kept,)] = bot.rows("SELECT act FROM inbox WHERE key = 'kept-4'")
    reach = json.loads(kept)
    reach["person"]["user"] = reach["reply"]["person"]["user"] = OLGA
    with closing(sqlite3.connect(bot.database)) as raw, raw:
        for name in ("escalated", "contained"):
            raw.execute(
                "INSERT INTO inbox (key, act, answer, received_ms, attempts, next_ms) SELECT ?, ?, answer, received_ms, 0, next_ms"
                " FROM inbox WHERE key = 'kept-4'",
                (f"kept-{name}", json.dumps(reach | {"case": bot.cases[name]})),
            )
    await started(bot)
    assert (bot.state("escalated"), bot.state("contained")) == (("pending", ""), ("pending", ""))
    about = {(kind, name) for kind, name in bot.fresh() if name in ("escalated", "contained")}
    assert about == set()
    await bot.press(OLGA, "Deny", "contained", {"Reason": "Not an incident"})
    await bot.until(lambda: ("request.denied", "contained") in bot.fresh())
    await verified(bot)


async def test_the_buttons_and_forms_that_the_old_bot_posted_work(bot: Upgraded) -> None:
    await started(bot)
    for who, button, name, values, entered in (
        (OLGA, "Approve", "escalated", None, "grant.opened"),
        (RUTH, "Approve", "half", None, "grant.opened"),
        (OLGA, "Deny", "contained", {"Reason": "Not an incident"}, "request.denied"),
        (PRIYA, "Answer", "questioned", {"Answer": "The clinical one"}, "request.answered"),
        (SAMIRA, "Ratify", "break_glass", None, "breakglass.ratified"),
        (SAMIRA, "Restore", "suspension", None, "authority.restored"),
        (DEV, "Accept", "reviewed", None, "review.passed"),
        (PAVEL, "Finished", "open", {"What it is": "https://recordings.example/8"}, "grant.finished"),
        (PAVEL, "Withdraw", "dated_pending", None, "request.withdrawn"),
        (SAMIRA, "Revoke", "reset", None, "grant.revoked"),
    ):
        await bot.press(who, button, name, values)
        await bot.until(lambda wanted=(entered, name): wanted in bot.fresh())
    await bot.quiet()
    assert bot.fresh().count(("grant.opened", "escalated")) == 1
    await verified(bot)


async def test_the_old_buttons_of_what_is_over_change_nothing_and_are_answered(bot: Upgraded) -> None:
    await started(bot)
    for who, button, name in (
        (OLGA, "Approve", "to_deny"),
        (OLGA, "Approve", "to_withdraw"),
        (PAVEL, "Finished", "to_revoke"),
    ):
        before = len(bot.posted_since())
        await bot.press(who, button, name)
        await bot.until(lambda seen=before: len(bot.posted_since()) > seen)
    await bot.quiet()
    assert [bot.state(name) for name in ("to_deny", "to_withdraw", "to_revoke")] == [
        ("denied", ""), ("withdrawn", ""), ("approved", "revoked"),
    ]  # fmt: skip
    await verified(bot)


async def test_an_operators_act_that_was_filed_before_is_confirmed_by_its_old_buttons(bot: Upgraded) -> None:
    await started(bot)
    for who in (ANSELM, RUTH):
        [message] = [m for m in bot.sandbox.messages(who) if "Confirm" in m.buttons]
        await bot.sandbox.press(who, "Confirm", message=message)
        await bot.quiet()
    await bot.until(lambda: ("hold.released", "") in bot.fresh())
    assert bot.fresh().count(("hold.released", "")) == 1
    await verified(bot)


async def test_a_grant_that_was_open_ends_at_its_moment(bot: Upgraded) -> None:
    give_memory_back(bot)
    [(end,)] = bot.rows("SELECT not_after_ms FROM access_grant WHERE case_id = ?", bot.cases["autonomous"])
    bot.at = timedelta(milliseconds=end) - timedelta(seconds=bot.left.timestamp() + 20)
    await bot.start()
    await bot.until(lambda: ("grant.lapsed", "autonomous") in bot.fresh(), 60)
    [entry] = [e for e in bot.entries() if (e["type"], e["case"]) == ("grant.lapsed", "autonomous")]
    late = datetime.fromisoformat(entry["ts"]).timestamp() * 1000 - end
    assert 0 <= late < 5000
    assert [bot.state(name)[1] for name in ("open", "yes_unsaid", "break_glass", "exception")] == ["open"] * 4


async def test_the_log_stays_stopped_until_its_memory_is_back_and_then_has_every_line(bot: Upgraded) -> None:
    bot.at = timedelta(seconds=5)
    kept = lines_of(bot)
    assert len(kept) == 3
    await bot.start()
    async with aiohttp.ClientSession() as session, session.get(f"http://{bot.ops_listen}/readyz") as answer:
        assert (answer.status, "The decision log is stopped" in await answer.text()) == (503, True)
    await bot.press(OLGA, "Approve", "escalated")
    await bot.until(lambda: [m for m in bot.posted_since() if "decision log is stopped, so nothing" in m.shown])
    await bot.press(OLGA, "Approve", "to_deny")  # denied in the emergency file only
    await bot.press(OLGA, "Deny", "contained", {"Reason": "Not an incident"})
    await bot.until(lambda: len(lines_of(bot)) == 4)
    assert bot.fresh() == []
    assert lines_of(bot)[:3] == kept  # byte for byte
    assert json.loads(lines_of(bot)[3])["act"].keys() == json.loads(kept[0])["act"].keys()

    give_memory_back(bot)
    await bot.move_to(timedelta(seconds=60))
    await bot.quiet()
    entered = [entry for entry in bot.fresh() if entry[0] not in FOLLOWS]
    assert entered[:4] == [*TAKEN_AWAY, ("request.denied", "contained")]
    assert lines_of(bot) == []
    assert (bot.state("escalated"), bot.state("to_deny")) == (("pending", ""), ("denied", ""))
    await verified(bot)
