"""The keys for what happens between decisions are off until they are written, and refused where they contradict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from bot.domain.policy.governance import Agreement, ReviewRules
from runbooks.loader import load_files
from runbooks.parsing.schema import MatrixShape, Shape
from runbooks.rules.matrix_salvage import RULES, SECTIONS
from tests.rules.test_policy_faults import M, U

Changed = Callable[[str, str, str], tuple[dict[str, bytes], int]]
DAY = 86400
KEYS = """same_person: [[U0ONC1, U0ONC9]]
agreement: {every: 365d, window: 30d, unconfirmed: hold}
review: {every: 180d, break_glass_every: 90d, window: 10 working days, silence: %s}
"""

SIGNING = "signing: {rp_id: localhost, origin: 'http://localhost:3000'}\n"


def test_without_the_keys_nothing_is_asked(changed: Changed) -> None:
    files, _ = changed(M, "owner: olga", "owner: olga")
    policy = load_files(files).policy
    assert policy is not None
    assert (policy.agreement, policy.review, policy.default_escalation, policy.reports) == (None, None, None, None)
    assert policy.report_thresholds == ()


def test_the_keys_are_read(changed: Changed) -> None:
    files, _ = changed(M, "same_person: [[U0ONC1, U0ONC9]]\n", KEYS % "keep" + "reports: monthly\n")
    found = load_files(files)
    assert found.policy is not None, found.errors
    assert found.policy.agreement == Agreement(365 * DAY, 30 * DAY, "hold")
    assert found.policy.review == ReviewRules(180 * DAY, 90 * DAY, 10, "keep")
    assert found.policy.reports == "monthly"


def test_the_limits_of_a_months_figures_are_read(changed: Changed) -> None:
    keys = "report_thresholds: {expired: 5, answered_within_target_percent: 90}\n"
    files, _ = changed(M, "same_person: [[U0ONC1, U0ONC9]]\n", keys)
    found = load_files(files)
    assert found.policy is not None, found.errors
    assert found.policy.report_thresholds == (("expired", 5), ("answered_within_target_percent", 90))


@pytest.mark.parametrize("key", ["nobody_counts: 5", "expired: -1", "answered_within_target_percent: 101", "expired: many"])
def test_a_limit_that_no_report_knows_is_refused(changed: Changed, key: str) -> None:
    files, _ = changed(M, "same_person: [[U0ONC1, U0ONC9]]\n", f"report_thresholds: {{{key}}}\n")
    (error,) = load_files(files).errors
    assert error.file == M


def test_an_autonomous_right_that_silence_may_narrow_needs_a_ladder(changed: Changed) -> None:
    files, _ = changed(M, "same_person: [[U0ONC1, U0ONC9]]\n", KEYS % "narrow")
    (error,) = load_files(files).errors
    assert error.file == U
    assert "`default_escalation`" in error.text


@pytest.mark.parametrize("where", ["top", "domain", "runbook"])
def test_each_ladder_will_do(changed: Changed, where: str) -> None:
    keys = KEYS % "narrow" + ("default_escalation: plain\n" if where == "top" else "")
    files, _ = changed(M, "same_person: [[U0ONC1, U0ONC9]]\n", keys)
    if where == "domain":
        files[M] = files[M].replace(b"owner: U0MACH", b"owner: U0MACH\n    default_escalation: plain")
    if where == "runbook":
        files[U] = files[U].replace(b"right: autonomous", b"right: autonomous\nescalation: plain")
    found = load_files(files)
    assert found.policy is not None, found.errors
    assert not [f for f in found.warnings if "escalation" in f.text]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("default_escalation: plian\n", "Did you mean `plain`"),
        ("review: {every: 180d, window: 10 days}\n", "like `10 working days`"),
        ("review: {every: 180d, silence: withdraw}\n", "write `narrow` or `keep`"),
        ("agreement: {every: 365d}\n", "`window` is missing"),
        ("reports: weekly\n", "monthly"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write(changed: Changed, keys: str, words: str) -> None:
    files, _ = changed(M, "same_person: [[U0ONC1, U0ONC9]]\n", "same_person: [[U0ONC1, U0ONC9]]\n" + keys)
    (error,) = load_files(files).errors
    assert words in error.text


def test_a_window_that_outlasts_its_period_is_refused_at_its_line(changed: Changed) -> None:
    keys = (KEYS % "keep").replace("window: 30d", "window: 365d")
    files, _ = changed(M, "same_person: [[U0ONC1, U0ONC9]]\n", keys)
    (error,) = load_files(files).errors
    assert (error.file, "`window` is not shorter than `every`" in error.text) == (M, True)
    assert error.line > 1


def test_a_contract_that_begins_after_its_end_is_refused(changed: Changed) -> None:
    files, line = changed(M, "contract_until: 2027-03-31", "contract_until: 2027-03-31\n    contract_from: 2027-04-01")
    (error,) = load_files(files).errors
    assert (error.line, "is after `contract_until` 2027-03-31" in error.text) == (line + 1, True)


def test_a_window_of_reviews_that_outlasts_their_period_is_warned_about(changed: Changed) -> None:
    for every, warned in (("13d", True), ("14d", False)):
        keys = f"review: {{every: 180d, break_glass_every: {every}, window: 10 working days, silence: keep}}\n"
        files, _ = changed(M, "same_person: [[U0ONC1, U0ONC9]]\n", "same_person: [[U0ONC1, U0ONC9]]\n" + keys)
        found = [f for f in load_files(files).warnings if "The window is longer" in f.text]
        assert bool(found) is warned


@pytest.mark.parametrize("fault", ["retension: 3d\n", "hold: soon\n", "reports: weekly\n", "review: {every: 9}\n"])
def test_one_wrong_key_at_the_top_hides_no_other_mistake(changed: Changed, fault: str) -> None:
    """The keys beside it are still checked."""
    keys = KEYS % "narrow" + SIGNING + "default_escalation: plian\n"
    if "review" in fault:
        keys = keys.replace(next(line for line in keys.splitlines(keepends=True) if line.startswith("review")), "")
    files, _ = changed(M, "same_person: [[U0ONC1, U0ONC9]]\n", keys + fault)
    assert {"Did you mean `plain`" in error.text for error in load_files(files).errors} == {True, False}


def test_every_set_of_rules_at_the_top_is_known_where_another_key_is_wrong() -> None:
    shapes = {key for key, field in MatrixShape.model_fields.items() if _is_shape(field.annotation)}
    assert shapes - set(SECTIONS) == set(RULES)


def _is_shape(annotation: Any) -> bool:
    return any(isinstance(one, type) and issubclass(one, Shape) for one in get_args(annotation))
