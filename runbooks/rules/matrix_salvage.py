"""The matrix as far as it can be trusted, so that one wrong key does not hide the other mistakes.

What a fault touches is left out and remembered as broken: a reference to a broken thing is not reported as unknown. A
set with any error is refused anyway, so nothing here ever reaches a policy in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.schema import (
    AgreementShape,
    DomainShape,
    EscalationShape,
    MatrixShape,
    PersonShape,
    ProviderShape,
    ReportThresholdsShape,
    ReviewShape,
    RotaShape,
    Shape,
    SigningShape,
)
from runbooks.parsing.schema_messages import validated
from runbooks.parsing.yaml_positions import Path

SECTIONS: Mapping[str, type[Shape]] = {
    "people": PersonShape,
    "providers": ProviderShape,
    "domains": DomainShape,
    "rotas": RotaShape,
    "escalation_policies": EscalationShape,
}
RULES: Mapping[str, type[Shape]] = {
    "agreement": AgreementShape,
    "report_thresholds": ReportThresholdsShape,
    "review": ReviewShape,
    "signing": SigningShape,
}


@dataclass(frozen=True, slots=True)
class Matrix:
    """`broken` holds (section, id) of what was left out; (section, "") when a whole section was."""

    sheet: ParsedFile
    shape: MatrixShape
    broken: frozenset[tuple[str, str]] = frozenset()

    def written(self, section: str) -> frozenset[str]:
        """The ids in a section, broken ones too."""
        return frozenset(getattr(self.shape, section) or ()) | {name for part, name in self.broken if part == section}

    def is_broken(self, section: str, name: str) -> bool:
        return (section, name) in self.broken or (section, "") in self.broken


def read_matrix(sheet: ParsedFile) -> Matrix | None:
    """The matrix, whole or in part; None when not even its workspaces are known."""
    shape, faults = validated(MatrixShape, sheet)
    if shape is not None:
        return Matrix(sheet, shape)
    value = sheet.document.value
    return _salvaged(sheet, value, faults) if isinstance(value, dict) else None


def _salvaged(sheet: ParsedFile, value: dict[str, Any], faults: tuple[Path, ...]) -> Matrix | None:
    broken = {_thing(path) for path in faults if path}
    parts: dict[str, Any] = {}
    for key in MatrixShape.model_fields:
        if key in value and (key, "") not in broken:
            parts[key] = _part(key, value[key], broken)
    if "workspaces" not in parts:
        return None
    known = {"organisation": "", "contact": "", "providers": {}, "domains": {}} | parts
    return Matrix(sheet, MatrixShape.model_construct(**known), frozenset(broken))


def _thing(path: Path) -> tuple[str, str]:
    section = str(path[0])
    return (section, str(path[1])) if section in SECTIONS and len(path) > 1 else (section, "")


def _part(name: str, value: Any, broken: set[tuple[str, str]]) -> Any:
    """The value of a key without a fault of its own, as the checks expect it."""
    if name in SECTIONS:
        return _section(name, value, broken)
    return RULES[name].model_validate(value) if name in RULES and value is not None else value


def _section(name: str, value: dict[str, Any], broken: set[tuple[str, str]]) -> dict[str, Shape]:
    shape = SECTIONS[name]
    return {key: shape.model_validate(part) for key, part in value.items() if (name, key) not in broken}
