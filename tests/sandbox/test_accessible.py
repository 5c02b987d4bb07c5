"""axe-core, which nobody here wrote, finds no serious fault in the page: light, dark, and as narrow as a phone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, expect
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.driver import Sandbox

AXE = Path(__file__).parents[2] / "tools" / "node" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {"desk": (1400, 850), "phone": (390, 844)}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Literal["light", "dark"]:
    chosen: Literal["light", "dark"] = request.param
    return chosen


@pytest.fixture(params=list(WIDTHS))
async def page(
    request: pytest.FixtureRequest, browser: Browser, sandbox: Sandbox, scheme: Literal["light", "dark"]
) -> AsyncIterator[Page]:
    width, height = WIDTHS[request.param]
    page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(10_000)
    await page.goto(f"{sandbox.page_url}?left=U0DEP1&right=U0OWNER&leftAt=C0GENERAL&rightAt=app")
    yield page
    await page.close()


async def serious(page: Page) -> list[str]:
    """What axe calls serious or critical, with the place."""
    await page.evaluate(AXE.read_text())
    found: Any = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]} {v['nodes'][0]['failureSummary'][:300]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]


async def test_messages_have_no_serious_fault(
    sandbox: Sandbox, bolt: AsyncApp, page: Page, client: AsyncWebClient, draw: Any
) -> None:
    await sandbox.say("U0DEP1", "hello <@U0OWNER>", "C0GENERAL")
    await client.chat_postMessage(channel="U0OWNER", text="a card", blocks=draw("disk *full* `code`", "Approve", "Deny"))
    await expect(page.get_by_text("hello").first).to_be_attached()
    assert await serious(page) == []


async def test_an_open_form_has_no_serious_fault(sandbox: Sandbox, bolt: AsyncApp, page: Page) -> None:
    await sandbox.command("U0DEP1", "/ask")
    await sandbox.wait_for(lambda: sandbox.modal("U0DEP1"))
    await expect(page.get_by_role("dialog", name="Ask").first).to_be_attached()
    assert await serious(page) == []


async def test_the_home_has_no_serious_fault(
    sandbox: Sandbox, bolt: AsyncApp, page: Page, client: AsyncWebClient, draw: Any
) -> None:
    view = {
        "type": "home",
        "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Waiting"}}, *draw("x", "Go")],
    }
    await client.views_publish(user_id="U0OWNER", view=view)
    right = page.get_by_test_id("pane-right")
    tab = right.get_by_role("tab", name="Home").or_(right.get_by_role("button", name="Home"))
    if await tab.first.is_visible():
        await tab.first.click()
        await expect(right.get_by_test_id("home-view")).to_be_visible()
    assert await serious(page) == []
