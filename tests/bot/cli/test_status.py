"""`countersign status`: one screen, and the same as JSON."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from bot import __version__
from bot.cli.lazy import COMMANDS, GROUPS, PANELS
from bot.cli.main import app
from tests.bot.hosting import Host


async def test_status_counts_what_is_pending_and_says_what_stops_the_bot(host: Host) -> None:
    await host.ask()
    code, text = await host.type("status", "--json", app=app)
    told = json.loads(text)
    assert (told["pending"], told["open"], told["overdue"]) == (1, 0, 0)
    assert told["log"]["entries"] > 0
    assert told["versions"]["countersign"] == __version__
    assert (code, told["ready"]) == (1, False)
    assert "SLACK_BOT_TOKEN is not set." in told["troubles"]
    code, text = await host.type("status", app=app)
    assert text.startswith("NOT READY SLACK_BOT_TOKEN is not set.")
    assert "Pending 1" in text


def test_help_groups_the_commands_and_names_an_example_of_each() -> None:
    text = CliRunner().invoke(app, ["--help"]).output
    for panel in ("Policy", "Run", "People", "Log", "Evidence"):
        assert f"{panel} " in text
    assert "countersign log verify" in text
    assert "--show-completion" in text


def test_every_command_has_a_heading() -> None:
    assert set(PANELS) == {*COMMANDS, *GROUPS, "init", "run", "migrate", "manifest", "doctor", "demo"}
