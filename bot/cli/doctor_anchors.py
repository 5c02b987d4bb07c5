"""The findings of `countersign doctor` on anchors: how much of the decision log could be rewritten undetected.

Only checkpoints that left the host count; those in our Slack messages and the audit channel do not: this host can edit them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.decision_log.anchors import MAIL, WEBHOOK, WITNESS
from bot.diagnostics import Diagnosis, listed, warning
from bot.ports.database import may_exist
from bot.settings import Settings
from storage.opening import open_database

_NAMES = {WITNESS: "the witness", MAIL: "mail to the auditors", WEBHOOK: "the webhook of a separate Slack app"}


@dataclass(frozen=True, slots=True)
class Anchored:
    """The newest anchor of one kind."""

    size: int
    at: datetime


def configured(settings: Settings) -> tuple[str, ...]:
    """The kinds of real anchors that the settings name."""
    named = ((WITNESS, settings.witness_url), (MAIL, settings.anchor_mail), (WEBHOOK, settings.anchor_webhook))
    return tuple(kind for kind, value in named if value is not None)


async def look(settings: Settings, clock: Clock) -> list[Diagnosis]:
    """Looks them up for an installation. Raises SettingsError, SchemaError, StorageError."""
    kinds, path = configured(settings), settings.database
    if not may_exist(path):
        return examine(kinds, {}, 0)
    store = await open_database(path, clock, read_only=True)
    try:
        newest = {kind: Anchored(*found) for kind, found in (await store.anchors.newest()).items()}
        return examine(kinds, newest, (await store.log.head()).size)
    finally:
        await store.close()


def examine(kinds: tuple[str, ...], newest: Mapping[str, Anchored], entries: int) -> list[Diagnosis]:
    """One finding on what can be rewritten undetected, and one for each kind that never succeeded."""
    if not kinds:
        return [
            warning(
                "anchors",
                "No anchor is configured: whoever can write this host's files and keys can rewrite the whole decision log,"
                " from its first entry on, and nobody can tell. Set COUNTERSIGN_WITNESS_URL, COUNTERSIGN_ANCHOR_MAIL or"
                " COUNTERSIGN_ANCHOR_WEBHOOK. (Messages in Slack do not count: this host can edit them.)",
            )
        ]
    found = [
        warning("anchors", f"{_NAMES[kind].capitalize()} has no checkpoint yet: see `countersign log anchor`.")
        for kind in kinds
        if kind not in newest
    ]
    best = max((newest[kind] for kind in kinds if kind in newest), key=lambda a: a.size, default=None)
    return [*found, warning("anchors", _sentence(kinds, newest, best, entries))]


def _sentence(kinds: tuple[str, ...], newest: Mapping[str, Anchored], best: Anchored | None, entries: int) -> str:
    if best is None:
        return (
            "Nothing is anchored yet: the whole decision log can still be rewritten unseen by whoever can write this host."
        )
    ways = listed(_NAMES[kind] for kind in kinds if kind in newest)
    since = max(entries - best.size, 0)
    rest = f"the {since} written since" if since else "what is written from now on"
    return (
        f"The first {best.size} entries are anchored outside ({ways}; last at {best.at:%Y-%m-%d %H:%M} UTC): rewriting them"
        f" would show there. Still to be rewritten unseen by whoever can write this host: {rest}, until the next anchor."
    )
