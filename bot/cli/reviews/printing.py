"""Prints campaigns: their state, each item with its figures and answer, and what the log says of one.

The signed record is the entries' own bytes with their index and leaf hash: `countersign log prove INDEX` proves each.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

from bot.cli.printing.requests import name, safe, when
from bot.domain.case.campaign import WORDS, Campaign, Item
from bot.domain.decision_log.entry import stamp
from bot.domain.decision_log.export_csv import safe as cell
from bot.domain.policy.model import Policy
from bot.ports.records import LogRow
from bot.terminal import say_table

_HEADS = ("Review", "Opened", "State", "Owner", "Answers")
COLUMNS = (
    "review", "state", "owner", "opened_at", "closed_at", "window", "counted", "item", "of", "title", "domains", "provider",
    "uses", "last_use", "used_by", "out_of_hours", "evidence_missing", "first_press_seconds", "flags", "answer", "by", "at",
)  # fmt: skip


def status(campaign: Campaign) -> dict[str, object]:
    """One campaign with its items, as JSON-able values."""
    return {
        "id": campaign.id, "state": campaign.state, "owner": str(campaign.owner), "domains": list(campaign.domains),
        "opened_at": stamp(campaign.opened_at), "closed_at": stamp(campaign.closed_at) if campaign.closed_at else None,
        "window": campaign.window, "counted": campaign.counted, "silence": "narrow" if campaign.narrows else "keep",
        "previewed_at": stamp(campaign.previewed_at) if campaign.previewed_at else None,
        "asked": [{"person": str(a.person), "role": a.role, "at": stamp(a.at)} for a in campaign.asked],
        "unanswered": len(campaign.unanswered), "items": [_item(item) for item in campaign.items],
    }  # fmt: skip


def whole(campaign: Campaign, entries: Iterable[LogRow]) -> dict[str, object]:
    """The same with the entries of the log."""
    record = [{"i": row.idx, "leaf": row.leaf.hex(), "entry": json.loads(row.data or b"null")} for row in entries]
    return status(campaign) | {"record": record}


def listed(policy: Policy | None, found: Sequence[Campaign]) -> None:
    """One line a campaign."""
    plain = "\n".join(_line(policy, one) for one in found) or "There was no review yet."
    say_table(_HEADS, [_cells_of(policy, one) for one in found], plain, {"closed": "dim"})


def record(policy: Policy | None, campaign: Campaign, entries: Sequence[LogRow]) -> list[str]:
    """One campaign, its items, and its entries in the log."""
    said = [_line(policy, campaign), *(f"  {_words(policy, item)}" for item in campaign.items), "In the log:"]
    said += [f"  {row.idx}  {row.type}  {row.leaf.hex()}" for row in entries]
    return [*said, "Proof of each: countersign log prove INDEX"]


def sheet(found: Iterable[Campaign]) -> str:
    """CSV (RFC 4180) with a header, a line an item; no cell can start a formula."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for campaign in found:
        for item in campaign.items:
            writer.writerow([cell(value) for value in _cells(campaign, item)])
    return out.getvalue()


def _line(policy: Policy | None, campaign: Campaign) -> str:
    id_, opened, state, owner, result = _cells_of(policy, campaign)
    return f"{id_}  opened {opened}  {state:<24}  {owner}: {result}"


def _cells_of(policy: Policy | None, campaign: Campaign) -> tuple[str, str, str, str, str]:
    state = f"{campaign.counted} of {campaign.window} working days" if campaign.state == "open" else "closed"
    answers = [item.answer for item in campaign.items]
    result = ", ".join(f"{answers.count(a)} {word}" for a, word in WORDS.items() if answers.count(a))
    return campaign.id, when(campaign.opened_at), state, name(policy, campaign.owner), result


def _words(policy: Policy | None, item: Item) -> str:
    by = f" by {name(policy, item.by)}" if item.by is not None else ""
    flags = f", {', '.join(item.flags)}" if item.flags else ""
    return f"{item.kind} {safe(item.of)} ({safe(item.title)}): {item.figures.uses} uses{flags}; {WORDS[item.answer]}{by}"


def _item(item: Item) -> Mapping[str, object]:
    found = item.figures
    return {
        "item": item.kind, "of": item.of, "title": item.title, "domains": list(item.domains), "provider": item.provider,
        "uses": found.uses, "last_use": stamp(found.last_use) if found.last_use else None,
        "used_by": [str(person) for person in found.by], "out_of_hours": found.out_of_hours,
        "evidence_missing": found.missing, "first_press_seconds": found.first_press, "flags": list(item.flags),
        "answer": item.answer or None, "by": str(item.by) if item.by else None, "at": stamp(item.at) if item.at else None,
    }  # fmt: skip


def _cells(campaign: Campaign, item: Item) -> list[object]:
    head = (
        campaign.id, campaign.state, str(campaign.owner), stamp(campaign.opened_at),
        stamp(campaign.closed_at) if campaign.closed_at else "", campaign.window, campaign.counted,
    )  # fmt: skip
    values = (" ".join(map(str, v)) if isinstance(v, list) else "" if v is None else v for v in _item(item).values())
    return [*head, *values]
