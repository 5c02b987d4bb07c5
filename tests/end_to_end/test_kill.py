"""Real kill -9: nothing acknowledged is lost, nobody is asked twice, no step fires twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.demo.workspace import APPROVER, ASKER


async def test_a_click_after_a_kill_between_filing_and_click_works(start: Callable[..., Any], file: Any) -> None:
    bot = await start(anew=True)
    card = await file(bot.sandbox)
    await bot.sandbox.wait_for(lambda: not bot.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL"))  # all is noted as said
    await bot.kill()
    await bot.start()
    await bot.sandbox.press(APPROVER, "Approve", message=card)
    await bot.sandbox.wait_for(lambda: [m for m in bot.sandbox.messages(ASKER) if "Before you start" in m.shown])
    assert len([m for m in bot.sandbox.messages(APPROVER) if not m.thread_ts and not m.ephemeral]) == 1


async def test_a_kill_between_click_and_message_loses_no_act(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    for number in range(5):
        card = await file(bot.sandbox, target=f"dc-{number}")
        outcome = await bot.sandbox.press(APPROVER, "Approve", message=card)
        await bot.kill()  # at once after the acknowledgement: the act may be anywhere on its way
        assert outcome.ok
        await bot.start()
        await bot.sandbox.wait_for(lambda n=number: bot.types().count("grant.opened") == n + 1)
        await bot.sandbox.wait_for(lambda c=card: "Approve" not in bot.sandbox.current(c).buttons)
    assert bot.types().count("request.approved") == 5


async def test_no_step_is_lost_or_fired_twice_over_kills_while_it_escalates(start: Callable[..., Any], file: Any) -> None:
    bot = await start(150)
    await file(bot.sandbox)
    for fired in (2, 3, 4):
        await bot.sandbox.wait_for(lambda f=fired: bot.types().count("step.fired") >= f, 20)
        await bot.kill()
        await bot.start()
    await bot.sandbox.wait_for(lambda: "request.expired" in bot.types(), 30)
    rows = bot.rows("SELECT json_extract(data, '$.data.step') FROM log_entry WHERE type = 'step.fired' ORDER BY idx")
    steps = [row[0] for row in rows]
    assert len(steps) == len(set(steps))
    skipped = bot.types().count("step.skipped")
    assert len(steps) + skipped == 5


async def test_sigterm_finishes_what_was_acknowledged_and_exits_0(start: Callable[..., Any], file: Any) -> None:
    bot = await start(anew=True)
    card = await file(bot.sandbox)
    outcome = await bot.sandbox.press(APPROVER, "Approve", message=card)
    assert outcome.ok
    assert await bot.stop() == 0
    assert "grant.opened" in bot.types()


async def test_cards_that_a_killed_process_held_are_sent_at_once_after_the_restart(start: Callable[..., Any]) -> None:
    bot = await start()
    sandbox = bot.sandbox
    sandbox.faults.slow["chat.postMessage"] = 3
    await sandbox.command(ASKER, "/breakglass", "directory-admin-emergency Sync stopped")
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    await sandbox.submit(ASKER, {"Target": "dc-core-01", "Incident ticket": "INC1001"})
    await sandbox.wait_for(lambda: bot.rows("SELECT 1 FROM outbox WHERE leased_until_ms > 0 AND done_ms IS NULL"))
    await bot.kill()
    before = {m.ts for m in sandbox.messages(APPROVER)}
    sandbox.faults.clear()
    await bot.start()
    assert await sandbox.wait_for(lambda: [m for m in sandbox.messages(APPROVER) if m.ts not in before], 10)


def reviewed(folder: Path) -> None:
    path = folder / "responsibility.yaml"
    rules = "\nreview: {every: 180d, window: 10 working days, silence: narrow}\ndefault_escalation: standard\n"
    path.write_text(path.read_text() + rules)


async def test_a_kill_amid_an_answer_to_a_review_loses_none_and_counts_none_twice(start: Callable[..., Any]) -> None:
    bot = await start(1000, rewrite=reviewed)
    sandbox = bot.sandbox
    card = await sandbox.wait_for(lambda: sandbox.find(APPROVER, "what providers may do there"), 30)
    for number, choice in enumerate(("keep", "narrow", "keep", "withdraw")):
        button = next(one for one in sandbox.current(card).buttons if one.startswith("Review "))
        await sandbox.press(APPROVER, button, message=sandbox.current(card))
        await sandbox.wait_for(lambda: sandbox.modal(APPROVER))
        sent = await sandbox.submit(APPROVER, {"Does it stay?": choice, "Why it is kept": "needed"})
        await bot.kill()  # at once after the acknowledgement: the answer may be anywhere on its way
        assert sent.ok
        await bot.start()
        await sandbox.wait_for(lambda n=number: len(answers(bot)) == n + 1, 20)
        await sandbox.redeliver(sent)
        left = f"Review {int(button.split()[1]) - 1}"
        await sandbox.wait_for(lambda word=left: word in sandbox.current(card).buttons, 30)
        assert len(answers(bot)) == number + 1
    assert answers(bot) == ["right.kept", "right.narrowed", "right.kept", "right.withdrawn"]
    mine = [m for m in sandbox.messages(APPROVER) if "what providers may do there" in m.shown]
    assert len(mine) == 1
    assert (await bot.command("log", "verify"))[0] == 0


def answers(bot: Any) -> list[str]:
    return [kind for kind in bot.types() if kind in ("right.kept", "right.narrowed", "right.withdrawn")]
