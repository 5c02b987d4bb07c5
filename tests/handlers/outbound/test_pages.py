"""Pages of commands: `log` without an id lists the newest cases that somebody may see."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.case.model import Case
from handlers.outbound.pages import PAGES
from handlers.views.answers import say
from handlers.views.kit.preview import ask_glance
from tests.bot import parts
from tests.bot.building import OWNER, PE1, STRANGER, case_of, policy
from tests.bot.office import Office
from tests.handlers.views.test_approval_card import scene


async def test_log_without_an_id_lists_the_newest_cases_that_this_person_may_see(office: Office) -> None:
    first = await office.file(PE1, target="dc-one")
    await office.click(OWNER, first, "deny")
    second = await office.file(PE1, target="dc-two")
    for person in (OWNER, PE1):
        text = (await PAGES["log"](parts.rendering(office), person, "", scene(office.policy))).text
        assert {first, second} <= set(text.replace("*", " ").split())
        assert "denied" in text
        assert "dc-" not in text
    told = (await PAGES["log"](parts.rendering(office), STRANGER, "", scene(office.policy))).text
    assert first not in told
    assert "no request yet that you may see" in told


def test_a_use_of_the_sealed_path_is_previewed_without_provider_and_duration() -> None:
    case = case_of(policy())
    sealed = Case(replace(case.request, provider="", seconds=0), (replace(case.approval, kind="review"),))
    assert sealed.sealed
    said = ask_glance(sealed, sealed.asks[0], scene())
    assert said.startswith("Review: ")
    assert "Review: :" not in said
    assert "0 seconds" not in said


def test_finished_pressed_late_says_clearly_what_happened() -> None:
    said = say("over", {"at": 1_772_614_800_000}, scene()).text
    assert "Your click came too late: the approval ended at <!date^1772614800" in said
    assert "you can still submit evidence that is due" in said


async def test_log_says_who_did_what_to_the_second_and_keeps_types_and_hashes_behind_proof(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id, "deny")
    told = (await PAGES["log"](parts.rendering(office), OWNER, case_id, scene(office.policy))).text
    assert f"<@{PE1.user}> asked for it" in told
    assert f"  Asked: <@{OWNER.user}>" in told
    assert "The next people" not in told
    assert f"<@{OWNER.user}> denied it" in told
    assert "{time_secs}" in told
    assert "leaf" not in told
    assert "request.denied" not in told
    assert f"/countersign log {case_id} proof" in told
    proof = (await PAGES["log"](parts.rendering(office), OWNER, f"{case_id} proof", scene(office.policy))).text
    assert "request.denied" in proof
    assert "leaf `" in proof
