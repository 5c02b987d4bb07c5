"""What may be filed, and what a filing sets going."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot.domain.case.lifecycle import RequestState
from bot.domain.case.transition import Lane, LogEvent, Transition
from bot.domain.policy.model import BreakGlass, FieldSpec
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Presence
from bot.domain.workflow.filing import Earlier, file
from bot.domain.workflow.filing_form import check, provider_asking, unfit
from tests.bot.building import (
    COLLEAGUE,
    DEP1,
    DEP2,
    FIRST_TIME,
    HERE,
    HOUR,
    LEAD,
    MINUTE,
    NORTHGATE,
    ONC1,
    OTHER,
    OWNER,
    PE1,
    PE2,
    PE3,
    PROV,
    RISK,
    SOC1,
    STRANGER,
    T0,
    after,
    asked,
    away,
    case_of,
    filing_of,
    form,
    policy,
    runbook,
    said,
    types,
    with_domain,
)

TODAY = T0.date()


def errors(runbook_id: str = "emergency", **changes: Any) -> dict[str, str]:
    return {e.field: e.text for e in check(policy(), form(runbook_id, **changes), TODAY)}


def data(draft: LogEvent) -> dict[str, Any]:
    return dict(draft.data)


class TestWhoMayAsk:
    @pytest.mark.parametrize("person", [PE1, PE2, PE3, Person(PROV, "U0PE1")])
    def test_a_named_requester_may(self, person: Person) -> None:
        assert errors(requester=person) == {}
        assert provider_asking(policy(), person) == NORTHGATE

    @pytest.mark.parametrize("person", [OWNER, STRANGER, LEAD, COLLEAGUE, Person(OTHER, "U0PE1")])
    def test_nobody_else_may_and_they_learn_whom_to_write_to(self, person: Person) -> None:
        assert "#identity-help" in errors(requester=person)["runbook"]

    def test_a_provider_asks_for_its_own_runbooks_only(self) -> None:
        base = policy(runbooks=[runbook(providers=("northgate",))])
        assert check(base, form(requester=SOC1), TODAY)[0].field == "runbook"
        assert check(base, form(requester=PE1), TODAY) == ()

    def test_a_runbook_that_does_not_exist_is_refused_at_its_field(self) -> None:
        assert set(errors("nothing")) == {"runbook"}

    def test_the_last_day_of_the_contract_counts_and_the_day_after_is_refused(self) -> None:
        assert check(policy(), form(), date(2027, 3, 31)) == ()
        (ended,) = check(policy(), form(), date(2027, 4, 1))
        assert ended.field == "runbook"
        assert "2027-03-31" in ended.text

    def test_a_provider_without_an_end_of_contract_may_always_ask(self) -> None:
        assert check(policy(), form(requester=SOC1), date(2090, 1, 1)) == ()


class TestARunbookThatContradictsItself:
    """It opens at once, and wants proof or a wait before a yes."""

    WRONG = policy(
        runbooks=[runbook("glassy", kind="reset", right="immediate", break_glass=BreakGlass(3600, None), not_before=600)]
    )

    def test_is_refused_with_a_sentence(self) -> None:
        (wrong,) = check(self.WRONG, form("glassy"), TODAY)
        assert wrong.field == "runbook"
        assert "opens at once, and asks for proof or a wait" in wrong.text

    def test_the_worker_refuses_it_too_and_nothing_opens(self) -> None:
        act = filing_of(self.WRONG, "glassy")
        assert act.after is None
        assert types(act) == ["request.refused"]

    @pytest.mark.parametrize("runbook_id", ["emergency", "double", "contain", "token", "unlock", "cooling", "verified"])
    def test_none_of_the_others_does(self, runbook_id: str) -> None:
        assert unfit(policy().runbooks[runbook_id]) is None


class TestTheForm:
    def test_a_right_form_has_no_error(self) -> None:
        assert errors() == {}

    @pytest.mark.parametrize("target", ["", "  ", "x" * 201, "a\nb", "a\rb"])
    def test_a_target_is_one_line_of_at_most_200_characters(self, target: str) -> None:
        assert set(errors(target=target)) == {"target"}

    def test_a_listed_target_is_one_of_the_list(self) -> None:
        assert errors("listed", target="alpha") == {}
        assert set(errors("listed", target="gamma")) == {"target"}

    @pytest.mark.parametrize("reason", ["", "\n ", "x" * 1001])
    def test_a_reason_has_1_to_1000_characters(self, reason: str) -> None:
        assert set(errors(reason=reason)) == {"reason"}
        assert errors(reason="x" * 1000) == {}

    @pytest.mark.parametrize("seconds", [0, -1, 4 * 3600 + 1])
    def test_a_duration_is_between_nothing_and_the_maximum(self, seconds: int) -> None:
        assert set(errors(seconds=seconds)) == {"duration"}
        assert errors(seconds=4 * 3600) == {}

    def test_every_error_is_at_its_own_field(self) -> None:
        told = errors("ticketed", target="", reason="", seconds=0)
        assert set(told) == {"target", "reason", "duration", "field.ticket"}

    def test_a_pattern_is_explained_by_its_hint(self) -> None:
        assert errors("ticketed", fields={"ticket": "REQ1"})["field.ticket"] == "That isn't a valid ticket. Example: INC1."
        assert errors("ticketed", fields={"ticket": "INC77"}) == {}


FIELDS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"type": "text", "minimum": 2, "maximum": 4}, ["ab", "abcd"], ["a", "abcde", "a\nb"]),
    ({"type": "multiline", "minimum": 2, "maximum": 4}, ["a\nb"], ["a", "a\nbcd"]),
    ({"type": "number", "minimum": 1, "maximum": 9.5}, ["1", "9.5", "+3"], ["0", "9.6", "x", "1e3", "nan", "٣.", "1,5"]),
    ({"type": "date"}, ["2026-03-04"], ["04.03.2026", "2026-02-30", "soon"]),
    ({"type": "datetime"}, ["1772614800", "2026-03-04T09:00"], ["later"]),
    ({"type": "select", "options": ("a", "b")}, ["a"], ["c", "A"]),
    ({"type": "email"}, ["a@b.example"], ["a", "a@b", "a b@c.example"]),
    ({"type": "url"}, ["https://a.example/x"], ["a.example", "javascript:alert(1)", "https://a b"]),
    ({"type": "person"}, ["U0DEP1", "W0X1"], ["olga", "u0dep1", "<@U0DEP1>"]),
    ({"type": "boolean"}, ["yes", "no"], ["true", "Yes"]),
    ({"type": "text"}, ["x" * 3000], ["x" * 3001]),
]


@pytest.mark.parametrize(("spec", "good", "bad"), FIELDS, ids=[f[0]["type"] for f in FIELDS])
def test_an_answer_fits_the_type_of_its_field(spec: dict[str, Any], good: list[str], bad: list[str]) -> None:
    base = policy(runbooks=[runbook(fields=(FieldSpec("f", "Field", **spec),))])
    for value in (*good, ""):
        assert check(base, form(fields={"f": value}), TODAY) == (), value
    for value in bad:
        assert [e.field for e in check(base, form(fields={"f": value}), TODAY)] == ["field.f"], value


@pytest.mark.parametrize("value", ["", "  "])
def test_a_required_answer_is_not_blank(value: str) -> None:
    base = policy(runbooks=[runbook(fields=(FieldSpec("f", "Field", "text", required=True),))])
    assert [e.field for e in check(base, form(fields={"f": value}), TODAY)] == ["field.f"]


class TestAFiling:
    def test_what_was_typed_is_frozen_with_runbook_and_policy(self) -> None:
        base = policy()
        act = filing_of(base, "ticketed", fields={"ticket": "INC7", "other": "x"}, target=" srv-1 ", reason=" why ")
        request = after(act).request
        assert (request.target, request.reason, request.seconds) == ("srv-1", "why", 3600)
        assert [(f.name, f.label, f.value) for f in request.fields] == [("ticket", "Incident ticket", "INC7")]
        assert (request.runbook_sha256, request.policy_sha256) == (base.runbooks["ticketed"].sha256, base.digest)
        assert (request.provider, request.domain, request.state) == ("northgate", "directory", RequestState.PENDING)
        assert request.expires_at - request.filed_at == 45 * MINUTE

    def test_the_log_says_that_it_was_filed_and_who_was_asked(self) -> None:
        act = filing_of(policy())
        assert types(act) == ["request.filed", "step.fired"]
        assert data(act.entries[1])["to"] == (OWNER,)

    def test_target_reason_fields_and_subject_are_logged_as_private_only(self) -> None:
        act = filing_of(policy(), "ticketed", fields={"ticket": "INC7"}, subject=DEP1)
        filed = act.entries[0]
        assert {p.name for p in filed.private} == {"target", "reason", "field.ticket", "subject"}
        assert not {"srv-1", "disk full", "INC7"} & {str(v) for v in filed.data.values()}

    def test_the_asked_get_a_card_and_the_requester_a_receipt_emergencies_first(self) -> None:
        act = filing_of(policy(), "pair")
        assert set(said(act, "card")) == {OWNER, DEP1}
        assert said(act, "receipt") == [PE1]
        assert {say.lane for say in act.says if say.purpose in ("card", "receipt")} == {Lane.URGENT}
        assert {say.lane for say in filing_of(policy(), "token").says} == {Lane.CARD}

    def test_the_providers_leads_get_a_copy(self) -> None:
        assert said(filing_of(policy()), "lead") == [LEAD]

    def test_the_form_on_the_screen_learns_the_id(self) -> None:
        act = file(policy(), form(), FIRST_TIME, HERE, T0, 1, form_view="V1")
        (shown,) = [say for say in act.says if say.purpose == "form"]
        assert (shown.data["view"], shown.data["id"], shown.to) == ("V1", "R-00000001", PE1)

    def test_the_sweeper_looks_again_at_the_next_step(self) -> None:
        assert filing_of(policy()).wake_at == T0 + 3 * MINUTE

    def test_a_deactivated_owner_is_an_alarm_to_channel_and_risk_owner(self) -> None:
        act = filing_of(policy(), presence=away(U0OWNER="deactivated"))
        assert said(act, "alarm") == ["C0DIRECTORY", RISK]
        assert types(act) == ["request.filed", "step.skipped", "step.skipped", "step.fired"]

    def test_the_time_scale_divides_the_life_of_a_request(self) -> None:
        assert case_of(policy(), scale=60).request.expires_at == T0 + timedelta(seconds=45)


class TestBrakes:
    def test_a_fourth_pending_request_in_a_domain_is_refused(self) -> None:
        refused = filing_of(policy(), earlier=replace(FIRST_TIME, pending=3))
        assert refused.after is None
        assert data(refused.entries[0]) == {"reason_code": "too_many_pending"}
        assert filing_of(policy(), earlier=replace(FIRST_TIME, pending=2)).after is not None

    def test_what_only_waits_for_a_form_counts_for_everything_but_an_emergency(self) -> None:
        three = replace(FIRST_TIME, pending=5, waiting=3)
        assert filing_of(policy(), earlier=three).after is not None
        assert data(filing_of(policy(), earlier=replace(three, pending=6)).entries[0]) == {
            "reason_code": "too_many_pending"
        }
        ordinary = policy(runbooks=[runbook(kind="reset", review_within=None)])
        assert data(filing_of(ordinary, earlier=three).entries[0]) == {"reason_code": "too_many_pending"}

    def test_the_same_again_while_pending_is_refused_with_the_id_of_the_open_one(self) -> None:
        refused = filing_of(policy(), earlier=replace(FIRST_TIME, same_pending="R-0000000Z"))
        assert refused.after is None
        assert data(refused.entries[0]) == {"reason_code": "already_pending"}
        assert "R-0000000Z" in str(refused.says[0].data["text"])

    def test_a_refusal_is_shown_to_the_requester_and_in_the_form(self) -> None:
        act = file(policy(), form(), replace(FIRST_TIME, pending=3), HERE, T0, 1, form_view="V1")
        assert [(s.purpose, s.to) for s in act.says] == [("answer", PE1), ("form", PE1)]

    def test_a_denied_repeat_asks_minute_zero_and_the_denier_and_nobody_later(self) -> None:
        act = filing_of(policy(), earlier=Earlier(0, None, DEP2, expired_recently=False))
        case = after(act)
        assert asked(case) == {OWNER, DEP2}
        assert set(said(act, "card")) == {OWNER, DEP2}
        assert [s.action for s in case.approval.steps] == ["notify", "remind"]

    def test_the_log_says_that_the_denier_was_asked(self) -> None:
        act = filing_of(policy(), earlier=Earlier(0, None, DEP2, expired_recently=False))
        told = [person for draft in act.entries if draft.type == "step.fired" for person in data(draft)["to"]]
        assert sorted(told) == sorted(asked(after(act)))

    def test_the_denier_is_asked_and_logged_although_the_owner_is_gone(self) -> None:
        gone = away(U0OWNER="deactivated", U0DEP1="deactivated")
        act = filing_of(policy(), presence=gone, earlier=Earlier(0, None, DEP2, expired_recently=False))
        told = [person for draft in act.entries if draft.type == "step.fired" for person in data(draft)["to"]]
        assert asked(after(act)) == {DEP2} == set(told)

    @pytest.mark.parametrize("denier", [OWNER, STRANGER, PE2])
    def test_a_denier_who_is_asked_anyway_or_named_no_more_is_not_added(self, denier: Person) -> None:
        assert asked(case_of(policy(), earlier=Earlier(0, None, denier, expired_recently=False))) == {OWNER}

    def test_a_denier_whose_account_is_gone_is_not_added(self) -> None:
        gone = away(U0DEP2="deactivated")
        assert asked(case_of(policy(), presence=gone, earlier=Earlier(0, None, DEP2, expired_recently=False))) == {OWNER}

    def test_the_denier_answers_with_their_role(self) -> None:
        case = case_of(policy(), earlier=Earlier(0, None, RISK, expired_recently=False))
        assert [r.role for r in case.approval.reached if r.person == RISK] == ["risk_owner"]


def test_a_role_that_the_domain_lacks_is_passed_over() -> None:
    base = with_domain(policy(), deputies=(), risk_owner=None)
    assert asked(case_of(base, "contain")) == asked(case_of(policy(), "contain")) - {DEP1, DEP2}


def test_a_repeat_that_reaches_only_the_denier_pulls_nothing_forward() -> None:
    """The state machine found it: the reminder was dropped at minute 0 although the step reached somebody after all."""
    gone = away(U0OWNER="deactivated", U0DEP1="deactivated", U0DEP2="deactivated")
    act = filing_of(policy(), presence=gone, earlier=Earlier(0, None, ONC1, expired_recently=False))
    assert types(act) == ["request.filed", "step.fired"]
    assert asked(after(act)) == {ONC1}
    assert [s.state for s in after(act).approval.steps] == ["fired", "waiting"]


def repeat(presence: Presence) -> Transition:
    return filing_of(policy(), presence=presence, earlier=Earlier(0, None, DEP1, expired_recently=False))


def test_a_repeat_records_who_sleeps_and_a_denier_who_is_awake_keeps_the_reminder() -> None:
    night = T0 + 8 * HOUR
    act = repeat(Presence({}, {OWNER: night}))
    assert types(act) == ["request.filed", "step.fired"]
    assert [told["who"] for told in act.entries[1].data["quiet"]] == [OWNER]  # type: ignore[union-attr, index]
    assert [s.state for s in after(act).approval.steps] == ["fired", "waiting"]
    both = repeat(Presence({}, {OWNER: night, DEP1: night}))
    assert [told["who"] for told in both.entries[1].data["quiet"]] == [OWNER, DEP1]  # type: ignore[union-attr, index]
    assert [s.why for s in after(both).approval.steps] == ["", "passed_by"]
