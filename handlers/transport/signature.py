"""Whether Slack sent it: signature v0 over the raw body, judged before anything in it is read.

Everything that is wrong has a name and is a 401. Slack's SDK computes and compares (in constant time); what it would raise
on (a bad timestamp, a signature that is not ASCII) is refused before it sees it. Source: Slack, "Verifying requests".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.signature import Clock as SdkClock
from slack_sdk.signature import SignatureVerifier

from bot.clock import Clock

WINDOW = 300  # seconds that a signature is good for, before and after
TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
_SECONDS = re.compile(r"[0-9]{1,11}")
_V0 = re.compile(r"v0=[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class NotAuthentic:
    """Not for us: `fault` is its name in log and metrics, `sentence` what its sender reads."""

    fault: str
    status: int
    sentence: str


BAD_TIMESTAMP = NotAuthentic("bad_timestamp", 401, "X-Slack-Request-Timestamp is missing or no number.")
BAD_SIGNATURE = NotAuthentic("bad_signature", 401, "X-Slack-Signature is missing or has another form.")
STALE = NotAuthentic("stale", 401, "This was signed more than five minutes ago.")
FUTURE = NotAuthentic("future", 401, "This was signed for a time to come; compare the clocks.")
FORGED = NotAuthentic("forged", 401, "The signature is not Slack's; check SLACK_SIGNING_SECRET.")


class SignatureCheck:
    """Slack's seal on a request, by the app's signing secret."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._clock = _Now(clock)
        self._verifier = SignatureVerifier(secret, self._clock)

    def judge(self, timestamps: Sequence[str], signatures: Sequence[str], body: str) -> NotAuthentic | None:
        """None if Slack sent this body within the window; both headers as they came, each exactly once."""
        if len(timestamps) != 1 or not _SECONDS.fullmatch(timestamps[0]):
            return BAD_TIMESTAMP
        if len(signatures) != 1 or not _V0.fullmatch(signatures[0]):
            return BAD_SIGNATURE
        age = self._clock.now() - int(timestamps[0])
        if abs(age) > WINDOW:
            return STALE if age > 0 else FUTURE
        return None if self._verifier.is_valid(body, timestamps[0], signatures[0]) else FORGED


class _Now(SdkClock):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()
