"""An entry of the log as a line of a spreadsheet: CSV (RFC 4180) in which no cell can start a formula.

A spreadsheet runs what begins with =, +, -, @ (also full-width), a tab or a line break, even in a file from somebody else.
Such a cell gets an apostrophe in front, which spreadsheets show as text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

COLUMNS = (
    "i", "ts", "type", "case", "case_seq", "actor", "ref", "party", "person", "on_behalf_of", "runbook", "runbook_sha256",
    "policy_sha256", "data", "leaf",
)  # fmt: skip
_DANGEROUS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def header() -> str:
    """The first line, with its end."""
    return _line(COLUMNS)


def line(entry: Mapping[str, object], leaf: bytes, people: Mapping[str, str]) -> str:
    """The line of an entry, with its end. `people` gives `TEAM/USER` of the pseudonyms that are disclosed."""
    actor, runbook, policy = (_part(entry, key) for key in ("actor", "runbook", "policy"))
    ref = str(actor.get("ref", ""))
    return _line(
        (
            *(entry.get(key, "") for key in ("i", "ts", "type", "case", "case_seq")),
            actor.get("kind", ""), ref, actor.get("party", ""), people.get(ref, ""), entry.get("on_behalf_of", ""),
            runbook.get("id", ""), runbook.get("sha256", ""), policy.get("sha256", ""),
            json.dumps(entry["data"], ensure_ascii=False, sort_keys=True) if "data" in entry else "", leaf.hex(),
        )
    )  # fmt: skip


def safe(cell: object) -> str:
    """The cell as text that no spreadsheet takes for a formula."""
    text = str(cell)
    return "'" + text if text.startswith(_DANGEROUS) or text.lstrip().startswith(_DANGEROUS) else text


def _line(cells: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([safe(cell) for cell in cells])
    return out.getvalue()


def _part(entry: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = entry.get(key)
    return part if isinstance(part, dict) else {}
