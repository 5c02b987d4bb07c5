"""When a change of policy counts, and to whom it is announced."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain.authority.policy_rollout import InForce, Sets, as_seen_by, gains, strictest
from bot.domain.case.lifecycle import RequestState
from bot.domain.policy.model import Policy, PolicyStep
from bot.domain.policy.people import Humans, Person, Ref
from bot.domain.workflow.filing_form import check
from bot.domain.workflow.notifications import announced
from tests.bot.building import (
    AUDIT,
    DAY,
    DEP1,
    DEP2,
    DIRECTORY,
    HOME,
    MACH,
    MDEP,
    MINUTE,
    NORTHGATE,
    OWNER,
    RISK,
    STRANGER,
    T0,
    URGENT,
    after,
    case_of,
    click,
    decide,
    form,
    policy,
    profile,
    runbook,
    types,
    with_domain,
)


def changed(base: Policy, **how: object) -> Policy:
    """The same organisation with the emergency runbook changed."""
    return replace(base, runbooks={**base.runbooks, "emergency": runbook("emergency", **how)})


MOVED = changed(policy(), domain="machines", escalation="short")


def test_a_runbook_that_moves_gives_its_new_owner_nothing_before_the_delay_is_over() -> None:
    case = case_of(strictest(MOVED, [policy()]))
    assert case.request.domain == "machines"
    act = decide(case, MOVED, click(MACH), profile(MACH), T0, (policy(),))
    assert types(act) == ["decision.refused"]
    assert after(decide(case, MOVED, click(MACH), profile(MACH), T0)).request.state is RequestState.APPROVED


def test_the_old_owner_of_a_runbook_that_moved_decides_it_no_more() -> None:
    case = case_of(MOVED)
    assert types(decide(case, MOVED, click(OWNER), profile(OWNER), T0, (policy(),))) == ["decision.refused"]


def test_anyone_who_may_decide_a_moved_runbook_under_both_sets_does() -> None:
    both = with_domain(policy(), "machines", deputies=(OWNER,), owner=MACH)
    moved = changed(both, domain="machines", escalation="short")
    case = case_of(moved)
    reached = replace(case.approval, requires=("deputies",))
    act = decide(case.with_approval(reached), moved, click(OWNER), profile(OWNER), T0, (both,))
    assert "decision.refused" not in types(act)


def test_a_case_that_nobody_filed_stays_in_its_own_domain() -> None:
    case = case_of(policy())
    suspension = replace(case, request=replace(case.request, matter="suspension", domain="machines"))
    assert as_seen_by(policy(), suspension).request.domain == "machines"


def test_a_runbook_that_moves_is_announced_to_both_domains() -> None:
    [gain] = gains(policy(), MOVED)
    assert gain.channels == ("C0MACHINES", "C0DIRECTORY")
    assert {MACH, MDEP, OWNER, DEP1, RISK} <= set(gain.hears)
    assert [r.id for r in gain.easier] == ["emergency"]
    assert any("another domain decides" in rule for rule in gain.rules)
    says = announced(policy(), MOVED, T0)
    assert {say.channel for say in says if say.channel} == {"C0MACHINES", "C0DIRECTORY"}


def test_a_change_that_only_takes_away_is_announced_to_nobody() -> None:
    fewer = with_domain(replace(policy(), auditors=()), deputies=(DEP1,))
    stricter = changed(fewer, approvals=2, max_duration=60, default_duration=60)
    assert list(gains(policy(), stricter)) == []


def test_what_is_weakened_everywhere_is_announced_in_every_domain() -> None:
    weaker = replace(policy(), policy_delay=0, retention=1)
    found = list(gains(policy(), weaker))
    assert [gain.domain.id for gain in found] == ["directory", "machines"]
    assert all(gain.rules == ("Everywhere: delay of changes, retention",) for gain in found)


def test_a_ladder_a_provider_and_a_rota_are_announced_where_they_are_used() -> None:
    base = policy()
    asks = replace(NORTHGATE, requesters=(*NORTHGATE.requesters, Ref("U0NEW", frozenset({HOME}))))
    ladder = replace(URGENT, steps=(*URGENT.steps, PolicyStep(1200, "remind", "owner")))
    new = replace(
        base,
        providers={**base.providers, "northgate": asks},
        escalation_policies={**base.escalation_policies, "urgent": ladder},
    )
    lines = {gain.domain.id: gain.rules for gain in gains(base, new)}
    assert lines == {
        "directory": ("Escalation urgent: steps", "Northgate: who may ask"), "machines": ("Northgate: who may ask",),
    }  # fmt: skip


def test_who_is_raised_among_the_named_gains() -> None:
    swapped = with_domain(policy(), deputies=(DEP2, DEP1))
    [gain] = gains(policy(), swapped)
    assert gain.people == (DEP2,)
    risk_owner = with_domain(policy(), risk_owner=DEP1)
    assert next(iter(gains(policy(), risk_owner))).people == (DEP1,)


def test_who_is_new_among_those_who_ask_waits_and_belongs_to_the_provider_at_once() -> None:
    newcomer = Person(HOME, "U0NEW")
    asks = replace(NORTHGATE, requesters=(*NORTHGATE.requesters, Ref(newcomer.user, frozenset({HOME}))))
    new = replace(policy(), providers={**policy().providers, "northgate": asks})
    both = strictest(new, [policy()])
    assert check(new, form(requester=newcomer), T0.date()) == ()
    assert [error.field for error in check(both, form(requester=newcomer), T0.date())] == ["runbook"]
    assert both.provider_of(newcomer) is not None


def test_a_contract_that_is_prolonged_counts_later() -> None:
    ended = replace(policy(), providers={"northgate": replace(NORTHGATE, contract_until=(T0 - DAY).date())})
    assert check(policy(), form(), T0.date()) == ()
    assert check(strictest(policy(), [ended]), form(), T0.date()) != ()


def test_a_yes_counts_two_accounts_once_while_the_old_set_joined_them() -> None:
    joined = replace(policy(), humans=Humans.joined([[OWNER.user, DEP1.user]]))
    case = case_of(changed(policy(), approvals=2, requires=()))
    case = case.with_approval(replace(case.approval, requires=("deputies",), need=2))
    first = after(decide(case, policy(), click(DEP1), profile(DEP1), T0, (joined,)))
    second = after(decide(first, policy(), click(OWNER), profile(OWNER), T0, (joined,)))
    assert second.request.state is RequestState.PENDING
    assert after(decide(first, policy(), click(OWNER), profile(OWNER), T0)).request.state is RequestState.APPROVED


def test_a_shorter_delay_waits_for_the_longer_one() -> None:
    sets = Sets((InForce(policy(), T0),)).then(replace(policy(), policy_delay=0), T0 + DAY, 1)
    third = sets.then(replace(policy(), policy_delay=0, auditors=(AUDIT, STRANGER)), T0 + DAY + MINUTE, 1)
    assert len(third.also_binding(T0 + DAY + 14 * MINUTE)) == 2
    assert len(third.also_binding(T0 + DAY + 15 * MINUTE)) == 1
    assert third.also_binding(T0 + DAY + 16 * MINUTE) == ()


def test_the_delay_is_the_policys_and_the_scale_divides_it() -> None:
    sets = Sets((InForce(policy(), T0),)).then(policy(), T0, 60)
    assert len(sets.also_binding(T0 + timedelta(seconds=14.9))) == 1
    assert sets.also_binding(T0 + timedelta(seconds=15)) == ()


def test_however_many_sets_follow_the_older_ones_bind_until_their_time() -> None:
    sets = Sets((InForce(policy(), T0),))
    for edit in range(40):
        sets = sets.then(policy(), T0 + edit * timedelta(seconds=1), 1)
    assert len(sets.also_binding(T0)) == 40


def test_a_domain_that_is_named_again_names_everybody_in_it() -> None:
    new = replace(policy(), domains={**policy().domains, "vault": replace(DIRECTORY, id="vault", channel="C0VAULT")})
    [gain] = gains(policy(), new)
    assert (gain.domain.id, gain.people[0]) == ("vault", OWNER)
