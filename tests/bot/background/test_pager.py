"""Pages leave beside Slack: to the right address, with nothing that was typed, again until they are taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.background.pager import Pager, addresses
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.policy.model import NamedPerson
from bot.ports.commands import Press, ReplyAddress
from tests.bot import parts
from tests.bot.building import HOUR, MINUTE, ONC1, OWNER, PE1, SECURITY, case_of, policy
from tests.bot.office import Office, covered

BASE = policy(
    people=(NamedPerson("olga", OWNER, "Olga", "env:PAGE_OLGA"),),
    rotas=[replace(SECURITY, page="env:PAGE_SECURITY")],
)
WHERE = {"PAGE_OLGA": "ntfy://olga", "PAGE_SECURITY": "pagerduty://KEY"}


@dataclass
class Line:
    """What was sent; `dead` addresses take nothing, `broken` raise."""

    sent: list[tuple[str, ...]] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    def __call__(self, address: str, action: str, key: str, title: str, text: str, link: str) -> bool:
        if address in self.broken:
            raise ConnectionError(f"secret in {address}")
        if address in self.dead:
            return False
        self.sent.append((address, action, key, title, text, link))
        return True


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "bot.db", BASE) as opened:
        yield opened


def pager(office: Office, line: Line, where: Mapping[str, str] = WHERE) -> Pager:
    return parts.pager(office, where, line, covered)


async def paged(office: Office, line: Line, **how: object) -> list[tuple[str, str]]:
    """Cards are delivered first, as they are; then who was paged, and what for."""
    await office.deliver()
    await pager(office, line).drain()
    return sorted((address, action) for address, action, *_ in line.sent)


async def test_a_stopped_log_pages_nobody_and_forgets_no_page(office: Office) -> None:
    line = Line()

    async def stopped() -> LogFinding:
        return LogFinding("rollback", None, "5 entries were signed; the log has 4.")

    await office.file(PE1, "glass")
    await office.deliver()
    await parts.pager(office, WHERE, line, stopped).drain()
    assert line.sent == []
    office.sleep(MINUTE)
    await pager(office, line).drain()
    assert line.sent != []


async def test_an_immediate_request_pages_everybody_who_has_an_address(office: Office) -> None:
    line = Line()
    case_id = await office.file(PE1, "contain")
    assert await paged(office, line) == [("ntfy://olga", "trigger"), ("pagerduty://KEY", "trigger")]
    assert office.log(case_id)[-1]["data"]["purpose"] == "page"


async def test_what_was_typed_is_in_no_page(office: Office) -> None:
    line = Line()
    await office.file(PE1, "contain", target="srv-secret", reason="because of Jane Doe")
    await paged(office, line)
    for _, _, key, title, text, link in line.sent:
        assert "srv-secret" not in title + text
        assert "Jane" not in title + text
        assert title == "Northgate: The contain runbook"
        assert text == f"{key}, Corporate directory. Answer in Slack by 09:45 UTC."
        assert link.startswith("https://slack.example/")


async def test_on_it_acknowledges_and_the_decision_resolves(office: Office) -> None:
    line = Line()
    case_id = await office.file(PE1, "contain")
    await paged(office, line)
    await office.take_in(Press(OWNER, case_id, 1, "hold", ReplyAddress(OWNER, channel="D0")))
    await office.worker.drain()
    line.sent.clear()
    assert await paged(office, line) == [("ntfy://olga", "acknowledge"), ("pagerduty://KEY", "acknowledge")]
    await office.click(OWNER, case_id)
    line.sent.clear()
    assert await paged(office, line) == [("ntfy://olga", "resolve"), ("pagerduty://KEY", "resolve")]


async def test_a_queued_page_dies_with_the_decision(office: Office) -> None:
    line = Line()
    case_id = await office.file(PE1, "contain")
    await office.click(OWNER, case_id)
    assert {action for _, action in await paged(office, line)} == {"resolve"}


@pytest.mark.parametrize("kind", ["dead", "broken"])
async def test_one_failure_is_retried_until_it_is_taken_and_no_address_is_logged(office: Office, kind: str) -> None:
    line = Line(**{kind: {"ntfy://olga"}})
    case_id = await office.file(PE1, "contain")
    await paged(office, line)
    assert [a for a, *_ in line.sent] == ["pagerduty://KEY"]
    getattr(line, kind).clear()
    office.clock.at += 5 * MINUTE
    await pager(office, line).drain()
    assert [a for a, *_ in line.sent] == ["pagerduty://KEY", "ntfy://olga"]
    assert "olga" not in str(office.log(case_id)).lower().replace("u0owner", "")


async def test_a_page_that_is_never_taken_is_recorded_with_its_reason(office: Office) -> None:
    line = Line(dead={"ntfy://olga", "pagerduty://KEY"})
    case_id = await office.file(PE1, "contain")
    await office.deliver()
    office.policy = BASE
    office.clock.at += timedelta(minutes=1)
    await pager(office, line).drain()
    office.looking.execute("UPDATE outbox SET created_ms = created_ms - 7300000, not_before_ms = 0 WHERE purpose = 'pager'")
    await pager(office, line).drain()
    failed = [e["data"] for e in office.log(case_id) if e["type"] == "delivery.failed"]
    assert {(d["purpose"], d["error"]) for d in failed} == {("page", "not_taken")}
    assert len(failed) == 2


async def test_an_unset_address_is_a_failure_that_is_reported(office: Office) -> None:
    case_id = await office.file(PE1, "contain")
    await office.deliver()
    await pager(office, Line(), {}).drain()
    failed = [e["data"]["error"] for e in office.log(case_id) if e["type"] == "delivery.failed"]
    assert failed == ["no_address", "no_address"]


async def test_a_page_waits_a_moment_for_the_card_it_leads_to(office: Office) -> None:
    line = Line()
    await office.file(PE1, "contain")
    await pager(office, line).drain()
    assert line.sent == []
    office.clock.at += timedelta(seconds=6)
    await pager(office, line).drain()
    assert [link for *_, link in line.sent] == ["", ""]


async def test_anyone_who_sleeps_is_paged_and_the_ladder_waits(office: Office) -> None:
    line = Line()
    office.directory.asleep = {OWNER: office.clock.at + 8 * HOUR}
    case_id = await office.file(PE1)
    assert await paged(office, line) == [("ntfy://olga", "trigger")]
    assert office.types(case_id).count("step.fired") == 1


async def test_sleep_counts_in_emergencies_only(office: Office) -> None:
    office.directory.asleep = {office.policy.domains["machines"].owner: office.clock.at + 8 * HOUR}
    case_id = await office.file(PE1, "token")
    assert office.types(case_id) == ["request.filed", "step.fired"]
    assert "quiet" not in office.log(case_id)[-1]["data"]


async def test_when_slack_takes_nothing_the_page_says_that_only_a_no_is_possible(office: Office) -> None:
    line = Line()
    await office.file(PE1)
    [card] = [
        o for o in await office.store.outbox.lease(office.clock.at, office.clock.at + MINUTE, 9) if o.say.purpose == "card"
    ]
    await office.service.transactions.slack_is_silent(card)
    await office.service.transactions.slack_is_silent(card)
    office.clock.at += timedelta(seconds=6)
    await pager(office, line).drain()
    assert len(line.sent) == 1
    assert line.sent[0][0] == "ntfy://olga"
    assert "only a no is possible: countersign requests deny" in line.sent[0][4]


def test_the_on_calls_page_is_the_rotas() -> None:
    case = case_of(BASE)
    assert addresses(BASE, case, ONC1, "on_call", WHERE) == ("pagerduty://KEY",)
    assert addresses(BASE, case, ONC1, "deputies", WHERE) == ()


async def test_a_page_names_the_deadline_in_the_time_zone_of_whom_it_rings(office: Office) -> None:
    office.directory.special[OWNER] = {"time_zone": "Asia/Kolkata"}
    line = Line()
    await office.file(PE1, "glass")
    await paged(office, line)
    assert ["IST" in sent[4] for sent in line.sent if sent[0] == "ntfy://olga"] == [True]
