"""The content of a runbook's row, as reviews compare it: what may be asked for, by whom, for how long, how often."""

from __future__ import annotations

import hashlib
import json

from bot.domain.policy.model import Runbook


def row_of(runbook: Runbook) -> str:
    """The digest of the rights in a runbook: who may ask for what, for how long, how often. Texts and the file's bytes do not count."""
    glass, limit = runbook.break_glass, runbook.limit
    content = [
        runbook.id, runbook.kind, runbook.domain, sorted(runbook.providers), runbook.right, runbook.max_duration,
        runbook.approvals, sorted(runbook.requires), None if limit is None else [limit.count, limit.per],
        None if glass is None else [glass.ratify_within, *((glass.quota.count, glass.quota.per) if glass.quota else ())],
        sorted(runbook.targets), runbook.not_before, sorted(runbook.subject_verification), runbook.max_renewals,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
