"""The rendezvous of an enrolment: who may use it, for how long, and what stays."""

from __future__ import annotations

import base64
import json
import os
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest

from bot.decision_log.enrolment import TRIES, Rendezvous, Wanted, words
from bot.domain.signing.assertion import from_base64url, to_base64url
from tests.bot.attestation import Maker, made
from tests.bot.building import T0
from tests.bot.passkeys import ORIGIN, OWNERS, RP, Authenticator

TOKEN, CODE = "A" * 22, "123456"
KEY = OWNERS.passkey()
HELD = {"id": KEY.id, "spki": base64.b64encode(KEY.spki).decode(), "rp": RP, "synced": False}
WANTED = Wanted("test", "olga", "T0HOME/U0OWNER", "Olga", RP, ORIGIN, (HELD,), bytes(16), T0 + timedelta(minutes=10))


@pytest.fixture
def place(tmp_path: Path) -> Rendezvous:
    made = Rendezvous(tmp_path / "state")
    made.open(TOKEN, CODE, WANTED)
    return made


def tried(key: Authenticator) -> dict[str, str]:
    made: dict[str, Any] = key.sign(to_base64url(WANTED.statement()))
    return {"id": made["credential"]} | {name: made[name] for name in ("authenticator_data", "client_data", "signature")}


@pytest.mark.usefixtures("no_umask")
def test_the_files_are_the_owners_alone_and_gone_at_the_end(place: Rendezvous, tmp_path: Path) -> None:
    (file,) = (tmp_path / "state" / "enrolment").iterdir()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent, tmp_path / "state")]
    assert modes == [0o600, 0o700, 0o700]
    assert TOKEN not in file.name
    place.close(TOKEN)
    assert list((tmp_path / "state" / "enrolment").iterdir()) == []


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
        (Authenticator(b"another"), "is not in the policy"),
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


def test_what_a_killed_command_left_is_deleted_by_a_visit_or_the_next_command(place: Rendezvous, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "enrolment"
    place.begin(TOKEN, CODE, T0 + timedelta(minutes=10))
    assert list(folder.iterdir()) == []
    place.open(TOKEN, CODE, WANTED)
    (left,) = folder.iterdir()
    os.utime(left, (0, (T0 - timedelta(minutes=11)).timestamp()))
    place.open("C" * 22, CODE, WANTED)
    assert left not in list(folder.iterdir())


def test_another_token_leads_nowhere(place: Rendezvous) -> None:
    assert place.begin("B" * 22, CODE, T0).status == 404


def test_a_new_passkey_is_checked_and_a_framed_page_makes_none(tmp_path: Path) -> None:
    place = Rendezvous(tmp_path)
    place.open(TOKEN, CODE, replace(WANTED, kind="enrol"))
    for client in ({"crossOrigin": True}, {"crossOrigin": False}):
        sent = {"id": "AAAA", "attestation": "oA", "client_data": to_base64url(json.dumps(client).encode())}
        assert place.finish(TOKEN, CODE, sent, T0).status == 409


NAMED, OTHER = Maker("Named Keys"), Maker("Other Keys")
NO_MAKER = "its maker is none of those that the policy names"


def enrolled(folder: Path, roots: tuple[str, ...], maker: Maker | None, **how: Any) -> tuple[int, dict[str, Any], Any]:
    """Status and body of an enrolment, and what the host's command reads."""
    place = Rendezvous(folder)
    place.open(TOKEN, CODE, replace(WANTED, kind="enrol", roots=roots))
    begun = place.begin(TOKEN, CODE, T0).body
    assert begun["attestation"] == ("direct" if roots else "none")
    told = place.finish(TOKEN, CODE, made(str(begun["challenge"]), RP, ORIGIN, maker, **how), T0)
    return told.status, dict(told.body), place.result(TOKEN)


@pytest.mark.parametrize(
    ("maker", "how"), [(OTHER, {}), (None, {}), (None, {"self_signed": True}), (Maker(NAMED.name), {})]
)
def test_where_the_policy_names_roots_no_other_maker_s_key_is_enrolled(
    tmp_path: Path, maker: Maker | None, how: dict[str, bool]
) -> None:
    status, body, result = enrolled(tmp_path, (NAMED.pem,), maker, **how)
    assert (status, result) == (409, None)
    assert NO_MAKER in body["text"]


def spliced(passkey: str, statement: str) -> str:
    """An attestation of one passkey with the certificates and the signature of another's."""
    ours, theirs = (cbor2.loads(from_base64url(text)) for text in (passkey, statement))
    return to_base64url(cbor2.dumps(ours | {"attStmt": theirs["attStmt"]}))


def test_a_key_of_a_named_maker_is_enrolled_and_its_line_says_so(tmp_path: Path) -> None:
    status, body, result = enrolled(tmp_path, (OTHER.pem, NAMED.pem), NAMED)
    assert status == 200, body
    assert "attested: true}" in body["line"]
    assert result["attested"] is True


def test_a_chain_that_another_passkey_s_signature_comes_with_is_refused(tmp_path: Path) -> None:
    place = Rendezvous(tmp_path)
    place.open(TOKEN, CODE, replace(WANTED, kind="enrol", roots=(NAMED.pem,)))
    challenge = str(place.begin(TOKEN, CODE, T0).body["challenge"])
    first, other = (made(challenge, RP, ORIGIN, NAMED) for _ in range(2))
    told = place.finish(TOKEN, CODE, first | {"client_data": other["client_data"][:-8] + "AAAAAAAA"}, T0)
    assert told.status == 409
    mixed = spliced(first["attestation"], other["attestation"])
    told = place.finish(TOKEN, CODE, first | {"attestation": mixed}, T0)
    assert (told.status, "not made as it must be" in str(told.body["text"])) == (409, True), told.body


@pytest.mark.parametrize("maker", [NAMED, None])
def test_without_roots_nobody_asks_for_the_maker(tmp_path: Path, maker: Maker | None) -> None:
    status, body, _ = enrolled(tmp_path, (), maker)
    assert (status, "attested" in body["line"]) == (200, False), body


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
