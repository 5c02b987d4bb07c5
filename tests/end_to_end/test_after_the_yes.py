"""After the yes, through Slack and the whole bot: it ends, what is owed comes in, it is reviewed."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.demo.workspace import APPROVER, ASKER
from storage.log.check import check_database

pytestmark = pytest.mark.both

DEPUTY, STRANGER = "U0DEP1", "U0SOC1"
SAMIRA, KOFI = "U0CLIN", "U0CLDEP1"


async def approved(sandbox: Any, file: Any) -> Any:
    """A request with its yes; the requester's receipt."""
    card = await file(sandbox)
    receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Escalate now"))
    await sandbox.press(APPROVER, "Approve", message=card)
    await sandbox.wait_for(lambda: "Finished" in sandbox.current(receipt).buttons)
    return receipt


async def test_from_the_yes_over_finished_and_evidence_to_an_accepted_review(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    receipt = await approved(sandbox, file)
    await sandbox.press(ASKER, "Finished", message=sandbox.current(receipt))
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    assert (await sandbox.submit(ASKER, {"What it is": "https://recordings.example/7"})).ok
    review = await sandbox.wait_for(lambda: sandbox.find(DEPUTY, "Accept"))
    await sandbox.wait_for(lambda: "recordings.example" in sandbox.current(review).shown)
    assert "*Finished*, reported by" in sandbox.current(review).shown
    await sandbox.press(DEPUTY, "Accept", message=sandbox.current(review))
    await sandbox.wait_for(lambda: "Accepted" in sandbox.current(review).shown)
    assert sandbox.current(review).buttons == []
    types = bot.types()
    assert types.index("grant.finished") < types.index("review.due") < types.index("review.passed")
    assert check_database(bot.place).findings == ()


async def test_a_deputy_who_was_never_reached_revokes_by_nobody_elses_leave(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    receipt = await approved(sandbox, file)
    card = await sandbox.wait_for(lambda: sandbox.find(APPROVER, "Revoke"))
    old = sandbox.current(receipt)
    await sandbox.press(STRANGER, "Revoke", message=card)
    await sandbox.wait_for(lambda: "decision.refused" in bot.types())
    await sandbox.press(DEPUTY, "Revoke", message=card)
    await sandbox.wait_for(lambda: "REVOKED" in sandbox.current(receipt).shown)
    assert "Revoke" not in sandbox.current(card).buttons
    await sandbox.press(ASKER, "Not used", message=old)
    await sandbox.wait_for(lambda: sandbox.find(ASKER, "over already"))
    assert [t for t in bot.types() if t.startswith("grant.")] == ["grant.opened", "grant.revoked"]


async def test_more_time_is_asked_for_at_the_warning_and_given(start: Callable[..., Any], file: Any) -> None:
    bot = await start(240.0)
    sandbox = bot.sandbox
    receipt = await approved(sandbox, file)
    await sandbox.wait_for(lambda: "Extend" in sandbox.current(receipt).buttons, 30)
    await sandbox.press(ASKER, "Extend", message=sandbox.current(receipt))
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    assert (await sandbox.submit(ASKER, {"Duration": "1 hour"})).ok
    more = await sandbox.wait_for(lambda: sandbox.find(APPROVER, "more."))
    await sandbox.press(APPROVER, "Approve", message=more)
    await sandbox.wait_for(lambda: "grant.extended" in bot.types())
    await sandbox.wait_for(lambda: sandbox.find(ASKER, "more time is approved"))
    [(seconds,)] = bot.rows("SELECT seconds FROM access_grant")
    assert seconds == 7200


async def test_a_break_glass_opens_at_once_and_a_rejection_revokes_it(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await sandbox.command(ASKER, "/breakglass", "clinical-signin-outage All wards are out")
    form = await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    assert "Opens now, and everybody is told" in form.shown
    filled = {"Target": "clinical-sso-prod", "Site": "All sites", "Staff who cannot sign in": "900"}
    assert not (await sandbox.submit(ASKER, filled)).ok  # the incident reference is forced
    assert (await sandbox.submit(ASKER, {**filled, "Incident reference": "INC77"})).ok
    card = await sandbox.wait_for(lambda: sandbox.find(SAMIRA, "Ratify"))
    await sandbox.wait_for(lambda: sandbox.find(KOFI, "Ratify"))
    assert "BREAK-GLASS" in card.shown
    assert "INC77" in card.shown
    receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Not used"))
    assert "BREAK-GLASS" in receipt.shown
    await sandbox.press(SAMIRA, "Reject", message=card)
    await sandbox.wait_for(lambda: sandbox.modal(SAMIRA))
    assert (await sandbox.submit(SAMIRA, {"Note": "One ward only"})).ok
    await sandbox.wait_for(lambda: "Rejected" in sandbox.current(card).shown)
    await sandbox.wait_for(lambda: "REVOKED" in sandbox.current(receipt).shown)
    assert {"breakglass.opened", "breakglass.rejected", "grant.revoked", "review.flagged"} <= set(bot.types())
    assert check_database(bot.place).findings == ()


async def test_a_use_of_the_sealed_path_is_recorded_and_reviewed_by_somebody_else(start: Callable[..., Any]) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await sandbox.command(ASKER, "/countersign", "sealed-use")
    await sandbox.wait_for(lambda: sandbox.find(ASKER, "Only people who are named for a domain"))
    await sandbox.command(APPROVER, "/countersign", "sealed-use")
    await sandbox.wait_for(lambda: sandbox.modal(APPROVER))
    used = {"When": "2026-03-04T03:00", "Who used it": APPROVER, "What was done": "Envelope 7 opened", "Reference": "INC7"}
    assert not (await sandbox.submit(APPROVER, {**used, "When": "2126-03-04T03:00"})).ok
    assert (await sandbox.submit(APPROVER, used)).ok
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, "is recorded as"))
    review = await sandbox.wait_for(lambda: sandbox.find(DEPUTY, "Accept"))
    assert "Used without approval" in review.shown
    assert "Envelope 7 opened" in review.shown
    await sandbox.close(APPROVER, everything=True)
    await sandbox.command(DEPUTY, "/countersign", "review")
    again = await sandbox.wait_for(
        lambda: next((m for m in sandbox.messages(DEPUTY) if "Accept" in m.buttons and m.ts != review.ts), None)
    )
    await sandbox.press(DEPUTY, "Accept", message=again)
    await sandbox.wait_for(lambda: "Accepted" in sandbox.current(review).shown)
    assert {"sealed_use.recorded", "review.due", "review.passed"} <= set(bot.types())
    assert check_database(bot.place).findings == ()
