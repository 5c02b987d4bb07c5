"""A priority queue of messages: by lane, then age; one at a time and about one a second for each conversation.

Only a few messages of one conversation are queued; one that has no room is returned with the time of its turn. So a
conversation that is slow, full or paused never delays another, and an urgent message overtakes everything queued. Within a
lane, redraws that can wait (`calm`) go last. Pure: times are seconds of a monotonic clock and come as arguments.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.domain.case.transition import Lane
from bot.ports.records import OutboxRow

HELD, HELD_UNPACED, ANSWER = 4, 24, "answer"  # messages queued for one place, where Slack sets a pace and elsewhere
_TURN = 0.05  # seconds that a call without a pace is taken to last: what has no room is not leased again at once
_ROOM = 50  # queues kept at least
_STRETCH = 1.08  # of the pace: the longest time between the starts of two calls, however slowly Slack answers


class Spot(NamedTuple):
    """What Slack rate-limits together: a method and a conversation."""

    method: str
    place: str


class Called(NamedTuple):
    """A call to Slack: when it left and when its answer was there."""

    began: float
    ended: float


class _Held(NamedTuple):
    row: OutboxRow
    earliest: float
    calm: bool


@dataclass(slots=True)
class _Queue:
    held: list[_Held] = field(default_factory=list)
    busy: bool = False
    free_at: float = 0.0  # the next post may begin
    sent_back: dict[int, float] = field(default_factory=dict)  # by lane, the turn given to the last caller that had to wait


class Lanes:
    """`pace`: seconds between two messages to one spot, by method; methods not named have none."""

    def __init__(self, pace: dict[str, float]) -> None:
        self._pace = pace
        self._queues: dict[Spot, _Queue] = {}
        self._held: set[int] = set()  # ids of the rows in the queues
        self._room = _ROOM  # queues until those that wait for nothing are forgotten
        self._paused: dict[str, float] = {}  # by method, for all places

    def __len__(self) -> int:
        return len(self._held)

    def holds(self, outgoing: OutboxRow) -> bool:
        return outgoing.id in self._held

    def holds_another(self, outgoing: OutboxRow) -> bool:
        """Whether a message of the same key is queued, goes no later and is not drawn yet: it will show what this one would."""
        say, held = outgoing.say, (held.row for queue in self._queues.values() for held in queue.held)
        return bool(say.key) and any(
            one.say.key == say.key and one.id != outgoing.id and one.say.lane <= say.lane for one in held
        )

    def offer(
        self, outgoing: OutboxRow, spot: Spot, now: float, earliest: float = 0.0, *, calm: bool = False
    ) -> tuple[OutboxRow, float] | None:
        """Queues a message; returns a message that has no room, with the time of its turn."""
        queue = self._queues.setdefault(spot, _Queue())
        free = max(queue.free_at, self._paused.get(spot.method, 0.0))
        pace = self._pace.get(spot.method, 0.0)
        queue.held.append(_Held(outgoing, earliest, calm))
        queue.held.sort(key=_rank)
        self._held.add(outgoing.id)
        if len(queue.held) <= (HELD if pace else HELD_UNPACED) and free - now <= HELD * max(pace, 1.0):
            return None
        worst = queue.held.pop().row
        self._held.discard(worst.id)
        lane = int(worst.say.lane)
        turn = max(pace, 0.0 if spot.method == ANSWER else _TURN)  # an answer is for somebody who waits
        before = [at + turn for sent, at in queue.sent_back.items() if sent <= lane]  # nobody waits for a later lane
        queue.sent_back[lane] = max([max(free, now) + HELD * turn / 2, *before])
        return worst, queue.sent_back[lane]

    def take(self, now: float, last: Lane = Lane.HOME) -> tuple[OutboxRow, Spot] | None:
        """The best message whose spot is free, of no later lane than `last`; the spot is busy until `done`."""
        ready = [
            (held, spot)
            for spot, queue in self._queues.items()
            if queue.held and not queue.busy and queue.free_at <= now and (held := self._ready(spot, queue, now, last))
        ]
        if not ready:
            return None
        best, spot = min(ready, key=lambda found: _rank(found[0]))
        queue = self._queues[spot]
        queue.held.remove(best)
        self._held.discard(best.row.id)
        queue.busy = True
        return best.row, spot

    def done(self, spot: Spot, now: float, called: Called | None) -> None:
        """The spot is free for the next one, which keeps the pace; at once where nothing was `called`. Where there are many
        queues, those that wait for nothing are forgotten.

        Slack counts from some moment between a call and its answer. A pace after the answer is never too early; a slow
        answer is not waited for twice.
        """
        queue = self._queues.get(spot)
        if queue is not None:
            queue.busy = False
            if called is not None:
                pace = self._pace.get(spot.method, 0.0)
                queue.free_at = max(queue.free_at, min(called.ended + pace, called.began + _STRETCH * pace))
        if len(self._queues) > self._room:
            self._queues = {
                s: q for s, q in self._queues.items() if q.held or q.busy or max([q.free_at, *q.sent_back.values()]) > now
            }
            self._room = 2 * len(self._queues) + _ROOM

    def pause(self, spot: Spot, until: float, *, everywhere: bool) -> list[OutboxRow]:
        """Nothing more to this spot (or by this method, everywhere) before `until`; gives back what it held."""
        if everywhere:
            self._paused[spot.method] = max(until, self._paused.get(spot.method, 0.0))
        hit = [q for s, q in self._queues.items() if s == spot or (everywhere and s.method == spot.method)]
        held = self._emptied(hit)
        for queue in hit:
            queue.free_at = max(until, queue.free_at)
            queue.sent_back.clear()
        return held

    def clear(self) -> list[OutboxRow]:
        """Empties the queues, at a stop; returns what they held."""
        return self._emptied(self._queues.values())

    def next_at(self, now: float, last: Lane = Lane.HOME) -> float | None:
        """When the next held message of no later lane than `last` may go, as far as time decides; None if none is held."""
        held = [
            (spot, queue, [held.earliest for held in queue.held if held.row.say.lane <= last])
            for spot, queue in self._queues.items()
            if not queue.busy
        ]
        times = [max(q.free_at, self._paused.get(spot.method, 0.0), min(starts)) for spot, q, starts in held if starts]
        return max(now, min(times)) if times else None

    def _emptied(self, queues: Collection[_Queue]) -> list[OutboxRow]:
        held = [held.row for queue in queues for held in queue.held]
        self._held.difference_update(row.id for row in held)
        for queue in queues:
            queue.held = []
        return held

    def _ready(self, spot: Spot, queue: _Queue, now: float, last: Lane) -> _Held | None:
        """Of a queue that is free."""
        if self._paused.get(spot.method, 0.0) > now:
            return None
        return next((held for held in queue.held if held.earliest <= now and held.row.say.lane <= last), None)


def _rank(held: _Held) -> tuple[int, bool, float, int]:
    return int(held.row.say.lane), held.calm, held.row.created_at.timestamp(), held.row.id
