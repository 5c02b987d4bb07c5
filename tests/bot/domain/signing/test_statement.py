"""A statement's bytes are pinned, and only they are read back."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.errors import EntryError
from bot.domain.signing.statement import Statement, challenge, read_statement

DECISION = Statement(
    "decision", "countersign.example/log", "countersign.example.org", "sub_a", "AAAAAAAAAAAAAAAAAAAAAA",
    datetime(2026, 12, 1, 9, 5, tzinfo=UTC), {"case": "R-7K3M9QX2", "version": 3, "verdict": "approve", "seconds": 3600},
)  # fmt: skip
BYTES = (
    b'{"case":"R-7K3M9QX2","log":"countersign.example/log","nonce":"AAAAAAAAAAAAAAAAAAAAAA","not_after":"2026-12-01T09:05:00.000Z"'
    b',"rp":"countersign.example.org","seconds":3600,"signer":"sub_a","type":"decision","v":"1","verdict":"approve","version":3}'
)


def test_the_bytes_of_a_statement_are_rfc_8785() -> None:
    assert DECISION.to_bytes() == BYTES


def test_the_challenge_is_the_sha_256_of_the_bytes() -> None:
    assert DECISION.challenge == hashlib.sha256(BYTES).digest() == challenge(BYTES)


def test_a_statement_is_read_back_as_it_was() -> None:
    assert read_statement(BYTES) == DECISION


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b"\xff", BYTES + b"\n", BYTES.replace(b'"v":"1"', b'"v":"2"'),
        BYTES.replace(b'"type":"decision"', b'"type":"anything"'), BYTES.replace(b":3600", b":3600.5"),
        BYTES.replace(b":3600", b":true"), BYTES.replace(b'"case":', b'"case" :'),
        BYTES.replace(b"09:05:00.000Z", b"09:05:00Z"), BYTES.replace(b"2026-12-01T", b"2026-13-01T"),
        BYTES.replace(b'"signer":"sub_a"', b'"signer":1'), b"[" * 5_000,
    ],
)  # fmt: skip
def test_bytes_that_no_statement_has_are_refused(data: bytes) -> None:
    with pytest.raises(EntryError):
        read_statement(data)


def test_what_a_statement_is_about_cannot_replace_its_own_keys() -> None:
    with pytest.raises(EntryError, match="signer"):
        replace(DECISION, about={"signer": "sub_b"}).to_bytes()


def test_a_statement_that_is_too_long_is_refused() -> None:
    with pytest.raises(EntryError, match="8192"):
        replace(DECISION, about={"verdict": "x" * 8_192}).to_bytes()
