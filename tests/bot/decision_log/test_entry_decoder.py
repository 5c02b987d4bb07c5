"""The quick reader has the verdict of the one that re-encodes by RFC 8785, for every form that bytes can have."""

from __future__ import annotations

import pytest

from bot.decision_log import entry_decoder
from bot.decision_log.entry_decoder import decoded
from bot.domain.decision_log.entry import compact
from bot.domain.decision_log.entry_reader import parsed

FORMS = [
    b'{"a":1}', b'{"a":1.0}', b'{"a":1.5}', b'{"a":1e2}', b'{"a":null}', b'{"a":-0}', b'{"a":1,"a":1}', b'{"b":1,"a":1}', b'{"a": 1}',
    b'{"a":9007199254740991}', b'{"a":9007199254740992}', b'{"a":-9007199254740992}', b'{"a":"\xff"}', b'{"a":"\\ud800"}',
    b'{"a":"\\u0041"}', b'{"a":"\\/"}', b'{"a":"\\u001F"}', b'{"a":"\\u001f"}', b'{"a":"\\n"}', b'{"a":"\\u000a"}', b"[1]", b'{"a":true} ',
    b"", b"{}", b'{"\\u00e9":1}', "{\"é\":1}".encode(), "{\"a\":\"é\"}".encode(), "{\"a\":{\"é\":1}}".encode(), b'{"a":[{"b":[1.5]}]}',
    b'{"a":' * 9 + b"1" + b"}" * 9, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"a":NaN}', b'{"a":"' + b"x" * 65_529 + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("data", FORMS, ids=range(len(FORMS)))
def test_the_verdict_is_that_of_the_judge(data: bytes) -> None:
    assert decoded(data) == parsed(data)


def test_every_character_is_written_as_rfc_8785_writes_it() -> None:
    for start in range(0, 0x11000, 0x100):
        text = "".join(chr(code) for code in range(start, start + 0x100) if not 0xD800 <= code < 0xE000)
        data = compact({"a": text})
        assert decoded(data) == ({"a": text}, "")


def test_an_ordinary_entry_does_not_need_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(data: bytes) -> None:
        raise AssertionError(data)

    monkeypatch.setattr(entry_decoder, "parsed", never)
    assert decoded('{"data":{"to":["sub_a"],"yes":true},"i":7,"org":"Müller"}'.encode())[1] == ""
