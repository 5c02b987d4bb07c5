"""What must hold after a storm: of the log, of every request, of every step, and of what each person sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from bot.clock import SystemClock
from bot.decision_log.signer_memory import recall
from bot.domain.decision_log.inclusion_proof import extends
from bot.domain.decision_log.merkle_tree import root
from storage.log.check import check_database
from storage.postgres_store import PostgresStore
from tests.end_to_end import domains
from tests.end_to_end.fleet import Fleet
from tests.end_to_end.writers import Record

_CLOSED = "'request.denied', 'request.withdrawn', 'request.expired', 'request.approved'"
_WORDS = {"approve": "request.approved", "deny": "request.denied"}


async def holds(fleet: Fleet, record: Record) -> None:
    """The log is whole and one, nothing is lost or doubled, and no replica remembers another log."""
    server = fleet.bots[0].server
    assert server is not None
    checked = check_database(server)
    assert checked.findings == (), checked.findings[:5]
    assert fleet.rows("SELECT count(*) - 1 - max(idx) FROM log_entry")[0][0] == 0
    told = Counter(
        (case, kind) for case, kind in fleet.rows(f"SELECT case_id, type FROM log_entry WHERE type IN ({_CLOSED})")
    )
    outcomes = Counter(case for case, _ in told.elements())
    assert [case for case, times in outcomes.items() if times > 1] == []
    assert [c for c, decision in record.acknowledged.items() if (c, _WORDS[decision]) not in told] == []
    steps = Counter(
        (case, ask, step)
        for case, ask, step in fleet.rows(
            "SELECT case_id, convert_from(data, 'UTF8')::json->'data'->>'ask', convert_from(data, 'UTF8')::json->'data'->>'step' FROM log_entry WHERE type = 'step.fired'"
        )
    )
    assert [step for step, times in steps.items() if times > 1] == []
    await no_fork(fleet)


def filings_come_to_one_outcome(fleet: Fleet, record: Record) -> None:
    """Each acknowledged filing has exactly one entry, filed or refused, under the id that was promised; no other id has one."""
    entries = fleet.rows("SELECT case_id FROM log_entry WHERE type IN ('request.filed', 'request.refused')")
    told = Counter(case for (case,) in entries)
    assert {case: told[case] for case in {*record.filed, *told} if (told[case], case in record.filed) != (1, True)} == {}


async def no_fork(fleet: Fleet) -> None:
    """What each replica remembers as signed is a beginning of the log as it is."""
    server = fleet.bots[0].server
    assert server is not None
    store = await PostgresStore.open(server, SystemClock(), read_only=True)
    try:
        head = await store.log.head()
        for bot in fleet.bots:
            memory = recall(bot.home / "state")
            assert memory is not None
            path = await store.log.between(memory.size, head.size)
            assert extends(memory.size, head.size, memory.root, root(head.edge), path), bot.home
    finally:
        await store.close()


def late(fleet: Fleet) -> list[float]:
    """By how many seconds each step and each expiry came after its time; pulled forward counts as in time."""
    fired = fleet.rows(
        "SELECT convert_from(l.data, 'UTF8')::json->>'ts', s.due_ms FROM log_entry AS l JOIN step AS s ON s.case_id = l.case_id AND s.ask = 0"
        " AND s.idx = (convert_from(l.data, 'UTF8')::json->'data'->>'step')::int WHERE l.type = 'step.fired'"
        " AND coalesce(convert_from(l.data, 'UTF8')::json->'data'->>'ask', 'approval') = 'approval'"
    )
    expired = fleet.rows(
        "SELECT convert_from(l.data, 'UTF8')::json->>'ts', r.expires_ms FROM log_entry AS l JOIN request AS r ON r.id = l.case_id"
        " WHERE l.type = 'request.expired'"
    )
    return [max(0.0, datetime.fromisoformat(ts).timestamp() - due / 1000) for ts, due in (*fired, *expired)]


def stale(fleet: Fleet, numbers: Iterable[int]) -> list[str]:
    """Messages that still ask about a request that is decided, by owner and asker; none once everything is said."""
    closed = {case for (case,) in fleet.rows("SELECT id FROM request WHERE state <> 'pending'")}
    people = {who: word for n in numbers for who, word in ((domains.owner(n), "Approve"), (domains.asker(n), "Withdraw"))}
    return [
        f"{who} {message.ts} {case}"
        for who, word in people.items()
        for message in fleet.sandbox.messages(who)
        if word in message.buttons
        for case in closed
        if case in message.shown
    ]


def unsaid(fleet: Fleet, record: Record, numbers: Iterable[int]) -> list[str]:
    """Filed requests that their asker was never told of, and those that nobody decided and the owner was never asked about. A card
    that was to leave after the decision is not sent."""
    found = []
    for n in numbers:
        mine = {case for (case,) in fleet.rows(f"SELECT id FROM request WHERE domain = 'many{n:02}'")} & record.filed
        for who, theirs in ((domains.owner(n), mine & record.silent), (domains.asker(n), mine)):
            shown = "\n".join(message.shown for message in fleet.sandbox.messages(who))
            found += [f"{who} {case}" for case in theirs if case not in shown]
    return found


def copies(fleet: Fleet) -> int:
    """Second copies of cards: a kill or a lost answer fell between Slack's answer and our note of it."""
    rows = fleet.rows("SELECT count(*) FROM copy WHERE purpose = 'card' GROUP BY case_id, to_user HAVING count(*) > 1")
    return sum(count - 1 for (count,) in rows)


def kinds(fleet: Fleet) -> dict[str, int]:
    """How often each type stands in the log."""
    return dict(fleet.rows("SELECT type, count(*) FROM log_entry GROUP BY type ORDER BY type"))
