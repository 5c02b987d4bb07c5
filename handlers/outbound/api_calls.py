"""Sends a drawn job with the Web API. Raises what the SDK raises; `web_api.errors` classifies it.

An answer is posted to the `response_url` of the interaction while it is valid, else as an ephemeral message in the channel,
else as a direct message. A `response_url` is a secret: it is never logged, and no redirect is followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.http.proxies import proxy_for
from handlers.outbound.message_kinds import Dropped, Job, MessageEdit, NewMessage, Published, Reply, ViewUpdate
from handlers.views.kit.blocks import Message
from handlers.web_api.errors import verdict

FRESH = 25 * 60  # seconds; Slack takes answers for thirty minutes
TIMEOUT = 10.0
LOOKED_AT = 200  # messages read of a conversation
NOTE, MARK = "countersign_checkpoint", "countersign_message"  # event types of metadata: with a signed note, without one


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """The channel and timestamp of a posted message; both empty for a view or an answer."""

    channel: str = ""
    ts: str = ""


class SlackSender:
    """Sends one job at a time; safe to use from several tasks."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._client, self._session = client, session

    async def send(self, job: Job, age: float) -> MessagePlace:
        """Sends a job; `age`: seconds since its row was written. Raises CALL_ERRORS."""
        if isinstance(job, NewMessage):
            return await self._post(job)
        if isinstance(job, MessageEdit):
            await self._client.chat_update(channel=job.channel, ts=job.ts, **_content(job.message))
            return MessagePlace(job.channel, job.ts)
        if isinstance(job, ViewUpdate):
            await self._client.views_update(view_id=job.view_id, view=job.view)
            return MessagePlace()
        if isinstance(job, Published):
            await self._client.views_publish(user_id=job.user, view=job.view)
            return MessagePlace()
        assert not isinstance(job, Dropped)
        await self._tell(job, age)
        return MessagePlace()

    async def _post(self, job: NewMessage) -> MessagePlace:
        answer = await self._client.chat_postMessage(
            channel=job.channel,
            thread_ts=job.thread or None,
            unfurl_links=False,
            unfurl_media=False,
            **_content(job.message, job.mark),
        )
        return MessagePlace(str(answer["channel"]), str(answer["ts"]))

    async def read(self, place: MessagePlace, since: datetime) -> Sequence[Mapping[str, Any]]:
        """The newest messages of a direct conversation, or (`ts`) of a thread in it. Raises CALL_ERRORS."""
        how: dict[str, Any] = {
            "channel": place.channel, "oldest": f"{since.timestamp():.6f}", "limit": LOOKED_AT, "include_all_metadata": True,
        }  # fmt: skip
        if place.ts:
            answer = await self._client.conversations_replies(ts=place.ts, **how)
        else:
            answer = await self._client.conversations_history(**how)
        found = answer.get("messages")
        return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []

    async def _tell(self, job: Reply, age: float) -> None:
        if age < FRESH and usable(job.reply.response_url) and await self._respond(job):
            return
        user = job.reply.person.user
        if job.reply.channel:
            try:
                await self._client.chat_postEphemeral(channel=job.reply.channel, user=user, **_content(job.message))
                return
            except SlackApiError as error:
                if verdict(error).kind != "never":
                    raise
        await self._post(NewMessage(user, job.message))

    async def _respond(self, job: Reply) -> bool:
        """Whether Slack accepted the answer at its `response_url`."""
        body = {"response_type": "ephemeral", "replace_original": False, **_content(job.message)}
        try:
            async with self._session.post(
                job.reply.response_url, json=body, allow_redirects=False, proxy=proxy_for(job.reply.response_url),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT), ssl=self._client.ssl or True,
            ) as response:  # fmt: skip
                return response.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False


def usable(url: str) -> bool:
    """Whether a URL can be called: http or https, with a host and without credentials."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def _content(message: Message, mark: str = "") -> Mapping[str, Any]:
    content: dict[str, Any] = {"text": message.text, "blocks": list(message.blocks)}
    carried = ({"note": message.note} if message.note else {}) | ({"mark": mark} if mark else {})
    if carried:
        content["metadata"] = {"event_type": NOTE if message.note else MARK, "event_payload": carried}
    return content
