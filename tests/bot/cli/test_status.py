"""`countersign status`: one screen, and the same as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from typer.testing import CliRunner

from bot import __version__
from bot.cli.lazy import COMMANDS, GROUPS, PANELS
from bot.cli.main import app
from bot.cli.status import signing_line
from bot.ports.records import StoredPolicy
from tests.bot.evidence.signed_log import OLGA, OLGA2, RUTH, Writer, signed_policy
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


async def test_status_counts_the_passkeys_that_count_and_those_that_wait(tmp_path: Path) -> None:
    """The owner's key stands in the first set with keys, a risk owner's in a later one that nobody endorsed."""
    writer = await Writer(tmp_path / "countersign.db").open()
    first, later = signed_policy({"olga": (OLGA, OLGA2)}), signed_policy({"olga": (OLGA, OLGA2), "ruth": (RUTH,)})
    await writer.load(first)
    told = {"counting": 2, "people": 1, "waiting": 0, "endorsements": 0}
    assert await signing_line(writer.store, first, writer.clock.now()) == {"passkeys": told}
    stored = StoredPolicy(later.digest, writer.clock.now(), later.files)
    await writer.store.policies.accept(stored, [], replaced_binds_until=writer.clock.now() + timedelta(hours=72))
    assert await signing_line(writer.store, later, writer.clock.now()) == {"passkeys": told | {"waiting": 1}}
    plain = replace(later, signing=None)
    assert await signing_line(writer.store, plain, writer.clock.now()) == {}
    await writer.store.close()


def test_help_groups_the_commands_and_names_an_example_of_each() -> None:
    text = CliRunner().invoke(app, ["--help"]).output
    for panel in ("Policy", "Run", "People", "Log", "Evidence"):
        assert f"{panel} " in text
    assert "countersign log verify" in text
    assert "--show-completion" in text


def test_every_command_has_a_heading() -> None:
    assert set(PANELS) == {*COMMANDS, *GROUPS, "init", "run", "migrate", "manifest", "doctor", "demo"}
