"""One parsed file with the report that collects its faults: rules speak in paths, readers in lines."""

from __future__ import annotations

from dataclasses import dataclass

from runbooks.parsing.findings import PolicyReport
from runbooks.parsing.yaml_positions import Document, Path


@dataclass(frozen=True, slots=True)
class ParsedFile:
    document: Document
    report: PolicyReport

    @property
    def file(self) -> str:
        return self.document.file

    def error(self, path: Path, text: str) -> None:
        self.report.error(self.file, self.document.line(path), text)

    def warning(self, path: Path, text: str) -> None:
        self.report.warning(self.file, self.document.line(path), text)
