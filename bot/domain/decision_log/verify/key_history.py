"""Which sets were loaded, which of their changes touched the keys, and who endorsed those.

The first set with keys counts at once: an auditor pins its digest (`log verify --policy-root`). Every later change that
`authority.key_changes` names needs endorsements for every domain that it touches; without them it is a finding `unendorsed` for ever.
Source: signed-decisions.md, "Changes of the keys".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bot.domain.authority.key_changes import KeyChange, covered, endorsable, key_change
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person


@dataclass(slots=True)
class Change:
    """A loaded set that changes the keys of the one before. `binding`: the sets that bound then, that one included."""

    idx: int
    old: Policy
    new: Policy
    what: KeyChange
    binding: tuple[Policy, ...]
    done: set[str] = field(default_factory=set)  # the domains endorsed

    def endorsable(self, person: Person) -> frozenset[str]:
        """For which domains somebody may endorse it."""
        return endorsable(self.what, self.old, person)

    def endorse(self, person: Person) -> bool:
        """Notes an endorsement that holds; returns whether every domain has one now."""
        self.done |= self.endorsable(person)
        return self.complete

    @property
    def complete(self) -> bool:
        return covered(self.what, self.done)


@dataclass(slots=True)
class KeyHistory:
    """`sets` gives the policy of a digest, or None."""

    sets: Callable[[str], Policy | None]
    first: tuple[int, str] | None = None  # the first set with keys: index of its loading, digest
    _newest: str = ""
    _keyed: Policy | None = None  # the newest set that could be read
    _changes: list[Change] = field(default_factory=list)

    def loaded(self, idx: int, entry: Mapping[str, object], binding: tuple[Policy, ...]) -> None:
        """A set is in force. `binding` are the earlier ones that bind then."""
        named = entry.get("policy")
        digest = str(named.get("sha256", "")) if isinstance(named, dict) else ""
        if not digest or digest == self._newest:
            return
        self._newest = digest
        new, old = self.sets(digest), self._keyed
        if new is None:
            return
        if self.first is None and new.signing is not None:
            self.first = idx, digest
        what = key_change(old, new) if old is not None else None
        if old is not None and what is not None:
            self._changes.append(Change(idx, old, new, what, (old, *binding)))
        self._keyed = new

    @property
    def in_force(self) -> tuple[Policy, ...]:
        """The set that was loaded last, whatever set an entry names; none before the first one that can be read."""
        return () if self._keyed is None else (self._keyed,)

    def is_newest(self, digest: str) -> bool:
        """Whether this set was loaded last; of a log whose beginning was pruned this is unknown until another is loaded."""
        return not self._newest or digest == self._newest

    def change(self, old: str, new: str) -> Change | None:
        """The newest change of the keys from one digest to another."""
        found = (c for c in reversed(self._changes) if (c.old.digest, c.new.digest) == (old, new))
        return next(found, None)

    def findings(self, root: str | None) -> Iterator[LogFinding]:
        """What nobody endorsed, and whether the first set with keys is the one that was pinned."""
        if root is not None and (self.first is None or self.first[1] != root):
            stands = f"is {self.first[1]}" if self.first is not None else "does not exist"
            text = f"The first set with keys {stands}, not {root}: no signature here proves what the pinned set would."
            yield LogFinding("unendorsed", self.first[0] if self.first is not None else None, text)
        for change in self._changes:
            if not change.complete:
                lacking = ", ".join(d for d in change.what.domains if d not in change.done)
                text = f"{'; '.join(change.what.sentences)}: nobody endorsed it for {lacking}."
                yield LogFinding("unendorsed", change.idx, text)
