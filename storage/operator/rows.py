"""Acts of an operator and holds as rows and back, and how a transition changes them. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.case.operator_action import KINDS, Confirmation, Hold, OperatorAction, OperatorActionState, OperatorChange
from bot.domain.errors import IllegalMove, Stale
from bot.domain.policy.people import Person
from storage.session import Row, Session
from storage.values import moment, moment_or_none, ms, ms_or_none, person_or_none, to_columns

_KINDS = {str(kind): kind for kind in KINDS}


def write(session: Session, change: OperatorChange, now: datetime) -> None:
    """Raises Stale where the act is another by now, or the hold is released already."""
    if change.after is not None:
        _write_act(session, change.before, change.after)
    if change.places is not None:
        hold = change.places
        session.run("place_hold", id=hold.id, subject=str(hold.subject), placed_ms=ms(hold.placed_at))
        session.run("cover_by_holds", subject=str(hold.subject))
    if change.releases:
        _release(session, change.releases, now)


def act(session: Session, act_id: str) -> OperatorAction | None:
    row = session.row("operator_act", id=act_id)
    return None if row is None else _act(row, session.rows("operator_voices", id=act_id))


def unfinished(session: Session) -> Sequence[OperatorAction]:
    found = (act(session, row["id"]) for row in session.rows("unfinished_operator_acts"))
    return [one for one in found if one is not None]


def hold(session: Session, hold_id: str) -> Hold | None:
    """A hold in force."""
    row = session.row("hold", id=hold_id)
    return None if row is None else _hold(row)


def holds_on(session: Session, subject: Person) -> Sequence[Hold]:
    return [_hold(row) for row in session.rows("holds_on", subject=str(subject))]


def _write_act(session: Session, before: OperatorAction | None, after: OperatorAction) -> None:
    if before is None:
        if session.run("insert_operator_act", **_columns(after)) != 1:
            raise Stale("An act with this id exists already.")
        return
    if after.voices[: len(before.voices)] != before.voices:
        raise IllegalMove("A voice is never taken away.")
    changed = session.run(
        "swap_operator_act", id=before.id, version=before.version, state=after.state.value, reason=after.reason,
        closed_ms=ms_or_none(after.closed_at), result=after.result, **to_columns(after.subject, "subject"),
    )  # fmt: skip
    if changed != 1:
        raise Stale("The act changed meanwhile; look at it again.")
    for n, voice in enumerate(after.voices[len(before.voices) :], start=len(before.voices)):
        session.run(
            "put_operator_voice", act_id=after.id, n=n, team_id=voice.person.team, user_id=voice.person.user,
            answer=voice.answer, at_ms=ms(voice.at),
        )  # fmt: skip


def _release(session: Session, hold_id: str, now: datetime) -> None:
    standing = session.row("hold", id=hold_id)
    if standing is None or session.run("release_hold", id=hold_id, now=ms(now)) != 1:
        raise Stale("The hold is released already.")
    session.run("cover_by_holds", subject=standing["subject"])


def _columns(act: OperatorAction) -> dict[str, object]:
    return {
        "id": act.id, "kind": act.kind, "reason": act.reason, "filed_ms": ms(act.filed_at), "expires_ms": ms(act.expires_at),
        **to_columns(act.subject, "subject"), "hold": act.hold, "before_ms": ms_or_none(act.before),
        "state": act.state.value, "version": act.version, "closed_ms": ms_or_none(act.closed_at), "result": act.result,
    }  # fmt: skip


def _act(row: Row, voices: Sequence[Row]) -> OperatorAction:
    return OperatorAction(
        id=row["id"],
        kind=_KINDS[row["kind"]],
        reason=row["reason"],
        filed_at=moment(row["filed_ms"]),
        expires_at=moment(row["expires_ms"]),
        subject=person_or_none(row["subject_team"], row["subject_user"]),
        hold=row["hold"],
        before=moment_or_none(row["before_ms"]),
        state=OperatorActionState(row["state"]),
        version=row["version"],
        voices=tuple(Confirmation(Person(v["team_id"], v["user_id"]), v["answer"], moment(v["at_ms"])) for v in voices),
        closed_at=moment_or_none(row["closed_ms"]),
        result=row["result"],
    )


def _hold(row: Row) -> Hold:
    return Hold(row["id"], Person.parse(row["subject"]), moment(row["placed_ms"]))
