"""Patterns of policy files, matched in linear time.

What a pattern is compared with is typed by people who may want to stop the bot, and Python's own matcher backtracks:
two neighbouring repeats keep it busy for seconds. So patterns run on RE2, whose work grows with the length of the text
and of nothing else (https://github.com/google/re2/wiki/WhyRE2). `check` and filing use the same compiled matcher:
`matcher` makes it once, the policy carries it as `FieldSpec.matcher`, and whoever calls it has bounded the text first.

A pattern must be valid in both Python and RE2. RE2 does not know look-around, back-references, possessive and atomic
repeats, conditions and counts above 1,000; `fault` names these. Where the two read the same signs differently, Python's
reading is kept: `\\d`, `\\w`, `\\s` and their opposites are Unicode classes, `{,n}` begins at 0, `\\Z` is the end of the
text, `\\uXXXX` is a character. Two differences stay: `\\b` sees the borders of ASCII words only, and `$` is the very end
of the text, also where that ends with a line break.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import re2

MAX_LENGTH = 200  # characters of a pattern
_MAX_MEMORY = 1 << 20  # bytes of one compiled pattern

_WORD, _NOT_WORD = r"\p{L}\p{N}_", r"\p{C}\p{M}\p{Z}\p{S}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}"
_SPACE, _NOT_SPACE = r"\s\v\x1c-\x1f\x{85}\p{Z}", r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}"
_CLASSES = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": _WORD, "W": _NOT_WORD, "s": _SPACE, "S": _NOT_SPACE}  # in a bracket
_ALONE = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": f"[{_WORD}]", "W": f"[^{_WORD}]", "s": f"[{_SPACE}]", "S": f"[^{_SPACE}]"}
_TOKEN = re.compile(r"\\u([0-9A-Fa-f]{4})|\\(.)|\{,(\d+)\}|(\[\^?\]?)|(\])|(.)", re.DOTALL)
_UNKNOWN = (
    (re.compile(r"\(\?<?[=!]"), "a look-around `(?=…)`, `(?!…)` or `(?<…)`"),
    (re.compile(r"\\[1-9]|\(\?P="), "a back-reference like `\\1`"),
    (re.compile(r"[*+?}]\+|\(\?>"), "a possessive or atomic repeat like `a++`"),
    (re.compile(r"\(\?\("), "a condition `(?(1)…)`"),
    (re.compile(r"\{[0-9,]*(?:[0-9]{5,}|[2-9][0-9]{3}|1(?!000)[0-9]{3})"), "a count above 1000"),
    (re.compile(r"\(\?[aLux]"), "a flag other than `i`, `m` and `s`"),
    (re.compile(r"\(\?#"), "a comment `(?#…)`"),
)


def fault(pattern: str) -> str | None:
    """What is wrong with a pattern and what to do about it, as the rest of a sentence; None if it can be used."""
    if len(pattern) > MAX_LENGTH:
        return f"is {len(pattern)} characters long: shorten it to at most {MAX_LENGTH}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, Warning, OverflowError, RecursionError, MemoryError) as error:
        return f"is no regular expression ({error}): correct it"
    try:
        _compiled(pattern)
    except (re2.error, UnicodeError) as error:
        return f"has {_unknown(pattern, error)} that the linear-time matcher (RE2) does not know: write it without"
    return None


def matcher(pattern: str) -> Callable[[str], bool]:
    """A function that says whether the pattern is found in a text. Raises re2.error where `fault` says why."""
    compiled = _compiled(pattern)

    def found(text: str) -> bool:
        return compiled.search(text.encode("utf-8", "replace")) is not None

    return found


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # it would write to standard error, with the pattern in it
    options.max_mem = _MAX_MEMORY
    return re2.compile(_translated(pattern).encode(), options)


def _translated(pattern: str) -> str:
    """The pattern with Python's reading of classes, counts and escapes spelled out for RE2."""
    parts: list[str] = []
    inside = False  # a bracket
    for found in _TOKEN.finditer(pattern):
        unicode, escaped, count, opening, closing, _ = found.groups()
        if unicode:
            parts.append(rf"\x{{{unicode}}}")
        elif escaped:
            parts.append(_escape(escaped, inside))
        elif count and not inside:
            parts.append(f"{{0,{count}}}")
        elif opening and inside:
            parts.append(opening.replace("[", r"\["))
            inside = not opening.endswith("]")
        else:
            inside = (inside or bool(opening)) and not closing
            parts.append(found[0])
    return "".join(parts)


def _escape(sign: str, inside: bool) -> str:
    if sign == "Z" and not inside:
        return r"\z"
    return (_CLASSES if inside else _ALONE).get(sign, "\\" + sign)


def _unknown(pattern: str, error: Exception) -> str:
    named = next((text for shape, text in _UNKNOWN if shape.search(pattern)), None)
    said = error.args[0] if error.args else ""
    return named or f"a fault ({said.decode('utf-8', 'replace') if isinstance(said, bytes) else said})"
