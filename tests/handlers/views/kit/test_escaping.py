"""What a person typed can look like nothing of ours."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.views.kit import escaping

PIECES = st.sampled_from(
    [
        "<!channel>", "<@U0OWNER>", "<https://evil.example|Approve>", "*bold*", "_it_", "~no~", "`code`", "```", "&amp;",
        "\n", "\r\n", "\u2028", "> quote", "\u202e", "\u2066", "\x00", "\x1b[31m", "مرحبا", "👩🏽‍⚕️", "https://evil.example",
        "<!date^1^{time}|x>", "Approved by Olga", "a_b_c", "\ud800", "\ufeff", "*", "&", "<", ">",
    ]
)  # fmt: skip
TYPED = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=30).map("".join)


@given(TYPED, st.integers(3, 400))
@example("&" * 50, 20)
@example("*" * 9, 5)
def test_inline_text_holds_no_markup_no_line_and_no_more_than_its_room(text: str, room: int) -> None:
    shown = escaping.inline(text, room)
    assert len(shown) <= room
    assert "\n" not in shown
    _forges_nothing(shown)


@given(TYPED, st.integers(20, 6000))
@example("A" * 10_000, 5600)
@example("<" * 10_000, 5600)
@example("\n" * 5000 + "x", 50)
def test_a_quote_is_a_quote_on_every_line(text: str, room: int) -> None:
    shown = escaping.quote(text, room)
    assert len(shown) <= room
    for line in shown.split("\n"):
        assert line.startswith(">")
        assert len(line) <= escaping.LINE_MAX
        _forges_nothing(line[1:])


def _forges_nothing(shown: str) -> None:
    assert not re.search("[<>]", shown)
    assert re.sub("&(amp|lt|gt);", "", shown).count("&") == 0
    assert "`" not in shown
    for found in re.finditer(r"[*_~]", shown):
        before, after = shown[: found.start()][-1:], shown[found.end() :][:1]
        assert before.isalnum()
        assert after.isalnum() or after in ("…", "&")
    assert not any(unicodedata.category(sign) in ("Cc", "Cs") or "\u202a" <= sign <= "\u202e" for sign in shown)


@pytest.mark.parametrize("name", ["svc_backup_01", "a*b", "dc-core-01", "O'Brien", "naïve", "日本語", "مرحبا"])
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert escaping.inline(name, 100) == name


def test_what_is_cut_ends_in_an_ellipsis_and_never_in_half_an_entity() -> None:
    assert escaping.inline("a&b", 5) == "a…"
    assert escaping.inline("a&b", 7) == "a&amp;b"
    assert escaping.inline("abcdef", 4) == "abc…"
    assert escaping.quote("one\ntwo\nthree", 13) == ">one\n>two\n>…"


def test_an_emoji_of_several_signs_stays_whole() -> None:
    assert escaping.inline("👩🏽‍⚕️ 👨‍👩‍👧", 50) == "👩🏽‍⚕️ 👨‍👩‍👧"


def test_an_address_reaches_the_reader_as_typed() -> None:
    address = "https://evidence.example/a_b/INC1?x=1"
    assert escaping.quote(address, 200) == f">{address}"
    assert escaping.inline(address, 200) == address
