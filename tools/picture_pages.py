"""Scenes outside Slack's frame: the auditor's page, reports, the matrix as a page, the demo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from camera import Camera, Office, Scene, running
from picture_requests import OLGA, PAVEL, asked, case_of, dialog, seen, sent
from playwright.async_api import Page

from bot.clock import SystemClock


async def pages(camera: Camera) -> None:
    """What an auditor and a manager open from disk, after a request that was approved and one that was denied."""
    async with running() as office:
        sandbox = office.sandbox
        card = await asked(sandbox)
        await camera.take(sandbox, "demo", PAVEL, "What happens next", both=OLGA)
        await camera.take(sandbox, "demo-what-to-try", PAVEL, "has one message", both=OLGA, panel="script")
        await camera.take(sandbox, "demo-faults", PAVEL, "asleep", both=OLGA, panel="faults")
        await sandbox.press(OLGA, "Approve", message=card)
        await seen(sandbox, PAVEL, "Before you start")
        denied = await asked(sandbox, "dc-core-02", "Sync stopped again")
        await dialog(sandbox, OLGA, "Deny", denied)
        await sent(sandbox, OLGA, {"Reason": "Use the change process for this."})
        await seen(sandbox, PAVEL, "Use the change process")
        await written(office, case_of(card))
        await opened(camera, office.home)


async def written(office: Office, case: str) -> None:
    """Writes every page into the office's folder."""
    place, month = office.home, f"{SystemClock().now():%Y-%m}"
    for words in (
        ("log", "export", "--out", f"{place}/whole"),
        ("log", "export", "--out", f"{place}/case", "--case", case),
        ("report", "evidence", "--out", f"{place}/pack", "--from", "2020-01-01", "--to", "2099-12-31"),
        ("report", "provider", "northgate", "--month", month, "--html", f"{place}/provider.html"),
        ("report", "owner", "olga", "--month", month, "--html", f"{place}/owner.html"),
        ("report", "reviews", "--html", f"{place}/reviews.html"),
        ("report", "exceptions", "--html", f"{place}/exceptions.html"),
        ("report", "exit", "northgate", "--html", f"{place}/exit.html"),
        ("matrix", "--format", "html", "--out", f"{place}/matrix.html"),
    ):
        await office.said(*words)


async def opened(camera: Camera, place: Path) -> None:
    """Opens each from disk."""
    await camera.take_file("auditor", place / "whole" / "index.html", "its key is unchecked")
    await camera.take_file("auditor-case", place / "whole" / "index.html", "Print this request", click="details summary")
    await camera.take_file(
        "auditor-one-request", place / "case" / "index.html", "Print this request", click="details summary"
    )
    await camera.take_file("evidence-pack", place / "pack" / "index.html", "evidence")
    for name in ("provider", "owner", "reviews", "exceptions"):
        await camera.take_file(f"page-{name}", place / f"{name}.html", "Made from the decision log")
    await camera.take_file("page-exit", place / "exit.html", "Exit record")
    await camera.take_file("matrix-page", place / "matrix.html", "Residual risk")
    await camera.take_file("matrix-print", place / "matrix.html", "Residual risk", before=on_paper)


async def on_paper(page: Page) -> None:
    """The page as it is printed."""
    await page.emulate_media(media="print")


PAGES: Mapping[str, Scene] = {"pages": pages}
