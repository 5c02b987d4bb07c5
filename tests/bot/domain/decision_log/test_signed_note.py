"""Signed notes to the byte, against the published example of Go's sumdb."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.decision_log.keys import verify
from bot.domain.decision_log.merkle_tree import root, subtree_root
from bot.domain.decision_log.signed_note import (
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    read_checkpoint,
    read_note,
    read_vkey,
    read_vkeys,
    sign,
    signed_by,
)
from bot.domain.errors import NoteError

# golang.org/x/mod/sumdb/note: the example of its documentation.
SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
WHOLE = TEXT + "\n" + LINE
PRIVATE = Ed25519PrivateKey.from_private_bytes(SEED)
KEY = VerifierKey("PeterNeumann", PRIVATE.public_key().public_bytes_raw())
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
ELSE = VerifierKey("somebody.example", OTHER.public_key().public_bytes_raw())


def test_the_verifier_key_of_the_example_comes_out_to_the_byte() -> None:
    assert str(KEY) == VKEY
    assert read_vkey(VKEY) == KEY


def test_the_note_of_the_example_comes_out_to_the_byte() -> None:
    assert str(sign(TEXT, [(KEY, PRIVATE.sign)])) == WHOLE
    assert str(read_note(WHOLE)) == WHOLE


def test_the_note_of_the_example_holds() -> None:
    assert signed_by(read_note(WHOLE), [KEY], verify) == (KEY,)


def test_a_changed_text_does_not_hold() -> None:
    with pytest.raises(NoteError, match=r"PeterNeumann \(c74f20a3\) does not hold"):
        signed_by(read_note(WHOLE.replace("cryptography", "cryptographY")), [KEY], verify)


def test_a_note_of_unknown_keys_says_nothing() -> None:
    with pytest.raises(NoteError, match="No known key"):
        signed_by(read_note(WHOLE), [ELSE], verify)


def test_two_keys_sign_one_note_and_each_is_found() -> None:
    note = sign(TEXT, [(ELSE, OTHER.sign), (KEY, PRIVATE.sign)])
    assert signed_by(read_note(str(note)), [KEY, ELSE], verify) == (ELSE, KEY)
    assert signed_by(note, [KEY], verify) == (KEY,)


def test_one_bad_signature_of_a_known_key_spoils_a_note_that_another_signed_well() -> None:
    note = sign(TEXT, [(KEY, PRIVATE.sign), (ELSE, PRIVATE.sign)])
    with pytest.raises(NoteError, match=r"somebody\.example"):
        signed_by(note, [KEY, ELSE], verify)


@pytest.mark.parametrize("text", ["no newline at the end", "a tab\t\n", ""])
def test_a_text_that_is_none_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        sign(text, [(KEY, PRIVATE.sign)])


@pytest.mark.parametrize(
    "whole",
    [
        TEXT,
        TEXT + "\n",
        WHOLE.removesuffix("\n"),
        WHOLE.replace("— Peter", "- Peter"),
        WHOLE.replace("JnAM=", "JnAM"),
        WHOLE.replace("JnAM=", "JnAN="),
        WHOLE + "trailing\n",
    ],
)
def test_a_malformed_note_is_refused(whole: str) -> None:
    with pytest.raises(NoteError):
        read_note(whole)


@pytest.mark.parametrize(
    "line",
    [
        "PeterNeumann",
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("PeterNeumann", "PeterNeuman"),
        VKEY[:-4],
        "+" + VKEY,
    ],
)
def test_a_verifier_key_that_is_not_whole_is_refused(line: str) -> None:
    with pytest.raises(NoteError):
        read_vkey(line)


CHECKPOINT = Checkpoint("PeterNeumann", 3, subtree_root([bytes([i]) * 32 for i in range(3)]))


def test_a_checkpoint_reads_as_three_lines() -> None:
    assert Checkpoint("test.example/log", 0, root([])).text == (
        "test.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    )
    assert read_checkpoint(CHECKPOINT.text) == CHECKPOINT
    assert read_checkpoint(CHECKPOINT.text + "an extension\n") == CHECKPOINT


@pytest.mark.parametrize("text", ["a\n3\n", "a\n03\nAAAA\n", "a\n3\nAAAA\n", "\n3\n" + "A" * 43 + "=\n", "a\n-1\n\n"])
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        read_checkpoint(text)


def test_a_checkpoint_counts_only_under_a_key_of_its_own_name() -> None:
    own = str(sign(CHECKPOINT.text, [(KEY, PRIVATE.sign)]))
    foreign = str(sign(CHECKPOINT.text, [(ELSE, OTHER.sign)]))
    assert open_checkpoint(own, [KEY, ELSE], verify) == CHECKPOINT
    with pytest.raises(NoteError, match="No known key"):
        open_checkpoint(foreign, [KEY, ELSE], verify)


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff\n", "\u200b \n"])
def test_a_file_without_a_key_is_named_and_never_taken_for_a_forged_signature(text: str) -> None:
    with pytest.raises(NoteError, match="There is no verifier key in it"):
        read_vkeys(text)


def test_a_key_in_quotation_marks_is_a_sentence() -> None:
    with pytest.raises(NoteError, match="without quotation marks"):
        read_vkeys(f'"{VKEY}"')


def test_unseen_signs_beside_keys_are_dropped() -> None:
    assert read_vkeys(f"\u200b{VKEY}\u2060 \n\u200e\n{VKEY}\r\n") == (read_vkey(VKEY), read_vkey(VKEY))
