"""A change of the signing keys counts after `policy_delay` once it is endorsed, and after `unendorsed_delay` where nobody does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.domain.authority.endorsement import WaitingChange
from bot.domain.authority.policy_rollout import Sets
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow.key_notices import unendorsed
from bot.service.signing_page import Told
from tests.bot.building import AUDIT, DEP1, OWNER, PE1, RISK
from tests.bot.evidence.signed_log import OLGA, RUTH, Passkey
from tests.bot.evidence.signed_log import signed_policy as file_policy
from tests.bot.office import Office
from tests.bot.passkeys import KEYS, ORIGIN, Authenticator, named, sent, signed_policy, signs, with_words
from tests.rules.test_messages_end import POST, UPDATE, Screens, screens_of

EVIL = Authenticator(b"the-attackers-key")


def with_key(policy: Policy, person: Person, key: Authenticator) -> Policy:
    """The same set with one more passkey of somebody."""
    held = [named(one.person, *one.passkeys, *((key.passkey(),) if one.person == person else ())) for one in policy.people]
    return replace(policy, people=tuple(held), digest="ab" * 32)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", signed_policy()) as opened:
        yield with_words(opened)


async def waiting(office: Office) -> WaitingChange:
    (change,) = office.service.current.key_changes
    return change


async def endorse(office: Office, person: Person, key: Authenticator | None = None) -> Told:
    """Somebody opens their link and signs."""
    change = await waiting(office)
    token = (await office.service.endorsements.address(change, person)).removeprefix(f"{ORIGIN}/d#")
    assert token
    told = await office.service.signing.statement(token, "endorse")
    assert told.status == 200, told
    return await sent(office, token, (key or KEYS[person]).sign(str(told.body["statement"])))


async def test_an_added_key_gives_nothing_before_the_delay_of_unendorsed_changes(office: Office) -> None:
    await office.adopt(with_key(office.policy, OWNER, EVIL))
    id_ = await office.file(PE1)
    told = await signs(office, OWNER, id_, key=EVIL)
    assert (told.status, "does not count yet" in str(told.body["text"])) == (409, True)
    office.clock.at += timedelta(hours=71)
    late = await office.file(PE1, target="srv-2")
    assert (await signs(office, OWNER, late, key=EVIL)).status == 409
    office.clock.at += timedelta(hours=2)
    assert (await signs(office, OWNER, await office.file(PE1, target="srv-3"), key=EVIL)).status == 200


async def test_an_endorsed_key_counts_after_the_delay_of_every_change(office: Office) -> None:
    before = office.policy.digest
    await office.adopt(with_key(office.policy, OWNER, EVIL))
    assert (await endorse(office, RISK)).body["ok"] is True
    entry = office.log()[-1]
    data = entry["data"]
    assert (entry["type"], data["from"], data["to"]) == ("policy.endorsed", before, "ab" * 32)
    assert data["signed"] is True
    assert len(data["statement"]) == 64
    assert (await signs(office, OWNER, await office.file(PE1), key=EVIL)).status == 409
    office.clock.at += timedelta(minutes=16)
    assert (await signs(office, OWNER, await office.file(PE1, target="srv-3"), key=EVIL)).status == 200
    assert office.service.current.key_changes == ()


async def test_the_page_of_a_change_that_is_endorsed_says_so(office: Office) -> None:
    await office.adopt(with_key(office.policy, OWNER, EVIL))
    address = await office.service.endorsements.address(await waiting(office), RISK)
    await endorse(office, RISK)
    told = await office.service.signing.read(address.removeprefix(f"{ORIGIN}/d#"))
    assert (told.status, told.body["open"]) == (200, False)
    assert "does not wait" in str(told.body["words"])


async def test_anyone_who_gains_by_a_change_gets_no_link_and_endorses_nothing(office: Office) -> None:
    await office.adopt(with_key(office.policy, OWNER, EVIL))
    change = await waiting(office)
    assert await office.service.endorsements.address(change, OWNER) == ""
    assert await office.service.endorsements.address(change, DEP1) == ""


async def test_an_endorsement_with_a_key_that_does_not_count_yet_is_refused(office: Office) -> None:
    await office.adopt(with_key(office.policy, OWNER, EVIL))
    told = await endorse(office, RISK, EVIL)
    assert told.status == 409
    assert [entry["type"] for entry in office.log()].count("policy.endorsed") == 0
    assert office.log()[-1]["type"] == "decision.refused"
    assert len(office.service.current.key_changes) == 1


async def test_an_endorsement_survives_a_restart(office: Office) -> None:
    await office.adopt(with_key(office.policy, OWNER, EVIL))
    await endorse(office, RISK)
    await office.restart()
    await office.service.current.refresh()
    assert office.service.current.key_changes == ()


async def test_every_owner_and_auditor_is_informed_in_slack_and_by_page(office: Office) -> None:
    old = office.policy
    said = unendorsed(old, with_key(old, OWNER, EVIL), office.clock.now())
    owners = {domain.owner for domain in old.domains.values()}
    assert {say.to for say in said if say.purpose == "pager"} == owners | {AUDIT}
    assert {say.to for say in said if say.purpose == "key_change"} == owners | {AUDIT, RISK}  # who may endorse it, too
    page = next(say for say in said if say.purpose == "pager")
    assert "Nobody has endorsed it" in str(page.data["text"])
    assert page.data["link"] == f"{ORIGIN}/"
    assert unendorsed(old, replace(old, contact="#elsewhere"), office.clock.now()) == ()


class Asked:
    """The messages that ask owners and auditors to endorse an added key, before a fake Slack."""

    def __init__(self, screens: Screens, before: Policy) -> None:
        self.screens, self.before, self.office = screens, before, screens.office

    async def now(self, person: Person) -> str:
        """What somebody's message shows, after the looks of a running bot."""
        await self.office.service.endorsements.look()
        return await self.without_look(person)

    async def without_look(self, person: Person) -> str:
        await self.screens.sender.drain()
        posted = next(call for call in self.screens.slack.of(POST) if call.args["channel"] == person.user)
        ts = self.screens.ts_of(posted)
        return json.dumps((self.screens.last(ts) if self.screens.edits(ts) else posted).args)


@pytest.fixture
async def asked(office: Office) -> AsyncIterator[Asked]:
    before = office.policy
    await office.adopt(with_key(before, OWNER, EVIL))
    says = unendorsed(before, office.policy, office.clock.now() + timedelta(hours=72))
    await office.store.commit(Transition(None, None, says=tuple(one for one in says if one.purpose == "key_change")))
    async for screens in screens_of(office):
        found = Asked(screens, before)
        for person in (OWNER, RISK):
            assert "nobody has endorsed it" in await found.now(person)
        assert f"{ORIGIN}/d#" in await found.now(RISK)
        assert not screens.slack.of(UPDATE)
        yield found


def is_over(shown: str) -> bool:
    """Neither link nor a word that anything waits."""
    return ORIGIN not in shown and "Unendorsed it counts" not in shown


async def test_the_message_says_at_once_who_endorsed_the_change_and_when(asked: Asked) -> None:
    await endorse(asked.office, RISK)
    for person in (OWNER, RISK, AUDIT):
        shown = await asked.without_look(person)
        assert (is_over(shown), "is endorsed" in shown, "nobody has endorsed" in shown) == (True, True, False)
        assert f"<@{RISK.user}> endorsed it for " in shown
        assert f"{asked.office.clock.now():%Y-%m-%d %H:%M} UTC" in shown
    told = [entry for entry in asked.office.log() if entry["type"] == "delivery.sent"]
    assert told
    assert all("case" not in entry for entry in told)


async def test_the_message_says_that_the_change_was_taken_back(asked: Asked) -> None:
    await asked.office.adopt(replace(asked.office.policy, contact="#elsewhere", digest="cd" * 32))
    assert f"{ORIGIN}/d#" in await asked.now(RISK)  # another policy, but the key is in it
    await asked.office.adopt(replace(asked.before, digest="ef" * 32))
    for person in (OWNER, RISK):
        shown = await asked.now(person)
        assert (is_over(shown), "was taken back" in shown) == (True, True)


async def test_the_message_says_that_the_change_counts_though_nobody_endorsed_it(asked: Asked) -> None:
    asked.office.clock.at += timedelta(hours=71)
    assert f"{ORIGIN}/d#" in await asked.now(RISK)
    asked.office.clock.at += timedelta(hours=2)
    for person in (OWNER, RISK):
        shown = await asked.now(person)
        assert (is_over(shown), "counts since" in shown, "nobody has endorsed it" in shown) == (True, True, True)
    edits = len(asked.screens.slack.of(UPDATE))
    assert await asked.office.store.policies.asking_to_endorse() == []
    await asked.now(RISK)
    assert len(asked.screens.slack.of(UPDATE)) == edits  # redrawn once, not at every look


async def test_a_message_whose_delay_ended_while_the_bot_was_down_is_redrawn_too(asked: Asked) -> None:
    asked.office.clock.at += timedelta(hours=73)
    asked.office.service.current.sets = Sets(asked.office.service.current.sets.sets[-1:])
    shown = await asked.now(RISK)
    assert (is_over(shown), "waits for no endorsement any more" in shown) == (True, True)


def folder(path: Path, keys: dict[str, tuple[Passkey, ...]], signature: str) -> Path:
    """The files of a set on disk."""
    policy = file_policy(keys, signature)
    path.mkdir()
    for file in policy.files:
        (path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (path / file.path).write_bytes(file.content)
    return path


def test_check_against_names_who_endorses_and_the_window_in_which_nobody_could_say_yes(tmp_path: Path) -> None:
    old = folder(tmp_path / "old", {"ruth": (RUTH,)}, "none")
    new = folder(tmp_path / "new", {"ruth": (RUTH,), "olga": (OLGA,)}, "required")
    done = CliRunner().invoke(app, ["check", str(new), "--against", str(old)])
    assert done.exit_code == 0, done.output
    assert "To be endorsed by: Ruth Adeyemi." in done.output
    assert "Nobody can sign a yes" not in done.output  # Ruth's key counts already
    keyless = folder(tmp_path / "keyless", {}, "none")
    done = CliRunner().invoke(app, ["check", str(new), "--against", str(keyless)])
    assert "Nobody can sign a yes to Emergency admin on the corporate directory that is asked for before" in done.output
