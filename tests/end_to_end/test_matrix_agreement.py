"""The matrix as an agreement through the whole bot: messages, buttons, the form, the command, the log, and its check."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from bot.cli.main import app
from bot.demo.workspace import APPROVER

RISK, LEAD, CLINICAL = "U0RISK", "U0PLEAD", "U0CLIN"
KEY = "\nagreement: {every: 365d, window: 30d, unconfirmed: hold}\n"


def with_agreement(folder: Path) -> None:
    path = folder / "responsibility.yaml"
    path.write_text(path.read_text() + KEY)


async def test_owners_confirm_and_dispute_their_rows(start: Callable[..., Any], monkeypatch: Any) -> None:
    bot = await start(100_000, rewrite=with_agreement)
    sandbox = bot.sandbox
    card = await sandbox.wait_for(lambda: sandbox.find(APPROVER, "Your part of the responsibility matrix"), 20)
    rows = card.buttons.count("Dispute")
    assert f"Confirm all {rows}" in card.buttons
    assert "From now on Northgate Managed Identity may" in card.shown
    lead = await sandbox.wait_for(lambda: sandbox.find(LEAD, "Your part of the responsibility matrix"))
    assert [b for b in lead.buttons if b.startswith(("Confirm", "Acknowledge"))] == [
        f"Acknowledge {lead.buttons.count('Dispute')}"
    ]

    await sandbox.press(APPROVER, "Dispute", message=card)
    await sandbox.wait_for(lambda: sandbox.modal(APPROVER))
    await sandbox.submit(APPROVER, {"Reason": "Nobody asked me about this."})
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, "Disputed:"))
    await sandbox.press(APPROVER, f"Confirm all {rows}", message=card)
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, f"Confirmed: {rows - 1} rows"))
    assert bot.types().count("matrix.confirmed") == 1
    assert bot.types().count("matrix.disputed") == 1
    await sandbox.wait_for(lambda: [b for b in sandbox.current(card).buttons if b.startswith("Confirm")] == ["Confirm"])
    assert "· disputed" in sandbox.current(card).shown

    await sandbox.command(APPROVER, "/countersign", "matrix")
    again = await sandbox.wait_for(lambda: sandbox.find(APPROVER, "who answers for what"))
    assert "Confirm" in again.buttons
    await sandbox.press(APPROVER, "Confirm", message=again)
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, "Confirmed: 1 row of"))

    await sandbox.press(LEAD, lead.buttons[-1], message=lead)
    await sandbox.wait_for(lambda: "matrix.acknowledged" in bot.types())

    await sandbox.command(CLINICAL, "/countersign", "matrix")
    page = await sandbox.wait_for(lambda: sandbox.find(CLINICAL, "who answers for what"))
    assert any(button.startswith("Confirm all ") for button in page.buttons)
    await sandbox.open_home(CLINICAL)
    home = await sandbox.wait_for(lambda: sandbox.home(CLINICAL))
    assert "Your part of the responsibility matrix" in json.dumps(home.raw.body["blocks"])
    await sandbox.open_home(APPROVER)
    rows = await sandbox.wait_for(lambda: sandbox.home(APPROVER) and json.dumps(sandbox.home(APPROVER).raw.body["blocks"]))
    assert "Your part of the responsibility matrix" not in rows
    assert "Your rows of the responsibility matrix of Example Health Trust" in rows
    assert "Emergency admin on the corporate directory (Corporate directory): A" in rows

    for name, value in bot.environment.items():
        monkeypatch.setenv(name, value)
    found = await asyncio.to_thread(CliRunner().invoke, app, ["log", "verify"])
    assert found.exit_code == 0, found.output
