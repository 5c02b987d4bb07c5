"""The inbox of pages: shaped like Apprise's JSON posts and PagerDuty's Events API, and able to refuse."""

import asyncio
import contextlib
from typing import Any

import aiohttp
import pytest

from bot.background.pager import send_page
from sandbox.driver import Sandbox


async def post(sandbox: Sandbox, path: str, body: Any) -> int:
    async with aiohttp.ClientSession() as session, session.post(sandbox.page_url + path, json=body) as answer:
        return answer.status


def taken(sandbox: Sandbox) -> list[tuple[str, str, str]]:
    return [(one.to, one.action, one.key) for one in sandbox.paged]


async def test_a_json_post_is_a_page_with_its_link_apart(sandbox: Sandbox) -> None:
    body = {"version": "1.0", "title": "Northgate: Admin", "message": "R-1, Directory.\nhttp://x/card", "type": "info"}
    assert await post(sandbox, "pager/olga", body) == 200
    (one,) = sandbox.paged
    assert (one.to, one.title, one.text, one.link) == ("olga", "Northgate: Admin", "R-1, Directory.", "http://x/card")
    assert await post(sandbox, "pager/olga", {"title": "t", "message": "no link"}) == 200
    assert (sandbox.paged[-1].text, sandbox.paged[-1].link) == ("no link", "")


async def test_an_incident_is_triggered_acknowledged_and_resolved_under_its_key(sandbox: Sandbox) -> None:
    event = {"routing_key": "K", "dedup_key": "R-1", "payload": {"summary": "s"}}
    for action in ("trigger", "acknowledge", "resolve"):
        assert await post(sandbox, "pagerduty/v2/enqueue", event | {"event_action": action}) == 202
    assert taken(sandbox) == [("K", a, "R-1") for a in ("trigger", "acknowledge", "resolve")]


@pytest.mark.parametrize("wrong", [{"event_action": "fix"}, {"dedup_key": ""}, {"routing_key": ""}])
async def test_a_malformed_event_is_refused(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    event = {"routing_key": "K", "dedup_key": "R-1", "event_action": "trigger"}
    assert await post(sandbox, "pagerduty/v2/enqueue", event | wrong) == 400
    assert await post(sandbox, "pager/olga", ["no object"]) == 400
    assert sandbox.paged == []


async def test_an_inbox_that_is_off_takes_nothing(sandbox: Sandbox) -> None:
    sandbox.faults.pager_off = True
    assert await post(sandbox, "pager/olga", {"title": "t"}) == 503
    assert sandbox.paged == []


async def test_slack_cut_off_answers_no_method_and_lets_no_socket_in(sandbox: Sandbox, bolt: Any) -> None:
    async with aiohttp.ClientSession() as session:
        switch = {"fault": "slack_off", "on": True}
        async with session.post(f"{sandbox.page_url}sandbox/faults", json=switch) as answer:
            assert (await answer.json())["slack_off"] is True
        await sandbox.wait_for(lambda: sandbox.sockets == 0)
        async with session.post(f"{sandbox.api_url}auth.test") as answer:
            assert answer.status == 503


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Apprise imports
@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:1"])
async def test_what_apprise_and_pagerduty_really_send_is_taken_also_beside_a_proxy(
    sandbox: Sandbox, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "" if name.lower() == "no_proxy" else proxy)
    send, link = send_page(sandbox.pagerduty_url), "https://slack.example/p1"
    for address in (sandbox.pager("olga"), "pagerduty://KEY"):
        assert await asyncio.to_thread(send, address, "trigger", "R-1", "Title", "Text.", link)
    told = [(one.to, one.title, one.text, one.link, one.key) for one in sandbox.paged]
    assert told == [("olga", "Title", "Text.", link, ""), ("KEY", "Title. Text.", "", link, "R-1")]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("where", ["telephone", "pagerduty"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_page_that_is_refused_is_tried_once_and_never_holds_a_thread(
    sandbox: Sandbox, status: int, where: str
) -> None:
    """The outbox repeats it; a library that waited by itself would keep the threads that other pages need."""
    sandbox.faults.pager_off, sandbox.faults.pager_status = True, status
    send = send_page(sandbox.pagerduty_url)
    address = sandbox.pager("olga") if where == "telephone" else "pagerduty://KEY"

    def tried() -> bool:
        with contextlib.suppress(Exception):
            return send(address, "trigger", "R-1", "Title", "Text.", "")
        return False

    assert await asyncio.to_thread(tried) is False
    assert sandbox.server.paging.refused == 1
