"""Rule 5: nothing is said before it is written; all that is written to be said is said, or recorded as undeliverable."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.case.transition import Notification, Transition
from bot.domain.policy.people import Person
from tests.bot.building import DEP1, DEP2, MINUTE, OWNER, PE1, RISK, STRANGER, policy
from tests.bot.office import LEASE, Killed, Office


def waiting(office: Office) -> list[tuple[str, str | None, str | None]]:
    rows = office.rows("SELECT purpose, to_user, channel FROM outbox WHERE done_ms IS NULL AND copy_id IS NULL ORDER BY id")
    return [(r["purpose"], r["to_user"], r["channel"]) for r in rows]


def written(says: tuple[Notification, ...]) -> list[tuple[str, str | None, str | None]]:
    return [(say.purpose, say.to.user if say.to else None, say.channel) for say in says]


@pytest.mark.parametrize("decision", ["approve", "deny"])
async def test_rule_5_what_an_act_says_is_in_the_outbox_with_the_act_and_not_before(
    office: Office, monkeypatch: pytest.MonkeyPatch, decision: Any
) -> None:
    commit, acts = office.store.commit, list[Transition]()

    async def watched(act: Transition) -> Any:
        acts.append(act)
        already = waiting(office)
        done = await commit(act)
        assert waiting(office) == already + written(act.says)
        return done

    monkeypatch.setattr(office.store, "commit", watched)
    case_id = await office.file(PE1, "contain")
    await office.click(STRANGER, case_id)
    await office.click(OWNER, case_id, decision)
    await office.click(DEP1, case_id, decision)
    assert len(acts) == 4
    assert waiting(office) == [row for act in acts for row in written(act.says)]


async def test_rule_5_what_was_not_committed_is_not_said(office: Office) -> None:
    await office.take_in(office.form(PE1))
    (row,) = await office.store.inbox.unfinished(1)
    office.mortal.dies = "before"
    with pytest.raises(Killed):
        await office.service.carry_out(row)
    assert waiting(office) == []
    assert await office.deliver() == []


async def test_rule_5_a_crash_after_the_commit_loses_no_message(office: Office) -> None:
    await office.take_in(office.form(PE1))
    (row,) = await office.store.inbox.unfinished(1)
    office.mortal.dies = "after"
    with pytest.raises(Killed):
        await office.service.carry_out(row)
    await office.restart()
    await office.deliver()
    assert {o.say.purpose for o in office.shown} >= {"card", "receipt"}


async def test_rule_5_a_message_leased_by_a_process_that_died_is_sent_by_the_next(office: Office) -> None:
    await office.file(PE1)
    count = len(waiting(office))
    assert len(await office.store.outbox.lease(office.clock.at, office.clock.at + LEASE, 50)) == count
    await office.restart()
    assert await office.deliver() == []
    office.sleep(LEASE)
    assert len(await office.deliver()) == count
    assert await office.deliver() == []


async def test_rule_5_a_new_message_is_never_taken_for_one_that_was_sent(office: Office) -> None:
    case_id = await office.file(PE1)
    said = {o.id for o in await office.deliver()}
    await office.click(OWNER, case_id)
    assert not said & {o.id for o in await office.deliver()}


@given(
    dead=st.sets(st.sampled_from([OWNER, DEP1, DEP2, RISK, PE1])),
    story=st.lists(
        st.one_of(
            st.tuples(st.just("click"), st.sampled_from([OWNER, DEP1, RISK, STRANGER])),
            st.tuples(st.just("pass"), st.integers(0, 20)),
            st.tuples(st.just("speak"), st.integers(1, 5)),
            st.tuples(st.just("die"), st.integers(1, 5)),
            st.tuples(st.just("later"), st.integers(1, 5)),
        ),
        max_size=10,
    ),
)
def test_rule_5_every_stored_message_ends_as_sent_or_as_undeliverable_with_the_reason(
    tmp_path_factory: pytest.TempPathFactory, dead: set[Person], story: list[tuple[str, Any]]
) -> None:
    async def told() -> None:
        async with Office(tmp_path_factory.mktemp("said") / "c.db", policy(), dead_letters=dead) as office:
            case_id = await office.file(PE1, "double")
            for what, how in story:
                now = office.clock.at
                if what == "click":
                    await office.click(how, case_id)
                elif what == "pass":
                    await office.forward(how * MINUTE)
                elif what == "speak":
                    await office.deliver(how)
                elif what == "die":
                    await office.store.outbox.lease(now, now + LEASE, how)
                    await office.restart()
                else:
                    for outgoing in await office.store.outbox.lease(now, now + LEASE, how):
                        await office.store.outbox.release([(outgoing, now + MINUTE, "ratelimited")])
            office.sleep(LEASE + MINUTE)
            await office.deliver()
            ids = {o.id for o in office.shown}
            failed = office.rows("SELECT id, error, data FROM outbox WHERE done_ms IS NOT NULL")
            assert office.rows("SELECT * FROM outbox WHERE done_ms IS NULL") == []
            assert not ids & {r["id"] for r in failed}
            assert all(r["error"] for r in failed)
            logged = [e for e in office.log(case_id) if e["type"] == "delivery.failed"]
            assert {e["data"]["to"] for e in logged} <= dead

    asyncio.run(told())
