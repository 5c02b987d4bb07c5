"""Scenes of what is seldom seen: more time, a renewal, a standing right, an operator's act, a suspension, a changed policy, a dispute."""

from __future__ import annotations

from collections.abc import Mapping

from camera import Camera, Office, Scene, running
from picture_after import AUDITOR, EXCEPTION
from picture_requests import HELEN, LARS, OLGA, PAVEL, RUTH, SAMIRA, WAIT, asked, dialog, form, seen, sent

from sandbox.driver import Sandbox, Seen


async def offered(sandbox: Sandbox, button: str) -> Seen:
    """The newest message of the requester's that has this button, within three minutes."""
    return await sandbox.wait_for(
        lambda: next((m for m in reversed(sandbox.messages(PAVEL)) if button in m.buttons), None), 180
    )


async def more_time(camera: Camera) -> None:
    """An hour lasts two minutes: the warning, its form, the card with more time, and what the requester reads of it."""
    async with running(30) as office:
        sandbox = office.sandbox
        await sandbox.press(OLGA, "Approve", message=await asked(sandbox))
        warning = await offered(sandbox, "Extend")
        await dialog(sandbox, PAVEL, "Extend", warning)
        await camera.take(sandbox, "extend-form", PAVEL, "asked again")
        await sent(sandbox, PAVEL, {})
        card = await seen(sandbox, OLGA, "More time")
        await sandbox.press(OLGA, "Approve", message=card)
        await seen(sandbox, PAVEL, "more time is approved")
        await camera.take(sandbox, "extend-card", OLGA, "More time")
        await camera.take(sandbox, "extended", PAVEL, "more time is approved", thread=True)


async def renewals(camera: Camera) -> None:
    """A day lasts two seconds: the reminder of an exception's end, its form, the card of the renewal."""
    async with running(43_200) as office:
        sandbox = office.sandbox
        await form(sandbox, PAVEL, "/exception", "legacy-auth-exception The pumps of ward 7 speak LDAP only")
        await sent(sandbox, PAVEL, EXCEPTION)
        for who in (SAMIRA, HELEN):
            await sandbox.press(who, "Approve", message=await seen(sandbox, who, "Approve"))
        await dialog(sandbox, PAVEL, "Renew", await offered(sandbox, "Renew"))
        await camera.take(sandbox, "renew-form", PAVEL, "Ends on")
        await sandbox.close(PAVEL, everything=True)
        await camera.take(sandbox, "exception-ends", PAVEL, "Renewals left", thread=True)


async def standing(camera: Camera) -> None:
    """A right that needs no yes: what the requester and the owner read."""
    async with running() as office:
        sandbox = office.sandbox
        await form(sandbox, PAVEL, "/reset", "account-unlock Locked out")
        await sent(sandbox, PAVEL, {"Target": "nina.vale", "Service ticket": "REQ40001"})
        await seen(sandbox, PAVEL, "standing right")
        await camera.take(sandbox, "standing-right", PAVEL, "standing right")
        await form(sandbox, PAVEL, "/breakglass", "identity-containment An account sends spam")
        await camera.take(sandbox, "immediate-form", PAVEL, "at once")
        await sandbox.close(PAVEL, everything=True)


async def operators(camera: Camera) -> None:
    """An act of the host's operator that two people confirm."""
    async with running() as office:
        sandbox = office.sandbox
        await asked(sandbox)
        placed = await office.said("log", "hold", "place", "T0HOME/U0ONC3", "--reason", "Court order 7")
        await office.said("log", "hold", "release", placed.split()[0], "--reason", "The court is done")
        for who in (AUDITOR, RUTH):
            card = await seen(sandbox, who, "Confirm")
            await camera.take(sandbox, f"operator-act-{who.lower()}", who, "Somebody on the host")
            await sandbox.press(who, "Confirm", message=card)
        await seen(sandbox, AUDITOR, "is released")
        await camera.take(sandbox, "operator-done", AUDITOR, "is released")


async def suspensions(camera: Camera) -> None:
    """A provider is suspended while access of theirs is open and a request is pending."""
    async with running() as office:
        sandbox = office.sandbox
        card = await asked(sandbox)
        await sandbox.press(OLGA, "Approve", message=card)
        await seen(sandbox, PAVEL, "Before you start")
        await asked(sandbox, "dc-core-02", "A second controller stopped")
        await office.said("provider", "suspend", "northgate", "--reason", "Their laptop was stolen")
        await seen(sandbox, PAVEL, "Ended early")
        await seen(sandbox, PAVEL, "before its time")
        await seen(sandbox, OLGA, "Lift suspension")
        await camera.take(sandbox, "suspended-requester", PAVEL, "before its time")
        await camera.take(sandbox, "suspended-owner", OLGA, "was suspended in")
        await camera.take(sandbox, "suspended-lead", LARS, "is suspended in")
        await camera.take(sandbox, "suspended-channel", OLGA, "ended", at="C0DIRECTORY")
        await sandbox.open_home(OLGA)
        await sandbox.wait_for(lambda: (h := sandbox.home(OLGA)) is not None and "Lift suspension" in h.buttons, WAIT)
        await camera.take(sandbox, "home-owner-suspension", OLGA, "Lift suspension", home=True)
        await sandbox.open_home(PAVEL)
        await sandbox.wait_for(lambda: (h := sandbox.home(PAVEL)) is not None and "Due from you" in h.shown, WAIT)
        await camera.take(sandbox, "home-requester-owing", PAVEL, "Due from you", home=True)


async def changed_policy(camera: Camera) -> None:
    """Somebody makes Dev's colleague a deputy: what owner and channel hear."""
    async with running() as office:
        matrix = office.folder / "responsibility.yaml"
        text = matrix.read_text("utf-8")
        matrix.write_text(text.replace("deputies: [dev, maeve]", "deputies: [dev, maeve, grace]"), "utf-8")
        assert matrix.read_text("utf-8") != text
        await seen(office.sandbox, OLGA, "has changed")
        await camera.take(office.sandbox, "policy-changed", OLGA, "has changed")


async def disputes(camera: Camera) -> None:
    """The matrix as an agreement: a row is disputed, then the rest confirmed."""
    async with running(agreement=True) as office:
        sandbox = office.sandbox
        card = await seen(sandbox, OLGA, "Your part of the responsibility matrix")
        await camera.take(sandbox, "home-agreement", OLGA, "Your part", home=True)
        confirm = next(name for name in card.buttons if name.startswith("Confirm all"))
        await _disputed(camera, office, card)
        await sandbox.press(OLGA, confirm, message=sandbox.current(card))
        await sandbox.wait_for(lambda: "Nothing is due" in sandbox.current(card).shown, WAIT)
        await camera.take(sandbox, "agreement-confirmed", OLGA, "Nothing is due")


async def _disputed(camera: Camera, office: Office, card: Seen) -> None:
    if "Dispute" not in card.buttons:  # a first load has changed no row
        return
    await dialog(office.sandbox, OLGA, "Dispute", card)
    await camera.take(office.sandbox, "dispute-form", OLGA, "nothing opens under it")
    await office.sandbox.close(OLGA, everything=True)


SELDOM: Mapping[str, Scene] = {
    "more_time": more_time, "renewals": renewals, "standing": standing, "operators": operators, "suspensions": suspensions,
    "changed_policy": changed_policy, "disputes": disputes,
}  # fmt: skip
