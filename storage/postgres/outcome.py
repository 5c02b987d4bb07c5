"""How a transaction ended whose COMMIT was sent and not answered.

The server knows by the transaction's number (`pg_xact_status`). While the old session still works on it (`in progress`) it is
ended, so that it cannot commit later. No caller gets success or failure before that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg

from bot.domain.errors import DiskRefuses

_TRIES, _PAUSE = 40, 0.25  # seconds between two looks
Connect = Callable[[], psycopg.Connection[Any]]


def settle(connect: Connect, xid: str, pid: int, lost: psycopg.Error) -> psycopg.Connection[Any]:
    """A new session, if the transaction is committed. Raises DiskRefuses where it is not, or nobody can say it."""
    for _ in range(_TRIES):
        try:
            raw = connect()
            status = _status(raw, xid)
            if status == "in progress":
                raw.execute("SELECT pg_terminate_backend(%s::int4)", (pid,))
                raw.close()
            elif status == "committed":
                return raw
            else:
                raw.close()
                raise DiskRefuses("The database server was lost before it had committed; nothing was written.") from lost
        except psycopg.OperationalError:
            pass  # not back yet
        time.sleep(_PAUSE)
    raise DiskRefuses(
        "The database server was lost during a commit; look whether it was written when it is back."
    ) from lost


def _status(raw: psycopg.Connection[Any], xid: str) -> str:
    """`committed`, `aborted` or `in progress`; a number that this server never gave was not committed here."""
    try:
        row = raw.execute("SELECT pg_xact_status(%s::xid8) AS status", (xid,)).fetchone()
    except psycopg.errors.InvalidParameterValue:  # in the future: the server is a copy that lost its last moment
        return "aborted"
    return "aborted" if row is None else str(row["status"])
