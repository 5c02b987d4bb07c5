"""A yes under a runbook that demands a signature: what counts, and each refusal. Source: signed-decisions.md."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.case.lifecycle import RequestState
from bot.domain.decision_log.entry import disclosed
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import timeline
from bot.service.signing_page import Told
from handlers.views.approval_card import card
from handlers.views.kit.signing import NO_KEY, SIGNED
from storage.log.check import check_database
from tests.bot import parts
from tests.bot.building import DEP1, MINUTE, OWNER, PE1, RISK, T0, policy
from tests.bot.office import Office
from tests.bot.passkeys import (
    DEPUTYS,
    KEYS,
    OWNERS,
    Authenticator,
    named,
    raw,
    sent,
    signature_findings,
    signed_policy,
    signs,
    token_of,
    with_words,
)
from tests.bot.permitting import SignedOffice
from tests.database import place

pytestmark = pytest.mark.both


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", signed_policy()) as opened:
        yield with_words(opened)


async def filed(office: Office, **how: Any) -> str:
    case_id = await office.file(PE1, **how)
    await office.sweeper.sweep()
    return case_id


def refusals(office: Office, case_id: str) -> list[dict[str, Any]]:
    return [entry for entry in office.log(case_id) if entry["type"] == "decision.refused"]


async def assert_refused(office: Office, case_id: str, told: Told, text: str) -> None:
    """A clear sentence, nothing changed, one entry."""
    assert told.status == 409
    assert text in str(told.body["text"]), told.body
    assert await office.state(case_id) is RequestState.PENDING
    assert (await office.case(case_id)).approval.votes == ()
    assert len(refusals(office, case_id)) == 1


async def test_a_signed_yes_opens_the_grant_and_is_logged_with_its_signature(office: Office) -> None:
    case_id = await filed(office)
    told = await signs(office, OWNER, case_id)
    assert told.body["ok"] is True, told.body
    assert await office.state(case_id) is RequestState.APPROVED
    entry = next(e for e in office.log(case_id) if e["type"] == "request.approved")
    assert entry["data"]["signed"] is True
    assert entry["who"] == OWNER
    texts = [r["disclosure"] for r in office.rows("SELECT disclosure FROM log_private")]
    found = dict(disclosed(text) for text in texts)
    signature = json.loads(found["signature"])
    statement = json.loads(raw(signature["statement"]))
    assert statement["verdict"] == "approve"
    assert statement["seconds"] == 3600 == entry["data"]["seconds"]
    assert statement["case"] == case_id
    assert statement["role"] == entry["data"]["role"]
    assert statement["policy"] == entry["policy"]["sha256"]
    assert statement["runbook"] == entry["runbook"]["sha256"]
    assert statement["seen"] == entry["case_prev"]
    leaf = office.rows("SELECT leaf FROM log_entry WHERE type = 'request.filed'")[0]["leaf"]
    assert statement["asked"] == leaf.hex()
    assert check_database(place(office.path)).findings == ()
    assert signature_findings(office) == []


async def test_approve_for_less_gives_what_was_signed(office: Office) -> None:
    case_id = await filed(office)
    assert (await signs(office, OWNER, case_id, seconds=900)).body["ok"] is True
    grant = (await office.case(case_id)).grant
    assert grant is not None
    assert grant.seconds == 900


async def test_no_statement_says_more_time_than_was_asked_for(office: Office) -> None:
    case_id = await filed(office)
    told = await office.service.signing.statement(await token_of(office, OWNER, case_id), "approve", seconds=3601)
    assert told.status == 409


async def test_a_press_in_slack_never_counts_and_is_answered_with_the_link(office: Office) -> None:
    case_id = await filed(office)
    await office.click(OWNER, case_id)
    assert await office.state(case_id) is RequestState.PENDING
    assert (await office.case(case_id)).approval.votes == ()
    assert [answer["sentence"] for answer in office.answers()] == ["sign_on_page"]
    assert len(refusals(office, case_id)) == 1


async def test_a_no_in_slack_needs_no_signature(office: Office) -> None:
    case_id = await filed(office)
    await office.click(OWNER, case_id, "deny")
    assert await office.state(case_id) is RequestState.DENIED


async def test_a_no_on_the_page_is_signed_and_needs_a_reason(office: Office) -> None:
    case_id = await filed(office)
    assert "reason" in str((await signs(office, OWNER, case_id, "deny")).body["text"])
    assert (await signs(office, OWNER, case_id, "deny", reason="Not now")).body["ok"] is True
    assert await office.state(case_id) is RequestState.DENIED
    entry = next(e for e in office.log(case_id) if e["type"] == "request.denied")
    assert entry["data"]["signed"] is True


SYNCED = Authenticator(b"owner-key", flags=0x0D, private=OWNERS.private)
OTHER_KEY = Authenticator(b"owner-key")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (DEPUTYS, "made for somebody else"),
        (Authenticator(b"a-strangers-key"), "is not in the policy"),
        (OTHER_KEY, "does not match the key"),
        (replace(OWNERS, flags=0x01), "did not check your PIN"),
        (replace(OWNERS, flags=0x04), "did not confirm that you touched it"),
        (SYNCED, "about being synced"),
        (replace(OWNERS, client={"origin": "https://evil.example"}), "another web address"),
        (replace(OWNERS, client={"crossOrigin": True}), "inside another page"),
        (replace(OWNERS, client={"topOrigin": "https://evil.example"}), "inside another page"),
        (replace(OWNERS, rp="evil.example"), "another web address"),
        (replace(OWNERS, client={"challenge": "AAAA"}), "signed something else"),
    ],
)
async def test_an_assertion_that_is_not_right_is_refused(office: Office, key: Authenticator, text: str) -> None:
    case_id = await filed(office)
    await assert_refused(office, case_id, await signs(office, OWNER, case_id, key=key), text)


async def test_a_refusal_names_whom_the_key_proves_and_else_nobody(office: Office) -> None:
    case_id = await filed(office)
    await signs(office, OWNER, case_id, key=DEPUTYS)
    await signs(office, OWNER, case_id, key=OTHER_KEY)
    assert [entry["who"] for entry in refusals(office, case_id)] == [DEP1, None]


async def test_a_key_removed_a_second_ago_counts_for_nothing(office: Office) -> None:
    case_id = await filed(office)
    token = await token_of(office, OWNER, case_id)
    statement = str((await office.service.signing.statement(token, "approve")).body["statement"])
    await office.adopt(replace(signed_policy(keys={DEP1: DEPUTYS.passkey()}), digest="ef" * 32))
    await assert_refused(office, case_id, await sent(office, token, OWNERS.sign(statement)), "is not in the policy")


async def test_a_key_of_a_provider_counts_for_nothing(office: Office) -> None:
    case_id = await filed(office)
    thief = Authenticator(b"provider-key")
    people = (*office.policy.people, named(PE1, thief.passkey()))
    await office.adopt(replace(office.policy, people=people, digest="ef" * 32))
    await assert_refused(office, case_id, await signs(office, OWNER, case_id, key=thief), "provider never decides")


async def test_a_key_added_after_the_filing_does_not_count_for_it(office: Office) -> None:
    case_id = await filed(office)
    added = Authenticator(b"second-key")
    people = tuple(
        replace(one, passkeys=(*one.passkeys, added.passkey())) if one.person == OWNER else one
        for one in office.policy.people
    )
    await office.adopt(replace(office.policy, people=people, digest="ef" * 32))
    await assert_refused(office, case_id, await signs(office, OWNER, case_id, key=added), "added lately")
    assert (await signs(office, OWNER, case_id)).body["ok"] is True


async def test_the_keys_of_the_first_set_open_at_once_although_the_set_before_still_binds(tmp_path: Path) -> None:
    async with Office(tmp_path / "countersign.db", policy()) as office:
        with_words(office)
        await office.adopt(replace(signed_policy(), digest="ef" * 32))
        case_id = await filed(office)
        told = await signs(office, OWNER, case_id)
        assert told.status == 200, told
        assert await office.state(case_id) is RequestState.APPROVED


async def test_a_synced_key_counts_nowhere_under_device_bound(office: Office) -> None:
    made = Authenticator(b"synced", flags=0x0D)
    keys = {OWNER: made.passkey(synced=True), DEP1: DEPUTYS.passkey()}
    await office.adopt(replace(signed_policy("device_bound", keys), digest="ef" * 32))
    office.sleep(timedelta(hours=1))
    case_id = await filed(office)
    assert await token_of(office, OWNER, case_id) == ""
    token = await token_of(office, DEP1, case_id)
    assert token


async def test_a_repeat_gets_the_first_answer_and_another_assertion_is_refused(office: Office) -> None:
    case_id = await filed(office, runbook="pair")
    token = await token_of(office, OWNER, case_id)
    statement = str((await office.service.signing.statement(token, "approve")).body["statement"])
    made = OWNERS.sign(statement)
    first = await sent(office, token, made)
    assert first.body["ok"] is True
    entries = len(office.log(case_id))
    assert await sent(office, token, made) == first
    assert len(office.log(case_id)) == entries
    other = await sent(office, token, OWNERS.sign(statement))  # ECDSA: another signature over the same
    assert "signed already" in str(other.body["text"])
    assert len(refusals(office, case_id)) == 1
    assert len((await office.case(case_id)).approval.votes) == 1


async def test_a_reply_that_was_lost_is_found_again_after_a_restart(office: Office) -> None:
    case_id = await filed(office)
    token = await token_of(office, OWNER, case_id)
    made = OWNERS.sign(str((await office.service.signing.statement(token, "approve")).body["statement"]))
    assert (await sent(office, token, made)).body["ok"] is True
    await office.restart()
    with_words(office)
    assert (await sent(office, token, made)).body["ok"] is True
    assert office.types(case_id).count("request.approved") == 1


async def test_a_statement_of_another_case_or_person_is_refused(office: Office) -> None:
    first, second = await filed(office), await filed(office, target="srv-2")
    mine, other = await token_of(office, OWNER, first), await token_of(office, OWNER, second)
    statement = str((await office.service.signing.statement(other, "approve")).body["statement"])
    await assert_refused(office, first, await sent(office, mine, OWNERS.sign(statement)), "does not know the statement")
    assert await office.state(second) is RequestState.PENDING


async def test_a_statement_that_was_changed_is_refused(office: Office) -> None:
    case_id = await filed(office)
    token = await token_of(office, OWNER, case_id)
    told = await office.service.signing.statement(token, "approve", seconds=900)
    more = raw(str(told.body["statement"])).replace(b'"seconds":900', b'"seconds":3600')

    made = OWNERS.sign(base64.urlsafe_b64encode(more).rstrip(b"=").decode())
    await assert_refused(office, case_id, await sent(office, token, made), "does not know the statement")


async def test_a_statement_lives_five_minutes_of_real_time(office: Office) -> None:
    case_id = await filed(office)
    token = await token_of(office, OWNER, case_id)
    statement = str((await office.service.signing.statement(token, "approve")).body["statement"])
    office.sleep(5 * MINUTE)
    await assert_refused(office, case_id, await sent(office, token, OWNERS.sign(statement)), "five minutes")


async def test_what_came_in_between_must_be_read_first(office: Office) -> None:
    case_id = await filed(office)
    token = await token_of(office, OWNER, case_id)
    statement = str((await office.service.signing.statement(token, "approve")).body["statement"])
    await office.click(OWNER, case_id, "question")
    await office.click(PE1, case_id, "answer")
    await assert_refused(
        office, case_id, await sent(office, token, OWNERS.sign(statement)), "Something new came; read again."
    )
    assert (await signs(office, OWNER, case_id)).body["ok"] is True


async def test_a_policy_change_in_between_must_be_read_first(office: Office) -> None:
    case_id = await filed(office)
    token = await token_of(office, OWNER, case_id)
    statement = str((await office.service.signing.statement(token, "approve")).body["statement"])
    await office.adopt(replace(office.policy, digest="ef" * 32))
    await assert_refused(
        office, case_id, await sent(office, token, OWNERS.sign(statement)), "Something new came; read again."
    )


async def test_a_counter_that_goes_back_is_refused_and_alarms(office: Office) -> None:
    first, second = await filed(office), await filed(office, target="srv-2")
    assert (await signs(office, OWNER, first, key=replace(OWNERS, count=9))).body["ok"] is True
    told = await signs(office, OWNER, second, key=replace(OWNERS, count=9))
    await assert_refused(office, second, told, "counter went back")
    alarmed = {answer["to"] for answer in office.answers() if "may have copied it" in str(answer.get("text"))}
    assert {DEP1.user, "U0AUDIT"} <= alarmed


async def test_a_late_signature_is_refused_by_the_questions_own_deadline(office: Office) -> None:
    case_id = await filed(office)
    office.sleep(44 * MINUTE)
    token = await token_of(office, OWNER, case_id)
    statement = str((await office.service.signing.statement(token, "approve")).body["statement"])
    office.sleep(2 * MINUTE)
    told = await sent(office, token, OWNERS.sign(statement))
    assert "expired" in str(told.body["text"])
    assert "request.approved" not in office.types(case_id)


async def test_in_a_quorum_of_two_each_signs_and_the_smallest_time_wins(office: Office) -> None:
    case_id = await filed(office, runbook="pair")
    assert (await signs(office, OWNER, case_id)).body["ok"] is True
    assert await office.state(case_id) is RequestState.PENDING
    assert (await signs(office, DEP1, case_id, seconds=900)).body["ok"] is True
    grant = (await office.case(case_id)).grant
    assert grant is not None
    assert grant.seconds == 900
    assert signature_findings(office) == []


async def test_an_earlier_yes_whose_key_was_removed_counts_no_more(office: Office) -> None:
    case_id = await filed(office, runbook="pair")
    assert (await signs(office, OWNER, case_id)).body["ok"] is True
    await office.adopt(replace(signed_policy(keys={DEP1: DEPUTYS.passkey()}), digest="ef" * 32))
    assert (await signs(office, DEP1, case_id)).body["ok"] is True
    assert await office.state(case_id) is RequestState.PENDING


SPARE = Authenticator(b"owner-spare")


async def test_who_lost_the_key_of_their_yes_says_it_again_with_their_second_key(tmp_path: Path) -> None:
    """The lost key is removed, so its yes counts no more; the spare key in the safe counts since it was enrolled."""
    plain = signed_policy()
    both = tuple(
        replace(one, passkeys=(*one.passkeys, SPARE.passkey())) if one.person == OWNER else one for one in plain.people
    )
    lost = tuple(replace(one, passkeys=(SPARE.passkey(),)) if one.person == OWNER else one for one in plain.people)
    async with Office(tmp_path / "countersign.db", replace(plain, people=both)) as office:
        case_id = await filed(with_words(office), runbook="pair")
        assert (await signs(office, OWNER, case_id)).body["ok"] is True
        token = await token_of(office, OWNER, case_id)
        again = await office.service.signing.statement(token, "approve")
        assert (again.status, "is not needed now" in str(again.body["text"])) == (409, True)
        assert '"yes": true' not in json.dumps((await office.service.signing.read(token)).body)
        await office.adopt(replace(plain, people=lost, digest="ef" * 32))
        assert (await signs(office, OWNER, case_id, key=SPARE)).body["ok"] is True
        assert (await signs(office, DEP1, case_id)).body["ok"] is True
        assert await office.state(case_id) is RequestState.APPROVED
        assert check_database(place(office.path)).findings == ()


async def test_an_unsigned_yes_given_before_the_signature_was_demanded_counts_no_more(tmp_path: Path) -> None:
    async with Office(tmp_path / "countersign.db", signed_policy("none")) as office:
        with_words(office)
        case_id = await filed(office, runbook="pair")
        await office.click(OWNER, case_id)
        await office.adopt(replace(signed_policy(), digest="ef" * 32))
        assert (await signs(office, DEP1, case_id)).body["ok"] is True
        assert await office.state(case_id) is RequestState.PENDING


async def test_the_page_says_what_the_card_says_without_slacks_markup(office: Office) -> None:
    case_id = await filed(office, reason="disk <full> *now*")
    told = await office.service.signing.read(await token_of(office, OWNER, case_id))
    words = str(told.body["words"])
    assert "disk <full>" in words
    assert "<@" not in words
    assert "<!date" not in words
    assert [choice["verdict"] for choice in told.body["choices"]] == ["approve", "deny"]  # type: ignore[union-attr, attr-defined]


async def test_a_link_reads_and_never_acts_and_an_unknown_one_reads_nothing(office: Office) -> None:
    case_id = await filed(office)
    before = len(office.log(case_id))
    token = await token_of(office, OWNER, case_id)
    await office.service.signing.read(token)
    await office.service.signing.statement(token, "approve")
    assert len(office.log(case_id)) == before
    assert (await office.service.signing.read("A" * 22)).status == 404
    assert (await office.service.signing.statement("A" * 22, "approve")).status == 404
    assert (await office.service.signing.sign("A" * 22, OWNERS.sign("e30"))).status == 404


async def test_a_step_that_reaches_only_people_without_a_key_is_skipped_and_they_may_deny(tmp_path: Path) -> None:
    keys = {DEP1: DEPUTYS.passkey(), RISK: KEYS[RISK].passkey()}
    async with Office(tmp_path / "countersign.db", signed_policy(keys=keys)) as office:
        case_id = await filed(with_words(office))
        skipped = next(entry for entry in office.log(case_id) if entry["type"] == "step.skipped")
        assert (skipped["data"]["why"], skipped["data"]["to"]) == ("no_passkey", [OWNER])
        assert {OWNER, DEP1} <= set((await office.case(case_id)).approval.asked)  # the next step fired at once
        await office.click(OWNER, case_id, "deny")
        assert await office.state(case_id) is RequestState.DENIED


async def test_a_key_that_does_not_count_yet_is_no_key_of_a_step(office: Office) -> None:
    """Only the owner's key is new: what is asked for before it counts skips their step, and their card says so."""
    old = replace(signed_policy(keys={DEP1: DEPUTYS.passkey(), RISK: KEYS[RISK].passkey()}), digest="aa" * 32)
    await office.adopt(old)
    office.clock.at += timedelta(minutes=16)
    await office.adopt(replace(signed_policy(), digest="bb" * 32))
    case_id = await filed(office)
    skipped = next(entry for entry in office.log(case_id) if entry["type"] == "step.skipped")
    assert (skipped["data"]["why"], skipped["data"]["to"]) == ("no_passkey", [OWNER])
    assert DEP1 in (await office.case(case_id)).approval.asked
    assert await token_of(office, OWNER, case_id) == ""
    scene = parts.rendering(office).scene()
    for person, text in ((OWNER, NO_KEY), (DEP1, SIGNED)):
        assert text in json.dumps(card(await office.case(case_id), person, scene).blocks)


def test_explain_counts_keys() -> None:
    whole, nobody = signed_policy(), signed_policy(keys={})
    assert timeline.explain(whole, whole.runbooks["emergency"], T0, Presence({})).earliest_yes == T0
    assert timeline.explain(nobody, nobody.runbooks["emergency"], T0, Presence({})).earliest_yes is None


async def test_somebody_without_a_key_gets_no_link(office: Office) -> None:
    case_id = await filed(office)
    await office.adopt(replace(signed_policy(keys={DEP1: DEPUTYS.passkey()}), digest="ef" * 32))
    assert await token_of(office, OWNER, case_id) == ""
    assert RISK not in (await office.case(case_id)).approval.asked


async def test_a_permit_says_which_approvals_were_signed(tmp_path: Path) -> None:
    async with SignedOffice(tmp_path / "countersign.db", signed_policy()) as office:
        case_id = await filed(with_words(office))
        assert (await signs(office, OWNER, case_id)).body["ok"] is True
        body = (await office.permit(case_id)).token.split(".")[1]
        (detail,) = json.loads(raw(body))["authorization_details"]
        assert [approval["signed"] for approval in detail["approvals"]] == [True]


async def test_a_copy_of_what_was_signed_goes_beside_slack_to_the_signer_and_one_more(tmp_path: Path) -> None:
    plain = signed_policy()
    people = tuple(replace(one, page=f"json://pager.example/{one.label}") for one in plain.people)
    async with Office(tmp_path / "countersign.db", replace(plain, people=people)) as office:
        with_words(office)
        case_id = await filed(office)
        assert (await signs(office, OWNER, case_id, seconds=600)).body["ok"] is True
        rows = office.rows("SELECT to_user, data FROM outbox WHERE purpose = 'pager' AND data LIKE '%Signed:%' ORDER BY id")
        entry = next(e for e in office.log(case_id) if e["type"] == "request.approved")
        assert [row["to_user"] for row in rows] == [OWNER.user, DEP1.user]
        assert all(entry["data"]["statement"] in row["data"] and "600 s" in row["data"] for row in rows)
        assert "disk full" not in rows[0]["data"]
