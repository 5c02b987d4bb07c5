"""The stored tree as the files of C2SP `tlog-tiles`: any one of them, without reading the log.

Only what the newest signed checkpoint covers is there; nothing about a commit leaves before a checkpoint covers it. Never
disclosures. Hashes are served as stored: clients check them against the checkpoint.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from bot.domain.decision_log.inclusion_proof import inclusion
from bot.domain.decision_log.merkle_tree import NODE_LEVELS
from bot.domain.decision_log.tiles import ENTRIES, WIDTH, Tile, bundle
from bot.domain.decision_log.tlog_proof import TlogProof
from storage.log.tree_rows import Tree
from storage.session import Session

_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


def file(session: Session, name: str) -> bytes | None:
    """The file of that name, such as `checkpoint` or `tile/0/x001/000`; None where there is none."""
    newest = session.row("newest_checkpoint")
    if newest is None:
        return None
    size, note = newest["size"], newest["note"]
    if name == "checkpoint":
        return str(note).encode()
    parts = PurePosixPath(name)
    if name == f"checkpoints/{parts.name}" and _NUMBER.fullmatch(parts.name):
        row = session.row("checkpoint_note", size=int(parts.name))
        return str(row["note"]).encode() if row else None
    if name == f"proof/{parts.stem}.tlog-proof" and _NUMBER.fullmatch(parts.stem):
        return _proof(session, int(parts.stem), size, note)
    wanted = Tile.parse(name)
    return None if wanted is None else _tile(session, wanted, size)


def proof(session: Session, index: int, size: int) -> list[bytes]:
    """The inclusion proof of an entry in the tree of `size`; at most a few hundred rows are read. Raises LogDamaged."""
    return inclusion(index, size, Tree(session).whole)


def _proof(session: Session, index: int, size: int, note: str) -> bytes | None:
    if index >= size:
        return None
    row = session.row("log_entry", idx=index)
    assert row is not None
    return TlogProof(index, tuple(proof(session, index, size)), note, row["data"]).text().encode()


def _tile(session: Session, tile: Tile, size: int) -> bytes | None:
    level = 0 if isinstance(tile.level, str) else tile.level
    start, stop = tile.n * WIDTH, tile.n * WIDTH + tile.width
    if level > len(NODE_LEVELS) or stop > size >> (8 * level):
        return None
    if tile.level == ENTRIES:
        found = [row["data"] for row in session.rows("entry_bytes", start=start, stop=stop)]
        return None if None in found else bundle(found)
    return b"".join(Tree(session).hashes(8 * level, start, stop))
