"""Judges the acts of operators again: who confirmed them, by the policy of that moment, and that nothing ran without two people.

A confirmation is by an auditor or a risk owner of the organisation (`party`, `policy`). What erases, releases a hold or prunes comes
behind such an act that an auditor and a risk owner, two humans, had confirmed. Where the entries of before were emptied by a
pruning this is unknown. A new epoch is begun before its confirmations are entered, so those are judged alone.
Source: decision-log.md, "Command line".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.domain.authority.authorization import confirming_roles
from bot.domain.decision_log.verify.log import Code
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person

_RUNS = {
    "privacy.erased": ("erase", "subject"),
    "hold.released": ("hold_release", "hold"),
    "log.pruned": ("prune", ""),
    "provider.ended": ("provider_end", "provider"),
}
ACTS = frozenset({"operator.filed", "operator.confirmed", *_RUNS})
"""The types of the entries that are judged here."""


@dataclass(slots=True)
class _Act:
    """What was filed: its kind, what it is about, and the voices for it with the roles that they had."""

    kind: str
    about: str
    voices: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)  # by pseudonym: the human, the roles


@dataclass(slots=True)
class OperatorActs:
    """Feed it the entries in order. `people` gives `TEAM/USER` by pseudonym; `blind` once entries were emptied."""

    people: Mapping[str, str]
    blind: bool = False
    _acts: dict[str, _Act] = field(default_factory=dict)

    def faults(self, entry: Mapping[str, object], policy: Policy) -> Iterator[tuple[Code, str]]:
        """The finding against one entry: `party` or `policy`, and a sentence."""
        kind, data = str(entry.get("type")), _part(entry, "data")
        if kind == "operator.filed":
            about = data.get({"erase": "subject", "provider_end": "provider"}.get(str(data.get("act")), "hold"), "")
            self._acts[str(data.get("id"))] = _Act(str(data.get("act")), str(about))
        elif kind == "operator.confirmed":
            yield from self._confirmed(entry, data, policy)
        elif kind in _RUNS and not self.blind:
            act, about = _RUNS[kind]
            first = "an owner" if act == "provider_end" else "an auditor"
            if not any(a.kind == act and a.about == str(data.get(about, "")) and _complete(a) for a in self._acts.values()):
                yield "policy", f"{kind} without an act that {first} and a risk owner, two people, had confirmed."

    def _confirmed(
        self, entry: Mapping[str, object], data: Mapping[str, object], policy: Policy
    ) -> Iterator[tuple[Code, str]]:
        actor, act_id = _part(entry, "actor"), str(data.get("id"))
        ref, known = str(actor.get("ref")), self.people.get(str(actor.get("ref")))
        claimed = data.get("roles")
        roles = tuple(map(str, claimed)) if isinstance(claimed, list) else ()
        human = ref
        if actor.get("party") != "home":
            yield "party", f"{act_id} was confirmed by somebody of {actor.get('party')!r}. Nobody of a provider confirms."
            return
        if known is not None:
            person = Person.parse(known)
            ends = act_id in self._acts and self._acts[act_id].kind == "provider_end"
            roles, human = confirming_roles(policy, person, ends_provider=ends), policy.humans.key(person)
            if policy.provider_of(person) is not None:
                yield "party", f"{act_id} was confirmed by {person}, who belongs to a provider."
                return
        if not roles:
            yield (
                "policy",
                f"{act_id} was confirmed by somebody who is neither an auditor (of a provider's end: an owner) nor a risk owner.",
            )
            return
        if act_id in self._acts:
            self._acts[act_id].voices[ref] = human, roles


def _complete(act: _Act) -> bool:
    voices = act.voices.values()
    first = "owner" if act.kind == "provider_end" else "auditor"
    return any(first in a and "risk_owner" in r and one != other for one, a in voices for other, r in voices)


def _part(entry: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = entry.get(key)
    return part if isinstance(part, dict) else {}
