"""Who we are in Slack: asked at the start, and again until Slack says it.

While Slack cannot be reached nobody waits for it: time goes on, steps fire and pages leave. A token that Slack refuses is
another matter, for it stays refused until an operator mends it: SlackRefused, with what to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import SlackRefused
from handlers.transport.app import Identity
from handlers.web_api.errors import CALL_ERRORS, REFUSED_TOKEN, Verdict, verdict

TIMEOUT, SLOWEST = 5.0, 10.0  # seconds: for one answer, between two tries
log = structlog.get_logger(__name__)


class OwnIdentity:
    """`identity` is empty until Slack has answered; `sleep` waits between two tries."""

    def __init__(self, client: AsyncWebClient, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.identity = Identity()
        self._client, self._sleep = client, sleep
        self._trouble = "nobody has asked yet"

    def findings(self) -> tuple[str, ...]:
        """Why we do not know yet who we are, a sentence; none once we do."""
        if self.identity.team:
            return ()
        return (f"Slack cannot be reached at {self._client.base_url} ({self._trouble}); it is tried again.",)

    async def until_known(self) -> None:
        """Asks until Slack has answered. Raises SlackRefused."""
        wait = 1.0
        while not self.identity.team:
            judged = await self.ask()
            if judged is not None:
                log.warning("slack.unreachable", error=judged.error, advice="steps and pages go on; it is tried again")
                await self._sleep(max(wait, judged.wait))
                wait = min(2 * wait, SLOWEST)

    async def ask(self) -> Verdict | None:
        """Asks once; None once we know, else why Slack did not say. Raises SlackRefused."""
        if self.identity.team:
            return None
        try:
            answer = await asyncio.wait_for(self._client.auth_test(), TIMEOUT)
        except CALL_ERRORS as error:
            judged = verdict(error)
            if isinstance(error, SlackApiError) and (judged.kind == "never" or judged.error in REFUSED_TOKEN):
                raise SlackRefused(
                    f"Slack refuses SLACK_BOT_TOKEN ({judged.error}). Reinstall the app, copy the token."
                ) from None
            self._trouble = judged.error
            return judged
        self.identity.team, self.identity.bot_user = str(answer["team_id"]), str(answer["user_id"])
        self.identity.bot = str(answer.get("bot_id") or "")
        return None
