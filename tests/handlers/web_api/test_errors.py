"""What a failed call means: wait, later, or never."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.web_api.errors import DEFAULT_WAIT, Verdict, retry_after, verdict


def refused(status: int, data: object, headers: dict[str, str] | None = None) -> SlackApiError:
    response = AsyncSlackResponse(
        client=AsyncWebClient(), http_verb="POST", api_url="x", req_args={}, data=data, headers=headers or {},  # type: ignore[arg-type]
        status_code=status,
    )  # fmt: skip
    return SlackApiError("failed", response)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refused(429, {"ok": False, "error": "ratelimited"}, {"retry-after": "7"}), Verdict("limited", "ratelimited", 7.0)),
        (refused(429, {}, {"Retry-After": "7"}), Verdict("limited", "ratelimited", 7.0)),
        (refused(200, {"ok": False, "error": "ratelimited"}), Verdict("limited", "ratelimited", DEFAULT_WAIT)),
        (refused(503, {}), Verdict("later", "http_503")),
        (refused(500, "<html>"), Verdict("later", "http_500")),
        (refused(200, {"ok": False, "error": "internal_error"}), Verdict("later", "internal_error")),
        (refused(200, {"ok": False, "error": "token_revoked"}), Verdict("later", "token_revoked")),
        (refused(200, {"ok": False, "error": "channel_not_found"}), Verdict("never", "channel_not_found")),
        (refused(200, {"ok": False, "error": "x" * 500}), Verdict("never", "x" * 80)),
        (SlackApiError("odd", {"ok": False}), Verdict("later", "unreadable_answer")),
        (TimeoutError(), Verdict("later", "timeout")),
        (aiohttp.ServerDisconnectedError(), Verdict("later", "network")),
        (ConnectionResetError(), Verdict("later", "network")),
        (RuntimeError("xoxb-secret"), Verdict("later", "RuntimeError")),
    ],
)
def test_every_failure_has_its_meaning(error: BaseException, expected: Verdict) -> None:
    assert verdict(error) == expected


@pytest.mark.parametrize(
    ("header", "seconds"), [("0", 0), (" 30 ", 30), ("86400", 86400), ("soon", 30), ("-1", 30), (None, 30)]
)
def test_a_retry_after_is_read_in_full(header: str | None, seconds: float) -> None:
    assert retry_after(header) == seconds
