"""What the log says of a reset, judged again by the policy files it names."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.decision_log.verify.decisions import Rejudge
from bot.domain.policy.governance import OwnerTerm
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.commands import Press, ReplyAddress
from tests.bot.building import DEP1, HOME, HOUR, MINUTE, OWNER, PE1, STRANGER, T0, policy, runbook, with_domain
from tests.bot.office import Office

Entries = list[dict[str, Any]]
METHODS = ("manager_callback", "id_document")
RESET = runbook(
    "mfa", kind="reset", subject_verification=METHODS, not_before=1800, escalation="short", review_within=None
)  # fmt: skip
UNLOCK = runbook(
    "unlock", kind="reset", right="autonomous", escalation=None, review_within=None, review_every=86400, sha256="11" * 32
)  # fmt: skip
BASE = policy(runbooks=[RESET, UNLOCK, runbook("emergency")])


@pytest.fixture
async def entries(tmp_path: Path) -> Entries:
    """The log of one reset that was attested, approved, cooled off and opened; people as `TEAM/USER`."""
    async with Office(tmp_path / "countersign.db", BASE) as office:
        case_id = await office.file(PE1, "mfa", subject=STRANGER)
        for name in METHODS:
            word = Press(PE1, case_id, 1, "verify", ReplyAddress(PE1), "call 4711", name, at=T0.isoformat())
            await office.take_in(word)
            await office.worker.drain()
        await office.click(OWNER, case_id)
        await office.forward(HOUR)
        return [_told(entry) for entry in office.log(case_id)]


def _told(value: Any) -> Any:
    if isinstance(value, Person):
        return str(value)
    if isinstance(value, dict):
        return {key: _told(inner) for key, inner in value.items()}
    return [_told(inner) for inner in value] if isinstance(value, list) else value


def findings(entries: Entries, under: Policy = BASE) -> list[str]:
    people = {str(Person(HOME, user)): str(Person(HOME, user)) for user in ("U0OWNER", "U0PE1", "U0NOBODY", "U0DEP1")}
    judge = Rejudge(lambda digest: under, people)
    return [f.text for entry in entries for f in judge.findings(entry["i"], entry)]


@pytest.fixture
async def whole(tmp_path: Path) -> Entries:
    """The log of a deputy's reset and restoring, a yes of theirs afterwards, a right that was used and then withdrawn."""
    async with Office(tmp_path / "countersign.db", BASE) as office:
        await office.sweeper.sweep()
        case_id = await office.file(PE1, "mfa", subject=DEP1)
        for name in METHODS:
            word = Press(PE1, case_id, 1, "verify", ReplyAddress(PE1), "call 4711", name, at=T0.isoformat())
            await office.take_in(word)
            await office.worker.drain()
        await office.click(OWNER, case_id)
        await office.forward(HOUR)
        ids = {m.kind: m.id for m in await office.store.cases.system_cases()}
        suspended, right = ids["suspension"], ids["right"]
        await office.click(OWNER, suspended, "restore")
        emergency = await office.file(PE1)
        await office.forward(6 * MINUTE)
        await office.click(DEP1, emergency)
        await office.file(PE1, "unlock", target="a")
        await office.forward(25 * HOUR, every=HOUR)
        await office.click(OWNER, right, "withdraw_right")
        return [_told(entry) for entry in office.log()]


def a_yes_while_suspended(entries: Entries) -> None:
    entries.remove(of_type(entries, "authority.restored"))


def a_restoring_by_the_suspended(entries: Entries) -> None:
    of_type(entries, "authority.restored")["actor"] |= {"ref": str(DEP1)}
    of_type(entries, "authority.restored")["data"]["role"] = "deputies"


def a_restoring_by_a_provider(entries: Entries) -> None:
    of_type(entries, "authority.restored")["actor"] |= {"ref": str(PE1), "party": "northgate"}


def a_use_of_a_withdrawn_right(entries: Entries) -> None:
    withdrawn = of_type(entries, "right.withdrawn")
    entries.remove(withdrawn)
    entries.insert(entries.index(of_type(entries, "right.begun")) + 1, withdrawn)


def a_right_kept_by_somebody_else(entries: Entries) -> None:
    of_type(entries, "right.withdrawn")["actor"] |= {"ref": "T0HOME/U0NOBODY"}


def test_an_honest_log_of_what_nobody_filed_has_no_findings(whole: Entries) -> None:
    kinds = {entry["type"] for entry in whole}
    assert {"authority.suspended", "authority.restored", "right.begun", "review.due", "right.withdrawn"} <= kinds
    assert findings(whole) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (a_yes_while_suspended, "request.approved by somebody whose authority was suspended"),
        (a_restoring_by_the_suspended, "authority.restored by the subject"),
        (a_restoring_by_a_provider, "Nobody of a provider decides"),
        (a_use_of_a_withdrawn_right, "it opened under a right that was withdrawn"),
        (a_right_kept_by_somebody_else, "not named for the domain directory"),
    ],
    ids=lambda v: v.__name__ if callable(v) else "",
)
def test_what_nobody_filed_is_judged_again_too(whole: Entries, change: Callable[[Entries], None], said: str) -> None:
    forged = copy.deepcopy(whole)
    change(forged)
    found = findings(forged)
    assert [text for text in found if said in text], found


def of_type(entries: Entries, kind: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["type"] == kind)


def a_yes_before_the_proof(entries: Entries) -> None:
    entries.remove(of_type(entries, "subject.verified"))


def a_yes_of_the_subject(entries: Entries) -> None:
    of_type(entries, "request.filed")["data"]["subject"] = str(OWNER)


def a_grant_before_its_time(entries: Entries) -> None:
    of_type(entries, "grant.opened")["ts"] = "2026-03-04T09:29:59.999Z"


def test_an_honest_reset_has_no_findings(entries: Entries) -> None:
    assert "subject.verified" in {entry["type"] for entry in entries}
    assert findings(entries) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (a_yes_before_the_proof, "a yes before manager_callback was attested"),
        (a_yes_of_the_subject, "request.approved by the subject"),
        (a_grant_before_its_time, "it opened before 2026-03-04T09:30:00.000Z"),
    ],
    ids=lambda v: v.__name__ if callable(v) else "",
)
def test_what_the_policy_does_not_allow_is_named(entries: Entries, change: Callable[[Entries], None], said: str) -> None:
    forged = copy.deepcopy(entries)
    change(forged)
    found = findings(forged)
    assert [text for text in found if said in text], found


def confirmation(person: Person, party: str = "home", row: str = "mfa") -> Entries:
    actor = {"kind": "person", "ref": str(person), "party": party}
    data = {"set": "0" * 64, "rows": [{"row": row, "digest": "0" * 64}]}
    policy_of = {"id": "x", "sha256": "0" * 64}
    return [
        {
            "i": 0,
            "ts": "2026-03-04T09:00:00.000Z",
            "type": "matrix.confirmed",
            "actor": actor,
            "data": data,
            "policy": policy_of,
        }
    ]


def test_the_matrix_is_confirmed_by_owners_of_home_for_their_own_rows() -> None:
    assert findings(confirmation(OWNER)) == []
    assert any("neither owns" in text for text in findings(confirmation(DEP1)))
    assert any("neither owns" in text for text in findings(confirmation(OWNER, row="domain:machines")))
    assert any("Nobody of a provider" in text for text in findings(confirmation(PE1, "northgate")))


def owned_until(day: date, then: Person = DEP1) -> Policy:
    """The set in which OWNER owns the directory until a day, and somebody else afterwards."""
    terms = (OwnerTerm(OWNER, None, day), OwnerTerm(then, day + timedelta(days=1)))
    return with_domain(BASE, terms=terms, deputies=())


def test_a_yes_is_judged_by_the_owner_of_its_day(entries: Entries) -> None:
    assert findings(entries, owned_until(T0.date())) == []
    late = findings(entries, owned_until(T0.date() - timedelta(days=1)))
    assert any("U0OWNER" in text for text in late)


def test_an_entry_a_moment_after_midnight_is_of_an_act_of_the_day_before(entries: Entries) -> None:
    yes = of_type(entries, "request.approved")
    before = T0.date() - timedelta(days=1)
    for seconds, clean in ((2, True), (9, False)):
        yes["ts"] = f"{T0.date()}T00:00:0{seconds}.000Z"
        found = [text for text in findings(entries, owned_until(before)) if "approved" in text]
        assert (found == []) is clean, found


async def _opened(tmp_path: Path) -> Entries:
    async with Office(tmp_path / "opened.db", BASE) as office:
        case_id = await office.file(PE1)
        await office.click(OWNER, case_id)
        return [_told(entry) for entry in office.log(case_id)]


def _provider(kind: str, opened: Entries, **data: Any) -> dict[str, Any]:
    plain = {"actor": {"kind": "operator"}, "policy": opened[0]["policy"], "i": 0, "ts": opened[0]["ts"]}
    return plain | {"type": f"provider.{kind}", "case": "R-00000099", "data": {"provider": "northgate"} | data}


async def test_a_grant_that_opened_while_its_provider_was_suspended_in_the_domain_is_found(tmp_path: Path) -> None:
    opened = await _opened(tmp_path)
    begun, over = (_provider(kind, opened, domain="directory") for kind in ("suspended", "resumed"))
    assert findings([begun, over]) == ["R-00000099: provider.resumed by no person. Only people decide."]
    over["actor"] = next(entry["actor"] for entry in opened if entry["type"] == "request.approved")
    elsewhere = _provider("suspended", opened, domain="machines")
    assert findings([begun, *opened]) == [f"{opened[0]['case']}: it opened while northgate was suspended in directory."]
    assert findings([begun, over, *opened]) == []
    assert findings([elsewhere, *opened]) == []


async def test_a_grant_that_opened_after_its_provider_was_ended_is_found(tmp_path: Path) -> None:
    opened = await _opened(tmp_path)
    ended = _provider("ended", opened) | {"case": None}
    unconfirmed, found = findings([ended, *opened])
    assert "without an act that an owner and a risk owner, two people, had confirmed" in unconfirmed
    assert "it opened after northgate was ended on" in found
    later = replace(BASE.providers["northgate"], contract_from=T0.date() + timedelta(days=1))
    assert findings([ended, *opened], replace(BASE, providers={**BASE.providers, "northgate": later})) == [unconfirmed]


EXPOSED = runbook("exposed", kind="finding", providers=("northgate",), review_within=None)


@pytest.fixture
async def reported(tmp_path: Path) -> Entries:
    """The log of a finding that was acknowledged and closed."""
    async with Office(tmp_path / "countersign.db", policy(runbooks=[EXPOSED])) as office:
        case_id = await office.file(PE1, "exposed", seconds=0)
        for who, action in ((OWNER, "acknowledge"), (DEP1, "close")):
            await office.take_in(Press(who, case_id, 1, action, ReplyAddress(who, channel="D0"), "rotated"))
            await office.worker.drain()
        return [_told(entry) for entry in office.log(case_id)]


def test_an_honest_finding_has_no_findings(reported: Entries) -> None:
    assert findings(reported, policy(runbooks=[EXPOSED])) == []


@pytest.mark.parametrize(
    ("kind", "who", "said"),
    [
        ("finding.acknowledged", {"ref": str(STRANGER)}, "not named for the domain"),
        ("finding.acknowledged", {"ref": str(PE1), "party": "northgate"}, "acknowledges and closes nothing"),
        ("finding.closed", {"ref": str(PE1)}, "belongs to northgate"),
        ("finding.closed", {"ref": str(STRANGER)}, "not named for the domain"),
    ],
)
def test_only_people_of_the_domain_acknowledge_and_close(
    reported: Entries, kind: str, who: dict[str, str], said: str
) -> None:
    of_type(reported, kind)["actor"] |= who
    assert any(said in text for text in findings(reported, policy(runbooks=[EXPOSED])))
