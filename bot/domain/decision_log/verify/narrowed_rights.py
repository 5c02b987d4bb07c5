"""Judges campaigns in the log again: who answered, and that nothing opened alone under what a review had taken away.

An answer is of somebody of the organisation who is named for the item's domain; the clock alone narrows, and withdraws nothing. A grant
that opened without a yes under a narrowed right, or by a narrowed person, is a finding; so is one of a withdrawn person. A
silence counts while the content of the row is the same, an answer while the file's bytes are; a *Keep* that `lifts` ends a
silence and never an answer. Source: governance-contract.md, section 2; decision-log.md, codes `policy` and `party`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.domain.authority.authorization import named_for
from bot.domain.decision_log.verify.log import Code
from bot.domain.policy.model import Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.row import row_of

_ANSWERS = frozenset({"right.kept", "right.narrowed", "right.withdrawn"})
Fault = tuple[Code, str]


@dataclass(frozen=True, slots=True)
class _Taken:
    own: bool
    row: str
    sha256: str
    withdrawn: bool

    def holds(self, runbook: Runbook) -> bool:
        return self.sha256 == runbook.sha256 if self.own else self.row == row_of(runbook)


@dataclass(slots=True)
class NarrowedRights:
    """Feed it every entry in order; `people` gives `TEAM/USER` by pseudonym."""

    people: Mapping[str, str]
    _open: set[str] = field(default_factory=set)
    _taken: dict[tuple[str, str, str], _Taken] = field(default_factory=dict)  # kind, what, domain

    def faults(self, entry: Mapping[str, object], policy: Policy) -> Iterator[Fault]:
        """What is wrong with an entry of a campaign; nothing with others."""
        kind, data = entry.get("type"), _part(entry, "data")
        id_ = str(data.get("id"))
        if kind == "campaign.opened":
            self._open.add(id_)
        elif kind == "campaign.closed":
            self._open.discard(id_)
        elif kind in _ANSWERS and entry.get("case") is None:
            yield from self._answered(entry, data, policy)
            self._taken_by(str(kind), entry, data)

    def opened(self, runbook: Runbook, requester: str, domain: str, *, glass: bool) -> Iterator[Fault]:
        """What is wrong with a grant that opened without a yes."""
        kind = "break_glass" if glass else "autonomous"
        right = self._taken.get((kind, runbook.id, domain))
        if right is not None and right.holds(runbook) and (right.own or not glass):
            yield "policy", "it opened without a yes under a right that a review narrowed."
        person = self._taken.get(("person", self._name(requester), domain))
        if person is not None:
            yield "policy", "it opened without a yes for somebody whom a review narrowed."

    def _answered(self, entry: Mapping[str, object], data: Mapping[str, object], policy: Policy) -> Iterator[Fault]:
        actor, kind = _part(entry, "actor"), entry.get("type")
        if actor.get("kind") == "clock":
            if kind != "right.narrowed" or data.get("by") != "silence":
                yield "policy", f"{data.get('id')}: {kind} by the clock; a silence only narrows."
            elif str(data.get("id")) not in self._open:
                yield "policy", f"{data.get('id')}: a silence in a review that is not open."
            return
        if actor.get("party") != "home":
            yield "party", f"{data.get('id')}: {kind} by somebody of {actor.get('party')!r}. Nobody of a provider reviews."
        told = self.people.get(str(actor.get("ref")))
        person = Person.parse(told) if told else None
        for id_ in _texts(data.get("domains")):
            domain = policy.domains.get(id_)
            if person is not None and (domain is None or person not in named_for(policy, domain)):
                yield "policy", f"{data.get('id')}: {kind} by {person}, who is not named for the domain {id_}."

    def _taken_by(self, kind: str, entry: Mapping[str, object], data: Mapping[str, object]) -> None:
        of, item = str(data.get("of")), str(data.get("item"))
        of = self._name(of) if item == "person" else of
        for domain in _texts(data.get("domains")):
            key, before = (item, of, domain), self._taken.get((item, of, domain))
            if kind == "right.kept":
                if before is None or not before.own:
                    self._taken.pop(key, None)
                continue
            sha256 = str(_part(entry, "runbook").get("sha256", ""))
            own = data.get("by") != "silence"
            self._taken[key] = _Taken(own, str(data.get("row", "")), sha256, kind == "right.withdrawn")

    def _name(self, ref: str) -> str:
        """The user behind a pseudonym, whatever their workspace; the pseudonym where that was erased."""
        return self.people.get(ref, ref).rpartition("/")[2]


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _part(entry: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = entry.get(key)
    return part if isinstance(part, dict) else {}
