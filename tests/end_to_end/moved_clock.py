"""Runs `countersign` at another time: `python moved_clock.py BOOT WALL MONOTONIC run` is `countersign run` with its clocks
moved by so many seconds, on a machine whose boot has the id BOOT.

Both clocks move, so that the program finds a later day and no jump. It needs only `bot.clock`, and so runs any release.
"""

import runpy
import sys
from datetime import timedelta

from bot import clock
from bot.clock import SystemClock

BOOT, WALL, MONOTONIC = sys.argv[1], timedelta(seconds=float(sys.argv[2])), float(sys.argv[3])
now, monotonic = SystemClock.now, SystemClock.monotonic
SystemClock.now = lambda self: now(self) + WALL  # type: ignore[method-assign]
SystemClock.monotonic = lambda self: monotonic(self) + MONOTONIC  # type: ignore[method-assign]
clock.boot_id = lambda: BOOT
sys.argv = ["countersign", *sys.argv[4:]]
runpy.run_module("bot", run_name="__main__", alter_sys=True)
