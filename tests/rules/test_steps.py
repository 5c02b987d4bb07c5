"""Rules 6, 7 and 8: steps fire once, in order and not early; no question outlives its deadline; what a grant may be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.case.lifecycle import AskState, GrantState, RequestState
from bot.domain.case.transition import Transition
from bot.domain.policy.model import EscalationPolicy, Hours, PolicyStep, Role
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Presence
from bot.domain.workflow.timers import card_failed, sweep, wake_at
from tests.bot.building import (
    DEP1,
    DEP2,
    HERE,
    MINUTE,
    MS,
    ONC1,
    ONC2,
    OWNER,
    PE1,
    RISK,
    T0,
    after,
    case_of,
    click,
    decide,
    policy,
    profile,
    runbook,
)
from tests.bot.office import Office
from tests.rules.oracle import EMPTY

ROLES: list[Role] = ["owner", "deputies", "on_call", "risk_owner"]
PEOPLE = [OWNER, DEP1, DEP2, ONC1, ONC2, RISK]
LADDERS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["notify", "notify", "remind"]), st.sampled_from(ROLES)), max_size=6
).map(lambda steps: (PolicyStep(0, "notify", "owner"), *(PolicyStep(60 * a, w, r) for a, w, r in sorted(steps))))  # type: ignore[arg-type]
AWAY = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(["absent", "deactivated"]))
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("sweep"), st.integers(0, 20), AWAY),
        st.tuples(st.just("lost"), st.integers(0, 5), st.sampled_from(PEOPLE)),
    ),
    max_size=10,
)


@given(ladder=LADDERS, happenings=HAPPENINGS, approvals=st.integers(1, 3), wide=st.booleans(), first=AWAY)
def test_rule_6_steps_fire_once_in_order_and_never_early_unless_the_one_before_was_empty(
    ladder: tuple[PolicyStep, ...], happenings: list[Any], approvals: int, wide: bool, first: dict[Person, Any]
) -> None:
    book = runbook(approvals=approvals, right="immediate" if wide else "approval", escalation="any")
    base = policy(escalation_policies=[EscalationPolicy("any", 45 * 60, ladder)], runbooks=[book])
    now, case = T0, case_of(base, presence=Presence(first))
    done: dict[int, str] = {}
    failed: set[Person] = set()

    def settle(events: list[Any], people: dict[int, set[Person]], at: datetime) -> None:
        for entry in events:
            data = dict(entry.data)
            index = data["step"]
            assert index not in done
            assert all(n < index for n in done)
            if at < T0 + timedelta(seconds=ladder[index].after):
                before = [n for n in sorted(done) if ladder[n].action == "notify" and done[n] != "already_asked"]
                last = before[-1]
                assert done[last] in EMPTY or (done[last] == "fired" and people[last] <= failed)
            done[index] = "fired" if entry.type == "step.fired" else data["why"]

    def asked_by_step() -> dict[int, set[Person]]:
        return {n: {r.person for r in case.approval.reached if r.step == n} for n in range(len(ladder))}

    filed = [s for s in case.approval.steps if s.state != "waiting"]
    for step in filed:
        done[step.index] = "fired" if step.state == "fired" else step.why
    for what, minutes, how in happenings:
        now += minutes * MINUTE
        act: Transition | None
        if what == "sweep":
            act = sweep(case, base, Presence(how), now, 0)
        else:
            failed |= {how} & set(case.approval.asked)
            act = card_failed(case, base, HERE, how, "user_not_found", now)
        if act is None:
            continue
        assert act.after is not None
        case = act.after
        settle([e for e in act.entries if e.type.startswith("step.")], asked_by_step(), now)
        if case.request.state is RequestState.EXPIRED:
            break
        if what == "sweep":
            assert all(s.index in done for s in case.approval.steps if s.due_at <= now)


@given(
    ladder=LADDERS,
    opens=st.integers(0, 1300),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from(["Europe/London", "America/New_York", "UTC"]),
    filed=st.integers(0, 14 * 24 * 60),
    sleeps=st.lists(st.integers(1, 3 * 24 * 60), max_size=6),
)
def test_rule_7_after_the_deadline_one_sweep_closes_the_ask_however_long_everything_was_down(
    ladder: tuple[PolicyStep, ...], opens: int, days: frozenset[int], zone: str, filed: int, sleeps: list[int]
) -> None:
    hours = Hours(days, opens, opens + 120, zone)
    base = policy(
        escalation_policies=[EscalationPolicy("any", 60 * 60, ladder, hours)], runbooks=[runbook(escalation="any")]
    )
    at = T0 + filed * MINUTE
    case = case_of(base, at=at)
    end = case.approval.expires_at
    assert case.request.expires_at == end
    for minutes in sleeps:
        due = wake_at(case, base, at)
        assert due is not None
        assert due <= end
        at += minutes * MINUTE
        case = after(sweep(case, base, HERE, at, 0))
        assert (case.approval.state is AskState.OPEN) == (at < end)
        if at >= end:
            assert (case.request.state, wake_at(case, base, at)) == (RequestState.EXPIRED, None)
            return
    assert after(sweep(case, base, HERE, end, 0)).approval.state is AskState.EXPIRED


@given(
    filings=st.lists(
        st.tuples(st.sampled_from(["emergency", "pair", "contain", "token"]), st.integers(0, 300)), max_size=5
    ),
    down=st.integers(0, 2000),
    kill=st.booleans(),
)
def test_rule_7_no_ask_is_open_after_its_deadline_and_one_sweep_of_a_new_process(
    tmp_path_factory: pytest.TempPathFactory, filings: list[tuple[str, int]], down: int, kill: bool
) -> None:
    async def story() -> None:
        async with Office(tmp_path_factory.mktemp("down") / "c.db", policy()) as office:
            for n, (book, minutes) in enumerate(filings):
                office.sleep(minutes * MINUTE)
                await office.take_in(office.form(PE1, book, target=f"srv-{n}"))
                if not kill:
                    await office.worker.drain()
            office.sleep(down * MINUTE)
            await office.restart()
            await office.worker.drain()
            await office.sweeper.sweep()
            now = round(office.clock.at.timestamp() * 1000)
            assert office.rows("SELECT * FROM ask WHERE state = 'open' AND expires_ms <= :now", now=now) == []
            assert office.rows("SELECT * FROM step WHERE state = 'waiting' AND due_ms <= :now AND case_id IN"
                               " (SELECT id FROM request WHERE state = 'pending')", now=now) == []  # fmt: skip

    asyncio.run(story())


@given(
    asked_for=st.integers(1, 4 * 3600),
    given_=st.lists(st.integers(0, 8 * 3600), min_size=2, max_size=2),
    waits=st.lists(st.integers(0, 20), min_size=2, max_size=2),
    scale=st.sampled_from([1, 7, 60, 3600]),
)
def test_rule_8_a_grant_opens_with_the_quorum_only_and_never_for_longer_than_was_asked_given_or_allowed(
    asked_for: int, given_: list[int], waits: list[int], scale: float
) -> None:
    base = policy()
    now, case = T0, case_of(base, "pair", seconds=asked_for, scale=scale)
    for person, seconds, wait in zip((OWNER, DEP1), given_, waits, strict=True):
        assert case.grant is None
        now += wait * MINUTE / scale
        act = decide(case, base, replace(click(person), seconds=seconds), profile(person), now)
        case = after(act)
        assert ("grant.opened" in [d.type for d in act.entries]) == (case.grant is not None)
    grant = case.grant
    assert grant is not None
    assert grant.seconds == min([asked_for, *(s for s in given_ if s)])
    assert grant.seconds <= base.runbooks["pair"].max_duration
    assert (grant.opened_at, grant.not_after) == (now, now + timedelta(seconds=grant.seconds / scale))


@given(late=st.integers(0, 10**9), before=st.integers(1, 3600_000))
def test_rule_8_the_end_of_a_grant_is_recorded_by_the_first_sweep_after_it_and_by_none_before(
    late: int, before: int
) -> None:
    base = policy()
    case = after(decide(case_of(base), base, click(OWNER), profile(OWNER), T0))
    assert case.grant is not None
    early = sweep(case, base, HERE, case.grant.not_after - before * MS, 0)
    assert early is None or (after(early).grant.state is GrantState.OPEN and not early.entries)  # type: ignore[union-attr]
    act = sweep(case, base, HERE, case.grant.not_after + late * MS, 0)
    ended = after(act).grant
    assert ended is not None
    assert ended.state is GrantState.LAPSED
    assert ended.ended_at == case.grant.not_after + late * MS
    assert next(d.type for d in act.entries) == "grant.lapsed"  # type: ignore[union-attr]


def test_rule_8_silence_a_no_and_a_withdrawal_open_nothing() -> None:
    base = policy()
    case = case_of(base)
    denied = after(decide(case, base, click(OWNER, "deny", reason="no"), profile(OWNER), T0))
    expired = after(sweep(case, base, HERE, case.approval.expires_at, 0))
    assert [c.grant for c in (case, denied, expired)] == [None, None, None]


async def test_rule_8_no_row_of_a_grant_exists_without_an_approved_request_and_each_has_its_entry(office: Office) -> None:
    for n, decision in enumerate(["approve", "deny", "approve"]):
        case_id = await office.file(PE1, target=f"srv-{n}")
        await office.click(OWNER, case_id, decision)  # type: ignore[arg-type]
    await office.file(PE1, "double", target="srv-9")
    await office.forward(300 * MINUTE)
    rows = office.rows(
        "SELECT r.state, g.state AS ended, g.ended_ms FROM access_grant g JOIN request r ON r.id = g.case_id"
    )
    assert [(r["state"], r["ended"]) for r in rows] == [("approved", "lapsed")] * 2
    kinds = [e["type"] for e in office.log()]
    assert (kinds.count("grant.opened"), kinds.count("grant.lapsed")) == (2, 2)
