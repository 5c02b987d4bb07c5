"""What must be done before the yes is shown before it."""

from __future__ import annotations

from handlers.views.dialogs import DialogContext
from handlers.views.kit.before_the_yes import blocks, text_of
from handlers.views.request_form import FormDraft, form
from handlers.views.reviews.forms import verify_form
from sandbox.blocks import check_view
from tests.bot.building import policy, runbook
from tests.handlers.views.test_approval_card import scene
from tests.handlers.views.test_identity_proof import filed

BODY = "Intro.\n\n## Before the yes: two checks\n1. **Call** back <now>.\n### Who\nA & B.\n\n## Steps\n1. Reset.\n"


def test_the_part_ends_with_the_next_heading_of_its_level() -> None:
    assert text_of(BODY) == "1. **Call** back <now>.\n### Who\nA & B."
    assert text_of("## Before you start\n1. Wait.\n") == ""
    assert text_of("# BEFORE THE YES\nDo it.") == "Do it."
    assert text_of("## Before the yesterday\nNo.") == ""


def test_a_form_shows_it_in_slacks_markup_and_nothing_in_it_forges() -> None:
    [block] = blocks(BODY)
    assert block["text"]["text"] == "*Before the yes*\n1. *Call* back &lt;now&gt;.\n### Who\nA &amp; B."
    assert blocks("## Steps\n1. Reset.") == []
    assert len(blocks("## Before the yes\n" + "a" * 11_000)[0]["text"]["text"]) <= 3000


def test_it_is_shown_in_the_filing_form_and_on_attest() -> None:
    books = [runbook("mfa", kind="reset", body=BODY, subject_verification=("manager_callback",))]
    base = policy(runbooks=books)
    drawn = form(FormDraft(None, "mfa"), books, scene(base))
    assert "*Call* back" in str(drawn)
    assert "Reset." not in str(drawn)
    attest = verify_form(DialogContext("R-00000001:1", "D1", BODY), filed())
    assert "*Call* back" in str(attest)
    for view in (drawn, attest):
        assert check_view(view, "modal") == []
