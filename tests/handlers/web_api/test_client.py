"""Slack's clients take the proxy of the environment, and none for this machine."""

from __future__ import annotations

import pytest

from handlers.transport.socket_mode import SlackSocket
from handlers.web_api.client import ObservedClient, SlackClient

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def _behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, PROXY)
    monkeypatch.setenv("NO_PROXY", "gov.example")
    monkeypatch.setenv("no_proxy", "gov.example")


def _unheard(_method: str, _result: str, _seconds: float) -> None:
    """Reports nothing."""


@pytest.mark.parametrize(("base", "proxy"), [
    ("https://slack.com/api/", PROXY), ("https://slack.gov.example/api/", None), ("http://127.0.0.1:3000/api/", None),
    ("http://localhost:3000/api/", None),
])  # fmt: skip
def test_the_web_api_is_called_as_the_environment_says(base: str, proxy: str | None) -> None:
    observed = ObservedClient("xoxb-1", report=_unheard, base_url=base)
    assert [one.proxy for one in (SlackClient("xoxb-1", base_url=base), observed, observed.without_token())] == [proxy] * 3


@pytest.mark.parametrize(("address", "proxy"), [
    ("wss://wss-primary.slack.com/link", PROXY), ("wss://wss.gov.example/link", None), ("ws://127.0.0.1:3000/link", None),
])  # fmt: skip
async def test_each_connection_of_socket_mode_takes_the_proxy_of_its_own_address(
    address: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = SlackClient("xoxb-1", base_url="https://slack.com/api/")

    async def opened(**_: str) -> dict[str, str]:
        return {"url": address}

    monkeypatch.setattr(client, "apps_connections_open", opened)
    socket = SlackSocket("xapp-1", web_client=client)
    assert await socket.issue_new_wss_url() == address
    assert socket.proxy == proxy
    await socket.close()
