"""The C2SP `tlog-proof`: an inclusion proof (`bot.domain.decision_log.inclusion_proof`) with the checkpoint that it leads to, as one text.

Source: https://c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

_HEAD = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An entry's index, its proof, and the signed checkpoint that it leads to; `extra` holds the entry's bytes, if any."""

    index: int
    path: tuple[bytes, ...]
    note: str
    extra: bytes | None = None

    def text(self) -> str:
        """The file's text."""
        extra = [] if self.extra is None else [f"extra {_b64(self.extra)}"]
        return "\n".join([_HEAD, *extra, f"index {self.index}", *map(_b64, self.path), "", self.note])

    @classmethod
    def parse(cls, text: str) -> TlogProof | None:
        """The proof in a text; None where it is none."""
        head, gap, note = text.partition("\n\n")
        lines = head.split("\n")
        if not gap or lines.pop(0) != _HEAD:
            return None
        extra = _decoded(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
        found = _INDEX.fullmatch(lines.pop(0)) if lines else None
        path = [_decoded(line) for line in lines]
        if found is None or any(part is None or len(part) != 32 for part in path):
            return None
        return cls(int(found[1]), tuple(part for part in path if part is not None), note, extra)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
