"""Suspended authority and rights under review, through the real service, worker, sweeper and store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.authority.authorization import confirming_roles
from bot.domain.authority.policy_rollout import Sets
from bot.domain.case.lifecycle import AskState, RequestState
from bot.domain.case.model import Case
from bot.domain.policy.model import BreakGlass, Limit, Policy
from bot.domain.policy.people import Person
from bot.ports.commands import Press, ReplyAddress
from handlers.outbound.message_table import MESSAGE_KINDS
from handlers.views.suspensions import to_suspended
from storage.log.check import check_database
from tests.bot import parts
from tests.bot.building import (
    AUDIT,
    DAY,
    DEP1,
    DEP2,
    HOUR,
    MACH,
    MDEP,
    MINUTE,
    MS,
    ONC1,
    OWNER,
    PE1,
    PE2,
    RISK,
    SOC1,
    STRANGER,
    T0,
    policy,
    runbook,
    with_domain,
)
from tests.bot.office import Office
from tests.bot.stopping import StoppableOffice
from tests.database import place

pytestmark = pytest.mark.both

RESET = runbook(
    "mfa", kind="reset", domain="machines", subject_verification=("callback",), escalation="short", review_within=None
)
UNLOCK = runbook(
    "unlock", kind="reset", right="autonomous", escalation=None, review_within=None, limit=Limit(3, 7 * 86400),
    review_every=90 * 86400, tell="each", sha256="11" * 32,
)  # fmt: skip
BASE = policy(runbooks=[RESET, UNLOCK, runbook("emergency"), runbook("pair", approvals=2)])


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", BASE) as running:
        yield running
        assert check_database(place(running.path)).findings == ()


async def reset_of(office: Office, subject: Person) -> str:
    """A reset that opens: attested and approved."""
    case_id = await office.file(PE1, "mfa", subject=subject)
    word = Press(
        PE1, case_id, 1, "verify", ReplyAddress(PE1, channel="D0"), "call", "callback", at=office.clock.at.isoformat()
    )
    await office.take_in(word)
    await office.worker.drain()
    await office.click(Person("T0HOME", "U0MACH"), case_id)
    return case_id


async def matters(office: Office, kind: str) -> list[Case]:
    return [await office.case(m.id) for m in await office.store.cases.system_cases() if m.kind == kind]


async def the_suspension(office: Office) -> Case:
    (case,) = await matters(office, "suspension")
    return case


def told(office: Office, purpose: str) -> list[str]:
    return [r["to_user"] for r in office.rows("SELECT to_user FROM outbox WHERE purpose = :p ORDER BY id", p=purpose)]


class TestAReset:
    async def test_of_somebody_with_authority_suspends_it_in_the_same_act(self, office: Office) -> None:
        reset = await reset_of(office, OWNER)
        case = await the_suspension(office)
        assert (case.request.domain, case.request.subject) == ("directory", OWNER)
        first = office.log(case.id)[0]
        assert first["type"] == "authority.suspended"
        assert first["data"] == {"domain": "directory", "subject": OWNER, "reset": reset}
        assert told(office, "suspended") == ["U0OWNER"]

    async def test_of_an_auditor_takes_their_say_on_operators_until_the_resets_domain_restores_it(
        self, office: Office
    ) -> None:
        await reset_of(office, AUDIT)
        case = await the_suspension(office)
        assert (case.request.domain, case.request.subject) == ("machines", AUDIT)
        await office.service.current.refresh()
        assert confirming_roles(office.service.current.policy, AUDIT) == ()
        said = to_suspended(case, "suspended", parts.rendering(office).scene()).text
        assert "word as an auditor is suspended" in said
        await office.sweeper.sweep()
        await office.click(MACH, case.id, "restore")
        await office.service.current.refresh()
        assert confirming_roles(office.service.current.policy, AUDIT) == ("auditor",)

    async def test_of_somebody_without_authority_suspends_nothing(self, office: Office) -> None:
        await reset_of(office, STRANGER)
        assert await matters(office, "suspension") == []

    async def test_that_was_denied_or_not_yet_approved_suspends_nothing(self, office: Office) -> None:
        case_id = await office.file(PE1, "mfa", subject=OWNER)
        await office.click(Person("T0HOME", "U0MACH"), case_id, "deny")
        assert await matters(office, "suspension") == []

    async def test_of_somebody_on_the_rota_suspends_them_too(self, office: Office) -> None:
        await reset_of(office, ONC1)
        assert (await the_suspension(office)).request.subject == ONC1

    async def test_a_second_one_opens_no_second_suspension(self, office: Office) -> None:
        await reset_of(office, OWNER)
        office.sleep(MINUTE)
        await reset_of(office, OWNER)
        assert len(await matters(office, "suspension")) == 1


class TestWhoeverIsSuspended:
    async def test_is_refused_with_a_sentence_and_changes_nothing(self, office: Office) -> None:
        pending = await office.file(PE1)
        await reset_of(office, OWNER)
        case = await the_suspension(office)
        await office.click(OWNER, pending)
        assert office.log(pending)[-1]["data"] == {"action": "approve", "why": "unauthorised"}
        assert await office.state(pending) is RequestState.PENDING
        texts = [a["text"] for a in office.answers() if a["to"] == "U0OWNER"]
        assert all("suspended since your own credential was reset" in t and case.id in t for t in texts)

    async def test_takes_away_all_the_same(self, office: Office) -> None:
        pending = await office.file(PE1)
        granted = await office.file(PE1, target="srv-2")
        await office.click(OWNER, granted)
        await reset_of(office, OWNER)
        await office.click(OWNER, pending, "deny")
        await office.click(OWNER, granted, "revoke")
        assert await office.state(pending) is RequestState.DENIED
        assert "grant.revoked" in office.types(granted)

    async def test_rejects_flags_and_withdraws_a_right_but_keeps_none(self, office: Office) -> None:
        await office.adopt(
            policy(
                runbooks=[
                    *office.policy.runbooks.values(),
                    runbook("glass", right="immediate", break_glass=BreakGlass(4 * 3600, None)),
                ]
            )
        )
        office.service.current.sets = Sets(office.service.current.sets.sets[-1:])
        opened = await office.file(PE1, "glass")
        await reset_of(office, OWNER)
        await office.click(OWNER, opened, "ratify")
        assert office.types(opened)[-1] == "decision.refused"
        await office.click(OWNER, opened, "reject")
        assert "breakglass.rejected" in office.types(opened)
        assert "grant.revoked" in office.types(opened)
        review = next(ask for ask in (await office.case(opened)).later if ask.kind == "review")
        await office.click(OWNER, opened, "accept", review.version)
        assert office.types(opened)[-1] == "decision.refused"
        await office.click(OWNER, opened, "flag", review.version)
        assert "review.flagged" in office.types(opened)

    async def test_once_restored_their_earlier_yes_counts_and_the_next_press_opens(self, office: Office) -> None:
        case_id = await office.file(PE1, "pair")
        await office.forward(6 * MINUTE)
        await office.click(DEP1, case_id)
        await reset_of(office, DEP1)
        await office.click(OWNER, case_id)
        await office.click(OWNER, case_id)
        assert office.types(case_id)[-1] == "decision.refused"
        await office.sweeper.sweep()
        await office.click(OWNER, (await the_suspension(office)).id, "restore")
        await office.click(OWNER, case_id)
        assert office.types(case_id)[-2:] == ["request.approved", "grant.opened"]

    async def test_is_skipped_in_ladders_and_the_next_are_asked_at_once(self, office: Office) -> None:
        await reset_of(office, OWNER)
        case_id = await office.file(PE1)
        assert office.steps(case_id)[0] == ("0m", "skip owner", "suspended")
        assert ("0m", "notify deputies", {DEP1, DEP2}) in office.steps(case_id)

    async def test_loses_a_yes_that_was_not_yet_enough(self, office: Office) -> None:
        case_id = await office.file(PE1, "pair")
        await office.click(DEP1, case_id)
        await reset_of(office, DEP1)
        await office.click(OWNER, case_id)
        assert office.log(case_id)[-1]["data"]["have"] == 1
        assert await office.state(case_id) is RequestState.PENDING

    async def test_keeps_their_authority_elsewhere(self, office: Office) -> None:
        await reset_of(office, OWNER)
        await office.adopt(with_domain(BASE, "machines", deputies=(MDEP, OWNER)))
        assert not any(s.domain == "machines" for s in office.service.current.policy.standing.suspended)

    @pytest.mark.parametrize("change", ["restart", "policy"])
    async def test_stays_so_across_a_restart_and_a_change_of_policy(self, office: Office, change: str) -> None:
        await reset_of(office, OWNER)
        if change == "restart":
            await office.restart()
        else:
            await office.adopt(with_domain(BASE, deputies=(DEP2,)))
        case_id = await office.file(PE1)
        await office.click(OWNER, case_id)
        assert office.types(case_id)[-1] == "decision.refused"


class TestRestore:
    async def test_is_asked_of_the_others_and_never_of_the_suspended(self, office: Office) -> None:
        await reset_of(office, OWNER)
        await office.forward(9 * HOUR, every=10 * MINUTE)
        case = await the_suspension(office)
        reached = {p for ask in case.asks for p in ask.asked}
        assert reached == {DEP1, DEP2, RISK}
        for person in (OWNER, STRANGER, PE1):
            await office.click(person, case.id, "restore", case.asks[-1].version)
            assert office.types(case.id)[-1] == "decision.refused"

    async def test_by_another_person_gives_the_authority_back(self, office: Office) -> None:
        await reset_of(office, OWNER)
        await office.forward(MINUTE)
        case = await the_suspension(office)
        await office.click(DEP1, case.id, "restore")
        last = office.log(case.id)[-1]
        assert (last["type"], last["who"], last["data"]["subject"]) == ("authority.restored", DEP1, OWNER)
        assert told(office, "restored") == ["U0OWNER"]
        case_id = await office.file(PE1)
        await office.click(OWNER, case_id)
        assert "grant.opened" in office.types(case_id)

    async def test_that_nobody_presses_is_overdue_and_asked_again_and_silence_restores_nothing(
        self, office: Office
    ) -> None:
        await reset_of(office, OWNER)
        await office.forward(20 * HOUR, every=HOUR)
        case = await the_suspension(office)
        assert [str(ask.state) for ask in case.asks] == ["expired", "expired", "open"]
        assert office.types(case.id).count("authority.overdue") == 3
        await office.restart()
        await office.service.current.refresh()
        assert len(office.service.current.policy.standing.suspended) == 1


class TestAnAutonomousRight:
    async def test_opens_at_once_and_informs_the_owner_each_time(self, office: Office) -> None:
        case_id = await office.file(PE1, "unlock")
        assert office.types(case_id) == ["request.filed", "grant.opened"]
        case = await office.case(case_id)
        assert (case.request.state, case.approval.state) == (RequestState.OPENED, AskState.YES)
        assert told(office, "used") == ["U0OWNER"]
        await office.click(OWNER, case_id, "revoke")
        assert office.types(case_id)[-1] == "grant.revoked"

    async def test_is_limited_for_the_whole_provider_in_a_sliding_window(self, office: Office) -> None:
        await office.service.current.refresh()
        for person, target in ((PE1, "a"), (PE2, "b"), (PE1, "c")):
            assert "grant.opened" in office.types(await office.file(person, "unlock", target=target))
            office.sleep(DAY)
        refused = await office.file(PE2, "unlock", target="d")
        assert office.log(refused)[0]["data"] == {"reason_code": "limit"}
        assert "The next is possible after 2026-03-11 09:00:00 UTC" in office.answers()[-1]["text"]
        assert "grant.opened" in office.types(await office.file(SOC1, "unlock", target="e"))
        office.clock.at = T0 + 7 * DAY - MS
        assert office.types(await office.file(PE1, "unlock", target="f")) == ["request.refused"]
        office.clock.at = T0 + 7 * DAY
        assert "grant.opened" in office.types(await office.file(PE1, "unlock", target="g"))

    async def test_two_filings_at_once_never_pass_the_limit_together(self, office: Office) -> None:
        acts = [office.form(p, "unlock", target=t) for p, t in ((PE1, "a"), (PE2, "b"), (PE1, "c"), (PE2, "d"), (PE2, "e"))]
        await office.together(*acts)
        assert sorted(office.types(act.id)[-1] for act in acts) == ["grant.opened"] * 3 + ["request.refused"] * 2

    async def test_the_form_says_how_much_of_the_limit_is_used(self, office: Office) -> None:
        assert await office.service.filing.used(PE1, UNLOCK) == (None, "0 of 3 in 7 days are used.")
        for target in "abc":
            await office.file(PE1, "unlock", target=target)
        said, left = await office.service.filing.used(PE2, UNLOCK)
        assert left == ""
        assert said is not None
        assert said.startswith("The limit of 3 in 7 days is used up for your provider. The next is possible after")

    async def test_opens_nothing_while_the_clock_is_doubted(self, office: Office) -> None:
        office.clock.jumped = lambda: HOUR  # type: ignore[method-assign]
        assert office.types(await office.file(PE1, "unlock")) == ["request.refused"]
        office.clock.jumped = lambda: None  # type: ignore[method-assign]


def daily(**changes: Any) -> Policy:
    return policy(runbooks=[replace(UNLOCK, tell="daily", limit=None, **changes)])


async def test_a_daily_digest_is_one_message_for_all_of_a_day(office: Office) -> None:
    await office.adopt(daily())
    office.service.current.sets = Sets(office.service.current.sets.sets[-1:])  # it has counted for long
    ids = []
    for hours in (0, 5, 20):
        office.clock.at = T0 + hours * HOUR
        ids.append(await office.file(PE1, "unlock", target=f"t{hours}"))
    await office.deliver()
    assert [o.say.purpose for o in office.shown if o.say.purpose == "digest"] == []
    office.clock.at = T0 + DAY
    await office.deliver()
    (digest,) = [o for o in office.shown if o.say.purpose == "digest"]
    assert digest.say.to == OWNER
    job = await MESSAGE_KINDS["digest"].drawn(parts.rendering(office), digest, None)
    assert all(case_id in job.message.text for case_id in ids)  # type: ignore[union-attr]
    assert "disk full" not in job.message.text  # type: ignore[union-attr]
    office.clock.at = T0 + 25 * HOUR
    await office.file(PE1, "unlock", target="next")
    office.clock.at = T0 + 49 * HOUR
    await office.deliver()
    assert len([o for o in office.shown if o.say.purpose == "digest"]) == 2


async def test_where_proof_and_a_wait_are_wanted_a_right_opens_once_both_are_there(office: Office) -> None:
    await office.adopt(daily(subject_verification=("callback",), not_before=1800))
    case_id = await office.file(PE1, "unlock", subject=STRANGER)
    assert office.types(case_id) == ["request.filed"]
    word = Press(PE1, case_id, 1, "verify", ReplyAddress(PE1, channel="D0"), "call", "callback", at=T0.isoformat())
    await office.take_in(word)
    await office.worker.drain()
    assert office.types(case_id) == ["request.filed", "subject.verified"]
    await office.restart()
    await office.forward(31 * MINUTE)
    assert office.types(case_id)[-1] == "grant.opened"
    opened = (await office.case(case_id)).grant
    assert opened is not None
    assert opened.opened_at == T0 + 30 * MINUTE


class TestTheReviewOfARight:
    async def test_begins_once_for_each_right_and_asks_nobody_before_its_day(self, office: Office) -> None:
        await office.sweeper.sweep()
        await office.restart()
        await office.sweeper.sweep()
        (case,) = await matters(office, "right")
        assert office.types(case.id) == ["right.begun"]
        assert case.asks[0].asked == ()
        assert office.rows("SELECT due_ms FROM deadline")[0]["due_ms"] == (T0 + 90 * DAY).timestamp() * 1000

    async def reviewed(self, office: Office) -> Case:
        await office.sweeper.sweep()
        office.clock.at = T0 + 90 * DAY
        await office.sweeper.sweep()
        (case,) = await matters(office, "right")
        return case

    async def test_asks_the_owner_on_its_day(self, office: Office) -> None:
        case = await self.reviewed(office)
        assert office.types(case.id) == ["right.begun", "step.fired", "review.due"]
        assert told(office, "ask.1") == ["U0OWNER"]

    async def test_cannot_be_answered_before_its_day(self, office: Office) -> None:
        await office.sweeper.sweep()
        (case,) = await matters(office, "right")
        for answer in ("keep", "withdraw_right"):
            await office.click(OWNER, case.id, answer)
            assert office.log(case.id)[-1]["data"] == {"action": answer, "why": "stale"}

    async def test_kept_it_is_asked_again_a_period_later(self, office: Office) -> None:
        case = await self.reviewed(office)
        await office.click(OWNER, case.id, "keep")
        assert office.log(case.id)[-1]["data"] == {"role": "owner", "until": "2026-08-31T09:00:00.000Z"}
        assert "grant.opened" in office.types(await office.file(PE1, "unlock"))
        office.clock.at = T0 + 180 * DAY
        await office.sweeper.sweep()
        assert told(office, "ask.2") == ["U0OWNER"]

    async def test_withdrawn_it_is_refused_from_that_moment_until_the_file_changes(self, office: Office) -> None:
        case = await self.reviewed(office)
        await office.click(OWNER, case.id, "withdraw_right")
        assert office.types(case.id)[-1] == "right.withdrawn"
        refused = await office.file(PE1, "unlock")
        assert office.types(refused) == ["request.refused"]
        assert "withdrawn by its owner" in office.answers()[-1]["text"]
        await office.restart()
        await office.adopt(with_domain(BASE, deputies=(DEP2,)))  # another file changed
        await office.sweeper.sweep()
        assert office.types(await office.file(PE1, "unlock")) == ["request.refused"]
        await office.adopt(
            replace(BASE, digest="ee" * 32, runbooks={**BASE.runbooks, "unlock": replace(UNLOCK, sha256="22" * 32)})
        )
        await office.sweeper.sweep()
        assert "grant.opened" in office.types(await office.file(PE1, "unlock"))

    @pytest.mark.parametrize("person", [PE1, DEP1, STRANGER, SOC1])
    async def test_is_nobody_elses_before_it_has_reached_them(self, office: Office, person: Person) -> None:
        case = await self.reviewed(office)
        for answer in ("keep", "withdraw_right"):
            await office.click(person, case.id, answer)
            assert office.types(case.id)[-1] == "decision.refused"

    async def test_overdue_it_escalates_and_is_asked_again_and_silence_withdraws_nothing(self, office: Office) -> None:
        case = await self.reviewed(office)
        await office.forward(15 * DAY, every=12 * HOUR)
        case = await office.case(case.id)
        assert {p for ask in case.asks[:1] for p in ask.asked} == {OWNER, DEP1, DEP2, RISK}
        assert office.types(case.id).count("review.overdue") == 1
        assert [str(a.state) for a in case.asks] == ["expired", "open"]
        assert "grant.opened" in office.types(await office.file(PE1, "unlock"))

    async def test_a_changed_file_keeps_the_day_and_a_right_that_is_gone_ends(self, office: Office) -> None:
        await office.sweeper.sweep()
        office.sleep(10 * DAY)
        changed = replace(BASE, digest="ee" * 32, runbooks={**BASE.runbooks, "unlock": replace(UNLOCK, sha256="22" * 32)})
        await office.adopt(changed)
        await office.sweeper.sweep()
        old, new = await matters(office, "right")
        assert (office.types(old.id)[-1], office.types(new.id)) == ("right.ended", ["right.begun"])
        assert new.asks[0].steps[0].due_at == T0 + 90 * DAY
        await office.adopt(replace(BASE, digest="ff" * 32, runbooks={"emergency": BASE.runbooks["emergency"]}))
        await office.sweeper.sweep()
        assert office.types(new.id)[-1] == "right.ended"
        assert (await office.case(new.id)).asks[-1].state is AskState.EXPIRED


async def test_a_stopped_log_begins_no_review_and_holds_back_nothing_that_takes_access_away(tmp_path: Path) -> None:
    async with StoppableOffice(tmp_path / "countersign.db", policy(runbooks=[runbook("emergency")])) as office:
        case_id = await office.file(PE1)
        copy = office.copied("before.db")
        await office.file(OWNER)
        await office.signed()
        await office.go_back_to(copy)
        await office.adopt(replace(BASE, digest="ee" * 32))
        await office.forward(HOUR, every=10 * MINUTE)
        assert await office.state(case_id) is RequestState.EXPIRED
        assert await matters(office, "right") == []


PROVEN = replace(UNLOCK, subject_verification=("callback",), not_before=1800)


@pytest.mark.parametrize(
    "gone",
    [
        {"runbooks": [replace(PROVEN, right="approval", escalation="short", sha256="22" * 32)]},
        {"runbooks": [replace(PROVEN, providers=("watchfield",), sha256="22" * 32)]},
        {"runbooks": [runbook("emergency")]},
    ],
)
async def test_a_request_that_waits_for_proof_opens_nothing_once_the_policy_gives_the_right_no_more(
    tmp_path: Path, gone: dict[str, Any]
) -> None:
    async with Office(tmp_path / "countersign.db", policy(runbooks=[PROVEN])) as office:
        asked, proven = [await office.file(PE1, "unlock", subject=STRANGER, target=t) for t in ("a", "b")]
        await attested(office, proven)
        await office.adopt(policy(digest="ee" * 32, **gone))
        await attested(office, asked)
        assert office.types(asked) == ["request.filed", "decision.refused"]
        await office.forward(2 * DAY, every=HOUR)
        assert {office.types(case_id)[-1] for case_id in (asked, proven)} == {"request.expired"}


async def test_a_request_that_waits_for_proof_opens_nothing_once_the_right_was_withdrawn(tmp_path: Path) -> None:
    async with Office(tmp_path / "countersign.db", policy(runbooks=[PROVEN])) as office:
        await office.sweeper.sweep()
        await office.forward(90 * DAY + MINUTE, every=30 * DAY)
        (right,) = await matters(office, "right")
        case_id = await office.file(PE1, "unlock", subject=STRANGER)
        await office.click(OWNER, right.id, "withdraw_right")
        await attested(office, case_id)
        assert office.types(case_id) == ["request.filed", "decision.refused"]
        await office.forward(DAY, every=HOUR)
        assert "grant.opened" not in office.types(case_id)


async def attested(office: Office, case_id: str) -> None:
    word = Press(
        PE1, case_id, 1, "verify", ReplyAddress(PE1, channel="D0"), "call", "callback", at=office.clock.at.isoformat()
    )
    await office.take_in(word)
    await office.worker.drain()
