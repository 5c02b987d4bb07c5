"""The keys of the matrix for what happens between decisions: `agreement`, `review`, `default_escalation`.

Where silence narrows a right to approval, somebody must be there to be asked: an autonomous right then needs a ladder, its own
`escalation` or the `default_escalation` of its domain or of the matrix. Source: governance-contract.md, sections 1 and 2.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.policy.governance import Agreement, ReviewRules
from bot.domain.policy.model import Domain
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.runbook_schema import RunbookShape
from runbooks.parsing.scalars import day
from runbooks.parsing.schema import AgreementShape, MatrixShape, ReviewShape
from runbooks.parsing.units import seconds
from runbooks.rules.domains import check_ladder
from runbooks.rules.people import Parties

_WORKING_DAY = 7 * 86_400 / 5  # seconds of a calendar in which one working day passes


def read_agreement(shape: AgreementShape | None) -> Agreement | None:
    """The matrix as an agreement; None where the key is absent."""
    return None if shape is None else Agreement(seconds(shape.every), seconds(shape.window), shape.unconfirmed)


def read_review(shape: ReviewShape | None) -> ReviewRules | None:
    """The reviews in campaigns; None where the key is absent."""
    if shape is None:
        return None
    every = seconds(shape.every)
    break_glass = seconds(shape.break_glass_every) if shape.break_glass_every else every
    return ReviewRules(every, break_glass, int(shape.window.partition(" ")[0]), shape.silence)


def check_governance(parties: Parties) -> None:
    """References of the keys at the top of the matrix."""
    check_ladder(parties, parties.matrix.shape.default_escalation, ("default_escalation",))
    agreement = parties.matrix.shape.agreement
    if agreement is not None and seconds(agreement.window) >= seconds(agreement.every):
        text = "`window` is not shorter than `every`: owners would be asked again before the time to confirm is over."
        parties.matrix.sheet.error(("agreement", "window"), text)
    review = read_review(parties.matrix.shape.review)
    if review is not None and min(review.every, review.break_glass_every) < review.window_days * _WORKING_DAY:
        text = (
            "The window is longer than the time between two reviews: owners are asked again as soon as they have answered."
        )
        parties.matrix.sheet.warning(("review", "window"), text)
    _check_contracts(parties)


def _check_contracts(parties: Parties) -> None:
    for id_, provider in parties.matrix.shape.providers.items():
        first, last = provider.contract_from, provider.contract_until
        if first and last and day(first) > day(last):
            text = f"`contract_from` {first} is after `contract_until` {last}: correct one of the two."
            parties.matrix.sheet.error(("providers", id_, "contract_from"), text)


def narrows(matrix: MatrixShape) -> bool:
    """Whether a review that nobody answers narrows the right."""
    return matrix.review is not None and matrix.review.silence == "narrow"


def check_narrowing(sheet: ParsedFile, shape: RunbookShape, matrix: MatrixShape, domains: Mapping[str, Domain]) -> None:
    """An autonomous right that silence may narrow has a ladder on which its requests are then asked."""
    domain = domains.get(shape.domain)
    ladder = shape.escalation or matrix.default_escalation or (domain.default_escalation if domain else None)
    if narrows(matrix) and shape.right == "autonomous" and domain is not None and ladder is None:
        sheet.error(
            ("right",),
            "A review that nobody answers narrows this right to approval, and nobody could then be asked: add `escalation` "
            "here, or `default_escalation` to the domain or the matrix.",
        )
