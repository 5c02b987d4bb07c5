"""Slack is down: signed yeses count on its last stored answer, the host's operator files for somebody who telephones, the page lists
what waits; and when Slack is back, all of it is looked at again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.authority.endorsement import key_change_id
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.policy.model import BreakGlass, Policy
from bot.ports.commands import FileRequest
from tests.bot.building import LEAD, OWNER, PE1, PE2
from tests.bot.office import Office
from tests.bot.passkeys import ORIGIN, OWNERS, RISKS, Authenticator, named, sent, signed_policy, signs, token_of, with_words


def meanwhile(policy: Policy) -> Policy:
    """The same set, which lets people decide while Slack is down."""
    assert policy.signing is not None
    return replace(policy, signing=replace(policy.signing, when_slack_is_down="signed"))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", meanwhile(signed_policy())) as opened:
        yield with_words(opened)


def cut_off(office: Office) -> None:
    office.directory.silent |= {OWNER, PE1, LEAD} | {named.person for named in office.policy.people}


async def by_host(office: Office, runbook: str = "emergency", **how: object) -> str:
    told = {"target": "srv-1", "reason": "disk full", "seconds": 3600} | how
    act = FileRequest(office.clock.request_id(), PE1, runbook, by_host=True, **told)  # type: ignore[arg-type]
    await office.take_in(act)
    await office.worker.drain()
    return act.id


async def test_a_signed_yes_counts_on_slacks_last_stored_answer_and_says_so(office: Office) -> None:
    await office.service.outage.look()
    cut_off(office)
    id_ = await office.file(PE1)
    assert (await signs(office, OWNER, id_)).body["ok"] is True
    entry = next(e for e in office.log(id_) if e["type"] == "request.approved")
    assert (entry["data"]["signed"], entry["data"]["account"]) == (True, "unconfirmed")
    office.directory.silent.clear()
    await office.service.outage.look()
    assert await office.store.signing.unconfirmed() == ()
    assert [e["type"] for e in office.log(id_)].count("review.due") == 0


async def test_an_answer_that_is_too_old_or_of_no_full_member_does_not_count(office: Office) -> None:
    await office.service.outage.look()
    cut_off(office)
    office.clock.at += timedelta(days=7, seconds=1)
    id_ = await office.file(PE1)
    assert (await signs(office, OWNER, id_)).status == 409
    await office.store.signing.keep_account(OWNER, full=False)
    assert (await signs(office, OWNER, id_)).status == 409
    assert await office.state(id_) is RequestState.PENDING


async def test_where_the_policy_lets_nobody_decide_meanwhile_nothing_counts_and_nothing_is_stored(tmp_path: Path) -> None:
    async with Office(tmp_path / "countersign.db", signed_policy()) as office:
        with_words(office)
        await office.service.outage.look()
        assert await office.store.signing.account(OWNER) is None
        await office.store.signing.keep_account(OWNER, full=True)
        cut_off(office)
        id_ = await office.file(PE1)
        assert (await signs(office, OWNER, id_)).status == 409


async def test_an_account_that_is_gone_when_slack_is_back_alarms_and_brings_a_review_at_once(office: Office) -> None:
    await office.service.outage.look()
    cut_off(office)
    id_ = await office.file(PE1)
    assert (await signs(office, OWNER, id_)).body["ok"] is True
    office.directory.silent.clear()
    office.directory.guests.add(OWNER)
    await office.service.outage.look()
    assert [e["type"] for e in office.log(id_)].count("review.due") == 1
    assert any("the account is gone or a guest's" in str(said.get("text")) for said in office.answers())
    await office.service.outage.look()
    assert [e["type"] for e in office.log(id_)].count("review.due") == 1


async def test_what_the_operator_files_says_so_pages_at_once_and_opens_by_a_signature_only(office: Office) -> None:
    id_ = await by_host(office)
    entry = next(e for e in office.log(id_) if e["type"] == "request.filed")
    assert entry["actor"] == {"kind": "operator"}
    assert entry["data"]["for"] == PE1
    token = await token_of(office, OWNER, id_)
    shown = await office.service.signing.read(token)
    assert "nobody has verified the caller. Call back." in str(shown.body["words"])
    assert (await signs(office, OWNER, id_)).body["ok"] is True


@pytest.mark.parametrize(
    "change", [{"signature": "none"}, {"right": "autonomous"}, {"break_glass": BreakGlass(3600, None)}]
)
async def test_nothing_unsigned_autonomous_or_break_glass_is_filed_on_the_host(
    tmp_path: Path, change: dict[str, object]
) -> None:
    policy = meanwhile(signed_policy())
    runbooks = {id_: replace(book, **change) for id_, book in policy.runbooks.items()}  # type: ignore[arg-type]
    async with Office(tmp_path / "countersign.db", replace(policy, runbooks=runbooks)) as office:
        id_ = await by_host(office)
        assert office.types(id_) == ["request.refused"]


async def granted(office: Office, id_: str) -> GrantState:
    grant = (await office.case(id_)).grant
    assert grant is not None
    return grant.state


async def test_was_not_me_revokes_for_the_engineer_and_their_lead_and_nobody_else(office: Office) -> None:
    id_ = await by_host(office)
    await signs(office, OWNER, id_)
    await office.click(PE2, id_, "was_not_me")
    assert await granted(office, id_) is GrantState.OPEN
    await office.click(LEAD, id_, "was_not_me")
    assert await granted(office, id_) is GrantState.REVOKED
    pending = await by_host(office, target="srv-2")
    await office.click(PE1, pending, "was_not_me")
    assert await office.state(pending) is RequestState.WITHDRAWN
    own = await office.file(PE1, target="srv-3")
    await office.click(PE1, own, "was_not_me")
    assert await office.state(own) is RequestState.PENDING


async def signed_in(office: Office, key: Authenticator = OWNERS) -> str:
    begun = await office.service.sessions.begin()
    made = key.sign(str(begun.body["statement"]))
    told = await office.service.sessions.finish(str(begun.body["nonce"]), made)
    return told.session


async def test_a_passkey_signs_in_and_sees_what_waits_for_it(office: Office) -> None:
    id_ = await office.file(PE1)
    session = await signed_in(office)
    told = await office.service.sessions.waiting(session)
    (one,) = told.body["waiting"]  # type: ignore[misc]
    assert id_ in one["title"]
    token = one["address"].removeprefix(f"{ORIGIN}/d#")
    statement = await office.service.signing.statement(token, "approve")
    assert (await sent(office, token, OWNERS.sign(str(statement.body["statement"])))).body["ok"] is True
    assert (await office.service.sessions.waiting(session)).body["waiting"] == []
    office.clock.at += timedelta(minutes=10)
    assert (await office.service.sessions.waiting(session)).status == 401


async def test_a_session_is_over_as_soon_as_its_passkey_is_removed(office: Office) -> None:
    session = await signed_in(office)
    assert (await office.service.sessions.waiting(session)).status == 200
    await office.adopt(
        replace(office.policy, people=tuple(p for p in office.policy.people if p.person != OWNER), digest="cd" * 32)
    )
    assert (await office.service.sessions.waiting(session)).status == 401
    assert await signed_in(office) == ""


async def test_a_session_is_signed_for_once_by_a_key_that_counts(office: Office) -> None:
    begun = await office.service.sessions.begin()
    made, nonce = OWNERS.sign(str(begun.body["statement"])), str(begun.body["nonce"])
    assert (await office.service.sessions.finish(nonce, made)).status == 200
    assert (await office.service.sessions.finish(nonce, made)).status == 409
    assert await signed_in(office, Authenticator(b"a-strangers-key")) == ""
    assert await signed_in(office, replace(OWNERS, flags=0x01)) == ""
    assert (await office.service.sessions.waiting("")).status == 401


async def test_an_endorser_finds_the_change_in_the_list(office: Office) -> None:
    before = office.policy
    held = [
        named(p.person, *p.passkeys, *((Authenticator(b"new").passkey(),) if p.person == OWNER else ()))
        for p in before.people
    ]
    await office.adopt(replace(before, people=tuple(held), digest="ab" * 32))
    told = await office.service.sessions.waiting(await signed_in(office, RISKS))
    assert [one["title"] for one in told.body["waiting"]] == ["A change of the signing keys"]  # type: ignore[attr-defined]
    assert key_change_id(before.digest, "ab" * 32) == office.service.current.key_changes[0].id
