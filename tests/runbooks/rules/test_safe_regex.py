"""Which patterns a policy may hold, and that none of them keeps the bot busy."""

from __future__ import annotations

import re
import time
import warnings
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy.field_values import wrong
from runbooks.loader import load_files
from runbooks.rules.safe_regex import fault, matcher
from tests.bot.building import TICKET

SOUND = [
    r"^INC\d+$", r"^(INC|REQ)\d+$", r"[a-z]+(-[a-z]+)*", r"^[A-Z]{2,5}-\d{1,6}$", r"\w+@\w+\.\w+", r"(?:\d{2}:){3}\d{2}",
    r"https://[^/]+/.*", r"(?i)^adm-[a-z0-9]+$", r"^\S.*\S$", r"(ab|cd)+", r"^$|^x{1,3}$", r"(\d+,)*\d+", r"^.{1,40}$",
]  # fmt: skip
EVIL = [
    r"(a+)+$", r"(a*)*$", r"(a|a)*$", r"(a|aa)+$", r"(.*a){20}$", r"([a-z]+)*\d", r"(\w+\s?)*$", r"(a?){50}a{50}",
    r".*.*.*x", r"\d*\w*\S*!", r"((ab)*)*x", r"(?:(?:a{1,9}){1,9}){1,9}$", r"(a+a+)+$", r"^(([a-z])+.)+[A-Z]", r"a*b?a*b?a*c",
    r"\s*\s*$x", r"(.?){1000}x$", r"(?:[^a]?){1000}(?:[^a]?){1000}y",
]  # fmt: skip
BROKEN = ["(", "[", "a{2,1}", "*a", "(?P<n>", "\\", "[[a]--b]", "(?z)", "(?<=a+)b"]
UNKNOWN = [
    (r"(?=a)b", "a look-around"), (r"(?<!a)b", "a look-around"), (r"(a)\1", "a back-reference"),
    (r"(?P<x>a)(?P=x)", "a back-reference"), (r"a++", "a possessive or atomic repeat"), (r"(?>a)b", "a possessive or atomic"),
    (r"(a)?(?(1)b|c)", "a condition"), (r"a{1001}", "a count above 1000"), (r"(?x)a", "a flag"), (r"a(?#b)", "a comment"),
    (r"((a{100}){100}){100}", "a fault (invalid repetition size"), (r"(\w?){1000}x", "a fault (pattern too large"),
    (r"\N{DEGREE SIGN}", "a fault (invalid escape sequence"),
]  # fmt: skip
TEXTS = [
    "",
    "INC1",
    "INC٣",
    "Zoë",
    "a b",
    "a\u00a0b",
    "x\x0by",
    "é",
    "_",
    "aaa",
    "]",
    "[",
    "a{,2}b",
    "{,2}",
    "aab",
    "ä-ö",
    "a\n",
]


@pytest.mark.parametrize("pattern", SOUND)
def test_common_patterns_are_accepted(pattern: str) -> None:
    assert fault(pattern) is None


@pytest.mark.parametrize("pattern", EVIL)
def test_a_pattern_that_backtracks_elsewhere_is_quick_here(pattern: str) -> None:
    assert fault(pattern) is None
    found = matcher(pattern)
    for text in ("a" * 3000, "é a" * 1000, "ab" * 1500, " " * 3000, "1" * 3000):
        started = time.process_time()
        found(text)
        assert time.process_time() - started < 5  # backtracking would take hours


def test_two_neighbouring_repeats_do_not_stop_the_process() -> None:
    for pattern in (r"\s*\s*$x", r"a*a*a*b", r"(a*)(a*)$b"):
        started = time.process_time()
        assert wrong(replace(TICKET, pattern=pattern, matcher=matcher(pattern)), "a" * 3000) is not None
        assert time.process_time() - started < 5


@pytest.mark.parametrize("pattern", BROKEN)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    assert "is no regular expression" in (fault(pattern) or "")


@pytest.mark.parametrize(("pattern", "what"), UNKNOWN)
def test_what_re2_does_not_know_is_named(pattern: str, what: str) -> None:
    said = fault(pattern) or ""
    assert said.startswith(f"has {what}")
    assert said.endswith("that the linear-time matcher (RE2) does not know: write it without")


def test_long_patterns_are_refused() -> None:
    assert fault("x" * 200) is None
    assert "shorten it to at most 200" in (fault("x" * 201) or "")


def test_the_length_of_a_text_is_checked_before_its_pattern() -> None:
    def never(text: str) -> bool:
        raise AssertionError(len(text))

    spec = replace(TICKET, matcher=never, maximum=100)
    assert wrong(spec, "a" * 3001) == "Incident ticket: at most 3000 characters."
    assert wrong(spec, "a" * 101) == "Incident ticket: at most 100 characters."


def test_a_pattern_without_its_matcher_fits_nothing() -> None:
    assert wrong(replace(TICKET, matcher=None), "INC1") == "That isn't a valid ticket. Example: INC1."


def test_filing_uses_the_matcher_that_check_compiled(stored: dict[str, bytes]) -> None:
    policy = load_files(stored, today=date(2026, 1, 1)).policy
    assert policy is not None
    [spec] = [f for book in policy.runbooks.values() for f in book.fields if f.pattern == r"^INC\d+$"]
    assert spec.matcher is not None
    assert [spec.matcher(text) for text in ("INC12", "INC", "xINC1", "INC1\n")] == [True, False, False, False]


SIGNS = [
    r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", "[a-c]", r"[^\W_]", r"[\d-]", r"[]\w]", "[^]a]", r"[\s,]", r"[\S]", "a", "-", ".",
    "é", r"\u00e4", r"\x41", r"\.", r"\]", r"[\[\]]", r"[\u00e4-\u00f6]", r"a{,2}", "[a{,2}]", "a+", "b?", "c*?", r"\Z", "^", "|",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(SIGNS), max_size=8).map("".join),
    st.lists(st.sampled_from([*TEXTS, "Ω", "1", " "]), max_size=4),
)
def test_a_pattern_means_what_it_means_to_python(pattern: str, parts: list[str]) -> None:
    text = "".join(parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = re.compile(pattern).search(text) is not None
        except re.error:
            return
    if fault(pattern) is None:
        assert matcher(pattern)(text) == expected, (pattern, text)
