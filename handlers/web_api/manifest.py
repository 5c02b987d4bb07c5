"""The Slack app manifest, with exactly the scopes and events in use.

SCOPES lists every Web API method that is called with the scopes that it needs; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers import ids
from handlers.views.kit import wording

_CHANNELS = ("channels:read", "groups:read")  # public and private ones
SCOPES: Mapping[str, tuple[str, ...]] = {
    "auth.test": (),
    "apps.connections.open": (),  # the app-level token has connections:write
    "views.open": (),
    "views.update": (),
    "views.publish": (),
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.getPermalink": (),  # a page beyond Slack leads to the card
    "users.info": ("users:read",),
    "dnd.info": ("dnd:read",),  # in an emergency: whose notifications are paused
    "conversations.info": _CHANNELS,  # `doctor` looks at the channels that policy names (rule 11)
    "conversations.members": _CHANNELS,
    "conversations.history": ("im:history",),  # was a direct message posted whose answer was lost?
    "conversations.replies": ("im:history",),
    "blocks.validate": (),  # `doctor --live`
}
# each with the scope that it needs: typed text is answered with what waits, an opened Home is drawn
EVENTS: Mapping[str, tuple[str, ...]] = {"message.im": ("im:history",), "app_home_opened": ()}
PATH = "/slack/events"
# name, type, callback_id, description: a global shortcut is in the composer's menu, a message's in the menu of each message
_SHORTCUTS: tuple[tuple[str, str, str, str], ...] = (
    (wording.SHORTCUT_NAME, "global", ids.SHORTCUT_ASK, wording.SHORTCUT_TEXT),
    (wording.FINDING_NAME, "global", ids.SHORTCUT_FINDING, wording.FINDING_TEXT),
    (wording.ASK_ABOUT_NAME, "message", ids.SHORTCUT_MESSAGE_ASK, wording.ASK_ABOUT_TEXT),
    (wording.FINDING_NAME, "message", ids.SHORTCUT_MESSAGE_FINDING, wording.ABOUT_MESSAGE_TEXT),
)
_ASK_HINT = "[runbook] [reason …]"
_COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("breakglass", "Ask the owner for emergency access", _ASK_HINT),
    ("reset", "Ask the owner for a reset of a credential or second factor", _ASK_HINT),
    ("exception", "Ask the owner for an exception from policy", _ASK_HINT),
    (
        ids.COMMAND_MAIN,
        "What waits for you; help shows the rest",
        "[ask|finding|help|queue|mine|review|show ID|log ID|exceptions|sealed-use|away 2d|post|matrix|whoami]",
    ),
)


def manifest(prefix: str = "", url: str | None = None) -> dict[str, Any]:
    """Returns the manifest. `url` is the public address for signed HTTP; without it the manifest is for Socket Mode."""
    address = _address(url) if url else None
    place = {"url": address} if address else {}
    return {
        "display_information": {"name": wording.BOT_NAME, "description": wording.BOT_TEXT},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
            "bot_user": {"display_name": wording.BOT_NAME, "always_online": True},
            "shortcuts": [
                {"name": name, "type": type_, "callback_id": callback, "description": text}
                for name, type_, callback, text in _SHORTCUTS
            ],
            "slash_commands": [
                {
                    "command": ids.command(prefix, name), "description": text, "usage_hint": hint, "should_escape": True,
                    **place,
                }
                for name, text, hint in _COMMANDS
            ],
        },
        "oauth_config": {"scopes": {"bot": scopes()}},
        "settings": {
            "interactivity": {"is_enabled": True, **({"request_url": address} if address else {})},
            "event_subscriptions": {"bot_events": list(EVENTS), **({"request_url": address} if address and EVENTS else {})},
            "org_deploy_enabled": False,
            "socket_mode_enabled": address is None,
            "token_rotation_enabled": False,
        },
    }  # fmt: skip


def scopes() -> list[str]:
    """The bot token's scopes, sorted. Commands need one of their own."""
    needed = (*SCOPES.values(), *EVENTS.values(), ("commands",))
    return sorted({scope for each in needed for scope in each})


def _address(url: str) -> str:
    plain = url.rstrip("/")
    return plain if plain.endswith(PATH) else plain + PATH
