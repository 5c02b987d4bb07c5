"""Proof of identity before a reset: attested by the requester, before a yes, and never by or through the subject."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from bot.domain.case.click import Click
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow.filing_form import check
from bot.domain.workflow.identity_proof import attest
from bot.domain.workflow.timers import sweep
from tests.bot.building import (
    DEP1,
    HERE,
    HOUR,
    LEAD,
    MINUTE,
    OWNER,
    PE1,
    PE2,
    SOC1,
    STRANGER,
    T0,
    after,
    asked,
    case_of,
    click,
    decide,
    form,
    policy,
    profile,
    runbook,
    said,
    types,
)  # fmt: skip

METHODS = ("manager_callback", "id_document")


def base(**changes: object) -> Policy:
    return policy(runbooks=[runbook("reset", kind="reset", subject_verification=METHODS, review_within=None, **changes)])


BASE = base()


def filed(subject: Person = STRANGER, under: Policy = BASE) -> Case:
    return case_of(under, "reset", subject=subject)


def word(name: str, person: Person = PE1, done: datetime = T0, reference: str = "call 4711") -> Click:
    return Click(person, "verify", 1, {"channel": "D1"}, reference, name=name, moment=done)


def attested(case: Case, *names: str, at: datetime = T0 + MINUTE) -> Case:
    for name in names or METHODS:
        case = after(attest(case, BASE, word(name), at))
    return case


def yes(case: Case, person: Person = OWNER, at: datetime = T0 + 2 * MINUTE) -> Transition:
    return decide(case, BASE, click(person), profile(person), at)


def test_a_yes_before_every_method_is_attested_changes_nothing_and_says_what_is_missing() -> None:
    case = filed()
    for done, missing in (((), list(METHODS)), (("manager_callback",), ["id_document"])):
        act = yes(attested(case, *done) if done else case)
        assert types(act) == ["decision.refused"]
        assert act.after is None
        assert (act.says[0].data["sentence"], act.says[0].data["missing"]) == ("unverified", missing)


def test_once_every_method_is_attested_one_click_opens_it() -> None:
    assert types(yes(attested(filed()))) == ["request.approved", "grant.opened"]


def test_a_no_needs_no_proof() -> None:
    act = decide(filed(), BASE, click(OWNER, "deny", reason="no"), profile(OWNER), T0 + MINUTE)
    assert types(act) == ["request.denied"]


def test_each_attestation_is_logged_as_a_digest_and_the_last_one_informs_everyone_who_was_asked() -> None:
    first = attest(filed(), BASE, word("id_document"), T0 + MINUTE)
    assert types(first) == ["subject.verified"]
    assert first.entries[0].data["name"] == "id_document"
    (private,) = first.entries[0].private
    assert (private.name, private.value) == ("evidence", "call 4711 (2026-03-04T09:00:00.000Z)")
    assert private.subject == STRANGER
    assert said(first, "verified") == []
    assert first.refresh
    last = attest(after(first), BASE, word("manager_callback"), T0 + MINUTE)
    assert said(last, "verified") == [OWNER]


@pytest.mark.parametrize("person", [PE2, LEAD, SOC1, OWNER, STRANGER])
def test_nobody_but_the_requester_attests(person: Person) -> None:
    act = attest(filed(), BASE, word("id_document", person), T0 + MINUTE)
    assert types(act) == ["decision.refused"]


@pytest.mark.parametrize(
    "said_", [word("palm_reading"), word("id_document", reference=""), word("id_document", done=T0 + HOUR)]
)
def test_an_unknown_method_an_empty_reference_and_a_time_to_come_attest_nothing(said_: Click) -> None:
    assert types(attest(filed(), BASE, said_, T0 + MINUTE)) == ["decision.refused"]


def test_a_method_is_attested_once_and_nothing_after_the_end() -> None:
    case = attested(filed(), "id_document")
    assert types(attest(case, BASE, word("id_document"), T0 + 2 * MINUTE)) == ["decision.refused"]
    assert types(attest(filed(), BASE, word("id_document"), T0 + 45 * MINUTE)) == ["decision.refused"]


def test_the_subject_is_notified_before_and_after_and_is_never_asked() -> None:
    first = case_of(BASE, "reset", subject=OWNER)
    assert asked(first) == {DEP1} | asked(first) - {OWNER}
    assert OWNER not in asked(first)
    assert types(yes(attested(first), OWNER)) == ["decision.refused"]
    act = decide(attested(filed()), BASE, click(OWNER), profile(OWNER), T0 + 2 * MINUTE)
    assert said(act, "subject_after") == [STRANGER]
    assert [s.data for s in act.says if s.purpose == "subject_after"] == [{}]


def test_somebody_who_asks_for_their_own_reset_is_refused_at_the_field() -> None:
    (wrong,) = check(BASE, form("reset", subject=replace(PE1, team="T0PROV")), T0.date())
    assert wrong.field == "subject"
    (missing,) = check(BASE, form("reset"), T0.date())
    assert missing.field == "subject"


def test_nobody_is_chased_for_it_and_the_request_expires() -> None:
    act = sweep(filed(), BASE, HERE, T0 + 45 * MINUTE, 0)
    assert types(act) == ["request.expired"]
