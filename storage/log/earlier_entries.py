"""What a check of the newest entries needs of those that were verified before: their tree, and the cases that go on."""

from __future__ import annotations

from dataclasses import dataclass

from bot.decision_log.entry_decoder import decoded
from bot.domain.decision_log.merkle_tree import edge_sizes, leaf_hash
from bot.domain.decision_log.verify.joined_segments import CaseEnd
from bot.domain.decision_log.verify.segment import CaseState, Doubtful, following
from storage.log.tree_rows import Tree
from storage.session import Session


def tree_edge(session: Session, size: int) -> list[bytes]:
    """Roots of the complete subtrees of the first `size` entries, largest first. Raises LogDamaged."""
    edge, start, tree = [], 0, Tree(session)
    for width in edge_sizes(size):
        edge.append(tree.whole(width.bit_length() - 1, start // width))
        start += width
    return edge


@dataclass(frozen=True, slots=True)
class Earlier:
    """The entries before the index `first`."""

    session: Session
    first: int

    def case(self, case: str) -> CaseEnd | None:
        """A case after its last entry there; None where it has none. Raises Doubtful."""
        state: CaseState | None = None
        seq, leaf = -1, ""
        for row in self.session.rows("case_log", case_id=case):
            if row["idx"] >= self.first:
                break
            entry = decoded(row["data"])[0] if row["data"] is not None else None
            if entry is None or leaf_hash(row["data"]) != row["leaf"] or entry.get("case_seq") != seq + 1:
                raise Doubtful
            data = entry.get("data")
            state = following(state, str(entry.get("type")), isinstance(data, dict) and data.get("extends") is True)
            seq, leaf = seq + 1, row["leaf"].hex()
        return None if state is None else CaseEnd(seq, leaf, state)

    def is_disclosed(self, digest: str) -> bool:
        """Whether a digest is still disclosed."""
        return self.session.row("is_disclosed", digest=digest) is not None
