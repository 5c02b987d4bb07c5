"""The filing form: break-glass looks like break-glass, and promises name who will really be asked."""

from __future__ import annotations

from typing import Any

import pytest

from handlers import ids
from handlers.views.dialogs import DialogContext, filed_result
from handlers.views.kit import wording
from handlers.views.request_form import FormDraft, form
from handlers.views.reviews.forms import evidence_form, extend_form, verify_form
from sandbox.blocks import check_view
from tests.bot.building import DEP1, OWNER, case_of, policy, runbook
from tests.bot.domain.workflow.test_break_glass import BASE as GLASS
from tests.bot.domain.workflow.test_break_glass import filing_of
from tests.handlers.views.test_approval_card import scene


def drawn(chosen: str, base: Any, **how: Any) -> Any:
    view = form(FormDraft("emergency_access", chosen), [base.runbooks[chosen]], scene(base), **how)
    assert check_view(view, "modal") == []
    return view


def consequence(view: Any) -> Any:
    return next(block for block in view["blocks"] if block.get("block_id") == ids.BLOCK_CONSEQUENCE)


def test_break_glass_warns_says_who_is_paged_and_its_button_says_what_happens() -> None:
    view = drawn("glass", GLASS)
    block = consequence(view)
    assert (block["type"], block["level"], view["submit"]["text"]) == ("alert", "warning", "Open access now")
    said = block["text"]["text"]
    assert "Opens now, and everybody is told; <@U0OWNER> must ratify by" in said
    assert "Paged now: <@U0OWNER>, <@U0DEP1>, <@U0DEP2>" in said
    assert "The owner decides by this" not in str(view)


def test_a_right_that_nobody_decides_does_not_call_the_owner_the_judge_of_its_reason() -> None:
    base = policy(runbooks=[runbook("unlock", kind="reset", right="autonomous", escalation=None)])
    assert wording.STANDING_REASON_HINT in str(drawn("unlock", base))
    assert wording.FORM_REASON_HINT not in str(drawn("unlock", base))
    assert wording.FORM_REASON_HINT in str(drawn("emergency", policy()))


def test_with_a_debt_it_is_an_ordinary_request() -> None:
    view = drawn("glass", GLASS, debt="The quota is used up, so nothing opens before a yes.")
    assert (consequence(view)["type"], view["submit"]["text"]) == ("context", "Send request")


def test_the_last_page_of_a_break_glass_names_who_is_paged() -> None:
    case = filing_of(GLASS, "glass").after
    assert case is not None
    page = filed_result(case, scene(GLASS))
    said = str(page)
    assert page["title"]["text"] == "Access is open"
    assert "*Paged now:* <@U0OWNER>, <@U0DEP1>, <@U0DEP2>" in said
    assert "Access is open for" in said


@pytest.mark.parametrize(
    ("why", "words"), [("deactivated", "the account of <@U0OWNER> is deactivated"), ("absent", "<@U0OWNER> is away")]
)
def test_the_form_names_who_will_really_be_asked_and_why(why: str, words: str) -> None:
    base = policy()
    there = str(consequence(drawn("emergency", base)))
    assert "Access opens only after <@U0OWNER> approves." in there
    gone = str(consequence(drawn("emergency", base, away={OWNER: why})))
    assert f"<@U0DEP1> (because {words})" in gone
    assert "<@U0DEP2> (because" in str(consequence(drawn("emergency", base, away={OWNER: why, DEP1: "absent"})))


@pytest.mark.parametrize("kind", ["emergency_access", "reset", "policy_exception"])
def test_each_kind_has_one_icon_in_forms_help_and_cards(kind: Any) -> None:
    icon = wording.ICONS[kind]
    view = form(FormDraft(kind), [runbook("x", kind=kind)], scene())
    assert view["title"]["text"] == f"{icon} {wording.KINDS[kind]}"
    assert sum(line.startswith(icon) for line in wording.help_lines("")) == 1


@pytest.mark.parametrize("draw", [evidence_form, verify_form, extend_form])
def test_a_form_that_would_have_nothing_to_choose_from_says_what_to_do(draw: Any) -> None:
    base = policy(runbooks=[runbook("plain", evidence=())])
    view = draw(DialogContext("R-00000001:1", "D1"), case_of(base, "plain"))
    assert check_view(view, "modal") == []
    assert "submit" not in view
    assert "lose this page" in str(view)


@pytest.mark.parametrize(("target", "warned"), [("svс-ledger", True), ("сосо", True), ("svc-ledger", False)])
def test_a_target_that_looks_like_another_is_pointed_out_in_the_form_and_on_its_last_page(
    target: str, warned: bool
) -> None:
    base = policy()
    draft = FormDraft(None, "emergency", entered={ids.TARGET_TEXT: target})
    view = form(draft, tuple(base.runbooks.values()), scene(base))
    assert ("Look twice" in str(view)) is warned
    assert check_view(view, "modal") == []
    case = case_of(base, target=target)
    assert ("Look twice" in str(filed_result(case, scene(base)))) is warned
