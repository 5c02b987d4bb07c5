"""Roots of complete subtrees from what is stored: nodes of the levels that are kept, leaves below them.

`bot.domain.proof` makes its proofs from these. The stored nodes are believed here; `log verify` is what compares them with
the leaves, and the leaves with the bytes.
"""

from __future__ import annotations

from bot.domain.errors import LogDamaged
from bot.domain.ledger import NODE_LEVELS, node_hash, subtree_root
from storage.sqlite import Session


class Tree:
    """The tree as one read transaction sees it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def whole(self, level: int, i: int) -> bytes:
        """The root over 2**level leaves from i * 2**level. Raises LogDamaged where they are not all there."""
        if level in NODE_LEVELS:
            row = self._session.row("log_node", level=level, i=i)
            if row is None:
                raise LogDamaged(f"The log's node {i} of level {level} is missing; run `countersign log verify`.")
            return bytes(row["h"])
        if level > NODE_LEVELS[0]:
            return node_hash(self.whole(level - 1, 2 * i), self.whole(level - 1, 2 * i + 1))
        width = 1 << level
        rows = self._session.rows("log_leaves", start=i * width, limit=width)
        if [row["idx"] for row in rows] != list(range(i * width, (i + 1) * width)):
            raise LogDamaged(f"Entries of the log from {i * width} are missing; run `countersign log verify`.")
        return subtree_root([row["leaf"] for row in rows])
