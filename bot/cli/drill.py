"""`countersign drill RUNBOOK`: rehearses a runbook's escalation with the real people, beside the running bot.

The command commits the start of the drill to the bot's database and then only watches: the bot's sweeper asks people, and the
bot records and reports the result. An interrupted command does not end the drill. Exit codes: 0 everybody asked was
reached, 1 somebody was not, or it was refused, 2 wrong use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.errors import misused, refused
from bot.cli.host_store import accepted_policy, opened_store
from bot.cli.printing import drill as printing
from bot.clock import SystemClock
from bot.domain.authority.person_lookup import named
from bot.domain.case.model import Case, Drill
from bot.domain.errors import StorageError
from bot.domain.policy.model import Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.workflow import drill as drilling
from bot.domain.workflow.asks.drill import missed
from bot.settings import Settings, load
from bot.terminal import say, say_json, say_table

if TYPE_CHECKING:
    from bot.ports.store import Store

POLL, PATIENCE, GRACE = 0.5, timedelta(seconds=15), timedelta(seconds=60)  # POLL in seconds


def drill(
    runbook: str,
    fast: Annotated[
        bool, typer.Option("--fast", help="The next step follows an answer, or after 30 s, instead of at its time.")
    ] = False,
    only_me: Annotated[bool, typer.Option("--only-me", help="Send every card and reminder to you alone.")] = False,
    me: Annotated[
        str | None, typer.Option(metavar="PERSON", help="Who you are, for --only-me (COUNTERSIGN_ME): label or id.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Look on until it ends, or only print its id.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Rehearse RUNBOOK's ladder: real people, real pages, the word DRILL in every line, and no access."""
    asyncio.run(_drill(runbook, fast=fast, only_me=only_me, me=me, wait=wait, as_json=as_json))


async def _drill(runbook: str, *, fast: bool, only_me: bool, me: str | None, wait: bool, as_json: bool) -> None:
    settings = load()
    me = me or settings.me
    if only_me and not me:
        misused("Every card goes to you alone: say who you are, with --me PERSON or COUNTERSIGN_ME.")
    async with opened_store(read_only=False) as store:
        policy = await accepted_policy(store)
        if policy is None:
            refused("The database holds no policy that this version can read. Start the bot once.")
        caller = _caller(policy, me) if only_me and me else None
        case_id = await _started(store, policy, _runbook(policy, runbook, settings), Drill(fast, caller), settings)
    if not wait:
        say_json({"id": case_id}) if as_json else say(case_id)
        return
    async with opened_store(read_only=True) as store:
        case = await _watched(store, policy, case_id, lambda text: say(text, error=as_json))
        delivered = {c.to for c in await store.outbox.copies(case_id) if c.purpose == "card" and c.to is not None}
    if as_json:
        say_json(printing.report(policy, case, delivered))
    else:
        rows = printing.rows(policy, case, delivered)
        say()
        say_table(printing.HEAD, rows, printing.table(rows), {"yes": "green", "not": "red", "no": "red"})
        say("\n".join(printing.verdict(policy, case)))
    raise typer.Exit(1 if missed(case) or not case.approval.reached else 0)


async def _started(store: Store, policy: Policy, runbook: Runbook, drill: Drill, settings: Settings) -> str:
    """Starts the drill and returns its id, or exits with the refusal; of two concurrent starts the database accepts one."""
    await _may_start(store, policy, runbook)
    clock = SystemClock()
    case_id = clock.request_id()
    try:
        await store.commit(drilling.start(policy, runbook, case_id, drill, clock.now(), settings.time_scale))
    except StorageError:
        await _may_start(store, policy, runbook)
        raise
    return case_id


async def _may_start(store: Store, policy: Policy, runbook: Runbook) -> None:
    no = drilling.refusal(runbook, policy, await store.cases.running_drill(runbook.id))
    if no is not None:
        refused(no)


async def _watched(store: Store, policy: Policy, case_id: str, tell: Callable[[str], None]) -> Case:
    """Prints progress until the drill has ended. Returns the final case."""
    clock, told = SystemClock(), set[str]()
    tell(f"DRILL {case_id} has started. It goes on if you leave; see: countersign requests show {case_id}")
    while True:
        case = await store.cases.case(case_id)
        assert case is not None  # a case is never deleted
        for line in printing.progress(policy, case):
            if line not in told:
                told.add(line)
                tell(line)
        if case.request.closed_at is not None:
            return case
        now = clock.now()
        if now > case.request.expires_at + GRACE:
            refused(f"{case_id} is past its end and nobody has closed it: start the bot, then countersign requests show.")
        if now > case.request.filed_at + PATIENCE and all(s.state == "waiting" for s in case.approval.steps):
            line = (
                "DRILL Nobody has been asked yet. The running bot does that: is it up, or are these not its working hours?"
            )
            if line not in told:
                told.add(line)
                tell(line)
        await asyncio.sleep(POLL)


def _runbook(policy: Policy, name: str, settings: Settings) -> Runbook:
    found = policy.runbooks.get(name)
    if found is None and (settings.runbooks_dir / f"{name}.md").is_file():
        refused(f"The bot has not loaded {name} yet: start it, or run `countersign check` and wait some seconds.")
    if found is None:
        misused(f"There is no runbook {name!r}. There are: {', '.join(policy.runbooks)}.")
    return found


def _caller(policy: Policy, text: str) -> Person:
    """The person of --only-me: one whom the policy names, or any account of a home workspace written `TEAM/USER`."""
    person = named(policy, text)
    if person is None and text.partition("/")[0] in policy.workspaces and text.partition("/")[2]:
        person = Person.parse(text)
    if person is None:
        misused(f"The policy names nobody by {text!r}; write TEAM/USER.")
    provider = policy.provider_of(person)
    if provider is not None or person.team not in policy.workspaces:
        whose = provider.name if provider else "another workspace"
        misused(f"{text!r} is of {whose}: a drill speaks to {policy.organisation} only.")
    return person
