"""`countersign requests …`: requests on the host, for when Slack is down.

A request can be read and denied here, and its open grant revoked; nothing else. Nobody can approve on the host: the operator
is not the domain's owner, so there is no such command, and asking for one prints that. An act is one transaction beside a
running bot, under the same lock; the outbox notifies everybody, at once or at the bot's next start. Exit codes: 0 done, 1 refused, 2 wrong use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from typer.core import TyperGroup

from bot.cli.errors import misused, refused
from bot.cli.host_store import accepted_policy, opened_store
from bot.cli.printing import requests as printing
from bot.clock import SystemClock, read_request_id
from bot.domain.case.click import Rejected
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.errors import PolicyError, Stale, TooLate
from bot.domain.policy.model import Policy
from bot.domain.workflow.asks.approval import deny_on_host
from bot.domain.workflow.filing_form import REASON_MAX
from bot.domain.workflow.grant_end import finish_on_host, open_grant, revoke_on_host
from bot.terminal import say, say_json, say_table

if TYPE_CHECKING:
    from bot.ports.store import Store

Judge: TypeAlias = Callable[[Case, Policy, str, datetime], Transition | Rejected]
GIVING = frozenset({"approve", "accept", "yes", "open", "grant", "extend", "renew", "ratify", "restore", "confirm"})
NOBODY_GIVES = (
    "Nobody can approve on the host: only the people whom the policy names for the domain give access, in Slack. "
    "If they cannot be reached, use your sealed path and record it afterwards."
)
LIMIT, TRIES = 10_000, 8


class NothingGives(TyperGroup):
    """Has no command that gives access, and says so when one is typed."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name.lower() in GIVING:
            say(NOBODY_GIVES, error=True)
            raise typer.Exit(2)
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=NothingGives, no_args_is_help=True, help="Requests on the host, for when Slack is down. Nobody can approve here."
)
Id = Annotated[str, typer.Argument(metavar="ID", help="R- and eight characters; case and dashes do not matter.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; the requester reads it.", show_default=False)]


@app.command("list")
def list_requests(
    as_json: Json = False, everything: Annotated[bool, typer.Option("--all", help="The closed ones too.")] = False
) -> None:
    """Print the requests that are pending or whose grant is open."""

    async def work() -> None:
        async with opened_store(read_only=True) as store:
            found = await store.cases.requests(LIMIT, closed_too=everything)
            policy = await accepted_policy(store)
        if as_json:
            say_json([printing.listed(one) for one in found])
        else:
            plain = "\n".join(printing.table(policy, found)) or "Nothing is pending or open."
            say_table(printing.HEADS, [printing.cells(policy, one) for one in found], plain, printing.COLOURS)

    _run(work())


@app.command("file")
def file_request(
    runbook: Annotated[str, typer.Argument(metavar="RUNBOOK")],
    person: Annotated[
        str, typer.Option("--for", metavar="PERSON", help="Who telephones: U…, TEAM/U… or a label.", show_default=False)
    ],
    target: Annotated[str, typer.Option("--target", help="What it is about.", show_default=False)],
    reason: Reason,
    field: Annotated[
        list[str] | None, typer.Option("--field", metavar="NAME=VALUE", help="A field of the runbook; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """File for a provider's engineer who telephones, while Slack does not answer. Somebody signs before anything opens."""
    from bot.cli.slack_down import file_request as filing

    async def work() -> None:
        case = await filing.filed(runbook, person, target, _reason(reason), field or ())
        async with opened_store(read_only=True) as store:
            policy = await accepted_policy(store)
        if as_json:
            say_json(printing.whole(policy, case))
        else:
            say("\n".join(filing.lines(policy, case)))

    _run(work())


@app.command()
def show(
    request: Id, as_json: Json = False,
    body: Annotated[bool, typer.Option("--body", help="Print the runbook's text too, once it is open.")] = False,
) -> None:  # fmt: skip
    """Print everything of one request; with --body what its executor reads once it is open."""
    case_id = _id(request)

    async def work() -> None:
        async with opened_store(read_only=True) as store:
            case, policy = await _case(store, case_id), await accepted_policy(store)
            text = await _body(store, case) if body else ""
        if as_json:
            say_json(printing.whole(policy, case) | ({"body": text} if body else {}))
        elif body:
            say(text)
        else:
            say("\n".join(printing.whole_lines(policy, case, SystemClock().now())))

    _run(work())


@app.command()
def finish(request: Id) -> None:
    """End an open grant that is given back, for the person who telephones."""
    _act(_id(request), "", _finished, "finished", "What its runbook asks for afterwards is still owed.")


@app.command()
def deny(request: Id, reason: Reason) -> None:
    """Deny a pending request, finally."""
    _act(_id(request), _reason(reason), deny_on_host, "denied", "Nothing was opened.")


@app.command()
def revoke(request: Id, reason: Reason) -> None:
    """End an open grant before its time."""
    _act(_id(request), _reason(reason), revoke_on_host, "revoked", "End the session in the target system, too.")


def _act(case_id: str, reason: str, judge: Judge, done: str, rest: str) -> None:
    async def work() -> None:
        async with opened_store(read_only=False) as store:
            sentence = await _retry_on_conflict(store, case_id, reason, judge)
        if sentence is not None:
            refused(sentence)
        say(f"{case_id} is {done}. {rest} The bot tells everybody as soon as it runs and Slack answers.")

    _run(work())


async def _retry_on_conflict(store: Store, case_id: str, reason: str, judge: Judge) -> str | None:
    """Commits the act, or returns the sentence why it would change nothing. Raises Stale after TRIES conflicts."""
    policy = await accepted_policy(store)
    if policy is None:
        raise PolicyError("The database holds no policy that this version can read. Start the bot once.")
    for attempt in range(TRIES):
        case, now = await _case(store, case_id), SystemClock().now()
        act = judge(case, policy, reason, now)
        if isinstance(act, Rejected):
            return _why(policy, case, act, now)
        try:
            await store.commit(act)
            return None
        except (Stale, TooLate):
            if attempt == TRIES - 1:
                raise
    return None


def _finished(case: Case, policy: Policy, _reason: str, now: datetime) -> Transition | Rejected:
    return finish_on_host(case, policy, now)


async def _body(store: Store, case: Case) -> str:
    """The runbook as approved, once the request is open. Exits with 1 before, and after its end."""
    from handlers.views.receipt import body_of

    if isinstance(open_grant(case, SystemClock().now()), Rejected):
        refused(f"{case.id} is not open, and its text is read only while it is. See: countersign requests show {case.id}")
    content = await store.policies.file_by_hash(case.request.runbook_sha256)
    if content is None:
        refused(f"The file of {case.request.runbook} is not in the database.")
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in body_of(content))


def _why(policy: Policy, case: Case, no: Rejected, now: datetime) -> str:
    """What was decided, by whom and when, and what can be done instead."""
    said = f"Nothing was changed. {printing.outcome(policy, case, now)}"
    if case.request.drill is not None:
        return said
    if no.sentence == "lost" and case.grant is not None and now < case.grant.not_after and case.grant.ended_at is None:
        return f"{said} To end it: countersign requests revoke {case.id} --reason TEXT"
    if no.sentence == "no_grant" and case.request.state == "pending" and now < case.approval.expires_at:
        return f"{said} To refuse it: countersign requests deny {case.id} --reason TEXT"
    return said


async def _case(store: Store, case_id: str) -> Case:
    case = await store.cases.case(case_id)
    if case is None:
        refused(f"There is no request {case_id}. See: countersign requests list --all")
    return case


def _id(text: str) -> str:
    case_id = read_request_id(text)
    if case_id is None:
        misused(f"{text!r} is no request id; one looks like R-7K3M9QX2.")
    return case_id


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        misused("Give a reason: the requester reads it, and the log keeps it.")
    if len(reason) > REASON_MAX:
        misused(f"A reason has at most {REASON_MAX} characters.")
    return reason


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)
