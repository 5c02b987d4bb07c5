"""Scenes of the rarer requests: break-glass, a reset with its attestation, an exception, a finding, absence, the sealed path."""

from __future__ import annotations

from collections.abc import Mapping

from camera import Camera, Scene, running
from picture_requests import DEV, HELEN, LARS, OLGA, PAVEL, RUTH, SAMIRA, WAIT, asked, dialog, form, seen, sent

from sandbox.driver import Sandbox

AUDITOR = "U0AUDIT"
GLASS = {
    "Target": "clinical-sso-prod",
    "Incident reference": "INC30001",
    "Site": "All sites",
    "Staff who cannot sign in": "900",
}
RESET = {"Target": "nina.vale", "Whose credential": "U0ONC3", "What was lost": "Phone lost or stolen", "Service ticket": "REQ40001",
         "Address that is told of the reset": "manager@example.org"}  # fmt: skip
EXCEPTION = {"Target": "pump-gateway", "What is allowed": "LDAP simple bind over TLS", "Number of devices": "12",
             "What limits the risk": "Own segment, one account, alerts", "Date the device is replaced or upgraded": "2027-03-01",
             "Supplier's contact": "support@example.org", "Residual risk": "Passwords could be read in the segment"}  # fmt: skip


async def glass(camera: Camera) -> None:
    """Break-glass: what the requester gets, the ratification, the Homes of owner and requester."""
    async with running() as office:
        sandbox = office.sandbox
        await form(sandbox, PAVEL, "/breakglass", "clinical-signin-outage Wards cannot sign in")
        await sandbox.submit(PAVEL, GLASS)
        await sandbox.wait_for(lambda: (m := sandbox.modal(PAVEL)) and "Paged now" in m.shown, WAIT)
        await camera.take(sandbox, "break-glass-filed", PAVEL, "Paged now")
        await sandbox.close(PAVEL, everything=True)
        await seen(sandbox, PAVEL, "Finished")
        await camera.take(sandbox, "break-glass-open", PAVEL, "Must be ratified")
        await seen(sandbox, SAMIRA, "Ratify")
        await camera.take(sandbox, "ratification", SAMIRA, "Ratify")
        await camera.take(sandbox, "pages-break-glass", SAMIRA, "clinical", panel="pages")
        await sandbox.open_home(SAMIRA)
        await sandbox.wait_for(lambda: (h := sandbox.home(SAMIRA)) is not None and "Ratify" in h.buttons, WAIT)
        await camera.take(sandbox, "home", SAMIRA, "Waiting for you", home=True)
        await dialog(sandbox, SAMIRA, "Reject")
        await camera.take(sandbox, "reject-form", SAMIRA, "The review shows your reason")
        await sandbox.close(SAMIRA, everything=True)
        await sandbox.press(SAMIRA, "Ratify")
        await sandbox.wait_for(lambda: sandbox.find(SAMIRA, "Ratified"), WAIT)
        await camera.take(sandbox, "ratified", SAMIRA, "Ratified")


async def resets(camera: Camera) -> None:
    """A reset: no yes before the attestations, the form of one, the card with the wait."""
    async with running() as office:
        sandbox = office.sandbox
        await form(sandbox, PAVEL, "/reset", "clinician-mfa-reset Phone lost on the way to the night shift")
        await sent(sandbox, PAVEL, RESET)
        await seen(sandbox, SAMIRA, "Not verified yet")
        await camera.take(sandbox, "reset-card", SAMIRA, "Not verified yet")
        await camera.take(sandbox, "reset-receipt", PAVEL, "Pending.")
        for number in (1, 2):
            await dialog(sandbox, PAVEL, "Attest")
            if number == 1:
                await camera.take(sandbox, "attest-form", PAVEL, "How the person was verified")
            await sent(sandbox, PAVEL, {"Reference": f"Call 471{number} to ward manager R. Ellis"})
            await sandbox.wait_for(lambda n=number: _attested(sandbox) >= n, WAIT)
        card = await sandbox.wait_for(
            lambda: (c := sandbox.find(SAMIRA, "nina.vale")) and "Approve" in c.buttons and c, WAIT
        )
        await camera.take(sandbox, "reset-card-verified", SAMIRA, "asks for")
        await sandbox.press(SAMIRA, "Approve", message=card)
        await seen(sandbox, PAVEL, "opens at")
        await camera.take(sandbox, "reset-waits", PAVEL, "opens at")


def _attested(sandbox: Sandbox) -> int:
    """How many checks the owner's card shows as verified."""
    return max((m.shown.count("Call 471") for m in sandbox.messages(SAMIRA)), default=0)


async def exceptions(camera: Camera) -> None:
    """An exception that two must approve, with the register, the queue and the Homes of lead, auditor and risk owner."""
    async with running() as office:
        sandbox = office.sandbox
        await form(sandbox, PAVEL, "/exception", "legacy-auth-exception The pumps of ward 7 speak LDAP only")
        await sent(sandbox, PAVEL, EXCEPTION)
        card = await seen(sandbox, SAMIRA, "Approve")
        await camera.take(sandbox, "exception-card", SAMIRA, "What is allowed")
        await sandbox.press(SAMIRA, "Approve", message=card)
        await sandbox.wait_for(lambda: "1 of 2" in sandbox.current(card).shown, WAIT)
        await camera.take(sandbox, "exception-card-half", SAMIRA, "1 of 2")
        await sandbox.press(HELEN, "Approve")
        await seen(sandbox, PAVEL, "The exception holds")
        await camera.take(sandbox, "exception-open", PAVEL, "The exception holds")
        await asked(sandbox)
        await asked(sandbox, "dc-core-02", "A second controller stopped")
        await homes(camera, sandbox)
        for name, who, words, text in PAGES_SHOWN:
            await sandbox.command(who, "/countersign", words)
            await seen(sandbox, who, text)
            await camera.take(sandbox, name, who, text)


PAGES_SHOWN = (
    ("waiting", OLGA, "", "What waits for you"),
    ("waiting-nothing", DEV, "", "all caught up"),
    ("queue", OLGA, "queue", "Open requests"),
    ("mine", PAVEL, "mine", "What you asked for"),
    ("due", OLGA, "review", "Nothing is due"),
    ("log", OLGA, "log", "Newest requests"),
    ("matrix", OLGA, "matrix", "who answers for what"),
    ("exceptions", AUDITOR, "exceptions", "olicy exceptions"),
    ("report-provider", LARS, "report provider", "Made from the decision log"),
    ("report-owner", OLGA, "report owner", "Made from the decision log"),
    ("whoami", OLGA, "whoami", "responsibility matrix"),
    ("help", OLGA, "help", "shows what waits for you"),
)


async def homes(camera: Camera, sandbox: Sandbox) -> None:
    """The Home of each role."""
    for role, who, text in HOMES:
        await sandbox.open_home(who)
        await sandbox.wait_for(lambda w=who, t=text: (h := sandbox.home(w)) is not None and t in h.shown, WAIT)
        await camera.take(sandbox, f"home-{role}", who, text, home=True)


HOMES = (
    ("owner-two-waiting", OLGA, "Waiting for you"),
    ("requester", PAVEL, "What you asked for"),
    ("lead", LARS, "Open requests of your provider"),
    ("deputy", DEV, "As of"),
    ("risk-owner", RUTH, "As of"),
    ("auditor", AUDITOR, "Exceptions register"),
)


async def findings(camera: Camera) -> None:
    """A finding: the card, the receipt, Acknowledge, Close."""
    async with running() as office:
        sandbox = office.sandbox
        await form(sandbox, PAVEL, "/countersign", "finding identity-finding A token stands in a build log")
        await sent(sandbox, PAVEL, {"Where": "repo billing, run 77", "What is it": "Exposed credential"})
        card = await seen(sandbox, OLGA, "Acknowledge")
        await camera.take(sandbox, "finding", OLGA, "reports this")
        await seen(sandbox, PAVEL, "Correct time")
        await camera.take(sandbox, "finding-receipt", PAVEL, "Filed at")
        await sandbox.press(OLGA, "Acknowledge", message=card)
        await sandbox.wait_for(lambda: "Close" in sandbox.current(card).buttons, WAIT)
        await camera.take(sandbox, "finding-acknowledged", OLGA, "Acknowledged")
        await dialog(sandbox, OLGA, "Close", sandbox.current(card))
        await camera.take(sandbox, "finding-close-form", OLGA, "What was done")
        await sent(sandbox, OLGA, {"What was done": "The token was rotated"})
        await sandbox.wait_for(lambda: "Closed" in sandbox.current(card).shown, WAIT)
        await camera.take(sandbox, "finding-closed", OLGA, "Closed")


async def absence(camera: Camera) -> None:
    """Away, back, the sealed path, the button in a channel, a right that needs no yes."""
    async with running() as office:
        sandbox = office.sandbox
        await form(sandbox, OLGA, "/countersign", "away")
        await camera.take(sandbox, "away-form", OLGA, "Back on")
        await sandbox.close(OLGA, everything=True)
        await sandbox.command(OLGA, "/countersign", "away 2d")
        await seen(sandbox, OLGA, "You are away until")
        await camera.take(sandbox, "away", OLGA, "You are away until")
        await form(sandbox, PAVEL, "/breakglass", "directory-admin-emergency Sync stopped at 02:40")
        await sent(sandbox, PAVEL, {"Target": "dc-core-01", "Incident ticket": "INC20417"})
        await seen(sandbox, DEV, "on behalf of")
        await camera.take(sandbox, "card-on-behalf", DEV, "on behalf of")
        await sandbox.press(DEV, "Approve")
        await seen(sandbox, PAVEL, "Finished")
        await sandbox.command(OLGA, "/countersign", "away off")
        await seen(sandbox, OLGA, "You are back")
        await camera.take(sandbox, "welcome-back", OLGA, "You are back")
        await form(sandbox, OLGA, "/countersign", "sealed-use")
        await camera.take(sandbox, "sealed-form", OLGA, "Who used it")
        await sandbox.close(OLGA, everything=True)
        await sandbox.join(DEV, "C0NORTHGATE")
        await sandbox.command(DEV, "/countersign", "post", channel="C0NORTHGATE")
        await sandbox.wait_for(
            lambda: [m for m in sandbox.messages("C0NORTHGATE") if "Ask for approval" in m.buttons], WAIT
        )
        await camera.take(sandbox, "channel-button", DEV, "Ask the owners", at="C0NORTHGATE")


AFTER: Mapping[str, Scene] = {
    "glass": glass,
    "resets": resets,
    "exceptions": exceptions,
    "findings": findings,
    "absence": absence,
}
