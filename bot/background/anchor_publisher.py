"""Publishes the newest checkpoint to each anchor at the anchor's own interval, if it has changed since the last time.

The interval counts from what was anchored last, by whatever process: who takes over from another leader goes on at its pace. A replica
whose lease is over calls nobody.

The audit channel also gets a changed checkpoint, at most every 15 minutes. That is a convenience and no anchor: the host
holds the token that can edit those messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from bot.background.loop import every
from bot.clock import Clock
from bot.decision_log.anchors import AnchorBook, AnchorTarget, NotAnchored
from bot.domain.case.transition import Lane, Notification
from bot.ports.records import Cover, SignedCheckpoint
from bot.ports.store import Store

LOOK, AGAIN = 5.0, 300.0  # seconds: between two checks; before a failed anchor is retried
POSTS = timedelta(minutes=15)
log = structlog.get_logger(__name__)


class AnchorPublisher:
    """Runs until stopped; `work` does what is due now and returns."""

    def __init__(
        self,
        store: Store,
        book: AnchorBook,
        cover: Cover,
        clock: Clock,
        anchors: Sequence[AnchorTarget],
        channel: str | None,
        spoke: Callable[[], None] = lambda: None,
        beat: Callable[[], None] = lambda: None,
        may_call: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store, self._book, self._cover, self._clock = store, book, cover, clock
        self._anchors, self._channel, self._spoke, self._beat = tuple(anchors), channel, spoke, beat
        self._may_call = may_call
        self._due: dict[int, float] = {}  # by place in `anchors`: monotonic seconds

    async def run(self, stop: asyncio.Event) -> None:
        await every(LOOK, self.work, stop, beat=self._beat, failed="anchoring.failed")

    async def work(self) -> None:
        """Publishes what is due now. A stopped log has nothing to anchor. Raises StorageError."""
        due = [n for n in range(len(self._anchors)) if self._clock.monotonic() >= self._due.get(n, 0.0)]
        if not due and self._channel is None:
            return
        signed = await self._cover()
        if not isinstance(signed, SignedCheckpoint):
            return
        await asyncio.gather(*(self._one(n, signed) for n in due))
        if self._channel is not None:
            await self._post(self._channel, signed)

    async def _one(self, n: int, signed: SignedCheckpoint) -> None:
        anchor = self._anchors[n]
        size, at = (await self._store.anchors.newest()).get(anchor.kind, (0, None))
        since = anchor.every if at is None else (self._clock.now() - at).total_seconds()
        if size == signed.size or 0 <= since < anchor.every:
            self._due[n] = self._clock.monotonic() + anchor.every - (0 if size == signed.size else since)
            return
        if not self._may_call():
            return
        try:
            done = await anchor.anchor(self._book, signed, self._clock.now())
            self._due[n] = self._clock.monotonic() + anchor.every
            log.info("log.anchored", kind=anchor.kind, size=signed.size, text=done)
        except NotAnchored as why:
            self._due[n] = self._clock.monotonic() + min(AGAIN, anchor.every)
            log.error("log.not_anchored", kind=anchor.kind, size=signed.size, reason=str(why))

    async def _post(self, channel: str, signed: SignedCheckpoint) -> None:
        now = self._clock.now()
        size, at = await self._store.anchors.last_post()
        if size == signed.size or (at is not None and at <= now < at + POSTS):
            return
        say = Notification("checkpoint", Lane.EDIT, channel=channel, key="checkpoint")
        await self._store.anchors.post_checkpoint(signed.size, say)
        self._spoke()
