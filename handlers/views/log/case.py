"""`/countersign log ID`: what the decision log says of one request, in words for people, and its types and hashes as the proof."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

from bot.domain.case.model import Case
from bot.domain.decision_log.entry_types import in_words
from bot.domain.policy.people import Person
from bot.ports.records import LogRow
from handlers.views import facts
from handlers.views.drill import DRILL
from handlers.views.kit.blocks import Message, message
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline

_HISTORY = 40


def log(case: Case, rows: Sequence[LogRow], people: Mapping[str, Person], scene: ViewContext) -> Message:
    """The decision log's entries about one request in words: who, what, and when to the second. Messages that were delivered are
    one line. `people`: the person of each pseudonym that is not erased."""
    drill = "" if case.request.drill is None else f"{DRILL} "
    lines = [f"{drill}*{case.id}* {facts.heading(case, 120)}"]
    lines += [f"{drill}{line}" for line in _history(rows, people)[-_HISTORY:]]
    lines.append(f"Proof (types, entries, hashes): `/{scene.prefix}countersign log {case.id} proof`")
    return message("\n".join(lines), facts.sections(lines))


def _history(rows: Sequence[LogRow], people: Mapping[str, Person]) -> list[str]:
    lines = list[str]()
    for delivered, group in groupby(rows, lambda row: row.type == "delivery.sent"):
        found = list(group)
        if delivered:
            many = "1 message" if len(found) == 1 else f"{len(found)} messages"
            lines.append(f"{_second(found[-1])}  {many} delivered")
        else:
            lines += [f"{_second(row)}  {_happened(row, people)}" for row in found]
    return lines


_FIRED = {"remind": "Reminded", "stand_in": "Asked on the owner's behalf", "handover": "Asked after the change of shift"}


def _happened(row: LogRow, people: Mapping[str, Person]) -> str:
    """What an entry says; of a step also whom it asked or reminded."""
    entry = read_entry(row)
    data, to = entry.get("data"), _to(entry)
    if row.type != "step.fired" or not to or not isinstance(data, dict):
        return in_words(row.type, _actor(row, people), entry)
    named = ", ".join(who(people[ref]) if ref in people else "somebody" for ref in to)
    return f"{_FIRED.get(str(data.get('action')), 'Asked')}: {named}"


def _to(entry: Mapping[str, object]) -> list[str]:
    data = entry.get("data")
    found = data.get("to") if isinstance(data, dict) else None
    return [ref for ref in found if isinstance(ref, str)] if isinstance(found, list) else []


def refs_of(row: LogRow) -> set[str]:
    """The pseudonyms whose names the line of an entry needs."""
    ref = actor_of(row).get("ref")
    return {*_to(read_entry(row)), *([ref] if isinstance(ref, str) else [])}


def _actor(row: LogRow, people: Mapping[str, Person]) -> str:
    """The actor of an entry."""
    actor = actor_of(row)
    person = people.get(str(actor.get("ref")))
    if person is not None:
        return who(person)
    return {"clock": "The clock", "system": "Countersign", "operator": "The operator"}.get(
        str(actor.get("kind")), "Somebody"
    )


def read_entry(row: LogRow) -> Mapping[str, object]:
    """An entry as it was written; empty where its bytes were pruned."""
    entry = json.loads(row.data) if row.data else {}
    return entry if isinstance(entry, dict) else {}


def actor_of(row: LogRow) -> Mapping[str, object]:
    """The actor of an entry; empty where its bytes were pruned."""
    actor = read_entry(row).get("actor")
    return actor if isinstance(actor, dict) else {}


def _second(row: LogRow) -> str:
    at = datetime.fromtimestamp(row.ts_ms / 1000, UTC)
    return f"<!date^{row.ts_ms // 1000}^{{date_short_pretty}}, {{time_secs}}|{at:%Y-%m-%d %H:%M:%S} UTC>"


def proof(case: Case, rows: Sequence[LogRow], scene: ViewContext) -> Message:
    """The log's own view of one request: index, time, type and leaf hash of each entry."""
    drill = "" if case.request.drill is None else f"{DRILL} "
    lines = [f"{drill}*{case.id}* {facts.heading(case, 120)}: {len(rows)} entries of the decision log"]
    for row in rows[-40:]:
        at = scene.at(datetime.fromtimestamp(row.ts_ms / 1000, UTC))
        lines.append(f"{drill}`{row.idx}` {inline(row.type, 40)} at {at} · leaf `{row.leaf.hex()[:12]}`")
    return message("\n".join(lines), facts.sections(lines))
