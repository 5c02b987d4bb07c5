"""When nobody is on call, 14 days ahead: `check` and `doctor` say it in one sentence a rota.

A rota whose feed has to be fetched is left out where nobody has fetched it: its content is not known from the files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.policy.model import Policy
from bot.domain.policy.on_call import AHEAD, gaps
from runbooks.parsing.addresses import is_file
from runbooks.parsing.findings import PolicyFinding
from runbooks.parsing.folder import MATRIX


def coverage(policy: Policy, now: datetime, fetched: Collection[str] = ()) -> Iterator[PolicyFinding]:
    """A warning for each rota with a gap between `now` (aware UTC) and 14 days later; `policy` is prepared, and of the
    rotas whose feed has an address those that are named in `fetched`."""
    for rota in policy.rotas.values():
        if rota.source == "ical" and not is_file(rota) and rota.id not in fetched:
            continue
        holes = gaps(rota, now, now + AHEAD)
        if not holes:
            continue
        start, end = (moment.astimezone(ZoneInfo(rota.time_zone)) for moment in holes[0])
        count = "1 gap" if len(holes) == 1 else f"{len(holes)} gaps"
        text = (
            f"Nobody is on call in rota `{rota.id}` from {start:%a %Y-%m-%d %H:%M} to {end:%a %Y-%m-%d %H:%M}"
            f" ({rota.time_zone}), {count} in the next 14 days: add a shift, an override or a `fallback`."
        )
        yield PolicyFinding("warning", MATRIX, 1, text)
