"""Scenes of what runs between the requests: a review of rights, the matrix as an agreement, a drill, an operator's act."""

from __future__ import annotations

from collections.abc import Mapping

from camera import Camera, Scene, running
from picture_requests import DEV, LARS, OLGA, WAIT, dialog, seen


async def campaigns(camera: Camera) -> None:
    """A review of rights that is due at the first load, and the matrix as an agreement."""
    async with running(agreement=True) as office:
        sandbox = office.sandbox
        await seen(sandbox, OLGA, "Your part of the responsibility matrix")
        await camera.take(sandbox, "agreement", OLGA, "Your part of the responsibility matrix")
        await camera.take(sandbox, "agreement-lead", LARS, "Your part of the responsibility matrix")
    async with running(720, reviews=True) as office:
        sandbox = office.sandbox
        card = await sandbox.wait_for(lambda: sandbox.find(OLGA, "to answer"), 60)
        await camera.take(sandbox, "campaign", OLGA, "to answer")
        card = sandbox.current(card) or card
        await dialog(sandbox, OLGA, next(name for name in card.buttons if name.startswith("Review ")), card)
        await camera.take(sandbox, "campaign-form", OLGA, "Does it stay?")
        await sandbox.close(OLGA, everything=True)
        await sandbox.open_home(OLGA)
        await sandbox.wait_for(lambda: (h := sandbox.home(OLGA)) is not None and "As of" in h.shown, WAIT)
        await camera.take(sandbox, "home-owner-reviews", OLGA, "As of", home=True)


async def roster(camera: Camera) -> None:
    """Before the owner reviews who may ask, the lead says who is still theirs: the message and the Home."""
    async with running(720, reviews=True) as office:
        sandbox = office.sandbox
        await seen(sandbox, LARS, "to confirm")
        await camera.take(sandbox, "roster", LARS, "to confirm")
        await sandbox.open_home(LARS)
        await sandbox.wait_for(lambda: (h := sandbox.home(LARS)) is not None and "As of" in h.shown, WAIT)
        await camera.take(sandbox, "home-lead-roster", LARS, "As of", home=True)


async def narrowed(camera: Camera) -> None:
    """Nobody answers a review: what owner, lead and channel hear when its rights narrow."""
    async with running(2880, reviews=True) as office:
        await office.sandbox.wait_for(lambda: office.sandbox.find(OLGA, "to answer"), 60)
        await office.sandbox.wait_for(lambda: office.sandbox.find(OLGA, "narrowed now"), 120)
        await camera.take(office.sandbox, "campaign-narrowed", OLGA, "narrowed now")
        await camera.take(office.sandbox, "campaign-narrowed-lead", LARS, "narrowed")
        await camera.take(office.sandbox, "campaign-narrowed-channel", OLGA, "narrowed", at="C0DIRECTORY")


async def drills(camera: Camera) -> None:
    """A drill: its card, an answer, the report to the owner and the channel, and in the terminal."""
    async with running(10) as office:
        sandbox = office.sandbox
        process = await office.run("drill", "directory-admin-emergency", "--fast")
        for who in (OLGA, DEV):
            card = await seen(sandbox, who, "I am here")
            if who == OLGA:
                await camera.take(sandbox, "drill", OLGA, "rehearsal")
            await sandbox.press(who, "I am here", message=card)
        await process.communicate()
        await seen(sandbox, OLGA, "did not answer")
        await camera.take(sandbox, "drill-ended", OLGA, "did not answer")
        await camera.take(sandbox, "drill-channel", OLGA, "people were reached", at="C0DIRECTORY")


GOVERNANCE: Mapping[str, Scene] = {"campaigns": campaigns, "roster": roster, "narrowed": narrowed, "drills": drills}
