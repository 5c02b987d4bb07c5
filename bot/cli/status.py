"""`countersign status`: what an operator wants to know at once, on one screen, read from settings and database beside a running
bot. Exit codes: 0 nothing stops the bot, 1 something does, 2 wrong use."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from bot import __version__
from bot.cli.host_store import accepted_policy, opened_store, read_policy
from bot.clock import SystemClock
from bot.decision_log.anchors import MAIL, WEBHOOK, WITNESS
from bot.domain.authority.key_changes import stands_in_all
from bot.domain.policy.model import Policy
from bot.ports.database import PostgresServer
from bot.ports.records import RequestLine
from bot.ports.store import Store
from bot.runtime.open_log import log_findings, own_replica
from bot.settings import Settings, load
from bot.terminal import say, say_json, say_table

_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Status:
    """Each line has a name and what it says; `troubles` stop the bot, a sentence each."""

    lines: Mapping[str, object]
    troubles: Sequence[str]


def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False) -> None:
    """Print on one screen whether the bot is ready, and what is open, overdue and due."""
    found = asyncio.run(_read(load()))
    if as_json:
        say_json({"ready": not found.troubles, "troubles": list(found.troubles), **found.lines})
    else:
        say("\n  ".join(["NOT READY", *found.troubles]) if found.troubles else "Ready: nothing stops the bot.")
        rows = [(name.capitalize(), _said(value)) for name, value in found.lines.items()]
        say_table(("", ""), rows, "\n".join(f"{name:<10} {said}" for name, said in rows), {})
    raise typer.Exit(1 if found.troubles else 0)


async def _read(settings: Settings) -> Status:
    clock = SystemClock()
    async with opened_store(read_only=True) as store:
        backlog = await store.overview.backlog(clock.now())
        policy = await accepted_policy(store)
        lines = {
            **await _role(settings),
            "slack": _slack(settings),
            "log": {"entries": backlog.log_size, "anchored": await _anchored(store)},
            **_counted(await store.cases.requests(_LIMIT, closed_too=False)),
            "overdue": backlog.due.count,
            "waiting": {"inbox": backlog.inbox.count, "messages": sum(w.count for w in backlog.outbox.values())},
            "campaigns": [campaign.id for campaign in await store.reviews.campaigns(_LIMIT, closed_too=False)],
            "calendars": _calendars(policy),
            "policy": None if policy is None else policy.digest,
            **await signing_line(store, policy, clock.now()),
            "versions": {"countersign": __version__, "python": platform.python_version()},
        }
    troubles = [*await log_findings(settings, clock)]
    troubles += [] if policy is not None else ["No policy is in force: start the bot once."]
    troubles += [] if settings.slack_bot_token is not None else ["SLACK_BOT_TOKEN is not set."]
    return Status(lines, troubles)


async def _role(settings: Settings) -> dict[str, str]:
    """What this host's replica is, and who leads; nothing with SQLite, where one process is all there is."""
    if not isinstance(settings.database, PostgresServer):
        return {}
    from bot.cli.replicas import found, role

    known = await found(settings.database)
    own = own_replica(settings.state_dir)
    mine = next((role(one) for one in known if one.id == own), "none")
    return {"role": mine, "leader": next((one.host for one in known if one.leads), "none")}


async def signing_line(store: Store, policy: Policy | None, now: datetime) -> dict[str, dict[str, int]]:
    """How many passkeys count for how many people, and how many messages wait for an endorsement; nothing where nothing is signed."""
    if policy is None or policy.signing is None:
        return {}
    older = [read_policy(stored) for stored in (await store.policies.binding(now))[:-1]]
    keys = [(named, key) for named in policy.people for key in named.passkeys]
    counting = [named for named, key in keys if stands_in_all(filter(None, older), named.person, key)]
    people, waiting = len({named.label for named in counting}), len(keys) - len(counting)
    asked = len({copy.case for copy in await store.policies.asking_to_endorse()})
    return {"passkeys": {"counting": len(counting), "people": people, "waiting": waiting, "endorsements": asked}}


def _slack(settings: Settings) -> str:
    if settings.slack_bot_token is None:
        return "no token"
    return "Socket Mode" if settings.slack_app_token is not None else "signed HTTP"


def _counted(found: Sequence[RequestLine]) -> dict[str, int]:
    pending = sum(one.state == "pending" for one in found)
    return {"pending": pending, "open": sum(one.grant == "open" for one in found)}


async def _anchored(store: Store) -> dict[str, int]:
    """The size at which each kind of anchor holds the log."""
    sizes = {kind: await store.anchors.anchored(kind) for kind in (WITNESS, MAIL, WEBHOOK)}
    return {kind: size for kind, size in sizes.items() if size is not None}


def _calendars(policy: Policy | None) -> list[str]:
    return [] if policy is None else sorted(name for name, rota in policy.rotas.items() if rota.feed)


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
