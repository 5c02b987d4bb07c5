"""What was entered in the form behind a button, as inputs of the press that it sends; or what is wrong, at its field. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from bot.domain.workflow.identity_proof import REFERENCE_MAX
from bot.ports.commands import read_day
from handlers import ids
from handlers.views.kit import wording
from handlers.views.kit.blocks import choice_of

TEXT_MAX = 1000
_MOMENT = re.compile(r"[0-9]{9,10}")


@dataclass(frozen=True, slots=True)
class FormInputs:
    """The fields of `bot.ports.commands.Press` that a form fills."""

    text: str = ""
    name: str = ""
    seconds: int = 0
    at: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """A validation error, shown at the block of one input."""

    block: str
    text: str


Entered: TypeAlias = Mapping[str, str]  # by action_id
Read: TypeAlias = FormInputs | FieldProblem


def text(entered: Entered, _now: datetime) -> Read:
    """One text, which must not be blank."""
    typed = entered.get(ids.REASON, "").strip()
    if not typed or len(typed) > TEXT_MAX:
        return FieldProblem(ids.REASON, wording.TEXT_WANTED)
    return FormInputs(typed)


def deny(entered: Entered, _now: datetime) -> Read:
    """A stock reason, a text, or both."""
    stock, typed = (entered.get(key, "").strip() for key in (ids.STOCK_REASON, ids.REASON))
    known = choice_of(stock, wording.STOCK_REASONS)
    reason = ": ".join(part for part in (known if known in wording.STOCK_REASONS else "", typed) if part)
    if not reason:
        return FieldProblem(ids.REASON, wording.DENY_BLANK)
    return FieldProblem(ids.REASON, wording.DENY_LONG) if len(typed) > TEXT_MAX else FormInputs(reason)


def less(entered: Entered, now: datetime) -> Read:
    """Less time than was asked for: an earlier last day, or a span."""
    return last_day(entered, now) if ids.UNTIL in entered else span(entered, now)


def last_day(entered: Entered, _now: datetime) -> Read:
    chosen = entered.get(ids.UNTIL, "")
    return FieldProblem(ids.UNTIL, wording.DAY_WANTED) if read_day(chosen) is None else FormInputs(until=chosen)


def span(entered: Entered, _now: datetime) -> Read:
    """Seconds of policy time."""
    chosen = entered.get(ids.DURATION, "")
    if not (chosen.isascii() and chosen.isdigit() and 0 < len(chosen) < 10 and int(chosen) > 0):
        return FieldProblem(ids.DURATION, wording.LESS_WANTED)
    return FormInputs(seconds=int(chosen))


def evidence(entered: Entered, now: datetime) -> Read:
    """Which evidence, and the text that it is."""
    typed = text(entered, now)
    return typed if isinstance(typed, FieldProblem) else FormInputs(typed.text, entered.get(ids.EVIDENCE_NAME, ""))


def verified(entered: Entered, now: datetime) -> Read:
    """The method by which the subject was verified: its reference, and when it was done (`now` where nothing was chosen)."""
    reference, chosen = entered.get(ids.REFERENCE, "").strip(), entered.get(ids.DONE_AT, "")
    if not reference or len(reference) > REFERENCE_MAX or "\n" in reference:
        return FieldProblem(ids.REFERENCE, wording.REFERENCE_WANTED)
    at = datetime.fromtimestamp(int(chosen), UTC) if _MOMENT.fullmatch(chosen) else now
    if at > now:
        return FieldProblem(ids.DONE_AT, wording.DONE_LATER)
    return FormInputs(reference, entered.get(ids.METHOD, ""), at=at.isoformat())


def closing(entered: Entered, now: datetime) -> Read:
    """What was done about a finding; one that a reconciliation opened has a choice for how it ended, and may do without words."""
    chosen = entered.get(ids.OUTCOME, "")
    typed = entered.get(ids.REASON, "").strip()
    if chosen in wording.OUTCOMES and len(typed) <= TEXT_MAX:
        return FormInputs(typed, chosen)
    return text(entered, now)


def noticed(entered: Entered, now: datetime) -> Read:
    """When a finding was noticed."""
    chosen = entered.get(ids.NOTICED_AT, "")
    if not _MOMENT.fullmatch(chosen):
        return FieldProblem(ids.NOTICED_AT, wording.MOMENT_WANTED)
    at = datetime.fromtimestamp(int(chosen), UTC)
    return FieldProblem(ids.NOTICED_AT, wording.DONE_LATER) if at > now else FormInputs(at=at.isoformat())
