"""The files of the evidence pack, a row each: which entries are in which file, and in which columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.reports import policy_sets, requests
from bot.reports.reading import Record

COLUMNS = (
    "index", "leaf", "ts", "type", "case", "provider", "domain", "runbook", "actor", "party", "person", "on_behalf_of", "role",
    "name", "seconds", "not_after", "due", "why", "to", "said", "policy", "data", "signed",
)  # fmt: skip

TABLES: Mapping[str, tuple[str, ...]] = {  # file name to types of entries; a group is written with its dot
    "decisions": ("request.approved", "request.denied", "request.withdrawn", "request.expired", "request.recommended", "extension.",
                  "renewal.", "authority."),
    "escalations": ("step.", "request.asked", "request.answered", "request.passed", "request.held", "request.pushed"),
    "deliveries": ("delivery.",),
    "grants": ("grant.", "breakglass.opened", "permit.", "executor."),
    "evidence": ("evidence.", "subject.", "rotation."),
    "reviews": ("review.", "right.", "campaign.", "breakglass.ratified", "breakglass.rejected", "breakglass.unratified"),
    "exceptions": ("exception.",),
    "findings": ("finding.",),
    "reconciliations": ("reconciliation.",),
    "drills": ("drill.",),
    "agreements": ("matrix.", "roster.", "domain.", "provider."),
    "policy_sets": ("policy.",),
    "refusals": ("decision.refused", "request.refused"),
    "operator_acts": ("operator.", "hold.", "privacy."),
    "health": ("clock.", "log.", "absence."),
}  # fmt: skip
FILES = ("requests", *TABLES)


def columns_of(table: str) -> tuple[str, ...]:
    """The columns of a file, in order."""
    return _OTHERS.get(table, COLUMNS)


def table_of(type_: str) -> str | None:
    """The file that contains entries of this type; None if they are only in their request's line."""
    group = type_.partition(".")[0] + "."
    return _TABLE_OF.get(type_) or _TABLE_OF.get(group)


def row(record: Record, named: Mapping[str, str]) -> dict[str, Any]:
    """An entry as a row; `named` gives a pseudonym's person."""
    actor, data, origin = record.part("actor"), record.values, record.origin
    ref = str(actor.get("ref", ""))
    behalf = str(record.entry.get("on_behalf_of", ""))
    to = data.get("to", data.get("asked", data.get("channel", "")))
    return {
        "index": record.index, "leaf": record.leaf, "ts": record.ts, "type": record.type, "case": record.case,
        "provider": origin.provider if origin else str(data.get("provider", "")),
        "domain": origin.domain if origin else str(data.get("domain", "")),
        "runbook": record.part("runbook").get("id", ""), "actor": actor.get("kind", ""), "party": actor.get("party", ""),
        "person": named.get(ref, ref), "on_behalf_of": named.get(behalf, behalf), "role": data.get("role", ""),
        "name": data.get("name", ""), "seconds": data.get("seconds", ""),
        "not_after": data.get("not_after", data.get("until", "")), "due": data.get("due", ""),
        "why": data.get("why", data.get("reason_code", data.get("error", data.get("reason", "")))),
        "to": "; ".join(named.get(str(one), str(one)) for one in to) if isinstance(to, list) else named.get(str(to), str(to)),
        "said": "; ".join(f"{name}: {text}" for name, text in sorted(record.told.items()) if name in _SAID),
        "policy": record.part("policy").get("sha256", ""),
        "data": _COMPACT.encode(data) if data else "", "signed": record.key,
    }  # fmt: skip


_OTHERS: Mapping[str, tuple[str, ...]] = {
    "requests": requests.COLUMNS,
    "policy_sets": (*COLUMNS, *policy_sets.ANSWERS),
}
_COMPACT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_SAID = frozenset({"question", "answer", "note", "evidence", "reason", "what", "where", "done"})
_TABLE_OF = {type_: table for table, types in TABLES.items() for type_ in types}
