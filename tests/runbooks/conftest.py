"""A small organisation that is right in every way; tests break one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MATRIX = """\
organisation: Example Health Trust
contact: "#identity-help"
workspaces: [T0HOME]
people:
  olga: {id: U0OWNER, name: Olga Novak, page: "env:PAGE_OLGA"}
  dev: {id: U0DEP1, name: Dev Rao}
  pat: {id: U0PE1, name: Pat Engineer}
providers:
  northgate:
    name: Northgate Managed Identity
    contract: NMI-2026-014
    contract_until: 2027-03-31
    channel: C0NORTHGATE
    workspaces: [T0PROV]
    members: [U0PE1, U0PE2]
    requesters: [pat, T0PROV/U0PE3]
    leads: [U0PLEAD]
  watchfield:
    name: Watchfield
    members: [U0SOC1]
auditors: [U0AUDIT]
domains:
  directory:
    name: Corporate directory
    owner: olga
    deputies: [dev, U0DEP2]
    risk_owner: U0RISK
    on_call: security
    channel: C0DIRECTORY
  machines:
    name: Machines
    owner: U0MACH
    deputies: [U0MDEP]
    channel: C0MACHINES
rotas:
  security:
    source: static
    people: [U0ONC1, U0ONC2]
    time_zone: Europe/London
    shifts:
      - {days: [mon, tue, wed, thu, fri], from: "08:00", to: "20:00", person: U0ONC1}
      - {days: [sat, sun], from: "00:00", to: "24:00", person: U0ONC2}
    fallback: U0ONC2
    page: "env:PAGE_SECURITY"
escalation_policies:
  urgent:
    expires_after: 45m
    steps:
      - {after: 0m, notify: owner}
      - {after: 3m, remind: owner}
      - {after: 5m, notify: deputies}
      - {after: 10m, notify: on_call, page: true}
      - {after: 15m, notify: risk_owner}
  plain:
    expires_after: 8h
    hours: {days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00", time_zone: Europe/London}
    steps:
      - {after: 0m, notify: owner}
      - {after: 2h, notify: deputies}
same_person: [[U0ONC1, U0ONC9]]
"""

EMERGENCY = """\
---
id: emergency
title: Emergency admin on the corporate directory
kind: emergency_access
domain: directory
providers: [northgate]
right: approval
approvals: 2
requires: [risk_owner]
max_duration: 4h
default_duration: 1h
escalation: urgent
evidence: [session_recording]
rotate_within: 24h
review_within: 24h
audience: pam-prod
targets: targets.csv
fields:
  - {name: ticket, label: Incident ticket, type: text, pattern: '^INC\\d+$', required: true}
  - {name: area, label: Area, type: select, options: [North, South]}
  - {name: count, label: How many, type: number, min: 1, max: 50}
  - {name: since, label: Since when, type: date, min: 2026-01-01, max: 2030-12-31}
executor: {webhook: "env:PAM_URL", secret: "env:PAM_SECRET"}
---
## Before you start
1. Think.
"""

BREAKGLASS = """\
---
id: breakglass
title: Break the glass
kind: emergency_access
domain: directory
providers: [northgate, watchfield]
right: immediate
max_duration: 2h
escalation: urgent
review_within: 24h
break_glass: {ratify_within: 4h, quota: 2 per 30d}
---
Do it.
"""

UNLOCK = """\
---
id: unlock
title: Unlock an account
kind: reset
domain: machines
providers: [northgate]
right: autonomous
limit: 5 per 7d
review_every: 90d
tell: each
max_duration: 1h
subject_verification: [manager_callback]
not_before: 30m
---
Do it.
"""

EXCEPTION = """\
---
id: exception
title: An exception
kind: policy_exception
domain: directory
providers: [northgate]
right: approval
approvals: 2
risk: high
max_renewals: 1
max_duration: 90d
escalation: plain
---
Do it.
"""

TARGETS = """\
target,domain
ad-prod,directory
ad-test,directory
build-runner,machines
"""

Files = dict[str, str]


@pytest.fixture
def organisation() -> Files:
    """Path to text."""
    return {
        "responsibility.yaml": MATRIX,
        "emergency.md": EMERGENCY,
        "breakglass.md": BREAKGLASS,
        "unlock.md": UNLOCK,
        "exception.md": EXCEPTION,
        "targets.csv": TARGETS,
    }


@pytest.fixture
def stored(organisation: Files) -> dict[str, bytes]:
    """The same as bytes."""
    return {path: text.encode() for path, text in organisation.items()}


@pytest.fixture
def folder(tmp_path: Path, organisation: Files) -> Path:
    """The same as a folder."""
    for path, text in organisation.items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def changed(organisation: Files) -> Callable[[str, str, str], tuple[dict[str, bytes], int]]:
    """`changed(file, old, new)`: the organisation with one text replaced, and the line where the old one was."""

    def change(file: str, old: str, new: str) -> tuple[dict[str, bytes], int]:
        text = organisation.get(file, "")
        assert text.count(old) >= 1, f"{old!r} is not in {file}"
        line = text[: text.index(old)].count("\n") + 1
        files = organisation | {file: text.replace(old, new, 1)}
        return {path: content.encode() for path, content in files.items()}, line

    return change
