"""How a change of one key becomes a sentence: tables by key, read by one function.

A key without a row still gets a sentence, so that no change is silent. Sentences are for people who know no YAML: subject first,
what counts from now on, and what it replaces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from bot.domain.governance import wording
from bot.domain.policy.field_values import key_in_words
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Ref


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sentence may mention: the old set, the new one, the name of what it is about, and who asks for it."""

    old: Policy
    new: Policy
    subject: str
    askers: str = ""  # the providers that may ask, in words

    def person(self, who: Person) -> str:
        """A person's name, by the new set where it names them."""
        name = self.new.name_of(who)
        return name if name != who.user else self.old.name_of(who)

    def people(self, listed: Sequence[Person]) -> str:
        return wording.joined([self.person(who) for who in listed])

    def account(self, ref: Ref) -> str:
        """The name of an account that a provider lists; its user id where the policy names none."""
        found = (p.name for policy in (self.new, self.old) for p in policy.people if p.person.user == ref.user)
        return next(found, ref.user)


Say: TypeAlias = Callable[[Seen, Any, Any], Iterator[str]]
Table: TypeAlias = Mapping[str, Say]


def told(table: Table, seen: Seen, old: Any, new: Any) -> Iterator[str]:
    """The sentences of everything that differs between two values of a dataclass of the policy."""
    for field in fields(new):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if field.compare and before != after:
            yield from table.get(field.name, _unknown(field.name))(seen, before, after)


def silent(seen: Seen, old: Any, new: Any) -> Iterator[str]:
    """For keys that only pair or identify, or whose change is described by another key."""
    return iter(())


def replaced(text: str, words: Callable[[Any], str] = str) -> Say:
    """`text` has {subject}, {new} and {instead}; a value that was not there is replaced by nothing."""

    def say(seen: Seen, old: Any, new: Any) -> Iterator[str]:
        shown = words(new) if new not in (None, "", ()) else "nothing"
        instead = f" instead of {words(old)}" if old not in (None, "", ()) else ""
        yield text.format(subject=seen.subject, new=shown, instead=instead)

    return say


def optional(there: str, gone: str, words: Callable[[Any], str] = str) -> Say:
    """One sentence where the key has a value, another where it has none any more."""

    def say(seen: Seen, old: Any, new: Any) -> Iterator[str]:
        if new in (None, ""):
            yield gone.format(subject=seen.subject, old=words(old))
        else:
            yield from replaced(there, words)(seen, old, new)

    return say


def gained_and_lost(gained: str, lost: str, words: Callable[[Seen, list[Any]], str]) -> Say:
    """One sentence for what a list gained, one for what it lost."""

    def say(seen: Seen, old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
        more, fewer = [x for x in new if x not in old], [x for x in old if x not in new]
        if more:
            yield gained.format(subject=seen.subject, names=words(seen, more))
        if fewer:
            yield lost.format(subject=seen.subject, names=words(seen, fewer))

    return say


def plain_words(_seen: Seen, listed: list[Any]) -> str:
    """Keys of a list as words: `session_recording` is `session recording`."""
    return wording.joined([key_in_words(str(item)) for item in listed])


def _unknown(name: str) -> Say:
    words = name.replace("_", " ")

    def say(seen: Seen, old: Any, new: Any) -> Iterator[str]:
        yield f"{seen.subject}: {words} changes."

    return say
