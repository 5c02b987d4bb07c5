"""The Web API calls of `doctor`: sequential, within Slack's rate limits, one `users.info` call a person.

An error answer is returned as `No` with Slack's error code. A 429 is retried after its whole Retry-After. An unreachable
Slack raises Unreachable, because no further call would succeed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.errors import CountersignError
from bot.domain.policy.people import Person, Profile
from handlers.views.kit.blocks import Message
from handlers.web_api.errors import CALL_ERRORS, RATE_LIMITED, verdict

_TRIES = 30  # of one question, while Slack says "later"
_PAGE = 200
_UNREACHED = frozenset({"network", "timeout"})
_FAILURES = (*CALL_ERRORS, ValueError)  # an answer that is no JSON is a ValueError


class Unreachable(CountersignError):
    """Slack cannot be reached; check the network and SLACK_API_URL."""


@dataclass(frozen=True, slots=True)
class No:
    """Slack answered with an error; `word` is its error code."""

    word: str


@dataclass(frozen=True, slots=True)
class Account:
    """`administers`: an admin or owner of the workspace that the account is of."""

    profile: Profile
    administers: bool


class Lookups:
    """`tell` gets a sentence before every wait; `sleep` takes seconds."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client, self._sleep, self._tell = client, sleep, tell
        self._accounts: dict[str, Account | No] = {}

    @property
    def address(self) -> str:
        return self._client.base_url

    async def identity(self) -> AsyncSlackResponse | No:
        """`auth.test` with the bot token; the answer's headers name its scopes."""
        return await self._ask(self._client.auth_test)

    async def socket(self, app_token: str) -> AsyncSlackResponse | No:
        """Whether the app-level token opens Socket Mode."""
        return await self._ask(lambda: self._client.apps_connections_open(app_token=app_token))

    async def account(self, user: str) -> Account | No:
        """The account from `users.info`."""
        if user not in self._accounts:
            answer = await self._ask(lambda: self._client.users_info(user=user))
            self._accounts[user] = answer if isinstance(answer, No) else _account(answer.get("user"), user)
        return self._accounts[user]

    async def channel(self, channel: str) -> Mapping[str, Any] | No:
        """The channel from `conversations.info`."""
        answer = await self._ask(lambda: self._client.conversations_info(channel=channel))
        if isinstance(answer, No):
            return answer
        found = answer.get("channel")
        return found if isinstance(found, Mapping) else No("unreadable_answer")

    async def members(self, channel: str) -> tuple[str, ...] | No:
        """The user ids of everybody in a channel, every page of them."""
        found: list[str] = []
        cursor = ""
        while True:
            answer = await self._members(channel, cursor)
            if isinstance(answer, No):
                return answer
            found += [str(user) for user in answer.get("members") or ()]
            after = answer.get("response_metadata") or {}
            following = str(after.get("next_cursor") or "")
            if not following or following == cursor:
                return tuple(dict.fromkeys(found))
            cursor = following

    async def validate(self, payload: Mapping[str, Any]) -> AsyncSlackResponse | No:
        """Validates blocks (`message`) or a `view` with `blocks.validate`; posts nothing."""
        return await self._ask(lambda: self._client.api_call("blocks.validate", json=dict(payload)))

    async def post(self, user: str, message: Message) -> AsyncSlackResponse | No:
        """Sends a direct message."""
        return await self._ask(
            lambda: self._client.chat_postMessage(channel=user, text=message.text, blocks=list(message.blocks))
        )

    async def _members(self, channel: str, cursor: str) -> AsyncSlackResponse | No:
        return await self._ask(
            lambda: self._client.conversations_members(channel=channel, limit=_PAGE, cursor=cursor or None)
        )

    async def _ask(self, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse | No:
        for _ in range(_TRIES):
            try:
                return await call()
            except _FAILURES as failure:
                judged = verdict(failure)
            if judged.error in _UNREACHED:
                raise Unreachable(judged.error)
            if judged.error != RATE_LIMITED:
                return No(judged.error)
            self._tell(f"Slack asks us to wait {judged.wait:g} s before the next look-up.")
            await self._sleep(judged.wait)
        return No(RATE_LIMITED)


def _account(found: object, asked: str) -> Account | No:
    """Parses `users.info`; `No` where the answer is about another user or has no team."""
    user: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    team = user.get("team_id")
    if user.get("id") != asked or not isinstance(team, str) or not team:
        return No("unreadable_answer")
    profile = Profile(
        person=Person(team, asked),
        name=str(user.get("real_name") or user.get("name") or asked),
        deleted=bool(user.get("deleted")),
        is_bot=bool(user.get("is_bot")) or asked == "USLACKBOT",
        is_guest=bool(user.get("is_restricted")) or bool(user.get("is_ultra_restricted")),
        is_stranger=bool(user.get("is_stranger")),
    )
    return Account(profile, any(user.get(key) for key in ("is_admin", "is_owner", "is_primary_owner")))
