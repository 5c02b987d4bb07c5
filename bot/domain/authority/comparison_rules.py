"""How one key of a policy is compared: whether a change of it is *stricter*, *easier* or *neutral*.

What is not known to be stricter or neutral is easier (design, section 10). Where a change is easier, `both` returns what
counts while the old value binds too: the stricter value of both.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Literal, TypeVar, cast

from bot.domain.policy.model import Limit
from bot.domain.policy.people import Ref

Change = Literal["stricter", "easier", "neutral"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """One row. `judge` and `both` take the old value and the new; `words` name the key in an announcement."""

    judge: Callable[[T, T], Change]
    both: Callable[[T, T], T]
    words: str = ""


Table = Mapping[str, Rule[Any]]
Keyed = TypeVar("Keyed")  # a frozen dataclass of the policy


def easier(table: Table, old: Any, new: Any) -> dict[str, Rule[Any]]:
    """The keys whose change makes something easier. A key without a row counts as such."""
    found = {}
    for name, before, after in _differences(old, new):
        rule = table.get(name) or unknown(name.replace("_", " "))
        if rule.judge(before, after) == "easier":
            found[name] = rule
    return found


def words(table: Table, old: Any, new: Any) -> tuple[str, ...]:
    """What an announcement calls the keys that became easier."""
    return tuple(dict.fromkeys(rule.words for rule in easier(table, old, new).values()))


def stricter_of(table: Table, old: Any, new: Keyed) -> Keyed:
    """`new`, with the stricter value of both in every key that became easier."""
    changes = {name: rule.both(getattr(old, name), getattr(new, name)) for name, rule in easier(table, old, new).items()}
    if not changes:
        return new
    merged: Any = new
    return cast(Keyed, replace(merged, **changes))


def _differences(old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    for field in fields(new):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            yield field.name, before, after


def _new(_old: T, new: T) -> T:
    return new


def _old(old: T, _new: T) -> T:
    return old


def neutral() -> Rule[Any]:
    """For people to read, derived from other keys, or compared where it is used."""
    return Rule(lambda _old, _new: "neutral", _new)


def unknown(words: str) -> Rule[Any]:
    """Any change may make something easier; until it counts the old value does."""
    return Rule(lambda _old, _new: "easier", _old, words)


def judged_beside(words: str) -> Rule[Any]:
    """Any change may make something easier; the old set is evaluated as well as the new one, so nothing is merged."""
    return Rule(lambda _old, _new: "easier", _new, words)


def once_set(words: str) -> Rule[Any]:
    """To set it is stricter; to change it, or to take it away, may be easier."""
    return Rule(lambda old, _new: "stricter" if old is None else "easier", _old, words)


def gained_beside(words: str) -> Rule[tuple[Hashable, ...]]:
    """More of these is easier, fewer stricter; the old set is evaluated as well as the new one."""
    return Rule(lambda old, new: "stricter" if set(new) <= set(old) else "easier", _new, words)


def at_least(words: str) -> Rule[int | None]:
    """A smaller number, or none, is easier."""
    return Rule(
        lambda old, new: "easier" if (new or 0) < (old or 0) else "stricter",
        lambda old, new: max(old or 0, new or 0),
        words,
    )


def at_most(words: str) -> Rule[Any]:
    """A larger number or a later date is easier; none has no bound."""

    def smaller(old: Any, new: Any) -> Any:
        return old if new is None or (old is not None and old < new) else new

    return Rule(lambda old, new: "stricter" if smaller(old, new) == new else "easier", smaller, words)


def above(words: str) -> Rule[Any]:
    """A smaller number, or an earlier day, is easier; none has no bound."""
    return Rule(lambda old, new: "stricter" if old is None or (new is not None and new >= old) else "easier", _old, words)


def demands(words: str) -> Rule[tuple[Any, ...]]:
    """Each of these is demanded: one less is easier."""
    return Rule(
        lambda old, new: "stricter" if set(old) <= set(new) else "easier",
        lambda old, new: tuple(dict.fromkeys((*new, *old))),
        words,
    )


def allows(words: str) -> Rule[tuple[Any, ...]]:
    """Each of these is allowed: one more is easier."""
    return Rule(
        lambda old, new: "stricter" if set(new) <= set(old) else "easier",
        lambda old, new: tuple(item for item in new if item in old),
        words,
    )


def only(words: str) -> Rule[tuple[Any, ...]]:
    """These and nothing else; an empty list allows everything."""
    return Rule(
        lambda old, new: "stricter" if not old or (new and set(new) <= set(old)) else "easier",
        lambda old, new: tuple(item for item in new if item in old) if new else old,
        words,
    )


def ranked(words: str, weakest_first: Sequence[str]) -> Rule[Any]:
    """One of a few words, ordered."""
    rank = weakest_first.index
    return Rule(
        lambda old, new: "easier" if rank(new) < rank(old) else "stricter",
        lambda old, new: max(old, new, key=rank),
        words,
    )


def limit(words: str) -> Rule[Limit | None]:
    """More in the same time, as many in less time, or no limit is easier."""
    return Rule(
        lambda old, new: "stricter" if old is None or (new and new.count <= old.count and new.per >= old.per) else "easier",
        _old,
        words,
    )


def may(words: str) -> Rule[tuple[Ref, ...]]:
    """Accounts of a provider that may do something: one more, or in one more workspace, is easier."""

    def common(old: Sequence[Ref], new: Sequence[Ref]) -> tuple[Ref, ...]:
        teams = {ref.user: ref.teams for ref in old}
        both = (Ref(ref.user, ref.teams & teams.get(ref.user, frozenset())) for ref in new)
        return tuple(ref for ref in both if ref.teams)

    return Rule(lambda old, new: "stricter" if common(old, new) == new else "easier", common, words)


def party() -> Rule[Any]:
    """Who belongs to a provider. Who joins decides nothing from now on; who leaves gains nothing by that alone: the role
    that names them is a separate gain, judged as well as the old set."""
    return Rule(lambda _old, _new: "stricter", _new)


def optional(table: Table, words: str) -> Rule[Any]:
    """A group of keys that may be left out: to have it is easier."""

    def judge(old: Any, new: Any) -> Change:
        if old is None or new is None:
            return "easier" if old is None else "stricter"
        return "easier" if easier(table, old, new) else "stricter"

    def both(old: Any, new: Any) -> Any:
        return None if old is None or new is None else stricter_of(table, old, new)

    return Rule(judge, both, words)
