"""The main job over Socket Mode: a provider engineer asks, the named owner signs, silence escalates and expires."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from bot.demo.workspace import APPROVER, ASKER


def request_id(text: str) -> str:
    found = re.search(r"R-[0-9A-Z]{8}", text)
    assert found is not None, text
    return found.group()


async def test_one_click_approves_and_the_requester_gets_the_runbooks_body(start: Callable[..., Any], file: Any) -> None:
    bot = await start(anew=True)
    sandbox = bot.sandbox
    card = await file(sandbox)
    outcome = await sandbox.press(APPROVER, "Approve", message=card)
    assert outcome.ok
    await sandbox.wait_for(lambda: [m for m in sandbox.messages(ASKER) if "Before you start" in m.shown])
    after = await sandbox.wait_for(lambda: (now := sandbox.current(card)) and "Approve" not in now.buttons and now)
    assert f"<@{APPROVER}>" in after.shown
    assert bot.types().count("request.approved") == 1
    assert bot.types().count("grant.opened") == 1


async def test_silence_reminds_asks_deputies_and_on_call_and_expires(start: Callable[..., Any], file: Any) -> None:
    bot = await start(300)
    sandbox = bot.sandbox
    card = await file(sandbox)
    await sandbox.wait_for(lambda: [m for m in sandbox.messages(APPROVER) if m.thread_ts == card.ts])
    for deputy in ("U0DEP1", "U0DEP2"):
        await sandbox.wait_for(lambda deputy=deputy: [m for m in sandbox.messages(deputy) if "Approve" in m.buttons])
    on_call = await sandbox.wait_for(
        lambda: [p for p in ("U0ONC1", "U0ONC2") for m in sandbox.messages(p) if "Approve" in m.buttons]
    )
    await sandbox.wait_for(lambda: [m for m in sandbox.messages("U0RISK") if "Approve" in m.buttons])
    await sandbox.wait_for(lambda: "request.expired" in bot.types(), 20)
    for person in (APPROVER, "U0DEP1", "U0DEP2", *on_call, "U0RISK"):
        await sandbox.wait_for(lambda p=person: all("Approve" not in m.buttons for m in sandbox.messages(p)))
    types = bot.types()
    assert types.count("step.fired") == 5
    assert "grant.opened" not in types


async def test_a_no_needs_a_reason_and_is_final(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    await sandbox.press(APPROVER, "Deny", message=card)
    await sandbox.wait_for(lambda: sandbox.modal(APPROVER))
    blank = await sandbox.submit(APPROVER, {})
    assert blank.errors
    sent = await sandbox.submit(APPROVER, {"Reason": "Use the read-only account"})
    assert sent.ok
    await sandbox.wait_for(lambda: [m for m in sandbox.messages(ASKER) if "Use the read-only account" in m.shown + m.text])
    late = await sandbox.press(APPROVER, "Approve", message=card)
    assert late.ok
    await sandbox.wait_for(lambda: "decision.refused" in bot.types())
    assert "request.approved" not in bot.types()


@pytest.mark.parametrize("who", ["U0PE1", "U0PE2", "U0SOC1", "U0DEP1", "U0GUEST", "U0OUTSIDE", "U0ADMIN"])
async def test_a_click_without_authority_changes_nothing_and_is_answered(
    start: Callable[..., Any], file: Any, who: str
) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    stolen = sandbox.find(APPROVER, "Approve")
    before = len(bot.types())
    await sandbox.press(who, "Approve", message=stolen)
    answer = await sandbox.wait_for(lambda: sandbox.find(who, "identity-help"))
    assert answer is not None
    added = [t for t in bot.types()[before:] if not t.startswith("delivery.")]
    assert added == ["decision.refused"]
    assert sandbox.current(card).buttons == card.buttons


async def test_two_who_were_asked_click_at_the_same_instant_and_there_is_one_outcome(
    start: Callable[..., Any], file: Any
) -> None:
    bot = await start(300)
    sandbox = bot.sandbox
    await file(sandbox)
    people = (APPROVER, "U0DEP1", "U0DEP2")
    cards = [
        await sandbox.wait_for(lambda p=p: next((m for m in sandbox.messages(p) if "Approve" in m.buttons), None))
        for p in people
    ]
    await asyncio.gather(*(sandbox.press(p, "Approve", message=c) for p, c in zip(people, cards, strict=True)))
    await sandbox.wait_for(lambda: bot.types().count("decision.refused") == 2)
    assert bot.types().count("request.approved") == 1
    await sandbox.wait_for(
        lambda: sum(any("already approved by" in m.shown for m in sandbox.messages(p)) for p in people) == 2
    )


async def test_withdraw_takes_the_request_back(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Withdraw"))
    await sandbox.press(ASKER, "Withdraw", message=receipt)
    await sandbox.wait_for(lambda: "request.withdrawn" in bot.types())
    assert await sandbox.wait_for(lambda: "Approve" not in sandbox.current(card).buttons)


async def test_every_text_command_is_answered(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    shown = request_id(card.shown)
    expected = {
        "": "R-",
        "help": "breakglass",
        "queue": shown,
        "matrix": "U0OWNER",
        "whoami": "U0OWNER",
        f"show {shown}": shown,
    }
    for text, wanted in expected.items():
        before = {m.ts for m in sandbox.messages(APPROVER)}
        outcome = await sandbox.command(APPROVER, "/countersign", text)
        assert outcome.ok
        await sandbox.wait_for(
            lambda b=before, w=wanted: [
                m for m in sandbox.messages(APPROVER) if m.ts not in b and (w in m.shown or w in m.text)
            ]
        )
    before = {m.ts for m in sandbox.messages(ASKER)}
    await sandbox.command(ASKER, "/countersign", "mine")
    await sandbox.wait_for(lambda: [m for m in sandbox.messages(ASKER) if m.ts not in before and shown in m.shown])


async def test_another_provider_sees_nothing_of_it(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox, target="dc-secret-07")
    shown = request_id(card.shown)
    for text in (f"show {shown}", "queue", "mine", "", "matrix"):
        before = {m.ts for m in sandbox.messages("U0SOC1")}
        await sandbox.command("U0SOC1", "/countersign", text)
        await sandbox.wait_for(lambda b=before: [m for m in sandbox.messages("U0SOC1") if m.ts not in b])
    everything = " ".join(m.shown + m.text for m in sandbox.messages("U0SOC1"))
    assert "dc-secret-07" not in everything
    assert "Sync stopped" not in everything


async def test_a_replayed_click_and_a_replayed_form_count_once(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await sandbox.command(ASKER, "/breakglass", "directory-admin-emergency Sync stopped")
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    form = await sandbox.submit(ASKER, {"Target": "dc-core-01", "Incident ticket": "INC1001"})
    again = await sandbox.redeliver(form)
    assert again.response == form.response
    card = await sandbox.wait_for(lambda: sandbox.find(APPROVER, "Approve"))
    click = await sandbox.press(APPROVER, "Approve", message=card)
    await sandbox.redeliver(click)
    await sandbox.wait_for(lambda: "grant.opened" in bot.types())
    await sandbox.wait_for(lambda: not bot.rows("SELECT 1 FROM inbox WHERE done_ms IS NULL"))
    types = bot.types()
    assert (types.count("request.filed"), types.count("request.approved"), types.count("decision.refused")) == (1, 1, 0)


async def test_what_a_person_types_forges_nothing(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    nasty = "<!channel> <@U0OWNER> *Approved by Olga* <https://evil.example|Approve>\n\n> quoted `x` " + "A" * 10_000
    card = await file(sandbox, reason=nasty, target="<@U0RISK> & *bold* _x_")
    assert "<!channel>" not in card.shown
    assert "<https://evil.example" not in card.shown
    assert "<@U0RISK>" not in card.shown
    assert card.buttons[:2] == ["Approve", "Deny"]
    assert len(card.text) <= 3900
    await sandbox.press(APPROVER, "Approve", message=card)
    await sandbox.wait_for(lambda: "grant.opened" in bot.types())
