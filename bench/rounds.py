"""What a measurement is: rounds of every subject in turn, a figure of each, and the ratio of each round.

Two rules. Subjects take turns (A B A B …), so that a noisy machine is noisy for both; and a ratio is taken within a round,
before any median, so that a slow round divides by a slow floor.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

Subject = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. `idle` in seconds; the rest are counts, for each round."""

    rounds: int
    dispatches: int
    acts: int
    clicks: int
    idle: float
    limit: float  # seconds, for everything


FULL = Size(rounds=5, dispatches=150, acts=200, clicks=6, idle=2.0, limit=235.0)
QUICK = Size(rounds=3, dispatches=3, acts=10, clicks=1, idle=0.1, limit=90.0)


@dataclass(frozen=True, slots=True)
class Goal:
    """A line of performance.md: which number, and the bound that it keeps."""

    id: str
    what: str
    limit: float
    at_least: bool = False

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Result:
    """A goal with what was measured: `ours`, and the floor beside it where the goal is a ratio (one value a round)."""

    goal: Goal
    unit: str
    ours: Sequence[float]
    floor_name: str = ""
    floor: Sequence[float] = ()

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.ours, self.floor, strict=True)] if self.floor else []

    @property
    def holds(self) -> bool:
        return self.goal.holds(median(self.ratios or self.ours))

    def as_json(self) -> dict[str, Any]:
        compared = {"floor_name": self.floor_name, "floor": spread(self.floor), "ratio": spread(self.ratios)}
        return {
            "goal": self.goal.id, "what": self.goal.what, "bound": str(self.goal), "rounds": len(self.ours),
            "unit": self.unit, "ours": spread(self.ours), **(compared if self.floor else {}), "holds": self.holds,
        }  # fmt: skip


def spread(values: Sequence[float]) -> dict[str, float]:
    """Least, median and greatest, to four digits."""
    return {name: float(f"{of(values):.4g}") for name, of in (("min", min), ("median", median), ("max", max))}


async def in_turns(rounds: int, subjects: Mapping[str, Subject]) -> dict[str, list[float]]:
    """One value of every subject in every round, after a round that does not count."""
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            gc.collect()
            value = await subject()
            if number:
                found[name].append(value)
    return found


def table(results: Sequence[Result]) -> str:
    """For people."""
    lines = [("goal", "what", "ours", "floor", "ratio (or figure) min / median / max", "bound", "holds")]
    for r in results:
        judged = spread(r.ratios or r.ours)
        ours, floor = f"{spread(r.ours)['median']:g} {r.unit}", ""
        if r.floor:
            floor = f"{spread(r.floor)['median']:g} {r.unit}, {r.floor_name}"
        said = " / ".join(f"{v:.3g}" for v in judged.values())
        lines.append((r.goal.id, r.goal.what, ours, floor, said, str(r.goal), "yes" if r.holds else "NO"))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
