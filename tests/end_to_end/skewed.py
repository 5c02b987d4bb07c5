"""`countersign` on a machine whose wall clock somebody else sets: SKEW_FILE holds by how many seconds it is ahead.

python -m tests.end_to_end.skewed run
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from bot.cli.main import main
from bot.clock import SystemClock

_FILE = Path(os.environ["SKEW_FILE"])
_true = SystemClock.now


def _now(self: SystemClock) -> datetime:
    return _true(self) + timedelta(seconds=float(_FILE.read_text() or 0))


if __name__ == "__main__":
    SystemClock.now = _now  # type: ignore[method-assign]
    main()
