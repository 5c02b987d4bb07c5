"""The message on which somebody used a shortcut. A new message shortcut is one row of `commands.MESSAGE_SHORTCUTS`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from handlers import ids
from handlers.inbound.payloads import Body, PayloadError, typed, whole

_DOMAIN = re.compile("[a-z0-9][a-z0-9-]{0,40}")


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """`text` as it was typed; `ts` is Slack's id of it, seconds since 1970 UTC; `domain` is the workspace's, of `domain`.slack.com."""

    channel: str
    channel_name: str
    ts: str
    text: str
    domain: str = ""


def message_of(body: Body) -> SlackMessage | None:
    """The message in the payload of a message shortcut; None in that of a global one. Raises PayloadError."""
    if body.get("type") != "message_action":
        return None
    message, channel = body.get("message"), body.get("channel")
    if not isinstance(message, Mapping) or not isinstance(channel, Mapping):
        raise PayloadError("Slack sent no message with this shortcut. Try once more.")
    found = (channel.get("id"), channel.get("name", ""), message.get("ts"), message.get("text", ""))
    id_, name, ts, text = (whole(part) if isinstance(part, str) else "" for part in found)
    team = body.get("team")
    domain = team.get("domain") if isinstance(team, Mapping) else ""
    return SlackMessage(id_, name, ts, typed(text), domain if isinstance(domain, str) and _DOMAIN.fullmatch(domain) else "")


def reason_of(message: SlackMessage) -> Mapping[str, str]:
    """What the form of a request holds of it: its link and its text, as the draft of the reason."""
    path = f"archives/{message.channel}/p{message.ts.replace('.', '')}"
    link = f"https://{message.domain}.slack.com/{path}" if message.domain else f"https://slack.com/{path}"
    return {ids.REASON: f"{link}\n{message.text}".strip()}


def place_of(message: SlackMessage) -> Mapping[str, str]:
    """The part of a message that the form of a finding keeps: its link. Its text is not copied: it may contain the secret."""
    name = f"#{message.channel_name}" if message.channel_name else message.channel
    return {ids.TARGET_TEXT: f"Slack message in {name} ({message.channel}/{message.ts})"}
