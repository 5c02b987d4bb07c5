"""The file `policy_sets`: each time a set was loaded, refused or endorsed, and who confirmed, acknowledged or disputed rows of that set.

An answer comes after the set, so the rows are held until the end of the log. Source: governance-contract.md, section 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.reports.reading import Record

ANSWERS = ("confirmed_by", "acknowledged_by", "disputed_by", "endorsed_by")
_ANSWERS: Mapping[
    str, tuple[str, str]
] = {  # type of an entry to the column, and to the key of `data` that holds the set's digest
    "matrix.confirmed": ("confirmed_by", "set"),
    "matrix.acknowledged": ("acknowledged_by", "set"),
    "matrix.disputed": ("disputed_by", "set"),
    "policy.endorsed": ("endorsed_by", "to"),
}


@dataclass(slots=True)
class PolicySets:
    """What was read so far. Call `note` for each entry, `add` for each row of the file, then take `rows`."""

    _rows: list[dict[str, Any]] = field(default_factory=list)
    _answers: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # digest and column to who and when

    def note(self, record: Record, named: Mapping[str, str]) -> None:
        """Keeps who answered for a set; `named` maps a pseudonym to its person."""
        column, key = _ANSWERS.get(record.type, ("", ""))
        if column:
            ref = str(record.part("actor").get("ref", ""))
            answer = f"{named.get(ref, ref)} {record.ts}"
            self._answers.setdefault((str(record.values.get(key)), column), []).append(answer)

    def add(self, row: Mapping[str, Any]) -> None:
        """A row with the columns that every file has."""
        self._rows.append(dict(row))

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Each row with the answers to its set; a refused set has none."""
        for row in self._rows:
            digest = str(row["policy"]) if row["type"] == "policy.loaded" else ""
            yield row | {column: "; ".join(self._answers.get((digest, column), ())) for column in ANSWERS}
