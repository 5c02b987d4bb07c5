"""What a policy takes from its environment: pages, feeds, an executor's address and secret, and ids still to be filled in.

`page` may be left out everywhere, and a page that would reach nobody is a warning: a step with `page: true`, or an
`immediate` runbook, whose people have no address. An `env:NAME` that is unset is a warning for `check` and an error
for `run`, because the bot reads it at the start; so is an executor's address that is not https and a secret that is no
Standard Webhooks secret. An address written out is a warning too: policy files are exported with the log, and an
address often holds a secret. An id that `countersign init` wrote to be replaced is a warning: it has the form of a real
id, so that every other rule can be checked from the first minute.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from bot.domain.policy.handed_in import value_of
from bot.domain.policy.model import Domain, Role, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.rota import Rota
from bot.domain.policy.trusted_address import trusted
from runbooks.parsing.addresses import may_be_fetched
from runbooks.parsing.findings import PolicyReport
from runbooks.parsing.folder import MATRIX, is_runbook
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.runbook_schema import ExecutorShape
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.matrix_salvage import Matrix
from runbooks.rules.runbook import RunbookContext

SECRET, LEAST = "whsec_", 24  # Standard Webhooks: a prefix, then the base64 of at least so many bytes
_PLACEHOLDER = re.compile(r"\b([UWCGTE])[A-Z0-9]*REPLACE[A-Z0-9]*\b")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_PERSON = "their profile in Slack → ⋮ → Copy member ID"
_CHANNEL = "the channel's name in Slack → About → Channel ID, at the bottom"
_TEAM = "Slack in a browser: the T… of its address"
_FOUND = {"U": _PERSON, "W": _PERSON, "C": _CHANNEL, "G": _CHANNEL, "T": _TEAM, "E": _TEAM}


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
        elif environment is not None and not value_of(address, environment):
            say = sheet.error if required else sheet.warning
            say(path, f"The environment variable {name} is not set: set it, or remove `{path[-1]}`.")
        elif environment is not None and path[-1] == "feed" and not may_be_fetched(value_of(address, environment)):
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


def check_executor(
    sheet: ParsedFile, executor: ExecutorShape | None, environment: Mapping[str, str] | None, required: bool
) -> None:
    """Reports an address that is not https and a secret of another form; `check_addresses` reports what is unset."""
    if executor is None:
        return
    wanted = (
        ("webhook", executor.webhook, trusted, "an address that starts with https://"),
        ("secret", executor.secret, is_secret, f"`{SECRET}` and the base64 of at least {LEAST} random bytes"),
    )
    for key, told, sound, what in wanted:
        name = told.removeprefix("env:")
        value = value_of(told, environment or {})
        if value and not sound(value):
            say = sheet.error if required else sheet.warning
            say(("executor", key), f"The environment variable {name} is not {what}: correct it.")


def is_secret(text: str) -> bool:
    """A symmetric secret as Standard Webhooks has it."""
    try:
        return text.startswith(SECRET) and len(base64.b64decode(text.removeprefix(SECRET), validate=True)) >= LEAST
    except (binascii.Error, ValueError):
        return False


def placeholders(files: Mapping[str, bytes], report: PolicyReport) -> None:
    """Reports every placeholder id in the matrix and the runbooks, with where the real one is found."""
    for path in sorted(files):
        if path != MATRIX and not is_runbook(path):
            continue
        for number, line in enumerate(files[path].decode("utf-8", "replace").split("\n"), 1):
            for found in _PLACEHOLDER.finditer(_COMMENT.sub("", line)):
                where = _FOUND[found[1]]
                report.warning(path, number, f"`{found[0]}` is a placeholder of `init`: put the real id there ({where}).")
