"""Whatever comes in from outside is answered or refused: no traceback, no hang, no control character on the terminal.

One fuzzer for every door: Slack's payloads, calendars, executors' answers, exports, packs, the emergency file, notes and proofs,
permits, settings, lists of accesses. No example may cost more than a second of processor time. Policy files have one of their own (`test_policy_fuzz`). The examples follow from a fixed seed;
`HYPOTHESIS_PROFILE=thorough` looks much longer.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer import Exit

from bot.background.executor_webhooks import read_answer
from bot.cli.reconciliation.command import Access, read_accesses
from bot.decision_log.emergency_file import FILE, EmergencyFile
from bot.domain.decision_log.entry_reader import parsed
from bot.domain.decision_log.signed_note import read_checkpoint, read_note, read_vkey
from bot.domain.decision_log.tlog_proof import TlogProof
from bot.domain.errors import CountersignError, EntryError, NoteError, SettingsError
from bot.domain.policy.model import Policy
from bot.domain.signing.statement import read_statement
from bot.domain.workflow.permit import Wanted
from bot.evidence.check import check_export
from bot.evidence.files import Export
from bot.reports.pack_check import check_pack
from bot.service.permit_check import PermitRejected, PermitRequirements, check, read_keys
from bot.settings import load
from bot.terminal import visible
from handlers.inbound import payloads
from handlers.transport.envelope import NotAuthentic, Payload, enveloped, opened
from runbooks.calendars.ical import BadFeed, read_feed
from tests.bot.evidence.conftest import Written
from tests.bot.reports.conftest import packed

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
TOKENS = (
    b"", b"\x00", b"\n", b"\r\n", b"\x1b[2J", "\u202e".encode(), b"\xff\xfe", b"[" * 3000, b'{"a":' * 3000, b"9" * 5000, b"-1", b"1e999",
    b"\xc2\x9b31m", b"\xe2\x80\xa8", b"\xf3\xa0\x81\x81", b"\xef\xbb\xbf", b"&a [*a]", b"<<: *a", b"!!python/object:os.system", b"%s{0.x}",
    b"\\u001b]0;x\\u0007", b"\\u202e", b"99991231T235959Z", b"00010101T000000Z", b"TZID=Foo:", b"DURATION:P9999999999D\r\n",
    b"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n", b"RECURRENCE-ID:20261203T080000Z\r\n", b"METHOD:CANCEL\r\n", b"BEGIN:VEVENT\r\n",
    b"null", b'"', b"\\ud800", b"../../etc/passwd", b"<!channel>", b"=1+1", b"true", b"\xed\xa0\x80", "é".encode() * 50, b"{}", b"[]",
)  # fmt: skip
mutations = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 60), st.sampled_from(TOKENS) | st.binary(max_size=12)), min_size=1, max_size=4
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
seeded = settings(
    derandomize=os.environ.get("HYPOTHESIS_PROFILE") is None, deadline=None,
    max_examples=1500 if os.environ.get("HYPOTHESIS_PROFILE") else 300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


MOST = 1.0  # seconds of processor time for one example


def quick(test: Callable[..., None]) -> Callable[..., None]:
    """The test, failing where one example costs more than a second of processor time."""

    @functools.wraps(test)
    def timed(*given: Any, **named: Any) -> None:
        began = time.process_time()
        test(*given, **named)
        took = time.process_time() - began
        assert took < MOST, f"one example took {took:.2f} s of processor time"

    return timed


def mutated(data: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    for place, length, token in changes:
        start = int(place * len(data))
        data = data[:start] + token + data[start + length :]
    return data


# ── Slack ──

USER = {"id": "U0OWNER", "team_id": "T0HOME", "name": "olga"}
BUTTON = {
    "type": "block_actions", "user": USER, "team": {"id": "T0HOME"}, "trigger_id": "1.2.3", "response_url": "https://hooks.slack.com/x",
    "container": {"type": "message", "message_ts": "1.2", "channel_id": "D1"}, "channel": {"id": "D1"},
    "actions": [{"type": "button", "action_id": "approve", "block_id": "b", "value": "R-7K3M9QX2:3", "action_ts": "1"}],
}  # fmt: skip
VIEW = {
    "type": "view_submission", "user": USER, "team": {"id": "T0HOME"}, "trigger_id": "1.2.3",
    "view": {"id": "V1", "callback_id": "request", "hash": "h", "private_metadata": "{}", "blocks": [], "team_id": "T0HOME",
             "state": {"values": {"target": {"target": {"type": "plain_text_input", "value": "dc-1"}}}}},
}  # fmt: skip
COMMAND = {
    "command": "/breakglass", "text": "directory-admin-emergency it is down", "user_id": "U0PE1", "team_id": "T0HOME", "trigger_id": "1.2",
    "channel_id": "C1", "response_url": "https://hooks.slack.com/x",
}  # fmt: skip
READERS: tuple[Callable[[Any], object], ...] = (
    payloads.command, payloads.press, payloads.choice, payloads.submission, payloads.shortcut, payloads.direct_message,
    payloads.home_opened,
)  # fmt: skip


def assert_read_or_refused(found: object) -> None:
    """Refused, or a payload whose every reading is a value or a PayloadError."""
    assert isinstance(found, Payload | NotAuthentic)
    if isinstance(found, Payload):
        for reader in READERS:
            with suppress(payloads.PayloadError):
                reader(found.body)


@seeded
@given(
    st.sampled_from([BUTTON, VIEW, COMMAND]),
    mutations,
    st.sampled_from(["application/json", "application/x-www-form-urlencoded"]),
)
@quick
def test_a_mutated_payload_is_read_or_refused(payload: dict[str, Any], changes: Any, content_type: str) -> None:
    text = mutated(json.dumps(payload).encode(), changes).decode(errors="replace")
    assert_read_or_refused(opened(content_type, text))
    assert_read_or_refused(opened(content_type, f"payload={text}"))


@seeded
@given(
    st.sampled_from([BUTTON, VIEW, COMMAND]),
    st.sampled_from(["user", "view", "actions", "team", "container", "state"]),
    json_values,
)
@quick
def test_a_payload_with_any_value_in_the_place_of_a_part_is_read_or_refused(
    payload: dict[str, Any], part: str, value: object
) -> None:
    for kind in ("interactive", "slash_commands", "events_api", 7, None):
        assert_read_or_refused(enveloped(kind, payload | {part: value}))


# ── Calendars and executors ──

CALENDAR = b"""BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Amira Saleh\r\nDTSTART;TZID=Europe/London:20261201T080000
DTEND;TZID=Europe/London:20261201T200000\r\nRRULE:FREQ=DAILY;COUNT=400\r\nEXDATE:20261203T080000Z\r\nATTENDEE;PARTSTAT=ACCEPTED;CN=Luca:mailto:l@x\r
END:VEVENT\r\nEND:VCALENDAR\r\n"""


@seeded
@given(mutations)
@example([(0.5, 0, b"RRULE:FREQ=SECONDLY\r\n")])
@pytest.mark.timeout(120)
@quick
def test_a_mutated_calendar_is_read_or_refused(example: Policy, changes: Any) -> None:
    rota = next(iter(example.rotas.values()))
    with suppress(BadFeed):
        reading = read_feed(mutated(CALENDAR, changes), rota, example.people, NOW)
        assert all(spell.start < spell.end for spell in reading.spells)


@seeded
@given(st.sampled_from(["open", "close"]), st.integers(100, 599), mutations)
@quick
def test_any_answer_of_an_executor_is_a_code_or_what_it_said(kind: Any, status: int, changes: Any) -> None:
    heard = read_answer(kind, status, mutated(b'{"state": "opened", "detail": "done"}', changes))
    assert str(getattr(heard, "detail", heard)).isprintable()


# ── The log's files ──


def assert_findings_print(folder: Path, check_it: Callable[[Path], Any]) -> None:
    findings: list[object] = []
    with suppress(SettingsError, NoteError):
        findings = check_it(folder).findings
    for finding in findings:
        shown = visible(str(finding))
        assert not any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 for sign in shown if sign not in "\n\t"), finding


@seeded
@given(st.data(), mutations)
@pytest.mark.timeout(300)
@quick
def test_a_mutated_export_ends_with_findings_or_a_sentence(
    exported: Path, tmp_path: Path, data: st.DataObject, changes: Any
) -> None:
    names = sorted(p.relative_to(exported).as_posix() for p in exported.rglob("*") if p.is_file())
    name = data.draw(st.sampled_from(names))
    kept = (exported / name).read_bytes()
    (exported / name).write_bytes(mutated(kept, changes))
    assert_findings_print(exported, check_export)
    (exported / name).write_bytes(kept)


@seeded
@given(st.data(), mutations)
@pytest.mark.timeout(300)
@quick
def test_a_mutated_pack_ends_with_findings_or_a_sentence(
    written: Written, tmp_path: Path, data: st.DataObject, changes: Any
) -> None:
    folder = tmp_path / "pack"
    if not folder.exists():
        packed(written, folder)
    name = data.draw(st.sampled_from(sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())))
    kept = (folder / name).read_bytes()
    (folder / name).write_bytes(mutated(kept, changes))
    assert_findings_print(folder, lambda there: check_pack(Export(there), None))
    (folder / name).write_bytes(kept)


@seeded
@given(
    st.binary(max_size=300)
    | mutations.map(lambda c: mutated(b'{"act":{"~":"Transition"},"version":1,"at":{"~":"at"},"sig":"AAAA"}', c))
)
@quick
def test_a_hostile_emergency_file_stops_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FILE).write_bytes(data)
    file = EmergencyFile(tmp_path, lambda message: b"", lambda message, signature: True)
    assert len(file.lines()) + file.bad <= data.count(b"\n") + 1
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()


NOTE = "test.example/log\n4\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— test.example/log AAAAAAAAAAA=\n"


@seeded
@given(mutations)
@example([(0.5, 0, b"\\ud800")])
@quick
def test_mutated_notes_proofs_keys_and_statements_are_read_or_refused(changes: Any) -> None:
    text = mutated(NOTE.encode(), changes).decode(errors="replace")
    with suppress(NoteError):
        read_checkpoint(read_note(text).text)
    with suppress(NoteError):
        read_vkey(text)
    proof = mutated(b"c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\n" + NOTE.encode(), changes).decode(errors="replace")
    assert isinstance(TlogProof.parse(proof), TlogProof | None)
    parsed(mutated(b'{"v":"1","i":0,"ts":"2026-12-01T09:00:00.000Z"}', changes))
    with suppress(EntryError):
        read_statement(
            mutated(b'{"v":"1","type":"test","log":"x","rp":"x","signer":"x","nonce":"x","not_after":"x"}', changes)
        )


# ── What a person hands us ──

JWKS = '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k"}]}'


@seeded
@given(mutations, mutations)
@quick
def test_a_mutated_permit_or_key_is_refused_with_a_sentence(token_changes: Any, key_changes: Any) -> None:
    with suppress(SettingsError):
        read_keys(mutated(JWKS.encode(), key_changes).decode(errors="replace"))
    token = mutated(b"eyJhbGciOiJFZERTQSJ9.eyJhdWQiOiJwYW0ifQ.AAAA", token_changes).decode(errors="replace")
    demands = PermitRequirements(Wanted("pam"), read_keys(JWKS))
    assert isinstance(check(token, demands, NOW), PermitRejected)  # nobody signed it


@seeded
@given(mutations)
@quick
def test_a_mutated_list_of_accesses_is_read_or_refused(tmp_path: Path, changes: Any) -> None:
    path = tmp_path / "accesses.csv"
    path.write_bytes(mutated(b"runbook,person,target\r\nvault-admin-emergency,T0HOME/U0PE1,pam-1\r\n", changes))
    with suppress(CountersignError, Exit, SystemExit):
        assert all(isinstance(access, Access) for access in read_accesses(path))


NAMES = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_API_URL", "COUNTERSIGN_DATABASE_URL", "COUNTERSIGN_LISTEN",
         "COUNTERSIGN_OPS_LISTEN", "COUNTERSIGN_TIME_SCALE", "COUNTERSIGN_COMMAND_PREFIX", "COUNTERSIGN_LOG_ORIGIN",
         "COUNTERSIGN_WITNESS_URL", "COUNTERSIGN_STATE_DIR", "COUNTERSIGN_RUNBOOKS_DIR")  # fmt: skip
environment_texts = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30
) | st.sampled_from(
    [
        "http://[",
        "sqlite:///",
        "postgresql://x",
        "127.0.0.1:99999",
        ":",
        "nan",
        "inf",
        "-1",
        "1e400",
        "xoxb-1\n",
        "https://slack.com/api/",
        " ",
    ]
)


@seeded
@given(st.dictionaries(st.sampled_from(NAMES), environment_texts, max_size=5))
@quick
def test_any_setting_is_taken_or_refused_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, values: dict[str, str]
) -> None:
    with monkeypatch.context() as patched:
        patched.chdir(tmp_path)
        for name, value in values.items():
            patched.setenv(name, value)
        said = ""
        try:
            load()
        except SettingsError as refused:
            said = str(refused)
    assert not said or said.rstrip().endswith(".")
