"""Real screenshots of every surface: the sandbox with a running bot, in Chromium, as wide as a desk and as a phone, light and dark.

All of them lie in `.pictures`, to be looked at; a few go into the documentation (`camera.KEPT`). Words on the command line take
only those scenes: `.venv/bin/python tools/pictures.py findings pages`. Exits 1 where a scene failed, or axe-core found something
serious.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Mapping

from camera import ALL, FLAGS, OUT, Camera, Scene
from picture_after import AFTER
from picture_governance import GOVERNANCE
from picture_pages import PAGES
from picture_requests import REQUESTS
from picture_seldom import SELDOM
from picture_signing import SIGNING
from playwright.async_api import async_playwright
from screenshots import chromium

SCENES: Mapping[str, Scene] = {**REQUESTS, **AFTER, **GOVERNANCE, **SELDOM, **PAGES, **SIGNING}


async def main(wanted: list[str]) -> int:
    """Plays the scenes, each in a sandbox of its own, and takes their pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    ALL.mkdir(exist_ok=True)
    failed = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        camera = Camera(browser)
        for name, scene in SCENES.items():
            if wanted and name not in wanted:
                continue
            try:
                await scene(camera)
            except Exception:  # noqa: BLE001 - the other scenes are played all the same
                failed.append(f"{name}: {traceback.format_exc(limit=-3)}")
        await browser.close()
    print(f"{len(camera.taken)} surfaces, {4 * len(camera.taken)} pictures in {ALL.name}: {', '.join(camera.taken)}")
    print(*camera.faults, *failed, sep="\n")
    return 1 if camera.faults or failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
