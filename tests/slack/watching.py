"""Everything that crosses the sandbox's line is judged: calls, payloads, and answers to forms."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.timeline import Line
from tests.slack import judges


def complaints(lines: Iterable[Line]) -> list[str]:
    """What the judges object to, with the number of the line. Calls that Slack refused are the bot's to be told of."""
    found: list[str] = []
    for line in lines:
        said: list[str] = []
        if line.kind == "call" and judges.knows(line.name):
            said = judges.call(line.name, line.sent)
        elif line.kind == "delivery":
            said = [*judges.payload(line.name, line.sent), *judges.answer(line.answer)]
        elif line.kind == "response_url" and isinstance(line.sent.get("blocks"), list):
            said = judges.message(line.sent["blocks"], str(line.sent.get("text", "")))
        found += [f"{line.number} {line.name}: {one}" for one in said]
    return found
