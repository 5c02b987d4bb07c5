"""Whose an entry without a case is: what it names itself, or through a runbook."""

from __future__ import annotations

from typing import Any

import pytest

from bot.demo.year.organisation import policy
from bot.reports.concerns import concerns

_BOOK = "vault-02-reset"  # of cedar


@pytest.mark.parametrize(
    ("entry", "provider", "domain", "wanted"),
    [
        ({"type": "policy.loaded"}, "birch", "vault", True),
        ({"type": "clock.anomaly"}, None, None, True),
        ({"type": "clock.anomaly"}, "birch", None, False),
        ({"type": "provider.ended", "data": {"provider": "birch"}}, "birch", None, True),
        ({"type": "provider.ended", "data": {"provider": "birch"}}, "cedar", None, False),
        ({"type": "campaign.opened", "data": {"domains": ["vault"]}}, None, "vault", True),
        ({"type": "campaign.opened", "data": {"domains": ["vault"]}}, None, "mail", False),
        ({"type": "reconciliation.recorded", "data": {"domains": {"vault": {"lines": 1}}}}, None, "vault", True),
        ({"type": "right.narrowed", "runbook": {"id": _BOOK}}, "cedar", "vault", True),
        ({"type": "right.narrowed", "runbook": {"id": _BOOK}}, "birch", "vault", False),
        ({"type": "matrix.confirmed", "data": {"rows": [{"row": _BOOK}]}}, "cedar", "vault", True),
        ({"type": "matrix.confirmed", "data": {"rows": [{"row": "domain:mail"}]}}, None, "mail", True),
        ({"type": "matrix.confirmed", "data": {"rows": [{"row": "domain:mail"}]}}, None, "vault", False),
    ],
)
def test_an_entry_concerns_whom_it_names(
    entry: dict[str, Any], provider: str | None, domain: str | None, wanted: bool
) -> None:
    assert concerns(entry, policy(), provider, domain) is wanted
