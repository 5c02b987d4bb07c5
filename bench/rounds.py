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

_HOLDS = {True: "yes", False: "NO", None: ""}
Subject = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: dispatches, acts and clicks in each round, starts in all; `idle` in seconds. `due` steps fall due
    at once among `pending` requests, `storms` times; a log of `entries` is checked."""

    rounds: int
    dispatches: int
    acts: int
    clicks: int
    starts: int
    idle: float
    limit: float  # seconds, for everything
    pending: int
    due: int
    storms: int
    entries: int


FULL = Size(
    rounds=7,
    dispatches=150,
    acts=150,
    clicks=2,
    starts=3,
    idle=2.0,
    limit=1200.0,
    pending=100_000,
    due=1000,
    storms=3,
    entries=1_000_000,
)
QUICK = Size(
    rounds=2, dispatches=3, acts=10, clicks=1, starts=1, idle=0.1, limit=90.0, pending=500, due=20, storms=1, entries=600
)


@dataclass(frozen=True, slots=True)
class Goal:
    """A promise about speed and the bound that it keeps; without a bound it is only reported."""

    id: str
    what: str
    limit: float | None
    at_least: bool = False

    def holds(self, value: float) -> bool | None:
        if self.limit is None:
            return None
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return "none" if self.limit is None else f"{'≥' if self.at_least else '≤'} {self.limit:g}"


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
    def holds(self) -> bool | None:
        return self.goal.holds(median(self.ratios or self.ours))

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "goal": self.goal.id, "what": self.goal.what, "bound": str(self.goal), "holds": self.holds,
            "rounds": len(self.ours), "unit": self.unit, "ours": spread(self.ours),
        }  # fmt: skip
        if self.floor:
            told |= {"floor_name": self.floor_name, "floor": spread(self.floor), "ratio": spread(self.ratios)}
        return told


def spread(values: Sequence[float]) -> dict[str, float]:
    """Least, median and greatest, to four digits."""
    return {name: float(f"{of(values):.4g}") for name, of in (("min", min), ("median", median), ("max", max))}


async def in_turns(rounds: int, subjects: Mapping[str, Subject], *, warm_up: int = 1) -> dict[str, list[float]]:
    """One value of every subject in every round, after `warm_up` rounds that do not count."""
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(warm_up + rounds):
        for name, subject in subjects.items():
            gc.collect()
            value = await subject()
            if number >= warm_up:
                found[name].append(value)
    return found


HEADS = ("goal", "what", "ours", "floor", "ratio (or figure) min / median / max", "bound", "holds")


def rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """The results as cells under HEADS."""
    lines = []
    for r in results:
        judged = spread(r.ratios or r.ours)
        ours, floor = f"{spread(r.ours)['median']:g} {r.unit}", ""
        if r.floor:
            floor = f"{spread(r.floor)['median']:g} {r.unit}, {r.floor_name}"
        said = " / ".join(f"{v:.3g}" for v in judged.values())
        lines.append((r.goal.id, r.goal.what, ours, floor, said, str(r.goal), _HOLDS[r.holds]))
    return lines


def table(found: Sequence[Sequence[str]]) -> str:
    """The rows under their header, in columns."""
    lines = [HEADS, *found]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
