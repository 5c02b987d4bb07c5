"""Since when Slack has answered no call, by method. Pure: times are seconds of a monotonic clock and come as arguments.

Without a network every method fails, so any answer ends the silence. A refused token is different: an answer by another
method proves nothing, for an app without `chat:write` still publishes Homes, and `response_url` needs no token at all. So a
refusal ends only with an answer by the same method.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class _Start(NamedTuple):
    at: float
    refused: bool


@dataclass(slots=True)
class Silence:
    """One for each sender."""

    _starts: dict[str, _Start] = field(default_factory=dict)

    def begins(self, method: str, now: float, *, refused: bool) -> None:
        """A call had no answer, or (`refused`) was refused as the whole app's; the first of a row of them counts."""
        start = self._starts.get(method)
        self._starts[method] = _Start(start.at if start else now, refused)

    def ends(self, method: str, now: float) -> float:
        """Slack answered a call. Returns how long the silence that ends here lasted, in seconds; 0.0 if none ends."""
        over = [m for m, start in self._starts.items() if m == method or not start.refused]
        return max((now - self._starts.pop(m).at for m in over), default=0.0)

    def lasts(self, method: str, now: float) -> float:
        """For how many seconds no call like this one has been answered."""
        return max((now - s.at for m, s in self._starts.items() if m == method or not s.refused), default=0.0)
