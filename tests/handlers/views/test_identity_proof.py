"""Proof of identity and the wait after a yes, as card, receipt and subject show them, and the form of Attest."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.case.click import Click
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy, TakenAway
from bot.domain.workflow.identity_proof import attest
from handlers import ids
from handlers.inbound.payloads import sheet_of
from handlers.views import identity_proof, suspensions
from handlers.views.approval_card import card
from handlers.views.dialogs import DialogContext
from handlers.views.receipt import receipt, status
from handlers.views.request_form import FormDraft, form
from handlers.views.reviews.forms import verify_form
from sandbox.blocks import check_message, check_view
from tests.bot.building import MINUTE, OWNER, PE1, STRANGER, T0, after, case_of, click, decide, policy, profile, runbook
from tests.handlers.views.test_approval_card import labels, scene, texts

BASE = policy(
    runbooks=[runbook("mfa", kind="reset", subject_verification=("manager_callback", "id_document"), not_before=1800)]
)


def filed() -> Case:
    return case_of(BASE, "mfa", subject=STRANGER)


def attested(*names_: str) -> Case:
    case = filed()
    for name in names_ or ("manager_callback", "id_document"):
        word = Click(PE1, "verify", 1, {}, "call <@U0RISK> 4711", name=name, moment=T0)
        case = after(attest(case, BASE, word, T0 + MINUTE))
    return case


def approved() -> Case:
    return after(decide(attested(), BASE, click(OWNER), profile(OWNER), T0 + MINUTE))


def shown(case: Case) -> str:
    return "\n".join(texts(card(case, OWNER, scene(BASE))))


def test_the_card_says_what_is_missing_and_who_has_to_attest_it() -> None:
    said = "You can't approve yet. Waiting for <@U0PE1> to confirm: manager callback, ID document."
    assert f"*Not verified yet.* {said}" in shown(filed())
    assert labels(card(filed(), OWNER, scene(BASE))) == ["Deny", "Question", "On it", "Ask someone else"]
    assert labels(card(attested(), OWNER, scene(BASE)))[:3] == ["Approve", "Deny", "Approve for less…"]
    one = shown(attested("id_document"))
    assert "2026-03-04 09:00 UTC>: call &lt;@U0RISK&gt; 4711" in one.split("*Verified:* ID document, at")[1]
    assert "to confirm: manager callback." in one
    assert "Not verified" not in shown(attested())


def test_the_receipt_carries_attest_until_everything_is_attested() -> None:
    assert "Attest" in labels(receipt(filed(), scene(BASE)))
    assert "Attest" in labels(receipt(attested("id_document"), scene(BASE)))
    assert "Attest" not in labels(receipt(attested(), scene(BASE)))


def test_a_quorum_that_waits_leaves_deny_and_revoke_on_the_card_and_withdraw_on_the_receipt() -> None:
    assert labels(card(approved(), OWNER, scene(BASE))) == ["Deny", "Revoke"]
    assert labels(receipt(approved(), scene(BASE))) == ["Withdraw"]
    opens = f"<!date^{int((T0 + 30 * MINUTE).timestamp())}^{{time}}|2026-03-04 09:30 UTC>"
    for text in (shown(approved()), status(approved(), scene(BASE))):
        assert f"*Approved, and waiting.* It opens at {opens}, unless somebody says no" in text
        assert "nothing opens" not in text
    assert f"If approved, access starts at {opens} at the earliest." in shown(filed())


def test_what_the_subject_reads_has_no_reason_no_target_and_no_button() -> None:
    case = filed()
    case = replace(case, request=replace(case.request, reason="SECRET", target="TARGET"))
    for moment in ("before", "after"):
        told = identity_proof.to_subject(case, moment, scene(BASE))
        assert "<@U0NOBODY>" in told.text
        assert "#identity-help" in told.text
        assert "SECRET" not in told.text
        assert "TARGET" not in told.text
        assert labels(told) == []


def test_every_message_and_the_form_are_what_slack_takes() -> None:
    for case in (filed(), attested("id_document"), attested(), approved()):
        at = scene(BASE)
        for said in (
            card(case, OWNER, at),
            receipt(case, at),
            identity_proof.verified(case, OWNER),
            identity_proof.cooling(case, at),
        ):
            assert check_message([*said.blocks]) == []
    view = verify_form(DialogContext("R-00000001:1", "D0"), attested("id_document"))
    assert check_view(view, "modal") == []
    methods = view["blocks"][1]["element"]["options"]
    assert [option["value"] for option in methods] == ["manager_callback"]


def test_a_sent_form_is_read_by_its_inputs() -> None:
    values = {
        "a": {ids.METHOD: {"selected_option": {"value": "id_document"}}},
        "b": {ids.REFERENCE: {"value": "passport seen"}},
        "c": {ids.DONE_AT: {"selected_date_time": 1772614800}},
    }
    view = {"id": "V1", "hash": "h", "callback_id": ids.FORM_VERIFY, "private_metadata": "", "state": {"values": values}}
    sheet = sheet_of({"view": view})
    assert sheet.entered == {
        ids.METHOD: "id_document", ids.REFERENCE: "passport seen", ids.DONE_AT: "1772614800",
    }  # fmt: skip


def consequence(runbook_id: str, under: Policy, debt: str | None = None, left: str = "") -> str:
    view = form(FormDraft("reset", runbook_id), list(under.runbooks.values()), scene(under), debt, left)
    return str(next(b for b in view["blocks"] if b.get("block_id") == ids.BLOCK_CONSEQUENCE)["elements"][0]["text"])


def test_the_form_says_what_a_reset_wants_beside_the_yes() -> None:
    said = consequence("mfa", BASE)
    assert "First, confirm how the person was verified. If approved, access starts at <!date^" in said
    assert "2026-03-04 09:30 UTC> at the earliest." in said


def test_the_form_of_a_right_says_that_nobody_is_asked_and_what_is_left_of_it_or_why_nothing_is() -> None:
    under = policy(runbooks=[runbook("unlock", kind="reset", right="autonomous", escalation=None, tell="each")])
    told = "You may do this now; nobody is asked. It is logged, and <@U0OWNER> is told each time."
    unless = "If the person holds authority here, access opens only after <@U0OWNER> approves."
    assert consequence("unlock", under, None, "1 of 5 in 7 days are used.") == f"{told} {unless} 1 of 5 in 7 days are used."
    assert consequence("unlock", under, "The limit of 5 in 7 days is used up.") == "The limit of 5 in 7 days is used up."
    gone = replace(under, standing=TakenAway(withdrawn=frozenset({under.runbooks["unlock"].sha256})))
    assert consequence("unlock", gone).startswith("This right was withdrawn by its owner.")


def test_what_an_owner_reads_of_a_right_that_was_used() -> None:
    under = policy(runbooks=[runbook("unlock", kind="reset", right="autonomous", escalation=None)])
    case = case_of(under, "unlock", reason="locked <!channel>")
    told = suspensions.used(case, OWNER, scene(under))
    assert labels(told) == ["Revoke"]
    assert check_message([*told.blocks]) == []
    assert "<!channel>" not in str(told.blocks)
    digest = suspensions.digest([case] * 30, scene(under))
    assert check_message([*digest.blocks]) == []
    assert "30 uses of rights that need no yes" in digest.text
    assert "… and 10 more." in digest.text
    assert "locked" not in digest.text
