"""What somebody should look at in a month's figures, in words.

Some figures raise a flag by themselves. A threshold of the policy (`report_thresholds`, by the figure's name) takes that one's place:
the flag is raised above it, and it says the limit. Source: governance-contract.md, section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_Figures = Mapping[str, Any]
SHARE = "answered_within_target_percent"
_WORDS: Mapping[str, str] = {  # figure to what is counted
    "out_of_hours": "requests out of hours",
    "escalations": "escalations",
    "expired": "requests expired without an answer",
    "refused_clicks": "clicks were refused",
    "break_glass": "accesses opened before a yes",
    "evidence_missing": "times evidence is missing",
    "reviews_overdue": "reviews were overdue",
    "late_findings": "findings came later than agreed",
    "repeats_of_denied_targets": "repeats of denied targets",
    "approved_within_five_seconds": "approvals came within five seconds of the message",
}


def flags(told: _Figures, thresholds: Mapping[str, int] | None = None) -> list[str]:
    """The flags of a month; `thresholds` are those of the policy."""
    limits = thresholds or {}
    found = [text for name, flag in _BUILT_IN if name not in limits for text in flag(told)]
    above = [(name, limit) for name, limit in limits.items() if name != SHARE and told.get(name, 0) > limit]
    found += [f"{told[name]} {_WORDS[name]}: more than {limit}, the threshold of the policy." for name, limit in above]
    answered, asked = told.get("answered_within_target", 0), told["to_answer"]
    if SHARE in limits and answered * 100 < limits[SHARE] * asked:
        found.append(
            f"{answered} of {asked} answers were within target: less than {limits[SHARE]} %, the threshold of the policy."
        )
    return found


def _unapproved(told: _Figures) -> Iterator[str]:
    if told["unapproved"]:
        many = f"{len(told['unapproved'])} accesses were" if len(told["unapproved"]) > 1 else "1 access was"
        yield f"{many} approved by nobody: {', '.join(told['unapproved'][:5])}."


def _expired(told: _Figures) -> Iterator[str]:
    if told["to_answer"] and told["expired"] * 10 > told["to_answer"]:
        yield f"{told['expired']} of {told['to_answer']} requests expired without an answer: more than one in ten."


def _late(told: _Figures) -> Iterator[str]:
    if told["late_findings"]:
        yield f"{told['late_findings']} of {told['findings']} findings came later than agreed."


def _any(name: str, sentence: str) -> Callable[[_Figures], Iterator[str]]:
    """A flag wherever a figure is not 0."""
    return lambda told: iter([sentence.format(told[name])] if told[name] else [])


_BUILT_IN: tuple[tuple[str, Callable[[_Figures], Iterator[str]]], ...] = (
    ("unapproved", _unapproved),
    ("expired", _expired),
    ("evidence_missing", _any("evidence_missing", "Evidence was not handed in: {}.")),
    ("reviews_overdue", _any("reviews_overdue", "Reviews overdue: {}.")),
    (
        "yeses_without_signature",
        _any("yeses_without_signature", "Yeses without the signature that their runbook demands: {}."),
    ),
    ("late_findings", _late),
    (
        "approved_within_five_seconds",
        _any("approved_within_five_seconds", "Approvals within five seconds of the message: {}."),
    ),
)
