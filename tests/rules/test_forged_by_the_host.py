"""The host's owner, with database, keys and token, writes a yes that nobody signed, in every way that we could think of.

Each forgery is written into a real log, sealed with the log's own key, and must be named by `log verify --policy-root`, from the database
and from an export alike. What remains possible stands in docs/security/signing.md, and at the end of this file.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.case.transition import CLOCK, OPERATOR, SYSTEM, Actor, FileDigest, LogEvent, Private, Transition
from bot.domain.policy.model import Policy
from bot.evidence.check import check_export
from bot.evidence.stored_policy import policy_check
from bot.ports.records import StoredPolicy
from storage.log.check import check_database
from tests.bot.building import OWNER, PE1, RISK
from tests.bot.evidence.signed_log import EVIL, EXTRA, OLGA, RP, RUTH, Writer, signed_policy
from tests.rules.test_signed_evidence import VKEY, confirmed, drop

pytestmark = pytest.mark.sqlite  # each forgery is a copy of one file

ONE, TWO = "R-00000001", "R-00000002"
OLGAS, RUTHS = Actor("person", OWNER, "home"), Actor("person", RISK, "home")


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Writer]:
    """A log with a set of before anything was signed, the first set with keys, and one honest signed approval."""
    writer = await Writer(tmp_path / "countersign.db").open()
    await writer.load(signed_policy({}, "none", signing="\n"))
    await writer.load(signed_policy())
    writer.later(hours=1)
    await writer.approve(await writer.file("R-00000000"))
    await writer.write("grant.finished", Actor("person", PE1, "northgate"), "R-00000000")
    yield writer
    await writer.store.close()


def named(log: Writer, folder: Path, root: str) -> set[str]:
    """The codes of all findings, of the database and of its export."""
    log.scribe.sign(log.path)
    stored = {f.code for f in (*check_database(log.path).findings, *policy_check(log.path, root).findings)}
    exported = {f.code for f in check_export(log.export(folder), VKEY, policy_root=root).findings}
    assert bool(stored) == bool(exported), (stored, exported)
    return stored | exported


async def opens(log: Writer, case: str = ONE) -> None:
    await log.write("grant.opened", OLGAS, case, seconds=3600, not_after=log.clock.now())


async def nobody_signed(log: Writer) -> None:
    await log.approve(await log.file(ONE), key=None)


async def it_only_says_so(log: Writer) -> None:
    await log.approve(await log.file(ONE), key=None, signed=True, statement="ab" * 32)


async def own_key(log: Writer) -> None:
    await log.approve(await log.file(ONE), key=EVIL)


async def own_key_as_hers(log: Writer) -> None:
    statement = log.decision(await log.file(ONE), OWNER)
    await log.approve(ONE, statement=statement, value=EVIL.sign(statement.to_bytes()) | {"credential": OLGA.id})


async def own_key_merged(log: Writer) -> None:
    await log.load(signed_policy({"olga": (OLGA, EVIL), "ruth": (RUTH,)}))
    log.later(hours=80)
    await log.approve(await log.file(ONE), key=EVIL)


async def own_key_merged_and_endorsed_by_itself(log: Writer) -> None:
    old, new = log.policy, signed_policy({"olga": (OLGA,), "ruth": (RUTH, EVIL)})
    await log.load(new)
    await log.endorse(old, new, RISK, EVIL)
    log.later(minutes=20)
    await log.approve(await log.file(ONE), RISK, EVIL)


async def own_key_merged_and_taken_back(log: Writer) -> None:
    honest = log.policy
    await log.load(signed_policy({"olga": (OLGA, EVIL), "ruth": (RUTH,)}))
    await log.approve(await log.file(ONE), key=EVIL)
    await log.load(honest)


async def own_key_without_a_word(log: Writer) -> None:
    """A set that was never loaded lies in the database, and the entries name it."""
    honest, log.policy = log.policy, await unsaid(log, signed_policy({"olga": (EVIL,), "ruth": (RUTH,)}))
    await log.approve(await log.file(ONE), key=EVIL)
    log.policy = honest


async def the_set_of_before(log: Writer) -> None:
    """Filing and yes name the set under which nothing was signed yet."""
    honest, log.policy = log.policy, signed_policy({}, "none", signing="\n")
    await log.approve(await log.file(ONE), key=None)
    log.policy = honest


async def the_set_of_before_at_the_yes(log: Writer) -> None:
    await log.file(ONE)
    honest, log.policy = log.policy, signed_policy({}, "none", signing="\n")
    await log.approve(ONE, key=None)
    log.policy = honest


async def a_set_that_was_never_loaded(log: Writer) -> None:
    """The same, with a set that only lies in the database."""
    honest, log.policy = log.policy, await unsaid(log, signed_policy(None, "none"))
    await log.approve(await log.file(ONE), key=None)
    log.policy = honest


async def the_demand_taken_away(log: Writer) -> None:
    await log.load(signed_policy(None, "none"))
    log.later(hours=80)
    await log.approve(await log.file(ONE), key=None)


async def signing_taken_away(log: Writer) -> None:
    await log.load(signed_policy({}, "none", signing="\n"))
    log.later(hours=80)
    await log.approve(await log.file(ONE), key=None)


async def a_quicker_clock(log: Writer) -> None:
    """The request's own times claim that the clock ran a million times faster, so that every delay was over."""
    await log.load(signed_policy({"olga": (OLGA, EVIL), "ruth": (RUTH,)}))
    log.later(seconds=5)
    await log.file(ONE, until=log.clock.now())
    await log.approve(ONE, key=EVIL)


async def replayed(log: Writer) -> None:
    statement = log.decision(await log.file(ONE), OWNER)
    value = OLGA.sign(statement.to_bytes())
    await log.approve(ONE, statement=statement, value=value)
    await log.approve(await log.file(TWO), statement=statement, value=value)


async def replayed_in_its_own_case(log: Writer) -> None:
    """An honest yes of two minutes ago opens it a second time."""
    statement = log.decision(await log.file(ONE), OWNER)
    value = OLGA.sign(statement.to_bytes())
    await log.approve(ONE, statement=statement, value=value)
    await log.write("grant.finished", Actor("person", PE1, "northgate"), ONE)
    await log.approve(ONE, statement=statement, value=value)


async def her_no(log: Writer) -> None:
    await log.file(ONE)
    await log.approve(ONE, statement=log.decision(ONE, OWNER, "deny"))


async def her_trial(log: Writer) -> None:
    await log.file(ONE)
    await log.approve(ONE, statement=replace(log.decision(ONE, OWNER), type="test"))


async def her_sign_in(log: Writer) -> None:
    await log.file(ONE)
    await log.approve(ONE, statement=log.statement(OWNER, "session"))


async def her_endorsement(log: Writer) -> None:
    await log.file(ONE)
    about = {"from": log.policy.digest, "to": log.policy.digest}
    await log.approve(ONE, statement=log.statement(OWNER, "policy", **about))


async def longer_than_she_signed(log: Writer) -> None:
    await log.file(ONE)
    await log.approve(ONE, statement=log.decision(ONE, OWNER, seconds=600))


async def a_longer_grant(log: Writer) -> None:
    await log.file(ONE)
    await log.approve(ONE, statement=log.decision(ONE, OWNER, seconds=600), seconds=600)


async def of_another_log(log: Writer) -> None:
    await log.file(ONE)
    await log.approve(ONE, statement=replace(log.decision(ONE, OWNER), log="staging.example/log"))


async def long_ago(log: Writer) -> None:
    """A statement that she signed an hour ago, and whose request was denied to the page's other side."""
    statement = log.decision(await log.file(ONE), OWNER)
    value = OLGA.sign(statement.to_bytes())
    log.later(hours=1)
    await log.approve(ONE, statement=statement, value=value)


async def behind_a_question(log: Writer) -> None:
    statement = log.decision(await log.file(ONE), OWNER)
    await log.write("request.answered", Actor("person", PE1, "northgate"), ONE)
    await log.approve(ONE, statement=statement)


async def in_the_name_of_another(log: Writer) -> None:
    """Her signature under somebody else's yes."""
    await log.file(ONE)
    statement = log.decision(ONE, OWNER)
    private = (Private("signature", OLGA.sign(statement.to_bytes()), OWNER),)
    told = {"have": 1, "need": 1, "seconds": 3600, "role": "risk_owner", "signed": True}
    told |= {"statement": hashlib.sha256(statement.to_bytes()).hexdigest()}
    await log.write("request.approved", RUTHS, ONE, *private, **told)
    await opens(log)


async def no_yes_at_all(log: Writer) -> None:
    await log.file(ONE)
    await opens(log)


async def opened_by_the_clock(log: Writer) -> None:
    await log.file(ONE)
    await log.write("grant.opened", CLOCK, ONE, seconds=3600, not_after=log.clock.now())


async def as_a_break_glass(log: Writer) -> None:
    """The runbook has none."""
    await log.file(ONE)
    await log.write("breakglass.opened", Actor("person", PE1, "northgate"), ONE, ratify_by=log.clock.now())
    await opens(log)


async def under_another_runbook(log: Writer) -> None:
    """Filed under the signed runbook, answered as if it were one that nobody signs."""
    await log.file(ONE)
    await foreign(log, ONE, "account-unlock")
    await opens(log)


async def more_time(log: Writer) -> None:
    await log.approve(await log.file(ONE))
    await log.write("extension.asked", Actor("person", PE1, "northgate"), ONE, seconds=3600)
    await log.approve(ONE, key=None, opens=False)
    await log.write("grant.extended", OLGAS, ONE, seconds=7200, not_after=log.clock.now())


async def more_time_without_a_word(log: Writer) -> None:
    await log.approve(await log.file(ONE))
    await log.write("grant.extended", OLGAS, ONE, seconds=7200, not_after=log.clock.now())


async def ratified(log: Writer) -> None:
    await log.file(ONE)
    await log.write("breakglass.ratified", OLGAS, ONE, role="owner")


async def on_a_removed_key(log: Writer) -> None:
    """Her key was stolen, and is removed; the thief signs all the same."""
    await log.file(ONE)
    await log.load(signed_policy({"ruth": (RUTH,)}))
    await log.approve(ONE, key=OLGA)


async def the_removal_unsaid(log: Writer) -> None:
    """The same, with entries that go on to name the set with the key."""
    await log.file(ONE)
    honest = log.policy
    await log.load(signed_policy({"ruth": (RUTH,)}))
    shrunk, log.policy = log.policy, honest
    await log.approve(ONE, key=OLGA)
    log.policy = shrunk


async def a_copied_counter(log: Writer) -> None:
    OLGA.count -= 1
    await log.approve(await log.file(ONE))


async def vanished(log: Writer) -> None:
    await log.approve(await log.file(ONE), key=EVIL)
    drop(log)


async def erased_by_nobody(log: Writer) -> None:
    await log.approve(await log.file(ONE), key=EVIL)
    digest = drop(log)
    await log.write("privacy.erased", OPERATOR, None, subject=log.ref(OWNER), digests=(digest,))


async def erased_by_an_unsigned_act(log: Writer) -> None:
    """Two confirms that nobody signed, where operators' acts are signed."""
    await log.load(signed_policy(signing=(EXTRA % (RP, RP)).replace("none", "required")))
    await log.approve(await log.file(ONE), key=EVIL)
    digest = drop(log)
    subject = log.ref(OWNER)
    await confirmed(log, subject)
    await log.write("privacy.erased", OPERATOR, None, subject=subject, digests=(digest,))


async def from_the_beginning(log: Writer) -> None:
    """Everything is written anew with own keys in the first set: only the pin shows it."""
    await log.store.close()
    log.path.unlink()
    await log.open()
    await log.load(signed_policy({"olga": (EVIL,), "ruth": (RUTH,)}))
    await log.approve(await log.file(ONE), key=EVIL)


async def longer_than_one_of_two_signed(log: Writer) -> None:
    """Two yeses, of which the shorter counts: the grant takes the longer."""
    await log.load(signed_policy(approvals=2))
    await log.file(ONE)
    short, long = log.decision(ONE, OWNER, need=2, seconds=600), log.decision(ONE, RISK, role="risk_owner", need=2)
    await log.approve(ONE, statement=short, opens=False, need=2, seconds=600)
    await log.approve(
        ONE, RISK, RUTH, statement=replace(long, about={**long.about, "seen": log.leaves(ONE)[-1]}), need=2, have=2
    )


async def an_end_far_off(log: Writer) -> None:
    """The seconds are those that she signed, and the end is not."""
    await log.approve(await log.file(ONE), opens=False)
    await log.write("grant.opened", OLGAS, ONE, seconds=3600, not_after=log.clock.now() + timedelta(days=30))


async def a_longer_extension(log: Writer) -> None:
    """She signed ten minutes more, and it is a day."""
    await log.approve(await log.file(ONE))
    await log.write("extension.asked", Actor("person", PE1, "northgate"), ONE, seconds=86_400)
    statement = log.decision(ONE, OWNER, "extend", seconds=600)
    await log.approve(ONE, statement=statement, opens=False, seconds=600, extends=True)
    await log.write("grant.extended", OLGAS, ONE, seconds=3600 + 86_400, not_after=log.clock.now() + timedelta(days=1))


async def an_exception_beyond_its_grant(log: Writer) -> None:
    """The grant ends as she signed, and the exception that comes with it does not."""
    await log.approve(await log.file(ONE))
    await log.write("exception.opened", OLGAS, ONE, until=log.clock.now() + timedelta(days=30))


async def past_the_day_that_she_signed(log: Writer) -> None:
    """She signed until tomorrow; grant and exception hold for a month."""
    await log.file(ONE)
    day, end = str((log.clock.now() + timedelta(days=1)).date()), log.clock.now() + timedelta(days=30)
    statement = log.decision(ONE, OWNER, until=day)
    statement = replace(statement, about={name: value for name, value in statement.about.items() if name != "seconds"})
    await log.approve(ONE, statement=statement, opens=False, until=day, seconds=30 * 86_400)
    await log.write("grant.opened", OLGAS, ONE, seconds=30 * 86_400, not_after=end)
    await log.write("exception.opened", OLGAS, ONE, until=end)


async def restored_by_the_clock(log: Writer) -> None:
    """Who lost their authority by a reset has it again, and no person said so."""
    about = {"domain": "directory", "subject": RISK, "reset": "R-00000000"}
    await log.write("authority.suspended", SYSTEM, ONE, **about)
    await log.write("authority.restored", CLOCK, ONE, domain="directory", subject=RISK)


async def said_by_the_system(log: Writer) -> None:
    """A yes in nobody's name."""
    await log.file(ONE)
    await log.write("request.approved", SYSTEM, ONE, have=1, need=1, seconds=3600, role="owner")
    await opens(log)


async def begun_before_the_log(log: Writer) -> None:
    """A case that claims to have begun in entries which nobody pruned."""
    await opens(log)


async def unsaid(log: Writer, policy: Policy) -> Policy:
    """A set that lies in the database, and that no entry says to have been loaded."""
    await log.store.policies.accept(StoredPolicy(policy.digest, log.clock.now(), policy.files), [])
    return policy


async def foreign(log: Writer, case: str, runbook: str) -> None:
    log.later(seconds=1)
    told: dict[str, Any] = {"have": 1, "need": 1, "seconds": 3600, "role": "owner"}
    book = FileDigest(runbook, log.policy.runbooks[runbook].sha256)
    named_ = FileDigest(log.policy.organisation, log.policy.digest)
    entry = LogEvent("request.approved", OLGAS, case, told, runbook=book, policy=named_)
    await log.store.commit(Transition(None, None, (entry,)))


FORGERIES: tuple[Callable[[Writer], Awaitable[None]], ...] = (
    nobody_signed, it_only_says_so, own_key, own_key_as_hers, own_key_merged, own_key_merged_and_endorsed_by_itself, own_key_merged_and_taken_back, own_key_without_a_word, the_set_of_before, the_set_of_before_at_the_yes, a_set_that_was_never_loaded, the_demand_taken_away, signing_taken_away, a_quicker_clock, replayed, replayed_in_its_own_case, her_no, her_trial, her_sign_in, her_endorsement, longer_than_she_signed, a_longer_grant, of_another_log, long_ago, behind_a_question, in_the_name_of_another, no_yes_at_all, opened_by_the_clock, as_a_break_glass, under_another_runbook, more_time, more_time_without_a_word, ratified, on_a_removed_key, the_removal_unsaid, a_copied_counter, vanished, erased_by_nobody, erased_by_an_unsigned_act, from_the_beginning, longer_than_one_of_two_signed, an_end_far_off, a_longer_extension, an_exception_beyond_its_grant, past_the_day_that_she_signed, restored_by_the_clock, said_by_the_system, begun_before_the_log,
)  # fmt: skip


async def test_the_honest_log_has_no_findings(log: Writer, tmp_path: Path) -> None:
    assert named(log, tmp_path / "evidence", log.policy.digest) == set()


@pytest.mark.parametrize("forged", FORGERIES)
async def test_each_forgery_is_named(log: Writer, tmp_path: Path, forged: Callable[[Writer], Awaitable[None]]) -> None:
    root = log.policy.digest
    await forged(log)
    assert named(log, tmp_path / "evidence", root)


# What remains possible, as docs/security/signing.md says.


async def test_a_forged_yes_whose_signature_an_erasure_took_is_counted_as_unproven(log: Writer, tmp_path: Path) -> None:
    """Where operators' acts are not signed, their two confirms are clicks, and the host can write those: no finding, and a number."""
    root = log.policy.digest
    await log.approve(await log.file(ONE), key=EVIL)
    digest, subject = drop(log), log.ref(OWNER)
    await confirmed(log, subject)
    await log.write("privacy.erased", OPERATOR, None, subject=subject, digests=(digest,))
    assert named(log, tmp_path / "evidence", root) == set()
    assert policy_check(log.path, root).unproven == 1
    assert check_export(tmp_path / "evidence", VKEY, policy_root=root).unproven_signatures == 1
