"""A finding asks for no access: what says something about access is refused on it, and a ladder is wanted."""

from __future__ import annotations

import pytest

from runbooks.loader import load_files
from runbooks.parsing.runbook_schema import NOT_FOR_FINDINGS
from tests.runbooks.conftest import Files

FINDING = """\
---
id: exposure
title: A credential is exposed
kind: finding
domain: directory
providers: [northgate]
escalation: urgent
due_within: 1h
---
Do not touch it. Say where it is.
"""
VALUES = {
    "right": "approval", "max_duration": "4h", "default_duration": "1h", "approvals": "1", "requires": "[risk_owner]",
    "evidence": "[recording]", "rotate_within": "24h", "review_within": "24h", "signature": "none", "audience": "pam",
    "limit": "5 per 7d", "review_every": "90d", "tell": "each", "break_glass": "{ratify_within: 4h}", "risk": "low",
    "max_renewals": "1", "subject_verification": "[call]", "targets": "targets.csv",
    "executor": '{webhook: "env:PAM_URL", secret: "env:PAM_SECRET"}', "not_before": "30m",
}  # fmt: skip


def with_finding(organisation: Files, text: str = FINDING) -> dict[str, bytes]:
    return {path: content.encode() for path, content in (organisation | {"exposure.md": text}).items()}


def test_a_finding_is_read(organisation: Files) -> None:
    found = load_files(with_finding(organisation))
    assert found.policy is not None, found.errors
    runbook = found.policy.runbooks["exposure"]
    assert (runbook.kind, runbook.escalation, runbook.due_within) == ("finding", "urgent", 3600)


@pytest.mark.parametrize("key", NOT_FOR_FINDINGS)
def test_what_is_about_access_is_refused_on_a_finding_with_its_line(organisation: Files, key: str) -> None:
    text = FINDING.replace("due_within: 1h", f"{key}: {VALUES[key]}")
    found = load_files(with_finding(organisation, text))
    assert found.policy is None
    assert [e.line for e in found.errors if f"`{key}`" in e.text and "remove it" in e.text] == [8]


def test_a_finding_without_a_ladder_is_refused(organisation: Files) -> None:
    (error,) = load_files(with_finding(organisation, FINDING.replace("escalation: urgent\n", ""))).errors
    assert "`escalation`" in error.text


def test_a_finding_does_not_wait_for_working_hours(organisation: Files) -> None:
    (error,) = load_files(with_finding(organisation, FINDING.replace("urgent", "plain"))).errors
    assert "working hours" in error.text


@pytest.mark.parametrize("key", ["right: approval\n", "max_duration: 4h\n"])
def test_everything_else_says_its_right_and_its_duration(organisation: Files, key: str) -> None:
    files = with_finding(organisation | {"emergency.md": organisation["emergency.md"].replace(key, "")})
    texts = [e.text for e in load_files(files).errors]
    assert any(f"`{key.partition(':')[0]}` is missing" in text for text in texts), texts


def test_due_within_belongs_to_findings_alone(organisation: Files) -> None:
    emergency = organisation["emergency.md"].replace("approvals: 2\n", "approvals: 2\ndue_within: 1h\n")
    (error,) = load_files(with_finding(organisation | {"emergency.md": emergency})).errors
    assert "`due_within`" in error.text
