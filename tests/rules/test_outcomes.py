"""Rules 3 and 9: one outcome, final; who loses or may not gets a sentence, is logged once, and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.case.click import Rejected
from bot.domain.case.lifecycle import RequestState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.errors import Stale, TooLate
from bot.domain.policy.people import Person
from bot.domain.workflow.asks.approval import deny_on_host, withdraw
from bot.domain.workflow.timers import card_failed, sweep
from tests.bot import parts
from tests.bot.building import (
    AUDIT,
    COLLEAGUE,
    DEP1,
    DEP2,
    GUEST,
    HERE,
    HOUR,
    LEAD,
    MACH,
    MINUTE,
    MS,
    NAMESAKE,
    ONC1,
    OWNER,
    PE1,
    PE2,
    PE3,
    RISK,
    SOC1,
    SOCLEAD,
    STRANGER,
    T0,
    after,
    case_of,
    click,
    decide,
    policy,
    profile,
)
from tests.bot.office import Office

BASE = policy()
EVERYBODY = [OWNER, DEP1, DEP2, RISK, ONC1, PE1, PE2, PE3, LEAD, SOC1, SOCLEAD, COLLEAGUE, STRANGER, NAMESAKE, AUDIT, MACH]
END = T0 + 45 * MINUTE


def yes(case: Case, person: Person, at: Any) -> Transition:
    return decide(case, BASE, click(person), profile(person), at)


def no(case: Case, person: Person, at: Any) -> Transition:
    return decide(case, BASE, click(person, "deny", reason="no"), profile(person), at)


def back(case: Case, person: Person, at: Any) -> Transition:
    return withdraw(case, BASE, click(person, "withdraw"), at)


def final_cases() -> list[Case]:
    case = case_of(BASE, "contain")
    approved = after(yes(case, OWNER, T0))
    return [
        approved,
        after(sweep(approved, BASE, HERE, T0 + HOUR, 0)),
        after(no(case, DEP1, T0)),
        after(back(case, PE1, T0)),
        after(sweep(case, BASE, HERE, END, 0)),
    ]


@pytest.mark.parametrize(("case", "person"), list(product(final_cases(), EVERYBODY)))
def test_rule_3_no_click_of_anybody_moves_a_final_state(case: Case, person: Person) -> None:
    for act in (yes, no, back):
        for at in (T0, T0 + MINUTE, END, END + HOUR):
            made = act(case, person, at)
            assert (made.before, made.after) == (None, None)
            assert [d.type for d in made.entries] == ["decision.refused"]
            assert [say.purpose for say in made.says] == ["answer"]


@pytest.mark.parametrize("case", final_cases())
def test_rule_3_neither_the_clock_nor_slack_nor_the_host_moves_a_final_state(case: Case) -> None:
    for at in (T0, END, END + 9 * HOUR):
        swept = sweep(case, BASE, HERE, at, 0)
        assert swept is None or after(swept).request == case.request
        assert card_failed(case, BASE, HERE, OWNER, "user_not_found", at) is None
        assert isinstance(deny_on_host(case, BASE, "no", at), Rejected)


ACTS: dict[str, Callable[[Case], Transition | None]] = {
    "yes": lambda case: yes(case, OWNER, T0),
    "first of two": lambda case: yes(case, DEP1, T0),
    "no": lambda case: no(case, DEP1, T0),
    "back": lambda case: back(case, PE1, T0),
    "host": lambda case: deny_on_host(case, BASE, "no", T0),  # type: ignore[dict-item, return-value]
    "expiry": lambda case: sweep(case, BASE, HERE, END, 0),
    "step": lambda case: sweep(case, BASE, HERE, T0 + 5 * MINUTE, 0),
    "lost card": lambda case: card_failed(case, BASE, HERE, OWNER, "user_not_found", T0),
}


@pytest.mark.parametrize(("first", "second"), [*product(ACTS, ACTS)])
async def test_rule_3_of_two_acts_judged_on_one_state_one_is_written(office: Office, first: str, second: str) -> None:
    case = await office.case(await office.file(PE1, "contain"))
    before = len(office.types(case.id))
    acts = [ACTS[first](case), ACTS[second](case)]
    written = await asyncio.gather(*(office.store.commit(act) for act in acts if act), return_exceptions=True)
    assert sorted(type(w).__name__ for w in written) == ["Case", "Stale"]
    (winner,) = [act for act, w in zip(acts, written, strict=True) if isinstance(w, Case)]
    assert office.types(case.id)[before:] == [draft.type for draft in winner.entries]  # type: ignore[union-attr]


async def test_rule_3_a_decision_is_not_written_at_its_deadline(office: Office) -> None:
    case = await office.case(await office.file(PE1))
    acts = [yes(case, OWNER, T0), no(case, OWNER, T0), back(case, PE1, T0)]
    office.clock.at = END
    for act in acts:
        with pytest.raises(TooLate):
            await office.store.commit(act)
    assert office.types(case.id) == ["request.filed", "step.fired"]


@pytest.mark.parametrize(("off", "first"), list(product([-1, 0, 1], ["click", "sweep"])))
@pytest.mark.parametrize("decision", ["approve", "deny", "withdraw"])
async def test_rule_3_a_click_and_a_timer_have_one_outcome_whichever_runs_first(
    office: Office, off: int, first: str, decision: Any
) -> None:
    case_id = await office.file(PE1)
    office.clock.at = END + off * MS
    person = PE1 if decision == "withdraw" else OWNER
    if first == "sweep":
        await office.sweeper.sweep()
    await office.click(person, case_id, decision)
    await office.sweeper.sweep()
    in_time = {"approve": RequestState.APPROVED, "deny": RequestState.DENIED, "withdraw": RequestState.WITHDRAWN}[decision]
    assert await office.state(case_id) is (in_time if off < 0 else RequestState.EXPIRED)
    assert office.types(case_id).count("decision.refused") == (off >= 0)


async def test_rule_3_a_filing_is_written_once(office: Office) -> None:
    case_id = await office.file(PE1)
    case = await office.case(case_id)
    with pytest.raises(Stale):
        await office.store.commit(Transition(None, case))


@given(
    people=st.lists(st.sampled_from([OWNER, DEP1, DEP2, ONC1, PE1]), min_size=2, max_size=6),
    what=st.lists(st.sampled_from(["approve", "deny", "withdraw"]), min_size=6, max_size=6),
    twice=st.booleans(),
)
def test_rule_3_many_at_one_instant_have_one_outcome_and_every_loser_learns_who_won(
    tmp_path_factory: pytest.TempPathFactory, people: list[Person], what: list[Any], twice: bool
) -> None:
    async def story() -> None:
        async with Office(tmp_path_factory.mktemp("race") / "c.db", BASE) as office:
            case_id = await office.file(PE1, "contain")
            clicks = [office.press(p, case_id, decision) for p, decision in zip(people, what, strict=False)]
            for act in clicks:
                await office.take_in(act)
            await asyncio.gather(office.worker.drain(), *([parts.worker(office).drain()] if twice else []))
            entries = [e for e in office.log(case_id) if not e["type"].startswith(("step", "request.filed", "grant"))]
            decided = [e for e in entries if e["type"] != "decision.refused"]
            assert len(entries) == len(clicks)
            assert len(decided) <= 1
            case = await office.case(case_id)
            for answer in office.answers():
                if answer["sentence"] == "lost":
                    assert answer["by"] == str(decided[0]["who"]) == str(case.request.closed_by)
                    assert answer["state"] == str(case.request.state)
                    assert answer["at"] == office.clock.at.timestamp() * 1000
            assert len(office.answers()) == len(entries) - len(decided)

    asyncio.run(story())


@given(
    answers=st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2), min_size=2, max_size=4),
    drained=st.booleans(),
)
def test_rule_3_a_repeat_gets_the_first_answer_again(
    tmp_path_factory: pytest.TempPathFactory, answers: list[dict[str, str]], drained: bool
) -> None:
    async def story() -> None:
        async with Office(tmp_path_factory.mktemp("repeat") / "c.db", BASE) as office:
            act = office.form(PE1)
            for answer in answers:
                assert await office.service.take_in("one-key", act, answer) == answers[0]
                if drained:
                    await office.worker.drain()
            await office.worker.drain()
            assert office.types(act.id) == ["request.filed", "step.fired"]

    asyncio.run(story())


UNAUTHORISED = [
    DEP1,
    DEP2,
    RISK,
    ONC1,
    PE1,
    PE2,
    PE3,
    LEAD,
    SOC1,
    SOCLEAD,
    COLLEAGUE,
    STRANGER,
    GUEST,
    NAMESAKE,
    AUDIT,
    MACH,
]
LOOKED_AT = ("request", "ask", "step", "reached", "vote", "access_grant", "deadline", "copy")


@pytest.mark.parametrize("state", [s for s in RequestState if s is not RequestState.OPENED])
async def test_rule_9_an_unauthorised_click_changes_nothing_is_answered_and_adds_one_entry(
    office: Office, state: RequestState
) -> None:
    office.directory.guests = {GUEST}
    case_id = await office.file(PE1)
    if state is RequestState.APPROVED:
        await office.click(OWNER, case_id)
    elif state is RequestState.DENIED:
        await office.click(OWNER, case_id, "deny")
    elif state is RequestState.EXPIRED:
        office.sleep(HOUR)
        await office.sweeper.sweep()
    elif state is RequestState.WITHDRAWN:
        await office.click(PE1, case_id, "withdraw")

    def standing() -> list[Any]:
        return [[tuple(r) for r in office.rows(f"SELECT * FROM {table}")] for table in LOOKED_AT]

    said = {row["id"] for row in office.rows("SELECT id FROM outbox")}
    for person, decision, version in product(UNAUTHORISED, ["approve", "deny", "withdraw"], [1, 2]):
        if decision == "withdraw" and person in (PE1, LEAD):
            continue  # they may
        before, entries = standing(), len(office.log())
        await office.click(person, case_id, decision, version)
        assert standing() == before
        (entry,) = office.log(start=entries)
        assert (entry["type"], entry["who"], entry["case"]) == ("decision.refused", person, case_id)
        assert entry["data"]["why"] in ("unauthorised", "party")
        (answer,) = [row for row in office.rows("SELECT * FROM outbox ORDER BY id") if row["id"] not in said]
        assert (answer["purpose"], answer["to_team"], answer["to_user"]) == ("answer", person.team, person.user)
        assert "#identity-help" in answer["data"]
        said.add(answer["id"])
