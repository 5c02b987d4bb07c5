"""What is dispatched names its request in every log line that is written meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.transport.dispatch import about


@pytest.mark.parametrize(("body", "request_id"), [
    ({"actions": [{"value": "R-7K3M9QX2:3"}]}, "R-7K3M9QX2"), ({"actions": [{}, {"value": "r-7k3m9qx2:3"}]}, "R-7K3M9QX2"),
    ({"view": {"private_metadata": '{"question": "R-7K3M9QX2:3", "channel": "D1"}'}}, "R-7K3M9QX2"),
    ({"command": "/countersign", "text": "withdraw R-7K3M9QX2"}, "R-7K3M9QX2"),
    ({"actions": [{"value": "O-7K3M9QX2"}]}, None), ({"text": "XR-7K3M9QX2Y"}, None), ({}, None),
    ({"actions": "R-7K3M9QX2", "view": "R-7K3M9QX2", "text": 7}, None), ({"text": "x" * 3_000 + " R-7K3M9QX2"}, None),
])  # fmt: skip
def test_a_payload_names_its_request(body: dict[str, Any], request_id: str | None) -> None:
    assert about(body) == ({} if request_id is None else {"request": request_id})
