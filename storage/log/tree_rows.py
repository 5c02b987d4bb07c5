"""Roots of complete subtrees from what is stored: nodes of the levels that are kept, leaves below them.

`bot.domain.decision_log.inclusion_proof` makes its proofs from these. The stored nodes are believed here; `log verify` is what compares them with
the leaves, and the leaves with the bytes.
"""

from __future__ import annotations

from bot.domain.decision_log.merkle_tree import NODE_LEVELS, subtree_root
from bot.domain.errors import LogDamaged
from storage.session import Session


class Tree:
    """The tree as one read transaction sees it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def whole(self, level: int, i: int) -> bytes:
        """The root over 2**level leaves from i * 2**level. Raises LogDamaged where they are not all there."""
        stored = max(base for base in (0, *NODE_LEVELS) if base <= level)
        width = 1 << (level - stored)
        return subtree_root(self.hashes(stored, i * width, (i + 1) * width))

    def hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Roots `start` to `stop` of a level that is stored: 0 (leaves) or one of NODE_LEVELS. Raises LogDamaged."""
        if level == 0:
            rows = self._session.rows("leaves", start=start, stop=stop)
            found = [(row["idx"], bytes(row["leaf"])) for row in rows]
        else:
            rows = self._session.rows("nodes_of_level", level=level, start=start, stop=stop)
            found = [(row["i"], bytes(row["h"])) for row in rows]
        if [i for i, _ in found] != list(range(start, stop)):
            what = "Entries of the log" if level == 0 else f"Nodes of the log's level {level}"
            raise LogDamaged(f"{what} from {start} to {stop} are missing; run `countersign log verify`.")
        return [root for _, root in found]
