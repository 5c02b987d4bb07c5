"""When two texts that people typed are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy.same_text import confusing, folded, mixed_scripts, same
from handlers.views.kit.escaping import inline

ALIKE = [
    ("svc-ledger-07", "svc-ledger\u200b-07"), ("svc-ledger-07", "svc-ledger-07\u2060"), ("Zürich-dc1", "Zu\u0308rich-dc1"),
    ("DC1", "dc1"), ("STRASSE", "straße"), ("ﬁle", "file"), ("a  b", " a\tb"), ("a\u00a0b", "a b"), ("a\ufe0fb", "ab"),
    ("a\u034fb", "ab"), ("a\u2800b", "ab"), ("a\u202eb", "a\u2066b"), ("a\x01b", "a\x02b"), ("a*b", "a\u2217b"),
    ("a\u3164b", "ab"), ("u\u200d\u0308", "ü"), ("\U000e0041a", "a"), ("a\u2028b", "a b"), ("Ⅳ", "iv"), ("a-b", "a\u2011b"), ("a-b", "a\u2212b"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_what_looks_the_same_is_the_same(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("dc1", "dc2"), ("a b", "ab"), ("Zürich", "Zurich"), ("а", "a"), ("a-b", "a_b")]
)
def test_what_looks_different_is_not(one: str, other: str) -> None:
    assert not same(one, other)


@given(st.text())
def test_a_folded_text_stays_as_it_is(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(max_size=20), st.text(max_size=20))
def test_two_texts_that_a_card_shows_alike_are_the_same(one: str, other: str) -> None:
    if inline(one, 1100) == inline(other, 1100):
        assert same(one, other)


@given(st.text(max_size=20), st.integers(0, 20), st.sampled_from("\u200b\u2060\u00ad\ufeff\u200d\U000e0061\ufe0e\u180b"))
def test_a_sign_that_shows_nothing_makes_no_other_text(text: str, at: int, sign: str) -> None:
    assert same(text[:at] + sign + text[at:], text)


def test_a_word_of_letters_that_look_alike_is_named_with_its_scripts() -> None:
    assert mixed_scripts("an svс-ledger") == "svс-ledger (Cyrillic and Latin)"
    assert mixed_scripts("Αlpha") == "Αlpha (Greek and Latin)"


@pytest.mark.parametrize("text", ["svc-ledger-07", "Москва dc1", "10 µm", "Zoë Åström", "東京dc1", "日本語カナ", ""])
def test_one_script_a_word_is_no_mixture(text: str) -> None:
    assert mixed_scripts(text) is None


@pytest.mark.parametrize(
    ("target", "doubt"),
    [
        ("db svс-ledger", "svс-ledger (Cyrillic and Latin) mixes letters that look alike"),
        ("сосо-01", "сосо-01 (Cyrillic) has only letters that look Latin"),
        ("ΑΒΕ", "ΑΒΕ (Greek) has only letters that look Latin"),
        ("svc-ledger-07", None),
        ("Москва dc1", None),
        ("07-11", None),
    ],
)
def test_a_target_that_looks_like_another_one_is_named_with_its_reason(target: str, doubt: str | None) -> None:
    assert confusing(target) == doubt
