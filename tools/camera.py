"""A sandbox with a running bot, and a camera: one person's screen as wide as a desk and as a phone, light and dark.

Each picture lies in `.pictures`; the light ones of KEPT go into the documentation. Each page is also judged by axe-core, where
`tools/nodejs` has installed it: `Camera.faults` holds what it calls serious or critical.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from playwright.async_api import Browser, Locator, Page
from playwright.async_api import Error as PlaywrightError
from screenshots import FLAGS, ROOT

import runbooks
from bot.app import serve
from bot.demo.workspace import with_pages, workspace
from bot.settings import Settings
from runbooks.loader import load
from sandbox.driver import Sandbox
from tests.end_to_end.keyring import Keyring

FOLDER = Path(runbooks.__file__).parent
__all__ = ["FLAGS", "Camera", "Office", "running"]
OUT, ALL = ROOT / "docs" / "pictures", ROOT / ".pictures"
AXE = ROOT / "tools" / "node" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
KEPT = {"form", "card", "receipt", "deny", "approved", "runbook", "review", "break-glass-form", "ratification", "home"}
_DEMO_PATIENCE, _PATIENCE = "expires_after: 225m", "expires_after: 45m"
Scene: TypeAlias = Callable[["Camera"], Awaitable[None]]
_HOURS = re.compile(r"^    hours: .*\n", re.MULTILINE)  # a picture is taken at night too
_AGREEMENT = "\nagreement: {every: 365d, window: 30d, unconfirmed: hold}\n"


class Office:
    """A sandbox and the bot beside it; `run` starts a command of the host on the same installation."""

    def __init__(self, sandbox: Sandbox, home: Path, folder: Path, scale: float, keys: Keyring | None) -> None:
        self.sandbox, self.home, self.folder, self.scale, self.keys = sandbox, home, folder, scale, keys

    @property
    def settings(self) -> Settings:
        """What the bot runs with."""
        sandbox = self.sandbox
        return Settings(
            _env_file=None, slack_bot_token=sandbox.bot_token, slack_app_token=sandbox.app_token,
            slack_signing_secret=sandbox.signing_secret, slack_api_url=sandbox.api_url, runbooks_dir=self.folder,
            database_url=f"sqlite:///{self.home}/pictures.db", state_dir=self.home / "state", time_scale=self.scale,
            command_prefix="", log_origin=None, log_format="console", ops_listen="127.0.0.1:0",
            pagerduty_url=sandbox.pagerduty_url, sign_listen=self.keys.listen if self.keys else "127.0.0.1:0",
        )  # fmt: skip

    async def run(self, *words: str) -> asyncio.subprocess.Process:
        """Starts `countersign` with these words, its output piped."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COUNTERSIGN_", "SLACK_"))}
        ours = {
            "COUNTERSIGN_DATABASE_URL": f"sqlite:///{self.home}/pictures.db", "COUNTERSIGN_STATE_DIR": str(self.home / "state"),
            "COUNTERSIGN_RUNBOOKS_DIR": str(self.folder), "COUNTERSIGN_TIME_SCALE": str(self.scale),
        }  # fmt: skip
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words, cwd=ROOT, env={**kept, **self.sandbox.environment, **ours},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def said(self, *words: str) -> str:
        """What a command of the host prints."""
        out, _ = await (await self.run(*words)).communicate()
        return out.decode()


@asynccontextmanager
async def running(
    scale: float = 1, *, reviews: bool = False, agreement: bool = False, keys: Keyring | None = None
) -> AsyncIterator[Office]:  # fmt: skip
    """A sandbox with a bot in it; `reviews`: of rights, `agreement`: of the matrix (not both: the second waits a week for the first);
    `keys`: with the owner's passkey, which a runbook demands."""
    policy = load(FOLDER).policy
    assert policy is not None
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        async with Sandbox(workspace(policy, int(scale))) as sandbox:
            with with_pages(FOLDER, home, policy, sandbox.pager, reviews=reviews) as folder:
                matrix = folder / "responsibility.yaml"
                written = _HOURS.sub("", matrix.read_text("utf-8").replace(_DEMO_PATIENCE, _PATIENCE))
                matrix.write_text(written + (_AGREEMENT if agreement else ""), "utf-8")
                if keys:
                    keys.write(folder)
                office = Office(sandbox, home, folder, scale, keys)
                stop, ready = asyncio.Event(), asyncio.Event()
                bot = asyncio.create_task(serve(office.settings, stop=stop, ready=ready.set))
                try:
                    await asyncio.wait_for(ready.wait(), 30)
                    yield office
                finally:
                    stop.set()
                    await bot


class Camera:
    """Takes one person's screen, or a page from disk, at every width."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.taken: list[str] = []
        self.faults: list[str] = []

    async def take(self, sandbox: Sandbox, name: str, who: str, wanted: str, **how: Any) -> None:
        """`wanted` is a text that must be seen; it is what the picture is of. `how`: as `_screen` takes it."""

        async def shot(page: Page) -> None:
            await self._screen(page, sandbox, who, wanted, **how)

        await self._everywhere(name, shot)

    async def take_file(
        self,
        name: str,
        file: Path | str,
        wanted: str,
        click: str = "",
        before: Callable[[Page], Awaitable[None]] | None = None,
    ) -> None:
        """A page from disk or an address; `click`: what is clicked first; `before`: what is done with the page before it is opened."""

        async def shot(page: Page) -> None:
            if before:
                await before(page)
            await page.goto(file.as_uri() if isinstance(file, Path) else file)
            if click:
                await page.locator(click).first.click()
            await page.get_by_text(wanted).locator("visible=true").first.wait_for()

        await self._everywhere(name, shot)

    async def _screen(
        self, page: Page, sandbox: Sandbox, who: str, wanted: str, *, at: str = "app", home: bool = False, press: str = "",
        panel: str = "", both: str = "", thread: bool = False,
    ) -> None:  # fmt: skip
        """`at`: a channel; `home`: the App Home; `press`: a button that is clicked on screen and asks once more; `panel`: a tool beside
        the panes; `both`: who is in the right pane of a split view; `thread`: the newest thread is opened."""
        split = f"&right={both}&rightAt=app" if both else f"&right={who}&view=single"
        await page.goto(f"{sandbox.page_url}?left={who}&leftAt={at}{split}{f'&panel={panel}' if panel else ''}")
        left: Locator = page.get_by_test_id("pane-left")
        if panel and await page.evaluate(
            "innerWidth < 1200"
        ):  # the address opens a tool only where it fits beside the panes
            await page.get_by_test_id(f"tool-{panel}").click()
        if home:
            await left.get_by_text("Home", exact=True).first.click()
        place: Locator | Page = page if panel or both else left
        if thread:
            await left.get_by_test_id("open-thread").last.click()
        if press:
            await left.get_by_role("button", name=press, exact=True).last.click()
            place = page
        seen = place.get_by_text(wanted).locator("visible=true").last
        await seen.hover()  # waits until it is still, in view
        await page.mouse.move(2, 2)

    async def _everywhere(self, name: str, shot: Any) -> None:
        self.taken.append(name)
        ways = [(width, scheme) for width in WIDTHS for scheme in SCHEMES]
        await asyncio.gather(*(self._one(f"{name}-{width}-{scheme}", width, scheme, shot) for width, scheme in ways))
        if name in KEPT:
            for width in (w for w in WIDTHS if (ALL / f"{name}-{w}-light.png").exists()):
                shutil.copy(ALL / f"{name}-{width}-light.png", OUT / f"{name}-{width}.png")

    async def _one(self, name: str, width: str, scheme: Literal["light", "dark"], shot: Any) -> None:
        wide, high = WIDTHS[width]
        page = await self.browser.new_page(viewport={"width": wide, "height": high}, color_scheme=scheme)
        page.set_default_timeout(30_000)
        try:
            await shot(page)
            await page.screenshot(path=ALL / f"{name}.png")
            self.faults += [f"{name}: {fault}" for fault in await serious(page)]
        except PlaywrightError as error:
            self.faults.append(f"{name} was not taken: {str(error).splitlines()[-1].strip()}")
        finally:
            await page.close()


async def serious(page: Page) -> list[str]:
    """What axe calls serious or critical, with the place; nothing where it is not installed."""
    if not AXE.exists():
        return []
    await page.evaluate(re.sub(r"^\ufeff", "", AXE.read_text("utf-8")))
    found: Any = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']} {node['target']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]
