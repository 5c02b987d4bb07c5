"""The page in a real Chromium: one person plays two, nothing that anybody typed becomes markup, and axe-core, which nobody
here wrote, finds no serious fault in it: light, dark, and as narrow as a phone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, expect
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.driver import Sandbox
from sandbox.workspace import ScriptStep

AXE = Path(__file__).parents[2] / "tools" / "node" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {"desk": (1400, 850), "phone": (390, 844)}


@pytest.fixture
async def page(browser: Browser, sandbox: Sandbox) -> AsyncIterator[Page]:
    """Dev in the left pane, Olga in the right one; an error in the page's console fails the test."""
    page = await browser.new_page(viewport={"width": 1400, "height": 850})
    page.set_default_timeout(10_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    await page.goto(f"{sandbox.page_url}?left=U0DEP1&right=U0OWNER&leftAt=C0GENERAL&rightAt=app")
    yield page
    await page.close()
    assert wrong == []


async def test_one_person_plays_requester_and_owner_in_two_panes(sandbox: Sandbox, bolt: AsyncApp, page: Page) -> None:
    left, right = page.get_by_test_id("pane-left"), page.get_by_test_id("pane-right")
    composer = left.get_by_test_id("composer")
    await composer.press_sequentially("/as")
    await expect(left.get_by_role("option", name="/ask")).to_be_visible()
    await composer.press("Tab")
    await composer.press("Enter")
    form = left.get_by_role("dialog", name="Ask")
    await expect(form).to_be_visible()
    await form.get_by_test_id("modal-submit").click()
    await expect(form.get_by_test_id("field-error")).to_have_text("Please complete this required field.")
    await form.get_by_label("Reason").fill("disk full")
    await form.get_by_label("Size").select_option(label="Large")
    await expect(form.get_by_text("You chose L")).to_be_visible()
    await expect(form.get_by_label("Reason")).to_have_value("disk full")
    await form.get_by_test_id("modal-submit").click()
    await expect(form).to_be_hidden()
    card = right.get_by_test_id("message").filter(has_text="disk full")
    await card.get_by_role("button", name="Approve").click()
    changed = right.get_by_test_id("message").filter(has_text="Approved by @Olga Novak")
    await expect(changed).to_contain_text("(edited)")
    await expect(changed.get_by_role("button", name="Approve")).to_have_count(0)
    await expect(right.get_by_text("Only visible to you")).to_be_visible()


async def test_what_is_being_typed_survives_a_change_that_the_app_makes_meanwhile(
    sandbox: Sandbox, bolt: AsyncApp, page: Page, client: AsyncWebClient, form: dict[str, Any]
) -> None:
    left = page.get_by_test_id("pane-left")
    await sandbox.command("U0DEP1", "/ask")
    await left.get_by_label("Reason").press_sequentially("half a th")
    note = {"type": "section", "text": {"type": "mrkdwn", "text": "Olga is away"}}
    view = {**form, "blocks": [note, *form["blocks"]]}
    await client.views_update(view_id=sandbox.modal("U0DEP1").id, view=view)
    await expect(left.get_by_text("Olga is away")).to_be_visible()
    await page.keyboard.type("ought")
    await expect(left.get_by_label("Reason")).to_have_value("half a thought")


async def test_what_people_type_never_becomes_markup(
    sandbox: Sandbox, bolt: AsyncApp, page: Page, client: AsyncWebClient, draw: Any
) -> None:
    evil = "<img src=x onerror=document.title='owned'> <script>1</script> <javascript:alert(1)|click>"
    await sandbox.say("U0DEP1", evil, "C0GENERAL")
    await client.chat_postMessage(channel="C0GENERAL", text=evil, blocks=draw(evil, evil[:40]))
    await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=[{"type": "markdown", "text": f"# {evil}"}])
    messages = page.get_by_test_id("pane-left").get_by_test_id("message")
    await expect(messages).to_have_count(3)
    assert await messages.locator("img, script, a").count() == 0
    await expect(messages.first).to_contain_text("<img src=x onerror=")
    assert "owned" not in await page.title()


async def test_dates_show_in_the_readers_own_zone(sandbox: Sandbox, page: Page, client: AsyncWebClient) -> None:
    said = "<!date^1767225600^{date_num} {time}|soon>"  # 2026-01-01 00:00 UTC
    for person in ("U0DEP1", "U0OWNER"):
        await client.chat_postMessage(channel=person, text=said)
    await page.get_by_test_id("pane-left").get_by_role("button", name="Tester").click()
    await expect(page.get_by_test_id("pane-left").get_by_test_id("message")).to_contain_text("2026-01-01 5:30 AM")
    await expect(page.get_by_test_id("pane-right").get_by_test_id("message")).to_contain_text("2026-01-01 12:00 AM")


async def test_a_message_elsewhere_is_counted_until_it_is_looked_at(
    sandbox: Sandbox, page: Page, client: AsyncWebClient
) -> None:
    left = page.get_by_test_id("pane-left")
    entry = left.get_by_test_id("conversation").filter(has_text="Tester")
    await client.chat_postMessage(channel="U0DEP1", text="one")
    await expect(entry.get_by_label("1 unread")).to_be_visible()
    await entry.click()
    await expect(left.get_by_text("one", exact=True)).to_be_visible()
    await expect(entry.get_by_label("1 unread")).to_have_count(0)


async def test_escape_leaves_a_form_and_the_keyboard_returns_to_where_it_was(
    sandbox: Sandbox, bolt: AsyncApp, page: Page
) -> None:
    left = page.get_by_test_id("pane-left")
    composer = left.get_by_test_id("composer")
    await composer.fill("/ask")
    await composer.press("Enter")
    form = left.get_by_role("dialog", name="Ask")
    await expect(form.get_by_label("Reason")).to_be_focused()
    for _ in range(8):
        await page.keyboard.press("Tab")
        assert await form.evaluate("dialog => dialog.contains(document.activeElement)")
    await page.keyboard.press("Escape")
    await expect(form).to_be_hidden()
    await expect(composer).to_be_focused()


async def test_a_button_held_down_while_the_app_changes_the_form_is_still_pressed(
    sandbox: Sandbox, bolt: AsyncApp, page: Page, client: AsyncWebClient, form: dict[str, Any]
) -> None:
    left = page.get_by_test_id("pane-left")
    await sandbox.command("U0DEP1", "/ask")
    await left.get_by_test_id("modal-cancel").hover()
    await page.mouse.down()
    note = {"type": "section", "text": {"type": "mrkdwn", "text": "Olga is away"}}
    await client.views_update(view_id=sandbox.modal("U0DEP1").id, view={**form, "blocks": [note, *form["blocks"]]})
    for _ in range(2):  # the second reading of the page begins when it has drawn the first
        async with page.expect_response(lambda answer: "timeline" in answer.url):
            sandbox.server.world.touch()
    await page.mouse.up()
    await expect(left.get_by_role("dialog")).to_be_hidden()


async def test_a_change_in_the_instant_before_waiting_for_it_is_not_missed(sandbox: Sandbox) -> None:
    world = sandbox.server.world
    told = world.version
    world.touch()
    assert await world.changed(30, told)
    assert not await world.changed(0.01, world.version)


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Literal["light", "dark"]:
    chosen: Literal["light", "dark"] = request.param
    return chosen


@pytest.fixture(params=list(WIDTHS))
async def themed_page(
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
    sandbox: Sandbox, bolt: AsyncApp, themed_page: Page, client: AsyncWebClient, draw: Any
) -> None:
    await sandbox.say("U0DEP1", "hello <@U0OWNER>", "C0GENERAL")
    await client.chat_postMessage(channel="U0OWNER", text="a card", blocks=draw("disk *full* `code`", "Approve", "Deny"))
    await expect(themed_page.get_by_text("hello").first).to_be_attached()
    assert await serious(themed_page) == []


async def test_an_open_form_has_no_serious_fault(sandbox: Sandbox, bolt: AsyncApp, themed_page: Page) -> None:
    await sandbox.command("U0DEP1", "/ask")
    await sandbox.wait_for(lambda: sandbox.modal("U0DEP1"))
    await expect(themed_page.get_by_role("dialog", name="Ask").first).to_be_attached()
    assert await serious(themed_page) == []


async def test_the_home_has_no_serious_fault(
    sandbox: Sandbox, bolt: AsyncApp, themed_page: Page, client: AsyncWebClient, draw: Any
) -> None:
    view = {
        "type": "home",
        "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Waiting"}}, *draw("x", "Go")],
    }
    await client.views_publish(user_id="U0OWNER", view=view)
    right = themed_page.get_by_test_id("pane-right")
    tab = right.get_by_role("tab", name="Home").or_(right.get_by_role("button", name="Home"))
    if await tab.first.is_visible():
        await tab.first.click()
        await expect(right.get_by_test_id("home-view")).to_be_visible()
    assert await serious(themed_page) == []


async def test_shortcuts_work_from_the_composer_and_from_a_message(sandbox: Sandbox, bolt: AsyncApp, page: Page) -> None:
    left = page.get_by_test_id("pane-left")
    await left.get_by_test_id("shortcuts").first.click()
    await left.get_by_role("menuitem", name="Ask").click()
    await expect(left.get_by_role("dialog", name="Ask")).to_be_visible()
    await sandbox.close("U0DEP1", everything=True)
    await sandbox.say("U0OWNER", "sync is down", "C0GENERAL")
    message = left.get_by_test_id("message").filter(has_text="sync is down")
    await message.hover()
    await message.get_by_test_id("message-shortcuts").click()
    await message.get_by_role("menuitem", name="About this").click()
    await expect(left.get_by_text("About sync is down")).to_be_visible()


async def test_a_slash_typed_nowhere_starts_a_command(sandbox: Sandbox, bolt: AsyncApp, page: Page) -> None:
    await page.locator("body").press("/")
    left = page.get_by_test_id("pane-left")
    await expect(left.get_by_test_id("composer")).to_be_focused()
    await expect(left.get_by_test_id("composer")).to_have_value("/")
    await expect(left.get_by_role("option", name="/ask")).to_be_visible()


async def test_a_bare_address_begins_as_the_configuration_says(sandbox: Sandbox, bolt: AsyncApp, page: Page) -> None:
    workspace = sandbox.server.world.workspace
    workspace.start = {"left": "U0OWNER", "right": "U0DEP1", "panel": "script"}
    workspace.script = [ScriptStep("Press Approve.")]
    await page.goto(sandbox.page_url)
    await expect(page.get_by_test_id("panel-script")).to_be_visible()
    await expect(page.get_by_test_id("pane-left").get_by_test_id("persona")).to_have_value("U0OWNER")


async def test_the_tools_fit_a_phone_in_one_line(sandbox: Sandbox, bolt: AsyncApp, page: Page) -> None:
    sandbox.server.world.workspace.script = [ScriptStep("Press Approve.")]
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(f"{sandbox.page_url}?left=U0DEP1&right=U0OWNER")
    tops = await page.locator(".top .tool:visible").evaluate_all(
        "all => all.map((one) => [one.offsetTop, one.offsetHeight])"
    )
    assert len({top for top, _ in tops}) == 1
    assert all(height <= 34 for _, height in tops)
