"""YAML 1.2, with lines, and nothing that means more than it says."""

from __future__ import annotations

import time

from runbooks.parsing.yaml_positions import parse


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = "[yes, on, 010, 0o10, 0x1f, 12:30, 2027-03-31, 1_000, 1.5, true, '1', 1e3, .inf]"
    assert parse("f", text).value == [
        "yes", "on", 10, 8, 31, "12:30", "2027-03-31", "1_000", 1.5, True, "1", 1000.0, ".inf",
    ]  # fmt: skip


def test_every_key_and_item_has_its_line() -> None:
    document = parse("f", "a:\n  b: 1\n  c:\n    - x\n    - {d: y}\n", 2)
    assert [document.line(p) for p in (("a",), ("a", "b"), ("a", "c", 1), ("a", "c", 1, "d"))] == [2, 3, 6, 6]
    assert document.line(("a", "missing")) == 2
    assert document.line(("missing",)) == 2


def test_a_key_twice_is_refused_at_the_second() -> None:
    (finding,) = parse("f", "a: 1\nb: 2\na: 3\n").findings
    assert (finding.line, finding.text) == (
        3,
        "`a` stands here a second time (first in line 1): remove one of them.",
    )


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x,x]\n" + "".join(f"{b}: &{b} [*{a},*{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    document = parse("f", bomb)
    assert document.value is None
    assert [(f.line, "write the value out" in f.text) for f in document.findings] == [(1, True)]


def test_deep_nesting_is_refused_and_soon() -> None:
    started = time.monotonic()
    (finding,) = parse("f", "[" * 100_000).findings
    assert "deeper than 20" in finding.text
    assert time.monotonic() - started < 5


def test_merge_keys_tags_and_unseen_signs_have_no_power() -> None:
    assert parse("f", "<<: {a: 1}").value == {"<<": {"a": 1}}
    assert "The tag" in parse("f", "a: !!python/object/apply:os.system [x]").findings[0].text
    assert "nobody can see" in parse("f", '"a\\e[2J": 1').findings[0].text
    assert "surrogate" in parse("f", 'a: "\\ud800"').findings[0].text
    assert "control character" in parse("f", "a: 1\nb: \x07").findings[0].text
    assert parse("f", "a: 1\nb: \x07").findings[0].line == 2


def test_a_tab_before_a_key_is_named_with_what_to_write_instead() -> None:
    (finding,) = parse("f", "a: 1\n\tb: 2").findings
    assert (finding.line, finding.text) == (
        2,
        "This is not YAML: a tab stands here, use spaces; fix it here or just above.",
    )
