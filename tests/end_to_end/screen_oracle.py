"""An oracle of the screen: reads every message and Home that anybody sees, and the database beside it, and names each lie.

A lie is a message that says access is open when it is not, or a button whose click would be refused. Written from the
contract alone: nothing here calls a view or a judgement of the bot.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.hands import buttons_of, label_of

PATIENCE = 100.0  # seconds: what Slack refused six times in a row waits for 63
CASE = re.compile(r"R-[0-9A-HJKMNP-TV-Z]{8}")
SAYS_OPEN = re.compile(
    r"approval holds|exception holds|[Aa]ccess is open|may happen now|approved[^\n]*, until <!date|A yes is possible"
)
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
        messages = sandbox.messages(where)
        for message in messages:
            if not message.ephemeral and not _orphan(message, messages, truth):  # ephemeral: an answer of that moment
                found += [f"{where} {message.ts}: {lie}" for lie in _of(where, message.shown, message.blocks, truth)]
        home = sandbox.home(where) if where.startswith("U") else None
        if home is not None:
            found += [f"{where} home: {lie}" for lie in _buttons(where, home.blocks, truth)]
    return found


def _orphan(message: Any, messages: list[Any], truth: Truth) -> bool:
    """Slack took a message and its answer was lost, or the bot was killed before it was noted: it was posted once more, and
    the bot cannot know the first one's place. Both answer a click alike (design, section 9)."""
    if truth.kept is None or message.ts in truth.kept:
        return False
    if any(begun <= float(message.ts) <= over for begun, over in truth.lossy):
        return True
    about = set(CASE.findall(message.shown))
    twins = [
        m for m in messages if m.ts in truth.kept and m.ts > message.ts and about and about & set(CASE.findall(m.shown))
    ]
    return any(m.shown.split("\n")[0] == message.shown.split("\n")[0] for m in twins)


def _of(viewer: str, shown: str, blocks: list[Any], truth: Truth) -> Iterator[str]:
    yield from _buttons(viewer, blocks, truth)
    named = {case for case in CASE.findall(shown) if case in truth.requests}
    if SAYS_OPEN.search(shown) and len(named) == 1 and not named & truth.open_grants:
        yield f"says that access is open: {shown[:160]!r}"


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


async def screen_is_true(
    bot: Any, people: Iterable[str], channels: Iterable[str] = (), lossy: Iterable[tuple[float, float]] = ()
) -> None:
    """Every lie is gone once everything that was to be said is said. One that stays while nothing waits to be said, or that
    outlives PATIENCE, fails. `lossy` as in Truth."""
    people, channels, end = tuple(people), tuple(channels), time.monotonic() + PATIENCE
    before: set[str] = set()
    while found := set(lies(bot.sandbox, Truth.of(bot, lossy), people, channels)):
        waits = bot.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL AND purpose NOT IN ('digest', 'pager') LIMIT 1")
        assert waits or not found & before, sorted(found & before)[:5]
        assert time.monotonic() < end, sorted(found)[:5]
        before = set() if waits else found
        await asyncio.sleep(0.3)
