"""The main job on screen, in a real Chromium: what people type, press and see, and `countersign demo` as a stranger meets it.

The bot runs in a process of its own and the sandbox in ours; `countersign demo` runs both in one process of its own.
"""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Locator, expect

from bot.demo.workspace import APPROVER, ASKER
from tests.conftest import EXAMPLE
from tests.end_to_end.screen import button

COLLEAGUE, OTHER_PROVIDER, DEPUTY, ON_CALL = "U0PE2", "U0SOC1", "U0DEP1", ("U0ONC1", "U0ONC2")
DECISIONS = ("Approve", "Deny", "Approve for less…", "Question", "On it", "Ask someone else")
BODY = "Before you start"


def card(pane: Locator) -> Locator:
    """The message that asks this person to decide, or did."""
    return pane.get_by_test_id("messages").get_by_test_id("message").filter(has_text="Incident ticket")


async def ask(pane: Locator, reason: str = "Sync stopped", target: str = "dc-core-01") -> None:
    """Types the command, fills in the form as it comes, and sends it."""
    composer = pane.get_by_test_id("composer")
    await composer.press_sequentially("/brea")
    await expect(pane.get_by_role("option", name="/breakglass")).to_be_visible()
    await composer.press("Tab")
    await composer.press_sequentially("directory-admin-emergency")
    await composer.press("Enter")
    form = pane.get_by_role("dialog")
    await expect(form.get_by_text("Access opens only after")).to_be_visible()
    await form.get_by_label("Target").fill(target)
    await form.get_by_label("Reason").fill(reason)
    await form.get_by_label("Incident ticket").fill("INC1001")
    await form.get_by_test_id("modal-submit").click()
    await expect(form.get_by_text("is filed.")).to_be_visible()
    await expect(form.get_by_text("Asked:")).to_be_visible()
    await form.get_by_test_id("modal-close").click()
    await expect(form).to_be_hidden()


async def test_a_form_filled_in_and_one_click_bring_the_runbooks_body(start: Callable[..., Any], look: Any) -> None:
    bot = await start()
    screen = await look(bot.sandbox.page_url)
    await ask(screen.left)
    asked = card(screen.right)
    await expect(asked).to_contain_text("@Pavel Horak of Northgate Managed Identity asks for 1 hour")
    await button(asked, "Approve").click()
    body = screen.left.get_by_test_id("message").filter(has_text=BODY)
    await expect(body.get_by_text("Do not lend the session.")).to_have_count(1)
    await expect(body.get_by_role("heading", name=BODY)).to_be_in_viewport()
    await expect(asked).to_contain_text("Approved by @Olga Novak")
    for name in DECISIONS:
        await expect(button(screen.right, name)).to_have_count(0)
    assert bot.types().count("request.approved") == 1


async def test_silence_reminds_asks_deputy_and_on_call_and_expires_on_every_screen(
    start: Callable[..., Any], look: Any
) -> None:
    bot = await start(180)  # the reminder after 1 s, deputies 1.7 s, on-call 3.3 s, the end after 15 s
    url = bot.sandbox.page_url
    screen = await look(url)
    deputy = (await look(url, DEPUTY, "U0RISK")).left
    callable_ = await look(url, *ON_CALL)
    await ask(screen.left)
    await expect(card(screen.right)).to_contain_text("(demo clock 180×)")
    await expect(button(card(deputy), "Approve")).to_be_visible()
    on_call = card(callable_.left).or_(card(callable_.right))
    await expect(button(on_call, "Approve")).to_be_visible()
    await screen.right.get_by_test_id("open-thread").click()
    await expect(screen.right.get_by_test_id("thread").get_by_text("still waits for your answer")).to_be_visible()
    for asked in (card(screen.right), card(deputy), on_call):
        await expect(asked).to_contain_text("Expired", timeout=25_000)
        await expect(asked).to_contain_text("Nothing was opened")
        await expect(asked.locator("[data-action-id]")).to_have_count(0)
    await expect(screen.left.get_by_text("Nothing was opened").first).to_be_visible()
    await expect(screen.left.get_by_text(BODY)).to_have_count(0)
    assert "grant.opened" not in bot.types()


async def test_a_no_without_a_reason_is_refused_at_the_field_and_its_reason_reaches_the_requester(
    start: Callable[..., Any], look: Any
) -> None:
    bot = await start()
    screen = await look(bot.sandbox.page_url)
    await ask(screen.left)
    await button(card(screen.right), "Deny").click()
    form = screen.right.get_by_role("dialog")
    await form.get_by_test_id("modal-submit").click()
    reason = form.get_by_test_id("field").filter(has=form.page.locator("textarea"))
    await expect(reason.get_by_test_id("field-error")).to_contain_text("Give a reason")
    await expect(reason.locator("textarea")).to_be_focused()
    assert "request.denied" not in bot.types()
    await reason.locator("textarea").fill("Use the read-only account")
    await form.get_by_test_id("modal-submit").click()
    await expect(form).to_be_hidden()
    await expect(card(screen.right)).to_contain_text("Denied by @Olga Novak")
    for name in DECISIONS:
        await expect(button(screen.right, name)).to_have_count(0)
    outcome = screen.left.get_by_test_id("messages").get_by_test_id("message").last
    await expect(outcome).to_contain_text("Denied by @Olga Novak")
    await expect(outcome.get_by_text("Use the read-only account")).to_be_visible()


@pytest.mark.parametrize("who", [ASKER, COLLEAGUE, OTHER_PROVIDER])
async def test_a_providers_forged_click_is_refused_on_their_screen_and_the_card_stays(
    start: Callable[..., Any], look: Any, who: str
) -> None:
    bot = await start()
    screen = await look(bot.sandbox.page_url)
    forger = (await look(bot.sandbox.page_url, who, DEPUTY)).left
    await ask(screen.left)
    asked = card(screen.right)
    await expect(button(asked, "Approve")).to_be_visible()
    before = await asked.inner_text()
    await screen.right.get_by_test_id("press-as").select_option(who)
    await button(asked, "Approve").click()
    answer = forger.get_by_test_id("message").filter(has_text="A provider asks; only Example Health Trust decides")
    await expect(answer).to_contain_text("identity-help")
    assert await asked.inner_text() == before
    assert bot.types().count("decision.refused") == 1
    await screen.right.get_by_test_id("press-as").select_option("")
    await button(asked, "Approve").click()
    await expect(asked).to_contain_text("Approved by @Olga Novak")


async def test_what_is_typed_in_the_form_is_inert_on_screen(start: Callable[..., Any], look: Any) -> None:
    bot = await start()
    screen = await look(bot.sandbox.page_url)
    await ask(
        screen.left,
        reason="<!channel> <@U0AUDIT> @anselm\n*Approved* by Olga\n> quoted\n<https://evil.example|Approve> " + "x" * 800,
        target="<https://evil.example|Approve> <@U0AUDIT> `code` & *bold*",
    )
    asked = card(screen.right)
    await expect(asked).to_contain_text("<!channel> <@U0AUDIT>")
    receipt = screen.left.get_by_test_id("message").filter(has_text="Pending.")
    for shown in (asked, receipt):
        await expect(shown).to_contain_text("evil.example|Approve>")
        await expect(shown.locator("a, .mention.all, code, img")).to_have_count(0)
        await expect(shown.locator(".mention").filter(has_text="Anselm")).to_have_count(0)
        await expect(shown.locator("strong").filter(has_text=re.compile("Approved|bold"))).to_have_count(0)
        assert await shown.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert await asked.locator("button[data-action-id]").all_inner_texts() == list(DECISIONS)


class Demo:
    """`countersign demo` in a process of its own, and what it printed."""

    def __init__(self, home: Path) -> None:
        self.home, self.lines, self.url, self.seconds = home, list[str](), "", 0.0

    async def start(self) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
        began = time.monotonic()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0", cwd=EXAMPLE.parent,
            env={**kept, "COUNTERSIGN_DEMO_KEYS": "1", "TMPDIR": str(self.home)},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.errors = asyncio.ensure_future(self.process.stderr.read())
        self.url = (await self.printed(r"http://127\.0\.0\.1:\d+/\S*")).group()
        self.seconds = time.monotonic() - began

    async def printed(self, pattern: str, timeout: float = 20.0) -> re.Match[str]:
        """The first line, of those printed already or to come, that holds this."""
        assert self.process.stdout is not None
        async with asyncio.timeout(timeout):
            for line in self.lines:
                if found := re.search(pattern, line):
                    return found
            while raw := await self.process.stdout.readline():
                self.lines.append(raw.decode())
                if found := re.search(pattern, self.lines[-1]):
                    return found
        raise AssertionError("".join(self.lines))

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    async def end(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            self.lines += (await self.process.stdout.read()).decode().splitlines(keepends=True)
            code = await self.process.wait()
        self.process.stdin.close()
        return code

    async def do(self, gesture: str, **arguments: Any) -> Any:
        """What a page would ask the sandbox to do."""
        async with (
            aiohttp.ClientSession(self.url.split("?")[0]) as session,
            session.post(f"sandbox/do/{gesture}", json=arguments) as answer,
        ):
            return await answer.json()

    async def screen_of(self, user: str) -> list[dict[str, Any]]:
        """The messages of somebody's conversation with the app."""
        async with (
            aiohttp.ClientSession(self.url.split("?")[0]) as session,
            session.get("sandbox/screen", params={"user": user}) as answer,
        ):
            places = (await answer.json())["conversations"]
        return [message for place in places if place["is_im"] for message in place["messages"]]


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    """A running demo, its page's address printed."""
    running = Demo(tmp_path)
    await running.start()
    yield running
    if running.process.returncode is None:
        running.process.kill()
        await running.end()
    await running.errors


async def test_the_demo_is_played_to_its_end_and_leaves_nothing(demo: Demo, look: Any) -> None:
    assert demo.seconds < 15
    opened = time.monotonic()
    screen = await look(demo.url)
    await expect(screen.page.get_by_test_id("banner")).to_contain_text("demo clock 15×")
    await expect(screen.page.get_by_test_id("step")).to_have_count(6)
    await expect(card(screen.right)).to_contain_text("(demo clock 15×)")
    await button(card(screen.right), "Approve").click()
    await expect(screen.left.get_by_text(BODY)).to_be_visible()
    assert time.monotonic() - opened < 10
    await demo.printed(r"request\.filed .*\(northgate\)")
    await demo.printed(r"request\.approved ")
    await demo.printed(r"grant\.opened ")
    demo.type("t")
    await demo.printed(r"before: \d+ entries verified, no problems found")
    index = (await demo.printed(r"edited one byte of entry (\d+)")).group(1)
    assert index in (await demo.printed(r"log verify: .+")).group()
    await screen.page.close()
    assert await demo.end() == 0
    assert demo.lines[-1].strip() == "The demo has ended; nothing is left running."
    assert "Traceback" not in "".join(demo.lines)
    assert (await demo.errors).decode() == ""
    assert list(demo.home.iterdir()) == []
    with pytest.raises(aiohttp.ClientConnectorError):
        await demo.screen_of(APPROVER)


async def test_anyone_who_opens_the_demo_late_still_finds_a_request_waiting(demo: Demo, look: Any) -> None:
    for message in await demo.screen_of(ASKER):
        for block in message["blocks"]:
            for element in block.get("elements", []):
                if element.get("action_id") == "withdraw":
                    place = {k: message[k] for k in ("channel", "ts")} | {"block_id": block["block_id"]}
                    await demo.do("click", user=ASKER, action_id="withdraw", **place)
    await demo.printed(r"request\.withdrawn ")
    screen = await look(demo.url)
    await expect(button(screen.right, "Approve")).to_have_count(1)
    await screen.page.close()
    assert await demo.end() == 0
