"""What a failed call to Slack means: wait as long as Slack says, try again later, or never.

`ratelimited` is honoured for its whole Retry-After. What says "not now" (Slack down, network, a token that an operator
must mend) is tried again; every other refusal is Slack's last word on this message.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

# Everything that a call to Slack may raise for reasons that are not ours.
CALL_ERRORS = (SlackClientError, ClientError, OSError, TimeoutError)
RATE_LIMITED = "ratelimited"
DEFAULT_WAIT = 30.0  # seconds, where a 429 names none
GONE = frozenset({"not_found", "view_not_found", "expired_trigger_id", "message_not_found", "hash_conflict"})
# A token that Slack does not take: nothing helps but an operator.
REFUSED_TOKEN = frozenset(
    {
        "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type",
        "missing_scope", "no_permission",
    }
)  # fmt: skip
_LATER = REFUSED_TOKEN | {
    "internal_error", "fatal_error", "service_unavailable", "request_timeout", "timeout", "team_added_to_org",
    "org_login_required", "ekm_access_denied", "accesslimited", "external_channel_migrating", "message_limit_exceeded",
}  # fmt: skip
UNANSWERED = frozenset({"timeout", "network", "http_500", "http_502", "http_503", "http_504"})  # Slack said nothing at all


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wait` in seconds with "limited" only; `error` is a short word for the record, without any secret."""

    kind: Literal["limited", "later", "never"]
    error: str
    wait: float = 0.0


def verdict(error: BaseException) -> Verdict:
    """Judges what a call raised."""
    if isinstance(error, SlackApiError):
        return _refusal(error)
    if isinstance(error, asyncio.TimeoutError):
        return Verdict("later", "timeout")
    if isinstance(error, ClientError | OSError):
        return Verdict("later", "network")
    return Verdict("later", type(error).__name__[:60])


def retry_after(value: str | None) -> float:
    """Seconds from a Retry-After header."""
    text = (value or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else DEFAULT_WAIT


def _refusal(error: SlackApiError) -> Verdict:
    response = error.response
    if not isinstance(response, AsyncSlackResponse):
        return Verdict("later", "unreadable_answer")
    data = response.data
    word = data.get("error") if isinstance(data, dict) else None
    if response.status_code == 429 or word in (RATE_LIMITED, "rate_limited"):
        headers = {str(key).lower(): str(value) for key, value in response.headers.items()}
        return Verdict("limited", RATE_LIMITED, retry_after(headers.get("retry-after")))
    if response.status_code >= 500 or not isinstance(word, str):
        return Verdict("later", f"http_{response.status_code}")
    return Verdict("later" if word in _LATER else "never", word[:80])
