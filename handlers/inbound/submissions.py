"""Forms that were sent.

Errors are shown at their field and write no row. A valid form gets its id here, is stored under it, and the
acknowledgement names it; the worker files it. Nothing that the form carries is believed: who may ask for what is looked
up again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

from bot.domain.policy.model import Runbook
from bot.domain.policy.people import Person
from bot.domain.timing import end_dates
from bot.domain.workflow.filing_form import FieldError
from bot.ports.commands import FileRequest
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.agreement import MATRIX_SUBMISSIONS
from handlers.inbound.buttons import BUTTON_FORMS
from handlers.inbound.campaigns import REVIEW_SUBMISSIONS
from handlers.inbound.home import HOME_SUBMISSIONS
from handlers.inbound.listener import Answer, Listener, SlackEdge, nothing
from handlers.inbound.payloads import Body, FormState, Submission
from handlers.inbound.roster import ROSTER_SUBMISSIONS
from handlers.inbound.sealed_use import SEALED_SUBMISSIONS
from handlers.views.dialogs import filed_page
from handlers.views.kit import wording
from handlers.views.kit.blocks import choice_of
from handlers.views.kit.escaping import cut
from handlers.views.request_form import read_metadata

_DOOR = re.compile(r"[CG][A-Z0-9]{2,20}:\d{1,12}\.\d{1,8}")
ERROR_MAX = 300
_OWN_FIELDS: Mapping[str, tuple[str, ...]] = {
    "runbook": (ids.RUNBOOK,),
    "target": (ids.TARGET_TEXT, ids.TARGET_CHOICE),
    "reason": (ids.REASON,),
    "duration": (ids.DURATION,),
    "until": (ids.UNTIL,),
    "subject": (ids.SUBJECT,),
    "noticed": (ids.NOTICED_AT,),
}


async def take_filing(edge: SlackEdge, body: Body) -> Answer:
    sent = payloads.submission(body)
    act = filing(edge, sent)
    wrong = edge.service.filing.check(act)
    if wrong:
        return {"response_action": "errors", "errors": placed(wrong, sent.sheet)}
    return await edge.take_in(sent.key, act, {"response_action": "update", "view": filed_page(act.id)})


def filing(edge: SlackEdge, sent: Submission) -> FileRequest:
    """What was typed, as an act under a fresh id. A choice that the form did not show yet has its default."""
    entered = sent.sheet.entered
    policy = edge.asking
    runbook = policy.runbooks.get(entered.get(ids.RUNBOOK, ""))
    subject = entered.get(ids.SUBJECT, "")
    home = policy.workspaces[0] if policy.workspaces else sent.person.team
    return FileRequest(
        id=edge.clock.request_id(),
        person=sent.person,
        runbook=entered.get(ids.RUNBOOK, ""),
        target=_target(entered, runbook),
        reason=entered.get(ids.REASON, ""),
        seconds=_seconds(entered.get(ids.DURATION), runbook),
        fields=_fields(entered, runbook),
        subject=Person(home, subject) if subject and runbook is not None and runbook.subject_verification else None,
        form=sent.sheet.id,
        door=_door(read_metadata(sent.sheet.metadata, {}, "").door),
        noticed_at=_moment(entered.get(ids.NOTICED_AT, "")),
        until=_until(entered.get(ids.UNTIL), runbook, edge.clock.now().date()),
    )


def _door(text: str) -> str:
    """Where the receipt may be posted: accepted only if it is a well-formed channel and message id."""
    return text if _DOOR.fullmatch(text) else ""


def placed(wrong: Iterable[FieldError], sheet: FormState) -> dict[str, str]:
    """Each error at the block of its field; at the runbook's where the form does not show that field."""
    errors: dict[str, str] = {}
    for error in wrong:
        block = _block_of(error.field, sheet)
        text = error.text if block else f"{wording.FORM_CHANGED} {error.text}"
        block = block or sheet.places.get(ids.RUNBOOK, ids.RUNBOOK)
        errors[block] = cut(f"{errors[block]} {text}" if block in errors else text, ERROR_MAX)
    return errors


def _block_of(field: str, sheet: FormState) -> str:
    for action_id, block_id in sheet.places.items():
        if action_id in _OWN_FIELDS.get(field, ()):
            return block_id
        name = ids.field_of(action_id)
        if name is not None and field == f"field.{name}":
            return block_id
    return ""


def _target(entered: Mapping[str, str], runbook: Runbook | None) -> str:
    if runbook is not None and runbook.targets:
        return choice_of(entered.get(ids.TARGET_CHOICE, ""), runbook.targets)
    return entered.get(ids.TARGET_TEXT, "")


def _seconds(text: str | None, runbook: Runbook | None) -> int:
    if text is None:
        return runbook.default_duration if runbook else 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _until(text: str | None, runbook: Runbook | None, today: date) -> str:
    """The last day; the runbook's default where the form did not show the choice yet."""
    if runbook is None or not end_dates.is_dated(runbook):
        return ""
    return end_dates.usual_day(runbook, today).isoformat() if text is None else text


def _moment(text: str) -> str:
    """RFC 3339 of seconds since 1970 UTC; empty where nothing was chosen."""
    known = text.isascii() and text.isdigit() and len(text) in (9, 10)
    return datetime.fromtimestamp(int(text), UTC).isoformat() if known else ""


def _fields(entered: Mapping[str, str], runbook: Runbook | None) -> dict[str, str]:
    answers: dict[str, str] = {}
    for spec in runbook.fields if runbook else ():
        value = entered.get(ids.field_action(spec.name, spec.type))
        if value is not None:
            answers[spec.name] = choice_of(value, spec.options) if spec.type == "select" else value
    return answers


SUBMISSIONS: Mapping[str, Listener] = {
    ids.FORM_ASK: Listener(take_filing),
    ids.FORM_PERMIT: Listener(nothing),  # the token in its field goes nowhere
    **BUTTON_FORMS,
    **HOME_SUBMISSIONS,
    **MATRIX_SUBMISSIONS,
    **SEALED_SUBMISSIONS,
    **REVIEW_SUBMISSIONS,
    **ROSTER_SUBMISSIONS,
}
ANY_SUBMISSION = Listener(nothing)
