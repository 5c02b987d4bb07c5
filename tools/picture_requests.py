"""Scenes of asking: the forms, the card, the receipt, a no, the yes, the runbook, its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from camera import Camera, Office, Scene, running

from bot.demo.workspace import APPROVER as OLGA
from bot.demo.workspace import ASKER as PAVEL
from sandbox.driver import Sandbox, Seen

DEV, RUTH, LARS, SAMIRA, HELEN, GRACE = "U0DEP1", "U0RISK", "U0PLEAD", "U0CLIN", "U0CSO", "U0ONC2"
DIRECTORY = "directory-admin-emergency"
WAIT = 20


async def seen(sandbox: Sandbox, who: str, text: str) -> Seen:
    """The message of this person that shows this text, or has this button."""
    return await sandbox.wait_for(lambda: sandbox.find(who, text), WAIT)


async def form(sandbox: Sandbox, who: str, command: str, text: str) -> None:
    """Types a command that opens a form."""
    await sandbox.command(who, command, text)
    await sandbox.wait_for(lambda: sandbox.modal(who), WAIT)


async def dialog(sandbox: Sandbox, who: str, button: str, message: Seen | None = None) -> None:
    """Presses a button that opens a form."""
    await sandbox.press(who, button, message=message)
    await sandbox.wait_for(lambda: sandbox.modal(who), WAIT)


async def sent(sandbox: Sandbox, who: str, values: Mapping[str, Any]) -> None:
    """Sends the form and closes what it leaves. A refusal is an error."""
    outcome = await sandbox.submit(who, values)
    assert outcome.ok, outcome.errors
    if sandbox.modal(who):
        await sandbox.close(who, everything=True)


async def asked(
    sandbox: Sandbox, target: str = "dc-core-01", reason: str = "Sync stopped at 02:40, nobody can sign in"
) -> Seen:
    """Files for emergency access; the owner's card."""
    await form(sandbox, PAVEL, "/breakglass", f"{DIRECTORY} {reason}")
    await sent(sandbox, PAVEL, {"Target": target, "Incident ticket": "INC20417"})
    return await sandbox.wait_for(lambda: (c := sandbox.find(OLGA, target)) and c.buttons and c, WAIT)


async def forms(camera: Camera) -> None:
    """Every form that files something."""
    async with running() as office:
        sandbox = office.sandbox
        for name, command, text, wanted in FORMS:
            await form(sandbox, PAVEL, command, text)
            await camera.take(sandbox, name, PAVEL, wanted)
            await sandbox.close(PAVEL, everything=True)
        await form(sandbox, PAVEL, "/breakglass", f"{DIRECTORY} Sync stopped")
        refused = await sandbox.submit(PAVEL, {"Target": "dc-core-01", "Incident ticket": "twenty"})
        assert not refused.ok
        await camera.take(sandbox, "form-refused", PAVEL, "a valid")
        await sandbox.submit(PAVEL, {"Incident ticket": "INC20417"})
        await sandbox.wait_for(lambda: (m := sandbox.modal(PAVEL)) and "What happens next" in m.shown, WAIT)
        await camera.take(sandbox, "form-filed", PAVEL, "What happens next")


FORMS = (
    ("form", "/breakglass", f"{DIRECTORY} Sync stopped at 02:40, nobody can sign in", "Access opens only after"),
    ("form-choose", "/countersign", "ask", "Choose a runbook"),
    ("reset-form", "/reset", "clinician-mfa-reset Phone lost on the way to the night shift", "approves"),
    ("exception-form", "/exception", "legacy-auth-exception The pumps of ward 7 speak LDAP only", "approvals needed"),
    ("break-glass-form", "/breakglass", "clinical-signin-outage Wards cannot sign in", "Opens now"),
    ("standing-right-form", "/reset", "account-unlock Locked out", "nobody is asked"),
    ("finding-form", "/countersign", "finding An exposed token", "Noticed at"),
)


async def answers(camera: Camera) -> None:
    """The card with its forms, a question, On it, the escalation, what the lead sees, and the yes."""
    async with running() as office:
        sandbox = office.sandbox
        card = await asked(sandbox)
        await camera.take(sandbox, "card", OLGA, "asks for")
        await camera.take(sandbox, "receipt", PAVEL, "Pending.")
        await camera.take(sandbox, "withdraw-confirm", PAVEL, "It cannot be taken back", press="Withdraw")
        await seen(sandbox, LARS, "Recommend")
        await camera.take(sandbox, "lead-card", LARS, "Advice is shown")
        for name, button, wanted in (
            ("deny", "Deny", "A no is final"),
            ("less-form", "Approve for less…", "Asked for"),
            ("question-form", "Question", "The deadline"),
        ):
            await dialog(sandbox, OLGA, button, card)
            await camera.take(sandbox, name, OLGA, wanted)
            if name != "question-form":
                await sandbox.close(OLGA, everything=True)
        await sent(sandbox, OLGA, {"Question": "Which site is affected?"})
        question = await seen(sandbox, PAVEL, "Answer")
        await camera.take(sandbox, "question", PAVEL, "Which site", thread=True)
        await dialog(sandbox, PAVEL, "Answer", question)
        await sent(sandbox, PAVEL, {"Answer": "City Hospital only"})
        await sandbox.press(LARS, "Recommend")
        await sandbox.wait_for(
            lambda: "recommend" in sandbox.current(card).shown.lower() and "City" in sandbox.current(card).shown, WAIT
        )
        await sandbox.press(OLGA, "On it", message=sandbox.current(card))
        await sandbox.wait_for(lambda: "is on it" in sandbox.current(card).shown, WAIT)
        await camera.take(sandbox, "card-on-it", OLGA, "is on it")
        await camera.take(sandbox, "receipt-on-it", PAVEL, "is on it")
        await yes(camera, sandbox, card)


async def yes(camera: Camera, sandbox: Sandbox, card: Seen) -> None:
    """The yes, the runbook with its permit, the end, what is due, the review."""
    await sandbox.press(OLGA, "Approve", message=sandbox.current(card))
    await seen(sandbox, PAVEL, "Before you start")
    await camera.take(sandbox, "approved", OLGA, "Approved")
    await camera.take(sandbox, "revoke-confirm", OLGA, "It cannot be taken back", press="Revoke")
    await camera.take(sandbox, "runbook", PAVEL, "Before you start")
    await camera.take(sandbox, "runbook-end", PAVEL, "Press Finished when")
    await camera.take(sandbox, "receipt-approved", PAVEL, "Asked at")
    await dialog(sandbox, PAVEL, "Permit")
    await camera.take(sandbox, "permit", PAVEL, "used once")
    await sandbox.close(PAVEL, everything=True)
    await dialog(sandbox, PAVEL, "Finished")
    await camera.take(sandbox, "finished-form", PAVEL, "What it is")
    await sandbox.close(PAVEL, everything=True)
    await seen(sandbox, DEV, "Accept")
    await camera.take(sandbox, "ended", PAVEL, "session recording")
    await camera.take(sandbox, "review", DEV, "Was it in order")
    await dialog(sandbox, DEV, "Flag")
    await camera.take(sandbox, "flag-form", DEV, "not in order")
    await camera.take(sandbox, "channel", OLGA, "Emergency admin", at="C0DIRECTORY")
    await sandbox.command(OLGA, "/countersign", f"log {case_of(card)}")
    await seen(sandbox, OLGA, "Proof (types")
    await camera.take(sandbox, "log-case", OLGA, "Proof (types")


def case_of(card: Seen) -> str:
    """The request's id on a card."""
    return f"R-{card.shown.split('R-')[1][:8]}"


async def noes(camera: Camera) -> None:
    """A no, a revocation, and a person without the right to decide."""
    async with running() as office:
        sandbox = office.sandbox
        card = await asked(sandbox, "dc-core-02")
        await sandbox.press(PAVEL, "Approve", message=card)
        await seen(sandbox, PAVEL, "A provider asks")
        await camera.take(sandbox, "refusal", PAVEL, "A provider asks")
        await dialog(sandbox, OLGA, "Deny", card)
        await sent(sandbox, OLGA, {"Reason": "Use the change process for this."})
        await seen(sandbox, PAVEL, "Use the change process")
        await camera.take(sandbox, "denied", PAVEL, "Use the change process")
        await camera.take(sandbox, "denied-card", OLGA, "Use the change process")
        card = await asked(sandbox, "dc-core-03", "Sync stopped again")
        await sandbox.press(OLGA, "Approve", message=card)
        await sandbox.wait_for(lambda: "Revoke" in sandbox.current(card).buttons, WAIT)
        await sandbox.press(OLGA, "Revoke", message=sandbox.current(card))
        await seen(sandbox, PAVEL, "Stop work")
        await camera.take(sandbox, "revoked", PAVEL, "Stop work")
        await camera.take(sandbox, "revoked-card", OLGA, "REVOKED")


async def silence(camera: Camera) -> None:
    """Nobody answers: reminder, deputies, page, expiry; and access whose time runs out. Seconds, not minutes."""
    async with running(60) as office:
        sandbox = office.sandbox
        await asked(sandbox)
        await seen(sandbox, OLGA, "still waits")
        await camera.take(sandbox, "reminder", OLGA, "still waits", thread=True)
        await seen(sandbox, DEV, "Approve")
        await camera.take(sandbox, "deputy-card", DEV, "asks for")
        await sandbox.wait_for(lambda: sandbox.paged, WAIT)
        await camera.take(sandbox, "pages", OLGA, "Answer in Slack by", panel="pages")
        await sandbox.wait_for(lambda: sandbox.find(PAVEL, "Ask again"), 60)
        await camera.take(sandbox, "expired", PAVEL, "Expired")
        await camera.take(sandbox, "expired-card", OLGA, "Expired")
    async with running(120) as office:
        await lapse(camera, office)


async def lapse(camera: Camera, office: Office) -> None:
    """The warning before the end, more time, and the end."""
    sandbox = office.sandbox
    card = await asked(sandbox)
    await sandbox.press(OLGA, "Approve", message=card)
    await seen(sandbox, PAVEL, "Extend")
    await camera.take(sandbox, "ends-soon", PAVEL, "ends at", thread=True)
    await seen(sandbox, PAVEL, "time is over")
    await camera.take(sandbox, "lapsed", PAVEL, "time is over")


REQUESTS: Mapping[str, Scene] = {"forms": forms, "answers": answers, "noes": noes, "silence": silence}
