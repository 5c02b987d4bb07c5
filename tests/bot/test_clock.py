"""Time and ids."""

from __future__ import annotations

import re
from datetime import UTC

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.clock import SystemClock, read_request_id

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
IDS = st.text(CROCKFORD, min_size=8, max_size=8).map(lambda text: f"R-{text}")


def test_now_is_aware_utc_in_whole_milliseconds() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0


def test_monotonic_time_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()


def test_a_request_id_is_eight_characters_of_crockford_base_32() -> None:
    clock = SystemClock()
    ids = {clock.request_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(re.fullmatch(f"R-[{CROCKFORD}]{{8}}", text) for text in ids)


def test_a_salt_has_16_bytes() -> None:
    clock = SystemClock()
    assert len(clock.salt()) == 16
    assert clock.salt() != clock.salt()


@given(IDS)
def test_an_id_is_read_back(text: str) -> None:
    assert read_request_id(text) == text


@given(IDS, st.data())
def test_an_id_is_read_leniently(text: str, data: st.DataObject) -> None:
    plain = text.removeprefix("R-")
    typed = "".join(data.draw(st.sampled_from({"0": "0Oo", "1": "1IiLl"}.get(c, c + c.lower()))) for c in plain)
    cut = data.draw(st.integers(0, 8))
    start = data.draw(st.sampled_from(["", "R-", "r-", " R-", "R", "r "]))
    assume(start or cut != 1 or plain[0] != "R")  # R-1234567 is an id with a letter too few
    assert read_request_id(f"{start}{typed[:cut]}-{typed[cut:]} ") == text


@pytest.mark.parametrize("text", ["", "R-", "R-1234567", "R-123456789", "R-1234567U", "help", "R-1234567é", "R-1234567!"])
def test_what_is_no_id_is_none(text: str) -> None:
    assert read_request_id(text) is None


@given(st.text(max_size=20))
def test_whatever_is_typed_reading_it_never_raises(text: str) -> None:
    found = read_request_id(text)
    assert found is None or re.fullmatch(f"R-[{CROCKFORD}]{{8}}", found)
