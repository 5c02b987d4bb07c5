"""Signed decisions in a stored log and in an export of it: an honest one passes, and each forgery is named."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.domain.case.transition import CLOCK, OPERATOR, Actor
from bot.evidence.check import check_export
from bot.evidence.stored_policy import policy_check
from tests.bot.building import AUDIT, OWNER, PE1, RISK
from tests.bot.evidence.conftest import ORIGIN
from tests.bot.evidence.signed_log import EVIL, EXTRA, OLGA, OLGA2, RP, RUTH, Passkey, Writer, signed_policy
from tests.bot.evidence.signing import Scribe
from tests.bot.evidence.test_check import edited, of_type
from tests.database import connect, url

pytestmark = pytest.mark.sqlite  # each forgery is a copy of one file

ONE = "R-00000001"
VKEY = Scribe(ORIGIN).vkey


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Writer]:
    writer = await Writer(tmp_path / "countersign.db").open()
    await writer.load(signed_policy())
    yield writer
    await writer.store.close()


def found(log: Writer, tmp_path: Path, root: str | None = None) -> list[tuple[str, str]]:
    """Code and text of each finding, which the database and its export agree on."""
    log.scribe.sign(log.path)
    stored = [(f.code, f.text) for f in policy_check(log.path, root).findings]
    checked = check_export(log.export(tmp_path / "evidence"), VKEY, policy_root=root)
    assert [(f.code, f.text) for f in checked.findings] == stored
    return stored


def assert_only(found: list[tuple[str, str]], code: str, words: str) -> None:
    """Findings of one code only, the first with these words."""
    assert {one for one, _ in found} == {code}, found
    assert words in found[0][1]


async def test_an_honest_signed_yes_has_no_findings(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE))
    assert found(log, tmp_path, log.policy.digest) == []
    assert check_export(tmp_path / "evidence").unproven_signatures == 0


async def test_a_yes_that_nobody_signed_is_named(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE), key=None)
    assert_only(found(log, tmp_path), "unsigned", "without a signature")


@pytest.mark.parametrize("type_", ["breakglass.ratified", "right.kept", "authority.restored"])
async def test_every_other_yes_must_be_signed_too(log: Writer, tmp_path: Path, type_: str) -> None:
    await log.file(ONE)
    await log.write(type_, Actor("person", OWNER, "home"), ONE)
    assert "unsigned" in {f.code for f in policy_check(log.path).findings}


async def test_a_signature_of_another_key_is_named(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE), key=Passkey(OLGA.id))
    assert_only(found(log, tmp_path), "assertion", "does not match the key")


async def test_a_key_that_is_not_in_the_policy_is_named(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE), key=EVIL)
    assert_only(found(log, tmp_path), "assertion", "is not in the policy")


async def test_the_key_of_another_person_is_named(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE), key=RUTH)
    assert_only(found(log, tmp_path), "assertion", "is not in the policy under the person who decided")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "presence": ({"flags": 0x04}, "touched"),
    "verification": ({"flags": 0x01}, "PIN"),
    "backup": ({"flags": 0x0D}, "synced"),
    "rp": ({"rp": "elsewhere.example.org"}, "another web address"),
    "origin": ({"origin": "https://elsewhere.example.org"}, "another web address"),
    "cross_origin": ({"crossOrigin": True}, "inside another page"),
    "challenge": ({"challenge": "AAAA"}, "signed something else"),
}


@pytest.mark.parametrize("which", WRONG)
async def test_each_part_of_the_assertion_is_checked(log: Writer, tmp_path: Path, which: str) -> None:
    how, words = WRONG[which]
    await log.approve(await log.file(ONE), signing=how)
    assert_only(found(log, tmp_path), "assertion", words)


async def test_a_synced_key_is_named_where_device_bound_is_demanded(tmp_path: Path) -> None:
    synced = Passkey(OLGA2.id, synced=True)
    log = await Writer(tmp_path / "countersign.db").open()
    await log.load(signed_policy({"olga": (OLGA, synced), "ruth": (RUTH,)}, "device_bound"))
    await log.approve(await log.file(ONE), key=synced)
    assert_only(found(log, tmp_path), "assertion", "cannot be synced")
    await log.store.close()


CHANGED: dict[str, dict[str, Any]] = {
    "verdict": {"verdict": "extend"}, "seconds": {"seconds": 600}, "need": {"need": 2}, "role": {"role": "deputies"},
    "policy": {"policy": "ab" * 32}, "runbook": {"runbook": "ab" * 32},
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGED)
async def test_a_statement_that_decides_something_else_is_named(log: Writer, tmp_path: Path, what: str) -> None:
    await log.file(ONE)
    await log.approve(ONE, statement=log.decision(ONE, OWNER, **CHANGED[what]))
    assert {code for code, _ in found(log, tmp_path)} == {"assertion"}


OWN: dict[str, Callable[[Writer], dict[str, Any]]] = {
    "type": lambda log: {"type": "test"},
    "log": lambda log: {"log": "another.example/log"},
    "signer": lambda log: {"signer": log.ref(RISK)},
    "rp": lambda log: {"rp": "elsewhere.example.org"},
    "late": lambda log: {"not_after": log.clock.at.replace(year=2025)},
    "long": lambda log: {"not_after": log.clock.at.replace(year=2027)},
}


@pytest.mark.parametrize("what", OWN)
async def test_a_statement_for_another_purpose_person_or_time_is_named(log: Writer, tmp_path: Path, what: str) -> None:
    await log.file(ONE)
    statement = replace(log.decision(ONE, OWNER), **OWN[what](log))
    await log.approve(ONE, statement=statement)
    assert {code for code, _ in found(log, tmp_path)} == {"assertion"}


async def test_a_replayed_statement_is_named(log: Writer, tmp_path: Path) -> None:
    statement = log.decision(await log.file(ONE), OWNER)
    value = OLGA.sign(statement.to_bytes())
    await log.approve(ONE, statement=statement, value=value)
    await log.file("R-00000002")
    await log.approve("R-00000002", statement=statement, value=value)
    texts = [text for _, text in found(log, tmp_path)]
    assert any("used before" in text for text in texts)
    assert any("R-00000002" in text and "case" in text for text in texts)


async def test_something_new_between_what_was_shown_and_the_yes_is_named(log: Writer, tmp_path: Path) -> None:
    statement = log.decision(await log.file(ONE), OWNER)
    await log.write("request.answered", Actor("person", PE1, "northgate"), ONE)
    await log.approve(ONE, statement=statement)
    assert_only(found(log, tmp_path), "assertion", "something came between")


async def test_what_was_seen_must_be_of_the_case(log: Writer, tmp_path: Path) -> None:
    await log.file(ONE)
    await log.file("R-00000002")
    await log.approve(ONE, statement=log.decision(ONE, OWNER, seen=log.leaves("R-00000002")[0]))
    assert_only(found(log, tmp_path), "assertion", "does not have")


async def test_a_sign_count_that_goes_back_is_named(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE))
    OLGA.count -= 1
    await log.file("R-00000002")
    await log.approve("R-00000002")
    assert_only(found(log, tmp_path), "assertion", "sign count went back")


async def test_more_time_than_was_signed_is_named(log: Writer, tmp_path: Path) -> None:
    await log.file(ONE)
    await log.approve(ONE, statement=log.decision(ONE, OWNER, seconds=600), seconds=600)
    assert_only(found(log, tmp_path), "assertion", "a grant of 3600 seconds, of which 600 were signed")


async def test_a_yes_under_an_older_set_is_named(log: Writer, tmp_path: Path) -> None:
    await log.file(ONE)
    old, new = log.policy, signed_policy(None, "required", ("hold: 10m", "hold: 5m"))
    await log.load(new)
    log.policy = old
    await log.approve(ONE, opens=False)
    assert_only(found(log, tmp_path), "assertion", "not the newest one")


async def test_an_erased_signature_is_unproven_and_never_unsigned(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE))
    digest = drop(log)
    await confirmed(log, log.ref(OWNER))
    await log.write("privacy.erased", OPERATOR, None, subject=log.ref(OWNER), digests=(digest,))
    log.scribe.sign(log.path)
    checked = policy_check(log.path)
    assert (checked.findings, checked.unproven) == ((), 1)


async def test_a_signature_that_vanished_is_a_finding(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE))
    drop(log)
    checked = check_export(log.export(tmp_path / "evidence"), VKEY)
    assert ([f.code for f in checked.findings], checked.unproven_signatures) == (["disclosure"], 1)


async def test_a_yes_that_only_says_that_it_is_signed_is_named(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE), key=None, signed=True)
    assert_only(found(log, tmp_path), "assertion", "has no signature")


def drop(log: Writer) -> str:
    """Deletes the newest disclosure `signature` from the database, as its owner can."""
    from bot.domain.decision_log.entry import disclosed

    with closing(connect(log.path)) as raw, raw:
        for digest, text in raw.execute("SELECT digest, disclosure FROM log_private ORDER BY idx DESC").fetchall():
            if disclosed(text)[0] == "signature":
                raw.execute("DELETE FROM log_private WHERE digest = ?", (digest,))
                return str(digest)
    raise AssertionError


async def confirmed(log: Writer, subject: str) -> None:
    """An erasure with two confirms that nobody signed."""
    await log.write("operator.filed", OPERATOR, None, id="O-00000001", act="erase", subject=subject, reason=True)
    for who, roles in ((Actor("person", AUDIT, "home"), ("auditor",)), (Actor("person", RISK, "home"), ("risk_owner",))):
        await log.write("operator.confirmed", who, None, id="O-00000001", act="erase", roles=roles)


# The keys.


async def test_an_added_key_that_nobody_endorsed_is_named_and_counts_for_nothing(log: Writer, tmp_path: Path) -> None:
    await log.load(signed_policy({"olga": (OLGA, EVIL), "ruth": (RUTH,)}))
    log.later(hours=71)
    await log.approve(await log.file(ONE), key=EVIL)
    assert [code for code, _ in found(log, tmp_path)] == ["assertion", "unendorsed"]
    log.later(hours=2)
    await log.file("R-00000002")
    await log.approve("R-00000002", key=EVIL)
    codes = [f.code for f in policy_check(log.path).findings]
    assert codes == ["assertion", "unendorsed"]  # it counts by now, and is named for ever


async def test_an_endorsed_key_counts_after_the_delay_of_every_change(log: Writer, tmp_path: Path) -> None:
    old, new = log.policy, signed_policy({"olga": (OLGA, OLGA2), "ruth": (RUTH,)})
    await log.file("R-00000000")
    await log.load(new)
    await log.endorse(old, new)
    log.later(minutes=16)
    await log.approve(await log.file(ONE), key=OLGA2)
    assert found(log, tmp_path) == []


async def test_somebody_whom_the_log_has_never_named_endorses_too(log: Writer, tmp_path: Path) -> None:
    old, new = log.policy, signed_policy({"olga": (OLGA, OLGA2), "ruth": (RUTH,)})
    await log.load(new)
    assert log.ref(RISK) == ""
    await log.endorse(old, new)
    assert found(log, tmp_path) == []


async def test_who_gains_a_key_does_not_endorse_it(log: Writer, tmp_path: Path) -> None:
    old, new = log.policy, signed_policy({"olga": (OLGA, EVIL), "ruth": (RUTH,)})
    await log.file(ONE)
    await log.load(new)
    await log.endorse(old, new, OWNER, OLGA)
    assert [code for code, _ in found(log, tmp_path)] == ["assertion", "unendorsed"]


async def test_an_endorsement_with_a_key_that_does_not_count_yet_is_none(log: Writer, tmp_path: Path) -> None:
    old, new = log.policy, signed_policy({"olga": (OLGA, OLGA2), "ruth": (RUTH, EVIL)})
    third = signed_policy({"olga": (OLGA, OLGA2, Passkey("bmV3bmV3bmV3bmV3bmV3bmV3")), "ruth": (RUTH, EVIL)})
    await log.file(ONE)
    await log.load(new)
    await log.load(third)
    await log.endorse(new, third, RISK, EVIL)
    assert [code for code, _ in found(log, tmp_path)] == ["assertion", "unendorsed", "unendorsed"]
    assert old.digest != third.digest


async def test_an_endorsement_of_another_change_is_none(log: Writer, tmp_path: Path) -> None:
    old, new = log.policy, signed_policy({"olga": (OLGA, OLGA2), "ruth": (RUTH,)})
    await log.file(ONE)
    await log.load(new)
    await log.endorse(old, new, to="ab" * 32)
    assert {code for code, _ in found(log, tmp_path)} == {"assertion", "unendorsed"}


async def test_a_grant_on_the_yes_of_a_key_that_was_removed_is_named(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE), opens=False)
    await log.load(signed_policy({"ruth": (RUTH,)}))
    await log.write("grant.opened", CLOCK, ONE, seconds=3600, not_after=log.clock.now())
    assert_only(found(log, tmp_path), "assertion", "had been removed")


async def test_an_unsigned_confirmation_is_named_where_it_must_be_signed(tmp_path: Path) -> None:
    log = await Writer(tmp_path / "countersign.db").open()
    await log.load(signed_policy(signing=(EXTRA % (RP, RP)).replace("none", "required")))
    await log.write("operator.confirmed", Actor("person", RISK, "home"), None, id="O-1", act="prune", roles=("risk_owner",))
    assert_only(found(log, tmp_path), "unsigned", "operator_acts")
    await log.store.close()


# The host's owner rewrites everything that only the host keeps.


async def test_the_first_set_is_pinned(log: Writer, tmp_path: Path) -> None:
    await log.file(ONE)
    assert_only(found(log, tmp_path, "ab" * 32), "unendorsed", "The first set with keys is")


async def test_a_log_rewritten_with_other_keys_from_the_first_set_on_fails_the_pin(log: Writer, tmp_path: Path) -> None:
    forged = await Writer(tmp_path / "forged.db").open()
    await forged.load(signed_policy({"olga": (EVIL,), "ruth": (RUTH,)}))
    await forged.approve(await forged.file(ONE), key=EVIL)
    assert policy_check(forged.path).findings == ()  # its own claim
    assert [f.code for f in policy_check(forged.path, log.policy.digest).findings] == ["unendorsed"]
    await forged.store.close()


FORGED: dict[str, Callable[[list[dict[str, Any]]], None]] = {
    "seconds": lambda entries: of_type(entries, "request.approved")[0]["data"].update(seconds=7200),
    "role": lambda entries: of_type(entries, "request.approved")[0]["data"].update(role="deputies"),
    "policy": lambda entries: of_type(entries, "request.approved")[0]["policy"].update(sha256="ab" * 32),
    "unsigned": lambda entries: of_type(entries, "request.approved")[0]["data"].pop("signed"),
    "earlier": lambda entries: of_type(entries, "step.fired")[0]["data"].update(role="deputies"),
    "statement": lambda entries: of_type(entries, "request.approved")[0]["data"].update(statement="ab" * 32),
}


@pytest.mark.parametrize("what", FORGED)
async def test_an_edited_entry_is_named_although_everything_is_signed_again(log: Writer, tmp_path: Path, what: str) -> None:
    await log.approve(await log.file(ONE))
    folder = log.export(tmp_path / "evidence")
    edited(folder, FORGED[what])
    codes = {f.code for f in check_export(folder, policy_root=log.policy.digest).findings}
    assert codes & {"assertion", "unsigned", "policy"}, codes


async def test_swapped_policy_files_are_named_in_both(log: Writer, tmp_path: Path) -> None:
    await log.approve(await log.file(ONE), key=EVIL)
    other = signed_policy({"olga": (EVIL,), "ruth": (RUTH,)})
    matrix = next(f for f in other.files if f.path == "responsibility.yaml")
    folder = log.export(tmp_path / "evidence")
    (folder / "policy" / log.policy.digest / "responsibility.yaml").write_bytes(matrix.content)
    assert "policy" in {f.code for f in check_export(folder).findings}
    with closing(connect(log.path)) as raw, raw:
        raw.execute("INSERT OR IGNORE INTO blob (sha256, content) VALUES (?, ?)", (matrix.sha256, matrix.content))
        swap = "UPDATE policy_file SET sha256 = ? WHERE digest = ? AND path = 'responsibility.yaml'"
        raw.execute(swap, (matrix.sha256, log.policy.digest))
    assert "policy" in {f.code for f in policy_check(log.path).findings}


async def test_the_command_names_the_codes_and_says_who_vouches_for_the_keys(
    log: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.approve(await log.file(ONE))
    folder = log.export(tmp_path / "evidence")
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(log.path))
    for options in (["--export", str(folder)], ["--database", str(log.path)]):
        said = CliRunner().invoke(app, ["log", "verify", *options])
        assert "exporter's own word" in said.output
        pinned = CliRunner().invoke(app, ["log", "verify", *options, "--policy-root", log.policy.digest])
        assert "own word: give --policy-root" not in pinned.output
        other = CliRunner().invoke(app, ["log", "verify", "--json", *options, "--policy-root", "ab" * 32])
        assert "unendorsed" in {json.loads(line)["code"] for line in other.stdout.splitlines()}
        assert other.exit_code == 1
    assert CliRunner().invoke(app, ["log", "verify", "--policy-root", "x"]).exit_code == 2
