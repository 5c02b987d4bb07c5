"""The text of a `tlog-proof`: exactly these bytes, and nothing else is one."""

from __future__ import annotations

import base64

import pytest

from bot.domain.decision_log.tlog_proof import TlogProof


def test_a_proof_file_has_exactly_this_text() -> None:
    proof = TlogProof(5, (b"\x01" * 32, b"\x02" * 32), "origin\n8\nroot\n\n— origin sig\n", b"{}")
    one, two = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    assert proof.text() == f"c2sp.org/tlog-proof@v1\nextra e30=\nindex 5\n{one}\n{two}\n\norigin\n8\nroot\n\n— origin sig\n"
    assert TlogProof.parse(proof.text()) == proof
    bare = TlogProof(0, (), "note\n")
    assert bare.text() == "c2sp.org/tlog-proof@v1\nindex 0\n\nnote\n"
    assert TlogProof.parse(bare.text()) == bare


@pytest.mark.parametrize(
    "text",
    ["", "x", "c2sp.org/tlog-proof@v1\n\nnote", "c2sp.org/tlog-proof@v1\nindex 01\n\nnote", "c2sp.org/tlog-proof@v1\nindex 1\nAA==\n\nn",
     "c2sp.org/tlog-proof@v2\nindex 1\n\nnote", "c2sp.org/tlog-proof@v1\nindex 1\n!\n\nnote"],
)  # fmt: skip
def test_what_is_no_proof_is_none(text: str) -> None:
    assert TlogProof.parse(text) is None
