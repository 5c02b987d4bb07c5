"""Who is on call changes under an open question: by a new policy, by a feed that was rewritten, across a restart."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import runbooks
from bot.domain.case.lifecycle import RequestState
from bot.domain.policy.model import Policy
from bot.domain.policy.rota import Rota, Shift, Spell
from runbooks.loader import load_files
from runbooks.parsing.folder import MATRIX
from tests.bot import parts
from tests.bot.building import DAY, MINUTE, ONC1, ONC2, PE1, RISK, SECURITY, T0, WHOLE_WEEK, policy
from tests.bot.office import Office
from tests.runbooks.calendars.test_ical import feed

pytestmark = pytest.mark.both

EXAMPLE = Path(runbooks.__file__).parent

FED = Rota("security", "ical", (ONC1, ONC2), "UTC", fallback=ONC2, feed="https://calendar.example/a.ics")


def fed(*spells: Spell) -> Policy:
    return policy(rotas=[replace(FED, spells=spells)])


def rostered(base: Policy, person: object) -> Policy:
    """The same with one person on call around the clock."""
    always = replace(SECURITY, shifts=(Shift(WHOLE_WEEK, 0, 1440, person),))  # type: ignore[arg-type]
    return replace(base, rotas={"security": always})


async def test_a_policy_that_names_another_on_call_reaches_them_in_a_question_that_is_open(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.forward(16 * MINUTE)  # every step has fired; the next thing that is due is 24 minutes away
    assert ("10m", "notify on_call", {ONC1}) in office.steps(case_id)
    await office.adopt(rostered(office.policy, ONC2))
    assert await office.sweeper.sweep() == 1
    assert office.steps(case_id)[-1] == ("16m", "handover on_call", {ONC2})


async def test_a_feed_that_was_rewritten_reaches_the_next_on_call_in_a_question_that_is_open(office: Office) -> None:
    first, second = (Spell(T0 - DAY, T0 + DAY, person) for person in (ONC1, ONC2))
    await office.adopt(fed(first))
    case_id = await office.file(PE1)
    await office.forward(16 * MINUTE)
    await office.service.current.reread(fed(second))
    assert await office.sweeper.sweep() == 1
    assert office.steps(case_id)[-1] == ("16m", "handover on_call", {ONC2})


async def test_a_question_that_on_call_was_never_asked_is_left_in_peace(office: Office) -> None:
    await office.file(PE1)
    await office.adopt(rostered(office.policy, ONC2))
    assert await office.sweeper.sweep() == 0


async def test_a_yes_of_an_on_call_whom_a_feed_named_counts_after_a_restart_that_has_not_read_the_older_feed(
    office: Office,
) -> None:
    await office.adopt(fed(Spell(T0 - DAY, T0 + DAY, ONC1)))
    case_id = await office.file(PE1)
    await office.forward(10 * MINUTE)
    await office.adopt(replace(office.policy, digest="ef" * 32))  # within policy_delay of the older set
    await office.restart()
    office.service.current.sets = replace(
        office.service.current.sets, sets=tuple(replace(s, policy=fed()) for s in office.service.current.sets.sets)
    )
    assert len(office.service.current.sets.also_binding(T0)) == 2
    await office.click(ONC1, case_id)
    assert await office.state(case_id) is RequestState.APPROVED


async def test_a_schedule_with_a_hole_asks_the_next_ones_at_once_and_says_that_nobody_was_there(office: Office) -> None:
    holed = replace(SECURITY, shifts=(Shift(WHOLE_WEEK, 720, 1440, ONC2),), fallback=None)
    await office.adopt(replace(office.policy, rotas={"security": holed}))
    case_id = await office.file(PE1)
    await office.forward(10 * MINUTE)
    assert office.steps(case_id)[-2:] == [("10m", "skip on_call", "nobody"), ("10m", "notify risk_owner", {RISK})]


async def test_a_feed_file_that_changes_in_the_folder_counts_without_a_signal(tmp_path: Path) -> None:
    folder = {p.name: p.read_bytes() for p in EXAMPLE.iterdir() if p.suffix in (".yaml", ".md", ".csv")}
    rota = b"  security:\n    source: ical\n    people: [tomas, grace]\n    time_zone: UTC\n    feed: a.ics\n"
    matrix, changed = re.subn(rb"  security:\n    source: static\n(?:    .*\n)+?(?=    fallback)", rota, folder[MATRIX])
    assert changed == 1

    def files(person: str) -> dict[str, bytes]:
        event = f"UID:1\nDTSTART:20260301T000000Z\nDTEND:20260401T000000Z\nSUMMARY:{person}"
        return {**folder, MATRIX: matrix, "a.ics": feed(event)}

    first = load_files(files("tomas")).policy
    assert first is not None
    async with Office(tmp_path / "bot.db", first) as office:
        feeds = parts.feeds(office, {})
        await feeds.begin()
        case_id = await office.file(PE1, "directory-admin-emergency", fields={"ticket": "INC1"})
        await office.forward(16 * MINUTE)
        await parts.reload(office).adopt(feeds, files("grace"))
        await feeds.look()
        await office.sweeper.sweep()
        assert office.steps(case_id)[-1] == ("16m", "handover on_call", {ONC2})
        await parts.reload(office).adopt(feeds, files("tomas") | {"a.ics": b"<html>"})
        assert [e["type"] for e in office.log()][-1] == "policy.rejected"
        assert office.service.current.policy.digest == load_files(files("grace")).policy.digest  # type: ignore[union-attr]
