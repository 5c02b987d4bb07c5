"""Our own team, user and bot ids, from `auth.test`: asked at the start and retried until Slack answers.

An unreachable Slack does not block the start: timers run and pages leave meanwhile. A token that Slack refuses at the start
raises SlackRefused with advice, because retrying does not help.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import SlackRefused
from handlers.web_api.errors import CALL_ERRORS, REFUSED_TOKEN, Verdict, verdict

TIMEOUT, SLOWEST = 5.0, 10.0  # seconds: for one answer, between two tries
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Identity:
    """Our own ids in Slack; empty until `auth.test` has answered, before which no payload arrives."""

    team: str = ""
    bot_user: str = ""
    bot: str = ""


class OwnIdentity:
    """`identity` is empty until Slack has answered; `sleep` waits between two tries."""

    def __init__(self, client: AsyncWebClient, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.identity = Identity()
        self._client, self._sleep = client, sleep
        self._trouble = "nobody has asked yet"

    def findings(self) -> tuple[str, ...]:
        """Why our ids are not known yet, a sentence; none once they are."""
        if self.identity.team:
            return ()
        return (f"Slack cannot be reached at {self._client.base_url} ({self._trouble}); it is tried again.",)

    async def until_known(self) -> None:
        """Retries with back-off until Slack has answered. Raises SlackRefused."""
        wait = 1.0
        while not self.identity.team:
            judged = await self.ask()
            if judged is not None:
                log.warning("slack.unreachable", error=judged.error, advice="steps and pages go on; it is tried again")
                await self._sleep(max(wait, judged.wait))
                wait = min(2 * wait, SLOWEST)

    async def ask(self) -> Verdict | None:
        """Asks once. Returns None once the ids are known, else why the call failed. Raises SlackRefused."""
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
