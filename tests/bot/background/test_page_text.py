"""What a page says: the kind once, the deadline where the person is, the id; never what was typed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.background.page_text import local, page_text
from tests.bot.building import T0, case_of, policy

BASE = policy()


def test_a_break_glass_says_so_once() -> None:
    title, text = page_text(case_of(BASE, "glass"), BASE, "", T0)
    assert title.startswith("BREAK-GLASS: ")
    assert "BREAK-GLASS" not in text


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/London", "09:45 GMT"),
        ("Asia/Kolkata", "15:15 IST"),
        ("America/Sao_Paulo", "06:45 UTC-03:00"),
        ("", "09:45 UTC"),
        ("Nowhere/At_All", "09:45 UTC"),
    ],
)
def test_a_time_is_local_and_names_its_zone(zone: str, said: str) -> None:
    assert local(T0 + timedelta(minutes=45), zone, T0) == said


def test_another_day_there_is_named() -> None:
    assert local(T0 + timedelta(hours=20), "Europe/London", T0) == "Thu 05:00 GMT"


def test_the_text_has_id_deadline_and_nothing_typed() -> None:
    case = case_of(BASE)
    _, text = page_text(case, BASE, "Asia/Kolkata", T0)
    assert text.startswith(f"{case.id}, ")
    assert "IST" in text
    assert case.request.reason not in text
    assert case.request.target not in text
