"""Checkpoints leave the host: to a witness that refuses a fork, by mail, through a webhook, on demand and on a schedule."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.background.anchor_publisher import POSTS, AnchorPublisher
from bot.cli.doctor_anchors import Anchored, configured, examine, look
from bot.cli.log import app as log_app
from bot.decision_log import signer_memory
from bot.decision_log.anchors import MailAnchor, NotAnchored, WebhookAnchor, WitnessAnchor
from bot.decision_log.keys import verify, vkeys
from bot.decision_log.signer import signer_of
from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from bot.domain.decision_log.signed_note import Checkpoint
from bot.domain.decision_log.witness import cosigned, read_witness_key
from bot.domain.errors import NoteError, SettingsError
from bot.evidence.prepare import exported
from bot.ports.records import SignedCheckpoint
from bot.runtime.anchors import anchors
from bot.settings import load
from storage.sqlite.lock import FileLock
from tests.bot.building import T0
from tests.bot.hosting import Host
from tests.bot.receivers import Outside, outside
from tests.database import without_triggers

ORIGIN = "test.example/log"
ENTRY = LogEvent("log.verified", SYSTEM, data={"size": 1})


class Post:
    """A host whose log is signed, and what is outside it."""

    def __init__(self, host: Host, out: Outside) -> None:
        self.host, self.out = host, out
        self.state = load().state_dir
        signer_memory.begin(self.state, ORIGIN)
        self.lock = FileLock(self.state)
        self.signer = signer_of(host.store.log, self.state, self.lock)
        out.witness.known = list(vkeys(self.state, ORIGIN))
        self.witness = WitnessAnchor(out.witness.url, out.witness.key)
        self.webhook = WebhookAnchor(out.hook.url)
        self.mail = MailAnchor(out.mail.url, "log@example.org", ("anselm@example.org", "ruth@example.org"))

    async def signed(self, more: int = 0) -> SignedCheckpoint:
        if more:
            await self.host.store.commit(Transition(None, None, (ENTRY,) * more))
        found = await self.signer.cover()
        assert isinstance(found, SignedCheckpoint)
        return found

    def rows(self) -> list[tuple[int, str, str]]:
        return [(r["size"], r["kind"], r["ref"]) for r in self.host.rows("SELECT * FROM log_anchor ORDER BY at, size")]


@pytest.fixture
async def post(host: Host) -> AsyncIterator[Post]:
    async with outside() as out:
        made = Post(host, out)
        yield made
        made.lock.close()


async def test_a_witness_cosigns_each_checkpoint_that_extends_the_last(post: Post) -> None:
    for more in (0, 3, 300):
        signed = await post.signed(more)
        await post.witness.anchor(post.host.store.anchors, signed, T0)
    assert post.out.witness.answers == [200, 200, 200]
    assert [row[1:] for row in post.rows()] == [("witness", "witness.example/w1")] * 3
    blob = post.host.rows("SELECT blob FROM log_anchor ORDER BY size DESC LIMIT 1")[0]["blob"].decode()
    lines = blob.split("\n\n", 1)[1]
    assert cosigned(lines, signed.note, post.out.witness.key, verify)[0] == blob


async def test_a_witness_that_saw_another_size_is_given_the_proof_from_there(post: Post) -> None:
    await post.witness.anchor(post.host.store.anchors, await post.signed(), T0)
    signed = await post.signed(5)
    await post.witness.anchor(post.host.store.anchors, signed, T0)
    without_triggers(post.host.looking)
    post.host.looking.execute("DELETE FROM log_anchor")
    again = await post.signed(7)
    await post.witness.anchor(post.host.store.anchors, again, T0)
    assert post.out.witness.answers == [200, 200, 409, 200]


async def test_a_witness_refuses_a_rewritten_log_and_one_that_lost_entries(post: Post) -> None:
    signed = await post.signed(8)
    await post.witness.anchor(post.host.store.anchors, signed, T0)
    post.out.witness.seen[ORIGIN] = (signed.size, b"\x07" * 32)
    later = await post.signed(4)
    with pytest.raises(NotAnchored, match="does not extend"):
        await post.witness.anchor(post.host.store.anchors, later, T0)
    post.out.witness.seen[ORIGIN] = (later.size + 5, b"\x07" * 32)
    with pytest.raises(NotAnchored, match="entries are gone"):
        await post.witness.anchor(post.host.store.anchors, later, T0)
    assert len(post.rows()) == 1


@pytest.mark.parametrize(("spoiled", "said"), [("known", "log vkey"), ("key", "no cosignature"), ("url", "reached")])
async def test_what_a_witness_does_not_sign_is_no_anchor(post: Post, spoiled: str, said: str) -> None:
    way = post.witness
    if spoiled == "known":
        post.out.witness.known.clear()
    elif spoiled == "key":
        way = replace(way, key=replace(way.key, name="witness.example/other"))
    else:
        way = replace(way, url="http://127.0.0.1:1")
    with pytest.raises(NotAnchored, match=said):
        await way.anchor(post.host.store.anchors, await post.signed(), T0)
    assert post.rows() == []


async def test_a_cosignature_that_does_not_hold_is_refused(post: Post) -> None:
    signed = await post.signed()
    await post.witness.anchor(post.host.store.anchors, signed, T0)
    blob = post.host.rows("SELECT blob FROM log_anchor")[0]["blob"].decode()
    name, _, encoded = blob.rstrip("\n").rsplit("\n", 1)[1].removeprefix("— ").partition(" ")
    raw = bytearray(base64.b64decode(encoded))
    raw[7] ^= 1
    forged = f"— {name} {base64.b64encode(raw).decode()}\n"
    with pytest.raises(NoteError, match="does not hold"):
        cosigned(forged, signed.note, post.out.witness.key, verify)


async def test_the_auditors_get_the_note_by_mail(post: Post) -> None:
    signed = await post.signed()
    said = await post.mail.anchor(post.host.store.anchors, signed, T0)
    [message] = post.out.mail.messages
    body = base64.b64decode(message.split("\r\n\r\n", 1)[1].rsplit("\r\n.\r\n", 1)[0]).decode()
    assert body.replace("\r\n", "\n").endswith(signed.note)
    assert [line for line in post.out.mail.said if line.startswith("rcpt")] == [
        "rcpt TO:<anselm@example.org>", "rcpt TO:<ruth@example.org>",
    ]  # fmt: skip
    assert "2 people" in said
    assert [row[:2] for row in post.rows()] == [(signed.size, "mail")]


async def test_a_password_is_not_said_without_tls_to_another_machine(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr("bot.decision_log.anchors.is_loopback", lambda host: False)
    server = post.out.mail.url.replace("smtp://", "smtp://log:secret@")
    with pytest.raises(NotAnchored):
        await replace(post.mail, server=server).anchor(post.host.store.anchors, await post.signed(), T0)
    assert post.out.mail.messages == []
    assert not [line for line in post.out.mail.said if line.upper().startswith("AUTH")]


async def test_what_nobody_takes_is_no_anchor(post: Post) -> None:
    post.out.mail.refuses, post.out.hook.status = True, 404
    for way in (post.mail, post.webhook):
        with pytest.raises(NotAnchored) as why:
            await way.anchor(post.host.store.anchors, await post.signed(), T0)
        assert "127.0.0.1" not in str(why.value)
    assert post.rows() == []


async def test_the_webhook_gets_the_note(post: Post) -> None:
    signed = await post.signed()
    await post.webhook.anchor(post.host.store.anchors, signed, T0)
    [said] = post.out.hook.posts
    assert signed.note in said["text"]
    assert post.rows() == [(signed.size, "webhook", "127.0.0.1")]


def running(post: Post, channel: str | None = None, **how: Any) -> AnchorPublisher:
    store = post.host.store
    ways = how.get("ways", (post.witness, post.webhook))
    may_call = how.get("may_call", lambda: True)
    return AnchorPublisher(store, store.anchors, post.signer.cover, post.host.clock, ways, channel, may_call=may_call)


async def test_a_running_bot_anchors_what_changed_each_way_at_its_own_pace(post: Post) -> None:
    work = running(post).work
    await post.signed()
    await work()
    await work()
    assert (len(post.out.witness.bodies), len(post.out.hook.posts)) == (1, 1)
    await post.signed(1)
    post.host.sleep(timedelta(minutes=6))
    await work()
    assert (len(post.out.witness.bodies), len(post.out.hook.posts)) == (2, 1)
    post.host.sleep(timedelta(hours=1))
    await work()
    assert (len(post.out.witness.bodies), len(post.out.hook.posts)) == (2, 2)


async def test_who_takes_over_from_another_leader_goes_on_at_its_pace_and_sends_nothing_twice(post: Post) -> None:
    def sent() -> tuple[int, int]:
        return len(post.out.witness.bodies), len(post.out.hook.posts)

    await post.signed()
    await running(post).work()
    await running(post).work()  # the same checkpoint
    assert sent() == (1, 1)
    await post.signed(1)
    post.host.sleep(timedelta(minutes=2))
    after = running(post).work
    await after()
    assert sent() == (1, 1)
    post.host.sleep(timedelta(minutes=3))
    await after()
    assert sent() == (2, 1)
    post.host.sleep(timedelta(minutes=55))
    await running(post).work()
    assert sent() == (2, 2)  # nothing is lost either


async def test_a_replica_whose_lease_is_over_calls_nobody(post: Post) -> None:
    valid: list[bool] = []
    work = running(post, may_call=lambda: bool(valid)).work
    await post.signed()
    await work()
    assert (post.out.witness.bodies, post.out.hook.posts) == ([], [])
    valid.append(True)
    await work()
    assert (len(post.out.witness.bodies), len(post.out.hook.posts)) == (1, 1)


async def test_a_way_that_failed_is_tried_again_and_stops_no_other(post: Post) -> None:
    post.out.hook.status = 500
    work = running(post).work
    await post.signed()
    await work()
    assert [row[1] for row in post.rows()] == ["witness"]
    post.out.hook.status = 200
    await work()
    assert len(post.out.hook.posts) == 1
    post.host.sleep(timedelta(minutes=6))
    await work()
    assert [row[1] for row in post.rows()] == ["witness", "webhook"]


async def test_a_stopped_log_anchors_nothing(post: Post) -> None:
    await post.signed()
    signer_memory.remember(post.state, Checkpoint(ORIGIN, 9_999, b"\x01" * 32))
    await post.host.store.commit(Transition(None, None, (ENTRY,)))
    await running(post).work()
    assert post.out.witness.bodies == []


async def test_the_audit_channel_gets_a_changed_checkpoint_at_most_every_quarter_of_an_hour(post: Post) -> None:
    host = post.host

    def waiting() -> int:
        return len(
            host.rows("SELECT id FROM outbox WHERE purpose = 'checkpoint' AND done_ms IS NULL AND channel = 'C0AUDIT'")
        )

    await post.signed()
    await running(post, "C0AUDIT", ways=()).work()
    assert waiting() == 1
    await host.deliver()
    await post.signed(1)
    await running(post, "C0AUDIT", ways=()).work()  # another process, a minute later
    assert waiting() == 0
    host.sleep(POSTS)
    await running(post, "C0AUDIT", ways=()).work()
    assert waiting() == 1
    await host.deliver()
    host.sleep(POSTS)
    await running(post, "C0AUDIT", ways=()).work()
    assert waiting() == 0


def configure(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "WITNESS_URL": post.out.witness.url, "WITNESS_VKEY": str(post.out.witness.key), "ANCHOR_WEBHOOK": post.out.hook.url,
        "ANCHOR_MAIL": "anselm@example.org, ruth@example.org", "SMTP_URL": post.out.mail.url, "SMTP_FROM": "log@example.org",
    }  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(f"COUNTERSIGN_{name}", value)


async def test_log_anchor_takes_the_newest_checkpoint_out_every_way_and_the_export_has_it(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await post.host.type("anchor", app=log_app))[0] == 2
    configure(post, monkeypatch)
    code, text = await post.host.type("anchor", app=log_app)
    assert code == 0, text
    assert [row[1] for row in post.rows()] == ["witness", "mail", "webhook"]
    out = tmp_path / "evidence"
    await exported(load(), out, None, "tiles")
    stored = [json.loads(file.read_text()) for file in sorted((out / "anchors").iterdir())]
    assert {one["kind"]: "blob" in one for one in stored} == {"witness": True, "mail": False, "webhook": False}
    post.out.hook.status = 500
    code, text = await post.host.type("anchor", app=log_app)
    assert code == 1
    assert "webhook: The webhook answered 500." in text


async def test_doctor_says_what_can_still_be_rewritten(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_AUDIT_CHANNEL", "C0AUDIT")
    [none] = await look(load(), post.host.clock)
    assert "No anchor is configured" in none.text
    assert "from its first entry on" in none.text
    configure(post, monkeypatch)
    nothing = await look(load(), post.host.clock)
    assert "Nothing is anchored yet" in nothing[-1].text
    assert len(nothing) == 4
    signed = await post.signed()
    await post.witness.anchor(post.host.store.anchors, signed, T0)
    await post.signed(2)
    *missing, last = await look(load(), post.host.clock)
    assert len(missing) == 2
    assert f"The first {signed.size} entries are anchored outside (the witness" in last.text
    assert "the 2 written since" in last.text


def test_anchors_of_kinds_that_are_no_longer_configured_do_not_count() -> None:
    found = examine(("mail",), {"witness": Anchored(50, T0)}, 60)
    assert "Nothing is anchored yet" in found[-1].text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"WITNESS_URL": "https://w.example"}, "belong together"),
        ({"WITNESS_URL": "http://w.example", "WITNESS_VKEY": "x"}, "https://"),
        ({"WITNESS_URL": "https://w.example", "WITNESS_VKEY": "x"}, "WITNESS_VKEY"),
        ({"ANCHOR_MAIL": "a@example.org"}, "SMTP_URL"),
        ({"ANCHOR_MAIL": "nobody", "SMTP_URL": "smtp://h", "SMTP_FROM": "a@b"}, "mail addresses"),
        ({"ANCHOR_MAIL": "a@b", "SMTP_URL": "http://h", "SMTP_FROM": "a@b"}, "smtp://"),
        ({"ANCHOR_WEBHOOK": "ftp://h"}, "https://"),
        ({"AUDIT_CHANNEL": "#audit"}, "channel's id"),
    ],
)
def test_a_setting_that_is_half_there_is_a_sentence(
    given: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in given.items():
        monkeypatch.setenv(f"COUNTERSIGN_{name}", value)
    with pytest.raises(SettingsError, match=said):
        load()


async def test_settings_name_every_anchor(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(post, monkeypatch)
    assert anchors(load()) == (post.witness, post.mail, post.webhook)
    assert configured(load()) == ("witness", "mail", "webhook")


def test_a_witness_key_is_of_type_4_and_names_its_id() -> None:
    with pytest.raises(NoteError, match="type 4"):
        read_witness_key("example.com/foo+01234567+" + base64.b64encode(b"\x01" + bytes(32)).decode())
    with pytest.raises(NoteError, match="not 01234567"):
        read_witness_key("example.com/foo+01234567+" + base64.b64encode(b"\x04" + bytes(32)).decode())
