"""Who is asked, when, and what silence does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.authority.authorization import Allowed, may_decide
from bot.domain.case.ask import Vote
from bot.domain.case.model import Case
from bot.domain.policy.model import EscalationPolicy, Hours, NamedPerson, Policy, PolicyStep, Role
from bot.domain.policy.people import Humans, Person
from bot.domain.timing.escalation import Fired, Presence, Skipped, advance, undelivered
from bot.domain.timing.steps import candidates, deadline, freeze, next_wake, people_of, warn_at
from bot.domain.workflow import discussion
from tests.bot.building import (
    DEP1,
    DEP2,
    FIRST_TIME,
    HERE,
    HOUR,
    MACH,
    MDEP,
    MINUTE,
    MS,
    ONC1,
    ONC2,
    OWNER,
    RISK,
    SECURITY,
    T0,
    URGENT,
    WHOLE_WEEK,
    after,
    asked,
    away,
    case_of,
    click,
    decide,
    filing_of,
    home,
    policy,
    profile,
    runbook,
    types,
    with_domain,
)


def told(case: Case, base: Policy, minutes: float, presence: Presence = HERE, **how: Any) -> list[tuple[str, Any]]:
    """What is due so many minutes after the filing: (`notify deputies`, whom) or (`skip deputies`, why)."""
    return [_said(e) for e in advance(case, case.approval, base, presence, T0 + minutes * MINUTE, **how).events]


def _said(event: Fired | Skipped) -> tuple[str, Any]:
    if isinstance(event, Fired):
        return f"{event.step.action} {event.step.role}", {r.person for r in event.people}
    return f"skip {event.step.role}", event.why


def later(case: Case, base: Policy, minutes: float, presence: Presence = HERE, **how: Any) -> Case:
    return case.with_approval(advance(case, case.approval, base, presence, T0 + minutes * MINUTE, **how).ask)


class TestFreezing:
    def test_each_step_is_due_its_time_after_the_filing(self) -> None:
        steps = freeze(runbook(), URGENT, T0, 1, wide=False)
        assert [(s.due_at - T0) / MINUTE for s in steps] == [0, 3, 5, 10, 15]
        assert deadline(URGENT, T0, 1) == T0 + 45 * MINUTE

    def test_the_time_scale_divides_steps_and_expiry(self) -> None:
        steps = freeze(runbook(), URGENT, T0, 60, wide=False)
        assert [(s.due_at - T0).total_seconds() for s in steps] == [0, 3, 5, 10, 15]
        assert deadline(URGENT, T0, 60) == T0 + timedelta(seconds=45)

    def test_working_hours_hold_steps_and_expiry_back(self) -> None:
        ladder = replace(URGENT, hours=Hours(WHOLE_WEEK, 10 * 60, 10 * 60 + 7, "UTC"))
        steps = freeze(runbook(), ladder, T0, 1, wide=False)
        ten = T0 + HOUR
        assert [s.due_at for s in steps[:4]] == [ten, ten + 3 * MINUTE, ten + 5 * MINUTE, ten + 24 * HOUR + 3 * MINUTE]

    def test_a_refiling_after_an_expiry_asks_the_people_of_every_step_and_nobody_whom_no_step_names(self) -> None:
        ladder = EscalationPolicy("few", 3600, (PolicyStep(0, "notify", "owner"), PolicyStep(60, "notify", "deputies")))
        base = policy(escalation_policies=[ladder], runbooks=[runbook(escalation="few")])
        again = replace(FIRST_TIME, expired_recently=True)
        assert asked(case_of(base, earlier=again)) == {OWNER, DEP1, DEP2}

    @pytest.mark.parametrize("right", ["approval", "immediate"])
    def test_a_refiling_under_the_whole_ladder_asks_everybody(self, right: Any) -> None:
        base = policy(runbooks=[runbook(right=right)])
        again = replace(FIRST_TIME, expired_recently=True)
        assert asked(case_of(base, earlier=again)) == {OWNER, DEP1, DEP2, ONC1, RISK}


class TestMinuteZero:
    def test_the_owner_alone_is_asked_where_one_yes_is_enough(self) -> None:
        assert asked(case_of(policy())) == {OWNER}

    def test_required_roles_are_asked_at_once(self) -> None:
        assert asked(case_of(policy(), "double")) == {OWNER, RISK}

    def test_as_many_deputies_as_the_quorum_lacks_are_asked_at_once(self) -> None:
        assert asked(case_of(policy(), "pair")) == {OWNER, DEP1}
        three = policy(runbooks=[runbook("three", approvals=3)])
        assert asked(case_of(three, "three")) == {OWNER, DEP1, DEP2}

    def test_only_deputies_who_are_there_fill_the_quorum(self) -> None:
        assert asked(case_of(policy(), "pair", presence=away(U0DEP1="deactivated"))) == {OWNER, DEP2}

    def test_an_immediate_request_asks_owner_deputies_on_call_and_required_roles(self) -> None:
        assert asked(case_of(policy(), "contain")) == {OWNER, DEP1, DEP2, ONC1}
        base = policy(runbooks=[runbook("strict", right="immediate", approvals=2, requires=("risk_owner",))])
        assert asked(case_of(base, "strict")) == {OWNER, DEP1, DEP2, ONC1, RISK}

    def test_an_absent_owners_seat_goes_to_the_first_deputy_present_in_their_stead(self) -> None:
        case = case_of(policy(), presence=away(U0OWNER="absent", U0DEP1="absent"))
        (only,) = case.approval.reached
        assert (only.person, only.for_owner) == (DEP2, True)

    def test_a_first_step_for_another_role_still_asks_the_owner(self) -> None:
        ladder = EscalationPolicy("odd", 3600, (PolicyStep(0, "notify", "deputies"),))
        base = policy(escalation_policies=[ladder], runbooks=[runbook(escalation="odd")])
        assert asked(case_of(base)) == {OWNER, DEP1, DEP2}

    def test_an_owner_who_is_the_subject_does_not_fill_the_quorum(self) -> None:
        assert asked(case_of(policy(), "pair", subject=OWNER)) == {DEP1, DEP2}

    def test_a_deputy_who_is_the_subject_does_not_fill_the_quorum(self) -> None:
        assert asked(case_of(policy(), "pair", subject=DEP1)) == {OWNER, DEP2}

    def test_two_accounts_of_one_human_fill_one_place_of_the_quorum(self) -> None:
        base = policy(humans=Humans.joined([["U0OWNER", "U0DEP1"]]))
        assert asked(case_of(base, "pair")) == {OWNER, DEP2}


class TestSteps:
    def test_nothing_is_due_before_its_time(self) -> None:
        assert told(case_of(policy()), policy(), 3 - 1 / 60_000) == []

    def test_a_step_is_due_at_its_very_millisecond(self) -> None:
        assert told(case_of(policy()), policy(), 3) == [("remind owner", {OWNER})]

    def test_silence_reminds_and_asks_one_role_after_the_other(self) -> None:
        base, case = policy(), case_of(policy())
        seen = []
        for minute in (3, 5, 10, 15):
            seen += told(case, base, minute)
            case = later(case, base, minute)
        assert seen == [
            ("remind owner", {OWNER}),
            ("notify deputies", {DEP1, DEP2}),
            ("notify on_call", {ONC1}),
            ("notify risk_owner", {RISK}),
        ]

    def test_a_step_adds_only_people_not_yet_asked(self) -> None:
        base, case = policy(), case_of(policy(), "pair")
        assert told(later(case, base, 3), base, 5) == [("notify deputies", {DEP2})]

    def test_a_step_that_adds_nobody_is_skipped_at_its_own_time_and_pulls_nothing_forward(self) -> None:
        base, case = policy(), case_of(policy(), "contain")
        assert told(later(case, base, 3), base, 5) == [("skip deputies", "already_asked")]
        assert told(later(case, base, 9), base, 10) == [("skip on_call", "already_asked")]
        assert told(later(case, base, 14), base, 15) == [("notify risk_owner", {RISK})]

    def test_on_call_is_whom_the_rota_names_when_the_step_fires(self) -> None:
        base, case = policy(), case_of(policy(), at=T0.replace(hour=11, minute=55))
        after = advance(case, case.approval, base, HERE, T0.replace(hour=12, minute=5))
        assert ONC2 in after.ask.asked
        assert ONC1 not in after.ask.asked

    def test_who_answered_is_not_reminded(self) -> None:
        base, case = policy(), case_of(policy(), "pair")
        voted = replace(case.approval, votes=(Vote(OWNER, "yes", "owner", T0, 60),))
        assert told(case.with_approval(voted), base, 3) == [("skip owner", "nobody_left")]

    def test_the_deputy_is_reminded_in_the_owners_place(self) -> None:
        case = case_of(policy(), presence=away(U0OWNER="absent"))
        assert told(case, policy(), 3) == [("remind owner", {DEP1})]

    def test_a_step_fires_once(self) -> None:
        base = policy()
        case = later(case_of(base), base, 5)
        assert told(case, base, 5) == []
        assert told(case, base, 9.9) == []

    def test_the_people_of_a_step_are_those_of_the_policy_in_force_when_it_fires(self) -> None:
        case = later(case_of(policy()), policy(), 3)
        assert told(case, with_domain(policy(), deputies=(MDEP,)), 5) == [("notify deputies", {MDEP})]


class TestUnreachable:
    def test_a_deactivated_owner_is_skipped_and_the_deputies_are_asked_at_once(self) -> None:
        case = case_of(policy(), presence=away(U0OWNER="deactivated"))
        assert asked(case) == {DEP1, DEP2}
        assert [(s.state, s.why) for s in case.approval.steps] == [
            ("skipped", "deactivated"), ("skipped", "passed_by"), ("fired", ""), ("waiting", ""), ("waiting", ""),
        ]  # fmt: skip

    def test_the_pull_goes_on_until_it_reaches_somebody_and_those_after_keep_their_time(self) -> None:
        gone = away(U0OWNER="deactivated", U0DEP1="deactivated", U0DEP2="deactivated")
        case = case_of(policy(), presence=gone)
        assert asked(case) == {ONC1}
        assert next_wake(case.approval) == T0 + 15 * MINUTE

    def test_an_empty_step_in_the_middle_pulls_only_the_next(self) -> None:
        base, gone = policy(), away(U0DEP1="deactivated", U0DEP2="absent")
        case = later(case_of(base), base, 3)
        assert told(case, base, 5, gone) == [("skip deputies", "deactivated"), ("notify on_call", {ONC1})]
        assert told(later(case, base, 5, gone), base, 10, gone) == []

    def test_a_deputy_who_is_there_suffices(self) -> None:
        base = policy()
        case = later(case_of(base), base, 3)
        assert told(case, base, 5, away(U0DEP1="deactivated")) == [("notify deputies", {DEP2})]

    def test_a_step_whose_role_has_nobody_pulls_the_next(self) -> None:
        base = with_domain(policy(), deputies=())
        case = later(case_of(base), base, 3)
        assert told(case, base, 5) == [("skip deputies", "nobody"), ("notify on_call", {ONC1})]

    def test_a_rota_with_nobody_on_call_pulls_the_next(self) -> None:
        empty = replace(SECURITY, shifts=(), fallback=None)
        base = policy(rotas={"security": empty})
        case = later(case_of(base), base, 9)
        assert told(case, base, 10) == [("skip on_call", "nobody"), ("notify risk_owner", {RISK})]

    def test_conflicted_people_are_skipped_and_the_next_step_fires_at_once(self) -> None:
        case = case_of(policy(), subject=OWNER)
        assert asked(case) == {DEP1, DEP2}
        assert case.approval.steps[0].why == "conflicted"

    def test_people_of_a_provider_are_never_asked(self) -> None:
        base = with_domain(policy(), owner=home("U0PE2"))
        assert home("U0PE2") not in asked(case_of(base))

    def test_with_nobody_at_all_every_step_is_skipped_and_the_end_still_comes(self) -> None:
        nobody: dict[str, Any] = {p.user: "deactivated" for p in (OWNER, DEP1, DEP2, ONC1, ONC2, RISK)}
        case = case_of(policy(), presence=away(**nobody))
        assert asked(case) == set()
        assert {s.state for s in case.approval.steps} == {"skipped"}
        assert next_wake(case.approval) == case.approval.warn_at
        assert next_wake(replace(case.approval, warn_at=None)) == case.approval.expires_at

    def test_a_card_that_never_arrives_empties_a_step_of_one(self) -> None:
        ask, empty = undelivered(case_of(policy()).approval, OWNER, "user_not_found")
        assert empty
        assert [r.failed for r in ask.reached] == ["user_not_found"]

    def test_a_step_is_empty_only_when_the_last_of_its_cards_failed(self) -> None:
        base = policy()
        ask = later(case_of(base), base, 5).approval
        ask, first = undelivered(ask, DEP1, "user_not_found")
        ask, second = undelivered(ask, DEP2, "user_not_found")
        assert (first, second) == (False, True)

    def test_a_card_that_fails_after_a_later_step_reached_somebody_empties_nothing(self) -> None:
        base = policy()
        asked_deputies = later(case_of(base), base, 5).approval
        assert undelivered(asked_deputies, OWNER, "user_not_found")[1] is False

    def test_the_same_failure_reported_again_empties_nothing_again(self) -> None:
        ask, _ = undelivered(case_of(policy()).approval, OWNER, "user_not_found")
        again, empty = undelivered(ask, OWNER, "user_not_found")
        assert (again, empty) == (ask, False)

    def test_a_failure_of_somebody_who_was_not_asked_empties_nothing(self) -> None:
        ask = case_of(policy()).approval
        assert undelivered(ask, MACH, "user_not_found") == (ask, False)


class TestDowntime:
    def test_everybody_of_the_overdue_steps_is_asked_at_once_and_reminders_are_dropped(self) -> None:
        assert told(case_of(policy()), policy(), 12) == [
            ("skip owner", "overdue"),
            ("notify deputies", {DEP1, DEP2}),
            ("notify on_call", {ONC1}),
        ]

    def test_a_reminder_half_a_minute_late_is_delayed_and_a_later_one_missed(self) -> None:
        assert told(case_of(policy()), policy(), 3.5) == [("remind owner", {OWNER})]
        assert told(case_of(policy()), policy(), 3.51) == [("skip owner", "overdue")]

    def test_nobody_is_asked_twice(self) -> None:
        base = with_domain(policy(), risk_owner=DEP1)
        case = later(case_of(base), base, 40)
        assert len(case.approval.asked) == len(case.approval.reached)


def test_a_role_means_the_people_of_the_moment() -> None:
    base = policy()
    domain = base.domains["directory"]
    noon = T0.replace(hour=12)
    assert people_of("owner", base, domain, T0) == (OWNER,)
    assert people_of("deputies", base, domain, T0) == (DEP1, DEP2)
    assert people_of("on_call", base, domain, noon) == (ONC2,)
    assert people_of("risk_owner", base, domain, T0) == (RISK,)
    assert people_of("risk_owner", base, base.domains["machines"], T0) == ()
    assert people_of("on_call", base, base.domains["machines"], T0) == ()


def test_everybody_whom_a_step_could_ask_is_looked_up_and_nobody_of_a_domain_that_is_gone() -> None:
    assert set(candidates(policy(), "directory")) == {OWNER, DEP1, DEP2, ONC1, ONC2, RISK}
    assert candidates(policy(), "gone") == ()


ROLES: list[Role] = ["owner", "deputies", "on_call", "risk_owner"]
LADDERS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["notify", "remind"]), st.sampled_from(ROLES)), max_size=6
).map(lambda steps: (PolicyStep(0, "notify", "owner"), *(PolicyStep(60 * a, w, r) for a, w, r in sorted(steps))))  # type: ignore[arg-type]
AWAY = st.dictionaries(
    st.sampled_from([OWNER, DEP1, DEP2, ONC1, ONC2, RISK]),
    st.sampled_from(["absent", "deactivated", "undeliverable"]),
)


@given(ladder=LADDERS, gone=AWAY)
def test_the_next_look_is_at_the_next_waiting_step_or_at_the_end(
    ladder: tuple[PolicyStep, ...], gone: dict[Person, Any]
) -> None:
    base = policy(escalation_policies=[EscalationPolicy("any", 45 * 60, ladder)], runbooks=[runbook(escalation="any")])
    ask = case_of(base, presence=Presence(gone)).approval
    assert next_wake(ask) > T0 - MS
    assert next_wake(ask) == min([s.due_at for s in ask.steps if s.state == "waiting"] + [T0 + 40 * MINUTE])
    ask = replace(ask, warn_at=None)
    assert next_wake(ask) == min([s.due_at for s in ask.steps if s.state == "waiting"] + [T0 + 45 * MINUTE])


class TestWhoSleeps:
    """Notifications are paused: the card is there and rings for nobody."""

    UNTIL = T0 + 8 * HOUR

    def asleep(self, *people: Person) -> Presence:
        return Presence({}, dict.fromkeys(people, self.UNTIL))

    def test_keeps_card_and_authority_and_the_next_step_fires_at_once(self) -> None:
        act = filing_of(policy(), presence=self.asleep(OWNER))
        case = after(act)
        assert asked(case) == {OWNER, DEP1, DEP2}
        assert types(act)[1:] == ["step.fired", "step.skipped", "step.fired"]
        assert act.entries[1].data["quiet"] == ({"who": OWNER, "until": "2026-03-04T17:00:00.000Z"},)
        assert isinstance(may_decide(case, case.approval, policy(), OWNER, profile(OWNER)), Allowed)

    def test_is_paged_where_an_address_is_known_and_the_next_step_waits(self) -> None:
        base = policy(people=(NamedPerson("olga", OWNER, "Olga", "env:PAGE_OLGA"),))
        act = filing_of(base, presence=self.asleep(OWNER))
        assert asked(after(act)) == {OWNER}
        assert [(s.to, dict(s.data)) for s in act.says if s.purpose == "pager"] == [
            (OWNER, {"role": "owner", "action": "trigger"})
        ]

    def test_holds_nobody_back_while_one_of_the_step_is_notified(self) -> None:
        case = case_of(policy(), presence=self.asleep(OWNER, DEP1))
        assert asked(case) == {OWNER, DEP1, DEP2}
        assert next_wake(case.approval) == T0 + 10 * MINUTE

    def test_when_all_sleep_everybody_has_the_card_at_once_and_nothing_is_lost(self) -> None:
        case = case_of(policy(), presence=self.asleep(OWNER, DEP1, DEP2, ONC1, ONC2, RISK))
        assert asked(case) == {OWNER, DEP1, DEP2, ONC1, RISK}
        assert {s.state for s in case.approval.steps} <= {"fired", "skipped"}

    def test_on_call_is_woken_by_the_rotas_address(self) -> None:
        base = policy(rotas=[replace(SECURITY, page="env:PAGE_SECURITY")])
        case = case_of(base, presence=self.asleep(OWNER, DEP1, DEP2, ONC1))
        assert asked(case) == {OWNER, DEP1, DEP2, ONC1}
        assert [r.paged for r in case.approval.reached] == [False, False, False, True]


class TestPages:
    BASE = policy(
        people=(NamedPerson("olga", OWNER, "Olga", "env:PAGE_OLGA"),), rotas=[replace(SECURITY, page="env:PAGE_SECURITY")]
    )

    def test_a_step_that_pages_pages_anyone_who_has_an_address(self) -> None:
        case = case_of(self.BASE)
        fired = advance(case, case.approval, self.BASE, HERE, T0 + 10 * MINUTE)
        assert [(r.person, r.paged) for r in fired.ask.reached] == [
            (OWNER, False),
            (DEP1, False),
            (DEP2, False),
            (ONC1, True),
        ]

    def test_an_immediate_request_pages_everybody_at_minute_0(self) -> None:
        case = case_of(self.BASE, "contain")
        assert {r.person for r in case.approval.reached if r.paged} == {OWNER, ONC1}

    def test_on_it_acknowledges_and_the_end_resolves(self) -> None:
        case = case_of(self.BASE, "contain")
        held = discussion.hold(case, self.BASE, click(OWNER, "hold"), profile(OWNER), T0, 1)
        assert {(s.to, s.data["action"]) for s in held.says if s.purpose == "pager"} == {
            (OWNER, "acknowledge"), (ONC1, "acknowledge")
        }  # fmt: skip
        done = decide(case, self.BASE, click(OWNER, "deny", reason="x"), profile(OWNER), T0)
        assert {(s.to, s.data["action"]) for s in done.says if s.purpose == "pager"} == {
            (OWNER, "resolve"),
            (ONC1, "resolve"),
        }


class TestTheWarning:
    @pytest.mark.parametrize(("span", "at"), [(45, 40), (240, 235), (16, 12), (10, 7.5)])
    def test_comes_five_minutes_before_the_end_or_at_three_quarters(self, span: int, at: float) -> None:
        assert warn_at(T0, T0 + span * MINUTE, 1) == T0 + at * MINUTE

    def test_is_for_everybody_asked_who_is_silent_and_comes_once(self) -> None:
        case = case_of(policy())
        fired = advance(case, case.approval, policy(), HERE, T0 + 40 * MINUTE)
        assert set(fired.warned) == {OWNER, DEP1, DEP2, ONC1, RISK}
        again = advance(case, fired.ask, policy(), HERE, T0 + 41 * MINUTE)
        assert again.warned == ()
        assert next_wake(fired.ask) == T0 + 45 * MINUTE
