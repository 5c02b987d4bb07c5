"""Who signed with what key, and what should have been signed: what the log and its policy sets say, for the reports.

A decision needed a signature where its runbook demanded one in the set under which its case began, or in that of the decision. A key
is called by its label in the policy, else by the beginning of its credential id. Nothing is verified here: `log verify` does that.
Source: signed-decisions.md, "The log".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.decision_log.verify.signed_entry import SIGNATURE
from bot.domain.policy.model import Policy
from runbooks.loader import load_files
from storage.log.evidence import Evidence

ERASED = "erased"
YESES = frozenset({"request.approved", "breakglass.ratified", "authority.restored", "right.kept"})
ANSWERS = YESES | {"request.denied", "breakglass.rejected", "extension.denied", "renewal.denied", "right.withdrawn"}


@dataclass(frozen=True, slots=True)
class _Set:
    """What a policy set says: the runbooks that demand a signature, and what its keys are called by credential id."""

    demanding: frozenset[str] = frozenset()
    called: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Signatures:
    """Of one log; each set is read once."""

    log: Evidence
    _sets: dict[str, _Set] = field(default_factory=dict)

    def demanded(self, entry: Mapping[str, Any]) -> bool:
        """Whether the runbook of an entry demands a signature, in the set that the entry names."""
        return str(_part(entry, "runbook").get("id", "")) in self._set(entry).demanding

    def key(self, entry: Mapping[str, Any], told: Mapping[str, str]) -> str:
        """What the key is called that signed an entry; "" where nobody signed it, `erased` where its signature is gone."""
        if _part(entry, "data").get("signed") is not True:
            return ""
        try:
            credential = str(json.loads(told[SIGNATURE])["credential"])
        except (KeyError, TypeError, ValueError):
            return ERASED
        return self._set(entry).called.get(credential) or f"{credential[:12]}…"

    def _set(self, entry: Mapping[str, Any]) -> _Set:
        digest = str(_part(entry, "policy").get("sha256", ""))
        if digest not in self._sets:
            self._sets[digest] = self._read(digest)
        return self._sets[digest]

    def _read(self, digest: str) -> _Set:
        files = {file.path: file.content for file in self.log.policy(digest)} if digest else {}
        if not any(b"passkeys" in content for content in files.values()):
            return _Set()  # nobody could sign: most sets of most logs, and not parsed
        policy = load_files(files).policy
        return _Set() if policy is None else _Set(_demanding(policy), _called(policy))


def _demanding(policy: Policy) -> frozenset[str]:
    return frozenset(book.id for book in policy.runbooks.values() if book.signature != "none")


def _called(policy: Policy) -> Mapping[str, str]:
    return {key.id: key.label for named in policy.people for key in named.passkeys}


def _part(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = entry.get(key)
    return found if isinstance(found, dict) else {}
