"""A block of entries is read at once only where each is in its one form; what is unusual is judged entry by entry, with the same verdict."""

from __future__ import annotations

from typing import Any

import pytest

from bot.decision_log import entry_heads
from bot.decision_log.entry_heads import heads
from bot.domain.decision_log.entry import compact
from bot.domain.decision_log.entry_reader import parsed
from tests.bot.decision_log.test_entry_decoder import FORMS

_ENTRY: dict[str, Any] = {
    "v": "1", "log": "test.example/log", "i": 7, "ts": "2025-12-01T00:00:00.000Z", "type": "request.filed", "case": "R-1", "case_seq": 0,
    "actor": {"kind": "person", "ref": "sub_a", "party": "home"}, "policy": {"id": "Müller", "sha256": "ab"}, "_sd": ["a"],
    "_sd_alg": "sha-256", "runbook": {"id": "reset", "sha256": "cd"},
}  # fmt: skip


def entry(**changed: object) -> bytes:
    return compact(_ENTRY | changed)


def refused(_: object) -> None:
    raise AssertionError("one by one")


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_the_verdict_is_that_of_the_judge(form: bytes) -> None:
    data = entry(data={"a": 1}).replace(b'{"a":1}', form)
    judged, fault = parsed(data)
    good = judged is not None and not fault and isinstance(judged["data"], dict)
    for block in ([data], [entry(), data], [data, entry()]):
        assert (heads(block) is not None) == good


def test_ordinary_entries_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_heads, "_singly", refused)
    found = heads([entry(), entry(i=8, data={"to": ["sub_b"], "more": {"deep": [True, "é"]}})])
    assert found is not None
    assert [(head.i, head.case, head.case_prev, head.sd) for head in found] == [
        (7, "R-1", None, ["a"]),
        (8, "R-1", None, ["a"]),
    ]
    assert found[1].data == {"to": ["sub_b"], "more": {"deep": [True, "é"]}}


def test_an_entry_with_a_key_that_nobody_knows_is_read_by_itself() -> None:
    found = heads([entry(), entry(zone="new"), entry(actor={"kind": "clock", "new": True})])
    assert found is not None
    assert [head.type for head in found] == ["request.filed"] * 3


@pytest.mark.parametrize(
    "data",
    [
        entry() + b" ", entry().replace(b",", b",\n", 1), entry().replace(b'"i":7', b'"i":7,"i":7'), entry() + b"\n" + entry(), b"", b"\n",
        entry(i="7"), entry(case_seq="0"), entry(v=1), entry(_sd="a"), entry(data={"é": 1}), entry(data={"a": "x" * 65_536}),
        entry().replace(b'"case":"R-1"', b'"case":null'), entry().replace(b'"case":', b'"case_prev":null,"case":'),
    ],
    ids=range(14),
)  # fmt: skip
def test_whatever_is_not_in_its_form_is_none(data: bytes) -> None:
    assert heads([entry(), data]) is None
