"""When a question has its yes.

Enough *distinct humans* said yes, each with authority at this moment, and each role in `requires` is covered by a
different one of them (one human cannot cover two required roles). A zero quorum counts as never met. Where a signature is
demanded, only a yes whose key is still in the policy is counted.
Design, sections 3 and 4; rule 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.authority.authorization import Allowed, standing
from bot.domain.authority.signatures import vote_counts
from bot.domain.case.ask import Ask, Vote
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy, Role
from bot.domain.policy.people import Person


@dataclass(frozen=True, slots=True)
class Count:
    """`have` of `need` humans; `lacking` are required roles that nobody covers yet."""

    have: int
    need: int
    lacking: tuple[Role, ...]
    seconds: int

    @property
    def met(self) -> bool:
        return self.need >= 1 and self.have >= self.need and not self.lacking


def count(case: Case, ask: Ask, policy: Policy, *, earlier: bool = False) -> Count:
    """Counts the yeses of `ask` again, under `policy`. `seconds` is the smallest time that any of them gave.

    One human with two accounts counts once, in the roles of both. `earlier`: the set was replaced, and still binds.
    """
    counted: dict[str, tuple[int, frozenset[Role]]] = {}
    for vote in ask.votes:
        judged = standing(case, ask, policy, vote.person)
        if (
            vote.answer == "yes"
            and isinstance(judged, Allowed)
            and vote_counts(case, ask.kind, policy, vote, earlier=earlier)
        ):
            human = policy.humans.key(vote.person)
            seconds, roles = counted.get(human, (vote.seconds, frozenset()))
            counted[human] = (min(seconds, vote.seconds), roles | frozenset(judged.roles))
    covered = cover(ask.requires, [roles for _, roles in counted.values()])
    smallest = min((seconds for seconds, _ in counted.values()), default=0)
    return Count(len(counted), ask.need, tuple(r for r in ask.requires if r not in covered), smallest)


def standing_yes(case: Case, ask: Ask, policy: Policy, person: Person) -> Vote | None:
    """The yes of this person that needs no other; None where they gave none, or the key that signed it was removed since."""
    vote = ask.vote_of(person)
    given = vote is not None and vote.answer == "yes" and vote_counts(case, ask.kind, policy, vote)
    return vote if given else None


def cover(roles: Sequence[Role], holders: Sequence[frozenset[Role]]) -> frozenset[Role]:
    """The largest set of `roles` that distinct holders can cover."""
    if not roles:
        return frozenset()
    first, rest = roles[0], roles[1:]
    best = cover(rest, holders)
    for place, held in enumerate(holders):
        if first in held:
            found = cover(rest, [*holders[:place], *holders[place + 1 :]]) | {first}
            best = max(best, found, key=len)
    return best
