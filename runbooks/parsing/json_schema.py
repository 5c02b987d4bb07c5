"""JSON Schemas (draft 2020-12) of both formats, for editors; `countersign schema` prints them.

They say what one key may hold. What keys mean for each other is judged by `countersign check`.
"""

from __future__ import annotations

from typing import Any

from runbooks.parsing.runbook_schema import RunbookShape
from runbooks.parsing.schema import MatrixShape, Shape

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """`matrix` for responsibility.yaml, `runbook` for a runbook's front matter."""
    shapes: dict[str, type[Shape]] = {"matrix": MatrixShape, "runbook": RunbookShape}
    return {name: {"$schema": DRAFT} | _strict(shape.model_json_schema()) for name, shape in shapes.items()}


def _strict(schema: Any) -> Any:
    """A key that may be left out may not be left empty, and an id has its one form."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _strict(part) for key, part in schema.items() if not (key == "default" and part is None)}
    if "patternProperties" in found:
        found["additionalProperties"] = False
    choices = found.get("anyOf")
    if not isinstance(choices, list):
        return found
    left = [choice for choice in choices if choice != {"type": "null"}]
    if len(left) == 1:
        del found["anyOf"]
        return left[0] | found
    return found | {"anyOf": left}
