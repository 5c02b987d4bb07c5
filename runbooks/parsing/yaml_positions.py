"""YAML with positions.

Policy is YAML 1.2 with the core schema and nothing else: `yes` is text, `010` is ten, a date is text. What makes a
file mean something other than it says is refused with its line: a key written twice, an alias or anchor, an explicit
tag, a second document, an empty value, nesting deeper than 20. Every key and list item remembers its line.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from runbooks.parsing.findings import PolicyFinding

Path = tuple[str | int, ...]
MAX_DEPTH = 20

_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_OCTAL = re.compile(r"0o[0-7]{1,18}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")


@dataclass(frozen=True)
class Document:
    """A parsed file: plain values, and the line of every key and list item."""

    file: str
    value: Any
    lines: Mapping[Path, int]
    first_line: int = 1
    findings: tuple[PolicyFinding, ...] = ()

    def line(self, path: Path) -> int:
        """The line of `path`, or of its nearest parent in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, self.first_line)


@lru_cache(maxsize=1024)
def parse(file: str, text: str, first_line: int = 1) -> Document:
    """Reads one YAML document; do not change its value.

    Faults are in `findings`; after one that ends the reading, `value` is None.
    """
    reading = _Reading(file, first_line)
    value: Any = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = reading.document(_events(text))
    except _Unfit as unfit:
        reading.fault(unfit.line, str(unfit))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reading.fault(mark.line if mark else 0, f"This is not YAML: {_cause(error)}; fix it here or just above.")
    except ReaderError as error:
        line = text.count("\n", 0, error.position)
        reading.fault(line, "A control character stands here: remove it.")
    except (YAMLError, ValueError, LookupError, AttributeError, TypeError, AssertionError, RecursionError):
        reading.fault(0, "This is not YAML: write it as the example in the documentation shows.")
    return Document(file, value, reading.lines, first_line, tuple(reading.findings))


def _events(text: str) -> Iterator[Any]:
    return iter(YAML(typ="safe", pure=True).parse(text))


def _cause(error: MarkedYAMLError) -> str:
    said = " ".join(str(error.problem or error.context or "it cannot be read").split())
    return "a tab stands here, use spaces" if r"'\t'" in said else said


class _Unfit(Exception):
    """Well-formed YAML that policy files do not allow; reading cannot continue."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


@dataclass
class _Reading:
    """Builds values from parser events, so that nothing is ever expanded or constructed."""

    file: str
    first_line: int
    lines: dict[Path, int] = field(default_factory=dict)
    findings: list[PolicyFinding] = field(default_factory=list)

    def fault(self, line: int, text: str) -> None:
        self.findings.append(PolicyFinding("error", self.file, self.first_line + line, text))

    def document(self, events: Iterator[Any]) -> Any:
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, ev.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Unfit(event.start_mark.line, "A second YAML document starts here: keep one per file.")
                value = self.node(next(events), events, ())
        return value

    def node(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        line = event.start_mark.line
        if isinstance(event, ev.AliasEvent) or getattr(event, "anchor", None):
            raise _Unfit(line, "Anchors (`&`) and aliases (`*`) are not used in policy: write the value out.")
        if getattr(event, "tag", None):
            raise _Unfit(line, f"The tag `{event.tag}` is not used in policy: write the plain value.")
        if len(path) > MAX_DEPTH:
            raise _Unfit(line, f"This is nested deeper than {MAX_DEPTH}: no key of a policy file goes so deep.")
        if isinstance(event, ev.MappingStartEvent):
            return self.mapping(events, path)
        if isinstance(event, ev.SequenceStartEvent):
            return self.sequence(events, path)
        return self.scalar(event, path)

    def mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(events), ev.MappingEndEvent):
            line = event.start_mark.line
            if not isinstance(event, ev.ScalarEvent):
                raise _Unfit(line, "A key is one word: write `key: value`.")
            key = self.words(str(event.value), line)
            if not key.isprintable():
                raise _Unfit(line, "This key holds characters that nobody can see: write a plain word.")
            if key in found:
                first = self.lines[(*path, key)]
                self.fault(line, f"`{key}` stands here a second time (first in line {first}): remove one of them.")
                self.node(next(events), events, (*path, f"{key}\0{line}"))
                continue
            self.lines[(*path, key)] = self.first_line + line
            found[key] = self.node(next(events), events, (*path, key))
        return found

    def sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(events), ev.SequenceEndEvent):
            here: Path = (*path, len(found))
            self.lines[here] = self.first_line + event.start_mark.line
            found.append(self.node(event, events, here))
        return found

    def words(self, text: str, line: int) -> str:
        if any("\ud800" <= sign <= "\udfff" for sign in text):
            raise _Unfit(line, "Half a character stands here (a lone surrogate): write the whole character.")
        return text

    def scalar(self, event: Any, path: Path) -> Any:
        text = self.words(event.value, event.start_mark.line)
        value = _core(text) if event.implicit[0] else text
        if value is None and path:
            where = "This item" if isinstance(path[-1], int) else f"`{path[-1].partition(chr(0))[0]}`"
            line = self.lines.get(path, self.first_line + event.start_mark.line)
            self.fault(line - self.first_line, f"{where} has no value: write one, or leave it out.")
        return value


def _core(text: str) -> object:
    """The core schema of YAML 1.2 for a plain scalar."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text.lower() == "true"
    for shape, base in ((_INT, 10), (_OCTAL, 8), (_HEX, 16)):
        if shape.fullmatch(text):
            return int(text.replace("0o", "", 1) if base == 8 else text, base)
    return float(text) if _FLOAT.fullmatch(text) else text
