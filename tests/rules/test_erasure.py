"""An erasure: two people confirm it, the text is nowhere afterwards, and every proof still holds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.background.housekeeper import Housekeeper
from bot.background.operator_jobs import OperatorJobs, erasing
from bot.cli.log import app as log_app
from bot.decision_log import signer_memory
from bot.domain.authority.policy_rollout import Sets
from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.operator import dual_control
from bot.domain.operator import erasure as rules
from bot.domain.policy.people import Person
from bot.evidence.check import check_export
from bot.evidence.prepare import exported
from bot.ports.commands import ConfirmOperatorAction, ReplyAddress
from bot.ports.records import StoredPolicy
from bot.settings import load
from runbooks.loader import load_files
from storage.log.check import check_log
from tests.bot import parts
from tests.bot.background.test_housekeeper import ASKER, OWNER, TEXTS, TYPED, bytes_of, filed, over, tables_with
from tests.bot.building import DAY, DEP2, HOME, HOUR, T0
from tests.bot.hosting import Host
from tests.bot.office import covered
from tests.database import connect, open_store, tables
from tests.handlers.fake_slack import FakeSlack, refusal
from tests.storage.making import attacker

AUDIT, RISK = Person(HOME, "U0AUDIT"), Person(HOME, "U0RISK")
THEIRS = tuple(text for text in TEXTS if text not in ("typed-question", "typed-review"))


class Eraser:
    """A host whose bot calls a Slack that remembers, and the people who confirm."""

    def __init__(self, host: Host, slack: FakeSlack) -> None:
        self.host, self.slack, self.case = host, slack, ""
        self.messenger = parts.sender(host, slack.client(), covered)
        self.again()

    def again(self) -> None:
        """What a new process knows."""
        self.operations = OperatorJobs(parts.jobs(self.host), {"erase": erasing(parts.jobs(self.host))})

    async def filed(self, subject: Person = ASKER) -> str:
        code, text = await self.host.type("erase", str(subject), "--reason", "they asked for it", app=log_app)
        assert code == 0, text
        return text

    async def confirmed(self, subject: Person = ASKER) -> str:
        act_id = await self.filed(subject)
        for person in (AUDIT, RISK):
            await self.press(person, act_id)
        return act_id

    async def press(self, person: Person, act_id: str) -> None:
        await self.host.take_in(ConfirmOperatorAction(person, act_id, "confirm", ReplyAddress(person, channel="D0")))
        await self.host.worker.drain()

    async def ended(self, act_id: str) -> tuple[str, str]:
        """Everything that can be done is done; state and result."""
        for _ in range(3):
            await self.operations.work()
            await self.messenger.drain()
            self.host.sleep(timedelta(minutes=2))
        act = await self.host.store.operator.action(act_id)
        assert act is not None
        return str(act.state), act.result

    def standing(self) -> str:
        """All that our messages in Slack say now."""
        said: dict[tuple[str, str], Any] = {}
        posted = 0
        for call in self.slack.calls:
            if call.method == "chat.postMessage":
                posted += 1
                channel = str(call.args["channel"])
                said[f"D{channel}" if channel[0] in "UW" else channel, f"{posted}.000"] = call.args
            elif call.method == "chat.update":
                said[str(call.args["channel"]), str(call.args["ts"])] = call.args
        return str(list(said.values()))


async def keep_for(host: Host, days: int, bound_for: timedelta = timedelta()) -> None:
    """A set with another retention comes into force; the one before binds what is filed within `bound_for`."""
    now, files = host.clock.now(), {f.path: f.content for f in host.policy.files}
    matrix = re.sub(rb"retention: \d+d", b"retention: %dd" % days, files["responsibility.yaml"])
    policy = load_files(files | {"responsibility.yaml": matrix}).policy
    assert policy is not None
    accepted = StoredPolicy(policy.digest, now, policy.files)
    await host.store.policies.accept(accepted, [], replaced_binds_until=now + bound_for)
    await host.adopt(policy)
    last = host.service.current.sets.sets
    host.service.current.sets = Sets((*last[:-2], replace(last[-2], until=now + bound_for), last[-1]))


@pytest.fixture
async def eraser(host: Host) -> AsyncIterator[Eraser]:
    await keep_for(host, 1)
    async with FakeSlack() as slack:
        made = Eraser(host, slack)
        now = host.clock.at
        host.clock.at -= 10 * DAY
        made.case = await over(host, made.messenger.drain)
        await made.messenger.drain()
        host.clock.at = now
        yield made


async def test_after_an_erasure_the_text_is_nowhere_and_every_proof_holds(
    eraser: Eraser, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    host = eraser.host
    assert {*TYPED.values(), "typed-answer"} <= {text for text in TEXTS if text in eraser.standing()}
    act_id = await eraser.confirmed()
    assert await eraser.ended(act_id) == ("done", rules.result(()))
    for text in THEIRS:
        assert text.encode() not in bytes_of(host.path)
        assert tables_with(host.path, text) == []
        assert text not in eraser.standing()
    assert {t: tables_with(host.path, t) for t in set(TEXTS) - set(THEIRS)} == {
        "typed-question": ["log_private"], "typed-review": ["log_private"],
    }  # fmt: skip
    assert not (await check_log(host.place)).findings
    signer_memory.begin(load().state_dir, "test.example/log")
    out = tmp_path / "evidence"
    assert not (await exported(load(), out, None, "tiles")).findings
    assert not check_export(out).findings
    everything = b"".join(file.read_bytes() for file in out.rglob("*") if file.is_file())
    printed = "".join(capfd.readouterr())
    assert not [text for text in THEIRS if text.encode() in everything or text in printed]


async def test_the_account_leaves_the_state_and_a_later_entry_makes_a_new_pseudonym(eraser: Eraser) -> None:
    host = eraser.host
    before = await host.store.operator.ref_of(ASKER)
    await eraser.ended(await eraser.confirmed())
    with closing(connect(host.path)) as raw:
        holding = [
            n
            for n in tables(raw)
            if n != "blob" and any(v in (ASKER.user, str(ASKER)) for row in raw.execute(f"SELECT * FROM {n}") for v in row)
        ]
    assert holding == []
    [entry] = [e for e in host.log() if e["type"] == "privacy.erased"]
    assert entry["data"]["subject"] == before
    assert await host.store.operator.ref_of(ASKER) is None
    await filed(host)
    assert await host.store.operator.ref_of(ASKER) not in (None, before)
    assert not (await check_log(host.place)).findings


async def test_an_erased_request_opens_empty_and_is_still_distinguished_from_others(eraser: Eraser) -> None:
    await eraser.ended(await eraser.confirmed())
    case = await eraser.host.case(eraser.case)
    assert (case.request.target, case.request.reason) == ("", "")
    assert [(f.name, f.value) for f in case.request.fields] == [("ticket", "")]
    assert [n.text for n in case.approval.notes if n.kind == "question"] == ["typed-question"]
    assert [n.text for n in case.approval.notes if n.kind == "answer"] == [""]


async def test_one_person_alone_erases_nothing(eraser: Eraser) -> None:
    act_id = await eraser.filed()
    await eraser.press(AUDIT, act_id)
    await eraser.press(AUDIT, act_id)
    assert (await eraser.ended(act_id))[0] == "open"
    assert tables_with(eraser.host.path, TYPED["reason"]) != []


async def test_a_hold_an_open_case_and_the_retention_of_evidence_refuse_it(eraser: Eraser) -> None:
    host = eraser.host

    async def refused(subject: Person = ASKER) -> str:
        code, text = await host.type("erase", str(subject), "--reason", "x", app=log_app)
        assert code == 1
        return text

    hold = (await host.type("hold", "place", str(ASKER), "--reason", "court", app=log_app))[1]
    assert hold in await refused()
    await keep_for(host, 30)
    assert "kept until" in await refused(OWNER)
    open_case = await filed(host)
    assert open_case in await refused(OWNER)
    assert "never named" in await refused(Person(HOME, "U0NEVER"))


@pytest.mark.parametrize("meanwhile", ["hold", "case"])
async def test_what_speaks_against_it_when_it_runs_fails_it(eraser: Eraser, meanwhile: str) -> None:
    host = eraser.host
    act_id = await eraser.confirmed()
    if meanwhile == "hold":
        await host.type("hold", "place", str(ASKER), "--reason", "court", app=log_app)
    else:
        await filed(host)
    state, why = await eraser.ended(act_id)
    assert state == "failed"
    assert "hold" in why or "open" in why
    assert tables_with(host.path, TYPED["reason"]) != []
    assert not [e for e in host.log() if e["type"] == "privacy.erased"]


async def test_it_waits_for_anyone_who_reads_the_database(eraser: Eraser) -> None:
    act_id = await eraser.confirmed()
    await Housekeeper(eraser.host.store).work()
    with closing(connect(eraser.host.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM log_private").fetchone()
        assert (await eraser.ended(act_id))[0] == "confirmed"
    assert (await eraser.ended(act_id))[0] == "done"


async def test_it_waits_for_what_is_just_being_said_about_them(eraser: Eraser) -> None:
    host = eraser.host
    host.clock.at -= 5 * DAY
    await filed(host)
    await host.forward(46 * timedelta(minutes=1))
    host.clock.at += 5 * DAY
    [held, *_] = await host.store.outbox.lease(host.clock.now(), host.clock.now() + HOUR, 50)
    act_id = await eraser.confirmed()
    assert (await eraser.ended(act_id))[0] == "confirmed"
    assert not [e for e in host.log() if e["type"] == "privacy.erased"]
    host.sleep(HOUR)
    assert (await eraser.ended(act_id))[0] == "done"
    assert held.say.case is not None


async def test_messages_that_slack_will_not_let_us_edit_are_listed(eraser: Eraser) -> None:
    act_id = await eraser.confirmed()
    await eraser.messenger.drain()
    eraser.slack.script["chat.update"].extend([refusal("cant_update_message")])
    state, text = await eraser.ended(act_id)
    assert state == "done"
    assert "could not be edited" in text
    assert "(cant_update_message)" in text


async def test_a_process_that_was_killed_after_the_transaction_goes_on(eraser: Eraser) -> None:
    host = eraser.host
    act_id = await eraser.confirmed()
    act = await host.store.operator.action(act_id)
    assert act is not None
    await host.store.operator.erase(act, host.policy, parts.jobs(host).retention(act.filed_at))
    begun = await host.store.operator.action(act_id)
    assert begun is not None
    assert begun.subject is None  # no later write holds whom it is about
    eraser.again()
    assert (await eraser.ended(act_id))[0] == "done"
    assert [e["type"] for e in host.log()].count("privacy.erased") == 1
    assert TYPED["reason"].encode() not in bytes_of(host.path)


async def test_a_digest_that_is_erased_and_disclosed_all_the_same_is_a_finding(eraser: Eraser) -> None:
    host = eraser.host
    [row] = host.rows("SELECT * FROM log_private WHERE subject = :s ORDER BY idx LIMIT 1", s=str(ASKER))
    await eraser.ended(await eraser.confirmed())
    with attacker(host.place) as raw:
        raw.execute("INSERT INTO log_private (digest, idx, disclosure, subject) VALUES (?, ?, ?, ?)", tuple(row)[:4])
    findings = (await check_log(host.place)).findings
    assert [f.code for f in findings] == ["disclosure"]
    assert row["digest"] in findings[0].text


async def test_a_digest_without_disclosure_or_erasure_is_a_finding(eraser: Eraser) -> None:
    with attacker(eraser.host.place) as raw:
        raw.execute("DELETE FROM log_private WHERE subject = ?", (str(ASKER),))
    assert {f.code for f in (await check_log(eraser.host.place)).findings} == {"disclosure"}


async def test_a_subject_who_neither_asked_nor_decided_is_erased_at_once(eraser: Eraser) -> None:
    host = eraser.host
    await keep_for(host, 2555)
    standing = await host.store.operator.subject_record(Person(HOME, "U0AUDIT"))
    assert standing.decided_until is None
    assert (
        rules.refusal(replace(standing, named=True), parts.jobs(host).retention(host.clock.now()), host.clock.now()) is None
    )


def test_no_entry_names_more_than_a_thousand_digests(example: Any) -> None:
    found = list(rules.erased(ASKER, [f"d{n}" for n in range(2_001)], example))
    assert [len(draft.data["digests"]) for draft in found] == [1_000, 1_000, 1]  # type: ignore[arg-type]
    assert len(list(rules.erased(ASKER, [], example))) == 1


def test_a_retention_is_counted_from_the_end_of_the_newest_case() -> None:
    plain = rules.SubjectRecord(True, (), (), T0)
    assert rules.refusal(plain, DAY, T0 + DAY) is None
    assert "2026-03-05 09:00" in str(rules.refusal(plain, DAY, T0 + DAY - HOUR))


async def test_the_last_write_of_an_erasure_does_not_bring_the_erased_person_back(eraser: Eraser) -> None:
    """The job holds the act as it was read before the erasure, with whom it is about, and ends it in the same run."""
    host = eraser.host
    act = await host.store.operator.action(await eraser.confirmed())
    assert act is not None
    assert act.subject == ASKER
    assert dual_control.ran(act, host.policy, host.clock.now(), "done").operated.after.subject is None  # type: ignore[union-attr]
    await eraser.ended(act.id)
    assert host.rows("SELECT 1 FROM operator_act WHERE subject_user = :user", user=ASKER.user) == []


async def test_a_retention_that_was_shortened_counts_after_the_delay_of_changes(eraser: Eraser) -> None:
    """The longest retention of all sets that bind wins, at the host and where the act runs."""
    host = eraser.host
    await keep_for(host, 30)
    await keep_for(host, 1, bound_for=HOUR)
    code, text = await host.type("erase", str(ASKER), "--reason", "they asked for it", app=log_app)
    assert (code, "kept until" in text) == (1, True)
    assert parts.jobs(host).retention(host.clock.now()) == 30 * DAY
    assert parts.jobs(host).retention(host.clock.now() + HOUR) == DAY


@pytest.mark.parametrize("days", [1, 30])
async def test_a_disclosure_says_until_when_it_is_kept(host: Host, days: int) -> None:
    policies, files = host.store.policies, host.policy.files
    await policies.accept(StoredPolicy("d", host.clock.now(), files), [], kept_for=days * DAY)
    await filed(host)
    rows = host.rows("SELECT expires, ts_ms FROM log_private AS p JOIN log_entry AS e ON e.idx = p.idx")
    assert {row["expires"] - row["ts_ms"] for row in rows} == {days * DAY // timedelta(milliseconds=1)}


async def test_a_read_only_store_writes_nothing_again(host: Host) -> None:
    reading = await open_store(host.path, host.clock, read_only=True)
    with pytest.raises(Exception, match="reading only"):
        await reading.operator.rebuild()
    await reading.close()


async def test_anyone_who_confirmed_an_erasure_or_revoked_a_grant_is_not_erased_before_the_retention_ends(
    eraser: Eraser,
) -> None:
    host = eraser.host
    await eraser.ended(await eraser.confirmed())
    for person in (AUDIT, RISK):
        code, text = await host.type("erase", str(person), "--reason", "no trace of me", app=log_app)
        assert (code, "kept until" in text) == (1, True)
    case_id = await filed(host)
    await host.click(OWNER, case_id)
    await host.click(DEP2, case_id, "revoke")
    assert (await host.store.operator.subject_record(DEP2)).decided_until == host.clock.now()


async def test_acts_about_somebody_that_came_to_nothing_name_them_no_more_after_an_erasure(eraser: Eraser) -> None:
    host = eraser.host
    refused = await eraser.filed()
    await host.take_in(ConfirmOperatorAction(RISK, refused, "refuse", ReplyAddress(RISK, channel="D0")))
    await host.worker.drain()
    await eraser.messenger.drain()
    assert f"discloses about <@{ASKER.user}>" in eraser.standing()
    await eraser.ended(await eraser.confirmed())
    act = await host.store.operator.action(refused)
    assert act is not None
    assert act.subject is None
    assert f"discloses about <@{ASKER.user}>" not in eraser.standing()


async def test_what_an_executor_wrote_leaves_our_messages_with_an_erasure(eraser: Eraser) -> None:
    host = eraser.host
    said = [Notification("executor", Lane.CARD, eraser.case, to=ASKER, data={"word": "failed", "detail": "typed-detail"})]
    said.append(
        Notification("executor_alarm", Lane.CARD, eraser.case, to=OWNER, data={"word": "failed", "detail": "typed-detail"})
    )
    await host.store.commit(Transition(None, None, says=tuple(said)))
    await eraser.messenger.drain()
    assert "typed-detail" in eraser.standing()
    late = replace(said[1], at=host.clock.at + DAY)
    await host.store.commit(Transition(None, None, says=(late,)))
    await eraser.ended(await eraser.confirmed())
    assert "typed-detail" not in eraser.standing()
    assert tables_with(host.path, "typed-detail") == []


@pytest.mark.sqlite  # it reads the bytes of the database's file
async def test_the_last_write_of_an_erasure_leaves_nothing_of_the_erased_in_any_file(eraser: Eraser) -> None:
    """Found 2026-11-30: the write that ended the erasure put the erased id back into the file after the rebuild."""
    host = eraser.host
    assert (await eraser.ended(await eraser.confirmed()))[0] == "done"
    files = [file for file in host.path.parent.rglob("*") if file.is_file()]
    assert {"countersign.db", "countersign.db-wal", "emergency.jsonl"} <= {file.name for file in files}
    for file in files:
        found = file.read_bytes()
        assert f"{ASKER.team}{ASKER.user}".encode() not in found  # two columns side by side, as SQLite writes them
        assert str(ASKER).encode() not in found
        assert not [text for text in THEIRS if text.encode() in found]


@pytest.mark.sqlite  # it reads the bytes of the database's file
async def test_an_act_that_ends_leaves_its_reason_in_no_side_file(eraser: Eraser) -> None:
    host = eraser.host
    await eraser.filed()
    host.sleep(2 * DAY)
    with closing(connect(host.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM operator_act").fetchone()
        await eraser.operations.work()
        assert b"they asked for it" in bytes_of(host.path)
    await eraser.operations.work()
    assert b"they asked for it" not in bytes_of(host.path)
