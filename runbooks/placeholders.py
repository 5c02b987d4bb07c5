"""Ids that `countersign init` wrote to be replaced, and that still stand: a policy that nobody could answer.

They have the form of real ids, so that every other check runs from the first minute; that is why they need one of their
own. Each is a warning at its line with where its id is found. A comment is no policy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runbooks.parsing.findings import PolicyReport
from runbooks.parsing.folder import MATRIX, is_runbook

_PLACEHOLDER = re.compile(r"\b([UWCGTE])[A-Z0-9]*REPLACE[A-Z0-9]*\b")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_PERSON = "their profile in Slack → ⋮ → Copy member ID"
_CHANNEL = "the channel's name in Slack → About → Channel ID, at the bottom"
_TEAM = "Slack in a browser: the T… of its address"
_FOUND = {"U": _PERSON, "W": _PERSON, "C": _CHANNEL, "G": _CHANNEL, "T": _TEAM, "E": _TEAM}


def placeholders(files: Mapping[str, bytes], report: PolicyReport) -> None:
    """Names every placeholder of the matrix and the runbooks' front matter and text."""
    for path in sorted(files):
        if path != MATRIX and not is_runbook(path):
            continue
        for number, line in enumerate(files[path].decode("utf-8", "replace").split("\n"), 1):
            for found in _PLACEHOLDER.finditer(_COMMENT.sub("", line)):
                where = _FOUND[found[1]]
                report.warning(path, number, f"`{found[0]}` is a placeholder of `init`: put the real id there ({where}).")
