"""Pages really leave: Apprise's and PagerDuty's own packages, against receivers on this machine."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from bot.background.pager import send_page
from bot.domain.policy.model import NamedPerson
from handlers.inbound.listener import web_client
from handlers.outbound.delivery import SILENT
from sandbox.driver import Sandbox
from sandbox.paging import Paged
from tests.bot import parts
from tests.bot.building import MINUTE, ONC1, OWNER, PE1, SECURITY, policy
from tests.bot.office import Office, covered

OLGA, ASKER = "U0OWNER", "U0PE1"
WORKSPACE = {
    "teams": [{"id": "T0HOME", "name": "Example Health Trust"}],
    "users": [
        {"id": p, "name": p.lower(), "real_name": p, "team_id": "T0HOME"}
        for p in ("U0OWNER", "U0PE1", "U0DEP1", "U0DEP2", "U0ONC1")
    ],
    "channels": [{"id": "C0DIRECTORY", "name": "id-directory", "members": ["U0BOT"]}],
    "app": {"name": "Countersign", "bot_user_id": "U0BOT"},
}
SECRETS = ("dc-secret", "Jane Doe", "INC1001")
MATRIX = (
    ("name: Olga Novak}", 'name: Olga Novak, page: "env:PAGE_OLGA"}'),
    ("name: Samira Haddad}", 'name: Samira Haddad, page: "env:PAGE_SAMIRA"}'),
    ("  security:\n    source: static\n", '  security:\n    source: static\n    page: "env:PAGE_SECURITY"\n'),
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Apprise imports


def with_addresses(bot: Any) -> None:
    """The example organisation with pages for an owner, another owner and a rota."""
    file: Path = bot.home / "runbooks" / "responsibility.yaml"
    text = file.read_text()
    for old, new in MATRIX:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    sandbox: Sandbox = bot.sandbox
    bot.changed |= {
        "PAGE_OLGA": sandbox.pager("olga"), "PAGE_SAMIRA": sandbox.pager("samira"), "PAGE_SECURITY": "pagerduty://KEY",
        "COUNTERSIGN_PAGERDUTY_URL": sandbox.pagerduty_url,
    }  # fmt: skip


def all_of(one: Paged) -> str:
    return f"{one.title} {one.text}"


async def incident(sandbox: Sandbox, action: str, key: str) -> Paged:
    found: Paged = await sandbox.wait_for(
        lambda: next((p for p in sandbox.paged if (p.to, p.action, p.key) == ("KEY", action, key)), None), 30
    )
    return found


async def test_a_sleeper_a_step_that_pages_and_a_break_glass_ring_outside_slack(
    start: Callable[..., Any], file: Callable[..., Any]
) -> None:
    bot = await start(60.0, prepare=with_addresses)
    sandbox: Sandbox = bot.sandbox
    sandbox.person(OLGA).dnd = True
    card = await file(sandbox, ASKER, target="dc-secret", reason="Jane Doe cannot sign in")
    [(case,)] = bot.rows("SELECT id FROM request WHERE provider <> ''")

    rung = await sandbox.wait_for(lambda: next((p for p in sandbox.paged if p.to == "olga"), None), 30)
    assert rung.title == "Northgate Managed Identity: Emergency admin on the corporate directory"
    assert rung.text.startswith(f"{case}, Corporate directory. Answer in Slack by ")
    assert rung.link.endswith(f"/p{card.ts.replace('.', '')}")

    opened = await incident(sandbox, "trigger", case)  # the on-call's step, ten seconds on this clock
    assert opened.title.startswith("Northgate Managed Identity: Emergency admin on the corporate directory. ")
    await sandbox.press(OLGA, "On it", message=card)
    await incident(sandbox, "acknowledge", case)
    await sandbox.press(OLGA, "Approve", message=sandbox.current(card))
    await incident(sandbox, "resolve", case)

    await sandbox.command(ASKER, "/breakglass", "clinical-signin-outage Jane Doe waits")
    form = await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    target = form.options("Target")[0]
    given = {"Target": target, "Incident reference": "INC1001", "Site": "All sites"}
    sent_form = await sandbox.submit(ASKER, given | {"Staff who cannot sign in": "900"})
    assert sent_form.ok, (form.labels, sent_form.errors)
    loud = await sandbox.wait_for(lambda: next((p for p in sandbox.paged if p.to == "samira"), None), 30)
    assert loud.title.startswith("BREAK-GLASS: Northgate Managed Identity: ")

    assert not [(p, word) for p in sandbox.paged for word in (*SECRETS, target) if word in all_of(p)]
    sent = [json.loads(row[0])["data"] for row in bot.rows("SELECT data FROM log_entry WHERE type = 'delivery.sent'")]
    assert {d["action"] for d in sent if d["purpose"] == "page"} == {"trigger", "acknowledge", "resolve"}
    assert "/pager/" not in str(bot.rows("SELECT data FROM log_entry")) + bot.log()


async def test_when_slack_is_cut_off_prompts_leave_by_page_and_say_that_only_a_no_is_possible_on_the_host(
    tmp_path: Path,
) -> None:
    """Real packages and a Slack that refuses every call; the minute without an answer passes on a clock of ours."""
    named = (NamedPerson("olga", OWNER, "Olga", "env:PAGE_OLGA"),)
    base = policy(people=named, rotas=[replace(SECURITY, page="env:PAGE_SECURITY")])
    async with Sandbox(WORKSPACE) as sandbox, Office(tmp_path / "bot.db", base) as office:
        client = web_client(sandbox.bot_token, sandbox.api_url)
        messenger = parts.sender(office, client, covered)
        where = {"PAGE_OLGA": sandbox.pager("olga"), "PAGE_SECURITY": "pagerduty://KEY"}
        pager = parts.pager(office, where, send_page(sandbox.pagerduty_url), covered)
        sandbox.faults.slack_off = True
        case_id = await office.file(PE1, target="dc-secret", reason="Jane Doe cannot sign in")
        await messenger.drain()
        await pager.drain()
        assert sandbox.paged == []  # Slack may only be slow

        office.sleep(timedelta(seconds=SILENT + 1))
        await messenger.drain()
        office.sleep(timedelta(seconds=6))  # there will be no card to lead to
        await pager.drain()
        (told,) = sandbox.paged
        assert (told.to, told.link) == ("olga", "")
        assert told.text.startswith(f"{case_id}, Corporate directory. Answer in Slack by 09:45 UTC.")
        assert told.text.endswith("Slack does not answer. On the host only a no is possible: countersign requests deny.")
        assert not [word for word in SECRETS if word in all_of(told)]

        await office.forward(10 * MINUTE)  # the ladder goes on, and pages whom its steps page
        await pager.drain()
        office.sleep(timedelta(seconds=6))
        await pager.drain()
        assert [(p.to, p.key) for p in sandbox.paged[1:]] == [("KEY", case_id)]

        sandbox.faults.slack_off = False
        office.sleep(MINUTE)
        await messenger.drain()
        assert sandbox.find(OLGA, "Approve") is not None
        assert (await office.case(case_id)).approval.asked[:1] == (OWNER,)
        assert ONC1 in (await office.case(case_id)).approval.asked


async def test_in_the_sandbox_one_watches_the_countdown_and_sees_the_engine_route_around_each_trouble(
    start: Callable[..., Any], file: Callable[..., Any], browser: Browser
) -> None:
    bot = await start(15.0, prepare=with_addresses)
    sandbox: Sandbox = bot.sandbox
    page = await browser.new_page(viewport={"width": 1500, "height": 900})
    page.set_default_timeout(30_000)
    await page.goto(f"{sandbox.page_url}?left={ASKER}&right={OLGA}&leftAt=app&rightAt=app&panel=faults")
    await page.get_by_label("Olga Novak: asleep").check()
    await file(sandbox, ASKER)
    receipt = page.get_by_test_id("pane-left").get_by_test_id("message").filter(has_text="What happens next")
    left = receipt.locator("time[data-left]").last
    await expect(left).to_have_attribute("data-left", re.compile(r"2 min \d+ s"))
    first = await left.get_attribute("data-left")
    await expect(left).not_to_have_attribute("data-left", first or "")
    await page.get_by_test_id("tool-pages").click()
    rung = page.get_by_test_id("paged").filter(has_text="olga")
    await expect(rung).to_contain_text("Northgate Managed Identity: Emergency admin on the corporate directory")
    await expect(rung.get_by_role("link", name="The card in Slack")).to_be_visible()

    await page.get_by_test_id("tool-faults").click()
    await page.get_by_label("Olga Novak: deactivated").check()
    await asyncio.sleep(60 / 15 + 1)  # for so long Slack's answer about a person is believed, on this clock
    await file(sandbox, ASKER, target="dc-core-02", owner="U0DEP1")
    await page.get_by_label("Slack is cut off").check()
    await sandbox.wait_for(lambda: sandbox.sockets == 0)
    await page.get_by_label("Slack is cut off").uncheck()
    await sandbox.wait_for(lambda: sandbox.sockets > 0, 60)
    await page.close()
