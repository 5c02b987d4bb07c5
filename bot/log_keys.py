"""The log's verifier keys, as they lie beside the signing key: `STATE_DIR/log.vkey`, one a line, newest first."""

from __future__ import annotations

from pathlib import Path


def verifier_keys(state_dir: Path) -> str:
    """The keys in C2SP form; "" where none was made yet."""
    try:
        return (state_dir / "log.vkey").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
