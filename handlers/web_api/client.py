"""Slack's Web API clients. Both take the proxy that `bot.http.proxies` names: the SDK's own choice ignores NO_PROXY.

Every call of an ObservedClient is reported as `report(method, result, seconds)`: `result` is `ok`, or the word for the failure from `errors.verdict`; never an answer's text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.http.proxies import proxy_for
from handlers.web_api.errors import CALL_ERRORS, verdict

Report = Callable[[str, str, float], None]


class SlackClient(AsyncWebClient):
    """An AsyncWebClient that reaches this machine directly, and others through the proxies of the environment."""

    def __init__(self, token: str | None = None, **how: Any) -> None:
        super().__init__(token, **how)
        self.proxy = proxy_for(self.base_url)


class ObservedClient(SlackClient):
    """A SlackClient that calls `report` after each call."""

    def __init__(self, token: str | None, *, report: Report, **how: Any) -> None:
        super().__init__(token, **how)
        self._report = report

    def without_token(self) -> ObservedClient:
        """A client of the same server that reports alike, for calls that bring a token of their own."""
        return ObservedClient(None, report=self._report, base_url=self.base_url, ssl=self.ssl)

    async def api_call(self, api_method: str, **how: Any) -> AsyncSlackResponse:
        started = asyncio.get_running_loop().time()
        result = "cancelled"
        try:
            answer = await super().api_call(api_method, **how)
            result = "ok"
            return answer
        except CALL_ERRORS as error:
            result = verdict(error).error
            raise
        finally:
            self._report(api_method, result, asyncio.get_running_loop().time() - started)
