"""The rendezvous of an enrolment: who may use it, for how long, and what stays."""

from __future__ import annotations

import base64
import json
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.decision_log.enrolment import TRIES, Rendezvous, Wanted, words
from bot.domain.signing.assertion import to_base64url
from tests.bot.building import T0
from tests.bot.passkeys import ORIGIN, OWNERS, RP, Authenticator

TOKEN, CODE = "A" * 22, "123456"
KEY = OWNERS.passkey()
HELD = {"id": KEY.id, "spki": base64.b64encode(KEY.spki).decode(), "rp": RP, "synced": False}
WANTED = Wanted("test", "olga", "T0HOME/U0OWNER", "Olga", RP, ORIGIN, (HELD,), bytes(16), T0 + timedelta(minutes=10))


@pytest.fixture
def place(tmp_path: Path) -> Rendezvous:
    made = Rendezvous(tmp_path)
    made.open(TOKEN, CODE, WANTED)
    return made


def tried(key: Authenticator) -> dict[str, str]:
    made: dict[str, Any] = key.sign(to_base64url(WANTED.statement()))
    return {"id": made["credential"]} | {name: made[name] for name in ("authenticator_data", "client_data", "signature")}


def test_the_files_are_the_owners_alone_and_gone_at_the_end(place: Rendezvous, tmp_path: Path) -> None:
    (file,) = (tmp_path / "enrolment").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert TOKEN not in file.name
    place.close(TOKEN)
    assert list((tmp_path / "enrolment").iterdir()) == []


def test_a_passkey_of_the_policy_is_tried_once(place: Rendezvous) -> None:
    assert place.begin(TOKEN, CODE, T0).body["keys"] == [KEY.id]
    assert place.finish(TOKEN, CODE, tried(OWNERS), T0).status == 200
    assert place.result(TOKEN) is not None
    assert place.finish(TOKEN, CODE, tried(OWNERS), T0).status == 404


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (replace(OWNERS, flags=0x01), "did not check your PIN"),
        (replace(OWNERS, client={"crossOrigin": True}), "inside another page"),
        (Authenticator(b"another"), "does not stand in the policy"),
        (Authenticator(b"owner-key"), "does not match"),
    ],
)
def test_a_trial_that_is_not_right_is_refused(place: Rendezvous, key: Authenticator, text: str) -> None:
    told = place.finish(TOKEN, CODE, tried(key), T0)
    assert (told.status, text in str(told.body["text"])) == (409, True)
    assert place.result(TOKEN) is None


def test_after_five_wrong_codes_the_address_is_dead(place: Rendezvous) -> None:
    for _ in range(TRIES):
        assert place.begin(TOKEN, "000000", T0).status == 409
    assert place.begin(TOKEN, CODE, T0).status == 404


def test_after_ten_minutes_the_address_is_dead(place: Rendezvous) -> None:
    assert place.begin(TOKEN, CODE, T0 + timedelta(minutes=10)).status == 404


def test_another_token_leads_nowhere(place: Rendezvous) -> None:
    assert place.begin("B" * 22, CODE, T0).status == 404


def test_a_new_passkey_is_checked_and_a_framed_page_makes_none(tmp_path: Path) -> None:
    place = Rendezvous(tmp_path)
    place.open(TOKEN, CODE, replace(WANTED, kind="enrol"))
    for client in ({"crossOrigin": True}, {"crossOrigin": False}):
        sent = {"id": "AAAA", "attestation": "oA", "client_data": to_base64url(json.dumps(client).encode())}
        assert place.finish(TOKEN, CODE, sent, T0).status == 409


def test_the_words_are_six_and_encode_person_place_and_key() -> None:
    said = words("T/U", RP, "id", b"key")
    assert len(said.split()) == 6
    others = {
        words("T/V", RP, "id", b"key"),
        words("T/U", "x", "id", b"key"),
        words("T/U", RP, "ie", b"key"),
        words("T/U", RP, "id", b"kez"),
    }
    assert len({said, *others}) == 5
