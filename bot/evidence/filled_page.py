"""The auditor's page, with the files of its export inside: it opens full from disk, with no folder to choose.

What the page reads is written into `index.html` in base64, while the export is written, so that memory holds no more than one
file of it: a `<script type="application/octet-stream" data-path="…">` a piece; the pieces of one path follow each other. A
browser neither runs nor loads such an element. Source: experience.md, "Auditor's page".
"""

from __future__ import annotations

import base64
import json
import re
from importlib import resources
from types import TracebackType

from bot.domain.decision_log.entry_types import ENTRY_TYPES
from bot.evidence.folder import Folder

PAGE = "index.html"
_BOOK = re.compile(r"policy/[0-9a-f]{64}/[^/]+\.md")  # of a runbook the page reads the front matter only
_DATA, _PIECE = "<!-- data -->", 3 * 2**18  # bytes before base64; a multiple of three, so that pieces join
_READ = re.compile(
    r"checkpoint|log\.vkey|disclosures\.jsonl|selection\.json|(?:tile|checkpoints|case)/.+|policy/[0-9a-f]{64}/responsibility\.yaml"
)


class FilledPage:
    """Writes an export's files through to `folder`, and those that the page reads into the page too.

    A context manager: the page is whole when the context ends without an error. Raises as `Folder` does.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._growing: dict[str, bytearray] = {}
        self._before, _, self._after = auditors_page().partition(_DATA)

    def __enter__(self) -> FilledPage:
        self._folder.append(PAGE, self._before.encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            return
        for name, data in self._growing.items():
            self._piece(name, bytes(data))
        self._folder.append(PAGE, self._after.encode())

    def write(self, name: str, data: bytes) -> None:
        """Writes a file; `name` is relative, with `/`."""
        self._folder.write(name, data)
        if _READ.fullmatch(name):
            self._piece(name, data)
        elif _BOOK.fullmatch(name):
            head, end, _ = data.partition(b"\n---")
            self._piece(name, head + end)

    def append(self, name: str, data: bytes) -> None:
        """Appends to a file."""
        self._folder.append(name, data)
        if not _READ.fullmatch(name):
            return
        held = self._growing.setdefault(name, bytearray())
        held += data
        while len(held) >= _PIECE:
            self._piece(name, bytes(held[:_PIECE]))
            del held[:_PIECE]

    def only_in_page(self, name: str, data: bytes) -> None:
        """What the page reads, and no file of the export is."""
        self._piece(name, data)

    def _piece(self, name: str, data: bytes) -> None:
        shown = base64.b64encode(data).decode()
        self._folder.append(PAGE, f'<script type="application/octet-stream" data-path="{name}">{shown}</script>\n'.encode())


def auditors_page() -> str:
    """The page without data, with style and scripts inline, because it may load nothing."""
    page = shipped("page.html")
    for name in ("page.css", "log.js", "signed.js", "endorsed.js", "view.js"):
        page = page.replace(f"/* {name} */", shipped(name))
    return page.replace("/* words */", json.dumps({name: row.words for name, row in ENTRY_TYPES.items()}))


def shipped(name: str) -> str:
    """A file next to the page."""
    return resources.files("bot.evidence").joinpath("pages", name).read_text(encoding="utf-8")
