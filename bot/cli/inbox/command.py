"""`countersign inbox …`: rows of the inbox that this version cannot read, so that `/readyz` is not 503 for ever.

They come from a newer version, or from a database that was changed by hand. `list` shows them, `retry` lets the bot read them
again (as each start does), `discard` gives one up with a reason: the log says so, and the sender gets a message. Exit codes: 0
done, 1 refused, 2 wrong use.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from bot.cli.errors import refused
from bot.cli.host_store import accepted_policy, opened_store
from bot.cli.provider import Reason, reason_of
from bot.domain.case.model import NOBODY
from bot.domain.case.transition import OPERATOR, FileDigest, LogEvent, Private, Transition, Value
from bot.domain.decision_log.entry import stamp
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow import notifications
from bot.ports.records import UnreadableRow
from bot.terminal import say, say_json, say_table

app = typer.Typer(
    no_args_is_help=True, help="Messages that this version could not read: list them, retry them, or discard them."
)

_COLUMNS = ("Row", "Received", "Sender", "Why it cannot be read")


@app.command(name="list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False) -> None:
    """Print the rows in quarantine: id, when it came, whose it is, and why it cannot be read."""
    found = asyncio.run(_quarantined())
    if as_json:
        say_json([_told(row) for row in found])
    else:
        plain = "\n".join("  ".join(_cells(row)) for row in found)
        say_table(_COLUMNS, [_cells(row) for row in found], plain or "Every row of the inbox can be read.", {})


@app.command()
def retry() -> None:
    """Let the bot read every row in quarantine again, at once; each start does so too."""

    async def work() -> int:
        async with opened_store(read_only=False) as store:
            count = len(await store.inbox.unreadable())
            await store.inbox.read_again()
        return count

    count = asyncio.run(work())
    say(f"{count} {'row is' if count == 1 else 'rows are'} read again; see: countersign inbox list")


@app.command()
def discard(
    row_id: Annotated[int, typer.Argument(metavar="ID", help="The row's number, from `countersign inbox list`.")],
    reason: Reason,
) -> None:
    """Give up one row that cannot be read: it is never carried out, the log says so, and its sender gets a message."""
    why = reason_of(reason)

    async def work() -> None:
        async with opened_store(read_only=False) as store:
            row = next((one for one in await store.inbox.unreadable() if one.id == row_id), None)
            if row is None:
                refused(f"No row {row_id} is in quarantine. See: countersign inbox list")
            await store.commit(_given_up(row, why, await accepted_policy(store)))

    asyncio.run(work())
    say(f"Row {row_id} is discarded; /readyz forgets it within a second.")


async def _quarantined() -> list[UnreadableRow]:
    async with opened_store(read_only=True) as store:
        return list(await store.inbox.unreadable())


def _given_up(row: UnreadableRow, why: str, policy: Policy | None) -> Transition:
    """Finishes the row, with its entry and a sentence to its sender where that is known."""
    person = _sender(row)
    data: dict[str, Value] = {"action": "inbox", "why": "discarded", "id": str(row.id)}
    data |= {"subject": person} if person is not None else {}
    named = FileDigest(policy.organisation, policy.digest) if policy is not None else None
    private = (Private("reason", why, person or NOBODY),)
    draft = LogEvent("decision.refused", OPERATOR, data=data, policy=named, private=private)
    text = f"What you sent at {row.received_at:%Y-%m-%d %H:%M} UTC could not be read, and was not carried out. Do it again."
    told = (notifications.answer(None, person, {}, "plain", text=text),) if person is not None else ()
    return Transition(None, None, (draft,), told, inbox=row.id)


def _sender(row: UnreadableRow) -> Person | None:
    try:
        return Person.parse(row.person)
    except ValueError:
        return None


def _told(row: UnreadableRow) -> dict[str, object]:
    return {
        "id": row.id, "received_at": stamp(row.received_at), "since": stamp(row.since), "person": row.person or None,
        "why": _why(row.text),
    }  # fmt: skip


def _cells(row: UnreadableRow) -> tuple[str, str, str, str]:
    at = f"{row.received_at:%Y-%m-%d %H:%M:%S} UTC"
    return str(row.id), at, str(row.person or "sender unknown"), _why(row.text)


def _why(text: str) -> str:
    """Why this version cannot read it, without what somebody typed in it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return "it is no JSON"
    if not isinstance(found, dict):
        return "it is no object"
    return f"this version knows no such command, or other parts of it: kind {str(found.get('kind', 'missing'))[:40]!r}"
