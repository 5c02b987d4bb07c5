"""Judges the delay of policy changes in the stored log, by the policy sets and disclosures of the same database."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import lru_cache

from bot.domain.decision_log.entry_reader import parsed
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.decision_log.verify.policy_delay import TYPES, DelayCheck
from bot.domain.errors import StorageError
from bot.domain.policy.model import Policy
from bot.evidence.people import known_people
from bot.ports.database import Location
from runbooks.loader import load_files
from storage.log.evidence import Evidence, stored_log

_SETS, _LIMIT = 64, 1_000  # policy sets kept in memory; findings that are told


def delay_findings(path: Location) -> list[LogFinding]:
    """Every finding `delay` of a database file. Raises StorageError, SchemaError."""
    with stored_log(path) as log:
        return list(itertools.islice(_findings(log), _LIMIT))


def _findings(log: Evidence) -> Iterator[LogFinding]:
    check = DelayCheck(_sets(log), known_people(log.disclosures()))
    for row in log.rows():
        entry = parsed(row.data)[0] if row.data is not None and row.type in TYPES else None
        if entry is not None:
            yield from check.findings(row.idx, entry)


def _sets(log: Evidence) -> Callable[[str], Policy | None]:
    @lru_cache(_SETS)
    def found(digest: str) -> Policy | None:
        try:
            files = log.policy(digest)
        except StorageError:
            return None
        return load_files({file.path: file.content for file in files}).policy if files else None

    return found
