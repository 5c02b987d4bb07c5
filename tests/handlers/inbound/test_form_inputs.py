"""What a form's inputs come to: the fields of the press, or what is wrong at its field."""

from __future__ import annotations

import pytest

from bot.domain.workflow.identity_proof import REFERENCE_MAX
from handlers import ids
from handlers.inbound import form_inputs
from handlers.inbound.form_inputs import TEXT_MAX, Entered, FieldProblem, FormInputs
from handlers.views.kit import wording
from tests.bot.building import HOUR, T0

PAST = str(int((T0 - HOUR).timestamp()))
FUTURE = str(int((T0 + HOUR).timestamp()))


@pytest.mark.parametrize(
    ("entered", "wanted"),
    [
        ({ids.REASON: " why \n"}, FormInputs("why")),
        ({ids.REASON: "x" * TEXT_MAX}, FormInputs("x" * TEXT_MAX)),
        ({ids.REASON: "x" * (TEXT_MAX + 1)}, FieldProblem(ids.REASON, wording.TEXT_WANTED)),
        ({ids.REASON: " \n\t"}, FieldProblem(ids.REASON, wording.TEXT_WANTED)),
        ({}, FieldProblem(ids.REASON, wording.TEXT_WANTED)),
    ],
)
def test_a_text(entered: Entered, wanted: object) -> None:
    assert form_inputs.text(entered, T0) == wanted


def test_evidence_has_a_text_and_a_name() -> None:
    assert form_inputs.evidence({ids.REASON: "a link", ids.EVIDENCE_NAME: "ticket"}, T0) == FormInputs("a link", "ticket")
    assert form_inputs.evidence({ids.EVIDENCE_NAME: "ticket"}, T0) == FieldProblem(ids.REASON, wording.TEXT_WANTED)


@pytest.mark.parametrize(
    ("entered", "wanted"),
    [
        ({ids.STOCK_REASON: wording.STOCK_REASONS[0]}, FormInputs(wording.STOCK_REASONS[0])),
        ({ids.STOCK_REASON: wording.STOCK_REASONS[0], ids.REASON: "m"}, FormInputs(f"{wording.STOCK_REASONS[0]}: m")),
        ({ids.STOCK_REASON: "Approved by Olga"}, FieldProblem(ids.REASON, wording.DENY_BLANK)),
        ({ids.REASON: "x" * (TEXT_MAX + 1)}, FieldProblem(ids.REASON, wording.DENY_LONG)),
    ],
)
def test_a_no_has_a_stock_reason_or_a_text(entered: Entered, wanted: object) -> None:
    assert form_inputs.deny(entered, T0) == wanted


@pytest.mark.parametrize("chosen", ["", "0", "-60", "6e1", "1000000000", "٣"])
def test_a_span_is_a_number_of_seconds(chosen: str) -> None:
    assert form_inputs.span({ids.DURATION: "900"}, T0) == FormInputs(seconds=900)
    assert form_inputs.span({ids.DURATION: chosen}, T0) == FieldProblem(ids.DURATION, wording.LESS_WANTED)


def test_less_is_a_span_or_an_earlier_day() -> None:
    assert form_inputs.less({ids.DURATION: "900"}, T0) == FormInputs(seconds=900)
    assert form_inputs.less({ids.UNTIL: "2026-12-31"}, T0) == FormInputs(until="2026-12-31")
    assert form_inputs.less({ids.UNTIL: "31.12."}, T0) == FieldProblem(ids.UNTIL, wording.DAY_WANTED)


@pytest.mark.parametrize(
    ("entered", "wanted"),
    [
        ({ids.REFERENCE: "call 4711", ids.METHOD: "callback"}, FormInputs("call 4711", "callback", at=T0.isoformat())),
        ({ids.REFERENCE: "c", ids.DONE_AT: PAST}, FormInputs("c", at=(T0 - HOUR).replace(microsecond=0).isoformat())),
        ({ids.REFERENCE: "c", ids.DONE_AT: FUTURE}, FieldProblem(ids.DONE_AT, wording.DONE_LATER)),
        ({ids.REFERENCE: "two\nlines"}, FieldProblem(ids.REFERENCE, wording.REFERENCE_WANTED)),
        ({ids.REFERENCE: "x" * (REFERENCE_MAX + 1)}, FieldProblem(ids.REFERENCE, wording.REFERENCE_WANTED)),
        ({}, FieldProblem(ids.REFERENCE, wording.REFERENCE_WANTED)),
    ],
)
def test_a_verification_has_a_reference_and_a_time_that_has_come(entered: Entered, wanted: object) -> None:
    assert form_inputs.verified(entered, T0) == wanted
