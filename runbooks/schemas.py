"""JSON Schemas (draft 2020-12) of both formats, for editors; `countersign schema` prints them.

They say what one key may hold. What keys mean for each other is judged by `countersign check`.
"""

from __future__ import annotations

from typing import Any

from runbooks.shapes import MatrixShape, RunbookShape, Shape

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """`matrix` for responsibility.yaml, `runbook` for a runbook's front matter."""
    shapes: dict[str, type[Shape]] = {"matrix": MatrixShape, "runbook": RunbookShape}
    return {name: {"$schema": DRAFT} | _without_null(shape.model_json_schema()) for name, shape in shapes.items()}


def _without_null(schema: Any) -> Any:
    """A key that may be left out may not be left empty: `null` is no value of any key."""
    if isinstance(schema, list):
        return [_without_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _without_null(part) for key, part in schema.items() if not (key == "default" and part is None)}
    choices = found.get("anyOf")
    if not isinstance(choices, list):
        return found
    left = [choice for choice in choices if choice != {"type": "null"}]
    if len(left) == 1:
        del found["anyOf"]
        return left[0] | found
    return found | {"anyOf": left}
