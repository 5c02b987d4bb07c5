"""Reading the decision log, and what left the host. Entries are appended by the transactions that they describe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.case.transition import Notification
from bot.ports.records import LogRow


class SignedHead(Protocol):
    """The end of a log as committed; `edge` are the roots of its complete subtrees, largest first."""

    @property
    def origin(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def edge(self) -> tuple[bytes, ...]: ...


class DecisionLog(Protocol):
    """The log as committed: entries never change; only their bytes and disclosures may be deleted."""

    async def head(self) -> SignedHead:
        """Origin, size and edge."""

    async def consistency(self, old: int) -> tuple[SignedHead, list[bytes]]:
        """The head, and the RFC 9162 proof that it extends the tree of `old` entries (none for 0), read in one snapshot.

        Raises StorageError where the log is shorter, or something that the proof needs is missing.
        """

    async def keep_checkpoint(self, size: int, root: bytes, note: str) -> None:
        """Stores a signed note; a second call with it changes nothing."""

    def halt(self, why: str) -> None:
        """From now on every entry raises Stopped: the signer refuses this log. The empty string ends that."""

    async def rows(self, start: int, limit: int) -> Sequence[LogRow]:
        """Entries from index `start` on, in order."""

    async def of_case(self, case_id: str) -> Sequence[LogRow]:
        """The entries of one case, oldest first."""

    async def reconciliations(self, limit: int) -> Sequence[LogRow]:
        """The entries of the last reconciliations that were recorded, newest first."""

    async def file(self, name: str) -> bytes | None:
        """A file of the log's tree, as `tlog-tiles` names it, or `proof/<idx>.tlog-proof`; None where there is none."""

    async def disclosed_by(self, index: int) -> Sequence[str]:
        """What the digests of an entry disclose, without what was erased."""

    async def last_checkpoint(self) -> str | None:
        """The newest signed note, whole; None before the first."""


class AnchorRecords(Protocol):
    """What left the host. A stored anchor never changes."""

    async def anchored(self, kind: str, ref: str | None = None) -> int | None:
        """The greatest size anchored this way; None before the first."""

    async def newest(self) -> Mapping[str, tuple[int, datetime]]:
        """For each kind of anchor that was used: the greatest size, and when the last was."""

    async def consistency_between(self, old: int, size: int) -> Sequence[bytes]:
        """The RFC 9162 proof that the tree of `size` entries extends that of `old`; none for 0. Raises LogDamaged."""

    async def keep_anchor(self, size: int, kind: str, ref: str, blob: bytes | None) -> None:
        """Stores what was anchored."""

    async def last_post(self) -> tuple[int, datetime | None]:
        """The size of the checkpoint last posted in the audit channel, and when; 0 and None before the first."""

    async def post_checkpoint(self, size: int, say: Notification) -> None:
        """Queues a post of the checkpoint of `size` in the audit channel and remembers it, in one transaction."""
