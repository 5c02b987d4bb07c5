"""What a failed call to Slack means: wait for `Retry-After`, retry later, or give up.

`ratelimited` is honoured for its whole Retry-After. Outages (Slack down, network, a token that Slack refuses) are retried;
every other error of Slack's is final for this message.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

# Everything that a call to Slack may raise through no fault of this program.
CALL_ERRORS = (SlackClientError, ClientError, OSError, TimeoutError)
RATE_LIMITED = "ratelimited"
DEFAULT_WAIT = 30.0  # seconds, where a 429 names none
REFUSED_TOKEN = frozenset(
    {
        "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type",
        "missing_scope", "no_permission", "team_disabled", "team_access_not_granted", "enterprise_is_restricted",
        "two_factor_setup_required",
    }
)  # fmt: skip
"""Slack does not accept the token, or not for this method; retrying does not help until an operator changes something."""
REFUSED = (REFUSED_TOKEN - {"no_permission"}) | {"org_login_required", "ekm_access_denied", "accesslimited"}
"""What `token_watch` reports: whoever gets one of these is cut off from Slack, as in an outage. `no_permission` may be about
one conversation only."""
BY_ADMINISTRATORS = frozenset(
    {
        "org_login_required",
        "ekm_access_denied",
        "accesslimited",
        "team_disabled",
        "team_access_not_granted",
        "enterprise_is_restricted",
    }
)
"""Those that only the administrators of the workspace can end."""
UNANSWERED = REFUSED | {
    "timeout", "network", "http_200", "http_403", "http_407", "http_500", "http_502", "http_503", "http_504",
    "internal_error", "fatal_error", "service_unavailable", "request_timeout",
}  # fmt: skip
"""Slack, or a proxy on the way, took no notice of what the call asked: an outage while it lasts."""
_LATER = UNANSWERED | REFUSED_TOKEN | {
    "team_added_to_org", "external_channel_migrating", "message_limit_exceeded",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wait` in seconds with "limited" only; `error` is a short word for the record, without any secret."""

    kind: Literal["limited", "later", "never"]
    error: str
    wait: float = 0.0


def verdict(error: BaseException) -> Verdict:
    """Classifies what a call raised."""
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
