"""What a disclosure is of is ruled out by its bytes only where reading it would say the same."""

from __future__ import annotations

import base64

import pytest

from bot.evidence.people import may_name, opened

_SALT = "c2FsdHNhbHRzYWx0c2FsdA"
_TEXTS = [
    f'["{_SALT}","person","T/U"]'.encode(), f'[ "{_SALT}" , "person" , "T/U" ]'.encode(), f'["{_SALT}","\\u0070erson","T/U"]'.encode(),
    f'["{_SALT}","person","T/U"]'.encode("utf-16-le"), f'["{_SALT}","person","T/U"]'.encode("utf-32"),
    b"\xef\xbb\xbf" + f'["{_SALT}","person","T/U"]'.encode(), f'["{_SALT}","reason","person"]'.encode(),
    f'["{_SALT}","target","dc-1"]'.encode(), b"", b"no JSON", b'["person"]',
]  # fmt: skip


@pytest.mark.parametrize("data", _TEXTS, ids=range(len(_TEXTS)))
def test_a_name_that_is_ruled_out_is_none_that_reading_finds(data: bytes) -> None:
    text = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    for broken in (text, f"{text}!", f"!{text}", "é" + text):
        found = opened(broken)
        assert may_name(broken, "person") or found is None or found[0] != "person"


def test_an_ordinary_disclosure_of_another_name_is_ruled_out() -> None:
    text = base64.urlsafe_b64encode(_TEXTS[7]).rstrip(b"=").decode()
    assert not may_name(text, "person", "signature")
    assert may_name(text, "target")
