"""Judges policy changes and signed decisions in the stored log, by the policy sets and disclosures of the same database."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.decision_log.entry_decoder import entry_of
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.decision_log.verify.operator_actions import ACTS, OperatorActs
from bot.domain.errors import StorageError
from bot.domain.policy.model import Policy
from bot.evidence.policy_checks import Disclosures, PolicyChecks
from bot.ports.database import Location
from runbooks.loader import load_files
from runbooks.parsing.folder import digest as digest_of
from storage.log.evidence import Evidence, stored_log

_SETS, _LIMIT = 64, 1_000  # policy sets kept in memory; findings that are reported


@dataclass(frozen=True, slots=True)
class StoredPolicyCheck:
    """The result. `unproven`: signed decisions whose signature, or whose signer's name, was erased; `has_keys`: a set had some."""

    findings: tuple[LogFinding, ...]
    unproven: int
    has_keys: bool


def policy_check(path: Location, root: str | None = None) -> StoredPolicyCheck:
    """Judges a database file; `root` is the digest of the first set with keys, if that is known from elsewhere. Raises StorageError,
    SchemaError."""
    with stored_log(path) as log:
        checks = PolicyChecks(_sets(log), Disclosures.read(log.disclosures()))
        found = tuple(itertools.islice(_findings(log, checks, root), _LIMIT))
        return StoredPolicyCheck(found, checks.signatures.unproven, checks.has_keys)


def log_findings(log: Evidence) -> tuple[LogFinding, ...]:
    """The same findings of an open log, as far as its newest checkpoint."""
    checks = PolicyChecks(_sets(log), Disclosures.read(log.disclosures()))
    return tuple(itertools.islice(_findings(log, checks, None), _LIMIT))


def _findings(log: Evidence, checks: PolicyChecks, root: str | None) -> Iterator[LogFinding]:
    known: set[str] = set()
    acts, types = OperatorActs(checks.people), checks.types | ACTS
    for row in log.rows(lambda kind: kind in types or checks.has_keys):
        entry = entry_of(row.data) if row.data is not None else None
        acts.blind |= row.data is None
        if entry is None:
            continue
        named = entry.get("policy")
        digest = str(named.get("sha256")) if isinstance(named, dict) else ""
        if digest and digest not in known:
            known.add(digest)
            if not _files(log, digest):
                yield LogFinding("policy", row.idx, f"The policy set {digest[:12]}… is missing or altered.")
        yield from checks.findings(row.idx, entry)
        policy = checks.sets(digest) if checks.has_keys or entry.get("type") in ACTS else None
        faults = acts.faults(entry, policy) if policy is not None else ()
        yield from (LogFinding(code, row.idx, text) for code, text in faults if checks.has_keys)
    yield from checks.end(root)


def _sets(log: Evidence) -> Callable[[str], Policy | None]:
    @lru_cache(_SETS)
    def found(digest: str) -> Policy | None:
        files = _files(log, digest)
        return load_files(files).policy if files else None

    return found


def _files(log: Evidence, digest: str) -> dict[str, bytes]:
    """The files of a set; none where they are missing, or are not those of the digest."""
    try:
        files = {file.path: file.content for file in log.policy(digest)}
    except StorageError:
        return {}
    return files if files and digest_of(files) == digest else {}
