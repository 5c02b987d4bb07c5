"""Slack's Web API client; every call is reported as `report(method, result, seconds)`.

`result` is `ok`, or the word for the failure from `errors.verdict`; never an answer's text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.web_api.errors import CALL_ERRORS, verdict

Report = Callable[[str, str, float], None]


class ObservedClient(AsyncWebClient):
    """An AsyncWebClient that calls `report` after each call."""

    def __init__(self, token: str | None, *, report: Report, **how: Any) -> None:
        super().__init__(token, **how)
        self._report = report

    def without_token(self) -> ObservedClient:
        """A client of the same server that reports alike, for calls that bring a token of their own."""
        return ObservedClient(None, report=self._report, base_url=self.base_url, ssl=self.ssl, proxy=self.proxy)

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
