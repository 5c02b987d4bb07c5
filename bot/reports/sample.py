"""Which requests an auditor looks at: a sample that nobody chose, and that everybody can draw again.

The population is ordered by SHA-256 of seed and request id, in hexadecimal; the sample is the first of that order. The seed is the
root of the checkpoint, which nobody knew before; another seed is marked as chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from heapq import nsmallest


def rank(seed: str, case: str) -> str:
    """The place of a request in the order: `printf '%s' SEED CASE | sha256sum`."""
    return sha256(f"{seed}{case}".encode()).hexdigest()


def drawn(cases: Iterable[str], seed: str, size: int) -> list[str]:
    """The first `size` of the population, in the order of their rank."""
    return nsmallest(size, cases, key=lambda case: rank(seed, case))
