"""What the metrics count of commands, steps, questions, transactions, leaders and the signer, on a real store."""

from __future__ import annotations

import pytest

from bot.background.inbox_worker import InboxWorker
from bot.domain.decision_log.merkle_tree import root
from bot.domain.errors import StorageError
from bot.http.metrics import Metrics
from tests.bot.building import MINUTE, OWNER, PE1
from tests.bot.office import Office


def values(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one name, by the values of their labels in the order of their names."""
    return {
        tuple(label for key, label in sorted(sample.labels.items()) if key != "le"): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == f"countersign_{name}"
    }


async def test_a_command_is_counted_by_handler_and_timed_from_its_taking_in(office: Office) -> None:
    metrics = Metrics(office.clock)
    worker = InboxWorker(office.service, office.store.inbox, office.clock, handled=metrics.handled)
    await office.take_in(office.form(PE1))
    office.sleep(MINUTE / 30)
    await worker.drain()
    assert values(metrics, "handled_total") == {("file", "done"): 1}
    assert values(metrics, "handle_seconds_sum") == {("file",): 2.0}


async def test_a_command_that_fails_for_now_is_counted_as_put_off_and_not_timed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await office.file(PE1)
    metrics = Metrics(office.clock)
    worker = InboxWorker(office.service, office.store.inbox, office.clock, handled=metrics.handled)

    async def fails(*_: object) -> None:
        raise StorageError("The database is busy.")

    monkeypatch.setattr(office.service, "carry_out", fails)
    await office.take_in(office.press(OWNER, case_id))
    await worker.drain()
    assert values(metrics, "handled_total") == {("decide", "put_off"): 1}
    assert values(metrics, "handle_seconds_count") == {}


async def test_steps_are_counted_by_role_and_outcome(office: Office) -> None:
    metrics = Metrics(office.clock)
    office.service.transactions.committed = metrics.committed
    await office.file(PE1)
    await office.forward(6 * MINUTE)
    found = values(metrics, "steps_total")
    assert found["fired", "owner"] >= 1
    steps = [entry for entry in office.log() if entry["type"].startswith("step.")]
    assert set(found) == {(entry["type"].removeprefix("step."), entry["data"]["role"]) for entry in steps}


async def test_open_questions_have_a_count_and_an_age_by_kind(office: Office) -> None:
    metrics = Metrics(office.clock)
    await office.file(PE1)
    office.sleep(3 * MINUTE)
    metrics.waiting(await office.store.overview.backlog(office.clock.now()))
    assert values(metrics, "open_asks") == {("approval",): 1}
    assert values(metrics, "oldest_ask_seconds") == {("approval",): 180}
    metrics.waiting(None)
    assert values(metrics, "open_asks") == {}


async def test_transactions_are_timed_by_what_they_do(office: Office) -> None:
    metrics = Metrics(office.clock)
    office.store.timed(metrics.database)
    await office.file(PE1)
    found = values(metrics, "database_seconds_count")
    assert found[("read",)] > 0
    assert found[("write",)] > 0


async def test_what_the_signer_has_covered_stands_beside_the_logs_size(office: Office) -> None:
    metrics = Metrics(office.clock)
    await office.file(PE1)
    head = await office.store.log.head()
    await office.store.log.keep_checkpoint(head.size, root(head.edge), "note")
    await office.file(PE1, target="other")
    backlog = await office.store.overview.backlog(office.clock.now())
    metrics.waiting(backlog)
    assert values(metrics, "signed_entries") == {(): head.size}
    assert values(metrics, "log_entries")[()] > head.size


def test_who_leads_and_how_often_that_changed_is_read_at_each_scrape(office: Office) -> None:
    now = [(False, 3)]
    metrics = Metrics(office.clock, lambda: now[0])
    metrics.state("", {}, ready=True)
    assert (values(metrics, "leads"), values(metrics, "leader_changes")) == ({(): 0}, {(): 3})
    now[0] = (True, 4)
    metrics.state("", {}, ready=True)
    assert (values(metrics, "leads"), values(metrics, "leader_changes")) == ({(): 1}, {(): 4})
    assert values(Metrics(office.clock), "leads") == {(): 0}  # nothing was scraped yet
