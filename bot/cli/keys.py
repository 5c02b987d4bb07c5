"""`countersign keys …`: makes the signing keys and shows their public halves."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.decision_log.keys import LOG_KEY, PERMIT_KEY, make_keys, read_key
from bot.settings import load
from bot.terminal import say, say_json

app = typer.Typer(no_args_is_help=True, help="The keys that sign the log and permits.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command("init")
def init() -> None:
    """Make the keys that are missing in COUNTERSIGN_STATE_DIR; nothing is overwritten."""
    state_dir = load().state_dir
    made = make_keys(state_dir)
    for path in (state_dir / LOG_KEY, state_dir / PERMIT_KEY):
        say(f"{path}: {'made' if path in made else 'stands already'}")
    if made:
        say("Keep a copy where the bot's host cannot reach it; a lost log key begins a new epoch of the log.")


@app.command("show")
def show(as_json: Json = False) -> None:
    """Print the public keys (Ed25519, 32 bytes, hex). `countersign log vkey` prints the log's for auditors."""
    state_dir = load().state_dir
    found = {name: read_key(state_dir / file).public.hex() for name, file in (("log", LOG_KEY), ("permit", PERMIT_KEY))}
    if as_json:
        say_json(found)
    else:
        say("\n".join(f"{name:<7} {public}" for name, public in found.items()))
