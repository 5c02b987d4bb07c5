"""Pages and other addresses that the environment holds.

`page` may be left out everywhere, and a page that would reach nobody is a warning: a step with `page: true`, or an
`immediate` runbook, whose people have no address. An `env:NAME` that is unset is a warning for `check` and an error
for `run`, because the bot reads it at the start. An address written out is a warning too: policy files are exported
with the log, and an address often holds a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.domain.policy.model import Domain, Role, Rota, Runbook
from bot.domain.policy.people import Person
from runbooks.parsing.addresses import may_be_fetched
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.matrix_salvage import Matrix
from runbooks.rules.runbook import RunbookContext


def check_pages(ground: RunbookContext, runbook: Runbook, sheet: ParsedFile) -> None:
    """Pages that this runbook would send to nobody."""
    domain = ground.domains.get(runbook.domain)
    if domain is None:
        return
    reachable = {named.person for named in ground.people if named.page}
    ladder = ground.ladders.get(runbook.escalation or "")
    for index, step in enumerate(ladder.steps if ladder else ()):
        if step.page and not _has_page(domain, step.role, ground.rotas, reachable):
            ground.parties.matrix.sheet.warning(
                ("escalation_policies", ladder.id if ladder else "", "steps", index),
                f"This step's page goes nowhere in domain `{domain.id}`: give its people, or their rota, a `page`.",
            )
    roles: tuple[Role, ...] = ("owner", "deputies", "on_call", *runbook.requires)
    if runbook.right == "immediate" and not any(_has_page(domain, r, ground.rotas, reachable) for r in roles):
        sheet.warning(
            ("right",),
            f"An immediate request pages at minute 0, and nobody of domain `{domain.id}` has a `page`: add one.",
        )


def _has_page(domain: Domain, role: Role, rotas: Mapping[str, Rota], reachable: set[Person]) -> bool:
    if role == "on_call":
        rota = rotas.get(domain.on_call or "")
        return rota is not None and (rota.page is not None or any(person in reachable for person in rota.people))
    if role == "deputies":
        return any(person in reachable for person in domain.deputies)
    return (domain.owner if role == "owner" else domain.risk_owner) in reachable


def check_addresses(
    sheet: ParsedFile, addresses: Iterator[tuple[Path, str]], environment: Mapping[str, str] | None, required: bool
) -> None:
    """Addresses written out, and `env:` references that the environment does not hold."""
    for path, address in addresses:
        name = address.removeprefix("env:")
        if name == address:
            sheet.warning(
                path, "This address is exported with the log: put it into the environment and write `env:NAME` here."
            )
        elif environment is not None and not environment.get(name):
            say = sheet.error if required else sheet.warning
            say(path, f"The environment variable {name} is not set: set it, or remove `{path[-1]}`.")
        elif environment is not None and path[-1] == "feed" and not may_be_fetched(environment[name]):
            say = sheet.error if required else sheet.warning
            say(path, f"The environment variable {name} holds no `https://` address: set it to the calendar's.")


def matrix_addresses(matrix: Matrix) -> Iterator[tuple[Path, str]]:
    """Every `page` of the matrix, and the feeds that the environment holds."""
    for section in ("people", "rotas"):
        for name, shape in (getattr(matrix.shape, section) or {}).items():
            if shape.page:
                yield (section, name, "page"), shape.page
    for name, rota in (matrix.shape.rotas or {}).items():
        if rota.feed and rota.feed.startswith("env:"):
            yield ("rotas", name, "feed"), rota.feed
