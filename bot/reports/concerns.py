"""Whom an entry without a case concerns: the domains and the providers that it names, itself or through a runbook.

A policy set concerns everybody. What names neither (the clock, the log, an absence) belongs to no provider and no domain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.policy.model import Policy, Runbook

_OF_EVERYBODY = "policy."


def concerns(entry: Mapping[str, Any], policy: Policy | None, provider: str | None, domain: str | None) -> bool:
    """Whether an entry belongs to a paper about this provider and this domain; None: about all of them."""
    if (provider is None and domain is None) or str(entry["type"]).startswith(_OF_EVERYBODY):
        return True
    data = entry.get("data")
    told = data if isinstance(data, dict) else {}
    books = list(_runbooks(entry, told, policy))
    domains = {*_domains(told), *(book.domain for book in books)}
    providers = {str(told.get("provider", "")), *(name for book in books for name in book.providers)}
    return domain in (None, *domains) and provider in (None, *providers)


def _domains(told: Mapping[str, Any]) -> Iterator[str]:
    yield str(told.get("domain", ""))
    named = told.get("domains")
    yield from map(str, named if isinstance(named, list | dict) else ())
    for key in _rows(told):
        if key.startswith("domain:"):
            yield key.removeprefix("domain:")


def _runbooks(entry: Mapping[str, Any], told: Mapping[str, Any], policy: Policy | None) -> Iterator[Runbook]:
    named = entry.get("runbook")
    ids = [str(named.get("id"))] if isinstance(named, dict) else []
    for id_ in (*ids, *_rows(told)):
        if policy is not None and id_ in policy.runbooks:
            yield policy.runbooks[id_]


def _rows(told: Mapping[str, Any]) -> list[str]:
    """The rows of the matrix that an entry names."""
    listed = told.get("rows")
    return [str(row.get("row")) for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
