"""`countersign requests file`: files for a provider's engineer who telephones, only while Slack does not answer.

The request goes through the bot's inbox like any other, so that every brake counts and the same process judges it; the command waits
for what comes of it. Source: signed-decisions.md, "When Slack is down".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from bot.cli.errors import misused, refused
from bot.cli.host_store import accepted_policy, opened_store
from bot.cli.printing import requests as printing
from bot.clock import SystemClock
from bot.domain.authority.person_lookup import named
from bot.domain.case.model import Case
from bot.domain.errors import PolicyError
from bot.domain.policy.model import Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.workflow.filing_form import check, provider_asking
from bot.domain.workflow.slack_down import host_filing
from bot.ports.commands import FileRequest
from bot.service.filing import form_of
from bot.settings import Settings, load

if TYPE_CHECKING:
    from bot.ports.store import Store

PATIENCE, LOOK, SLACK = 20.0, 0.2, 5.0  # seconds: for the bot, between two looks, and for Slack


async def filed(runbook: str, person: str, target: str, reason: str, fields: Sequence[str]) -> Case:
    """Files it and returns the case. Exits with 1 where it is refused, with 2 where it is written wrongly."""
    settings = load()
    async with opened_store(read_only=False) as store:
        policy = await accepted_policy(store)
        if policy is None:
            raise PolicyError("The database holds no policy that this version can read. Start the bot once.")
        act = _command(policy, runbook, person, target, reason, fields)
        if await slack_answers(settings):
            refused("Slack answers: the engineer asks there, in their own name. On the host nothing is filed meanwhile.")
        await store.inbox.take_in(f"host:{act.id}", act, {"id": act.id})
        return await _judged(store, act)


async def slack_answers(settings: Settings) -> bool:
    """Whether Slack takes calls of this app at all; a proxy that refuses, and a token that Slack does not accept, are no answer."""
    from handlers.web_api.client import SlackClient
    from handlers.web_api.errors import CALL_ERRORS, UNANSWERED, verdict

    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    client = SlackClient(token, base_url=settings.slack_api_url, retry_handlers=[])
    try:
        await asyncio.wait_for(client.auth_test(), SLACK)
    except CALL_ERRORS as error:
        return verdict(error).error not in UNANSWERED
    return True


def _command(policy: Policy, runbook: str, person: str, target: str, reason: str, fields: Sequence[str]) -> FileRequest:
    book, clock = policy.runbooks.get(runbook), SystemClock()
    if book is None:
        misused(f"There is no runbook {runbook!r}. There are: {', '.join(policy.runbooks)}.")
    no = host_filing.refusal(policy, book)
    if no is not None:
        refused(no)
    today = clock.now().date()
    act = FileRequest(
        clock.request_id(), _caller(policy, book, person), runbook, target, reason, book.default_duration,
        dict(_field(text) for text in fields), until=_until(book, today), by_host=True,
    )  # fmt: skip
    errors = check(policy, form_of(act), today)
    if errors:
        refused("\n".join(f"{error.field}: {error.text}" for error in errors))
    return act


def _until(runbook: Runbook, today: date) -> str:
    """The last day of what ends on a date."""
    return str(today + timedelta(seconds=runbook.default_duration)) if runbook.kind == "policy_exception" else ""


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        misused(f"--field {text!r} is not `name=value`.")
    return name, value


def _caller(policy: Policy, runbook: Runbook, text: str) -> Person:
    """Who telephones: a label of `people:`, or an account of a provider that may ask."""
    asking = [provider for provider in policy.providers.values() if provider.id in runbook.providers]
    teams = dict.fromkeys((*policy.workspaces, *(team for provider in asking for team in provider.workspaces)))
    team, slash, user = text.partition("/")
    accounts = [Person(team, user)] if slash else [Person(one, text) for one in teams]
    known = named(policy, text)
    accounts += [known] if known is not None else []
    found = next((one for one in accounts if (asks := provider_asking(policy, one)) is not None and asks in asking), None)
    if found is None:
        refused(f"{text!r} is nobody who may ask under {runbook.title}. Name an account of its providers, U… or TEAM/U….")
    return found


async def _judged(store: Store, act: FileRequest) -> Case:
    """What the bot made of it."""
    clock = SystemClock()
    end = clock.now() + timedelta(seconds=PATIENCE)
    while (case := await store.cases.case(act.id)) is None:
        for row in await store.log.of_case(act.id):
            if row.type == "request.refused":
                refused(f"It was refused ({_why(row.data)}). `countersign requests list` shows what is pending.")
        if clock.now() >= end:
            refused(
                f"{act.id} is taken in, and the bot has not looked at it: is it running? Then see requests show {act.id}."
            )
        await asyncio.sleep(LOOK)
    return case


def _why(data: bytes | None) -> str:
    entry = json.loads(data) if data else {}
    return str((entry.get("data") or {}).get("reason_code", "refused"))


def lines(policy: Policy | None, case: Case) -> list[str]:
    """What was filed, and who was asked."""
    asked = ", ".join(printing.name(policy, person) for person in case.approval.asked) or "nobody yet"
    return [
        f"{case.id} is filed for {printing.name(policy, case.request.requester)}. Nobody has verified the caller: call back.",
        f"Asked: {asked}. They are paged; a yes is signed on the page. See: countersign requests show {case.id}",
    ]
