"""The manifest names what is used, no more and no less."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import handlers
from handlers import ids
from handlers.inbound.commands import COMMANDS, MESSAGE_SHORTCUTS, SHORTCUTS
from handlers.web_api.manifest import EVENTS, SCOPES, manifest, scopes

SOURCES = sorted(Path(handlers.__file__).parent.rglob("*.py"))
FAMILIES = ("auth", "apps", "views", "chat", "users", "conversations", "dnd", "reactions", "files", "team", "bots")


def called() -> set[str]:
    """Every Web API method that the package calls, as `client.chat_update` or by its name."""
    found: set[str] = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                head, _, tail = node.func.attr.partition("_")
                if head in FAMILIES and tail:
                    found.add(f"{head}.{tail.replace('_', '.') if head == 'apps' else _camel(tail)}")
                if node.func.attr == "api_call" and node.args and isinstance(node.args[0], ast.Constant):
                    found.add(str(node.args[0].value))
    return found


def _camel(tail: str) -> str:
    head, *rest = tail.split("_")
    return head + "".join(part.title() for part in rest)


def test_every_method_that_is_called_has_its_scope_in_the_manifest() -> None:
    assert {"chat.postMessage", "chat.postEphemeral", "chat.update", "views.open", "views.update", "users.info"} <= called()
    assert called() <= set(SCOPES)
    declared = set(manifest()["oauth_config"]["scopes"]["bot"])
    assert {scope for method in called() for scope in SCOPES[method]} <= declared
    assert declared == set(scopes())


def test_no_scope_is_asked_for_that_no_method_needs() -> None:
    assert {method for method, needed in SCOPES.items() if needed} <= called()
    used = (
        {scope for method in called() for scope in SCOPES[method]}
        | {s for each in EVENTS.values() for s in each}
        | {"commands"}
    )
    assert used == set(scopes())


@pytest.mark.parametrize("prefix", ["", "cs-"])
def test_every_command_and_shortcut_that_is_served_is_declared(prefix: str) -> None:
    features = manifest(prefix)["features"]
    assert {c["command"] for c in features["slash_commands"]} == {f"/{prefix}{name}" for name in COMMANDS}
    assert all(c["should_escape"] for c in features["slash_commands"])
    assert {s["callback_id"] for s in features["shortcuts"] if s["type"] == "global"} == set(SHORTCUTS)
    assert {s["callback_id"] for s in features["shortcuts"] if s["type"] == "message"} == set(MESSAGE_SHORTCUTS)
    assert all(re.fullmatch(r"/[a-z0-9_-]{1,31}", c["command"]) for c in features["slash_commands"])


def test_without_an_address_it_is_socket_mode_and_with_one_signed_http() -> None:
    socket = manifest()
    assert socket["settings"]["socket_mode_enabled"] is True
    assert "url" not in str(socket)
    for url in ("https://bot.example", "https://bot.example/", "https://bot.example/slack/events"):
        http = manifest(url=url)
        assert http["settings"]["socket_mode_enabled"] is False
        assert http["settings"]["interactivity"]["request_url"] == "https://bot.example/slack/events"
        assert {c["url"] for c in http["features"]["slash_commands"]} == {"https://bot.example/slack/events"}


def test_lengths_that_slack_demands() -> None:
    made = manifest("a-long-prefix-")
    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
    assert all(len(s["name"]) <= 24 and len(s["description"]) <= 150 for s in made["features"]["shortcuts"])
    assert made["settings"]["event_subscriptions"]["bot_events"] == list(EVENTS)
    assert ids.command("cs-", "reset") == "/cs-reset"
