"""Keys in STATE_DIR: made once, private, and a sentence where they cannot be had."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from bot.decision_log.keys import LOG_KEY, NEXT, PERMIT_KEY, RETIRED, make_key, make_keys, read_key, retire, verify, vkeys
from bot.domain.decision_log.signed_note import read_vkey
from bot.domain.errors import KeyFileError


@pytest.fixture
def state(tmp_path: Path) -> Path:
    make_keys(tmp_path / "state")
    return tmp_path / "state"


@pytest.mark.usefixtures("no_umask")
def test_keys_are_private_files_in_a_private_folder(state: Path) -> None:
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in state.iterdir()} == {LOG_KEY: 0o600, PERMIT_KEY: 0o600}


def test_the_log_and_permits_have_different_keys(state: Path) -> None:
    assert read_key(state / LOG_KEY).public != read_key(state / PERMIT_KEY).public


def test_a_key_is_never_overwritten(state: Path) -> None:
    before = (state / LOG_KEY).read_bytes()
    (state / PERMIT_KEY).unlink()
    assert make_keys(state) == (state / PERMIT_KEY,)
    assert (state / LOG_KEY).read_bytes() == before


def test_what_a_killed_process_left_half_made_is_no_key(state: Path) -> None:
    (state / LOG_KEY).unlink()
    (state / (LOG_KEY + ".new")).write_bytes(b"-----BEGIN PRIV")
    assert make_key(state / LOG_KEY)
    assert len(read_key(state / LOG_KEY).public) == 32
    assert not (state / (LOG_KEY + ".new")).exists()


def test_a_signature_holds_for_its_own_message_and_key_only(state: Path) -> None:
    key, other = read_key(state / LOG_KEY), read_key(state / PERMIT_KEY)
    made = key.sign(b"a message")
    assert verify(key.public, b"a message", made)
    assert not verify(key.public, b"another", made)
    assert not verify(other.public, b"a message", made)
    assert not verify(b"short", b"a message", made)


def test_openssl_reads_the_key_file(state: Path) -> None:
    said = subprocess.run(
        ["openssl", "pkey", "-in", state / LOG_KEY, "-noout", "-text_pub"], capture_output=True, text=True, check=True
    ).stdout
    digits = "".join(said.split("pub:")[1].split()).replace(":", "")
    assert digits == read_key(state / LOG_KEY).public.hex()


def test_a_key_that_others_can_read_is_refused(state: Path) -> None:
    (state / LOG_KEY).chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_key(state / LOG_KEY)


def test_a_missing_key_names_the_command_that_makes_it(state: Path) -> None:
    (state / LOG_KEY).unlink()
    with pytest.raises(KeyFileError, match="countersign keys init"):
        read_key(state / LOG_KEY)


def test_a_file_that_holds_no_key_is_refused_not_replaced(state: Path) -> None:
    (state / LOG_KEY).write_text("not a key")
    with pytest.raises(KeyFileError, match="no Ed25519"):
        make_keys(state)
    assert (state / LOG_KEY).read_text() == "not a key"


def test_a_state_dir_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(KeyFileError, match="COUNTERSIGN_STATE_DIR"):
        make_keys(tmp_path / "state")


@pytest.mark.usefixtures("no_umask")
def test_nobody_else_changes_which_keys_are_trusted(state: Path) -> None:
    make_key(state / NEXT)
    retire(state, "test.example/log")
    assert {stat.S_IMODE(p.stat().st_mode) for p in state.iterdir()} == {0o600}
    assert (state / RETIRED).exists()


def test_retired_verifier_keys_follow_the_one_that_signs_now(state: Path) -> None:
    old = read_key(state / PERMIT_KEY).vkey("test.example/log")
    (state / RETIRED).write_text(f"{old}\n")
    found = vkeys(state, "test.example/log.2")
    assert [key.name for key in found] == ["test.example/log.2", "test.example/log"]
    assert read_vkey(str(found[1])) == old
