"""A drill through Slack: real cards, the word DRILL in every line, and no door that makes anything of it."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from tests.end_to_end.conftest import REPOSITORY
from tests.end_to_end.ground import Ground

RUNBOOK, OWNER, DEPUTY, SLEEPER = "directory-admin-emergency", "U0OWNER", "U0DEP1", "U0RISK"
EVERYBODY = ("U0OWNER", "U0DEP1", "U0DEP2", "U0RISK", "U0ONC1", "U0ONC2", "U0PE1", "U0PLEAD", "U0SOC1", "U0AUDIT")
BUTTONS = (
    "approve", "deny", "approve_less", "question", "on_it", "pass", "withdraw", "answer", "escalate_now", "ask_again",
    "recommend", "advise_against",
)  # fmt: skip


async def on_host(bot: Any, *words: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, cwd=REPOSITORY, env=bot.environment, stdout=pipe, stderr=pipe
    )


async def said(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


async def test_a_fast_drill_reaches_two_misses_one_and_gives_nothing(start: Callable[..., Any]) -> None:
    bot = await start(10.0)
    sandbox = bot.sandbox
    drilling = await on_host(bot, "drill", RUNBOOK, "--fast", "--json")
    for person in (OWNER, DEPUTY):
        card = await sandbox.wait_for(lambda p=person: sandbox.find(p, "I am here"), 20)
        assert card.buttons == ["I am here"]
        await sandbox.press(person, "I am here", message=card)
        await sandbox.wait_for(lambda c=card: "answered after" in sandbox.current(c).shown)
        assert sandbox.current(card).buttons == []
        await sandbox.press(person, "I am here", message=card)  # the card as it was: an impatient second click
        await sandbox.wait_for(lambda p=person: sandbox.find(p, "You answered already"))
    code, out, err = await said(drilling)
    assert code == 1, err
    told = json.loads(out)
    reached = {p["id"].split("/")[1] for p in told["people"] if p["ms"] is not None}
    assert reached == {OWNER, DEPUTY}
    assert SLEEPER in {p["id"].split("/")[1] for p in told["people"] if p["ms"] is None and p["delivered"]}
    heard = await sandbox.wait_for(lambda: [m for m in sandbox.messages("C0DIRECTORY") if "DRILL" in m.shown])
    assert f"2 of {told['asked']} people were reached" in heard[0].shown
    await sandbox.wait_for(lambda: sandbox.find(OWNER, "did not answer"))
    await sandbox.wait_for(lambda: not [m for p in EVERYBODY for m in sandbox.messages(p) if "I am here" in m.buttons])
    ours = [m for place in (*EVERYBODY, "C0DIRECTORY", "C0NORTHGATE") for m in sandbox.messages(place)]
    assert len(ours) > told["asked"]
    lines = [line for m in ours for text in (m.text, m.shown) for line in text.split("\n") if line]
    assert {line for line in lines if not line.startswith("DRILL · ") and line != "I am here"} == set()
    assert {m.author for m in ours} == {"U0BOT"}
    assert not [p for p in ("U0PE1", "U0PLEAD", "U0SOC1") if sandbox.messages(p)]
    kinds = [t for t in bot.types() if not t.startswith(("delivery.", "log.", "policy.", "right."))]
    assert (kinds[0], kinds[-1], kinds.count("drill.reached")) == ("drill.started", "drill.ended", 2)
    Ground(bot).holds()


async def test_no_forged_click_and_no_command_makes_anything_of_a_drill(start: Callable[..., Any]) -> None:
    bot = await start(1.0)
    ground = Ground(bot)
    code, out, err = await said(await on_host(bot, "drill", RUNBOOK, "--no-wait"))
    assert code == 0, err
    case = out.strip()
    await bot.sandbox.wait_for(lambda: bot.sandbox.find(OWNER, "I am here"))
    for person in (OWNER, SLEEPER, "U0PE1", "U0PLEAD"):
        for button in BUTTONS:
            await ground.click(person, button, f"{case}:1")
    about = Ground.about(case)
    await ground.form(
        OWNER, "less", {"duration": {"type": "static_select", "selected_option": {"value": "60"}}}, metadata=about
    )
    await ground.form(OWNER, "deny", {"reason": "x"}, metadata=about)
    for form in ("question", "answer", "push"):
        await ground.form(OWNER, form, {"reason": "x"}, metadata=about)
    await ground.click(DEPUTY, "i_am_here", f"{case}:1")  # not asked yet
    await ground.click(OWNER, "i_am_here", f"{case}:7")
    await ground.worked()
    assert set(ground.kinds(case)) == {"drill.started", "step.fired", "decision.refused"}
    for words in (("deny", case, "--reason", "x"), ("revoke", case, "--reason", "x"), ("approve", case)):
        code, _, err = await said(await on_host(bot, "requests", *words))
        assert code in (1, 2), err
    assert ground.state(case) == "pending"
    assert bot.rows("SELECT 1 FROM access_grant") == []
    assert bot.rows("SELECT 1 FROM vote") == []
    await ground.command(OWNER, "/countersign")
    await bot.sandbox.wait_for(lambda: bot.sandbox.find(OWNER, "all caught up"))
    await ground.command(OWNER, "/countersign", f"show {case}")
    await bot.sandbox.wait_for(lambda: bot.sandbox.find(OWNER, "It ends at"))
    await ground.command("U0PE1", "/countersign", f"show {case}")
    await bot.sandbox.wait_for(lambda: bot.sandbox.find("U0PE1", "There is no request"))
    filed = await ground.filed()
    assert (
        "asked for this for the first time this week"
        in (await bot.sandbox.wait_for(lambda: bot.sandbox.find(OWNER, "Approve"))).shown
    )
    assert ground.kinds(filed)[0] == "request.filed"
    ground.holds()
