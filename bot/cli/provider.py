"""`countersign provider …`: a provider is suspended, or ended, on the host.

A suspension counts at once in every domain that serves the provider, also while Slack is down, and through the emergency file
while the log is stopped; owners lift it in Slack. Exit codes: 0 done, 1 refused, 2 wrong use, an unknown name included.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.errors import misused, refused
from bot.cli.host_store import accepted_policy, opened_store
from bot.clock import SystemClock
from bot.domain.errors import PolicyError
from bot.domain.policy.model import Policy
from bot.domain.policy.provider import Provider
from bot.domain.workflow.filing_form import REASON_MAX
from bot.domain.workflow.providers.suspension import named
from bot.terminal import say, say_table

if TYPE_CHECKING:
    from bot.ports.store import Store

app = typer.Typer(no_args_is_help=True, help="Providers on the host: suspend one at once, or end its contract.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The provider's id or name in the policy.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; owners read it, and the log keeps it.", show_default=False)]


@app.command()
def suspend(name: Name, reason: Reason) -> None:
    """Suspend a provider at once, in every domain: nothing is filed or opens, what is pending expires, what is open ends."""
    from bot.service.providers import suspend_everywhere

    why = reason_of(reason)

    async def work() -> None:
        async with opened_store(read_only=False) as store:
            policy = await policy_of(store)
            provider = provider_of(policy, name)
            domains = await suspend_everywhere(store, SystemClock(), policy, provider, why)
        if not domains:
            refused(f"{provider.name} is suspended everywhere already.")
        plain = f"{provider.name} is suspended in {', '.join(d.name for d in domains)}."
        say_table(
            (f"{provider.name} is suspended in", "Who lifts it"),
            [(d.name, policy.name_of(d.owner)) for d in domains],
            plain,
            {},
        )
        say("The bot ends what is open as soon as it runs. End sessions in the target systems, too.")
        say("An owner of each domain lifts it in Slack, with Lift suspension.")

    asyncio.run(work())


@app.command()
def end(name: Name, reason: Reason = "") -> None:
    """File that a provider is ended, as at its contract's end: an owner and a risk owner confirm it in Slack."""
    from bot.cli.operator import file_act
    from bot.domain.case.operator_action import PREFIX, OperatorAction
    from bot.domain.operator.dual_control import WINDOW

    why = reason_of(reason) if reason.strip() else ""

    async def filed(store: Store, clock: SystemClock, policy: Policy) -> OperatorAction:
        provider, now = provider_of(policy, name), clock.now()
        id_ = PREFIX + clock.request_id().removeprefix("R-")
        return OperatorAction(id_, "provider_end", why, now, now + WINDOW, hold=provider.id)

    file_act(filed, "provider_end")


async def policy_of(store: Store) -> Policy:
    """The accepted policy. Raises PolicyError where there is none."""
    policy = await accepted_policy(store)
    if policy is None:
        raise PolicyError("The database holds no policy that this version can read. Start the bot once.")
    return policy


def provider_of(policy: Policy, name: str) -> Provider:
    """The provider of this name; exits with 2 for one that the policy does not know."""
    provider = named(policy, name)
    if provider is None:
        misused(f"The policy names no provider {name!r}. It names: {', '.join(sorted(policy.providers)) or 'none'}.")
    return provider


def reason_of(text: str) -> str:
    """The reason without outer spaces; exits with 2 for none, or one that is too long."""
    reason = text.strip()
    if not reason:
        misused("Give a reason: owners read it, and the log keeps it.")
    if len(reason) > REASON_MAX:
        misused(f"A reason has at most {REASON_MAX} characters.")
    return reason
