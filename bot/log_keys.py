"""The log's verifier keys as text, one a line, the one that signs now first: what an export and `/log/log.vkey` give out."""

from __future__ import annotations

from pathlib import Path

from bot.keys import vkeys


def vkey_lines(state_dir: Path, origin: str) -> str:
    """The keys in C2SP form, a line each. Raises KeyFileError, NoteError."""
    return "".join(f"{key}\n" for key in vkeys(state_dir, origin))
