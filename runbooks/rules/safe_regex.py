"""Regular expressions of policy files run against what users type, so they must not be able to hang the bot.

Python's matcher backtracks. Refused are the three forms that make it explode: a repeat of something that can itself
be split in more than one way, a repeat of alternatives that begin alike, and three or more long repeats in a row that
can match the same text. The judgement is made on the parsed expression and errs on the side of refusing.
"""

from __future__ import annotations

import importlib
import re
import string
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

MAX_LENGTH = 200
_LONG = 50  # repeats that may vary by more than this can be slow in company
_MAX_ALIKE = 2

_parser: Any = importlib.import_module("re._parser")
_SIGNS = frozenset(string.printable) | {"ß", "Ж"}
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
Item = tuple[Any, Any]


def fault(pattern: str) -> str | None:
    """What is wrong with a pattern and what to do, or None."""
    if len(pattern) > MAX_LENGTH:
        return f"is {len(pattern)} characters long: shorten it to at most {MAX_LENGTH}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
            items = list(_parser.parse(pattern))
    except (re.error, Warning, OverflowError, RecursionError, MemoryError) as error:
        return f"is no regular expression ({error}): correct it"
    if any(_explodes(item) for item in _everything(items)):
        return (
            "repeats something that can be split in several ways, so that a text could hang the bot: put a fixed sign "
            "between the repeated parts, or repeat once"
        )
    if _longest_row(list(_flat(items))) > _MAX_ALIKE:
        return (
            f"has more than {_MAX_ALIKE} long repeats in a row that match the same text, so that a text could hang the "
            "bot: join them, or put a sign between them that they do not match"
        )
    return None


def _name(item: Item) -> str:
    return str(item[0])


def _inside(item: Item) -> list[list[Item]]:
    """The sequences that an item contains."""
    name, value = _name(item), item[1]
    if name in _REPEATS:
        return [list(value[2])]
    if name == "SUBPATTERN":
        return [list(value[3])]
    if name == "BRANCH":
        return [list(branch) for branch in value[1]]
    if name in ("ASSERT", "ASSERT_NOT"):
        return [list(value[1])]
    if name == "ATOMIC_GROUP":
        return [list(value)]
    if name == "GROUPREF_EXISTS":
        return [list(part) for part in value[1:] if part]
    return []


def _everything(items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        for part in _inside(item):
            yield from _everything(part)


def _flat(items: Iterable[Item]) -> Iterator[Item]:
    """Items in a row, with plain groups opened."""
    for item in items:
        if _name(item) == "SUBPATTERN":
            yield from _flat(item[1][3])
        else:
            yield item


def _explodes(item: Item) -> bool:
    """A repeat whose body can be split in more than one way."""
    if _name(item) not in _REPEATS or int(item[1][1]) < 2:
        return False
    body = list(_flat(item[1][2]))
    for inner in _everything(body):
        if _name(inner) == "BRANCH" and _begin_alike(inner):
            return True
        if _name(inner) in ("GROUPREF", "GROUPREF_EXISTS"):
            return True
    varies = any(_name(i) in _REPEATS and i[1][0] != i[1][1] for i in _everything(body))
    return varies and not _fenced(body)


def _begin_alike(branch: Item) -> bool:
    seen: frozenset[str] = frozenset()
    for part in _inside(branch):
        first = _signs(part[0]) if part else _SIGNS
        if first & seen:
            return True
        seen |= first
    return False


def _fenced(body: list[Item]) -> bool:
    """One sign at the beginning or the end of the body that nothing else in it matches."""
    for fence, rest in ((body[0], body[1:]), (body[-1], body[:-1])):
        if _name(fence) in ("LITERAL", "NOT_LITERAL", "IN", "ANY"):
            others = frozenset[str]().union(*(_signs(item) for item in rest))
            if not _signs(fence) & others:
                return True
    return False


def _longest_row(items: list[Item]) -> int:
    """The most long repeats in a row between which nothing stands that they do not match."""
    longest = 0
    for start, item in enumerate(items):
        if not _is_long(item):
            continue
        signs, count = _signs(item), 1
        for other in items[start + 1 :]:
            if _must_match(other) and not _signs(other) & signs:
                break
            count += _is_long(other)
        longest = max(longest, count)
    return max([longest, *(_longest_row(list(_flat(p))) for i in items for p in _inside(i))])


def _must_match(item: Item) -> bool:
    return _name(item) != "AT" and not (_name(item) in _REPEATS and item[1][0] == 0)


def _is_long(item: Item) -> bool:
    return _name(item) in _REPEATS and int(item[1][1]) - int(item[1][0]) > _LONG


def _signs(item: Item) -> frozenset[str]:
    """The signs of a sample alphabet that an item may match; everything when in doubt."""
    name, value = _name(item), item[1]
    if name == "LITERAL":
        return frozenset(sign for sign in _SIGNS | {chr(value)} if sign.lower() == chr(value).lower())
    if name == "NOT_LITERAL":
        return _SIGNS - {chr(value)}
    if name == "IN":
        return _class(value)
    if name == "AT":
        return frozenset()
    parts = _inside(item)
    if not parts:
        return _SIGNS
    return frozenset[str]().union(*(_signs(inner) for part in parts for inner in part))


_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}


def _class(members: Iterable[Item]) -> frozenset[str]:
    found: set[str] = set()
    negated = False
    for member in members:
        name, value = _name(member), member[1]
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found |= _signs(member)
        elif name == "RANGE":
            found |= {s for s in _SIGNS if any(ord(c) in range(value[0], value[1] + 1) for c in (s, s.swapcase()[0]))}
        else:
            found |= {sign for sign in _SIGNS if re.match(_CATEGORIES.get(str(value), "."), sign)}
    return _SIGNS - found if negated else frozenset(found)
