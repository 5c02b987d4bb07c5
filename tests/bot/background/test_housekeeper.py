"""Free text leaves the state once a case is over and delivered; what needs it reads `log_private`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.background.housekeeper import Housekeeper
from bot.domain.decision_log.entry import disclosed
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.commands import Press, ReplyAddress
from tests.bot.building import HOME, HOUR, MINUTE
from tests.bot.office import Office
from tests.database import connect, open_store, tables

ASKER, OWNER = Person(HOME, "U0PE1"), Person(HOME, "U0OWNER")
BOOK = "directory-admin-emergency"
TYPED = {"target": "dc-secret-target", "reason": "typed-reason with words", "ticket": "INC7777001"}


async def filed(office: Office, **how: Any) -> str:
    told = {"target": TYPED["target"], "reason": TYPED["reason"], "fields": {"ticket": TYPED["ticket"]}} | how
    return await office.file(ASKER, BOOK, **told)


async def said(office: Office, person: Person, case_id: str, deed: Any, text: str, **how: Any) -> None:
    await office.take_in(Press(person, case_id, 1, deed, ReplyAddress(person, channel="D0"), text, **how))
    await office.worker.drain()


async def nothing() -> None:
    """Nothing is sent meanwhile."""


async def over(office: Office, speak: Callable[[], Awaitable[None]] = nothing) -> str:
    """A request that used every way to type something, to its end."""
    case_id = await filed(office)
    await speak()
    for person, deed in ((OWNER, "question"), (ASKER, "answer"), (ASKER, "push")):
        await said(office, person, case_id, deed, f"typed-{deed}")
        await speak()
    await office.click(OWNER, case_id)
    await office.click(ASKER, case_id, "finish")
    while (await office.case(case_id)).owed():
        await said(office, ASKER, case_id, "evidence", "typed-evidence", name="")
        await said(office, ASKER, case_id, "attest", "", name="")
    case = await office.case(case_id)
    review = next(ask for ask in case.asks if ask.kind == "review")
    reviewer = Person(HOME, "U0DEP1")
    await office.forward(20 * HOUR, HOUR)
    flag = Press(reviewer, case_id, review.version, "flag", ReplyAddress(reviewer, channel="D0"), "typed-review")
    await office.take_in(flag)
    await office.worker.drain()
    return case_id


TEXTS = (*TYPED.values(), "typed-question", "typed-answer", "typed-push", "typed-evidence", "typed-review")


def bytes_of(path: Path) -> bytes:
    """Everything on the disk for this database."""
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))


def tables_with(path: Path, text: str) -> list[str]:
    """The tables that hold a text, read past our own code; disclosures decoded."""
    found = []
    with closing(connect(path)) as raw:
        for name in tables(raw):
            for row in raw.execute(f"SELECT * FROM {name}"):
                values = [disclosed(v)[1] if name == "log_private" and n == 2 else str(v) for n, v in enumerate(row)]
                if any(text in value for value in values):
                    found.append(name)
                    break
    return found


@pytest.mark.sqlite  # it reads the bytes of the database's file
async def test_after_the_end_and_delivery_only_log_private_has_what_was_typed(trust: Office) -> None:
    case_id = await over(trust)
    before = await trust.case(case_id)
    assert [t for t in TEXTS if t.encode() in bytes_of(trust.path)] == list(TEXTS)
    await trust.deliver()
    await Housekeeper(trust.store).work()
    assert [t for t in TEXTS if t.encode() in bytes_of(trust.path)] == []
    assert {t: tables_with(trust.path, t) for t in TEXTS} == {t: ["log_private"] for t in TEXTS}
    assert await trust.case(case_id) == before


async def test_nothing_is_emptied_while_something_is_open_or_unsaid(trust: Office) -> None:
    keeper = Housekeeper(trust.store)
    case_id = await filed(trust)
    await trust.deliver()
    await keeper.work()
    assert "request" in tables_with(trust.path, TYPED["target"])
    await trust.click(OWNER, case_id, "deny")
    await keeper.work()
    assert "request" in tables_with(trust.path, TYPED["target"])
    assert "outbox" in tables_with(trust.path, "not now")
    await trust.deliver()
    await keeper.work()
    assert tables_with(trust.path, TYPED["target"]) == ["log_private"]
    assert tables_with(trust.path, "not now") == ["log_private"]


async def test_what_is_handed_in_after_the_end_leaves_too(trust: Office) -> None:
    case_id = await filed(trust)
    await trust.click(OWNER, case_id)
    await trust.click(ASKER, case_id, "finish")
    for version in [ask.version for ask in (await trust.case(case_id)).later]:
        await trust.forward(20 * HOUR, HOUR)
        await trust.click(Person(HOME, "U0DEP1"), case_id, "accept", version)
    await trust.deliver()
    keeper = Housekeeper(trust.store)
    await keeper.work()
    assert tables_with(trust.path, TYPED["reason"]) == ["log_private"]
    await said(trust, ASKER, case_id, "evidence", "typed-evidence", name="")
    await trust.deliver()
    await keeper.work()
    assert tables_with(trust.path, "typed-evidence") == ["log_private"]
    notes = [note.text for note in (await trust.case(case_id)).approval.notes]
    assert [text for text in notes if text.endswith("typed-evidence")]
    assert (await trust.case(case_id)).request.reason == TYPED["reason"]


@pytest.mark.parametrize("emptied", [False, True])
async def test_a_denied_repeat_is_known_by_its_target_in_any_field(trust: Office, emptied: bool) -> None:
    case_id = await filed(trust)
    await trust.click(OWNER, case_id, "deny")
    await trust.deliver()
    if emptied:
        await Housekeeper(trust.store).work()
    same, other = await filed(trust), await filed(trust, target="dc-another")
    assert [(await trust.case(c)).request.denied_lately for c in (same, other)] == [True, False]


@pytest.mark.parametrize("emptied", [False, True])
async def test_an_expired_repeat_is_known_by_its_target_in_any_field(trust: Office, emptied: bool) -> None:
    case_id = await filed(trust)
    await trust.forward(46 * MINUTE)
    assert str(await trust.state(case_id)) == "expired"
    await trust.deliver()
    if emptied:
        await Housekeeper(trust.store).work()
    same, other = await filed(trust), await filed(trust, target="dc-another")
    asked = [len((await trust.case(c)).approval.asked) for c in (same, other)]
    assert asked[0] > asked[1]


@pytest.mark.sqlite  # it reads the bytes of the database's file
async def test_what_cannot_be_shed_now_is_shed_at_the_next_look(tmp_path: Path, example: Policy) -> None:
    async with Office(tmp_path / "countersign.db", example) as office:
        case_id = await filed(office)
        await office.click(OWNER, case_id, "deny")
        await office.deliver()
        keeper = Housekeeper(office.store)
        with closing(connect(office.path)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM request").fetchone()
            await keeper.work()
            assert TYPED["reason"].encode() in bytes_of(office.path)
        await keeper.work()
        assert TYPED["reason"].encode() not in bytes_of(office.path)


async def test_a_store_opened_for_reading_sheds_nothing(trust: Office) -> None:
    reading = await open_store(trust.path, trust.clock, read_only=True)
    with pytest.raises(Exception, match="reading only"):
        await reading.operator.shed()
    await reading.close()
