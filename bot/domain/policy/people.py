"""Who somebody is.

A person is the pair (team_id, user_id) from a signed Slack payload and nothing else: names and e-mail addresses carry
no authority (design, section 1). For *counting*, equal user ids are one human whatever the team, and `same_person`
joins two accounts of one human.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Person:
    """One Slack account: `team` is `T…` or `E…`, `user` is `U…` or `W…`."""

    team: str
    user: str

    def __str__(self) -> str:
        """`TEAM/USER`, the form that policy files, disclosures and permits use."""
        return f"{self.team}/{self.user}"

    @classmethod
    def parse(cls, text: str) -> Person:
        """Reads `TEAM/USER`; raises ValueError otherwise."""
        team, slash, user = text.partition("/")
        if not (team and slash and user):
            raise ValueError(f"{text!r} is not TEAM/USER")
        return cls(team, user)


@dataclass(frozen=True, slots=True)
class Ref:
    """An account named in a policy file: one user id that may be of any of `teams`."""

    user: str
    teams: frozenset[str]

    def matches(self, person: Person) -> bool:
        return person.user == self.user and person.team in self.teams


@dataclass(frozen=True, slots=True)
class Profile:
    """An account as Slack's `users.info` returned it at one moment."""

    person: Person
    name: str = ""
    deleted: bool = False
    is_bot: bool = False
    is_guest: bool = False  # is_restricted or is_ultra_restricted
    is_stranger: bool = False
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Humans:
    """Joins accounts to humans. `groups` are sets of user ids that belong to one human each; `placed` are the accounts of
    them that the policy writes with their workspace."""

    groups: tuple[frozenset[str], ...] = ()
    placed: frozenset[Person] = frozenset()

    @classmethod
    def joined(cls, pairs: Iterable[Iterable[str]], placed: Iterable[Person] = ()) -> Humans:
        """Transitive: [[A, B], [B, C]] is one human with three accounts."""
        groups: list[set[str]] = []
        for pair in pairs:
            merged = set(pair)
            apart = [g for g in groups if not g & merged]
            for group in groups:
                if group & merged:
                    merged |= group
            groups = [*apart, merged]
        return cls(tuple(frozenset(g) for g in groups), frozenset(placed))

    def key(self, person: Person) -> str:
        """One stable name for the human behind an account."""
        return min(self.accounts(person))

    def accounts(self, person: Person) -> frozenset[str]:
        """Every user id of the human behind an account."""
        return next((group for group in self.groups if person.user in group), frozenset({person.user}))

    def accounts_of(self, person: Person) -> tuple[Person, ...]:
        """Every account of the human: each user id in the person's own workspace, and where the policy writes another."""
        users = self.accounts(person)
        here = (Person(person.team, user) for user in sorted(users))
        return (*here, *sorted(account for account in self.placed if account.user in users))

    def same(self, a: Person, b: Person) -> bool:
        return self.key(a) == self.key(b)
