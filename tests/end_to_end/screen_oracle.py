"""An oracle of the screen: reads every message and Home that anybody sees, and the database beside it, and names each lie.

A lie is a message that says access is open when it is not, or that an answer is missing when none is, or a button whose
click would be refused. Written from the contract alone: nothing here calls a view or a judgement of the bot.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.hands import buttons_of, label_of

PATIENCE = 20.0  # seconds of the bot's own: what Slack refused six times in a row is tried again after 10 at most
SETTLES = 2.0  # seconds: Homes gather changes for 0.5, and that is in no table
CASE = re.compile(r"R-[0-9A-HJKMNP-TV-Z]{8}")
SAYS_OPEN = re.compile(
    r"approval holds|exception holds|[Aa]ccess is open|may happen now|approved[^\n]*, until <!date|A yes is possible"
)
SAYS_MISSING = re.compile(r"(: the [a-z ]+)? still waits for your answer|: nobody has decided")
ENDS_GRANT = {"Finished", "Not used", "Permit", "Extend", "Renew"}
YES = {"Approve", "Approve for less…"}
BESIDE = {"Deny", "Question", "On it", "Ask someone else"}
LATER = {"Accept", "Flag", "Ratify", "Reject", "Restore", "Keep", "Withdraw right"}
PENDING = {"Withdraw", "Escalate now", "Answer", "Recommend", "Advise against"}
OWED = {"Add evidence": "evidence", "Attest": "rotation"}


@dataclass(frozen=True)
class Truth:
    """The state of everything, of one moment."""

    requests: dict[str, str]
    open_grants: set[str]
    open_asks: set[tuple[str, int]]
    yes: set[tuple[str, int, str]]
    unverified: set[str]
    owed: set[tuple[str, str]]
    pushed: set[str]
    waits: set[str]  # the quorum is met, and what it opens waits
    kept: set[str] | None = None  # the ts of the messages that the bot knows of; None: all
    lossy: tuple[
        tuple[float, float], ...
    ] = ()  # when answers of Slack's were lost, or the bot was killed; seconds since 1970

    @classmethod
    def of(cls, bot: Any, lossy: Iterable[tuple[float, float]] = ()) -> Truth:
        rows, now = bot.rows, int(time.time() * 1000)
        return cls(
            dict(rows("SELECT id, state FROM request")),
            {r[0] for r in rows("SELECT case_id FROM access_grant WHERE state = 'open' AND not_after_ms > ?", now)},
            set(rows("SELECT case_id, version FROM ask WHERE state = 'open' AND expires_ms > ?", now)),
            set(rows("SELECT v.case_id, a.version, v.user_id FROM vote AS v JOIN ask AS a ON a.case_id = v.case_id"
                     " AND a.n = v.ask WHERE v.answer = 'yes'")),
            {r[0] for r in rows("SELECT case_id FROM duty WHERE kind = 'verification' AND done_ms IS NULL")},
            set(rows("SELECT case_id, kind FROM duty WHERE done_ms IS NULL")),
            {r[0] for r in rows("SELECT case_id FROM note WHERE kind = 'push'")},
            {r[0] for r in rows("SELECT case_id FROM ask WHERE opens_ms IS NOT NULL AND state = 'open'")},
            {r[0] for r in rows("SELECT ts FROM copy")},
            tuple(lossy),
        )  # fmt: skip


def lies(sandbox: Any, truth: Truth, people: Iterable[str], channels: Iterable[str] = ()) -> list[str]:
    """Every lie that one of these people, or a channel, shows now."""
    found = []
    for where in (*people, *channels):
        for message in sandbox.messages(where):
            if not message.ephemeral and not _out_of_reach(message, truth):  # ephemeral: an answer of that moment
                found += [f"{where} {message.ts}: {lie}" for lie in _of(where, message.shown, message.blocks, truth)]
        home = sandbox.home(where) if where.startswith("U") else None
        if home is not None:
            found += [f"{where} home: {lie}" for lie in _buttons(where, home.blocks, truth)]
    return found


def _out_of_reach(message: Any, truth: Truth) -> bool:
    """A line in a channel that the bot cannot know of: Slack took it, and its answer was lost or the bot was killed. It was
    posted once more, and the bot may not read channels (it has no `channels:history`). Direct messages it finds again."""
    if truth.kept is None or message.ts in truth.kept or message.channel.startswith("D"):
        return False
    return any(begun <= float(message.ts) <= over for begun, over in truth.lossy)


def _of(viewer: str, shown: str, blocks: list[Any], truth: Truth) -> Iterator[str]:
    yield from _buttons(viewer, blocks, truth)
    named = {case for case in CASE.findall(shown) if case in truth.requests}
    if SAYS_OPEN.search(shown) and len(named) == 1 and not named & truth.open_grants:
        yield f"says that access is open: {shown[:160]!r}"
    missing = SAYS_MISSING.search(shown)
    if missing and len(named) == 1:
        case = next(iter(named))
        later = missing[1] is not None  # of a review and the like; else of the request itself
        if not (any(of == case for of, _ in truth.open_asks) if later else truth.requests[case] == "pending"):
            yield f"says that an answer is missing: {shown[:160]!r}"


def _buttons(viewer: str, blocks: list[Any], truth: Truth) -> Iterator[str]:
    for _, element in buttons_of(blocks):
        case, _, version = str(element.get("value", "")).partition(":")
        if case in truth.requests and version.isdecimal():
            label = label_of(element)
            if not _counts(viewer, label, case, int(version), truth):
                yield f"offers {label} of {case}:{version}, {truth.requests[case]}"


def _counts(viewer: str, label: str, case: str, version: int, truth: Truth) -> bool:
    """Whether a click would count."""
    pending, asked = truth.requests[case] == "pending", (case, version) in truth.open_asks
    if label in ENDS_GRANT:
        return case in truth.open_grants
    if label == "Revoke":
        return case in truth.open_grants | truth.waits
    if label in YES:
        unverified = pending and case in truth.unverified
        return asked and (case, version, viewer) not in truth.yes and not unverified
    if label in BESIDE | LATER:
        return asked
    if label in PENDING:
        return pending and not (label == "Escalate now" and case in truth.pushed)
    if label in OWED:
        return (case, OWED[label]) in truth.owed or (label == "Attest" and pending and case in truth.unverified)
    return label != "Ask again" or truth.requests[case] in ("denied", "expired")


class BotTime:
    """Seconds without those in which bot or sandbox waited for a processor that others had (Linux; elsewhere all seconds)."""

    def __init__(self, bot: Any) -> None:
        self._pids = [bot.process.pid, os.getpid()] if getattr(bot, "process", None) else []
        self._waited = self._waits()

    def __call__(self) -> float:
        return time.monotonic() - (self._waits() - self._waited)

    def _waits(self) -> float:
        files = (Path(f"/proc/{pid}/schedstat") for pid in self._pids)
        return sum(int(file.read_text().split()[1]) for file in files if file.exists()) / 1e9


async def screen_is_true(
    bot: Any, people: Iterable[str], channels: Iterable[str] = (), lossy: Iterable[tuple[float, float]] = ()
) -> None:
    """Every lie is gone once everything that was to be said is said. One that stays while nothing waits to be said, or that
    outlives PATIENCE, fails. Where the clock makes new ones as fast as old ones go, each is judged by its age. `lossy` as in
    Truth."""
    people, channels, clock = tuple(people), tuple(channels), BotTime(bot)
    end = clock() + 3 * PATIENCE
    since: dict[str, float] = {}  # since when a lie is on the screen while nothing waits to be sent
    first: dict[str, float] = {}  # since when it is there at all
    while (found := lies(bot.sandbox, Truth.of(bot, lossy), people, channels)) and clock() < end:
        now = clock()
        first = {lie: first.get(lie, now) for lie in found}
        waits = bot.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL AND purpose NOT IN ('digest', 'pager') LIMIT 1")
        since = {} if waits else {lie: since.get(lie, now) for lie in found}
        stands = sorted(lie for lie, began in since.items() if now - began > SETTLES)
        assert not stands, _explained(bot, stands)
        old = sorted(lie for lie, began in first.items() if now - began > PATIENCE)
        assert not old, _explained(bot, old)
        await asyncio.sleep(0.3)


def _explained(bot: Any, found: list[str]) -> str:
    """The lies, and of the first message among them what the bot knows of it and what Slack was sent about it."""
    ts = next(iter(re.findall(r"\d{10}\.\d{6}", found[0])), "")
    known = bot.rows(
        "SELECT c.*, r.state, r.version FROM copy AS c JOIN request AS r ON r.id = c.case_id WHERE c.ts = ?", ts
    )
    calls = [
        f"{line.name} {line.ok} {line.error}"
        for line in bot.sandbox.timeline.of("call")
        if ts and (line.sent.get("ts") == ts or line.answer.get("ts") == ts)
    ]
    return "\n".join([*found[:6], f"copy: {known}", *calls[-10:]])
