"""`countersign log hold …` and the other operator actions that two people must confirm.

`hold place` takes effect at once, because it only keeps data. Everything else is only *filed*: one transaction beside a running
bot, which then asks auditors and risk owners (`bot.domain.operator.dual_control`). What cannot be filed is refused at once,
with the reason. Exit codes: 0 filed, 1 refused, 2 wrong use.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.dates import moment
from bot.cli.errors import misused, refused
from bot.cli.host_store import accepted_policy, opened_store
from bot.clock import SystemClock, read_request_id
from bot.decision_log.signer import remembered
from bot.domain.case.operator_action import PREFIX, ActKind, Hold, OperatorAction
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import PolicyError
from bot.domain.operator import dual_control, erasure
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow.filing_form import REASON_MAX
from bot.settings import load
from bot.terminal import say, say_aside

if TYPE_CHECKING:
    from bot.ports.store import Store

_REF = re.compile(r"sub_[a-z2-7]{26}")
_ACCOUNT = re.compile(r"[TE][A-Z0-9]{2,20}/[UW][A-Z0-9]{2,20}")
HOLD = "H-"
hold_app = typer.Typer(no_args_is_help=True, help="Holds: what they cover is not erased.")
Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="A pseudonym of the log (sub_…), or TEAM/USER.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; the log keeps it.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Adds the operator's commands to `countersign log`."""
    app.command("erase")(erase)
    app.command("prune")(prune)
    app.command("new-epoch")(new_epoch)
    app.add_typer(hold_app, name="hold")


def erase(subject: Subject, reason: Reason) -> None:
    """File that everything the log discloses about SUBJECT is erased: two people confirm it in Slack."""
    why = _reason(reason)

    async def filed(store: Store, clock: SystemClock, policy: Policy) -> OperatorAction:
        person, now = await _subject(store, subject), clock.now()
        kept = await _retention(store, policy, now)
        no = erasure.refusal(await store.operator.subject_record(person), kept, now)
        if no is not None:
            refused(no)
        return OperatorAction(_fresh(PREFIX, clock), "erase", why, now, now + dual_control.WINDOW, person)

    file_act(filed)


def prune(
    before: Annotated[str, typer.Option("--before", metavar="DATE", help="Such as 2026-01-31, midnight UTC.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; the log keeps it.")] = "",
) -> None:
    """File that entries of before DATE are emptied, in whole bundles of 256: two people confirm it in Slack."""
    until = moment(before, f"{before!r} is no date; write 2026-01-31.")

    async def filed(store: Store, clock: SystemClock, _policy: Policy) -> OperatorAction:
        if not await store.operator.prunable(until):
            refused(
                f"Nothing can be emptied: no whole bundle of 256 entries is older than {before}, over, and held by nobody."
            )
        now = clock.now()
        return OperatorAction(
            _fresh(PREFIX, clock), "prune", reason.strip()[:REASON_MAX], now, now + dual_control.WINDOW, before=until
        )

    file_act(filed)


def new_epoch(reason: Reason) -> None:
    """File that a stopped log goes on, after entries were lost, under a new name and key: two people confirm it in Slack."""
    why = _reason(reason)

    async def filed(store: Store, clock: SystemClock, _policy: Policy) -> OperatorAction:
        if not isinstance(await remembered(store.log, load().state_dir), LogFinding):
            refused("The signer does not refuse this log, so there is nothing to begin anew. See: countersign log verify")
        now = clock.now()
        return OperatorAction(_fresh(PREFIX, clock), "new_epoch", why, now, now + dual_control.WINDOW)

    file_act(filed)


@hold_app.command("place")
def hold_place(subject: Subject, reason: Reason) -> None:
    """Keep everything that the log discloses about SUBJECT, what is written later included. Acts at once."""
    why = _reason(reason)

    async def work() -> None:
        async with opened_store(read_only=False) as store:
            policy, person, clock = await _policy(store), await _subject(store, subject, known=False), SystemClock()
            placed = Hold(_fresh(HOLD, clock), person, clock.now())
            await store.commit(dual_control.place(placed, why, policy))
        say(placed.id)
        say_aside(
            f"Nothing that the log discloses about {subject} is erased from now on. To end it, which two people confirm:"
            f" countersign log hold release {placed.id} --reason TEXT"
        )

    asyncio.run(work())


@hold_app.command("release")
def hold_release(
    hold: Annotated[str, typer.Argument(metavar="ID", help="The hold's id, H- and eight characters.")], reason: Reason
) -> None:
    """File the end of a hold: two people confirm it in Slack."""
    why, hold_id = _reason(reason), _hold_id(hold)

    async def filed(store: Store, clock: SystemClock, _policy: Policy) -> OperatorAction:
        standing = await store.operator.hold(hold_id)
        if standing is None:
            refused(f"There is no hold {hold_id}, or it is released already.")
        now = clock.now()
        return OperatorAction(
            _fresh(PREFIX, clock), "hold_release", why, now, now + dual_control.WINDOW, standing.subject, hold_id
        )

    file_act(filed)


def file_act(make: Callable[[Store, SystemClock, Policy], Awaitable[OperatorAction]], kind: ActKind = "erase") -> None:
    """Files the action that `make` returns and prints its id; to a person at a terminal also who has to confirm it."""
    first = "owner" if kind == "provider_end" else "auditor"

    async def work() -> None:
        async with opened_store(read_only=False) as store:
            policy = await _policy(store)
            if not dual_control.possible(policy, kind):
                refused(f"The policy names no {first} and risk owner who are two people, so nobody could confirm this.")
            act = await make(store, SystemClock(), policy)
            await store.commit(dual_control.file(act, policy))
        say(act.id)
        say_aside(
            f"Filed; nothing has changed yet. The running bot asks in Slack: an {first} and a risk owner, two people, press Confirm by"
            f" {act.expires_at:%Y-%m-%d %H:%M} UTC. One Refuse, or no answer until then, and nothing changes."
        )

    asyncio.run(work())


async def _retention(store: Store, policy: Policy, now: datetime) -> timedelta:
    """How long evidence is kept, in real time, by the longest time of all sets that bind."""
    from bot.background.policy_reload import accepted_sets

    scale = load().time_scale
    sets = await accepted_sets(store, now, scale)
    return timedelta(seconds=(policy.retention if sets is None else sets.retention(now)) / scale)


async def _policy(store: Store) -> Policy:
    policy = await accepted_policy(store)
    if policy is None:
        raise PolicyError("The database holds no policy that this version can read. Start the bot once.")
    return policy


async def _subject(store: Store, text: str, *, known: bool = True) -> Person:
    """Resolves SUBJECT; `known`: the log must have named them."""
    if _REF.fullmatch(text):
        person = await store.operator.person_of(text)
        if person is None:
            refused(f"The log names nobody by {text}, or they were erased.")
        return person
    if not _ACCOUNT.fullmatch(text):
        misused(f"{text!r} is no subject: write a pseudonym of the log (sub_…), or TEAM/USER.")
    person = Person.parse(text)
    if known and await store.operator.ref_of(person) is None:
        refused(f"The log never named {text}, or they were erased.")
    return person


def _hold_id(text: str) -> str:
    plain = text.strip().upper()
    found = read_request_id(plain.removeprefix(HOLD)) if plain.startswith(HOLD) else None
    if found is None:
        misused(f"{text!r} is no id of a hold; one looks like H-7K3M9QX2.")
    return HOLD + found.removeprefix("R-")


def _fresh(prefix: str, clock: SystemClock) -> str:
    return prefix + clock.request_id().removeprefix("R-")


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        misused("Give a reason: those who confirm read it, and the log keeps it.")
    if len(reason) > REASON_MAX:
        misused(f"A reason has at most {REASON_MAX} characters.")
    return reason
