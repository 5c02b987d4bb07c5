"""Which regular expressions may run against what users type."""

from __future__ import annotations

import re
import time

import pytest

from runbooks.rules.safe_regex import fault

SOUND = [
    r"^INC\d+$", r"^(INC|REQ)\d+$", r"[a-z]+(-[a-z]+)*", r"^[A-Z]{2,5}-\d{1,6}$", r"\w+@\w+\.\w+", r"(?:\d{2}:){3}\d{2}",
    r"https://[^/]+/.*", r"(?i)^adm-[a-z0-9]+$", r"^\S.*\S$", r"(ab|cd)+", r"^$|^x{1,3}$", r"(\d+,)*\d+", r"^.{1,40}$",
]  # fmt: skip
EVIL = [
    r"(a+)+$", r"(a*)*$", r"(a|a)*$", r"(a|aa)+$", r"(.*a){20}$", r"([a-z]+)*\d", r"(\w+\s?)*$", r"(a?){50}a{50}",
    r".*.*.*x", r"\d*\w*\S*!", r"(.+)+", r"((ab)*)*", r"(?:(?:a{1,9}){1,9}){1,9}$", r"(a+a+)+$", r"(x)?(\1+)+", r"(?=(a+)+$)",
    r"^(([a-z])+.)+[A-Z]", r"a*b?a*b?a*c",
]  # fmt: skip
BROKEN = ["(", "[", "a{2,1}", "*a", "(?P<n>", "\\", "[[a]--b]", "(?z)", "(?<=a+)b"]


@pytest.mark.parametrize("pattern", SOUND)
def test_common_patterns_are_accepted_and_fast(pattern: str) -> None:
    assert fault(pattern) is None
    started = time.monotonic()
    for text in ("a" * 3000, "a-" * 1500, "1," * 1500, "1" * 3000 + "!", "ab" * 1500, " " * 3000):
        re.fullmatch(pattern, text)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("pattern", EVIL)
def test_a_pattern_that_could_hang_the_bot_is_refused(pattern: str) -> None:
    assert "could hang the bot" in (fault(pattern) or "")


@pytest.mark.parametrize("pattern", BROKEN)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    assert "is no regular expression" in (fault(pattern) or "")


def test_long_patterns_are_refused() -> None:
    assert fault("x" * 200) is None
    assert "shorten it to at most 200" in (fault("x" * 201) or "")
