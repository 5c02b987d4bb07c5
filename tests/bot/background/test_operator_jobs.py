"""Acts of an operator: filed on the host, confirmed by an auditor and a risk owner in Slack, run by the bot."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from bot.background.operator_jobs import OperatorJobs, releasing
from bot.cli.log import app as log_app
from bot.domain.authority.policy_rollout import Sets
from bot.domain.case.operator_action import ACT, OperatorAction, OperatorActionState, move_act
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Humans, Person
from bot.ports.commands import ConfirmOperatorAction, ReplyAddress
from storage.log.check import check_log
from tests.bot import parts
from tests.bot.building import HOME, HOUR
from tests.bot.hosting import ASKER, Host

AUDIT, RISK, OTHER_RISK = Person(HOME, "U0AUDIT"), Person(HOME, "U0RISK"), Person(HOME, "U0CSO")
OWNER, SUBJECT = Person(HOME, "U0OWNER"), ASKER


class Voices:
    """What people press, and the bot that runs what they confirmed."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.operations = OperatorJobs(parts.jobs(host), {"hold_release": releasing(parts.jobs(host))})

    async def press(self, person: Person, act_id: str, answer: Literal["confirm", "refuse"] = "confirm") -> None:
        await self.host.take_in(ConfirmOperatorAction(person, act_id, answer, ReplyAddress(person, channel="D0")))
        await self.host.worker.drain()

    async def act(self, act_id: str) -> OperatorAction:
        found = await self.host.store.operator.action(act_id)
        assert found is not None
        return found

    async def state(self, act_id: str) -> str:
        return str((await self.act(act_id)).state)

    def refusals(self) -> list[tuple[Person, str]]:
        found = (entry for entry in self.host.log() if entry["type"] == "decision.refused")
        return [(entry["who"], entry["data"]["why"]) for entry in found]


@pytest.fixture
def voices(host: Host) -> Voices:
    return Voices(host)


async def placed(host: Host, subject: str = str(SUBJECT)) -> str:
    code, text = await host.type("hold", "place", subject, "--reason", "a court asked", app=log_app)
    assert code == 0, text
    return text


async def filed(host: Host) -> tuple[str, str]:
    """A hold, and the filed act that would release it."""
    hold = await placed(host)
    code, text = await host.type("hold", "release", hold, "--reason", "the court is done", app=log_app)
    assert code == 0, text
    return hold, text


async def holding(host: Host) -> list[str]:
    return [hold.id for hold in await host.store.operator.holds_on(SUBJECT)]


def purposes(host: Host) -> dict[str, set[str]]:
    rows = host.rows("SELECT purpose, to_user FROM outbox WHERE purpose LIKE 'operator%' AND copy_id IS NULL")
    return {p: {r["to_user"] for r in rows if r["purpose"] == p} for p in {r["purpose"] for r in rows}}


async def in_force(host: Host, changed: Policy) -> None:
    """Another set, whose delay of changes is over."""
    await host.adopt(changed)
    host.service.current.sets = Sets(host.service.current.sets.sets[-1:])


async def test_a_hold_works_at_once_and_covers_what_is_written_later(host: Host) -> None:
    first = await host.ask()
    hold = await placed(host)
    later = await host.ask(target="dc-core-02")
    assert await holding(host) == [hold]
    for case in (first, later):
        rows = host.rows(
            "SELECT p.hold_id FROM log_private AS p JOIN log_entry AS e ON e.idx = p.idx"
            " WHERE e.case_id = :case AND p.subject = :subject", case=case, subject=str(SUBJECT),
        )  # fmt: skip
        assert rows
        assert {row["hold_id"] for row in rows} == {hold}
    assert host.log()[-1]["type"] != "hold.placed"
    assert [e["data"]["hold"] for e in host.log() if e["type"] == "hold.placed"] == [hold]
    assert not (await check_log(host.place)).findings


async def test_a_subject_is_named_by_pseudonym_too_and_an_unknown_one_is_refused(host: Host) -> None:
    await host.ask()
    ref = await host.store.operator.ref_of(SUBJECT)
    assert ref is not None
    await placed(host, ref)
    assert len(await holding(host)) == 1
    unknown = await host.type("hold", "place", "sub_" + "a" * 26, "--reason", "x", app=log_app)
    assert unknown == (1, f"The log names nobody by sub_{'a' * 26}, or they were erased.")
    assert (await host.type("hold", "place", "Pavel", "--reason", "x", app=log_app))[0] == 2
    assert (await host.type("hold", "place", str(SUBJECT), "--reason", " ", app=log_app))[0] == 2


async def test_filing_only_asks_and_nothing_runs_before_two_people_confirm(host: Host, voices: Voices) -> None:
    hold, act_id = await filed(host)
    assert purposes(host) == {
        "operator": {"U0AUDIT", "U0RISK", "U0CSO"},
        "operator_told": {d.owner.user for d in host.policy.domains.values()} - {"U0RISK", "U0CSO"},
    }
    await voices.operations.work()
    await voices.press(AUDIT, act_id)
    await voices.operations.work()
    assert (await voices.state(act_id), await holding(host)) == ("open", [hold])
    await voices.press(RISK, act_id)
    assert (await voices.state(act_id), await holding(host)) == ("confirmed", [hold])
    await voices.operations.work()
    assert (await voices.state(act_id), await holding(host)) == ("done", [])
    kinds = [e["type"] for e in host.log() if e["type"].startswith(("operator", "hold"))]
    assert kinds == ["hold.placed", "operator.filed", "operator.confirmed", "operator.confirmed", "hold.released"]
    assert {"U0OWNER", "U0AUDIT", "U0RISK"} <= purposes(host)["operator_told"]
    assert not (await check_log(host.place)).findings


async def test_two_auditors_two_risk_owners_or_one_person_twice_are_not_enough(host: Host, voices: Voices) -> None:
    await in_force(host, replace(host.policy, auditors=(AUDIT, Person(HOME, "U0AUDIT2"))))
    _, act_id = await filed(host)
    for person in (AUDIT, AUDIT, Person(HOME, "U0AUDIT2")):
        await voices.press(person, act_id)
    assert await voices.state(act_id) == "open"
    assert voices.refusals() == [(AUDIT, "lost")]
    _, other = await filed(host)
    for person in (RISK, OTHER_RISK):
        await voices.press(person, other)
    assert await voices.state(other) == "open"


@pytest.mark.parametrize("joined", [False, True])
async def test_one_human_with_both_roles_is_one_voice(host: Host, voices: Voices, joined: bool) -> None:
    both = Person(HOME, "U0SECOND") if joined else RISK
    humans = Humans.joined([["U0SECOND", "U0RISK"]]) if joined else Humans()
    await in_force(host, replace(host.policy, auditors=(both,), humans=humans))
    _, act_id = await filed(host)
    for person in dict.fromkeys((RISK, both)):
        await voices.press(person, act_id)
    assert await voices.state(act_id) == "open"
    await voices.press(OTHER_RISK, act_id)
    assert await voices.state(act_id) == "confirmed"


async def test_one_refusal_is_final_and_everybody_else_is_late(host: Host, voices: Voices) -> None:
    hold, act_id = await filed(host)
    await voices.press(AUDIT, act_id)
    await voices.press(RISK, act_id, "refuse")
    await voices.press(OTHER_RISK, act_id)
    await voices.operations.work()
    assert (await voices.state(act_id), await holding(host)) == ("refused", [hold])
    assert voices.refusals() == [(OTHER_RISK, "lost")]
    assert [e["type"] for e in host.log()].count("operator.refused") == 1
    assert (await voices.act(act_id)).reason == ""


async def test_after_a_day_it_is_over_whether_or_not_anybody_looked(host: Host, voices: Voices) -> None:
    hold, act_id = await filed(host)
    await voices.press(AUDIT, act_id)
    host.sleep(24 * HOUR)
    host.clock.at = max(host.clock.at, (await voices.act(act_id)).expires_at)
    await voices.press(RISK, act_id)
    assert voices.refusals() == [(RISK, "late")]
    await voices.operations.work()
    await voices.operations.work()
    assert (await voices.state(act_id), await holding(host)) == ("expired", [hold])
    assert [e["type"] for e in host.log()].count("operator.expired") == 1
    await voices.press(RISK, act_id)
    assert voices.refusals() == [(RISK, "late")] * 2


@pytest.mark.parametrize("who", ["provider", "owner", "guest", "gone", "subject"])
async def test_nobody_else_confirms(host: Host, voices: Voices, who: str) -> None:
    person = {"provider": ASKER, "owner": OWNER}.get(who, RISK)
    if who == "guest":
        host.directory.guests.add(RISK)
    if who == "gone":
        host.directory.gone.add(RISK)
    if who == "subject":
        hold = await placed(host, str(RISK))
        act_id = (await host.type("hold", "release", hold, "--reason", "done", app=log_app))[1]
    else:
        _, act_id = await filed(host)
    await voices.press(person, act_id)
    await voices.press(AUDIT, act_id)
    assert await voices.state(act_id) == "open"
    assert voices.refusals() == [(person, "party" if who == "provider" else "unauthorised")]


async def test_authority_is_that_of_the_click_and_earlier_voices_are_counted_again(host: Host, voices: Voices) -> None:
    _, act_id = await filed(host)
    await voices.press(AUDIT, act_id)
    await in_force(host, replace(host.policy, auditors=(OTHER_RISK,)))
    await voices.press(RISK, act_id)
    assert await voices.state(act_id) == "open"
    await voices.press(OTHER_RISK, act_id)
    assert await voices.state(act_id) == "confirmed"


async def test_a_failed_look_up_is_no_voice(host: Host, voices: Voices) -> None:
    _, act_id = await filed(host)
    host.directory.silent.add(AUDIT)
    await voices.press(AUDIT, act_id)
    assert (await voices.act(act_id)).voices == ()
    assert [(a["to"], a["sentence"]) for a in host.answers()] == [("U0AUDIT", "again")]


async def test_an_unknown_act_is_stale(host: Host, voices: Voices) -> None:
    await voices.press(AUDIT, "O-00000000")
    assert voices.refusals() == [(AUDIT, "stale")]


async def test_two_last_voices_at_once_confirm_it_once(host: Host, voices: Voices) -> None:
    _, act_id = await filed(host)
    await voices.press(AUDIT, act_id)
    reply = ReplyAddress(RISK, channel="D0")
    await host.together(
        ConfirmOperatorAction(RISK, act_id, "confirm", reply), ConfirmOperatorAction(OTHER_RISK, act_id, "confirm", reply)
    )
    assert await voices.state(act_id) == "confirmed"
    assert [why for _, why in voices.refusals()] == ["lost"]


async def test_what_was_confirmed_is_run_by_the_next_process_and_once(host: Host, voices: Voices) -> None:
    hold, act_id = await filed(host)
    for person in (AUDIT, RISK):
        await voices.press(person, act_id)
    stopped = asyncio.Event()
    operations = OperatorJobs(parts.jobs(host), {"hold_release": releasing(parts.jobs(host))}, beat=stopped.set)
    await asyncio.gather(operations.run(stopped), Voices(host).operations.work())
    assert await holding(host) == []
    assert [e["data"]["hold"] for e in host.log() if e["type"] == "hold.released"] == [hold]


async def test_a_hold_released_meanwhile_fails_the_second_act(host: Host, voices: Voices) -> None:
    hold, first = await filed(host)
    code, second = await host.type("hold", "release", hold, "--reason", "again", app=log_app)
    assert code == 0
    for act_id in (first, second):
        for person in (AUDIT, RISK):
            await voices.press(person, act_id)
    await voices.operations.work()
    assert [await voices.state(a) for a in (first, second)] == ["done", "failed"]
    assert (await voices.act(second)).result == f"The hold {hold} is released already."
    assert (await host.type("hold", "release", hold, "--reason", "x", app=log_app))[0] == 1


async def test_an_act_that_nobody_could_confirm_is_not_filed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = await placed(host)

    async def nobody(_store: Any) -> Any:
        return replace(host.policy, auditors=())

    monkeypatch.setattr("bot.cli.operator.accepted_policy", nobody)
    code, text = await host.type("hold", "release", hold, "--reason", "x", app=log_app)
    assert code == 1
    assert "two people" in text


def test_an_act_moves_by_its_table_only() -> None:
    finals = {state for state, moves in ACT.items() if not moves}
    assert finals == {
        OperatorActionState.REFUSED,
        OperatorActionState.EXPIRED,
        OperatorActionState.DONE,
        OperatorActionState.FAILED,
    }
    assert move_act(OperatorActionState.OPEN, "confirm") is OperatorActionState.CONFIRMED
    with pytest.raises(Exception, match="no move"):
        move_act(OperatorActionState.DONE, "run")


def test_the_window_is_a_day() -> None:
    from bot.domain.operator.dual_control import WINDOW

    assert timedelta(hours=24) == WINDOW
