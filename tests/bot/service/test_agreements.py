"""The matrix as an agreement, through the real service and store: who is asked, what their words do, what is held meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.authority.policy_rollout import InForce, Sets
from bot.domain.case.lifecycle import RequestState
from bot.domain.case.transition import Lane, Notification
from bot.domain.governance import agreement
from bot.domain.governance.agreement import Word
from bot.domain.policy.governance import Agreement
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.commands import AnswerMatrix, ReplyAddress
from tests.bot.building import DAY, DEP1, HOUR, LEAD, OWNER, PE1, RISK, SOCLEAD, STRANGER, T0, policy, runbook
from tests.bot.office import Office

RULES = Agreement(365 * 86400, 30 * 86400, "hold")
BOOKS = [runbook("one"), runbook("two", requires=("risk_owner",), approvals=2)]
BASE = policy(agreement=RULES, runbooks=BOOKS, digest="a" * 64)


def longer(base: Policy = BASE, digest: str = "b" * 64, **changes: Any) -> Policy:
    more = {"max_duration": 8 * 3600, **changes}
    return replace(base, runbooks={**base.runbooks, "one": replace(base.runbooks["one"], **more)}, digest=digest)


async def follow(office: Office, old: Policy | None, new: Policy) -> None:
    """A set is accepted and in force for longer than its delay."""
    await office.service.agreements.follow(old, new)
    office.service.agreements.bases = {} if old is None else {old.digest: old}
    office.service.current.sets = Sets((InForce(new, office.clock.now()),))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A set that was in force before the agreement, and is asked about now."""
    async with Office(tmp_path / "countersign.db", BASE) as running:
        await follow(running, replace(BASE, agreement=None, digest="0" * 64), BASE)
        yield running


async def say(office: Office, person: Person, word: Word = "confirmed", row: str = "", seen: str | None = None) -> None:
    mine = agreement.own_rows(office.service.current.policy, person)
    chosen = [r for r in mine if r.key == row] if row else mine
    act = AnswerMatrix(
        person, word, seen or agreement.set_digest(chosen), ReplyAddress(person), row, "Not agreed." if row else ""
    )
    await office.take_in(act)
    await office.worker.drain()


def entries(office: Office, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in office.log() if entry["type"] == kind]


def asked(office: Office) -> list[str]:
    return [row["to_user"] for row in office.rows("SELECT to_user FROM outbox WHERE purpose = 'agreement' ORDER BY id")]


def last(office: Office) -> str:
    return str(office.answers()[-1].get("text"))


def waits_for(office: Office, person: Person) -> list[str]:
    """The rows on which somebody's word is missing."""
    mine = agreement.own_rows(office.service.current.policy, person)
    return [row.key for row in mine if not office.service.agreements.settled(row, person)]


async def confirmed(office: Office) -> None:
    await office.sweeper.sweep()
    await say(office, OWNER)
    await say(office, RISK)


async def test_a_first_load_asks_everybody_who_may_answer_once(office: Office) -> None:
    for _ in range(3):
        await office.sweeper.sweep()
    assert sorted(asked(office)) == sorted(p.user for p in (OWNER, RISK, LEAD, SOCLEAD))


async def test_a_confirmation_is_logged_with_set_and_rows(office: Office) -> None:
    await office.sweeper.sweep()
    await say(office, OWNER)
    (entry,) = entries(office, "matrix.confirmed")
    rows = agreement.matrix_rows(BASE)
    assert entry["data"]["set"] == agreement.set_digest(rows.values())
    assert entry["data"]["rows"] == [{"row": key, "digest": rows[key].digest} for key in ("one", "two")]
    assert entry["policy"]["sha256"] == BASE.digest
    state = {s.key: s.open for s in await office.store.agreement.rows()}
    assert state == {"one": False, "two": True}  # the risk owner's answer is missing
    await say(office, RISK)
    assert not any(s.open for s in await office.store.agreement.rows())


async def test_an_answer_is_given_once_and_only_on_what_was_shown(office: Office) -> None:
    await say(office, OWNER)
    await say(office, OWNER)
    assert len(entries(office, "matrix.confirmed")) == 1
    assert "answered this already" in last(office)
    await say(office, RISK, seen="0" * 64)
    assert len(entries(office, "matrix.confirmed")) == 1
    assert "has changed since" in last(office)


@pytest.mark.parametrize("person", [PE1, DEP1], ids=str)
async def test_who_may_not_answer_changes_nothing_and_leaves_one_entry(office: Office, person: Person) -> None:
    await say(office, person)
    assert [e["type"] for e in office.log()[1:]] == ["decision.refused"]


async def test_a_lead_cannot_confirm_and_an_owner_gone_from_slack_neither(office: Office) -> None:
    await say(office, LEAD)
    assert entries(office, "matrix.confirmed") == []
    office.directory.gone.add(OWNER)
    await say(office, OWNER)
    assert entries(office, "matrix.confirmed") == []
    assert len(entries(office, "decision.refused")) == 1


async def test_a_lead_acknowledges_or_disputes_and_blocks_nothing(office: Office) -> None:
    await say(office, LEAD, "acknowledged")
    await say(office, LEAD, "disputed", "one")
    assert [e["type"] for e in office.log()[1:]] == ["matrix.acknowledged", "matrix.disputed"]
    assert entries(office, "matrix.disputed")[0]["data"]["role"] == "lead"
    await confirmed(office)
    assert not any(s.open for s in await office.store.agreement.rows())


class TestHold:
    async def test_what_was_in_force_before_is_not_held(self, office: Office) -> None:
        case = await office.file(PE1, "one", seconds=4 * 3600)
        assert await office.state(case) is RequestState.PENDING

    async def test_a_gain_counts_once_it_is_confirmed(self, office: Office) -> None:
        await confirmed(office)
        await follow(office, BASE, longer())
        assert office.service.current.asking.runbooks["one"].max_duration == 4 * 3600
        await say(office, OWNER)
        assert office.service.current.asking.runbooks["one"].max_duration == 8 * 3600

    async def test_who_may_ask_only_once_it_is_confirmed_is_not_taken_for_a_stranger(self, office: Office) -> None:
        service = office.service.filing
        office.service.current.confirmed = lambda policy: replace(policy, runbooks={})
        assert service.runbooks_for(PE1, None) == ()
        assert not service.waits_to_count(STRANGER, None)
        assert service.waits_to_count(PE1, "emergency_access")
        assert not service.waits_to_count(PE1, "reset")
        assert not service.waits_to_count(OWNER, None)

    async def test_silence_never_widens(self, office: Office) -> None:
        await confirmed(office)
        await follow(office, BASE, longer())
        for _ in range(60):
            office.clock.at += DAY
            await office.sweeper.sweep()
        assert office.service.current.asking.runbooks["one"].max_duration == 4 * 3600
        assert [e["data"]["asked"] for e in entries(office, "matrix.overdue")] == [OWNER]

    async def test_it_survives_a_restart(self, office: Office) -> None:
        await confirmed(office)
        await follow(office, BASE, longer())
        await office.restart()
        await follow(office, BASE, longer())
        assert office.service.current.asking.runbooks["one"].max_duration == 4 * 3600

    async def test_what_only_takes_away_counts_at_once_and_asks_nobody(self, office: Office) -> None:
        await confirmed(office)
        before = len(asked(office))
        await follow(office, BASE, longer(max_duration=3600))
        office.clock.at += 2 * DAY
        await office.sweeper.sweep()
        assert office.service.current.asking.runbooks["one"].max_duration == 3600
        assert len(asked(office)) == before
        assert waits_for(office, OWNER) == []  # neither the message nor App Home ask for a word on it

    async def test_a_dispute_and_a_missing_word_do_not_pass_to_what_is_left(self, office: Office) -> None:
        await office.sweeper.sweep()
        await say(office, OWNER)
        await say(office, OWNER, "disputed", "one")
        await follow(office, BASE, longer(max_duration=3600))
        assert waits_for(office, OWNER) == ["one"]
        assert waits_for(office, RISK) == ["two"]

    async def test_warn_holds_nothing(self, office: Office) -> None:
        await confirmed(office)
        warns = replace(longer(), agreement=replace(RULES, unconfirmed="warn"))
        await follow(office, BASE, warns)
        assert office.service.current.asking.runbooks["one"].max_duration == 8 * 3600


class TestTheMessages:
    async def test_changes_gather_a_day_and_nobody_gets_two_in_a_week(self, office: Office) -> None:
        await confirmed(office)
        first = len(asked(office))
        office.clock.at = T0 + 8 * DAY
        await follow(office, BASE, longer())
        await office.sweeper.sweep()
        assert len(asked(office)) == first
        office.clock.at += DAY
        await office.sweeper.sweep()
        assert asked(office)[first:].count("U0OWNER") == 1
        await follow(office, longer(), longer(digest="c" * 64, max_duration=9 * 3600))
        office.clock.at += 2 * DAY
        await office.sweeper.sweep()
        assert asked(office)[first:].count("U0OWNER") == 1
        office.clock.at += 8 * DAY
        await office.sweeper.sweep()
        assert asked(office)[first:].count("U0OWNER") == 2

    async def test_a_leads_message_that_waits_for_its_week_survives_a_restart(self, office: Office) -> None:
        await confirmed(office)
        office.clock.at = T0 + 8 * DAY
        await follow(office, BASE, longer())
        office.clock.at += DAY - HOUR
        await office.store.agreement.write([], [], [], [Notification("campaign", Lane.CARD, "V-0", to=LEAD)])
        office.clock.at += HOUR
        before = asked(office).count("U0PLEAD")
        await office.sweeper.sweep()
        await office.restart()
        await follow(office, longer(), longer())
        office.clock.at += 6 * DAY
        await office.sweeper.sweep()
        assert asked(office).count("U0PLEAD") == before
        office.clock.at += 2 * DAY
        for _ in range(2):
            await office.sweeper.sweep()
        assert asked(office).count("U0PLEAD") == before + 1

    async def test_what_was_agreed_is_asked_about_again_and_overdue_once(self, office: Office) -> None:
        await confirmed(office)
        first = len(asked(office))
        office.clock.at += 365 * DAY + HOUR
        await office.sweeper.sweep()
        assert asked(office)[first:].count("U0OWNER") == 1
        office.clock.at += 31 * DAY
        for _ in range(3):
            await office.sweeper.sweep()
        assert {str(e["data"]["asked"]) for e in entries(office, "matrix.overdue")} == {str(OWNER), str(RISK)}
        assert len(entries(office, "matrix.overdue")) == 2
        assert not any(s.open for s in await office.store.agreement.rows())
        await say(office, OWNER)
        assert len(entries(office, "matrix.confirmed")) == 3

    async def test_nobody_is_asked_while_the_clock_is_doubted(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(office.clock, "jumped", lambda: DAY)
        await office.sweeper.sweep()
        assert asked(office) == []
        await say(office, OWNER)
        assert entries(office, "matrix.confirmed") == []


class TestDisputes:
    async def test_a_dispute_narrows_its_row_until_it_is_confirmed(self, office: Office) -> None:
        alone = longer(right="autonomous", escalation=None, limit=None)
        await follow(office, BASE, replace(alone, agreement=replace(RULES, unconfirmed="warn")))
        assert office.service.current.asking.runbooks["one"].right == "autonomous"
        await say(office, OWNER, "disputed", "one")
        assert office.service.current.asking.runbooks["one"].right == "approval"
        await say(office, OWNER)  # Confirm all leaves what they dispute
        assert office.service.current.asking.runbooks["one"].right == "approval"
        await say(office, OWNER, "confirmed", "one")
        assert office.service.current.asking.runbooks["one"].right == "autonomous"

    async def test_its_reason_is_private_and_the_other_one_is_notified(self, office: Office) -> None:
        await say(office, OWNER, "disputed", "two")
        (entry,) = entries(office, "matrix.disputed")
        assert "Not agreed" not in str(entry)
        heard = [a for a in office.answers() if a["to"] == RISK.user]
        assert "Not agreed." in str(heard[-1]["text"])


async def test_what_nobody_answered_is_asked_about_again_after_the_same_time(office: Office) -> None:
    await office.sweeper.sweep()
    first = len(asked(office))
    await office.forward(364 * DAY, every=10 * DAY)
    assert len(asked(office)) == first
    await office.forward(2 * DAY, every=DAY)
    assert len(asked(office)) == 2 * first
