"""How many governance messages somebody got in a month: from the deliveries in the log that belong to no request.

Reviews, agreements and monthly figures ask without a request; one a week each is the limit. Source: governance-contract.md, section 2.
"""

from __future__ import annotations

import json
from datetime import date

from bot.domain.governance.weekly import COUNTED
from bot.domain.policy.people import Person
from bot.reports.reading import people_of
from storage.log.evidence import Evidence


def governance_messages(log: Evidence, person: Person, first: date, last: date) -> dict[str, int | float]:
    """The figures of the days `first` to `last` (UTC): how many, and how many a week."""
    refs = {ref for ref, name in people_of(log).items() if name == str(person)}
    count = sum(1 for to, day in _delivered(log) if to in refs and first.isoformat() <= day <= last.isoformat())
    weeks = ((last - first).days + 1) / 7
    return {"governance_messages": count, "governance_messages_a_week": round(count / weeks, 2)}


def _delivered(log: Evidence) -> list[tuple[str, str]]:
    """To whom, as a pseudonym, and on which day."""
    found = []
    for row in log.rows():
        if row.type != "delivery.sent" or row.case is not None or row.data is None:
            continue
        entry = json.loads(row.data)
        if entry["data"].get("purpose") in COUNTED and "to" in entry["data"]:
            found.append((str(entry["data"]["to"]), str(entry["ts"])[:10]))
    return found
