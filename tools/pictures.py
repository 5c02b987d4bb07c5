"""Real screenshots of every surface: the sandbox with a running bot, in Chromium, as wide as a desk and as a phone, light and dark.

The light ones of KEPT go into the documentation; all of them lie in `.pictures`, to be looked at.
"""

import asyncio
import shutil
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, async_playwright
from screenshots import FLAGS, ROOT, chromium

import runbooks
from bot.app import serve
from bot.demo.workspace import APPROVER, ASKER, workspace
from bot.settings import Settings
from runbooks.loader import load
from sandbox.driver import Sandbox

FOLDER = Path(runbooks.__file__).parent
OUT, ALL = ROOT / "docs" / "pictures", ROOT / ".pictures"
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
KEPT = {"form", "card", "receipt", "deny", "approved", "runbook", "review", "break-glass-form", "ratification", "home"}
OWNER, REVIEWER = APPROVER, "U0DEP1"


@asynccontextmanager
async def running():
    """A sandbox with a bot in it, at the true pace."""
    policy = load(FOLDER).policy
    with tempfile.TemporaryDirectory() as home:
        async with Sandbox(workspace(policy, 1)) as sandbox:
            settings = Settings(
                _env_file=None, slack_bot_token=sandbox.bot_token, slack_app_token=sandbox.app_token,
                slack_signing_secret=sandbox.signing_secret, slack_api_url=sandbox.api_url, runbooks_dir=FOLDER,
                database_url=f"sqlite:///{home}/pictures.db", state_dir=Path(home) / "state", time_scale=1,
                command_prefix="", log_origin=None, log_format="console", ops_listen="127.0.0.1:0",
            )  # fmt: skip
            stop, ready = asyncio.Event(), asyncio.Event()
            bot = asyncio.create_task(serve(settings, stop=stop, ready=ready.set))
            try:
                await asyncio.wait_for(ready.wait(), 30)
                yield sandbox
            finally:
                stop.set()
                await bot


class Camera:
    """Takes one person's screen at every width."""

    def __init__(self, sandbox: Sandbox, browser: Browser) -> None:
        self.sandbox, self.browser = sandbox, browser

    async def take(self, name: str, who: str, wanted: str, *, home: bool = False) -> None:
        """`wanted` is a text that must be seen; it is what the picture is of."""
        for width, scheme in ((width, scheme) for width in WIDTHS for scheme in SCHEMES):
            size = WIDTHS[width]
            page = await self.browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
            await page.goto(f"{self.sandbox.page_url}?left={who}&right={who}&leftAt=app&view=single")
            left = page.get_by_test_id("pane-left")
            if home:
                await left.get_by_text("Home", exact=True).first.click()
            seen = left.get_by_text(wanted).locator("visible=true").last
            await seen.hover()  # waits until it is still, in view
            await page.mouse.move(2, 2)
            await page.screenshot(path=ALL / f"{name}-{width}-{scheme}.png")
            if name in KEPT and scheme == "light":
                shutil.copy(ALL / f"{name}-{width}-{scheme}.png", OUT / f"{name}-{width}.png")
            await page.close()


async def main() -> None:
    """Plays the flows and takes their pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    ALL.mkdir(exist_ok=True)
    path = chromium()
    async with running() as sandbox, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        camera = Camera(sandbox, browser)
        await asked_and_approved(sandbox, camera)
        await broken_glass(sandbox, camera)
        await other_surfaces(sandbox, camera)
        await browser.close()


async def seen(sandbox: Sandbox, who: str, text: str) -> None:
    await sandbox.wait_for(lambda: sandbox.find(who, text), 20)


async def form(sandbox: Sandbox, command: str, text: str) -> None:
    await sandbox.command(ASKER, command, text)
    await sandbox.wait_for(lambda: sandbox.modal(ASKER), 20)


async def asked_and_approved(sandbox: Sandbox, camera: Camera) -> None:
    """The form, the card, the receipt, a no's form, the yes, what is owed, the review, the Home."""
    await form(sandbox, "/breakglass", "directory-admin-emergency Sync stopped at 02:40, nobody can sign in")
    await camera.take("form", ASKER, "Access opens only after")
    await sandbox.submit(ASKER, {"Target": "dc-core-01", "Incident ticket": "INC20417"})
    await seen(sandbox, OWNER, "Approve")
    await sandbox.close(ASKER, everything=True)
    await camera.take("card", OWNER, "asks for")
    await camera.take("receipt", ASKER, "Pending.")
    await sandbox.press(OWNER, "Deny")
    await sandbox.wait_for(lambda: sandbox.modal(OWNER), 20)
    await camera.take("deny", OWNER, "A no is final")
    await sandbox.close(OWNER, everything=True)
    await sandbox.press(OWNER, "Approve")
    await seen(sandbox, ASKER, "Before you start")
    await camera.take("approved", OWNER, "Approved")
    await camera.take("runbook", ASKER, "Before you start")
    await sandbox.press(ASKER, "Permit")
    await sandbox.wait_for(lambda: sandbox.modal(ASKER), 20)
    await camera.take("permit", ASKER, "used once")
    await sandbox.close(ASKER, everything=True)
    await sandbox.press(ASKER, "Finished")
    await seen(sandbox, REVIEWER, "Accept")
    await sandbox.close(ASKER, everything=True)
    await camera.take("review", REVIEWER, "Was it in order")


async def broken_glass(sandbox: Sandbox, camera: Camera) -> None:
    """A break-glass: its form, the card that asks for the ratification, and the owner's Home."""
    await form(sandbox, "/breakglass", "clinical-signin-outage Wards cannot sign in")
    await camera.take("break-glass-form", ASKER, "Opens now")
    sent = await sandbox.submit(ASKER, GLASS)
    assert sent.ok, sent.errors
    owner = await ratifier(sandbox)
    await camera.take("ratification", owner, "Ratify")
    await sandbox.open_home(owner)
    await sandbox.wait_for(lambda: (h := sandbox.home(owner)) is not None and "Ratify" in h.buttons, 20)
    await camera.take("home", owner, "Waiting for you", home=True)


async def other_surfaces(sandbox: Sandbox, camera: Camera) -> None:
    """A no and its receipt, access that was revoked, a finding, the Homes of requester, lead and auditor, the pages of commands."""
    await sandbox.close(ASKER, everything=True)
    for number, word in ((1, "Deny"), (2, "Approve")):
        await form(sandbox, "/breakglass", f"directory-admin-emergency Sync stopped again, the {number}. time")
        await sandbox.submit(ASKER, {"Target": f"dc-core-0{number + 1}", "Incident ticket": f"INC2041{number}"})
        await sandbox.close(ASKER, everything=True)
        card = await sandbox.wait_for(
            lambda n=number: (c := sandbox.find(OWNER, f"dc-core-0{n + 1}")) and c.buttons and c, 20
        )
        await sandbox.press(OWNER, word, message=card)
        if word == "Deny":
            await sandbox.wait_for(lambda: sandbox.modal(OWNER), 20)
            await sandbox.submit(OWNER, {"Reason": "Use the change process for this."})
            await seen(sandbox, ASKER, "Use the change process")
            await camera.take("denied", ASKER, "Use the change process")
        else:
            await sandbox.wait_for(lambda c=card: "Revoke" in sandbox.current(c).buttons, 20)
            await sandbox.press(OWNER, "Revoke", message=sandbox.current(card))
            await seen(sandbox, ASKER, "Stop work")
            await camera.take("revoked", ASKER, "Stop work")
    for name, who, text in (
        ("home-requester", ASKER, "What you asked for"),
        ("home-auditor", "U0AUDIT", "Exceptions register"),
    ):
        await sandbox.open_home(who)
        await sandbox.wait_for(lambda w=who, t=text: (h := sandbox.home(w)) is not None and t in h.shown, 20)
        await camera.take(name, who, text, home=True)
    for name, words, text in PAGES_SHOWN:
        await sandbox.command(OWNER, "/countersign", words)
        await seen(sandbox, OWNER, text)
        await camera.take(name, OWNER, text)
    await form(sandbox, "/countersign", "finding An exposed token")
    await camera.take("finding-form", ASKER, "Noticed at")


PAGES_SHOWN = (
    ("help", "help", "shows what waits for you"),
    ("queue", "queue", "No open requests"),
    ("log", "log", "Newest requests"),
    ("matrix", "matrix", "who answers for what"),
    ("exceptions", "exceptions", "olicy exceptions"),
)


async def ratifier(sandbox: Sandbox) -> str:
    """Whoever got the card."""
    people = [u.id for u in sandbox.world.workspace.users if not u.is_bot]

    def found() -> str:
        return next((p for p in people if (m := sandbox.find(p, "Ratify")) and "Ratify" in m.buttons), "")

    return await sandbox.wait_for(found, 20)


GLASS = {
    "Target": "clinical-sso-prod",
    "Incident reference": "INC30001",
    "Site": "All sites",
    "Staff who cannot sign in": "900",
}

if __name__ == "__main__":
    asyncio.run(main())
