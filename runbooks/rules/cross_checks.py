"""The rules between things: the whole set is judged, and becomes a policy.

The matrix comes first, as far as it can be trusted; then every runbook on the ground that it offers. Everything found
goes to the report, and a policy is made even then: the loader gives it away only when nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from bot.domain.policy.model import Runbook
from runbooks.parsing.frontmatter import RunbookParts
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.runbook_schema import RunbookShape
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.domains import read_domains
from runbooks.rules.environment import check_addresses, check_executor, check_pages, matrix_addresses
from runbooks.rules.escalation import read_ladders
from runbooks.rules.governance import check_governance, check_narrowing
from runbooks.rules.matrix_salvage import Matrix
from runbooks.rules.on_call import read_rotas
from runbooks.rules.party_separation import check_apart
from runbooks.rules.people import named_people, read_parties
from runbooks.rules.runbook import RunbookContext, read_runbook
from runbooks.rules.signing import read_signing, with_passkeys

MAX_PER_FORM = 100


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The inputs of the checks besides the files. `today` None: contracts are not looked at."""

    environment: Mapping[str, str] | None = None
    require_env: bool = False
    today: date | None = None


@dataclass(frozen=True, slots=True)
class RunbookFile:
    """A runbook whose keys are sound."""

    sheet: ParsedFile
    shape: RunbookShape
    parts: RunbookParts


def read_ground(matrix: Matrix, files: Mapping[str, bytes], around: Circumstances) -> RunbookContext:
    """All checks of the matrix."""
    parties = read_parties(matrix)
    people = with_passkeys(parties, named_people(parties))
    signing = read_signing(matrix.sheet, matrix.shape.signing, files)
    check_apart(parties, around.today)
    auditors = parties.people(matrix.shape.auditors, ("auditors",), "An auditor")
    rotas = read_rotas(parties, files)
    domains = read_domains(parties, around.today)
    check_governance(parties)
    check_addresses(matrix.sheet, matrix_addresses(matrix), around.environment, around.require_env)
    return RunbookContext(parties, people, auditors, domains, rotas, read_ladders(matrix), files, signing)


def read_books(books: list[RunbookFile], ground: RunbookContext, around: Circumstances) -> dict[str, Runbook]:
    """The runbooks by id."""
    found: dict[str, Runbook] = {}
    for book in books:
        digest = sha256(ground.files[book.sheet.file]).hexdigest()
        runbook = read_runbook(book.sheet, book.shape, book.parts, digest, ground)
        found[runbook.id] = runbook
        check_narrowing(book.sheet, book.shape, ground.parties.matrix.shape, ground.domains)
        check_pages(ground, runbook, book.sheet)
        check_addresses(book.sheet, _addresses(book.shape), around.environment, around.require_env)
        check_executor(book.sheet, book.shape.executor, around.environment, around.require_env)
    _few_enough(ground.parties.matrix, found)
    return found


def _addresses(shape: RunbookShape) -> Iterator[tuple[Path, str]]:
    if shape.executor:
        yield ("executor", "webhook"), shape.executor.webhook
        yield ("executor", "secret"), shape.executor.secret


def _few_enough(matrix: Matrix, runbooks: Mapping[str, Runbook]) -> None:
    counted: dict[tuple[str, str], int] = {}
    for runbook in runbooks.values():
        for provider in runbook.providers:
            counted[provider, runbook.kind] = counted.get((provider, runbook.kind), 0) + 1
    for (provider, kind), count in counted.items():
        if count > MAX_PER_FORM:
            matrix.sheet.error(
                ("providers", provider),
                f"Provider `{provider}` has {count} runbooks of kind {kind} and a form shows {MAX_PER_FORM}: join some.",
            )
