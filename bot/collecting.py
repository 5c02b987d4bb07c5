"""The garbage collector, told what stays.

A full collection walks every object that is alive and holds the event loop meanwhile: 60 to 75 ms for the modules, classes
and policies that a start makes and nothing ever frees. They are set apart once, so that a collection in the middle of a
sweep looks only at what came since.
"""

from __future__ import annotations

import gc


def settle() -> None:
    """What is alive now stays for the life of the process; called once, when everything is put together."""
    gc.collect()
    gc.freeze()
