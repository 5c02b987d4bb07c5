"""What an operator watches: how much waits since when, whether anything can be written, which requests there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.domain.case.lifecycle import AskState
from bot.domain.case.transition import Lane
from bot.domain.policy.people import Person
from bot.ports.records import Backlog, Lateness, RequestLine, SystemCase, Waiting
from storage.log.append import read_head
from storage.session import Row, Session
from storage.values import moment, moment_or_none, ms, person_or_none


def backlog(session: Session, now: datetime) -> Backlog:
    """Everything that waits, as of one moment."""
    lanes = {Lane(row["lane"]): _waiting(row) for row in session.rows("outbox_backlog")}
    return Backlog(
        inbox=_waiting(session.row("inbox_backlog")),
        outbox={lane: lanes.get(lane, Waiting(0, None)) for lane in Lane},
        due=_waiting(session.row("due_backlog", now=ms(now))),
        log_size=read_head(session).size,
        unclosed=_waiting(session.row("unclosed")),
        unreadable=_waiting(session.row("unreadable")),
        asks={row["kind"]: _waiting(row) for row in session.rows("open_asks")},
        signed=_signed(session),
    )


def _signed(session: Session) -> int:
    row = session.row("newest_checkpoint_size")
    return 0 if row is None or row["size"] is None else int(row["size"])


def lateness(session: Session, before: datetime) -> Lateness:
    """What the watchdog looks at; each is one step into an index."""
    urgent = session.row("oldest_unsent", lane=int(Lane.URGENT))
    due = session.row("oldest_deadline")
    return Lateness(
        {row["domain"]: _waiting(row) for row in session.rows("overdue_asks", before=ms(before))},
        None if urgent is None else moment_or_none(urgent["oldest_ms"]),
        None if due is None else moment_or_none(due["oldest_ms"]),
        _waiting(session.row("unreadable")),
    )


def prove_writable(session: Session, check_schema: Callable[[Session], None]) -> None:
    """Writes and deletes a row. Raises what `check_schema` raises."""
    check_schema(session)
    session.run("touch")
    session.run("untouch")


def requests(session: Session, limit: int, *, closed_too: bool) -> Sequence[RequestLine]:
    return [_listed(row) for row in session.rows("all_requests" if closed_too else "open_requests", limit=limit)]


def open_samples(session: Session) -> Sequence[RequestLine]:
    return [_listed(row) for row in session.rows("open_samples")]


def running_drill(session: Session, runbook: str) -> str | None:
    row = session.row("running_drill", runbook=runbook)
    return None if row is None else row["id"]


def matters(session: Session) -> Sequence[SystemCase]:
    return [
        SystemCase(
            row["id"], row["matter"], row["domain"], row["runbook"], row["runbook_sha256"],
            person_or_none(row["subject_team"], row["subject_user"]), AskState(row["state"]),
            row["target"] if row["matter"] == "provider" else "",
        )
        for row in session.rows("matters")
    ]  # fmt: skip


def _waiting(row: Row | None) -> Waiting:
    return Waiting(0, None) if row is None else Waiting(row["waiting"], moment_or_none(row["oldest_ms"]))


def _listed(row: Row) -> RequestLine:
    return RequestLine(
        id=row["id"],
        kind=row["kind"],
        state=row["state"],
        grant=row["grant_state"],
        title=row["title"],
        domain=row["domain"],
        provider=row["provider"],
        requester=Person(row["requester_team"], row["requester_user"]),
        filed_at=moment(row["filed_ms"]),
        expires_at=moment(row["expires_ms"]),
        closed_at=moment_or_none(row["closed_ms"]),
        not_after=moment_or_none(row["not_after_ms"]),
        drill=bool(row["drill"]),
        runbook=row["runbook"],
        target=row["target"],
    )
