"""Findings of policy against a log beyond single decisions: the delay of its changes, signed decisions, and endorsed keys.

Signatures matter from the first set that has `signing`; before it only an entry that calls itself signed is judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bot.decision_log.passkeys import check_signature
from bot.domain.decision_log.entry import pseudonym_of
from bot.domain.decision_log.verify.log import LogFinding, Shown
from bot.domain.decision_log.verify.policy_delay import TYPES, DelayCheck
from bot.domain.decision_log.verify.signatures import SignatureCheck
from bot.domain.decision_log.verify.signed_entry import SIGNATURE
from bot.domain.policy.model import Policy
from bot.evidence.people import PERSON, may_name, opened


@dataclass(slots=True)
class Disclosures:
    """What the checks need of a log's disclosures: people by pseudonym, signatures by index, and how many each entry has."""

    people: dict[str, str] = field(default_factory=dict)
    signatures: dict[int, str] = field(default_factory=dict)
    shown: Counter[int] = field(default_factory=Counter)

    @classmethod
    def read(cls, lines: Iterable[Shown]) -> Disclosures:
        """Reads them once."""
        found = cls()
        for line in lines:
            found.shown[line.idx] += 1
            if not may_name(line.text, PERSON, SIGNATURE):
                continue
            name, value = opened(line.text) or ("", "")
            if name == PERSON:
                found.people[pseudonym_of(line.text)] = value
            elif name == SIGNATURE:
                found.signatures[line.idx] = value
        return found

    def hidden(self, idx: int, entry: Mapping[str, object]) -> int:
        """How many digests of an entry nothing discloses."""
        digests = entry.get("_sd")
        return (len(digests) if isinstance(digests, list) else 0) - self.shown[idx]


class PolicyChecks:
    """Feed it the entries in order, then ask `end`. `sets` gives the policy of a digest, or None. Before there are keys only entries of
    `types` have to be read."""

    types = TYPES

    def __init__(self, sets: Callable[[str], Policy | None], told: Disclosures) -> None:
        self.sets, self.people = sets, told.people
        self._delay = DelayCheck(sets, told.people)
        self.signatures = SignatureCheck(sets, told.people, self._delay, told.signatures, told.hidden, check_signature)

    @property
    def has_keys(self) -> bool:
        """Whether any set so far named keys; then every entry matters, before only some types do."""
        return self.signatures.history.first is not None

    def findings(self, idx: int, entry: Mapping[str, object]) -> Iterator[LogFinding]:
        """The findings against one entry."""
        yield from self._delay.findings(idx, entry)
        data = entry.get("data")
        signed = isinstance(data, dict) and data.get("signed") is True
        if self.has_keys or signed or entry.get("type") == "policy.loaded":
            yield from self.signatures.findings(idx, entry)

    def end(self, root: str | None) -> Iterator[LogFinding]:
        """What is still unendorsed, and whether `root` is the first set with keys, where it is given."""
        yield from self.signatures.end(root)
