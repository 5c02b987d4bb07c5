"""What the inbox keeps, byte for byte: rows that an older release wrote are read and carried out."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.domain.policy.people import Person
from bot.ports.commands import COMMAND, Press, ReplyAddress, SaySentence, read_day

WHO = Person("T1", "U1")
REPLY = ReplyAddress(WHO, "https://hooks.example/1", "C1")
_WHO = '{"person":{"team":"T1","user":"U1"},"case":"R-ABCD1234","version":2,'
_REPLY = '"reply":{"person":{"team":"T1","user":"U1"},"response_url":"https://hooks.example/1","channel":"C1"},'

# Rows as the releases wrote them that had a class for each kind.
ROWS = [
    (
        f'{_WHO}"decision":"deny",{_REPLY}"reason":"not now ☃","seconds":0,"kind":"decide","until":""}}',
        Press(WHO, "R-ABCD1234", 2, "deny", REPLY, "not now ☃"),
    ),
    (
        f'{_WHO}"decision":"approve",{_REPLY}"reason":"","seconds":900,"kind":"decide","until":"2026-12-31"}}',
        Press(WHO, "R-ABCD1234", 2, "approve", REPLY, seconds=900, until="2026-12-31"),
    ),
    *(
        (
            f'{_WHO}"decision":"{action}",{_REPLY}"reason":"","seconds":0,"kind":"decide","until":""}}',
            Press(WHO, "R-ABCD1234", 2, action, REPLY),
        )
        for action in (
            "withdraw",
            "finish",
            "unused",
            "revoke",
            "accept",
            "flag",
            "ratify",
            "reject",
            "restore",
            "keep",
            "withdraw_right",
        )
    ),
    (
        f'{_WHO}"deed":"verify",{_REPLY}"text":"call","name":"callback","seconds":0,"at":"2026-11-30T10:00:00+00:00",'
        '"kind":"beside","until":""}',
        Press(WHO, "R-ABCD1234", 2, "verify", REPLY, "call", "callback", at="2026-11-30T10:00:00+00:00"),
    ),
    (
        f'{_WHO}"deed":"renew",{_REPLY}"text":"","name":"","seconds":60,"at":"","kind":"beside","until":"2027-01-31"}}',
        Press(WHO, "R-ABCD1234", 2, "renew", REPLY, seconds=60, until="2027-01-31"),
    ),
    *(
        (
            f'{_WHO}"deed":"{action}",{_REPLY}"text":"","name":"","seconds":0,"at":"","kind":"beside","until":""}}',
            Press(WHO, "R-ABCD1234", 2, action, REPLY),
        )
        for action in (
            "question",
            "answer",
            "hold",
            "pass",
            "push",
            "for",
            "against",
            "here",
            "extend",
            "evidence",
            "attest",
        )
    ),
    *(
        (
            f'{_WHO}{_REPLY}"action":"{action}","kind":"reach"}}',
            Press(WHO, "R-ABCD1234", 2, action, REPLY, opens_form=True),
        )
        for action in ("deny", "less", "question", "again", "permit", "reject")
    ),
]


@pytest.mark.parametrize(("row", "press"), ROWS, ids=[f"{press.kind} {press.action}" for _, press in ROWS])
def test_a_row_of_an_older_release_means_the_same_and_is_written_the_same(row: str, press: Press) -> None:
    assert COMMAND.validate_json(row) == press
    assert COMMAND.dump_json(press).decode() == row


def test_fields_that_came_later_have_their_default() -> None:
    decided = COMMAND.validate_json(f'{_WHO}"decision":"approve",{_REPLY}"kind":"decide"}}')
    assert decided == Press(WHO, "R-ABCD1234", 2, "approve", REPLY)
    reached = COMMAND.validate_json(f'{_WHO}{_REPLY}"kind":"reach"}}')
    assert reached == Press(WHO, "R-ABCD1234", 2, "deny", REPLY, opens_form=True)


def test_a_new_action_is_kept_as_a_kind_that_has_all_fields() -> None:
    press = Press(WHO, "R-ABCD1234", 2, "of_a_later_release", REPLY, "t", "n", 1, "2026-11-30T10:00:00+00:00", "2027-01-31")
    assert press.kind == "beside"
    assert COMMAND.validate_json(COMMAND.dump_json(press)) == press


@pytest.mark.parametrize("row", ["{}", "[]", '{"kind":"unheard of"}', '{"kind":["decide"]}', '{"kind":"decide"}', "3"])
def test_what_is_no_command_is_refused(row: str) -> None:
    with pytest.raises(ValidationError):
        COMMAND.validate_json(row)


def test_every_other_command_is_kept_with_its_own_kind() -> None:
    said = SaySentence(WHO, "unknown_button", "", REPLY)
    assert COMMAND.dump_json(said).decode().endswith('"kind":"tell"}')
    assert COMMAND.validate_json(COMMAND.dump_json(said)) == said


@pytest.mark.parametrize(("text", "wanted"), [("2026-12-31", "2026-12-31"), ("", "None"), ("31.12.2026", "None")])
def test_a_day_is_read_or_none(text: str, wanted: str) -> None:
    assert str(read_day(text)) == wanted
